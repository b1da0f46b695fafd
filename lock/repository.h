// SPDX-License-Identifier: Apache-2.0
//
// Finding a git repository as git does, but from the files: no git process.
//
// Reads a few small files and changes nothing. Waits for leases only.
// Thread-safe.
#ifndef O8LOCK_LOCK_REPOSITORY_H_
#define O8LOCK_LOCK_REPOSITORY_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace o8lock {

struct Repository {
  std::string common_dir;
  // The main worktree recorded in the git directory. Empty if the repository is
  // bare, or if only the main worktree itself knows (main_worktree.h).
  std::string main_worktree;
  // The worktree around the start; empty outside every worktree.
  std::string worktree;
  // Whether `worktree` is a main one: its .git is, or leads to, `common_dir`.
  bool is_in_main_worktree = false;
  bool is_bare = false;
  std::optional<std::string> publish;    // o8lock.publish in its config file
  std::optional<std::string> leftovers;  // o8lock.leftovers, the same
};

// The settings in git's environment for the search.
struct Discovery {
  bool across_filesystems = false;  // GIT_DISCOVERY_ACROSS_FILESYSTEM
  std::string ceiling_directories;  // GIT_CEILING_DIRECTORIES
  // Whether to accept every extension, because git itself was asked.
  bool any_extensions = false;
};

// The repository git finds from the absolute path `start`, with
// safe.directory=* and safe.bareRepository=all. Nothing if git finds no
// repository. `is_current`: `start` is the current directory.
// Errors: kFailedPrecondition  git cannot use the repository: a broken .git or
//                              commondir file, an invalid configuration, or an
//                              extension unknown to some versions of git. The
//                              message is git's.
//         others               from the file system.
absl::StatusOr<std::optional<Repository>> FindRepository(
    const std::string& start, bool is_current, const Discovery& discovery);

// The repository of the git directory `git_dir`: the GIT_DIR of a hook started
// in `directory`. `git_dir` is absolute or relative to `directory`. Git has
// already accepted its extensions.
// Errors: kFailedPrecondition  `git_dir` is not a git directory;
//         others               as above.
absl::StatusOr<std::optional<Repository>> FindRepositoryByGitDir(
    const std::string& git_dir, const std::string& directory);

// Whether `directory` is a main worktree of the repository `common_dir`.
bool IsMainWorktree(const std::string& directory,
                    const std::string& common_dir);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_REPOSITORY_H_
