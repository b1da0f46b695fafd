// SPDX-License-Identifier: Apache-2.0
#include "lock/judge.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "lock/file.h"
#include "lock/guard.h"
#include "lock/holder.h"
#include "lock/inspection.h"
#include "lock/kernel_lock.h"
#include "lock/orchestr8_process.h"
#include "lock/process.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// How much later than its lock file a process must have begun to be another
// one: that much the clock may have been corrected in between.
constexpr int64_t kClockSlack = 2000000000;

constexpr absl::Duration kRereadEvery = absl::Milliseconds(20);
constexpr Ticks kRereadFor = kTicksPerSecond;

Origin OriginOf(const Holder& record, const Here& here) {
  if (record.boot_id.empty() || here.boot_id.empty()) {
    return record.host == here.host ? Origin::kEarlierBoot : Origin::kOtherHost;
  }
  if (record.boot_id == here.boot_id) {
    return record.pid_namespace == here.pid_namespace && here.pid_namespace >= 0
               ? Origin::kHere
               : Origin::kOtherNamespace;
  }
  return record.host == here.host ? Origin::kEarlierBoot : Origin::kOtherHost;
}

// Whether `process` is another one than that of the lock file which `holder` is
// from and which was written at `written`: it began after both that and its
// startedAt, or both were before this boot.
bool BeganAfter(const ProcessInfo& process, const Holder& holder,
                const struct timespec& written) {
  const std::optional<int64_t> since = ParseTime(holder.started_at);
  if (HasEnded(process) || !since.has_value()) return false;
  // Nanoseconds of the years 1970 to 2255 are numbers.
  const int64_t began = std::clamp<int64_t>(*since, 0, 9000000000) * 1000000000;
  const int64_t latest = std::max(began, Nanoseconds(written));
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const int64_t boot = Nanoseconds(now) - NowNanoseconds();
  return latest < boot ||
         (process.started >= 0 &&
          boot + process.started * kNanosecondsPerTick > latest + kClockSlack);
}

// Whether `path` was not written since the run `dead` began: then it is that
// one's, which would have been refused by a living one's.
bool IsOlderThan(const std::string& path, const std::optional<Holder>& dead) {
  struct stat info;
  if (!dead.has_value() || lstat(path.c_str(), &info) != 0) return false;
  const std::optional<int64_t> began = ParseTime(dead->started_at);
  // startedAt is in seconds, and the file is written right after it is read.
  return began.has_value() && info.st_mtim.tv_sec <= *began + 1;
}

// The text of `path` and when it was written.
struct TimedText {
  std::string text;
  struct timespec written = {};
};
absl::StatusOr<TimedText> ReadTimed(const std::string& path) {
  O8LOCK_ASSIGN_OR_RETURN(const Fd fd, OpenRegular(path, O_RDONLY));
  TimedText read;
  O8LOCK_ASSIGN_OR_RETURN(read.text, ReadWhole(fd, path));
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, "stat", path);
  read.written = info.st_mtim;
  return read;
}

}  // namespace

Inspection JudgeRecord(const std::string& guard,
                       const std::optional<Holder>& record,
                       bool kernel_locked) {
  Inspection inspection;
  inspection.file = guard;
  inspection.holder = record;
  inspection.kernel_locked = kernel_locked;
  if (record.has_value()) {
    inspection.origin = OriginOf(*record, LookHere());
    if (inspection.origin == Origin::kHere) {
      inspection.process = LookAt(record->pid);
      // The process that took the lock was there when it did.
      inspection.pid_reused =
          record->acquired >= 0 &&
          inspection.process.started > TicksOf(record->acquired);
    } else if (inspection.origin == Origin::kEarlierBoot &&
               !record->boot_id.empty() && !LookHere().boot_id.empty()) {
      inspection.pid_reused = !HasEnded(LookAt(record->pid));
    }
  }
  if (kernel_locked) {
    // Of both only the kernel's word counts: start times are another's in a
    // time namespace, and here the lock is live for all that is known else.
    const bool left_behind =
        inspection.origin == Origin::kHere && HasEnded(inspection.process) &&
        record->command_pid > 0 && HasEnded(LookAt(record->command_pid));
    inspection.verdict = left_behind ? Verdict::kStale : Verdict::kHeld;
  } else if (!record.has_value()) {
    inspection.verdict = Verdict::kFree;
  } else {
    inspection.verdict = inspection.origin == Origin::kOtherHost
                             ? Verdict::kUnknown
                             : Verdict::kStale;
  }
  return inspection;
}

