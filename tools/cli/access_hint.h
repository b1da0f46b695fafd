// SPDX-License-Identifier: Apache-2.0
//
// Checks whether this user may take a lock, and names the files in the way.
#ifndef O8LOCK_TOOLS_CLI_ACCESS_HINT_H_
#define O8LOCK_TOOLS_CLI_ACCESS_HINT_H_

#include <string>

#include "absl/status/status.h"
#include "lock/location.h"
#include "lock/lock_status.h"

namespace o8lock {

// Checks whether a start at `location` may write its files and read the
// existing lock files.
// Errors: kPermissionDenied and others, as CheckWritable's (lock/access.h);
//         kNotFound  the directory of a --lock-file is missing.
absl::Status CheckAccess(const Location& location);

// Returns the hint for a kPermissionDenied from CheckAccess or from a start.
// The hint names the owner of the file in the way. It also names the command
// that gives access as InheritAccess does. It never proposes --lock-file,
// because that means another lock.
std::string AccessHint(const Location& location);

// Returns whether `found` is a lock file this user may not read.
bool IsClosed(const LockStatus& found);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ACCESS_HINT_H_
