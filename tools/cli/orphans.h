// SPDX-License-Identifier: Apache-2.0
//
// Worktrees and processes that outlive their run: at the start of the next run,
// and at the end of this one.
#ifndef O8LOCK_TOOLS_CLI_ORPHANS_H_
#define O8LOCK_TOOLS_CLI_ORPHANS_H_

#include <vector>

#include "hooks/worktrees.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "tools/cli/report.h"

namespace o8lock {

// Tells of the dead runs whose lock `lock`, of `location`, took over, and of
// the worktrees and processes that ended runs have left; of worktrees again
// with `all`, otherwise once. Tells nothing with `quiet`. Has the record of
// `lock` name the worktrees. Starts git, if there are any, and waits for it a
// few seconds at most.
void TellOfEarlierRuns(Lock& lock, const Location& location, bool all,
                       bool quiet);

// The worktrees made by the run that has `lock`.
std::vector<Worktree> WorktreesOfThisRun(const Lock& lock,
                                         const Location& location);

// Has the record of `lock`, of `location`, name `worktrees`, left by this run.
// Tells of them, unless `quiet`; blocks as TellOfEarlierRuns.
void TellOfThisRun(Lock& lock, const Location& location,
                   const std::vector<Worktree>& worktrees, bool quiet);

// Those of `processes` that are agents of the run that has `lock`: they carry
// its mark, and work in one of its `worktrees`.
std::vector<SurvivingProcess> AgentsAmong(
    const std::vector<RunProcess>& processes, const Lock& lock,
    const std::vector<Worktree>& worktrees);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ORPHANS_H_
