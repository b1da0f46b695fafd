// SPDX-License-Identifier: Apache-2.0
#include "lock/access.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "lock/file.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// The number of times another process may remove the file in between.
constexpr int kMaxTries = 100;

}  // namespace

absl::Status InheritAccess(const Fd& fd, const std::string& path, mode_t mode) {
  struct stat parent;
  struct stat made;
  const std::string directory = ParentOf(path) + "/";
  if (stat(directory.c_str(), &parent) != 0 || fstat(fd.get(), &made) != 0) {
    return ErrnoStatus(errno, "stat", path);
  }
  const uid_t user = geteuid();
  if (user == 0 && made.st_uid == 0 && parent.st_uid != 0) {
    // In a container root may lack the permission, or the owner may be unknown.
    if (fchown(fd.get(), parent.st_uid, parent.st_gid) != 0 && errno != EPERM &&
        errno != EINVAL) {
      return ErrnoStatus(errno, "change the owner of", path);
    }
  } else if (made.st_uid != user) {
    return absl::OkStatus();
  }
  mode_t more = S_IRUSR | S_IWUSR;
  if ((parent.st_mode & S_IWGRP) != 0) more |= S_IRGRP | S_IWGRP;
  if ((parent.st_mode & S_IWOTH) != 0) more |= S_IROTH | S_IWOTH;
  more &= mode;
  if (S_ISDIR(made.st_mode)) {
    // A directory's other permissions are useless without search permission.
    more |= (more & (S_IRUSR | S_IRGRP | S_IROTH)) >> 2;
    more |= parent.st_mode & S_ISGID;
  }
  if ((made.st_mode & more) == more) return absl::OkStatus();
  if (fchmod(fd.get(), (made.st_mode | more) & 07777) == 0) {
    return absl::OkStatus();
  }
  return ErrnoStatus(errno, "change the mode of", path);
}

absl::StatusOr<Fd> OpenOrCreate(const std::string& path, int flags,
                                mode_t mode) {
  absl::StatusOr<Fd> fd = OpenRegular(path, flags);
  for (int i = 0; i < kMaxTries && absl::IsNotFound(fd.status()); ++i) {
    fd = OpenRegular(path, flags | O_CREAT | O_EXCL, mode);
    if (fd.ok()) {
      O8LOCK_RETURN_IF_ERROR(InheritAccess(*fd, path, mode));
    } else if (absl::IsAlreadyExists(fd.status())) {
      fd = OpenRegular(path, flags);
    } else {
      return fd;
    }
  }
  return fd;
}

absl::Status MakeDirectory(const std::string& path, bool* created) {
  if (mkdir(path.c_str(), 0777) != 0) {
    const int error = errno;
    if (error != EEXIST) return ErrnoStatus(error, "create directory", path);
    struct stat info;
    if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      return absl::OkStatus();
    }
    return WrongKind(path, "a directory");
  }
  if (created != nullptr) *created = true;
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  Fd fd(open(path.c_str(), kFlags));
  // A umask has denied the owner to read it.
  if (!fd.ok() && errno == EACCES && chmod(path.c_str(), 0700) == 0) {
    fd = Fd(open(path.c_str(), kFlags));
  }
  if (!fd.ok()) return ErrnoStatus(errno, "open", path);
  return InheritAccess(fd, path, 0777);
}

std::string UserName(uid_t user) {
  std::unique_ptr<FILE, int (*)(FILE*)> passwd(fopen("/etc/passwd", "re"),
                                               fclose);
  while (passwd != nullptr) {
    const struct passwd* entry = fgetpwent(passwd.get());
    if (entry == nullptr) break;
    if (entry->pw_uid == user) return entry->pw_name;
  }
  return absl::StrCat(user);
}

absl::Status CheckWritable(const std::string& path, std::string* in_the_way) {
  int wanted = R_OK | W_OK;
  std::string at = path;
  while (faccessat(AT_FDCWD, at.c_str(), wanted, AT_EACCESS) != 0) {
    const int error = errno;
    const std::string parent = at == "/" ? "" : ParentOf(at);
    // The directory is in the way if it hides the name.
    const bool is_hidden =
        error == EACCES && !parent.empty() &&
        faccessat(AT_FDCWD, parent.c_str(), X_OK, AT_EACCESS) != 0;
    if (at == "/" || (error != ENOENT && !is_hidden)) {
      if (in_the_way != nullptr) *in_the_way = at;
      return ErrnoStatus(error, "write", at);
    }
    at = parent.empty() ? "/" : parent;
    wanted = W_OK | X_OK;
  }
  return absl::OkStatus();
}

}  // namespace o8lock
