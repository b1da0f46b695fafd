// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/run_text.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "hooks/worktrees.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/lock_status.h"
#include "tools/cli/caller.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/report.h"
#include "tools/cli/text.h"
#include "tools/cli/text_parts.h"

namespace o8lock {
namespace {

// Only a short time may have a fraction: "500ms", "1m 30s".
std::string KillAfterText(absl::Duration kill_after) {
  return kill_after < absl::Minutes(1)
             ? absl::FormatDuration(kill_after)
             : FormatDuration(absl::ToInt64Seconds(kill_after));
}

}  // namespace

std::string WaitingText(const LockStatus& found, std::optional<int64_t> limit,
                        bool first) {
  return absl::StrCat("o8lock: ", first ? "" : "now ", "waiting for ",
                      WhoText(found),
                      first && limit.has_value()
                          ? absl::StrCat(", up to ", FormatDuration(*limit))
                          : "",
                      "\n");
}

std::string WaitingLine(const LockStatus& found, const Now& now, int64_t waited,
                        std::optional<int64_t> limit) {
  std::string text = absl::StrCat(
      "o8lock: waiting ", FormatDuration(waited),
      limit.has_value() ? absl::StrCat(" of ", FormatDuration(*limit)) : "",
      " for ", WhoText(found));
  if (found.holder.has_value()) {
    if (const auto age = AgeSeconds(found, now); age.has_value()) {
      absl::StrAppend(&text, ", running for ", FormatDuration(*age));
    }
  }
  return text;
}

std::string NoLockNeededText(const std::vector<std::string>& command) {
  return absl::StrCat(
      "o8lock: running without the lock, because this subcommand does not need "
      "it: ",
      ShellQuoted(Truncate(command)), "\n");
}

std::string PublishText(const std::string& lock_file, bool publish,
                        const std::string& reason) {
  return absl::StrCat("o8lock: lock file ",
                      publish ? "written: " : "not written: ",
                      Printable(lock_file), " (", Printable(reason), ")\n");
}

std::string NoAnswerText() {
  return "o8lock: warning: orchestr8 asks for confirmation, but standard input "
         "is not a terminal\no8lock: hint: add --yes to the orchestr8 command; "
         "without an answer it does nothing and exits with 0\n";
}

std::string MalformedText(const Malformed& malformed) {
  return absl::StrCat("o8lock: warning: '", Printable(malformed.path),
                      "' was a malformed lock file (",
                      Printable(malformed.problem), "); o8lock moved it to '",
                      Printable(malformed.kept_as), "'\n");
}

std::string NotExcludedText(const Location& location, const absl::Status& why) {
  return absl::StrCat(
      "o8lock: warning: git may show the lock file as a change: ",
      Printable(why.message()), "\no8lock: hint: add to .gitignore: ",
      Printable(location.lock_file.substr(location.main_worktree.size())),
      "\n");
}

std::string OutsideText(const Location& location) {
  return absl::StrCat(
      "o8lock: warning: no lock file is written: ", LeadsOutText(location),
      "\no8lock: hint: other o8lock runs are still refused; to let runs "
      "without o8lock see this one, make '",
      Printable(ParentOf(location.lock_file)), "' a directory\n");
}

std::string OverriddenText(const Overrider& by) {
  return absl::StrCat("o8lock: warning: this run's lock was overridden at ",
                      Printable(by.at), " by ", Printable(by.user), "@",
                      Printable(by.host), " (PID ", by.pid,
                      "); the command keeps running without the lock\n");
}

std::string InterferenceText(const Interference& interference,
                             const Location& location) {
  const std::string guard = absl::StrCat("'", Printable(location.guard), "'");
  const std::string file =
      absl::StrCat("'", Printable(location.lock_file), "'");
  if (interference.guard_lost) {
    return absl::StrCat(
        "o8lock: warning: ", guard,
        " was removed during the run, and another run created it again\n"
        "o8lock: hint: both runs are in progress; see: ",
        OwnCommand("status"), "\n");
  }
  if (interference.vanished || interference.guard_vanished) {
    return absl::StrCat(
        "o8lock: warning: ", interference.guard_vanished ? guard : file,
        " was removed during the run; o8lock restored it\n");
  }
  const LockStatus& replaced = *interference.replaced;
  const std::string head = absl::StrCat("o8lock: warning: ", file,
                                        " was replaced during the run by ");
  constexpr absl::string_view kLeft = "; o8lock leaves it in place\n";
  if (!replaced.holder.has_value()) {
    return absl::StrCat(head,
                        replaced.state == LockState::kUnknown
                            ? "a file that cannot be read"
                            : "a malformed lock file",
                        kLeft);
  }
  const std::string pid = absl::StrCat("PID ", replaced.holder->pid);
  return absl::StrCat(
      head, "the lock file of ", pid, kLeft, "o8lock: hint: ",
      replaced.state == LockState::kHeld
          ? absl::StrCat(pid,
                         " is a run without o8lock, in progress beside "
                         "this run; ")
          : "",
      "see: ", OwnCommand("status"), "\n");
}

std::string SurvivingProcessesText(const std::vector<RunProcess>& processes,
                                   SurvivingProcessesAre state,
                                   absl::Duration kill_after) {
  std::string text =
      absl::StrCat("o8lock: warning: the command exited; ",
                   Count(processes.size(), "process it started is",
                         "processes it started are"),
                   " still running:\n", ListText(processes, ProcessLine));
  const bool is_one = processes.size() == 1;
  switch (state) {
    case SurvivingProcessesAre::kKept:
      absl::StrAppend(
          &text, "o8lock: hint: the lock is kept until ",
          is_one ? "it ends; to end it: " : "they end; to end them: ",
          KillCommand(processes),
          "\no8lock: hint: to remove the lock without ending ",
          is_one ? "it: " : "them: ", OwnCommand("unlock"), "\n");
      break;
    case SurvivingProcessesAre::kNotKept:
      absl::StrAppend(&text, "o8lock: hint: ", is_one ? "it does" : "they do",
                      " not keep the lock\n");
      break;
    case SurvivingProcessesAre::kReleased:
      absl::StrAppend(&text,
                      "o8lock: hint: the lock is released; next time, "
                      "--leftovers=wait waits for such processes, "
                      "--leftovers=kill ends them\n");
      break;
    case SurvivingProcessesAre::kWaitedFor:
      absl::StrAppend(&text, "o8lock: hint: the lock is kept until ",
                      is_one ? "it ends" : "they end",
                      "; press Ctrl-C to release the lock\n");
      break;
    case SurvivingProcessesAre::kEnded:
      absl::StrAppend(&text, "o8lock: hint: SIGTERM is sent to ",
                      is_one ? "it" : "them", "; SIGKILL follows after ",
                      KillAfterText(kill_after), "\n");
      break;
    case SurvivingProcessesAre::kStillThere:
      absl::StrAppend(&text, "o8lock: hint: the lock is released\n");
      break;
  }
  return text;
}

std::string RemovedLockFileText(const LockStatus& removed_lock_file) {
  return absl::StrCat(
      "o8lock: warning: removed '", Printable(removed_lock_file.file),
      "', the stale lock file of ", ProcessName(removed_lock_file), "\n");
}

}  // namespace o8lock
