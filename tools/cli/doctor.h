// SPDX-License-Identifier: Apache-2.0
//
// Finds problems that may keep the lock from working here, with their remedies.
#ifndef O8LOCK_TOOLS_CLI_DOCTOR_H_
#define O8LOCK_TOOLS_CLI_DOCTOR_H_

#include <string>

#include "lock/location.h"
#include "tools/cli/finding.h"

namespace o8lock {

// Examines everything the lock at `location` relies on. In a repository this
// includes git's view from `directory`. Creates files beside the lock's and
// removes them again. Takes no lock a run could want.
// Runs git several times. Waits up to a second for each malformed lock file.
Findings Examine(const Location& location, const std::string& directory);

// Returns a line for each finding, with its hint below. Printable.
std::string DoctorText(const Findings& findings);

// Returns the same for programs: one JSON object and a newline. Its names and
// values are public.
std::string DoctorJson(const Findings& findings);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_DOCTOR_H_
