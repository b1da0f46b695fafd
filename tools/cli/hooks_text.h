// SPDX-License-Identifier: Apache-2.0
//
// Texts of `o8lock hooks`. Every text ends with a newline and is safe to show
// on a terminal.
#ifndef O8LOCK_TOOLS_CLI_HOOKS_TEXT_H_
#define O8LOCK_TOOLS_CLI_HOOKS_TEXT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hooks/installation.h"

namespace o8lock {

// Returns the text for `problem`, an error of the hook `hook` in a `git
// worktree add`. `program` starts o8lock, for the hint. Only a `person` reads
// how to add the worktree all the same: an agent would do so.
std::string UndecidedText(absl::string_view hook, absl::string_view problem,
                          const std::string& program, bool person);

// Returns the warning of a run about `error` from RefreshHooks.
std::string HooksWarning(const absl::Status& error);

// Return the output of `o8lock hooks install` and `o8lock hooks status`. Hook
// managers are to call `program`.
std::string HooksInstalledText(const HooksState& state,
                               const std::string& program);
std::string HooksStatusText(const HooksState& state,
                            const std::string& program);
std::string HooksStatusJson(const HooksState& state);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_HOOKS_TEXT_H_
