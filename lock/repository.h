// SPDX-License-Identifier: Apache-2.0
//
// Finding a git repository as git does it, from the files: no git process.
//
// Reads a few small files, changes nothing, does not block. Thread-safe.
#ifndef O8LOCK_LOCK_REPOSITORY_H_
#define O8LOCK_LOCK_REPOSITORY_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace o8lock {

struct Repository {
  std::string common_dir;
  std::string main_worktree;              // empty: there is none
  std::optional<std::string> hooks_path;  // core.hooksPath, of its own file
  std::optional<std::string> publish;     // o8lock.publish, the same
};

// The repository that `start`, an absolute path, is in; nothing outside one. As
// in git the search ends at the border of a file system. `is_current`: that is
// the current directory.
// Errors: kFailedPrecondition  a .git file or a commondir file leads nowhere;
//         others               from the file system.
absl::StatusOr<std::optional<Repository>> FindRepository(
    const std::string& start, bool is_current);

// The repository of the git directory `git_dir`, an absolute path or one
// relative to `directory`, as git gives it to a hook that it starts there.
// Errors: kFailedPrecondition  it is no git directory; as above.
absl::StatusOr<std::optional<Repository>> FindRepositoryByGitDir(
    const std::string& git_dir, const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_REPOSITORY_H_
