// SPDX-License-Identifier: Apache-2.0
//
// Taking back a worktree that git has just made, and never anything that
// somebody else has made, or changed since.
#ifndef O8LOCK_HOOKS_ROLLBACK_H_
#define O8LOCK_HOOKS_ROLLBACK_H_

#include <string>
#include <vector>

#include "hooks/worktree_add.h"
#include "lock/location.h"

namespace o8lock {

// A worktree that was made and taken away again, and what was left of it.
struct TakenBack {
  std::string worktree;
  bool removed = false;
  std::string branch;  // that it was on; empty: none
  bool branch_removed = false;
  std::string problem;  // why something was left
};

// The directories that `add` has made and git will not remove if it fails: the
// repository's list of worktrees, and what leads to the new one. None where
// that cannot be told.
// Never blocks, changes nothing on disk. Thread-safe.
std::vector<std::string> LeftoversOf(const WorktreeAdd& add,
                                     const Location& location);

// Takes back what `add` has made at `commit` in the repository `location`:
// `worktree`, if it is as git has just checked it out and holds no other file;
// and the branch, if this very command is sure to have made it, by its words or
// by the branch's reflog, and it has not moved.
// On success, and on failure, tells what is gone and why the rest is not.
// Blocks until the git commands that it runs have ended; Ctrl-C does not reach
// them.
// On disk: the above is removed by git; the directories that lead to it are
// remembered for the next disarming (lock/arming.h).
// Not thread-safe: the process leaves its process group meanwhile.
TakenBack TakeBack(const WorktreeAdd& add, const Location& location,
                   const std::string& worktree, const std::string& commit);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_ROLLBACK_H_
