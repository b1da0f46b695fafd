// SPDX-License-Identifier: Apache-2.0
//
// Joining: a start inside a run shares this run's lock. For the files of this
// library only.
#ifndef O8LOCK_LOCK_JOIN_H_
#define O8LOCK_LOCK_JOIN_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/file.h"
#include "lock/held_lock.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock_status.h"

namespace o8lock {

// Joins the run `found` around this process through its open `guard` at
// `location`. `writable` is not OK if `guard` is read-only, and says why.
// On success returns the lock, or null if the lock has changed hands meanwhile.
// Errors: kDeadlineExceeded  another process is stuck in a change;
//         others             from the file system.
// Waits up to five seconds for a change.
absl::StatusOr<std::unique_ptr<HeldLock>> Join(
    const Location& location, Fd guard, const LockStatus& found,
    absl::Status writable = absl::OkStatus());

// The same for the run `run` of the guard's record.
// Errors: from the file system.
// REQUIRES: this process has locked Range::kChange or Range::kAll of `guard`.
absl::StatusOr<std::unique_ptr<HeldLock>> JoinRun(const Location& location,
                                                  Fd guard, Holder run);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_JOIN_H_
