// SPDX-License-Identifier: Apache-2.0
#ifndef O8LOCK_HOOKS_WORKTREES_H_
#define O8LOCK_HOOKS_WORKTREES_H_

#include <cstdint>
#include <string>
#include <vector>

namespace o8lock {

// A linked worktree, as git's own files have it.
struct Worktree {
  std::string path;
  std::string branch;  // short; empty for a detached HEAD
};

// Where the worktree is whose own directory in git's list is `git_dir`; empty
// if it is gone, or cannot be read.
std::string WorktreeOf(const std::string& git_dir);

// The linked worktrees of the repository `common_dir` that were added at
// `since` (seconds since 1970) or later, in the order of their names. Those
// that are gone, or cannot be read, are missing. Starts no git; changes
// nothing.
std::vector<Worktree> WorktreesSince(const std::string& common_dir,
                                     int64_t since);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_WORKTREES_H_
