// SPDX-License-Identifier: Apache-2.0
//
// The linked worktrees of a repository, and which run has made them.
#ifndef O8LOCK_HOOKS_WORKTREES_H_
#define O8LOCK_HOOKS_WORKTREES_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/process.h"

namespace o8lock {

// A linked worktree, as git's own files have it.
struct Worktree {
  std::string path;
  std::string branch;  // short; empty for a detached HEAD
  std::string name;    // in git's list
  int64_t made = -1;   // when git added it, in nanoseconds since 1970
  bool is_locked = false;
  bool is_gone = false;  // its directory; git has it in its list still
  std::string token;     // of the run that has made it; empty: unknown
};

// Where the worktree is whose own directory in git's list is `git_dir`; empty
// if it is gone, or cannot be read.
std::string WorktreeOf(const std::string& git_dir);

// Records in git's list that the run with the token `token` has made the
// worktree in `directory`. `git worktree remove` removes the record as well.
// Errors: from the file system. Does not block.
absl::Status MarkWorktree(const std::string& directory,
                          const std::string& token);

// What tells the worktrees of a run from others.
struct WorktreeMaker {
  std::string token;  // MarkWorktree's; empty: unknown
  // No worktree of the run is older (nanoseconds since 1970).
  int64_t since = 0;
  // The rule where no worktree has the run's mark, as without hooks: made
  // before this moment, below one of these directories.
  int64_t until = std::numeric_limits<int64_t>::max();
  std::vector<std::string> directories;
};

// The worktrees of the repository `common_dir` made by `maker`, in the order of
// their names. Those that cannot be read are missing. Starts no git; changes
// nothing.
std::vector<Worktree> WorktreesBy(const std::string& common_dir,
                                  const WorktreeMaker& maker);

// `worktree`, which a run has left, if it is still there; as above.
std::optional<Worktree> FindWorktree(const std::string& common_dir,
                                     const OrphanedWorktree& worktree);

// What would be lost with a worktree.
struct WorktreeState {
  int uncommitted_files = 0;  // changed or untracked
  int ignored_files = 0;      // a directory of ignored files counts as one
  int own_commits = 0;        // in no other branch, and in no tag
  std::string problem;        // why git cannot tell; empty: it can
};

// Asks git about `worktree` of the repository `location`. Blocks until git
// has looked at every file, or until `give_up`, of NowTicks() (negative:
// never): then that is the problem. Changes nothing.
WorktreeState StateOf(const Location& location, const Worktree& worktree,
                      Ticks give_up);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_WORKTREES_H_
