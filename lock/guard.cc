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
#include "lock/access.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/kernel_lock.h"
#include "lock/location.h"
#include "lock/process.h"
#include "lock/status.h"

namespace o8lock {

absl::StatusOr<bool> HasOtherName(const Fd& fd, const std::string& guard) {
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, "stat", guard);
  return info.st_nlink > 1;
}

absl::StatusOr<Fd> OpenGuard(const Location& location) {
  absl::StatusOr<Fd> fd = OpenRegular(location.guard, O_RDWR);
  if (absl::IsNotFound(fd.status())) {
    if (location.create_directories) {
      O8LOCK_RETURN_IF_ERROR(MakeDirectory(ParentOf(location.guard)));
    }
    fd = OpenOrCreate(location.guard, O_RDWR, 0666);
  }
  return fd;
}

std::optional<Holder> ReadRecord(const Fd& fd, const std::string& guard) {
  const absl::StatusOr<std::string> text = ReadWhole(fd, guard);
  if (!text.ok() || text->empty()) return std::nullopt;
  // After the line there may be the end of a longer record: its writer was
  // killed.
  const absl::string_view line(text->data(),
                               std::min(text->find('\n'), text->size()));
  absl::StatusOr<Holder> holder = ParseHolder(line);
  if (!holder.ok()) return std::nullopt;
  return *std::move(holder);
}

absl::StatusOr<bool> IsStillNamed(const FileId& id, const std::string& guard) {
  const absl::StatusOr<FileId> named = IdOf(guard);
  if (absl::IsNotFound(named.status())) return false;
  if (!named.ok()) return named.status();
  return id == *named;
}

absl::StatusOr<bool> IsStillNamed(const Fd& fd, const std::string& guard) {
  O8LOCK_ASSIGN_OR_RETURN(const FileId id, IdOf(fd, guard));
  return IsStillNamed(id, guard);
}

absl::Status ReplaceRecord(const Fd& fd, const std::string& text,
                           const std::string& previous,
                           const std::string& guard) {
  absl::Status status = Overwrite(fd, text, guard);
  if (!status.ok()) Overwrite(fd, previous, guard).IgnoreError();
  return status;
}

namespace {

// Calls `lock` for Range::kChange until no other process has this range.
absl::Status AwaitChange(absl::Status (*lock)(const Fd&, Range,
                                              const std::string&),
                         const Fd& fd, const std::string& guard,
                         Ticks patience) {
  const Ticks give_up = NowTicks() + patience;
  while (true) {
    absl::Status status = lock(fd, Range::kChange, guard);
    if (!absl::IsUnavailable(status)) return status;
    if (NowTicks() > give_up) {
      return absl::DeadlineExceededError(absl::StrCat(
          "cannot lock '", guard,
          "': another o8lock that is changing it does not respond"));
    }
    absl::SleepFor(kRetryEvery);
  }
}

}  // namespace

absl::Status LockChange(const Fd& fd, const std::string& guard,
                        Ticks patience) {
  return AwaitChange(TryLock, fd, guard, patience);
}

absl::Status ShareChange(const Fd& fd, const std::string& guard) {
  return AwaitChange(TryShare, fd, guard, kChangeFor);
}

absl::Status DowngradeToRunLock(const Fd& fd, const std::string& guard) {
  absl::Status turn = TryLock(fd, Range::kTurn, guard);
  if (!turn.ok() && !absl::IsUnavailable(turn)) return turn;
  O8LOCK_RETURN_IF_ERROR(Unlock(fd, Range::kChange, guard));
  return Unlock(fd, Range::kJoined, guard);
}

absl::StatusOr<bool> IsTaken(const Fd& fd, const std::string& guard) {
  O8LOCK_ASSIGN_OR_RETURN(const bool run, IsLocked(fd, Range::kRun, guard));
  if (run) return true;
  return IsLocked(fd, Range::kJoined, guard);
}

}  // namespace o8lock
