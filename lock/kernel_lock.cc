// SPDX-License-Identifier: Apache-2.0
#include "lock/kernel_lock.h"

#include <fcntl.h>

#include <cerrno>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "lock/file.h"
#include "lock/status.h"

namespace o8lock {
namespace {

struct flock Request(short type, Range range) {  // NOLINT(google-runtime-int)
  struct flock request = {};
  request.l_type = type;
  request.l_whence = SEEK_SET;
  request.l_start = range.first;
  request.l_len = range.count;
  return request;
}

absl::Status Fcntl(const Fd& fd, int command, struct flock* request,
                   const std::string& path) {
  int result;
  do {
    result = fcntl(fd.get(), command, request);
  } while (result != 0 && errno == EINTR && command != F_OFD_SETLKW);
  if (result == 0) return absl::OkStatus();
  const int error = errno;
  switch (error) {
    case EAGAIN:  // POSIX allows EACCES too; in Linux this is a denial
      return absl::UnavailableError(
          absl::StrCat("cannot lock '", path, "': it is locked"));
    case EINTR:
      return absl::CancelledError(
          ErrnoStatus(error, "wait for the lock on", path).message());
    case ENOLCK:
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP:
      return absl::UnimplementedError(
          absl::StrCat(ErrnoStatus(error, "lock", path).message(),
                       " (this file system has no working locks)"));
    default:
      return ErrnoStatus(error, "lock", path);
  }
}

}  // namespace

absl::Status TryLock(const Fd& fd, Range range, const std::string& path) {
  struct flock request = Request(F_WRLCK, range);
  return Fcntl(fd, F_OFD_SETLK, &request, path);
}

absl::Status WaitForLock(const Fd& fd, Range range, const std::string& path) {
  struct flock request = Request(F_WRLCK, range);
  return Fcntl(fd, F_OFD_SETLKW, &request, path);
}

absl::Status TryShare(const Fd& fd, Range range, const std::string& path) {
  struct flock request = Request(F_RDLCK, range);
  return Fcntl(fd, F_OFD_SETLK, &request, path);
}

absl::Status Unlock(const Fd& fd, Range range, const std::string& path) {
  struct flock request = Request(F_UNLCK, range);
  return Fcntl(fd, F_OFD_SETLK, &request, path);
}

absl::StatusOr<bool> IsLocked(const Fd& fd, Range range,
                              const std::string& path) {
  O8LOCK_ASSIGN_OR_RETURN(const std::optional<Range> lock,
                          FindLock(fd, range, path));
  return lock.has_value();
}

absl::StatusOr<std::optional<Range>> FindLock(const Fd& fd, Range range,
                                              const std::string& path) {
  struct flock request = Request(F_WRLCK, range);
  O8LOCK_RETURN_IF_ERROR(Fcntl(fd, F_OFD_GETLK, &request, path));
  if (request.l_type == F_UNLCK) return std::nullopt;
  return Range{request.l_start, request.l_len};
}

}  // namespace o8lock
