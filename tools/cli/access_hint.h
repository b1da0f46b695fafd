// SPDX-License-Identifier: Apache-2.0
//
// Whether this user may take a lock, and whose files are in the way if not.
#ifndef O8LOCK_TOOLS_CLI_ACCESS_HINT_H_
#define O8LOCK_TOOLS_CLI_ACCESS_HINT_H_

#include <string>

#include "absl/status/status.h"
#include "lock/location.h"
#include "lock/lock_status.h"

namespace o8lock {

// Whether a start at `location` may write its files and read the existing lock
// files.
// Errors: kPermissionDenied and others, as CheckWritable's (lock/access.h);
//         kNotFound  the directory of a --lock-file is missing.
absl::Status CheckAccess(const Location& location);

// The hint after kPermissionDenied from CheckAccess or a start. It names the
// owner of the file in the way and the command that gives access as
// InheritAccess does. It never proposes --lock-file, which is another lock.
std::string AccessHint(const Location& location);

// Whether `found` is a lock file this user may not read.
bool IsClosed(const LockStatus& found);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ACCESS_HINT_H_
