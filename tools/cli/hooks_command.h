// SPDX-License-Identifier: Apache-2.0
//
// `o8lock hooks ...`, and o8lock as git's hook.
#ifndef O8LOCK_TOOLS_CLI_HOOKS_COMMAND_H_
#define O8LOCK_TOOLS_CLI_HOOKS_COMMAND_H_

#include <string>
#include <vector>

#include "lock/location.h"

namespace o8lock {

// Runs the hook `name` as git called it with `args`, for a process that is
// inside of the runs `own_tokens`. Returns the exit code for git: not 0 where a
// `git worktree add` is refused, which is told on standard error.
// A hook that o8lock has none of passes.
int RunHook(const std::string& name, const std::vector<std::string>& args,
            const std::vector<std::string>& own_tokens);

// Installs, removes and describes the hooks of the repository `location`, the
// current directory's. They tell what came of it and return the exit code.
// Installing ends with a worktree that has to be refused.
int InstallHooksCommand(const Location& location,
                        const std::vector<std::string>& own_tokens);
int UninstallHooksCommand(const Location& location);
int HooksStatusCommand(const Location& location, bool json);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_HOOKS_COMMAND_H_
