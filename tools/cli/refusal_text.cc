// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/refusal_text.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hooks/decision.h"
#include "hooks/hook_call.h"
#include "hooks/worktree_add.h"
#include "lock/lock_status.h"
#include "tools/cli/error_text.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/orchestr8.h"
#include "tools/cli/text.h"
#include "tools/cli/text_parts.h"

namespace o8lock {
namespace {

constexpr char kWait[] = "--wait=10m";

// " parallel execution is in progress (PID: 12)": or may be.
std::string HeldText(const LockStatus& found) {
  return absl::StrCat(" parallel execution ",
                      found.state == LockState::kHeld ? "is" : "may be",
                      " in progress (PID: ", PidText(found), ")");
}

// What a refusal by `found` begins with, in the specification's words.
std::string RefusedText(const LockStatus& found) {
  return absl::StrCat("Error: Another", HeldText(found), "\n",
                      Lines({StartedRow(found)}));
}

// What ends what a dead holder has left, as far as that keeps the lock.
std::string KillDescriptorHolders(const LockStatus& found) {
  std::string text = "kill";
  for (const DescriptorHolder& descriptor_holder : found.descriptor_holders) {
    absl::StrAppend(&text, " ", descriptor_holder.pid);
    // From what its command leaves behind the next run takes the lock.
    if (found.holder.has_value() &&
        descriptor_holder.pid == found.holder->command_pid) {
      break;
    }
  }
  return text;
}

// Everything else that is known of who is in the way; `unlock` frees the lock.
std::vector<Row> RefusalRows(const LockStatus& found, const Now& now,
                             const std::string& unlock) {
  std::vector<Row> rows = HolderRows(found, now);
  rows.emplace_back("Evidence", EvidenceText(found));
  for (Row& row : StrangerRows(found, unlock)) rows.push_back(std::move(row));
  if (!found.descriptor_holders.empty()) {
    rows.emplace_back("To end its surviving processes",
                      KillDescriptorHolders(found));
    if (found.holder.has_value() && !found.holder->surviving.empty()) {
      rows.emplace_back("To free the lock without ending them", unlock);
    }
  }
  rows.emplace_back(found.is_external ? "Lock file" : "Guard",
                    Printable(found.file));
  return rows;
}

// The start of `invocation` once more, of `command` with `options`. A start by
// something else becomes part of the run that these options make.
std::string StartAgain(const Invocation& invocation,
                       const std::vector<std::string>& options,
                       const std::vector<std::string>& command) {
  const bool whole = invocation.again.empty();
  std::vector<std::string> words;
  if (whole) words = invocation.description;
  words.insert(words.end(), options.begin(), options.end());
  words.emplace_back("--");
  const std::vector<std::string>& rest = whole ? command : invocation.again;
  words.insert(words.end(), rest.begin(), rest.end());
  return CommandLine(invocation.o8lock, words);
}

// How `invocation` overrides: an orchestr8 that knows --force is given that, in
// the specification's words.
std::string ForceCommand(const Invocation& invocation) {
  const std::vector<std::string> forced = ForcedCommand(invocation.command);
  if (forced.empty()) {
    return StartAgain(invocation, {"--force"}, invocation.command);
  }
  if (!invocation.again.empty()) {
    return CommandLine(invocation.again, {"--force"});
  }
  return StartAgain(invocation, {}, forced);
}

// The options that somebody has whom `found` is in the way.
std::string OptionsText(const LockStatus& found, const std::string& wait,
                        const std::string& status, absl::string_view last) {
  return absl::StrCat("\nOptions:\n  • ",
                      found.state == LockState::kHeld
                          ? absl::StrCat("Wait for it to complete: ", wait)
                          : "Check whether it is still running",
                      "\n  • Run: ", status, "\n  • ", last, "\n\n");
}

// What became of a worktree that was there already.
Row TakenBackRow(const TakenBack& taken) {
  std::string text = Printable(taken.worktree);
  if (!taken.removed) {
    return {"Kept", absl::StrCat(text, ": ", Printable(taken.problem))};
  }
  if (taken.branch_removed) {
    absl::StrAppend(&text, ", with its new branch ", Printable(taken.branch));
  } else if (!taken.problem.empty()) {
    absl::StrAppend(&text, ", but not its branch ", Printable(taken.branch),
                    ": ", Printable(taken.problem));
  }
  return {"Rolled back", text};
}

// The command of `add` as the user can give it again.
std::vector<std::string> AddCommand(const WorktreeAdd& add) {
  std::vector<std::string> words = add.command;
  // Where it is only a path to the git that is meant anyway.
  if (absl::EndsWith(words[0], "/git")) words[0] = "git";
  return Truncate(words);
}

}  // namespace

std::string RefusalText(const LockStatus& found, const Invocation& invocation,
                        const Now& now, bool color) {
  return absl::StrCat(
      RefusedText(found),
      OptionsText(found, StartAgain(invocation, {kWait}, invocation.command),
                  invocation.status_command.empty()
                      ? CommandLine(invocation.o8lock, {"status"})
                      : ShellQuoted(invocation.status_command),
                  absl::StrCat("Force override: ", ForceCommand(invocation))),
      Lines(RefusalRows(found, now, CommandLine(invocation.o8lock, {"unlock"})),
            color));
}

std::string TimedOutText(const LockStatus& found, const Invocation& invocation,
                         const Now& now, int64_t waited, bool color) {
  return absl::StrCat("o8lock: the other run is still in progress after ",
                      FormatDuration(waited), "\n",
                      RefusalText(found, invocation, now, color));
}

std::string AncestorText(const LockStatus& found) {
  return HintText(
      absl::StrCat("process ", PidText(found),
                   " started this process, so waiting for it would never end"));
}

std::string WorktreeRefusedText(const Refused& refused,
                                const std::string& program, bool to_a_person,
                                const Now& now, bool color) {
  std::vector<Row> rows =
      RefusalRows(refused.found, now, ShellQuoted({program, "unlock"}));
  if (refused.taken_back.has_value()) {
    rows.push_back(TakenBackRow(*refused.taken_back));
  }
  const std::vector<std::string> add = AddCommand(refused.add);
  return absl::StrCat(
      RefusedText(refused.found),
      "git worktree add refused: it would collide with that run.\n",
      OptionsText(
          refused.found, CommandLine({program, kWait, "--"}, add),
          ShellQuoted({program, "status"}),
          to_a_person
              ? absl::StrCat("Allow this worktree anyway: ", kAllowVariable,
                             "=1 ", ShellQuoted(add))
              : "Ask the user to allow it: see ENVIRONMENT in man o8lock"),
      Lines(rows, color));
}

}  // namespace o8lock
