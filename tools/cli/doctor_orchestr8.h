// SPDX-License-Identifier: Apache-2.0
//
// Finds the orchestr8 in reach, and its consequences for the lock file.
#ifndef O8LOCK_TOOLS_CLI_DOCTOR_ORCHESTR8_H_
#define O8LOCK_TOOLS_CLI_DOCTOR_ORCHESTR8_H_

#include <string>
#include <vector>

#include "lock/location.h"
#include "tools/cli/finding.h"

namespace o8lock {

// Returns whether an orchestr8 is installed, or was used at the location of the
// lock.
bool UsesOrchestr8(const Location& location);

// Returns absolute paths of the files orchestr8 leaves in the main worktree:
// the queues of its versions, and those its `init` adds to .gitignore.
std::vector<std::string> Orchestr8Files(const Location& location);

// Returns a finding for each orchestr8 in PATH.
Findings Orchestr8Findings();

// Returns whether a run writes the lock file at `location`, and why.
Finding PublishFinding(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_DOCTOR_ORCHESTR8_H_
