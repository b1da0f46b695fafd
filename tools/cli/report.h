// SPDX-License-Identifier: Apache-2.0
//
// RepositoryReport: all that can be told of a repository's locks, for people
// who wait for one or clear up after one. Takes nothing and changes nothing.
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
  std::vector<std::string> command;  // empty if it may not be looked into
  std::string directory;             // the same
};

// The processes `pids`.
std::vector<RunProcess> Describe(const std::vector<int>& pids);

// The processes of the run `found` that are alive, this one aside: its own with
// all that it has started and, of a run under o8lock, those that have its
// token. Reads files of every process on the machine.
std::vector<RunProcess> ProcessesOf(const LockStatus& found);

// Of the dead run `found`: those processes that work in its repository, at
// `location`, or in its `worktrees`, and did not leave its session, as daemons
// do.
std::vector<RunProcess> OrphansOf(const LockStatus& found,
                                  const Location& location,
                                  const std::vector<Worktree>& worktrees);

// The linked worktrees that the run `holder` has made and that are still there:
// those that the hooks have seen it make; without hooks, those below the
// directory of orchestr8's worktrees that are younger than the run, and older
// than an override of it. Empty for a lock that guards no worktrees.
std::vector<Worktree> WorktreesOf(const Holder& holder,
                                  const Location& location);

// The same without those that a record names already, in `recorded`.
std::vector<Worktree> UnrecordedOf(
    const Holder& holder, const Location& location,
    const std::vector<OrphanedWorktree>& recorded);

// `worktrees` as a record has them.
std::vector<OrphanedWorktree> AsOrphaned(
    const std::vector<Worktree>& worktrees);

// A worktree that an ended run has left.
struct LeftWorktree {
  Worktree worktree;
  WorktreeState state;
  bool in_use = false;             // a process has its directory there
  std::vector<RunProcess> agents;  // those of them that the run has started
};

// `worktrees` of the repository `location`, with what git says of them until
// `give_up`, as StateOf's. Runs git twice for each.
std::vector<LeftWorktree> DescribeLeft(const Location& location,
                                       const std::vector<Worktree>& worktrees,
                                       Ticks give_up);

// All that ended runs have left there, by the state `found` on the lock at
// `location`.
std::vector<LeftWorktree> LeftWorktrees(const Location& location,
                                        const LockStatus& found);

// One lock.
struct LockReport {
  std::string name;  // empty where --lock-file says which
  Location location;
  LockStatus found;
  std::vector<RunProcess> processes;
  std::vector<Worktree> worktrees;
  std::vector<LeftWorktree> left;  // by ended runs
  // The runs that lost this lock to its holder and may still work.
  std::vector<Holder> overridden;
  std::vector<Waiter> waiters;  // waiters.h
  // The lock file in place: an orchestr8 may keep it elsewhere. Where there is
  // none: the location's, or empty if that leads out of the repository.
  std::string lock_file;
};

struct RepositoryReport {
  LockReport lock;  // the one that was asked for
  // Of the same repository, by name; those that are free and were not used for
  // a week are left out.
  std::vector<LockReport> others;
};

// Errors: as Inspect's; another lock that cannot be looked at is left out.
absl::StatusOr<RepositoryReport> CollectReport(
    const Location& location, const std::string& name,
    const std::vector<std::string>& own_tokens);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_REPORT_H_
