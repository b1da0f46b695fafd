// SPDX-License-Identifier: Apache-2.0
//
// `o8lock -- COMMAND`: a run.
#ifndef O8LOCK_TOOLS_CLI_RUN_H_
#define O8LOCK_TOOLS_CLI_RUN_H_

#include <cstdint>
#include <string>

#include "tools/cli/options.h"

namespace o8lock {

// Runs the command of `options` under the lock. Waits for the lock or overrides
// it, if the options say so. Runs an orchestr8 subcommand without the lock if
// it does not need it. `program` is the name o8lock was started by, and
// `started` the time, of NowNanoseconds().
//
// On success ends this process as the command ended. If the run was refused or
// the command could not be run, prints the reason and returns an exit code.
// Blocks as long as the wait, a question and the command take.
int Run(Options options, const std::string& program, int64_t started);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_RUN_H_
