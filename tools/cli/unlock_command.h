// SPDX-License-Identifier: Apache-2.0
//
// `o8lock unlock`.
#ifndef O8LOCK_TOOLS_CLI_UNLOCK_COMMAND_H_
#define O8LOCK_TOOLS_CLI_UNLOCK_COMMAND_H_

#include <cstdint>

#include "tools/cli/options.h"

namespace o8lock {

// Takes the lock of `options` away from whoever has it, and gives it up. A run
// that may be alive is asked about first, unless the options say --yes.
// `started`, of NowNanoseconds(), is when o8lock was called: what has had the
// lock since then is not what was meant.
// Returns the exit code.
int UnlockCommand(const Options& options, int64_t started);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_UNLOCK_COMMAND_H_
