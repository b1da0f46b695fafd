// SPDX-License-Identifier: Apache-2.0
//
// Shared by the tests of texts: a lock as found, and external texts that would
// change the screen of a terminal.
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

// Returns a lock held by a living process of this machine.
LockStatus FindHeld();

// Its holder in texts, without the time.
inline constexpr char kHolderDetails[] =
    "Holder: ann@box\n"
    "Directory: /r\n"
    "Command: orchestr8 parallel feat-a feat-b\n"
    "Features: feat-a, feat-b\n";

// An escape sequence, a newline and an 8-bit control character.
inline constexpr char kEvil[] = "\x1b[31mx\n\xc2\x9b";

// Return the same lock, a process and a worktree, each with kEvil as every
// text.
LockStatus FindEvil();
RunProcess EvilProcess();
Worktree EvilWorktree();

// Expects kEvil in `text`, but escaped.
void ExpectPaintsNoTerminal(const std::string& text);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_TEXT_TESTING_H_
