// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/access_hint.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "lock/access.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/lock_status.h"
#include "lock/status.h"
#include "tools/cli/text.h"

namespace o8lock {
namespace {

// Returns the files a start writes: the guard, the link to arm the hooks, the
// lock file.
std::vector<std::string> WrittenFiles(const Location& location) {
  std::vector<std::string> files = {location.guard};
  if (!location.armed.empty() && IdOf(location.armed).ok()) {
    files.push_back(location.armed + ".new");
  }
  if (location.outside.empty() && location.publish != "never") {
    files.push_back(HiddenBeside(location.lock_file, ".new"));
  }
  return files;
}

absl::Status FindInTheWay(const Location& location, std::string& path) {
  for (const std::string& file : WrittenFiles(location)) {
    O8LOCK_RETURN_IF_ERROR(CheckWritable(file, &path));
  }
  for (const std::string& file : location.LockFiles()) {
    if (faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) == 0) continue;
    if (errno == EACCES) return CheckWritable(file, &path);
  }
  return absl::OkStatus();
}

bool IsReadOnly(const std::string& path) {
  struct statvfs info;
  return statvfs(path.c_str(), &info) == 0 && (info.f_flag & ST_RDONLY) != 0;
}

bool IsWritable(const std::string& directory) {
  return faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
}

// Returns whether `path` is a file or a directory that o8lock makes.
bool IsMadeByO8lock(const std::string& path, const Location& location) {
  const std::string guard = ParentOf(location.guard);
  const std::string lock_file = ParentOf(location.lock_file);
  return location.create_directories
             ? IsBelow(path, guard) || IsBelow(path, lock_file)
             : path == location.guard || path == location.lock_file;
}

// Returns the command to give `path` the access of its directory.
std::string Remedy(const std::string& path, const struct stat& directory) {
  std::string remedy = absl::StrCat(
      "sudo chown -R ",
      ShellQuoted({absl::StrCat("--reference=", ParentOf(path)), path}));
  if ((directory.st_mode & S_IWGRP) != 0) {
    absl::StrAppend(&remedy, " && sudo chmod -R g+rwX ", ShellQuoted({path}));
  }
  return remedy;
}

}  // namespace

bool IsClosed(const LockStatus& found) {
  return found.state == LockState::kUnknown && !found.holder.has_value();
}

absl::Status CheckAccess(const Location& location) {
  if (!location.create_directories) {
    O8LOCK_RETURN_IF_ERROR(IdOf(ParentOf(location.guard) + "/").status());
  }
  std::string path;
  return FindInTheWay(location, path);
}

std::string AccessHint(const Location& location) {
  std::string path;
  if (FindInTheWay(location, path).ok()) {
    return "get write permission";
  }
  const std::string quoted = absl::StrCat("'", Printable(path), "'");
  if (IsReadOnly(path)) {
    return absl::StrCat(quoted, " is on a read-only file system",
                        path == ParentOf(location.lock_file)
                            ? "; to run without the lock file: --publish=never"
                            : "");
  }
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return absl::StrCat("get write permission for ", quoted);
  }
  const uid_t user = geteuid();
  if (info.st_uid == user) {
    return absl::StrCat(quoted,
                        " is yours, but not accessible: chmod -R u+rwX ",
                        ShellQuoted({path}));
  }
  const std::string owner =
      absl::StrCat(quoted, " belongs to ", UserName(info.st_uid));
  // Whoever shares a directory with others may also share o8lock's files in it.
  // In a sticky one, such as /tmp, everybody's files are their own.
  for (; IsMadeByO8lock(path, location); path = ParentOf(path)) {
    struct stat directory;
    if (IsWritable(ParentOf(path)) &&
        stat(ParentOf(path).c_str(), &directory) == 0 &&
        (directory.st_mode & S_ISVTX) == 0) {
      return absl::StrCat(owner, "; to share it: ", Remedy(path, directory));
    }
  }
  if (info.st_uid != 0 || location.main_worktree.empty()) {
    return absl::StrCat(owner, "; ask for write permission");
  }
  return absl::StrCat(owner, "; if the repository is yours: sudo chown -R ",
                      ShellQuoted({UserName(user), location.main_worktree}));
}

}  // namespace o8lock
