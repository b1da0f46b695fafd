// SPDX-License-Identifier: Apache-2.0
//
// Main worktrees unknown to their git directory: those with --separate-git-dir
// or with a link as .git. A start in such a worktree records it beside the
// guard, for starts in linked worktrees.
#ifndef O8LOCK_LOCK_MAIN_WORKTREE_H_
#define O8LOCK_LOCK_MAIN_WORKTREE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace o8lock {

// The recorded worktrees of the repository `common_dir`, except those no longer
// belonging to it.
std::vector<std::string> RecordedMainWorktrees(const std::string& common_dir);

// Adds `path` to the recorded worktrees.
// Errors: from the file system.
// REQUIRES: the guard's directory exists.
absl::Status RememberMainWorktree(const std::string& common_dir,
                                  const std::string& path);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_MAIN_WORKTREE_H_
