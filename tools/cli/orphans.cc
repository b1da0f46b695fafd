// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/orphans.h"

#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "hooks/worktrees.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/orphans_text.h"
#include "tools/cli/output.h"
#include "tools/cli/report.h"

namespace o8lock {
namespace {

// The maximum time for git to examine worktrees during a start, or at the end
// of a run that was asked to end.
constexpr Ticks kPatience = 3 * kTicksPerSecond;

}  // namespace

void WarnAboutEarlierRuns(Lock& lock, const Location& location, bool all,
                          bool quiet) {
  std::vector<OrphanedWorktree> orphaned;
  std::vector<Worktree> untold;
  for (const OrphanedWorktree& known : lock.holder().orphaned) {
    std::optional<Worktree> worktree = FindWorktree(location.common_dir, known);
    if (!worktree.has_value()) continue;
    orphaned.push_back(known);
    if (all || !known.told) untold.push_back(*std::move(worktree));
  }
  bool changed = orphaned.size() != lock.holder().orphaned.size();
  const auto add = [&](const Holder& run) {
    std::vector<Worktree> worktrees = UnrecordedOf(run, location, orphaned);
    absl::c_move(AsOrphaned(worktrees), std::back_inserter(orphaned));
    changed = changed || !worktrees.empty();
    return worktrees;
  };
  for (const Holder& run : lock.killed()) {
    absl::c_move(add(run), std::back_inserter(untold));
  }
  std::vector<std::vector<Worktree>> of_stale;
  for (const LockStatus& stale : lock.stale()) {
    of_stale.push_back(add(*stale.holder));
  }
  // Record them first: this process may be killed while git examines many
  // files. If the record fails, only this start warns the user.
  if (changed) lock.SetOrphaned(orphaned).IgnoreError();
  if (quiet) return;
  const Ticks give_up = NowTicks() + kPatience;
  PrintError(OrphansText("earlier runs", {},
                         DescribeOrphans(location, untold, give_up)));
  for (size_t i = 0; i < of_stale.size(); ++i) {
    const LockStatus& stale = lock.stale()[i];
    PrintError(StaleText(stale));
    PrintError(OrphansText("that run",
                           SurvivingProcessesOf(stale, location, of_stale[i]),
                           DescribeOrphans(location, of_stale[i], give_up)));
  }
  const auto is_told = [](const auto& worktree) { return worktree.told; };
  if (absl::c_all_of(orphaned, is_told)) return;
  for (OrphanedWorktree& worktree : orphaned) worktree.told = true;
  lock.SetOrphaned(orphaned).IgnoreError();
}

std::vector<Worktree> WorktreesOfThisRun(const Lock& lock,
                                         const Location& location) {
  Holder run = lock.holder();
  run.overridden_by = lock.overridden_by();
  return WorktreesOf(run, location);
}

void WarnAboutThisRun(Lock& lock, const Location& location,
                      const std::vector<Worktree>& worktrees, bool quiet) {
  lock.AddOrphaned(AsOrphaned(worktrees)).IgnoreError();
  if (quiet) return;
  PrintError(OrphansText(
      "this run", {},
      DescribeOrphans(location, worktrees, NowTicks() + kPatience)));
}

std::vector<SurvivingProcess> AgentsAmong(
    const std::vector<RunProcess>& processes, const Lock& lock,
    const std::vector<Worktree>& worktrees) {
  std::vector<SurvivingProcess> agents;
  if (processes.empty() || worktrees.empty()) return agents;
  const std::vector<int> marked =
      ProcessesWith(kRunVariable, lock.holder().token);
  for (const RunProcess& process : processes) {
    if (!absl::c_linear_search(marked, process.pid)) continue;
    for (const Worktree& worktree : worktrees) {
      if (!IsBelow(process.directory, worktree.path)) continue;
      agents.push_back({process.pid, NowNanoseconds(), SessionOf(process.pid),
                        worktree.path});
      break;
    }
  }
  return agents;
}

}  // namespace o8lock
