// SPDX-License-Identifier: Apache-2.0
//
// Asks the user before o8lock takes a lock from another run.
#ifndef O8LOCK_TOOLS_CLI_CONFIRM_H_
#define O8LOCK_TOOLS_CLI_CONFIRM_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "lock/lock_status.h"
#include "tools/cli/options.h"

namespace o8lock {

// Asks whether to continue after `warning`, on behalf of `asker`, an option or
// a command. Asks on the terminal. Without one, it reads an answer from
// standard input if that is a pipe, a socket or a file. `warning` is on
// standard error already; if standard error is not a terminal, it is shown
// again on the terminal.
//
// Returns nothing if the answer is yes. Otherwise prints the reason and returns
// the exit code of a conflict. Blocks until a terminal has answered; for
// standard input at most a second for each byte.
std::optional<int> AskToGoOn(absl::string_view warning, absl::string_view asker,
                             const Options& options);

// Returns whether `found` took the lock at or after `moment` (of
// NowNanoseconds()). An earlier --yes did not mean that holder.
bool IsSince(const LockStatus& found, int64_t moment);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_CONFIRM_H_
