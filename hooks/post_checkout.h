// SPDX-License-Identifier: Apache-2.0
//
// The hook post-checkout for Mechanism::kDirectory: a file of o8lock's, or a
// line in the user's file. If a manager (hook_managers.h) owns the hook, o8lock
// does not write it.
//
// Errors: from the file system. Never blocks. Thread-safe, except for two
// threads changing the same hook.
#ifndef O8LOCK_HOOKS_POST_CHECKOUT_H_
#define O8LOCK_HOOKS_POST_CHECKOUT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hooks/git_settings.h"
#include "hooks/hooks_state.h"
#include "lock/location.h"

namespace o8lock {

// How git calls the hook in `path`. `manager` is its owner (ManagerOf).
PostCheckoutHook FindPostCheckoutHook(const Location& location,
                                      const HooksPath& path,
                                      absl::string_view manager);

// Whether the hook in `path` has o8lock's line.
bool HasPostCheckoutHook(const HooksPath& path);

// Writes the line for `program` into the hook in `path`, or creates the hook.
// Replaces an older line. The rest of the hook stays as it is.
absl::Status InstallPostCheckoutHook(const Location& location,
                                     const HooksPath& path,
                                     const std::string& program);

// Removes the line from the hook in `path` and in the repository's own hooks
// directory. Also removes it from hooks that a manager has renamed or moved to
// a directory below.
absl::Status RemovePostCheckoutHook(const Location& location,
                                    const HooksPath& path);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_POST_CHECKOUT_H_
