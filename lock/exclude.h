// SPDX-License-Identifier: Apache-2.0
#ifndef O8LOCK_LOCK_EXCLUDE_H_
#define O8LOCK_LOCK_EXCLUDE_H_

#include "absl/status/status.h"
#include "lock/location.h"

namespace o8lock {

// Lists the lock file of `location`, and what is written beside it, in git's
// info/exclude, so that git does not show it as a change of the worktree. What
// is there stays; a link is followed if its target has the same owner.
// Errors: kPermissionDenied  the file is another user's, or read-only; others
//                            from the file system. A lock works as well
//                            without.
absl::Status ExcludeLockFile(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_EXCLUDE_H_
