// SPDX-License-Identifier: Apache-2.0
//
// Texts of o8lock's refusals of a run or a worktree. Every text ends with a
// newline and is safe to show on a terminal.
#ifndef O8LOCK_TOOLS_CLI_REFUSAL_TEXT_H_
#define O8LOCK_TOOLS_CLI_REFUSAL_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hooks/decision.h"
#include "lock/lock_status.h"
#include "tools/cli/holder_text.h"

namespace o8lock {

// The call of o8lock, for the lines to paste.
struct Invocation {
  std::vector<std::string> o8lock;       // the program and the lock's options
  std::vector<std::string> description;  // the options that describe the run
  std::vector<std::string> command;
  // The command to show the progress of such a run. Empty: o8lock status.
  std::vector<std::string> status_command;
  // The command to start a run like this one. Empty: o8lock DESCRIPTION --
  // COMMAND.
  std::vector<std::string> again = {};
};

// A start was refused: `found` is held, or unknown. With `color`, here and
// below, the names of the details are bold, for a terminal. The specification's
// lines stay unchanged. `by_ancestor`: the run started this process, so the
// text advises against a wait.
std::string RefusalText(const LockStatus& found, const Invocation& invocation,
                        const Now& now, bool color = false,
                        bool by_ancestor = false);

// It has waited for `waited` seconds, and the lock is held.
std::string TimedOutText(const LockStatus& found, const Invocation& invocation,
                         const Now& now, int64_t waited, bool color = false);

// A `git worktree add` was refused. `program` is the command to start o8lock.
// Only a person gets the bypass for the refusal: agents paste every line.
std::string WorktreeRefusedText(const Refused& refused,
                                const std::string& program, bool to_a_person,
                                const Now& now, bool color = false);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_REFUSAL_TEXT_H_
