// SPDX-License-Identifier: Apache-2.0
//
// The orchestr8 in reach, and its consequences for the lock file.
#ifndef O8LOCK_TOOLS_CLI_DOCTOR_ORCHESTR8_H_
#define O8LOCK_TOOLS_CLI_DOCTOR_ORCHESTR8_H_

#include <string>
#include <vector>

#include "lock/location.h"
#include "tools/cli/finding.h"

namespace o8lock {

// Whether an orchestr8 is installed or was used where the lock at `location`
// is.
bool UsesOrchestr8(const Location& location);

// The files that orchestr8 leaves in the main worktree: the queues of its
// versions, and those that its `init` adds to .gitignore. Absolute paths.
std::vector<std::string> Orchestr8Files(const Location& location);

// About each orchestr8 in PATH.
Findings Orchestr8Findings();

// Whether a run writes the lock file at `location`, and why.
Finding PublishFinding(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_DOCTOR_ORCHESTR8_H_
