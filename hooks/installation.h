// SPDX-License-Identifier: Apache-2.0
//
// Installing the hooks, so that they cost nothing while the lock is free and
// disturb nobody else's.
//
// In <common dir>/o8lock there are, besides the guard:
//   armed.inc   included by the repository's configuration; a link (arming.h)
//               to one of the next two
//   free.inc    what git is to read while the lock is free
//   locked.inc  and while it is taken: o8lock's reference-transaction
//   hooks/      only for Mechanism::kDirectory: a directory that git uses while
//               the lock is taken, in which every hook runs the one that is
//               effective else
//   bin/        a copy of the program, if it was run from a build tree
#ifndef O8LOCK_HOOKS_INSTALLATION_H_
#define O8LOCK_HOOKS_INSTALLATION_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hooks/hooks_state.h"  // IWYU pragma: export
#include "lock/location.h"

namespace o8lock {

// Whether the guard works, as far as can be seen without trying.
bool Guards(const HooksState& state);

// Looks at the hooks of `location` as git, run in `directory`, sees them.
// Errors: kNotFound  there is no git; kFailedPrecondition  this is no
// repository; others from git and the file system.
// Changes nothing. Runs git a few times.
absl::StatusOr<HooksState> LookAtHooks(const Location& location,
                                       const std::string& directory);

// Makes git call `program`, an absolute path, for the repository `location`;
// `directory` is where in it the user is. Does again what was done before, for
// the program, git and hooks of now; if those are the same nothing changes.
// Arms if the lock is taken.
// On success the state as LookAtHooks has it.
// Errors: as LookAtHooks; kUnimplemented  git is older than 2.29; from the file
// system and from git, which has to change .git/config.
absl::StatusOr<HooksState> InstallHooks(const Location& location,
                                        const std::string& directory,
                                        const std::string& program);

// Takes everything of InstallHooks back, also out of hooks that others have put
// aside meanwhile; all others are as they were, to the byte. Nothing is done
// where nothing is installed. Errors: from the file system and from git.
// REQUIRES: nobody has the lock.
absl::Status UninstallHooks(const Location& location,
                            const std::string& directory);

// Before arming: where the repository was moved, or other hooks came since,
// adapts what git is to read while the lock is taken. After a run: hooks that
// an installer has put into hooks/, because git named that directory, go where
// they would have gone else. Nothing is done where
// nothing is installed or has changed; that takes a few system calls.
// Errors: from the file system. Runs git if something has changed; without git
// nothing is done.
absl::Status RefreshHooks(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_INSTALLATION_H_
