// SPDX-License-Identifier: Apache-2.0
//
// The linked worktrees of a repository, and the runs that have made them.
#ifndef O8LOCK_HOOKS_WORKTREES_H_
#define O8LOCK_HOOKS_WORKTREES_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/process.h"

namespace o8lock {

// A linked worktree, according to git's own files.
struct Worktree {
  std::string path;
  std::string branch;  // short; empty for a detached HEAD
  std::string name;    // in git's list
  int64_t made = -1;   // when git added it, in nanoseconds since 1970
  bool is_locked = false;
  bool is_gone = false;  // git still lists it, but its directory is gone
  std::string token;     // of the run that has made it; empty: unknown
};

// The path of the worktree with the entry `git_dir` in git's list. Empty if the
// worktree is gone or its entry is unreadable.
std::string WorktreeOf(const std::string& git_dir);

// Records in git's list that the run `token` has made the worktree in
// `directory`. `git worktree remove` removes the record as well.
// Errors: from the file system; kNotFound  `directory` is no linked worktree.
// Does not block.
absl::Status MarkWorktree(const std::string& directory,
                          const std::string& token);

// Distinguishes the worktrees of one run from others.
struct WorktreeMaker {
  std::string token;  // MarkWorktree's; empty: unknown
  // No worktree of the run is older (nanoseconds since 1970).
  int64_t since = 0;
  // If no worktree has the run's mark, for example without hooks, a worktree
  // counts if it was made before `until`, below one of `directories`.
  int64_t until = std::numeric_limits<int64_t>::max();
  std::vector<std::string> directories;
};

// The worktrees of the repository `common_dir` made by `maker`, in the order of
// their names. Omits unreadable ones. Does not start git; changes nothing.
std::vector<Worktree> WorktreesBy(const std::string& common_dir,
                                  const WorktreeMaker& maker);

// Finds `worktree`, orphaned by a run, if it still exists. Does not start git;
// changes nothing.
std::optional<Worktree> FindWorktree(const std::string& common_dir,
                                     const OrphanedWorktree& worktree);

// The number of existing files in the worktree `directory` that are marked
// assume-unchanged or skip-worktree. `git status` hides their changes.
// Errors: as AskGit. `give_up` is as in RunProgram.
absl::StatusOr<int> CountUncomparedFiles(const std::string& directory,
                                         Ticks give_up = -1);

// The commits of the references that only the worktree `directory` has, a line
// each.
// Errors: as AskGit. `give_up` is as in RunProgram.
absl::StatusOr<std::string> OwnReferences(const std::string& directory,
                                          Ticks give_up = -1);

// The work in a worktree that its removal would lose.
struct WorktreeState {
  // Changed, untracked, or with changes that git would hide.
  int uncommitted_files = 0;
  int ignored_files = 0;  // a directory of ignored files counts as one
  int own_commits = 0;    // in no other branch, and in no tag
  int past_commits = 0;   // only in the reflog of its HEAD, or only in
                          // references of its own
  std::string problem;    // why git cannot answer; empty: it can
};

// Asks git about `worktree` of the repository `location`. Blocks until git has
// checked every file, or until `give_up`, in NowTicks() (negative: never). If
// time runs out, `problem` says so. Changes nothing.
WorktreeState StateOf(const Location& location, const Worktree& worktree,
                      Ticks give_up);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_WORKTREES_H_
