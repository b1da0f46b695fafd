// SPDX-License-Identifier: Apache-2.0
//
// Withdrawing a run's lock file for an inner run, and putting it back. For the
// files of this library only.
#ifndef O8LOCK_LOCK_WITHDRAWAL_H_
#define O8LOCK_LOCK_WITHDRAWAL_H_

#include "absl/status/status.h"
#include "lock/held_lock.h"

namespace o8lock {

// Lock::WithdrawLockFile (lock.h).
absl::Status Withdraw(HeldLock& lock);

// Puts the withdrawn lock file back in place, unless its run has ended, another
// inner run needs it withdrawn, or another program's lock file is there.
// Errors: from the file system.
// REQUIRES: the guard's Range::kChange is locked.
absl::Status PutBack(HeldLock& lock);

// Whether an inner run of `lock` has withdrawn the lock file.
bool IsWithdrawn(const HeldLock& lock);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_WITHDRAWAL_H_
