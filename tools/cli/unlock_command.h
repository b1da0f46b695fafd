// SPDX-License-Identifier: Apache-2.0
//
// `o8lock unlock`.
#ifndef O8LOCK_TOOLS_CLI_UNLOCK_COMMAND_H_
#define O8LOCK_TOOLS_CLI_UNLOCK_COMMAND_H_

#include <cstdint>

#include "tools/cli/options.h"

namespace o8lock {

// Removes the lock of `options` from its current holder. Asks first if that run
// may be alive, unless the options say --yes. `started`, of NowNanoseconds(),
// is the time of o8lock's start: a later holder was not meant.
// Returns the exit code.
int UnlockCommand(const Options& options, int64_t started);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_UNLOCK_COMMAND_H_
