// SPDX-License-Identifier: Apache-2.0
//
// Checks the files of a lock, the hooks, and git's own locks, as git sees them.
#ifndef O8LOCK_TOOLS_CLI_DOCTOR_GIT_H_
#define O8LOCK_TOOLS_CLI_DOCTOR_GIT_H_

#include <string>

#include "lock/location.h"
#include "tools/cli/finding.h"

namespace o8lock {

// Returns findings about the repository of `location`, as git in `directory`
// sees it. With `uses_orchestr8` they include files orchestr8 will make. Runs
// git several times.
Findings GitFindings(const Location& location, const std::string& directory,
                     bool uses_orchestr8);

// Returns findings about a lock file outside a repository or chosen by the
// user.
Findings ChosenFileFindings(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_DOCTOR_GIT_H_
