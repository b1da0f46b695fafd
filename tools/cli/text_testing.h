// SPDX-License-Identifier: Apache-2.0
//
// What the tests of texts share: a lock as found, and texts from outside that
// would change the screen of a terminal.
#ifndef O8LOCK_TOOLS_CLI_TEXT_TESTING_H_
#define O8LOCK_TOOLS_CLI_TEXT_TESTING_H_

#include <string>

#include "hooks/worktrees.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/report.h"

namespace o8lock {

// 12m 4s after the start of the run in FindHeld().
inline constexpr Now kNow = {1772015400 + 724, 100000};

// A lock that a living process of this machine has.
LockStatus FindHeld();

// Its holder in texts, without the time.
inline constexpr char kHolderDetails[] =
    "Holder: ann@box\n"
    "Directory: /r\n"
    "Command: orchestr8 parallel feat-a feat-b\n"
    "Features: feat-a, feat-b\n";

// An escape sequence, a newline and a control character of 8 bits.
inline constexpr char kEvil[] = "\x1b[31mx\n\xc2\x9b";

// The same lock, a process and a worktree, each text of them kEvil.
LockStatus FindEvil();
RunProcess EvilProcess();
Worktree EvilWorktree();

// Expects kEvil in `text`, but escaped.
void ExpectPaintsNoTerminal(const std::string& text);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_TEXT_TESTING_H_
