// SPDX-License-Identifier: Apache-2.0
//
// Reading the state of a lock without taking it.
#ifndef O8LOCK_LOCK_INSPECT_H_
#define O8LOCK_LOCK_INSPECT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/location.h"
#include "lock/lock_status.h"

namespace o8lock {

// The state of the lock at `location`, for a process inside the runs
// `own_tokens`.
// Errors: kFailedPrecondition  a file in the way is not a regular file, or the
//                              guard has a second name;
//         kUnimplemented       the file system has no working locks;
//         others               from the file system.
// May wait for files being written, as Acquire does. Takes and changes nothing.
absl::StatusOr<LockStatus> Inspect(const Location& location,
                                   const std::vector<std::string>& own_tokens);

// Whether a run has the kernel lock at `location`. Checks nothing more: about
// five system calls. External runs have no kernel lock.
// Errors: as Inspect's for the guard.
absl::StatusOr<bool> IsTaken(const Location& location);

// Arms the repository's hooks (arming.h) if a run has the lock, or if the
// caller has just found an external run's lock file (`held_externally`).
// Otherwise disarms them. Lock does this by itself. Call this if Lock could not
// do so: hooks are being installed, a run was killed, or a run is external.
// Creates a missing guard, as a start does.
// Errors: kDeadlineExceeded  another process is stuck changing the record;
//                            nothing was done;
//         others             as Lock::Acquire's for the guard, and from the
//                            file system.
// Waits up to 50 milliseconds.
absl::Status UpdateArming(const Location& location, bool held_externally);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_INSPECT_H_
