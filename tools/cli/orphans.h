// SPDX-License-Identifier: Apache-2.0
//
// Orphaned worktrees and surviving processes of a run, at the start of the next
// run and at the end of this one.
#ifndef O8LOCK_TOOLS_CLI_ORPHANS_H_
#define O8LOCK_TOOLS_CLI_ORPHANS_H_

#include <vector>

#include "hooks/worktrees.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "tools/cli/report.h"

namespace o8lock {

// Prints warnings about the worktrees and processes of ended runs, and about
// any dead runs if `lock` at `location` took over their lock. Warns about a
// worktree once, or again with `all`. Prints nothing with `quiet`. Adds the
// worktrees to the record of `lock`. Starts git if there are any worktrees, and
// waits a few seconds for it at most.
void WarnAboutEarlierRuns(Lock& lock, const Location& location, bool all,
                          bool quiet);

// Returns the worktrees made by the run that has `lock`.
std::vector<Worktree> WorktreesOfThisRun(const Lock& lock,
                                         const Location& location);

// Adds `worktrees`, left by this run, to the record of `lock` at `location`.
// Prints a warning about them unless `quiet`. Blocks as WarnAboutEarlierRuns
// does.
void WarnAboutThisRun(Lock& lock, const Location& location,
                      const std::vector<Worktree>& worktrees, bool quiet);

// Returns those of `processes` that are agents of the run with `lock`: they
// carry its mark, and work in one of its `worktrees`.
std::vector<SurvivingProcess> AgentsAmong(
    const std::vector<RunProcess>& processes, const Lock& lock,
    const std::vector<Worktree>& worktrees);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ORPHANS_H_
