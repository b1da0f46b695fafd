// SPDX-License-Identifier: Apache-2.0
//
// Rolls back a worktree that git has just made. Work of other commands, and
// work that has changed since, stays.
#ifndef O8LOCK_HOOKS_ROLLBACK_H_
#define O8LOCK_HOOKS_ROLLBACK_H_

#include <string>
#include <vector>

#include "hooks/worktree_add.h"
#include "lock/location.h"

namespace o8lock {

// The result of rolling back one worktree.
struct RolledBack {
  std::string worktree;
  bool removed = false;
  std::string branch;  // checked out in it; empty: detached HEAD
  bool branch_removed = false;
  std::string problem;  // why the worktree or the branch stayed
};

// The stray directories of `add`: those git leaves in place if the add fails.
// They are the repository's list of worktrees and the new parents of the
// worktree. Empty if `add` has not made a directory yet.
// Never blocks; changes nothing on disk. Thread-safe.
std::vector<std::string> StrayDirectoriesOf(const WorktreeAdd& add,
                                            const Location& location);

// Removes the results of `add` in the repository `location`:
//   - `worktree`, if it is exactly as git checked it out at `commit`;
//   - its branch, if the command line or the reflog proves that `add` made it,
//     and it is still at `commit`.
// On success and on failure reports the removed parts, and the reason for each
// part that stays.
// Blocks until its git commands have ended. Ctrl-C does not reach them.
// On disk: git removes the above. The parent directories are recorded for the
// next disarming (lock/arming.h).
// Not thread-safe: the process leaves its process group meanwhile.
RolledBack RollBackWorktree(const WorktreeAdd& add, const Location& location,
                            const std::string& worktree,
                            const std::string& commit);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_ROLLBACK_H_
