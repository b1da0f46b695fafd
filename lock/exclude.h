// SPDX-License-Identifier: Apache-2.0
#ifndef O8LOCK_LOCK_EXCLUDE_H_
#define O8LOCK_LOCK_EXCLUDE_H_

#include "absl/status/status.h"
#include "lock/location.h"

namespace o8lock {

// Adds the lock file of `location`, and the temporary files beside it, to git's
// info/exclude, so git does not show them as changes. Only appends. Follows a
// link if its target has the same owner.
// Errors: kPermissionDenied  the file is read-only or another user's;
//         others             from the file system.
// On failure the lock still works.
absl::Status ExcludeLockFile(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_EXCLUDE_H_
