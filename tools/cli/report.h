// SPDX-License-Identifier: Apache-2.0
//
// RepositoryReport: all known facts about a repository's locks, for people
// waiting for a lock or cleaning up after one. Takes nothing and changes
// nothing.
#ifndef O8LOCK_TOOLS_CLI_REPORT_H_
#define O8LOCK_TOOLS_CLI_REPORT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hooks/worktrees.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/waiters.h"

namespace o8lock {

// A process of a run.
struct RunProcess {
  int pid = 0;
  std::vector<std::string> command;  // empty if this user may not read it
  std::string directory;             // the same
};

// Returns the processes `pids`.
std::vector<RunProcess> Describe(const std::vector<int>& pids);

// Returns the living processes of the run `found`, except this one: its own
// process with all descendants and, for a run under o8lock, any process with
// its token. Reads files of every process on the machine.
std::vector<RunProcess> ProcessesOf(const LockStatus& found);

// Returns the processes of the dead run `found` that work in its repository, at
// `location`, or in its `worktrees`. Processes outside its session, such as
// daemons, do not count.
std::vector<RunProcess> SurvivingProcessesOf(
    const LockStatus& found, const Location& location,
    const std::vector<Worktree>& worktrees);

// Returns the existing linked worktrees made by the run `holder`. With hooks,
// these are the worktrees the hooks recorded. Without hooks, these are the
// worktrees below orchestr8's worktree directory. They are younger than the
// run, and older than an override of it. Empty for a lock that does not protect
// worktrees.
std::vector<Worktree> WorktreesOf(const Holder& holder,
                                  const Location& location);

// Returns the same worktrees without `recorded`, those a record names already.
std::vector<Worktree> UnrecordedOf(
    const Holder& holder, const Location& location,
    const std::vector<OrphanedWorktree>& recorded);

// Returns `worktrees` in the form of a record.
std::vector<OrphanedWorktree> AsOrphaned(
    const std::vector<Worktree>& worktrees);

// An orphaned worktree: an ended run has left it.
struct OrphanReport {
  Worktree worktree;
  WorktreeState state;
  bool in_use = false;             // a process has its directory there
  std::vector<RunProcess> agents;  // those of them the run has started
};

// Returns `worktrees` of the repository `location`, each with its state from
// git. Gives up at `give_up`, as StateOf does. Runs git twice for each.
std::vector<OrphanReport> DescribeOrphans(
    const Location& location, const std::vector<Worktree>& worktrees,
    Ticks give_up);

// Returns all worktrees left there by ended runs, for the status `found` of the
// lock at `location`.
std::vector<OrphanReport> CollectOrphans(const Location& location,
                                         const LockStatus& found);

// One lock.
struct LockReport {
  std::string name;  // empty if --lock-file selects the lock
  Location location;
  LockStatus found;
  std::vector<RunProcess> processes;
  std::vector<Worktree> worktrees;
  std::vector<OrphanReport> orphans;  // of ended runs
  // The runs that lost this lock to its holder and may still work.
  std::vector<Holder> overridden;
  std::vector<Waiter> waiters;  // waiters.h
  // The existing lock file: an orchestr8 may keep it elsewhere. If there is no
  // lock file, the location's path, or empty if that is outside the
  // repository.
  std::string lock_file;
};

struct RepositoryReport {
  LockReport lock;  // the requested one
  // Other locks of the same repository, by name. Excludes free locks unused for
  // a week.
  std::vector<LockReport> others;
};

// Errors: as Inspect's. Skips another lock if its inspection fails.
absl::StatusOr<RepositoryReport> CollectReport(
    const Location& location, const std::string& name,
    const std::vector<std::string>& own_tokens);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_REPORT_H_
