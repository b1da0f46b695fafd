// SPDX-License-Identifier: Apache-2.0
//
// Main worktrees unknown to their git directory: those with --separate-git-dir
// or with a link as .git. A start in such a worktree remembers it beside the
// guard, for starts from linked worktrees.
#ifndef O8LOCK_LOCK_MAIN_WORKTREE_H_
#define O8LOCK_LOCK_MAIN_WORKTREE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace o8lock {

// The installed worktrees of the repository `common_dir`, except for those
// that no longer belong to it.
std::vector<std::string> RecordedMainWorktrees(const std::string& common_dir);

// Adds `path` to them.
// Errors: from the file system.
// REQUIRES: the directory of the guard exists.
absl::Status RememberMainWorktree(const std::string& common_dir,
                                  const std::string& path);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_MAIN_WORKTREE_H_
