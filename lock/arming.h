// SPDX-License-Identifier: Apache-2.0
//
// Arming: git calls o8lock's refusing hooks only while the lock is taken.
//
// The repository's configuration includes a file, Location::armed. It is a
// symbolic link to one of two files beside it. To switch, a second link with
// the other target replaces it in one step. Git reads its configuration once
// per process, so no git command sees a half-made change. hooks/installation.h
// defines the files and their content.
#ifndef O8LOCK_LOCK_ARMING_H_
#define O8LOCK_LOCK_ARMING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "lock/location.h"

namespace o8lock {

// The link's target while the lock is free and while it is taken.
inline constexpr absl::string_view kFreeFile = "free.inc";
inline constexpr absl::string_view kLockedFile = "locked.inc";

// Makes `location.armed` lead to kLockedFile (`armed`) or to kFreeFile. The
// armed link's modification time, from lstat(2), is the moment of arming. Does
// nothing if there is no such link: then no hooks are installed. Disarming an
// armed link also removes the directories given to RecordStrayDirectories().
// Errors: from the file system; the link stays as before.
// Never blocks.
// REQUIRES: this process has locked the guard's Range::kChange, so no other
// process calls this at the same time.
absl::Status SetArmed(const Location& location, bool armed);

// Whether the link leads to kLockedFile.
bool IsArmed(const Location& location);

// Removes both links permanently, and the directories given to
// RecordStrayDirectories().
// Errors: from the file system.
// REQUIRES: git no longer includes `location.armed`.
absl::Status RemoveArming(const Location& location);

// Records `directories` for removal. Git has made them for a worktree that the
// hooks refuse, and will leave them empty. The next disarming removes those
// that are still empty.
// Errors: from the file system.
// Several processes may do this at the same time.
absl::Status RecordStrayDirectories(
    const Location& location, const std::vector<std::string>& directories);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_ARMING_H_
