// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/unlock_command.h"

#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/lock_status.h"
#include "tools/cli/caller.h"
#include "tools/cli/child.h"
#include "tools/cli/confirm.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/locate.h"
#include "tools/cli/options.h"
#include "tools/cli/orphans.h"
#include "tools/cli/output.h"
#include "tools/cli/report.h"
#include "tools/cli/run_text.h"
#include "tools/cli/status_text.h"

namespace o8lock {

int UnlockCommand(const Options& options, int64_t started) {
  const absl::StatusOr<Location> location = LocateLock(options);
  if (!location.ok()) return FailToLocate(location.status());
  absl::StatusOr<RepositoryReport> report =
      CollectReport(*location, NameOf(options), OwnTokens());
  if (!report.ok()) return FailToLock(report.status(), *location);
  const LockStatus& found = report->lock.found;
  const std::string status =
      StatusText(*report, GetNow(), InColor(STDOUT_FILENO));
  if (!options.quiet || !options.yes) PrintOut(status);
  if (found.state == LockState::kFree) return kSuccess;
  AcquireOptions acquire;
  acquire.command = {"o8lock", "unlock"};
  // A stale lock needs no question, as at the start of a run.
  if (found.state > LockState::kStale) {
    const std::string warning = UnlockText(found);
    if (!options.quiet || !options.yes) PrintError(warning);
    if (options.yes && IsSince(found, started)) {
      return Fail("the holder changed, so the lock was not removed",
                  absl::StrCat("see: ", OwnCommand("status")),
                  options.conflict_exit_code);
    }
    if (!options.yes) {
      const std::optional<int> declined =
          AskToGoOn(absl::StrCat(status, warning), "unlock", options);
      if (declined.has_value()) return *declined;
    }
    acquire.overriding.push_back(found);
    acquire.forget_overridden = true;
  }
  ChildRunner no_signals;
  std::optional<LockStatus> now;
  absl::StatusOr<Lock> lock = Lock::Acquire(*location, acquire, &now);
  if (!lock.ok()) {
    if (!now.has_value()) return FailToLock(lock.status(), *location);
    return Fail("the holder changed, so the lock was not removed",
                absl::StrCat("see: ", OwnCommand("status")),
                options.conflict_exit_code);
  }
  // The user has seen them above.
  WarnAboutEarlierRuns(*lock, *location, /*all=*/false, /*quiet=*/true);
  const absl::StatusOr<Released> released = lock->Release();
  if (!released.ok()) return FailToLock(released.status(), *location);
  if (options.quiet) return kSuccess;
  for (const Malformed& malformed : lock->malformed()) {
    PrintError(MalformedText(malformed));
  }
  if (found.state > LockState::kStale || found.holder.has_value()) {
    PrintError(UnlockedText(found));
  }
  return kSuccess;
}

}  // namespace o8lock
