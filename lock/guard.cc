// SPDX-License-Identifier: Apache-2.0
#include "lock/guard.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/kernel_lock.h"
#include "lock/location.h"
#include "lock/process.h"
#include "lock/status.h"

namespace o8lock {
namespace {

absl::StatusOr<Fd> CreateGuard(const Location& location) {
  const std::string directory = ParentOf(location.guard);
  if (location.create_directories) {
    bool created = false;
    O8LOCK_RETURN_IF_ERROR(MakeSharedDirectory(directory, &created));
  }
  absl::StatusOr<Fd> guard =
      OpenRegular(location.guard, O_RDWR | O_CREAT, 0666);
  if (guard.ok()) {
    O8LOCK_RETURN_IF_ERROR(ShareAs(*guard, location.guard, directory));
  }
  return guard;
}

}  // namespace

absl::Status MakeDirectory(const std::string& path, bool* created) {
  if (mkdir(path.c_str(), 0777) == 0) {
    if (created != nullptr) *created = true;
    return absl::OkStatus();
  }
  const int error = errno;
  if (error != EEXIST) return ErrnoStatus(error, "create directory", path);
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return absl::OkStatus();
  }
  return WrongKind(path, "a directory");
}

absl::Status ShareAs(const Fd& fd, const std::string& path,
                     const std::string& directory) {
  struct stat of_directory;
  struct stat of_file;
  if (stat(directory.c_str(), &of_directory) != 0 ||
      fstat(fd.get(), &of_file) != 0) {
    return ErrnoStatus(errno, "stat", path);
  }
  mode_t more = 0;
  if ((of_directory.st_mode & S_IWGRP) != 0) more |= S_IRGRP | S_IWGRP;
  if ((of_directory.st_mode & S_IWOTH) != 0) more |= S_IROTH | S_IWOTH;
  if (S_ISDIR(of_file.st_mode)) more |= of_directory.st_mode & S_ISGID;
  if ((of_file.st_mode & more) == more) return absl::OkStatus();
  // EPERM: another of the group was faster, and does the same.
  if (fchmod(fd.get(), (of_file.st_mode | more) & 07777) == 0 ||
      errno == EPERM) {
    return absl::OkStatus();
  }
  return ErrnoStatus(errno, "change the mode of", path);
}

absl::Status MakeSharedDirectory(const std::string& path, bool* created) {
  O8LOCK_RETURN_IF_ERROR(MakeDirectory(path, created));
  if (!*created) return absl::OkStatus();
  const Fd fd(
      open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.ok()) return ErrnoStatus(errno, "open", path);
  return ShareAs(fd, path, ParentOf(path));
}

absl::StatusOr<Fd> OpenGuard(const Location& location) {
  absl::StatusOr<Fd> fd = OpenRegular(location.guard, O_RDWR);
  if (absl::IsNotFound(fd.status())) fd = CreateGuard(location);
  if (!fd.ok()) return fd;
  struct stat info;
  if (fstat(fd->get(), &info) != 0) {
    return ErrnoStatus(errno, "stat", location.guard);
  }
  // Another name of some file of this user's, which the record would overwrite:
  // in a directory that others may write, they can give it this one.
  if (info.st_nlink > 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", location.guard,
                     "' has another name too (a hard link), and o8lock wants a "
                     "file of its own there"));
  }
  return fd;
}

std::optional<Holder> ReadRecord(const Fd& fd, const std::string& guard) {
  const absl::StatusOr<std::string> text = ReadWhole(fd, guard);
  if (!text.ok() || text->empty()) return std::nullopt;
  // Behind the line may be the rest of a longer record: its writer was killed.
  const absl::string_view line(text->data(),
                               std::min(text->find('\n'), text->size()));
  absl::StatusOr<Holder> holder = ParseHolder(line);
  if (!holder.ok()) return std::nullopt;
  return *std::move(holder);
}

absl::StatusOr<bool> IsStillNamed(const Fd& fd, const std::string& guard) {
  O8LOCK_ASSIGN_OR_RETURN(const FileId open_file, IdOf(fd, guard));
  const absl::StatusOr<FileId> named = IdOf(guard);
  if (absl::IsNotFound(named.status())) return false;
  if (!named.ok()) return named.status();
  return open_file == *named;
}

absl::Status ReplaceRecord(const Fd& fd, const std::string& text,
                           const std::string& previous,
                           const std::string& guard) {
  absl::Status status = Overwrite(fd, text, guard);
  if (!status.ok()) Overwrite(fd, previous, guard).IgnoreError();
  return status;
}

absl::Status LockChange(const Fd& fd, const std::string& guard,
                        Ticks patience) {
  const Ticks give_up = NowTicks() + patience;
  while (true) {
    absl::Status status = TryLock(fd, Range::kChange, guard);
    if (!absl::IsUnavailable(status)) return status;
    if (NowTicks() > give_up) {
      return absl::DeadlineExceededError(absl::StrCat(
          "lock '", guard, "': another o8lock that changes it is stuck"));
    }
    absl::SleepFor(kRetryEvery);
  }
}

absl::Status DowngradeToRunLock(const Fd& fd, const std::string& guard) {
  O8LOCK_RETURN_IF_ERROR(Unlock(fd, Range::kChange, guard));
  return Unlock(fd, Range::kJoined, guard);
}

absl::StatusOr<bool> IsTaken(const Fd& fd, const std::string& guard) {
  O8LOCK_ASSIGN_OR_RETURN(const bool run, IsLocked(fd, Range::kRun, guard));
  if (run) return true;
  return IsLocked(fd, Range::kJoined, guard);
}

}  // namespace o8lock
