// SPDX-License-Identifier: Apache-2.0
//
// The directory of hooks that git uses while the lock is taken
// (Mechanism::kDirectory). Each hook in it runs the user's hook of its name.
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
// `program` and the hooks in `path`.
absl::Status PutHooks(const std::string& own, const std::string& program,
                      const HooksPath& path);

// Moves other programs' files from `own` to `directory`. An installer that
// asked git for the hooks directory during a run has put them into `own`. If
// there is another file of this name, both stay: the moved one gets a suffix.
absl::Status MoveForeignHooks(const std::string& own,
                              const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOK_DIRECTORY_H_
