// SPDX-License-Identifier: Apache-2.0
//
// What o8lock says. Every text ends with a newline, but for the prompt, and is
// safe to show on a terminal.
#ifndef O8LOCK_TOOLS_CLI_MESSAGES_H_
#define O8LOCK_TOOLS_CLI_MESSAGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hooks/decision.h"
#include "hooks/installation.h"
#include "hooks/worktrees.h"
#include "lock/inspection.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/process.h"
#include "tools/cli/survey.h"

namespace o8lock {

// The moment at which something is told.
struct Now {
  int64_t unix_seconds;
  Ticks ticks;
};
Now GetNow();

// How o8lock was called, for the lines that can be pasted.
struct Invocation {
  std::vector<std::string> o8lock;       // the program and the lock's options
  std::vector<std::string> description;  // the options that describe the run
  std::vector<std::string> command;
  // What shows how such a run is going; empty: o8lock status.
  std::vector<std::string> status_command;
};

// A start was refused: `found` is held, or unknown.
std::string RefusalText(const Inspection& found, const Invocation& invocation,
                        const Now& now);

// The warning before `found` is overridden, and the question after that.
std::string OverrideText(const Inspection& found, const Now& now);
inline constexpr absl::string_view kPrompt = "Continue? [y/N] ";

// A dead run's lock was taken over.
std::string StaleText(const Inspection& found);

// A lock file was none.
std::string MalformedText(const Malformed& malformed);

// What the dead run `found` has left: worktrees, and processes that still run.
// Empty if neither.
std::string LeftBehindText(const std::vector<RunProcess>& processes,
                           const std::vector<Worktree>& worktrees);

// This run's lock has been overridden, by whom if that is known.
std::string OverriddenText(const std::optional<Overrider>& by);

// Something happened to this run's lock, `lock_file`, that is no override.
std::string DisturbedText(const Disturbance& disturbance,
                          const std::string& lock_file);

// The lock file of the dead run `swept` was removed when this one ended.
std::string SweptText(const Inspection& swept);

// o8lock waits for `found`: what is told once, of the `first` holder or of one
// that came after it, and the line that is kept up to date on a terminal.
// `limit` is how long it waits at most.
std::string WaitingText(const Inspection& found, std::optional<int64_t> limit,
                        bool first);
std::string WaitingLine(const Inspection& found, const Now& now, int64_t waited,
                        std::optional<int64_t> limit);

// The external run `found` has started this process, which was to wait for it.
std::string AncestorText(const Inspection& found);

// It has waited for `waited` seconds, and the lock is held.
std::string TimedOutText(const Inspection& found, const Invocation& invocation,
                         const Now& now, int64_t waited);

// The command has ended, and these that it started have not: what is being done
// about it, or was.
enum class LeftoversAre { kReleased, kWaitedFor, kEnded, kStillThere };
std::string LeftoversText(const std::vector<RunProcess>& leftovers,
                          LeftoversAre state);

// The orchestr8 subcommand of `command` runs without the lock.
std::string NoLockNeededText(const std::vector<std::string>& command);

// orchestr8 is going to ask a question that nobody will answer.
std::string NoAnswerText();

// What `o8lock status` prints, for people (`color`: on a terminal) and for
// programs.
std::string StatusText(const Survey& survey, const Now& now, bool color);
std::string StatusJson(const Survey& survey, const Now& now);

// The warning before `o8lock unlock` takes the lock of `found` away, and what
// it says afterwards.
std::string UnlockText(const Inspection& found);
std::string UnlockedText(const Inspection& found);

// A `git worktree add` was refused; `program` is how o8lock is called.
std::string WorktreeRefusedText(const Refused& refused,
                                const std::string& program, const Now& now);
// The line of that which tells it from other errors.
inline constexpr absl::string_view kWorktreeRefused =
    "git worktree add refused: it would collide with that run.\n";

// How a command of git gets past the hooks, for when they cannot tell.
std::string HookHint();

// What `o8lock hooks install` and `o8lock hooks status` print; hook managers
// are to call `program`.
std::string HooksInstalledText(const HooksState& state,
                               const std::string& program);
std::string HooksStatusText(const HooksState& state,
                            const std::string& program);
std::string HooksStatusJson(const HooksState& state);

// "o8lock: error: PROBLEM" and, unless it is empty, "o8lock: hint: HINT".
std::string ErrorText(absl::string_view problem, absl::string_view hint);
std::string HintText(absl::string_view hint);

// What to do about an error of Locate or of Lock::Acquire that is not about a
// holder.
absl::string_view LockHint(const absl::Status& error);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_MESSAGES_H_
