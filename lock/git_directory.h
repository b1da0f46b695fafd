// SPDX-License-Identifier: Apache-2.0
//
// Recognizing git directories and reading git's own files as git does: follows
// links, waits for leases, and has git's size limits.
//
// Reads a few small files and changes nothing. Thread-safe.
#ifndef O8LOCK_LOCK_GIT_DIRECTORY_H_
#define O8LOCK_LOCK_GIT_DIRECTORY_H_

#include <cstddef>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace o8lock {

struct GitDirectory {
  std::string path;        // as the caller gave it
  std::string common_dir;  // the same, or the repository's, without links
  // Whether it belongs to a linked worktree: `common_dir` is another directory.
  bool is_linked = false;
};

// The git directory `path`. Nothing if git does not accept it: git rejects its
// HEAD, or objects or refs are missing.
// Errors: kFailedPrecondition  its file commondir is broken, so git fails;
//         others               from the file system. Missing files and missing
//                              permission are no errors: git ignores both.
absl::StatusOr<std::optional<GitDirectory>> FindGitDirectory(
    const std::string& path);

// The git directory behind `dot_git`, the path of a `.git`, without links.
// Nothing if git ignores it.
// Errors: kFailedPrecondition  `dot_git` is a file without a git directory; the
//                              message has git's reason;
//         others               as above.
absl::StatusOr<std::optional<GitDirectory>> FollowDotGit(
    const std::string& dot_git);

// `path` without links, "." and "..".
// Errors: kNotFound            its last name is missing, as git permits;
//         kFailedPrecondition  another name is missing; the message has git's
//                              reason.
absl::StatusOr<std::string> RealPath(const std::string& path);

// The content of git's file `path`, at most its first `most` bytes. A FIFO
// without a writer is empty.
// Errors: kNotFound  there is no such file; others from open(2) and read(2).
absl::StatusOr<std::string> ReadGitFile(
    const std::string& path, size_t most = std::numeric_limits<size_t>::max());

}  // namespace o8lock

#endif  // O8LOCK_LOCK_GIT_DIRECTORY_H_
