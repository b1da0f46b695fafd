// SPDX-License-Identifier: Apache-2.0
//
// What `o8lock status` says to people, and `o8lock unlock`. Every text e
// nds with a newline and is safe to show on a terminal.
#ifndef O8LOCK_TOOLS_CLI_STATUS_TEXT_H_
#define O8LOCK_TOOLS_CLI_STATUS_TEXT_H_

#include <string>

#include "lock/lock_status.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/report.h"

namespace o8lock {

// What `o8lock status` prints (`color`: on a terminal).
std::string StatusText(const RepositoryReport& report, const Now& now,
                       bool color);

// The warning before `o8lock unlock` takes the lock of `found` away, and what
// it says afterwards.
std::string UnlockText(const LockStatus& found);
std::string UnlockedText(const LockStatus& found);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_STATUS_TEXT_H_
