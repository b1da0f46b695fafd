// SPDX-License-Identifier: Apache-2.0
#include "lock/exclude.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "lock/access.h"
#include "lock/file.h"
#include "lock/git_config.h"
#include "lock/git_directory.h"
#include "lock/location.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// Opens `path` for appending. Does not follow one user's link to another user's
// file: otherwise root would write into any file.
absl::StatusOr<Fd> OpenToAppend(const std::string& path) {
  O8LOCK_ASSIGN_OR_RETURN(Fd fd, OpenAwaitingLease(path, O_WRONLY | O_APPEND));
  struct stat named;
  struct stat opened;
  if (lstat(path.c_str(), &named) != 0 || fstat(fd.get(), &opened) != 0) {
    return ErrnoStatus(errno, "stat", path);
  }
  if (!S_ISREG(opened.st_mode)) return WrongKind(path, "a regular file");
  if (S_ISLNK(named.st_mode) && named.st_uid != opened.st_uid) {
    return absl::PermissionDeniedError(absl::StrCat(
        "cannot write '", path, "': it is a link to a file of another user"));
  }
  return fd;
}

// The pattern for the lock file as git knows it: without links. `.claude` may
// be a link.
std::string PatternInGit(const Location& location) {
  const std::string& file = location.lock_file;
  const std::string& top = location.main_worktree;
  const std::string directory = ParentOf(file);
  struct stat info;
  if (lstat(directory.c_str(), &info) == 0 && S_ISLNK(info.st_mode)) {
    const absl::StatusOr<std::string> real = Canonical(directory);
    // No pattern has a line end.
    if (real.ok() && IsBelow(*real, top) && !absl::StrContains(*real, '\n')) {
      return absl::StrCat(GitPatternOf(real->substr(top.size())), "/",
                          BaseName(file));
    }
  }
  return file.substr(top.size());
}

}  // namespace

absl::Status ExcludeLockFile(const Location& location) {
  if (location.main_worktree.empty()) return absl::OkStatus();
  const std::string info = location.common_dir + "/info";
  const std::string path = info + "/exclude";
  const std::string lock_file = PatternInGit(location);
  const std::string patterns[] = {lock_file, HiddenBeside(lock_file, ".*")};
  absl::StatusOr<std::string> text = ReadGitFile(path);
  const bool is_missing = absl::IsNotFound(text.status());
  if (is_missing) text = "";
  if (!text.ok()) return text.status();
  std::string missing;
  const std::vector<absl::string_view> lines = absl::StrSplit(*text, '\n');
  for (const std::string& pattern : patterns) {
    if (std::find(lines.begin(), lines.end(), pattern) == lines.end()) {
      absl::StrAppend(&missing, pattern, "\n");
    }
  }
  if (missing.empty()) return absl::OkStatus();
  if (!text->empty() && text->back() != '\n') missing.insert(0, "\n");
  if (is_missing) O8LOCK_RETURN_IF_ERROR(MakeDirectory(info));
  O8LOCK_ASSIGN_OR_RETURN(
      const Fd fd, is_missing ? OpenOrCreate(path, O_WRONLY | O_APPEND, 0666)
                              : OpenToAppend(path));
  return Append(fd, missing, path);
}

}  // namespace o8lock
