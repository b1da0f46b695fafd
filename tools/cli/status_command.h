// SPDX-License-Identifier: Apache-2.0
//
// `o8lock status`.
#ifndef O8LOCK_TOOLS_CLI_STATUS_COMMAND_H_
#define O8LOCK_TOOLS_CLI_STATUS_COMMAND_H_

#include "tools/cli/options.h"

namespace o8lock {

// Prints the holder of the lock of `options`, for people or as JSON. Changes
// nothing. Returns the exit code: that of a conflict if the lock is unknown, or
// held by a run other than this process's own.
int StatusCommand(const Options& options);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_STATUS_COMMAND_H_
