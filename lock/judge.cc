// SPDX-License-Identifier: Apache-2.0
#include "lock/judge.h"

#include <unistd.h>

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/inspection.h"
#include "lock/process.h"

namespace o8lock {
namespace {

// A run writes startedAt after it started, so a process that is younger is
// another one. The slack is for a wall clock that was corrected in between.
constexpr int64_t kClockSlackSeconds = 60;

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

// When `process` started, by today's wall clock.
int64_t StartTime(const ProcessInfo& process) {
  return static_cast<int64_t>(time(nullptr)) -
         (NowTicks() - process.started) / kTicksPerSecond;
}

bool IsYounger(const ProcessInfo& process, const Holder& holder) {
  const std::optional<int64_t> since = ParseTime(holder.started_at);
  return process.started >= 0 && since.has_value() &&
         StartTime(process) > *since + kClockSlackSeconds;
}

// Whether the process `pid` may be one that keeps lock files: a clock that was
// set forward by more than the slack, as that of a virtual machine is after a
// pause, makes every living process look younger than its lock. orchestr8 is
// JavaScript, and o8lock's lock file stays where its guard was removed.
bool MayKeepLockFiles(int pid) {
  const std::string program = ProgramOf(pid);
  return program.empty() || absl::StartsWith(program, "node") ||
         program == "MainThread" ||  // Node.js by the name it gives itself
         program == "bun" || program == "deno" || program == "o8lock";
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

absl::StatusOr<LockFile> JudgeLockFile(const std::string& path,
                                       const std::optional<Holder>& dead) {
  LockFile found;
  found.inspection.file = path;
  const Ticks give_up = NowTicks() + kRereadFor;
  absl::StatusOr<Holder> holder = absl::InvalidArgumentError("");
  while (true) {
    absl::StatusOr<std::string> text = ReadFile(path);
    if (text.ok()) {
      holder = ParseHolder(*text);
      found.text = *std::move(text);
      if (holder.ok() || NowTicks() > give_up) break;
      absl::SleepFor(kRereadEvery);
    } else if (absl::IsNotFound(text.status())) {
      return found;
    } else if (absl::IsOutOfRange(text.status())) {
      holder = text.status();  // too long to become a lock file
      break;
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
  // This process has written no lock file yet.
  inspection.pid_reused =
      holder->pid == getpid() || IsYounger(inspection.process, *holder);
  if (!IsDead(inspection)) {
    inspection.verdict = Verdict::kHeld;
  } else if (inspection.pid_reused && holder->pid != getpid() &&
             MayKeepLockFiles(holder->pid)) {
    inspection.verdict = Verdict::kUnknown;
    inspection.pid_reused = false;
    inspection.problem =
        "by the clock its process is younger than the lock: either the number "
        "was given out again, or the clock was set";
  } else {
    inspection.verdict = Verdict::kStale;
  }
  return found;
}

}  // namespace o8lock
