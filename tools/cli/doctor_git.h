// SPDX-License-Identifier: Apache-2.0
//
// The files of a lock, the hooks, and git's own locks, as git sees them.
#ifndef O8LOCK_TOOLS_CLI_DOCTOR_GIT_H_
#define O8LOCK_TOOLS_CLI_DOCTOR_GIT_H_

#include <string>

#include "lock/location.h"
#include "tools/cli/finding.h"

namespace o8lock {

// About the repository of `location` as git, run in `directory`, sees it; with
// `uses_orchestr8` also about files that orchestr8 will make. Runs git some
// times.
Findings GitFindings(const Location& location, const std::string& directory,
                     bool uses_orchestr8);

// About a lock file outside a repository, or of the user's choice.
Findings ChosenFileFindings(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_DOCTOR_GIT_H_
