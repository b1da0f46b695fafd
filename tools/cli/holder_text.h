// SPDX-License-Identifier: Apache-2.0
//
// Texts about the current or former holder of a lock. The texts end with a
// newline; everything here is safe to show on a terminal.
#ifndef O8LOCK_TOOLS_CLI_HOLDER_TEXT_H_
#define O8LOCK_TOOLS_CLI_HOLDER_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "tools/cli/text_parts.h"

namespace o8lock {

// The time at which a text is printed.
struct Now {
  int64_t unix_seconds;
  Ticks ticks;
};
Now GetNow();

// Returns the holder's pid, or "unknown".
std::string PidText(const LockStatus& found);

// Returns "PID 12", or "an unknown process".
std::string ProcessName(const LockStatus& found);

// Returns "PID 12 (npm test)", or "PID 12, in another PID namespace (npm
// test)".
std::string WhoText(const LockStatus& found);

// Returns how long the run has had the lock. `found` must have a holder. Uses
// the boot clock if this boot is the same, since changes of the wall clock do
// not move it. Returns nothing if the start is unknown.
std::optional<int64_t> AgeSeconds(const LockStatus& found, const Now& now);

// Returns the evidence for the state.
std::string EvidenceText(const LockStatus& found);

// Returns the start time, and a row for each other known detail.
Row StartedRow(const LockStatus& found);
std::vector<Row> HolderRows(const LockStatus& found, const Now& now);

// Returns rows for a run that may have ended: an unknown one, or an external
// one if its process is not an orchestr8. They include the command `unlock` to
// remove the lock. Empty for all other runs and for an unreadable file.
std::vector<Row> UnverifiedRows(const LockStatus& found,
                                const std::string& unlock);

// Returns the warning before `found` is overridden. kPrompt is the question
// after it, without a newline. `color` is as in Lines.
std::string OverrideText(const LockStatus& found, const Now& now,
                         bool color = false);
inline constexpr absl::string_view kPrompt = "Continue? [y/N] ";

// A dead run's lock was taken over.
std::string StaleText(const LockStatus& found);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_HOLDER_TEXT_H_
