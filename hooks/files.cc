// SPDX-License-Identifier: Apache-2.0
#include "hooks/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "lock/access.h"
#include "lock/file.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// The temporary name of `path` until it is complete, unique to this process.
std::string FreshName(const std::string& path) {
  const size_t name = path.rfind('/') + 1;
  return absl::StrCat(path.substr(0, name), kFresh, getpid(), ".",
                      path.substr(name));
}

}  // namespace

bool FileExists(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0;
}

bool IsLink(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

bool IsExecutable(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

absl::Status PutFile(const std::string& path, absl::string_view text,
                     mode_t mode) {
  struct stat present;
  if (lstat(path.c_str(), &present) == 0 &&
      present.st_mode == (S_IFREG | mode) &&
      ReadFile(path, text.size()).value_or("") == text) {
    return absl::OkStatus();
  }
  const std::string fresh = FreshName(path);
  unlink(fresh.c_str());
  O8LOCK_ASSIGN_OR_RETURN(const Fd fd,
                          OpenRegular(fresh, O_RDWR | O_CREAT | O_EXCL, mode));
  absl::Cleanup undo = [&fresh] { unlink(fresh.c_str()); };
  O8LOCK_RETURN_IF_ERROR(Overwrite(fd, text, fresh));
  O8LOCK_RETURN_IF_ERROR(InheritAccess(fd, fresh, mode));
  // The umask must not keep other users out: git fails if it cannot read an
  // included file.
  if (fchmod(fd.get(), mode) != 0) {
    return ErrnoStatus(errno, "change the mode of", fresh);
  }
  O8LOCK_RETURN_IF_ERROR(RenameFile(fresh, path));
  std::move(undo).Cancel();
  return absl::OkStatus();
}

absl::Status PutLink(const std::string& path, const std::string& target) {
  std::array<char, PATH_MAX> present;
  const ssize_t size = readlink(path.c_str(), present.data(), present.size());
  if (size >= 0 &&
      absl::string_view(present.data(), static_cast<size_t>(size)) == target) {
    return absl::OkStatus();
  }
  const std::string fresh = FreshName(path);
  unlink(fresh.c_str());
  if (symlink(target.c_str(), fresh.c_str()) != 0) {
    return ErrnoStatus(errno, "create link", fresh);
  }
  absl::Status status = RenameFile(fresh, path);
  if (!status.ok()) unlink(fresh.c_str());
  return status;
}

absl::Status MakeReadableDirectory(const std::string& path) {
  O8LOCK_RETURN_IF_ERROR(MakeDirectory(path));
  struct stat parent;
  struct stat info;
  if (stat((path + "/..").c_str(), &parent) != 0 ||
      stat(path.c_str(), &info) != 0) {
    return ErrnoStatus(errno, "stat", path);
  }
  const mode_t wanted = info.st_mode | (parent.st_mode & 0777);
  // EPERM: the directory belongs to another user, who has done the same.
  if (wanted != info.st_mode && chmod(path.c_str(), wanted & 07777) != 0 &&
      errno != EPERM) {
    return ErrnoStatus(errno, "change the mode of", path);
  }
  return absl::OkStatus();
}

absl::Status RemoveTree(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) {
    return absl::OkStatus();
  }
  const int error = errno;
  struct stat info;
  if (lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return ErrnoStatus(error, "remove", path);
  }
  for (const std::string& name : NamesIn(path)) {
    O8LOCK_RETURN_IF_ERROR(RemoveTree(absl::StrCat(path, "/", name)));
  }
  if (rmdir(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return ErrnoStatus(errno, "remove", path);
}

bool IsSame(const std::string& a, const std::string& b) {
  const absl::StatusOr<std::string> text = ReadFile(a);
  if (text.ok()) {
    const absl::StatusOr<std::string> other = ReadFile(b);
    return other.ok() && *text == *other;
  }
  struct stat info_a;
  struct stat info_b;
  if (lstat(a.c_str(), &info_a) != 0 || !S_ISDIR(info_a.st_mode) ||
      lstat(b.c_str(), &info_b) != 0 || !S_ISDIR(info_b.st_mode)) {
    return false;
  }
  const std::vector<std::string> names = NamesIn(a);
  return names == NamesIn(b) &&
         absl::c_all_of(names, [&a, &b](const std::string& name) {
           return IsSame(absl::StrCat(a, "/", name),
                         absl::StrCat(b, "/", name));
         });
}

}  // namespace o8lock
