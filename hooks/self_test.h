// SPDX-License-Identifier: Apache-2.0
//
// Trying that armed hooks keep no hook of the user's from being called.
#ifndef O8LOCK_HOOKS_SELF_TEST_H_
#define O8LOCK_HOOKS_SELF_TEST_H_

#include <string>

#include "absl/status/status.h"
#include "hooks/hooks_state.h"
#include "lock/location.h"

namespace o8lock {

// Makes a hook in `directory`, which it creates and removes again, names that
// directory to git as core.hooksPath, and has the hook called as git calls the
// user's while o8lock's are armed.
// Errors: kFailedPrecondition  it was not called; from the file system and
// those of RunGit (git.h).
// Runs git and blocks until that ends. `directory` is in <common dir>.
absl::Status TryUsersHook(const Location& location, Mechanism mechanism,
                          const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_SELF_TEST_H_
