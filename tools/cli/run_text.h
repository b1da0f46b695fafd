// SPDX-License-Identifier: Apache-2.0
//
// What o8lock says in the course of a run, from the wait for the lock to its
// release. Every text ends with a newline and is safe to show on a terminal.
#ifndef O8LOCK_TOOLS_CLI_RUN_TEXT_H_
#define O8LOCK_TOOLS_CLI_RUN_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "hooks/worktrees.h"
#include "lock/holder.h"
#include "lock/lock.h"
#include "lock/lock_status.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/report.h"

namespace o8lock {

// o8lock waits for `found`: what is told once, of the `first` holder or of one
// that came after it, and the line that is kept up to date on a terminal, which
// has no newline. `limit` is how long it waits at most.
std::string WaitingText(const LockStatus& found, std::optional<int64_t> limit,
                        bool first);
std::string WaitingLine(const LockStatus& found, const Now& now, int64_t waited,
                        std::optional<int64_t> limit);

// The orchestr8 subcommand of `command` runs without the lock.
std::string NoLockNeededText(const std::vector<std::string>& command);

// Whether the run writes the lock file, and why.
std::string PublishText(const std::string& lock_file, bool publish,
                        const std::string& reason);

// orchestr8 is going to ask a question that nobody will answer.
std::string NoAnswerText();

// A lock file was none.
std::string MalformedText(const Malformed& malformed);

// That git may show the lock file of `location`, which `why` keeps out of
// info/exclude; that there is no lock file, as its directory leads elsewhere.
std::string NotExcludedText(const Location& location, const absl::Status& why);
std::string OutsideText(const Location& location);

// This run's lock has been overridden.
std::string OverriddenText(const Overrider& by);

// Something happened to this run's lock, at `location`, that is no override.
std::string InterferenceText(const Interference& interference,
                             const Location& location);

// The command has ended, and these that it started have not: what is being done
// about it, or was. They are killed after `kill_after`.
enum class SurvivingProcessesAre {
  kKept,
  kNotKept,
  kReleased,
  kWaitedFor,
  kEnded,
  kStillThere
};
std::string SurvivingProcessesText(const std::vector<RunProcess>& leftovers,
                                   SurvivingProcessesAre state,
                                   absl::Duration kill_after);

// The lock file of the dead run `removed_lock_files` was removed when this one
// ended.
std::string RemovedLockFileText(const LockStatus& removed_lock_files);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_RUN_TEXT_H_
