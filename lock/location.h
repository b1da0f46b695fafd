// SPDX-License-Identifier: Apache-2.0
//
// The paths of a lock's files. There is one lock per repository: every
// subdirectory and every linked worktree gives the same answer.
#ifndef O8LOCK_LOCK_LOCATION_H_
#define O8LOCK_LOCK_LOCATION_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "lock/repository.h"

namespace o8lock {

// All paths are absolute.
struct Location {
  std::string lock_file;  // for other programs to see
  std::string guard;      // its kernel lock is the lock

  // Lock files of external runs for the same lock: orchestr8 4's; those in the
  // caller's directory and worktree, since orchestr8 uses its own current
  // directory; those in other main worktrees.
  std::vector<std::string> external_lock_files;

  // The target of `lock_file`'s directory, if it is a link out of the
  // repository. Other repositories may share it, so o8lock neither writes nor
  // reads `lock_file`. Otherwise empty.
  std::string outside;

  // The repository's git common directory; empty outside git.
  std::string common_dir;
  // Whether a start has to record `main_worktree` (main_worktree.h).
  bool is_news = false;
  // The main worktree; git must not show the lock file as a change there. Empty
  // outside git and without a main worktree.
  std::string main_worktree;

  // The worktree around the caller; empty outside every worktree.
  std::string worktree;

  // The link for arming git's hooks (arming.h): <common dir>/o8lock/armed.inc.
  // Empty outside git and for locks not guarding worktrees.
  std::string armed;
  // o8lock.publish from the repository's own configuration file.
  std::optional<std::string> publish;
  // o8lock.leftovers from the same file.
  std::optional<std::string> leftovers;

  // Whether o8lock may create the directories of `guard` and `lock_file`. Not
  // if the user has named the file (LocateOptions::lock_file).
  bool create_directories = true;

  // In a repository: its main worktree or, without one, `common_dir`.
  const std::string& Home() const {
    return main_worktree.empty() ? common_dir : main_worktree;
  }

  // First `lock_file`, unless it is `outside`; then `external_lock_files`.
  std::vector<std::string> LockFiles() const;

  // The same, and the lock files of a run started in `directory`, if this
  // directory is in the repository.
  std::vector<std::string> LockFilesOfRunIn(const std::string& directory) const;
};

struct LocateOptions {
  std::string directory;          // where to start; empty: the current one
  std::string name = "parallel";  // selects one of the repository's locks
  std::string lock_file;          // this file instead of a repository's lock
  std::string git_dir;            // the git directory, if known
  Discovery discovery;            // how git would search
};

// Finds the lock of the repository around `options.directory`:
//                in a repository                    outside a repository
//   lock file    <main worktree>/.claude/NAME.lock  <directory>/.claude/...
//   guard        <common dir>/o8lock/NAME.guard     .claude/.NAME.lock.guard
// Some repositories have no known main worktree: bare ones, and those with a
// separate git directory, seen from a linked worktree before any start in the
// main one. Their lock file is in <common dir>/.claude/.
// With `options.lock_file` this is the lock file, and its guard is
// `.FILE.guard` beside it. If it is one of the lock files above, it keeps its
// guard above.
//
// Finds the repository as git does, but from the files (repository.h). Starts
// no git process and ignores the environment (GIT_DIR...) except for
// `options.discovery`. With `options.git_dir`, an absolute path or one relative
// to the directory, there is no search.
//
// Errors: kInvalidArgument     the name contains characters other than letters,
//                              digits, '.', '_' and '-', or begins with a dot;
//                              the name or the lock file belongs to another
//                              lock; or the lock file has no file name.
//         kFailedPrecondition  git finds a repository it cannot use.
//         others               from reading the current directory or a file.
// Reads a few small files and changes nothing. Thread-safe, except for a
// concurrent chdir(2) without `options.directory`.
absl::StatusOr<Location> Locate(const LocateOptions& options);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_LOCATION_H_
