// SPDX-License-Identifier: Apache-2.0
//
// Main worktrees that only they themselves tell of: with --separate-git-dir, or
// a .git that is a link, nothing in the git directory says where they are. A
// start in one of them remembers it beside the guard, for starts from linked
// worktrees.
#ifndef O8LOCK_LOCK_MAIN_WORKTREE_H_
#define O8LOCK_LOCK_MAIN_WORKTREE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace o8lock {

// Those remembered of the repository `common_dir` that still are main worktrees
// of it.
std::vector<std::string> RememberedMainWorktrees(const std::string& common_dir);

// Adds `path` to them.
// Errors: from the file system.
// REQUIRES: the directory of the guard exists.
absl::Status RememberMainWorktree(const std::string& common_dir,
                                  const std::string& path);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_MAIN_WORKTREE_H_
