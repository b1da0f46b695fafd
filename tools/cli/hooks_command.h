// SPDX-License-Identifier: Apache-2.0
//
// `o8lock hooks ...`, and o8lock as git's hook.
#ifndef O8LOCK_TOOLS_CLI_HOOKS_COMMAND_H_
#define O8LOCK_TOOLS_CLI_HOOKS_COMMAND_H_

#include <string>
#include <vector>

#include "tools/cli/options.h"

namespace o8lock {

// Runs the hook `name` as git called it with `args`, for a process that is
// inside of the runs `own_tokens`. Returns the exit code for git: not 0 where a
// `git worktree add` is refused, which is told on standard error.
// A hook that o8lock has none of passes.
int RunHook(const std::string& name, const std::vector<std::string>& args,
            const std::vector<std::string>& own_tokens);

// Installs, removes or describes, as the action of `options` says, the hooks of
// the current directory's repository. Tells what came of it and returns the
// exit code. Installing ends with a worktree that has to be refused.
int HooksCommand(const Options& options);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_HOOKS_COMMAND_H_
