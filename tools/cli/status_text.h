// SPDX-License-Identifier: Apache-2.0
//
// Texts of `o8lock status` for people, and of `o8lock unlock`. Every text ends
// with a newline and is safe to show on a terminal.
#ifndef O8LOCK_TOOLS_CLI_STATUS_TEXT_H_
#define O8LOCK_TOOLS_CLI_STATUS_TEXT_H_

#include <string>

#include "lock/lock_status.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/report.h"

namespace o8lock {

// Returns the output of `o8lock status` (`color`: on a terminal).
std::string StatusText(const RepositoryReport& report, const Now& now,
                       bool color);

// Return the warning before `o8lock unlock` removes the lock of `found`, and
// its message afterwards.
std::string UnlockText(const LockStatus& found);
std::string UnlockedText(const LockStatus& found);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_STATUS_TEXT_H_