absl::StatusOr<Inspection> JudgeGuard(const Fd& fd, const std::string& guard,
                                      bool taken) {
  Inspection found = JudgeRecord(guard, ReadRecord(fd, guard), taken);
  if (taken && found.verdict == Verdict::kStale) {
    O8LOCK_ASSIGN_OR_RETURN(const bool joined,
                            IsLocked(fd, Range::kJoined, guard));
    if (joined) found.verdict = Verdict::kHeld;
  }
  return found;
}

bool IsSettled(const Inspection& found, Ticks waited) {
  if (!found.kernel_locked) return true;
  if (!found.holder.has_value()) return waited > kEmptyRecordFor;
  return !IsDead(found) || waited > kDeadRecordFor;
}

void AddKeepers(const Fd& guard, Inspection& found) {
  if (!found.kernel_locked || (found.holder.has_value() && !IsDead(found))) {
    return;
  }
  const absl::StatusOr<FileId> file = IdOf(guard, found.file);
  if (!file.ok()) return;
  found.keepers = KeepersOf(*file);
  if (!found.holder.has_value()) return;
  std::stable_partition(found.keepers.begin(), found.keepers.end(),
                        [&found](const Keeper& keeper) {
                          return keeper.pid == found.holder->command_pid;
                        });
}

bool IsOwn(const std::optional<Holder>& holder,
           const std::vector<std::string>& own_tokens) {
  return holder.has_value() && !holder->token.empty() &&
         std::find(own_tokens.begin(), own_tokens.end(), holder->token) !=
             own_tokens.end();
}

absl::StatusOr<LockFile> JudgeLockFile(const std::string& path,
                                       const std::optional<Holder>& dead) {
  LockFile found;
  found.inspection.file = path;
  const Ticks give_up = NowTicks() + kRereadFor;
  absl::StatusOr<Holder> holder = absl::InvalidArgumentError("");
  struct timespec written = {};
  while (true) {
    absl::StatusOr<TimedText> text = ReadTimed(path);
    if (text.ok()) {
      holder = ParseHolder(text->text);
      found.text = std::move(text->text);
      written = text->written;
      if (holder.ok() || NowTicks() > give_up) break;
      absl::SleepFor(kRereadEvery);
    } else if (absl::IsNotFound(text.status())) {
      return found;
    } else if (absl::IsOutOfRange(text.status())) {
      holder = text.status();  // too long to become a lock file
      break;
    } else if (absl::IsPermissionDenied(text.status()) &&
               IsOlderThan(path, dead)) {
      found.inspection.verdict = Verdict::kStale;
      found.inspection.holder = dead;
      return found;
    } else if (absl::IsPermissionDenied(text.status())) {
      found.inspection.verdict = Verdict::kUnknown;
      found.inspection.problem = std::string(text.status().message());
      return found;
    } else {
      return text.status();
    }
  }
  Inspection& inspection = found.inspection;
  if (!holder.ok()) {
    inspection.verdict = Verdict::kStale;
    inspection.problem = std::string(holder.status().message());
    return found;
  }
  inspection.holder = *holder;
  if (dead.has_value() && dead->pid == holder->pid &&
      dead->started_at == holder->started_at) {
    inspection.verdict = Verdict::kStale;
    return found;
  }
  inspection.process = LookAt(holder->pid);
  // This process has written no lock file yet. And a clock that was set forward
  // makes every process look younger than its lock file: an orchestr8 is taken
  // for the one that wrote it.
  inspection.pid_reused = holder->pid == getpid() ||
                          (BeganAfter(inspection.process, *holder, written) &&
                           !IsOrchestr8Process(holder->pid));
  inspection.verdict = IsDead(inspection) ? Verdict::kStale : Verdict::kHeld;
  return found;
}

}  // namespace o8lock
