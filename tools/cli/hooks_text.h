// SPDX-License-Identifier: Apache-2.0
//
// What `o8lock hooks` says. Every text ends with a newline and is safe to
// how on a terminal.
#ifndef O8LOCK_TOOLS_CLI_HOOKS_TEXT_H_
#define O8LOCK_TOOLS_CLI_HOOKS_TEXT_H_

#include <string>

#include "hooks/installation.h"

namespace o8lock {

// How a command of git gets past the hooks, for when they cannot tell. A hint,
// for HintText.
std::string HookHint();

// What `o8lock hooks install` and `o8lock hooks status` print; hook managers
// are to call `program`.
std::string HooksInstalledText(const HooksState& state,
                               const std::string& program);
std::string HooksStatusText(const HooksState& state,
                            const std::string& program);
std::string HooksStatusJson(const HooksState& state);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_HOOKS_TEXT_H_
