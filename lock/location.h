// SPDX-License-Identifier: Apache-2.0
//
// Where a lock's files are. One lock per repository: from every subdirectory
// and every linked worktree the answer is the same.
#ifndef O8LOCK_LOCK_LOCATION_H_
#define O8LOCK_LOCK_LOCATION_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "lock/repository.h"

namespace o8lock {

// Absolute paths, all of them.
struct Location {
  std::string lock_file;  // the public face
  std::string guard;      // the file whose kernel lock is the lock

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
  // Whether a start has to remember `main_worktree` (main_worktree.h).
  bool is_news = false;
  // The main worktree, where the lock file must not show as a change; empty
  // outside git and where there is none.
  std::string main_worktree;

  // The worktree around the caller; empty outside of any.
  std::string worktree;

  // The link that arms git's hooks (arming.h): <common dir>/o8lock/armed.inc;
  // empty outside git and for locks that guard no worktrees.
  std::string armed;
  // o8lock.publish as the repository's own configuration file has it.
  std::optional<std::string> publish;
  // o8lock.leftovers, the same.
  std::optional<std::string> leftovers;

  // Whether the directories of `guard` and `lock_file` are o8lock's to create.
  bool create_directories = true;

  // In a repository: its main worktree or, where there is none, `common_dir`.
  const std::string& Home() const {
    return main_worktree.empty() ? common_dir : main_worktree;
  }

  // `lock_file`, unless it is `outside`, then the foreign ones.
  std::vector<std::string> LockFiles() const;

  // The same, and those of a run started in `directory`, if that directory is
  // in the repository.
  std::vector<std::string> LockFilesOfRunIn(const std::string& directory) const;
};

struct LocateOptions {
  std::string directory;          // where to start; empty: the current one
  std::string name = "parallel";  // which of the repository's locks
  std::string lock_file;          // this file instead of a repository's lock
  std::string git_dir;            // the git directory, where that is known
  Discovery discovery;            // how git would search
};

// Finds the lock of the repository that `options.directory` is in:
//                in a repository                    outside one
//   lock file    <main worktree>/.claude/NAME.lock  <directory>/.claude/...
//   guard        <common dir>/o8lock/NAME.guard     .claude/.NAME.lock.guard
// A repository without a main worktree (bare; or a separate git directory, seen
// from a linked worktree before any start in the main one) has its lock file in
// <common dir>/.claude/.
// With `options.lock_file` that is the lock file, `.FILE.guard` beside it the
// guard; unless it is one of those above, which has its guard already.
//
// The repository is found as git does it, from the files (repository.h): no git
// process, and nothing in the environment (GIT_DIR...) has a say but
// `options.discovery`. With `options.git_dir`, a path relative to the
// directory, there is no search.
//
// Errors: kInvalidArgument     the name is not made of letters, digits, '.',
//                              '_' and '-', or begins with a dot; it, or the
//                              lock file, is another lock's; or the lock file
//                              has no name.
//         kFailedPrecondition  git finds a repository that it cannot use.
//         others               from reading the current directory or a file.
// Reads a few small files, changes nothing. Thread-safe, but for a chdir(2) at
// the same time where no directory is given.
absl::StatusOr<Location> Locate(const LocateOptions& options);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_LOCATION_H_
