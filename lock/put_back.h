// SPDX-License-Identifier: Apache-2.0
//
// Maintaining a run's files during the run: others may remove them or move the
// repository. For the files of this library only.
#ifndef O8LOCK_LOCK_PUT_BACK_H_
#define O8LOCK_LOCK_PUT_BACK_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/file.h"
#include "lock/held_lock.h"
#include "lock/location.h"

namespace o8lock {

// Opens the directory that remains after the removal of everything o8lock has
// created: the directory of `location`'s guard or, if o8lock creates this one,
// its parent.
// Returns no descriptor if it cannot be opened.
Fd OpenHome(const Location& location);

// Checks whether the repository of `lock` is still in its place. If it was
// moved, follows it and changes the paths of `lock`. Returns false if the
// repository is gone or another one has replaced it: then do not touch the
// other one.
bool FollowHome(HeldLock& lock);

// Whether the repository of `lock` is being deleted: its HEAD is gone. Then
// removes the files that this run has put back there.
bool LeaveDeletedRepository(HeldLock& lock);

// Creates the missing guard of `lock` again, with its record and its kernel
// lock. Uses a new guard found at its path if this is free and empty.
// Errors: kAlreadyExists     another run has the new guard, or has left its
//                            record in it;
//         kDeadlineExceeded  another process is stuck changing it;
//         others             from the file system.
// Waits up to five seconds for a change.
absl::Status PutGuardBack(HeldLock& lock);

// Puts the missing lock file of `lock` in place again. Returns whether it was
// lost. It was not if another program has renamed it.
// Errors: kAlreadyExists  another file has its name;
//         others          from the file system.
absl::StatusOr<bool> PutLockFileBack(HeldLock& lock);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_PUT_BACK_H_
