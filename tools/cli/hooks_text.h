// SPDX-License-Identifier: Apache-2.0
//
// Texts of `o8lock hooks`. Every text ends with a newline and is safe to show
// on a terminal.
#ifndef O8LOCK_TOOLS_CLI_HOOKS_TEXT_H_
#define O8LOCK_TOOLS_CLI_HOOKS_TEXT_H_

#include <string>

#include "hooks/installation.h"

namespace o8lock {

// Returns how to get a git command past the hooks when they cannot decide. A
// hint, for HintText.
std::string HookHint();

// Return the output of `o8lock hooks install` and `o8lock hooks status`. Hook
// managers are to call `program`.
std::string HooksInstalledText(const HooksState& state,
                               const std::string& program);
std::string HooksStatusText(const HooksState& state,
                            const std::string& program);
std::string HooksStatusJson(const HooksState& state);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_HOOKS_TEXT_H_
