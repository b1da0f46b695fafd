// SPDX-License-Identifier: Apache-2.0
//
// The command of a run, from its start to its end.
#ifndef O8LOCK_TOOLS_CLI_COMMAND_H_
#define O8LOCK_TOOLS_CLI_COMMAND_H_

#include "absl/status/status.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "tools/cli/child.h"
#include "tools/cli/options.h"

namespace o8lock {

// Runs the command of `options` to its end, sees to the processes that it
// leaves behind, releases `lock`, tells what there is to tell of that, and ends
// this process as the command ended.
// Returns, with an exit code, only if the command could not be run.
//
// `lock`, of `location`, may be null: nothing is to be locked. With a lock that
// was joined the processes and the telling are the outer run's.
int RunToTheEnd(ChildRunner& runner, const Options& options, Lock* lock,
                const Location& location);

// Tells of an error of ChildRunner::Run or FindCommand. Returns the exit code.
int FailToRun(const absl::Status& error);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_COMMAND_H_
