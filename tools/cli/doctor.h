// SPDX-License-Identifier: Apache-2.0
//
// What may keep the lock from working here, and what to do about it.
#ifndef O8LOCK_TOOLS_CLI_DOCTOR_H_
#define O8LOCK_TOOLS_CLI_DOCTOR_H_

#include <string>

#include "lock/location.h"
#include "tools/cli/finding.h"

namespace o8lock {

// Looks at everything that the lock at `location` rests on, in a repository as
// git, run in `directory`, sees that. Creates files beside the lock's, which
// are gone afterwards; takes no lock that a run could want.
// Runs git some times. Waits up to a second for each lock file that is none.
Findings Examine(const Location& location, const std::string& directory);

// The line of each finding, with its hint below; printable.
std::string DoctorText(const Findings& findings);

// The same for programs: one JSON object and a newline. Its names and values
// are public.
std::string DoctorJson(const Findings& findings);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_DOCTOR_H_
