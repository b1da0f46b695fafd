// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/holder_text.h"

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/timestamp.h"
#include "tools/cli/text.h"
#include "tools/cli/text_parts.h"

namespace o8lock {
namespace {

// Returns a suffix for a run with a PID that has no meaning here.
absl::string_view ElsewhereText(const LockStatus& found) {
  return found.origin == Origin::kOtherNamespace ? ", in another PID namespace"
                                                 : "";
}

// Returns whether the living process of an external lock file is an o8lock: its
// run's guard is missing.
bool IsO8lock(const LockStatus& found) {
  return !found.stranger.empty() && BaseName(found.stranger[0]) == "o8lock";
}

std::string ProcessText(const LockStatus& found) {
  if (found.pid_reused && found.origin != Origin::kEarlierBoot) {
    return absl::StrCat("PID ", PidText(found),
                        " is now another process, started after the lock");
  }
  const std::string process = absl::StrCat("process ", PidText(found));
  switch (found.process.state) {
    case ProcessState::kRunning:
      return absl::StrCat(process, " is running");
    case ProcessState::kStopped:
      return absl::StrCat(process, " is stopped (Ctrl-Z or SIGSTOP)");
    case ProcessState::kZombie:
    case ProcessState::kGone:
      return absl::StrCat(process, " has ended");
    case ProcessState::kUnknown:
      break;
  }
  switch (found.origin) {
    case Origin::kOtherNamespace:
      return absl::StrCat(process,
                          " is in another PID namespace (container or host)");
    case Origin::kEarlierBoot:
      return "the machine has restarted since then";
    case Origin::kOtherHost:
      return absl::StrCat("it runs on another machine, ",
                          TruncatePrintable(found.holder->host),
                          ", and cannot be checked from here");
    case Origin::kUnknown:
      if (!found.is_external && found.state == LockState::kUnknown) {
        return absl::StrCat(
            "the lock may be older than the last restart, so PID ",
            PidText(found), " proves nothing");
      }
      break;
    case Origin::kHere:
      break;
  }
  return "";
}

// "process 124 (npm test) and 2 more hold it": `one` if it is one process,
// otherwise `more`.
std::string DescriptorHoldersText(
    const std::vector<DescriptorHolder>& descriptor_holders,
    absl::string_view one, absl::string_view more) {
  std::string text =
      absl::StrCat("process ", descriptor_holders[0].pid, " (",
                   ShellQuoted(Truncate(descriptor_holders[0].command)), ")");
  if (descriptor_holders.size() == 1) return absl::StrCat(text, " ", one);
  return absl::StrCat(text, " and ", descriptor_holders.size() - 1, " more ",
                      more);
}

}  // namespace

Now GetNow() { return {static_cast<int64_t>(time(nullptr)), NowTicks()}; }

std::string PidText(const LockStatus& found) {
  return found.holder.has_value() ? absl::StrCat(found.holder->pid) : "unknown";
}

std::string ProcessName(const LockStatus& found) {
  return found.holder.has_value() ? absl::StrCat("PID ", found.holder->pid)
                                  : "an unknown process";
}

std::optional<int64_t> AgeSeconds(const LockStatus& found, const Now& now) {
  const Holder& holder = *found.holder;
  if ((found.origin == Origin::kHere ||
       found.origin == Origin::kOtherNamespace) &&
      holder.acquired >= 0) {
    return (now.ticks - TicksOf(holder.acquired)) / kTicksPerSecond;
  }
  const std::optional<int64_t> since = ParseTime(holder.started_at);
  if (!since.has_value()) return std::nullopt;
  return now.unix_seconds - *since;
}

std::string EvidenceText(const LockStatus& found) {
  std::vector<std::string> facts;
  if (found.kernel_locked) {
    facts.push_back("the kernel lock is held");
    if (IsDead(found)) {
      facts.push_back(ProcessText(found));
      facts.push_back(found.descriptor_holders.empty()
                          ? "a process that it started still holds the lock"
                          : DescriptorHoldersText(found.descriptor_holders,
                                                  "still holds the lock",
                                                  "still hold the lock"));
      return absl::StrJoin(facts, ", ");
    }
    if (!found.descriptor_holders.empty()) {
      facts.push_back(DescriptorHoldersText(found.descriptor_holders,
                                            "holds the lock", "hold the lock"));
    }
  }
  if (!found.problem.empty()) facts.push_back(Printable(found.problem));
  if (found.holder.has_value()) {
    if (std::string process = ProcessText(found); !process.empty()) {
      facts.push_back(std::move(process));
    }
  }
  if (found.kernel_locked || found.state <= LockState::kStale) {
    return absl::StrJoin(facts, ", ");
  }
  if (!found.descriptor_holders.empty()) {
    facts.push_back(found.holder->surviving.empty()
                        ? DescriptorHoldersText(found.descriptor_holders,
                                                "is running", "are running")
                        : DescriptorHoldersText(found.descriptor_holders,
                                                "keeps the lock",
                                                "keep the lock"));
  }
  if (found.is_external) {
    if (found.state == LockState::kHeld) {
      facts.push_back(IsO8lock(found) ? "its guard is missing"
                                      : "not started by o8lock");
    }
  } else if (found.origin == Origin::kHere && found.holder->surviving.empty()) {
    facts.push_back(found.holder->overridden_by.has_value()
                        ? "its lock was overridden"
                        : "its kernel lock is not visible from here");
  }
  return absl::StrJoin(facts, ", ");
}

Row StartedRow(const LockStatus& found) {
  return {"Started at",
          found.holder.has_value() && !found.holder->started_at.empty()
              ? TruncatePrintable(found.holder->started_at)
              : "unknown"};
}

std::vector<Row> HolderRows(const LockStatus& found, const Now& now) {
  std::vector<Row> rows;
  if (!found.holder.has_value()) return rows;
  const Holder& holder = *found.holder;
  if (!holder.user.empty() || !holder.host.empty()) {
    rows.emplace_back(
        "Holder",
        absl::StrCat(TruncatePrintable(holder.user), "@",
                     TruncatePrintable(holder.host), ElsewhereText(found)));
  }
  if (!holder.cwd.empty()) {
    rows.emplace_back("Directory", TruncatePrintable(holder.cwd));
  }
  if (!holder.command.empty()) {
    rows.emplace_back("Command", ShellQuoted(Truncate(holder.command)));
  }
  if (!holder.features.empty()) {
    rows.emplace_back(
        "Features", Printable(absl::StrJoin(Truncate(holder.features), ", ")));
  }
  if (const auto age = AgeSeconds(found, now); age.has_value()) {
    rows.emplace_back(found.state == LockState::kHeld ? "Running for" : "Age",
                      FormatDuration(*age));
  }
  return rows;
}

std::vector<Row> UnverifiedRows(const LockStatus& found,
                                const std::string& unlock) {
  std::vector<Row> rows;
  if (found.state == LockState::kHeld && !found.stranger.empty()) {
    const std::string process = ShellQuoted(Truncate(found.stranger));
    if (IsO8lock(found)) return {{"Process", process}};
    rows.emplace_back("Process",
                      found.stranger[0].empty()
                          ? "its program is not visible from here"
                          : absl::StrCat(process,
                                         ", not orchestr8; a run in a "
                                         "container may have written the lock "
                                         "file"));
  } else if (found.state != LockState::kUnknown || !found.holder.has_value()) {
    return rows;
  }
  rows.emplace_back("If that run has ended", unlock);
  return rows;
}

std::string WhoText(const LockStatus& found) {
  std::string text = absl::StrCat(ProcessName(found), ElsewhereText(found));
  if (found.holder.has_value() && !found.holder->command.empty()) {
    absl::StrAppend(&text, " (", ShellQuoted(Truncate(found.holder->command)),
                    ")");
  }
  return text;
}

std::string OverrideText(const LockStatus& found, const Now& now, bool color) {
  std::vector<Row> rows = HolderRows(found, now);
  rows.insert(rows.begin(), StartedRow(found));
  if (found.is_external) {
    rows.emplace_back("Lock file",
                      absl::StrCat(Printable(found.file),
                                   ", will be removed for good; that run is "
                                   "not told"));
  }
  return absl::StrCat(
      Lines(rows, color),
      "\nWarning: Overriding existing lock (PID: ", PidText(found),
      ")\nThis may cause conflicts if another execution is still running.\n\n");
}

std::string StaleText(const LockStatus& found) {
  return absl::StrCat("Warning: Found stale lock file (PID ", PidText(found),
                      found.pid_reused
                          ? " is now another process, started after the lock"
                          : " not running",
                      ")\nRemoving stale lock and continuing...\n\n");
}

}  // namespace o8lock
