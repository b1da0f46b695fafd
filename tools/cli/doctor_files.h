// SPDX-License-Identifier: Apache-2.0
//
// Whether the files of a lock are as they should be, and whether locks work in
// their directories.
#ifndef O8LOCK_TOOLS_CLI_DOCTOR_FILES_H_
#define O8LOCK_TOOLS_CLI_DOCTOR_FILES_H_

#include "lock/location.h"
#include "tools/cli/finding.h"

namespace o8lock {

// About the guard and the lock files of `location`, and about their file
// systems. Creates files beside them, and removes these again.
// Waits up to a second for each lock file that is none.
Findings FileFindings(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_DOCTOR_FILES_H_
