// SPDX-License-Identifier: Apache-2.0
//
// Asking the user before a lock is taken from somebody.
#ifndef O8LOCK_TOOLS_CLI_CONFIRM_H_
#define O8LOCK_TOOLS_CLI_CONFIRM_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "lock/lock_status.h"
#include "tools/cli/options.h"

namespace o8lock {

// Asks whether to go on after `warning`, for `asker`, an option or a command:
// on the terminal or, without one, on standard input, where that is a pipe or a
// file with an answer in it. `warning` stands on standard error already; it is
// shown once more if that is not the terminal that is asked on.
//
// Returns nothing if the answer is yes. Otherwise tells why not and returns the
// exit code, that of a conflict. Blocks until a terminal has answered; for
// standard input a second for each byte.
std::optional<int> AskToGoOn(absl::string_view warning, absl::string_view asker,
                             const Options& options);

// Whether `found` has had the lock since `moment`, of NowNanoseconds(), or
// later: who has said --yes before did not mean that.
bool IsSince(const LockStatus& found, int64_t moment);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_CONFIRM_H_
