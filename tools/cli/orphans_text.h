// SPDX-License-Identifier: Apache-2.0
//
// Texts on what ended runs have left: worktrees, and processes.
#ifndef O8LOCK_TOOLS_CLI_ORPHANS_TEXT_H_
#define O8LOCK_TOOLS_CLI_ORPHANS_TEXT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/cli/report.h"

namespace o8lock {

// A warning for each kind: `run` is "this run", for example. No command in it
// loses anything. Empty if both are.
std::string OrphansText(absl::string_view run,
                        const std::vector<RunProcess>& processes,
                        std::vector<LeftWorktree> worktrees);

// "/r/w (feature/a): 2 uncommitted files"
std::string LeftWorktreeLine(const LeftWorktree& left);

// What to do with `worktrees`, in a sentence for each kind.
std::vector<std::string> OrphanHints(
    const std::vector<LeftWorktree>& worktrees);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ORPHANS_TEXT_H_
