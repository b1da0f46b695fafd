// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/orphans.h"

#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "hooks/worktrees.h"
#include "lock/holder.h"
#include "lock/inspection.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/process.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/orphans_text.h"
#include "tools/cli/output.h"
#include "tools/cli/survey.h"

namespace o8lock {

void TellOfEarlierRuns(Lock& lock, const Location& location, bool all,
                       bool quiet) {
  const std::vector<OrphanedWorktree>& recorded = lock.holder().orphaned;
  std::vector<OrphanedWorktree> orphaned;
  std::vector<OrphanedWorktree> untold;
  for (const OrphanedWorktree& worktree : recorded) {
    if (FindWorktrees(location.common_dir, {worktree}).empty()) continue;
    orphaned.push_back(worktree);
    if (all || !worktree.told) untold.push_back(worktree);
  }
  const bool some_are_gone = orphaned.size() != recorded.size();
  if (!quiet) {
    const std::vector<Worktree> left =
        FindWorktrees(location.common_dir, untold);
    Tell(OrphansText("an ended run", {}, WithStates(left, {})));
  }
  for (const Inspection& stale : lock.stale()) {
    const std::vector<Worktree> worktrees = WorktreesOf(stale, location);
    orphaned = AddWorktrees(std::move(orphaned), worktrees);
    untold = AddWorktrees(std::move(untold), worktrees);
    if (quiet) continue;
    Tell(StaleText(stale));
    const std::vector<RunProcess> processes = OrphansOf(stale, location);
    Tell(OrphansText("that run", processes, WithStates(worktrees, processes)));
  }
  if (untold.empty() && !some_are_gone) return;
  for (OrphanedWorktree& worktree : orphaned) worktree.told = !quiet;
  // Without it the user is told once more.
  lock.SetOrphaned(std::move(orphaned)).IgnoreError();
}

std::vector<Worktree> WorktreesOfThisRun(const Lock& lock,
                                         const Location& location) {
  Inspection run;
  run.holder = lock.holder();
  return WorktreesOf(run, location);
}

void TellOfThisRun(Lock& lock, const std::vector<Worktree>& worktrees,
                   const std::vector<RunProcess>& processes, bool quiet) {
  if (!quiet) {
    Tell(OrphansText("this run", {}, WithStates(worktrees, processes)));
  }
  lock.SetOrphaned(AddWorktrees(lock.holder().orphaned, worktrees))
      .IgnoreError();
}

std::vector<RunProcess> AgentsAmong(const std::vector<RunProcess>& processes,
                                    const Lock& lock,
                                    const std::vector<Worktree>& worktrees) {
  std::vector<RunProcess> agents;
  if (processes.empty() || worktrees.empty()) return agents;
  const std::vector<int> marked =
      ProcessesWith(kRunVariable, lock.holder().token);
  for (const RunProcess& process : processes) {
    if (absl::c_linear_search(marked, process.pid) &&
        absl::c_any_of(worktrees, [&process](const Worktree& worktree) {
          return IsBelow(process.directory, worktree.path);
        })) {
      agents.push_back(process);
    }
  }
  return agents;
}

}  // namespace o8lock
