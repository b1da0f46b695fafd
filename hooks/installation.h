// SPDX-License-Identifier: Apache-2.0
//
// Installing the hooks, so that they cost a shell for each checkout while the
// lock is free, and disturb nobody else's.
//
// In <common dir>/o8lock there are, besides the guard:
//   armed.inc   included by the repository's configuration; a link (arming.h)
//               to one of the next two
//   free.inc    what git is to read while the lock is free
//   locked.inc  and while it is taken: o8lock's reference-transaction
//   here.inc    only for Mechanism::kDirectory: what locked.inc includes where
//               git sees the repository under the path it was made for
//   hooks/      the directory of hooks that git uses then (hook_directory.h)
//   stand-in.sh what each of these hooks does
//   bin/        a copy of the program, if it was run from where it may go: a
//               build tree, node_modules, npm's cache
#ifndef O8LOCK_HOOKS_INSTALLATION_H_
#define O8LOCK_HOOKS_INSTALLATION_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hooks/hooks_state.h"  // IWYU pragma: export
#include "lock/location.h"

namespace o8lock {

// Whether the guard works, as far as can be seen without trying.
bool HooksAreEffective(const HooksState& state);

// Looks at the hooks of `location` as git, run in `directory`, sees them, and
// at the configuration of each linked worktree. Errors: kNotFound  there is no
// git; kFailedPrecondition  this is no repository; others from git and the file
// system. Changes nothing. Runs git a few times.
absl::StatusOr<HooksState> InspectHooks(const Location& location,
                                        const std::string& directory);

// Makes git call `program`, an absolute path, for the repository `location`;
// `directory` is where in it the user is. Does again what was done before, for
// the program, git and hooks of now; if those are the same nothing changes.
// Arms if the lock is taken. In the end calls `test` with the state as
// InspectHooks has it.
// On success that state.
// Errors: as InspectHooks and of `test`; kUnimplemented  git is older
// than 2.29; kInvalidArgument  a path has a tab or a newline;
// kFailedPrecondition  git cannot call the hooks here, or would not;
// kUnavailable  another process installs or removes them for too long; from the
// file system and from git, which has to change .git/config. Then nothing is
// left, unless they were installed before. Waits for other calls of this and of
// UninstallHooks, at most a minute.
absl::StatusOr<HooksState> InstallHooks(
    const Location& location, const std::string& directory,
    const std::string& program,
    absl::FunctionRef<absl::Status(const HooksState&)> test);

// Takes everything of InstallHooks back, also out of hooks that others have put
// aside meanwhile; all others are as they were, to the byte. <common
// dir>/o8lock goes too, unless it has a lock's files. Nothing is done
// where nothing is installed. Errors: kUnavailable  as above; kAborted and
// kAlreadyExists  all is done, but a file of another program's in o8lock's
// directory stays there, or was put aside; from the file system and from git.
// Waits like InstallHooks.
// REQUIRES: nobody has the lock.
absl::Status UninstallHooks(const Location& location);

// Before arming: where the repository was moved or copied, the program is gone
// or cannot be started here, or other hooks came since, adapts what git is to
// read while the lock is taken; a program that cannot be started gives way to
// this one. After a run: hooks that an installer has put into hooks/, because
// git named that directory, go where they would have gone otherwise, and that
// directory itself goes out of core.hooksPath. Nothing is done where nothing is
// installed or has changed; that takes a few system calls, and a start of the
// program if that is not this one. Errors: kFailedPrecondition  git cannot call
// the hooks here, and arming has no effect; kAborted, kAlreadyExists  as of
// UninstallHooks; from the file system. Runs git if something has changed;
// without git nothing is done.
absl::Status RefreshHooks(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_INSTALLATION_H_
