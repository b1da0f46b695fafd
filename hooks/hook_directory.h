// SPDX-License-Identifier: Apache-2.0
//
// The directory of hooks that git uses while the lock is taken
// (Mechanism::kDirectory). Each hook in it runs the user's hook of its name,
// wherever git would find that now; beside them are links to all that the
// user's directory has: a hook may use its own.
//
// Errors: from the file system. Never blocks. Thread-safe, except for two
// threads that change the same directory.
#ifndef O8LOCK_HOOKS_HOOK_DIRECTORY_H_
#define O8LOCK_HOOKS_HOOK_DIRECTORY_H_

#include <string>

#include "absl/status/status.h"
#include "hooks/git_settings.h"

namespace o8lock {

// Calls MoveForeignHooks, then fills `own`, this directory, with hooks that run
// `program` and the user's hooks, which are in `path` or, where no setting says
// so, in `default_path`.
absl::Status PutHooks(const std::string& own, const std::string& program,
                      const HooksPath& path, const std::string& default_path);

// Moves other programs' files from `own` to `directory`. An installer that
// asked git for the hooks directory during a run has put them into `own`. If
// there is another file of this name, both stay: the moved one gets a suffix.
// What is the same goes: a tool that follows links has copied `own`.
absl::Status MoveForeignHooks(const std::string& own,
                              const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOK_DIRECTORY_H_
