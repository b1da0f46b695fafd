// SPDX-License-Identifier: Apache-2.0
#include "lock/inspect.h"

#include <fcntl.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "lock/arming.h"
#include "lock/file.h"
#include "lock/guard.h"
#include "lock/holder.h"
#include "lock/inside.h"
#include "lock/location.h"
#include "lock/lock_file_status.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/record_status.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// The state of the guard alone; kFree if there is no guard.
absl::StatusOr<LockStatus> InspectGuard(
    const Location& location, const std::vector<std::string>& own_tokens) {
  const Ticks start = NowTicks();
  while (true) {
    const absl::StatusOr<Fd> guard = OpenRegular(location.guard, O_RDONLY);
    if (absl::IsNotFound(guard.status())) return LockStatus();
    if (!guard.ok()) return guard.status();
    O8LOCK_ASSIGN_OR_RETURN(const bool taken, IsTaken(*guard, location.guard));
    LockStatus found = DetermineGuardStatus(*guard, location.guard, taken);
    if (IsConclusive(found, NowTicks() - start)) {
      AddDescriptorHolders(*guard, found);
      found.own = found.state == LockState::kHeld &&
                  IsInside(found, *guard, own_tokens);
      return found;
    }
    absl::SleepFor(kRetryEvery);
  }
}

}  // namespace

absl::StatusOr<LockStatus> Inspect(const Location& location,
                                   const std::vector<std::string>& own_tokens) {
  O8LOCK_ASSIGN_OR_RETURN(LockStatus found, InspectGuard(location, own_tokens));
  if (found.state == LockState::kHeld) return found;
  const std::optional<Holder> record = found.holder;
  const std::optional<Holder> dead =
      found.state == LockState::kStale ? record : std::nullopt;
  if (found.state == LockState::kFree) {
    LockStatus free;
    free.file = std::move(found.file);
    free.orphaned = std::move(found.orphaned);
    free.killed = std::move(found.killed);
    found = std::move(free);
  }
  for (const std::string& path :
       location.LockFilesOfRunIn(dead.has_value() ? dead->cwd : "")) {
    O8LOCK_ASSIGN_OR_RETURN(const LockFile file,
                            DetermineLockFileStatus(path, dead));
    // A finding about a record, such as a copy, holds for its lock file too.
    if (record.has_value() && file.lock_status.holder.has_value() &&
        IsOfRun(*file.lock_status.holder, *record)) {
      continue;
    }
    if (file.lock_status.state > found.state) {
      LockStatus external = file.lock_status;
      external.orphaned = std::move(found.orphaned);
      external.killed = std::move(found.killed);
      found = std::move(external);
    }
  }
  return found;
}

absl::StatusOr<bool> IsTaken(const Location& location) {
  const absl::StatusOr<Fd> guard = OpenRegular(location.guard, O_RDONLY);
  if (absl::IsNotFound(guard.status())) return false;
  if (!guard.ok()) return guard.status();
  return IsTaken(*guard, location.guard);
}

absl::Status UpdateArming(const Location& location, bool held_externally) {
  O8LOCK_ASSIGN_OR_RETURN(const Fd guard, OpenGuard(location));
  O8LOCK_RETURN_IF_ERROR(LockChange(guard, location.guard, kDeadRecordFor));
  O8LOCK_ASSIGN_OR_RETURN(const bool named,
                          IsStillNamed(guard, location.guard));
  // The state of a just replaced guard is unknown. The replacing process arms.
  if (!named) return absl::OkStatus();
  O8LOCK_ASSIGN_OR_RETURN(const bool taken, IsTaken(guard, location.guard));
  return SetArmed(location, taken || held_externally);
}

}  // namespace o8lock
