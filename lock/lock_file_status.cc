// SPDX-License-Identifier: Apache-2.0
#include "lock/lock_file_status.h"

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

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/lock_status.h"
#include "lock/orchestr8_process.h"
#include "lock/process.h"
#include "lock/status.h"
#include "lock/timestamp.h"

namespace o8lock {
namespace {

// The minimum delay between a lock file and a process's start that proves it to
// be another process. The clock may have been corrected by up to this much in
// between.
constexpr int64_t kClockSlack = 2000000000;

constexpr absl::Duration kRereadEvery = absl::Milliseconds(20);
constexpr Ticks kRereadFor = kTicksPerSecond;

// Whether `process` is not the process of the lock file `holder`, written at
// `written`: it began after both this time and startedAt, or both were before
// this boot.
bool BeganAfter(const ProcessInfo& process, const Holder& holder,
                const struct timespec& written) {
  const std::optional<int64_t> since = ParseTimeNanoseconds(holder.started_at);
  if (HasEnded(process) || !since.has_value()) return false;
  const int64_t latest = std::max(*since, Nanoseconds(written));
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const int64_t boot = Nanoseconds(now) - NowNanoseconds();
  return latest < boot ||
         (process.started >= 0 &&
          boot + process.started * kNanosecondsPerTick > latest + kClockSlack);
}

// Whether `path` was not written since the run `dead` began. Then it is the
// dead run's: a living run's lock file would have refused the dead run.
bool IsOlderThan(const std::string& path, const std::optional<Holder>& dead) {
  struct stat info;
  if (!dead.has_value() || lstat(path.c_str(), &info) != 0) return false;
  const std::optional<int64_t> began = ParseTime(dead->started_at);
  // startedAt is in whole seconds, and the file is written right after it is
  // taken.
  return began.has_value() && info.st_mtim.tv_sec <= *began + 1;
}

// The text of `path` and the time it was written.
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

// Sets the state of `lock_status`, a lock file with a holder written at
// `written`, from the holder's process.
void DetermineState(const struct timespec& written, LockStatus& lock_status) {
  Holder& holder = *lock_status.holder;
  lock_status.process = GetProcess(holder.pid);
  if (!HasEnded(lock_status.process) && !IsOrchestr8Process(holder.pid)) {
    lock_status.stranger = CommandOf(holder.pid);
    if (lock_status.stranger.empty()) {
      lock_status.stranger = {ProgramOf(holder.pid)};
    }
  }
  // This process has written no lock file yet. An orchestr8 is believed to be
  // the writer of its lock file, even if it looks younger: setting the clock
  // forward makes every process look younger than its lock file.
  lock_status.pid_reused = holder.pid == getpid() ||
                           (!lock_status.stranger.empty() &&
                            BeganAfter(lock_status.process, holder, written));
  lock_status.state =
      IsDead(lock_status) ? LockState::kStale : LockState::kHeld;
  if (lock_status.state == LockState::kHeld && lock_status.stranger.empty()) {
    holder.command = CommandOf(holder.pid);
    holder.cwd = DirectoryOf(holder.pid);
  }
}

}  // namespace

bool IsOfRun(const Holder& lock_file, const Holder& run) {
  return lock_file.pid == run.pid && lock_file.started_at == run.started_at;
}

bool IsSameLockFile(absl::string_view text, absl::string_view own) {
  if (text == own) return true;
  const absl::StatusOr<Holder> read = ParseHolder(text);
  const absl::StatusOr<Holder> written = ParseHolder(own);
  return read.ok() && written.ok() && IsOfRun(*read, *written);
}

absl::StatusOr<LockFile> DetermineLockFileStatus(
    const std::string& path, const std::optional<Holder>& dead) {
  LockFile found;
  found.lock_status.file = path;
  found.lock_status.is_external = true;
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
      found.lock_status.state = LockState::kStale;
      found.lock_status.holder = dead;
      return found;
    } else if (absl::IsPermissionDenied(text.status())) {
      found.lock_status.state = LockState::kUnknown;
      found.lock_status.problem = std::string(text.status().message());
      return found;
    } else {
      return text.status();
    }
  }
  LockStatus& lock_status = found.lock_status;
  if (!holder.ok()) {
    lock_status.state = LockState::kStale;
    lock_status.problem = std::string(holder.status().message());
    return found;
  }
  lock_status.holder = *holder;
  if (dead.has_value() && IsOfRun(*holder, *dead)) {
    lock_status.state = LockState::kStale;
    return found;
  }
  DetermineState(written, lock_status);
  return found;
}

}  // namespace o8lock
