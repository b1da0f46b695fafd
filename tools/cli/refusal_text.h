// SPDX-License-Identifier: Apache-2.0
//
// What o8lock says when it refuses a run or a worktree. Every text ends with a
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

// How o8lock was called, for the lines that can be pasted.
struct Invocation {
  std::vector<std::string> o8lock;       // the program and the lock's options
  std::vector<std::string> description;  // the options that describe the run
  std::vector<std::string> command;
  // What shows how such a run is going; empty: o8lock status.
  std::vector<std::string> status_command;
  // What starts a run like this one; empty: o8lock DESCRIPTION -- COMMAND.
  std::vector<std::string> again = {};
};

// A start was refused: `found` is held, or unknown. `color`, here and below:
// the names of the details in bold, for a terminal; the specification's lines
// stay as they are.
std::string RefusalText(const LockStatus& found, const Invocation& invocation,
                        const Now& now, bool color = false);

// It has waited for `waited` seconds, and the lock is held.
std::string TimedOutText(const LockStatus& found, const Invocation& invocation,
                         const Now& now, int64_t waited, bool color = false);

// The external run `found` has started this process, which was to wait for it.
std::string AncestorText(const LockStatus& found);

// A `git worktree add` was refused; `program` is how o8lock is called. The way
// around the refusal is for a person alone: agents paste every line.
std::string WorktreeRefusedText(const Refused& refused,
                                const std::string& program, bool to_a_person,
                                const Now& now, bool color = false);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_REFUSAL_TEXT_H_
