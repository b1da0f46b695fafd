// SPDX-License-Identifier: Apache-2.0
//
// Texts in the course of a run, from the wait for the lock to its release.
// Every text ends with a newline and is safe to show on a terminal.
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

// o8lock waits for `found`. WaitingText is printed once for the `first` holder
// and once for each later one. WaitingLine is the line a terminal keeps up to
// date; it has no newline. `limit` is the maximum wait in seconds.
std::string WaitingText(const LockStatus& found, std::optional<int64_t> limit,
                        bool first);
std::string WaitingLine(const LockStatus& found, const Now& now, int64_t waited,
                        std::optional<int64_t> limit);

// The orchestr8 subcommand of `command` runs without the lock.
std::string NoLockNeededText(const std::vector<std::string>& command);

// Whether the run writes the lock file, and why.
std::string PublishText(const std::string& lock_file, bool publish,
                        const std::string& reason);

// orchestr8 will ask a question, and standard input cannot answer it.
std::string NoAnswerText();

// A lock file was malformed.
std::string MalformedText(const Malformed& malformed);

// NotExcludedText: git may show the lock file of `location`, because `why`
// keeps it out of info/exclude. OutsideText: there is no lock file, because its
// directory leads elsewhere.
std::string NotExcludedText(const Location& location, const absl::Status& why);
std::string OutsideText(const Location& location);

// This run's lock has been overridden.
std::string OverriddenText(const Overrider& by);

// Something other than an override happened to this run's lock, at `location`.
std::string InterferenceText(const Interference& interference,
                             const Location& location);

// The command has exited and the processes in `processes` are still running.
// `state` is the treatment they get or got. kEnded kills them after
// `kill_after`.
enum class SurvivingProcessesAre {
  kKept,
  kNotKept,
  kReleased,
  kWaitedFor,
  kEnded,
  kStillThere
};
std::string SurvivingProcessesText(const std::vector<RunProcess>& processes,
                                   SurvivingProcessesAre state,
                                   absl::Duration kill_after);

// The lock file of the dead run `removed_lock_file` was removed at the end of
// this run.
std::string RemovedLockFileText(const LockStatus& removed_lock_file);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_RUN_TEXT_H_
