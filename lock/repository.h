// SPDX-License-Identifier: Apache-2.0
//
// Finding a git repository as git does it, from the files: no git process.
//
// Reads a few small files, changes nothing, waits for leases only. Thread-safe.
#ifndef O8LOCK_LOCK_REPOSITORY_H_
#define O8LOCK_LOCK_REPOSITORY_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace o8lock {

struct Repository {
  std::string common_dir;
  // According to the git directory. Empty: it is bare, or only the main
  // worktree itself knows (main_worktree.h).
  std::string main_worktree;
  // The worktree around the start, or empty.
  std::string worktree;
  // Whether `worktree` is a main one: its .git is `common_dir` or leads there.
  bool is_in_main_worktree = false;
  bool is_bare = false;
  std::optional<std::string> publish;    // o8lock.publish, of its own file
  std::optional<std::string> leftovers;  // o8lock.leftovers, the same
};

// What git's environment says of the search.
struct Discovery {
  bool across_filesystems = false;  // GIT_DISCOVERY_ACROSS_FILESYSTEM
  std::string ceiling_directories;  // GIT_CEILING_DIRECTORIES
  // Whether to accept every extension: git itself was asked.
  bool any_extensions = false;
};

// The repository git finds from `start`, an absolute path, with
// safe.directory=* and safe.bareRepository=all; nothing if git finds no
// repository. `is_current`: `start` is the current directory.
// Errors: kFailedPrecondition  git cannot use the repository: a broken .git or
//                              commondir file, an invalid configuration, an
//                              extension unknown to some versions of git. The
//                              message is git's.
//         others               from the file system.
absl::StatusOr<std::optional<Repository>> FindRepository(
    const std::string& start, bool is_current, const Discovery& discovery);

// The repository of the git directory `git_dir`, an absolute path or one
// relative to `directory`: the GIT_DIR of a hook started there. Git has
// accepted its extensions. Errors: kFailedPrecondition  it is not a git
// directory; as above.
absl::StatusOr<std::optional<Repository>> FindRepositoryByGitDir(
    const std::string& git_dir, const std::string& directory);

// Whether `directory` is a main worktree of the repository `common_dir`.
bool IsMainWorktree(const std::string& directory,
                    const std::string& common_dir);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_REPOSITORY_H_
