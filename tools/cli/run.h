// SPDX-License-Identifier: Apache-2.0
//
// `o8lock -- COMMAND`: a run.
#ifndef O8LOCK_TOOLS_CLI_RUN_H_
#define O8LOCK_TOOLS_CLI_RUN_H_

#include <cstdint>
#include <string>

#include "tools/cli/options.h"

namespace o8lock {

// Runs the command of `options` under the lock, for which it waits or which it
// overrides where the options say so; without the lock where an orchestr8
// subcommand does not need it. `program` is how o8lock was called and `started`
// when, of NowNanoseconds().
//
// When the command has ended this process ends as it did. Returns, with an exit
// code, where it was refused or could not be run, which has been told then.
// Blocks for as long as the wait, a question and the command take.
int Run(Options options, const std::string& program, int64_t started);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_RUN_H_
