// SPDX-License-Identifier: Apache-2.0
//
// The command of a run, from its start to its end.
#ifndef O8LOCK_TOOLS_CLI_COMMAND_H_
#define O8LOCK_TOOLS_CLI_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "tools/cli/child.h"
#include "tools/cli/options.h"

namespace o8lock {

// Runs the command of `options` to its end, handles its surviving processes,
// releases `lock`, prints any warnings about that, and ends this process as the
// command ended.
// Returns an exit code only if the command could not be run.
//
// `lock` is the lock at `location`. It may be null: the command then runs
// without a lock. If the lock was joined, the outer run handles the surviving
// processes and prints the warnings.
int RunToTheEnd(ChildRunner& runner, const Options& options, Lock* lock,
                const Location& location);

// Prints an error of ChildRunner::Run or FindCommand for `command`. Returns the
// exit code.
int FailToRun(const absl::Status& error, const std::string& command);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_COMMAND_H_
