// SPDX-License-Identifier: Apache-2.0
//
// What o8lock says of the run that has a lock, or had it. The texts end with a
// newline; all of this is safe to show on a terminal.
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

// The moment at which something is told.
struct Now {
  int64_t unix_seconds;
  Ticks ticks;
};
Now GetNow();

// Its pid, or "unknown".
std::string PidText(const LockStatus& found);

// "PID 12 (npm test)", or "PID 12, in another PID namespace (npm test)".
std::string WhoText(const LockStatus& found);

// How long the run, which there is, has had the lock: by the boot clock where
// that is the same, which no change of the wall clock moves. Nothing if that
// cannot be told.
std::optional<int64_t> AgeSeconds(const LockStatus& found, const Now& now);

// How the state is known.
std::string EvidenceText(const LockStatus& found);

// When it began, and a row for each thing that is known of it besides.
Row StartedRow(const LockStatus& found);
std::vector<Row> HolderRows(const LockStatus& found, const Now& now);

// What is to be known where the process of an external run is no orchestr8, and
// the command `unlock`, which frees the lock. None where it is one.
std::vector<Row> StrangerRows(const LockStatus& found,
                              const std::string& unlock);

// The warning before `found` is overridden, and the question after that, which
// has no newline; `color` as that of Lines.
std::string OverrideText(const LockStatus& found, const Now& now,
                         bool color = false);
inline constexpr absl::string_view kPrompt = "Continue? [y/N] ";

// A dead run's lock was taken over.
std::string StaleText(const LockStatus& found);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_HOLDER_TEXT_H_
