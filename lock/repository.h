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
  // As the repository itself tells it, from wherever it is looked at. Empty:
  // there is none, or only the main worktree itself tells that it is one.
  std::string main_worktree;
  // The worktree that was found around the start, or empty.
  std::string worktree;
  // Whether `worktree` is a main one: it has, or leads to, `common_dir`.
  bool is_in_main_worktree = false;
  bool is_bare = false;
  std::optional<std::string> hooks_path;  // core.hooksPath, of its own file
  std::optional<std::string> publish;     // o8lock.publish, the same
};

// What git's environment says of the search.
struct Discovery {
  bool across_filesystems = false;  // GIT_DISCOVERY_ACROSS_FILESYSTEM
  std::string ceiling_directories;  // GIT_CEILING_DIRECTORIES
  // Whether git itself was asked and knows the repository's extensions.
  bool any_extensions = false;
};

// The repository that git finds from `start`, an absolute path, as with
// safe.directory=* and safe.bareRepository=all; nothing where git finds none.
// `is_current`: `start` is the current directory.
// Errors: kFailedPrecondition  git finds one and cannot use it: a .git file or
//                              a commondir file that leads nowhere, a
//                              configuration that is wrong, an extension that
//                              not every git knows. With git's words.
//         others               from the file system.
absl::StatusOr<std::optional<Repository>> FindRepository(
    const std::string& start, bool is_current, const Discovery& discovery);

// The repository of the git directory `git_dir`, an absolute path or one
// relative to `directory`, as git gives it to a hook that it starts there: git
// has accepted its format.
// Errors: kFailedPrecondition  it is no git directory; as above.
absl::StatusOr<std::optional<Repository>> FindRepositoryByGitDir(
    const std::string& git_dir, const std::string& directory);

// Whether `directory` is a main worktree of the repository `common_dir`.
bool IsMainWorktree(const std::string& directory,
                    const std::string& common_dir);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_REPOSITORY_H_
