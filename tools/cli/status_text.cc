// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/status_text.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/waiters.h"
#include "tools/cli/caller.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/orphans_text.h"
#include "tools/cli/report.h"
#include "tools/cli/text.h"
#include "tools/cli/text_parts.h"

namespace o8lock {
namespace {

// Returns the first line of a status: the state and the holder.
std::string StateText(const LockStatus& found) {
  switch (found.state) {
    case LockState::kFree:
      break;
    case LockState::kStale:
      return found.holder.has_value()
                 ? absl::StrCat(
                       "free (stale: PID ", PidText(found),
                       found.pid_reused
                           ? " is now another process, started after the lock)"
                           : " is not running)")
                 : "free (stale: the lock file is malformed)";
    case LockState::kUnknown:
      return absl::StrCat("unknown (PID: ", PidText(found), ")");
    case LockState::kHeld:
      return absl::StrCat("held (PID: ", PidText(found), ")",
                          found.own ? " by this run" : "");
  }
  return "free";
}

std::string UnlockCommand(const LockReport& lock) {
  if (lock.name == "parallel") return OwnCommand("unlock");
  return CommandLine(
      OwnArguments(),
      lock.name.empty()
          ? std::vector<std::string>{"--lock-file", lock.location.lock_file,
                                     "unlock"}
          : std::vector<std::string>{"--name", lock.name, "unlock"});
}

// Returns `text` with its first word in the colour of the state.
std::string Colored(const std::string& text, LockState state) {
  constexpr absl::string_view kColors[] = {"32", "33", "33", "31"};
  const size_t word = std::min(text.find(' '), text.size());
  return absl::StrCat("\x1b[", kColors[static_cast<int>(state)], "m",
                      text.substr(0, word), "\x1b[0m", text.substr(word));
}

// Returns the path of the lock file, or why the current run does not write it.
std::string LockFileText(const LockReport& lock) {
  const Location& location = lock.location;
  if (lock.lock_file.empty()) {
    return absl::StrCat("not written: ", LeadsOutText(location));
  }
  std::string text = Printable(lock.lock_file);
  if (lock.found.holder.has_value() &&
      lock.found.holder->unpublished.has_value()) {
    // Any existing file is then an orchestr8's.
    absl::StrAppend(&text,
                    lock.lock_file == location.lock_file
                        ? ", not written: "
                        : ", not written by o8lock: ",
                    Printable(*lock.found.holder->unpublished));
  }
  return text;
}

std::string WaiterLine(const Waiter& waiter, const Now& now) {
  return absl::StrCat(
      "for ", FormatDuration((now.ticks - waiter.since) / kTicksPerSecond),
      ": ", ProcessLine({waiter.pid, waiter.command, waiter.directory}),
      waiter.is_visible ? "" : " (another user or PID namespace)");
}

// Lists the other locks, free ones last.
std::string OtherLocksText(std::vector<LockReport> others, bool color) {
  std::stable_partition(others.begin(), others.end(),
                        [](const LockReport& other) {
                          return other.found.state != LockState::kFree;
                        });
  return absl::StrCat("Other locks: ", others.size(), "\n",
                      ListText(others, [color](const LockReport& other) {
                        const std::string state = StateText(other.found);
                        return absl::StrCat(
                            Printable(other.name), ": ",
                            color ? Colored(state, other.found.state) : state);
                      }));
}

}  // namespace

std::string StatusText(const RepositoryReport& report, const Now& now,
                       bool color) {
  const LockStatus& found = report.lock.found;
  std::string text = StateText(found);
  if (color) text = Colored(text, found.state);
  text += "\n";
  std::vector<Row> rows = HolderRows(found, now);
  if (found.holder.has_value()) rows.insert(rows.begin(), StartedRow(found));
  if (std::string evidence = EvidenceText(found); !evidence.empty()) {
    rows.emplace_back("Evidence", std::move(evidence));
  }
  for (const Holder& run : report.lock.overridden) {
    rows.emplace_back(
        "Overridden run",
        absl::StrCat("PID ", run.pid, " (", ShellQuoted(Truncate(run.command)),
                     "), may still be running"));
  }
  for (Row& row : UnverifiedRows(found, UnlockCommand(report.lock))) {
    rows.push_back(std::move(row));
  }
  rows.emplace_back("Lock file", LockFileText(report.lock));
  rows.emplace_back("Guard", Printable(report.lock.location.guard));
  absl::StrAppend(&text, Lines(rows, color));
  if (!report.lock.processes.empty()) {
    absl::StrAppend(&text, "Processes: ", report.lock.processes.size(), "\n",
                    ListText(report.lock.processes, ProcessLine));
  }
  // An ended run's worktrees are among the worktrees of ended runs below.
  if (!report.lock.worktrees.empty() && found.state == LockState::kHeld &&
      found.holder->surviving.empty()) {
    absl::StrAppend(&text,
                    "Worktrees of the run: ", report.lock.worktrees.size(),
                    "\n", ListText(report.lock.worktrees, WorktreeLine));
  }
  if (!report.lock.orphans.empty()) {
    absl::StrAppend(&text, "Orphaned worktrees: ", report.lock.orphans.size(),
                    "\n", ListText(report.lock.orphans, OrphanLine));
    for (const std::string& hint : OrphanHints(report.lock.orphans)) {
      absl::StrAppend(&text, "  ", hint, "\n");
    }
  }
  if (!report.lock.waiters.empty()) {
    absl::StrAppend(&text, "Waiting: ", report.lock.waiters.size(), "\n",
                    ListText(report.lock.waiters, [&now](const Waiter& waiter) {
                      return WaiterLine(waiter, now);
                    }));
  }
  if (!report.others.empty()) {
    absl::StrAppend(&text, OtherLocksText(report.others, color));
  }
  return text;
}

std::string UnlockText(const LockStatus& found) {
  absl::string_view effect =
      "This may cause conflicts if it is still running.\n";
  if (found.state == LockState::kHeld) {
    effect =
        !found.holder.has_value()
            ? "The processes with the lock keep running, and the next run "
              "starts beside them.\n"
        : !IsDead(found)
            ? "That process keeps running, and the next run starts beside "
              "it.\n"
        : found.descriptor_holders.size() == 1
            ? "That process has ended; its surviving process keeps running, "
              "and the next run starts beside it.\n"
            : "That process has ended; its surviving processes keep running, "
              "and the next run starts beside them.\n";
  }
  return absl::StrCat("\nWarning: Removing the lock of ", ProcessName(found),
                      "\n", effect);
}

std::string UnlockedText(const LockStatus& found) {
  if (found.state == LockState::kStale) return "o8lock: stale lock removed\n";
  if (!found.holder.has_value()) return "o8lock: lock removed\n";
  return absl::StrCat("o8lock: lock removed; ", ProcessName(found),
                      " no longer holds it\n");
}

}  // namespace o8lock
