// SPDX-License-Identifier: Apache-2.0
//
// Texts about the worktrees and processes ended runs have left.
#ifndef O8LOCK_TOOLS_CLI_ORPHANS_TEXT_H_
#define O8LOCK_TOOLS_CLI_ORPHANS_TEXT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/cli/report.h"

namespace o8lock {

// Returns a warning for the processes and one for the worktrees. `run` is for
// example "this run". Its suggested commands lose no work. Empty if both lists
// are empty.
std::string OrphansText(absl::string_view run,
                        const std::vector<RunProcess>& processes,
                        std::vector<OrphanReport> worktrees);

// "/r/w (feature/a): 2 uncommitted files"
std::string OrphanLine(const OrphanReport& orphan);

// Returns the next steps for `worktrees`, a sentence for each kind.
std::vector<std::string> OrphanHints(
    const std::vector<OrphanReport>& worktrees);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ORPHANS_TEXT_H_
