// SPDX-License-Identifier: Apache-2.0
//
// Conditions in a repository that can disturb a run, as git sees them.
#ifndef O8LOCK_HOOKS_HEALTH_H_
#define O8LOCK_HOOKS_HEALTH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lock/location.h"

namespace o8lock {

// How git treats a file, whether the file exists or not.
struct FileInGit {
  bool tracked = false;
  bool ignored = false;
  // The pattern that overrides the ignoring ones, with its place:
  // ".gitignore:3:!*.lock". Empty if there is no such pattern.
  std::string unignored_by;
};

// Asks git about each of `files`, paths in the main worktree of `location`.
// Without a main worktree, asks in the worktree containing the file's
// directory. Returns one result for each file, in their order.
// Errors: those of AskGit (git.h), also if that directory is in no worktree.
absl::StatusOr<std::vector<FileInGit>> InspectFiles(
    const Location& location, const std::vector<std::string>& files);

// A lock file of git's: with it a git command keeps others from changing
// something.
struct GitLock {
  std::string path;
  int64_t age;  // seconds since it was written
};

// The old lock files in the repository `location` and its linked worktrees:
// older than a minute, and not open in any process visible to this one. Their
// command may still be running: `git commit -a` closes its lock file before it
// starts the editor.
// For each lock file, reads the descriptor lists of all processes.
std::vector<GitLock> OldGitLocks(const Location& location);

// The visible git commands now running in the repository `location` or one of
// its linked worktrees.
std::vector<int> GitCommands(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HEALTH_H_
