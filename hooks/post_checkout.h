// SPDX-License-Identifier: Apache-2.0
//
// The hook post-checkout, for a git without hooks that are settings: a hook of
// o8lock's or a line in the user's, where no manager (hook_managers.h) has that
// file.
//
// Errors: from the file system. Never blocks. Thread-safe, but for two threads
// that change the same hook.
#ifndef O8LOCK_HOOKS_POST_CHECKOUT_H_
#define O8LOCK_HOOKS_POST_CHECKOUT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hooks/git_settings.h"
#include "hooks/hooks_state.h"
#include "lock/location.h"

namespace o8lock {

// How the hook is called in `path`, of which ManagerOf says `manager`.
SecondLine FindSecondLine(const Location& location, const HooksPath& path,
                          absl::string_view manager);

// Whether the hook in `path` has a line of ours.
bool HasSecondLine(const HooksPath& path);

// Puts it where it is called all the time: `path`. A line of ours that is there
// is made anew; else the rest of the hook is as before.
absl::Status PutSecondLine(const Location& location, const HooksPath& path,
                           const std::string& program);

// Removes it from where it is effective, and from where it was before somebody
// set core.hooksPath; also where a manager has put it aside.
absl::Status RemoveSecondLine(const Location& location, const HooksPath& path);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_POST_CHECKOUT_H_
