// SPDX-License-Identifier: Apache-2.0
//
// Arming: git calls o8lock's hooks that refuse only while the lock is taken.
//
// The repository's configuration includes a file, Location::armed, that is a
// symbolic link to one of two beside it. A second link, to the other one, takes
// its place in one step, and git reads its configuration once per process: no
// git command meets a half state. The files and what they say are
// hooks/installation.h's.
#ifndef O8LOCK_LOCK_ARMING_H_
#define O8LOCK_LOCK_ARMING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "lock/location.h"

namespace o8lock {

// What the link leads to while the lock is free and while it is taken.
inline constexpr absl::string_view kFreeFile = "free.inc";
inline constexpr absl::string_view kLockedFile = "locked.inc";

// Makes `location.armed` lead to kLockedFile (`armed`) or to kFreeFile; the
// time of the former, as lstat(2) has it, is the moment of arming. Does nothing
// where there is no such link: no hooks are installed. To disarm, if it
// was armed, also removes what RecordStrayDirectories() was told of.
// Errors: from the file system; the link is as before.
// Never blocks. REQUIRES: nobody else does the same: the guard's
// Range::kChange is locked.
absl::Status SetArmed(const Location& location, bool armed);

// Whether the link leads to kLockedFile.
bool IsArmed(const Location& location);

// Removes both links, for good, and what RecordStrayDirectories() was told of.
// Errors: from the file system.
// REQUIRES: git does not include it any more.
absl::Status RemoveArming(const Location& location);

// Remembers `directories`, which git has made for a worktree that was then
// refused and will leave behind empty; they are removed by the next disarming,
// where they are still empty.
// Errors: from the file system.
// Several processes may do this at the same time.
absl::Status RecordStrayDirectories(
    const Location& location, const std::vector<std::string>& directories);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_ARMING_H_
