// SPDX-License-Identifier: Apache-2.0
//
// The settings in git's configuration that make the hooks ineffective.
#ifndef O8LOCK_HOOKS_BYPASSES_H_
#define O8LOCK_HOOKS_BYPASSES_H_

#include <vector>

#include "hooks/git_settings.h"
#include "hooks/hooks_state.h"
#include "lock/location.h"

namespace o8lock {

// Finds the settings that keep git from calling hooks installed for
// `mechanism`, now or soon: the latter is a core.hooksPath that
// RemoveOwnHooksPath (git_settings.h) removes. Asks git in the main worktree,
// in each worktree with a configuration of its own, and in every worktree if
// the configuration includes a file conditionally. Skips a worktree in which
// git does not work.
// Blocks until these gits end. Changes nothing. Thread-safe.
std::vector<Bypass> FindBypasses(const Location& location, Mechanism mechanism,
                                 const GitVersion& version);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_BYPASSES_H_
