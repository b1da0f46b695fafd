// SPDX-License-Identifier: Apache-2.0
//
// Joining: a start inside a run shares that run's lock. For the files of this
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

// Joins the run `found`, which this process is inside of, by `guard`, its
// guard at `location`. `writable` is why that is open for reading only. Null:
// the lock has changed hands meanwhile.
// Errors: kDeadlineExceeded  another process is stuck in a change; from the
// file system. Waits up to five seconds for a change.
absl::StatusOr<std::unique_ptr<HeldLock>> Join(
    const Location& location, Fd guard, const LockStatus& found,
    absl::Status writable = absl::OkStatus());

// The same for the run `run` in the guard's record.
// Errors: from the file system.
// REQUIRES: this process has Range::kChange of `guard`, or all of it.
absl::StatusOr<std::unique_ptr<HeldLock>> JoinRun(const Location& location,
                                                  Fd guard, Holder run);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_JOIN_H_
