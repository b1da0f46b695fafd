// SPDX-License-Identifier: Apache-2.0
//
// What in a repository may get in the way of a run, as git sees it.
#ifndef O8LOCK_HOOKS_HEALTH_H_
#define O8LOCK_HOOKS_HEALTH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lock/location.h"

namespace o8lock {

// What git makes of a file, whether that is there or not.
struct FileInGit {
  bool tracked = false;
  bool ignored = false;
  // The pattern by which it is not ignored in spite of others, and where that
  // is: ".gitignore:3:!*.lock". Empty: there is none.
  std::string unignored_by;
};

// Asks git about `file`, a path in the main worktree of `location`; where that
// has none, in whatever worktree the file's directory is in.
// Errors: those of AskGit (git.h), also where that is no worktree.
absl::StatusOr<FileInGit> InspectFile(const Location& location,
                                      const std::string& file);

// A file by which a git command keeps others from changing something.
struct GitLock {
  std::string path;
  int64_t age;  // seconds since it was written
};

// Those of the repository `location` and its linked worktrees that were written
// more than a minute ago and that no process has open, as far as this one may
// see. A command may go on all the same: `git commit -a` closes its own before
// it starts the editor.
// Reads the list of every process's descriptors for each of them.
std::vector<GitLock> OldGitLocks(const Location& location);

// The git commands that run in the repository `location` now, or in a linked
// worktree, as far as that can be seen.
std::vector<int> GitCommands(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HEALTH_H_
