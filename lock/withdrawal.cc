// SPDX-License-Identifier: Apache-2.0
#include "lock/withdrawal.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/guard.h"
#include "lock/held_lock.h"
#include "lock/holder.h"
#include "lock/kernel_lock.h"
#include "lock/lock_files.h"
#include "lock/status.h"

namespace o8lock {

absl::Status Withdraw(HeldLock& lock) {
  const std::string& guard = lock.location.guard;
  if (!lock.joined || lock.holder.unpublished.has_value()) {
    return absl::OkStatus();
  }
  O8LOCK_RETURN_IF_ERROR(lock.writable);
  O8LOCK_RETURN_IF_ERROR(LockChange(lock.fd, guard));
  // Lock this first: the outer run checks it when its lock file is missing.
  absl::Status status = TryShare(lock.fd, Range::kWithdrawn, guard);
  lock.withdrawn = status.ok();
  if (status.ok()) {
    status = RemoveLockFiles(lock.location, LockFileText(lock.holder), nullptr);
  }
  status.Update(Unlock(lock.fd, Range::kChange, guard));
  return status;
}

absl::Status PutBack(HeldLock& lock) {
  const std::string& guard = lock.location.guard;
  O8LOCK_ASSIGN_OR_RETURN(const bool others,
                          IsLocked(lock.fd, Range::kWithdrawn, guard));
  O8LOCK_ASSIGN_OR_RETURN(const bool run_lasts,
                          IsLocked(lock.fd, Range::kRun, guard));
  absl::Status status;
  if (run_lasts && !others) {
    status = lock.publication.WriteAndPlace(lock.holder);
    if (absl::IsAlreadyExists(status)) status = absl::OkStatus();
  }
  status.Update(Unlock(lock.fd, Range::kWithdrawn, guard));
  lock.withdrawn = false;
  return status;
}

bool IsWithdrawn(const HeldLock& lock) {
  return IsLocked(lock.fd, Range::kWithdrawn, lock.location.guard)
      .value_or(false);
}

}  // namespace o8lock
