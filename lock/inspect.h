// SPDX-License-Identifier: Apache-2.0
//
// Looking at a lock without taking it.
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
// `own_tokens`. Takes nothing and changes nothing.
// Errors: as Lock::Acquire's for files that are none, kUnimplemented, and from
// the file system. May wait as Acquire does for what is being written.
absl::StatusOr<LockStatus> Inspect(const Location& location,
                                   const std::vector<std::string>& own_tokens);

// Whether a run has the kernel lock at `location`, and nothing more: some five
// system calls. External runs have none.
// Errors: as Inspect's for the guard's file.
absl::StatusOr<bool> IsTaken(const Location& location);

// Arms the repository's hooks (arming.h) if a run has the lock or, as somebody
// has just found, a lock file of an external run is there (`held_outside`);
// disarms them if not. Lock does this by itself; this is for when it could not:
// hooks are being installed, a run was killed, a run is external.
// Errors: as Lock::Acquire's for the guard's file and from the file system;
//         kDeadlineExceeded  the record is being changed, for longer than that
//                            takes; nothing was done.
// Waits up to a twentieth of a second.
absl::Status UpdateArming(const Location& location, bool held_outside);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_INSPECT_H_
