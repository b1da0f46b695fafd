// SPDX-License-Identifier: Apache-2.0
//
// The directory of hooks that git uses while the lock is taken, for a git
// without hooks that are settings: every hook in it runs the one that is
// effective without o8lock.
//
// Errors: from the file system. Never blocks. Thread-safe, but for two threads
// that change the same directory.
#ifndef O8LOCK_HOOKS_HOOK_DIRECTORY_H_
#define O8LOCK_HOOKS_HOOK_DIRECTORY_H_

#include <string>

#include "absl/status/status.h"
#include "hooks/git_settings.h"

namespace o8lock {

// Fills `own`, that directory, with hooks that call `program` or those in
// `path`, after MoveForeignHooks.
absl::Status PutHooks(const std::string& own, const std::string& program,
                      const HooksPath& path);

// Hooks, and what they use, that an installer has put into `own`, as git told
// it while the lock was taken, go to `directory`, where it would have put them
// otherwise. A file that is there stays, and they go beside it.
absl::Status MoveForeignHooks(const std::string& own,
                              const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOK_DIRECTORY_H_
