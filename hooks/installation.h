// SPDX-License-Identifier: Apache-2.0
//
// Installs the hooks. While the lock is free, they cost one shell per checkout
// and disturb no other program's hooks.
//
// Besides the guard, <common dir>/o8lock contains:
//   armed.inc   included by the repository's configuration; a link (arming.h)
//               to one of the next two
//   free.inc    read by git while the lock is free
//   locked.inc  read by git while the lock is taken: reference-transaction
//   here.inc    only for Mechanism::kDirectory: locked.inc includes it if git
//               sees the repository under the path it was made for
//   hooks/      the hooks directory git uses then (hook_directory.h)
//   stand-in.sh the script run by each of these hooks
//   bin/        a copy of the program, if it was started from a place that may
//               disappear: a build tree, node_modules, npm's cache
#ifndef O8LOCK_HOOKS_INSTALLATION_H_
#define O8LOCK_HOOKS_INSTALLATION_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hooks/hooks_state.h"  // IWYU pragma: export
#include "lock/location.h"

namespace o8lock {

// Whether the hooks are effective, as far as visible without a test.
bool HooksAreEffective(const HooksState& state);

// Determines the state of the hooks of `location` as git sees them in
// `directory`. Also checks the configuration of each linked worktree.
// Errors:
//   kNotFound            There is no git.
//   kFailedPrecondition  This is no repository.
//   others               from git and the file system
// Blocks until a few git commands end. Changes nothing.
absl::StatusOr<HooksState> InspectHooks(const Location& location,
                                        const std::string& directory);

// Makes git call `program`, an absolute path, for the repository `location`.
// `directory` is the user's directory inside it. Repeats an earlier
// installation for the current program, git and hooks; if they are the same,
// nothing changes. Arms the hooks if the lock is taken. At the end calls `test`
// with the state from InspectHooks.
// On success returns this state.
// Errors: those of InspectHooks and `test`, and
//   kUnimplemented       git is older than 2.29.
//   kInvalidArgument     A path has a tab or a newline.
//   kFailedPrecondition  git cannot call the hooks here, or a setting prevents
//                        it.
//   kUnavailable         Another process takes too long to install or remove
//                        hooks.
//   others               from the file system, and from git, which must change
//                        .git/config
// On failure removes everything, unless hooks were installed before. Waits for
// other calls of this function and of UninstallHooks, at most a minute.
absl::StatusOr<HooksState> InstallHooks(
    const Location& location, const std::string& directory,
    const std::string& program,
    absl::FunctionRef<absl::Status(const HooksState&)> test);

// Removes everything InstallHooks made, also from hooks that other programs
// have put aside meanwhile. Restores all other hooks to the byte. Removes
// <common dir>/o8lock too, unless it contains files of a lock. Does nothing
// without an installation.
// Errors:
//   kFailedPrecondition       This is no repository.
//   kUnavailable              as for InstallHooks
//   kAborted, kAlreadyExists  Everything is removed, but another program's file
//                             stays in o8lock's directory, or was put aside.
//   others                    from the file system and from git
// Waits like InstallHooks.
// REQUIRES: the lock is free.
absl::Status UninstallHooks(const Location& location);

// Adapts an installation to changes, before arming and after a run.
//   - Before arming, rewrites the files git reads while the lock is taken. The
//     reasons are a moved or copied repository, a program that is gone or does
//     not start here, and new hooks. A copy of this program replaces one that
//     does not start, and an older copy.
//   - After a run, moves hooks that an installer has put into hooks/ to their
//     proper place: git had named that directory. Removes that directory from
//     core.hooksPath.
// Does nothing if no hooks are installed or nothing has changed. This check
// takes up to fifty system calls, and may start the program if it is not this
// one.
// Errors:
//   kFailedPrecondition       git cannot call the hooks here, and arming has no
//                             effect.
//   kInvalidArgument          A path has a tab or a newline.
//   kAborted, kAlreadyExists  as for UninstallHooks
//   others                    from the file system
// For Mechanism::kDirectory, runs git if something has changed, and leaves the
// hooks as they are without git.
absl::Status RefreshHooks(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_INSTALLATION_H_
