// SPDX-License-Identifier: Apache-2.0
//
// `o8lock hooks ...`, and o8lock as git's hook.
#ifndef O8LOCK_TOOLS_CLI_HOOKS_COMMAND_H_
#define O8LOCK_TOOLS_CLI_HOOKS_COMMAND_H_

#include <string>
#include <vector>

#include "tools/cli/options.h"

namespace o8lock {

// Runs the hook `name` as git called it with `args`, for a process inside the
// runs `own_tokens`. Returns the exit code for git. It is not 0 if o8lock
// refuses a `git worktree add`; standard error then has the reason. A hook name
// unknown to o8lock passes.
int RunHook(const std::string& name, const std::vector<std::string>& args,
            const std::vector<std::string>& own_tokens);

// Installs, removes or describes the hooks of the current directory's
// repository, as the action of `options` says. Prints the result and returns
// the exit code. An installation ends with a test: git must refuse a worktree.
int HooksCommand(const Options& options);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_HOOKS_COMMAND_H_
