// SPDX-License-Identifier: Apache-2.0
//
// Checks the files of a lock, and whether locks work in their directories.
#ifndef O8LOCK_TOOLS_CLI_DOCTOR_FILES_H_
#define O8LOCK_TOOLS_CLI_DOCTOR_FILES_H_

#include "lock/location.h"
#include "tools/cli/finding.h"

namespace o8lock {

// Returns findings about the guard and the lock files of `location`, and about
// their file systems. Creates files beside them and removes them again. Waits
// up to a second for each malformed lock file.
Findings FileFindings(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_DOCTOR_FILES_H_
