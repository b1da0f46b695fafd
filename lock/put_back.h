// SPDX-License-Identifier: Apache-2.0
//
// What a run does for its files while it lasts: others may remove them, or move
// the repository. For the files of this library only.
#ifndef O8LOCK_LOCK_PUT_BACK_H_
#define O8LOCK_LOCK_PUT_BACK_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/file.h"
#include "lock/held_lock.h"
#include "lock/location.h"

namespace o8lock {

// Opens the directory that stays where all that o8lock has made in it is gone:
// the one that `location`'s guard is in, or where o8lock has made that, its
// parent. None if that cannot be opened.
Fd OpenHome(const Location& location);

// Whether the repository of `lock` is where it was. One that was moved is
// followed: then the paths of `lock` are the new ones. false: it is gone, or
// another one is in its place, to which nothing is to be done.
bool FollowHome(HeldLock& lock);

// Makes the guard of `lock` anew, whose name is gone, with its record and its
// kernel lock. A new guard at its path is taken if it is free and empty.
// Errors: kAlreadyExists     another run has it, or has left its record there;
//         kDeadlineExceeded  another process is stuck in a change of it; others
//         from the file system. Waits up to five seconds for a change.
absl::Status PutGuardBack(HeldLock& lock);

// Puts the lock file of `lock` in place again, which is gone. Returns whether
// it was lost: not if another program has given it another name. kAlreadyExists
// as above.
absl::StatusOr<bool> PutLockFileBack(HeldLock& lock);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_PUT_BACK_H_
