// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/refusal_text.h"

#include <algorithm>
#include <cstddef>
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

// The maximum size in bytes of a git command in a line to paste.
constexpr size_t kMaxAdd = 400;

// Returns " parallel execution is in progress (PID: 12)", or "may be".
std::string HeldText(const LockStatus& found) {
  return absl::StrCat(" parallel execution ",
                      found.state == LockState::kHeld ? "is" : "may be",
                      " in progress (PID: ", PidText(found), ")");
}

// Returns the beginning of a refusal by `found`, in the specification's words.
std::string RefusedText(const LockStatus& found) {
  return absl::StrCat("Error: Another", HeldText(found), "\n",
                      Lines({StartedRow(found)}));
}

// Returns rows to end a dead holder's surviving processes, or to remove the
// lock with `unlock`. Empty without a record: a living o8lock and its command
// may then be among the descriptor holders.
std::vector<Row> SurvivorRows(const LockStatus& found,
                              const std::string& unlock) {
  if (found.descriptor_holders.empty() || !found.holder.has_value() ||
      !IsDead(found)) {
    return {};
  }
  std::string kill = "kill";
  size_t count = 0;
  for (const DescriptorHolder& descriptor_holder : found.descriptor_holders) {
    absl::StrAppend(&kill, " ", descriptor_holder.pid);
    ++count;
    // The next run takes the lock from surviving processes of the command.
    if (descriptor_holder.pid == found.holder->command_pid) break;
  }
  const bool is_one = count == 1;
  std::vector<Row> rows = {{is_one ? "To end its surviving process"
                                   : "To end its surviving processes",
                            std::move(kill)}};
  if (!found.holder->surviving.empty()) {
    rows.emplace_back(is_one ? "To remove the lock without ending it"
                             : "To remove the lock without ending them",
                      unlock);
  }
  return rows;
}

// Returns all other details of the holder. `unlock` removes the lock.
std::vector<Row> RefusalRows(const LockStatus& found, const Now& now,
                             const std::string& unlock) {
  std::vector<Row> rows = HolderRows(found, now);
  rows.emplace_back("Evidence", EvidenceText(found));
  for (Row& row : UnverifiedRows(found, unlock)) rows.push_back(std::move(row));
  for (Row& row : SurvivorRows(found, unlock)) rows.push_back(std::move(row));
  rows.emplace_back(found.is_external ? "Lock file" : "Guard",
                    Printable(found.file));
  return rows;
}

// Returns the command line to start `invocation` again, with `command` and
// `options`. A start by another program becomes part of the run with these
// options.
std::string StartAgain(const Invocation& invocation,
                       const std::vector<std::string>& options,
                       const std::vector<std::string>& command) {
  const bool whole = invocation.again.empty();
  std::vector<std::string> arguments;
  if (whole) arguments = invocation.description;
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.emplace_back("--");
  const std::vector<std::string>& rest = whole ? command : invocation.again;
  arguments.insert(arguments.end(), rest.begin(), rest.end());
  return CommandLine(invocation.o8lock, arguments);
}

// Returns the command line for `invocation` to override the lock. An orchestr8
// that supports --force gets that option, in the specification's words.
std::string ForceCommand(const Invocation& invocation) {
  const std::vector<std::string>& command = invocation.command;
  const std::vector<std::string>& again = invocation.again;
  const std::vector<std::string> forced = ForcedCommand(command);
  if (forced.empty()) return StartAgain(invocation, {"--force"}, command);
  if (again.empty()) return StartAgain(invocation, {}, forced);
  // The user can change only the arguments after "--". If the others contain a
  // --yes, it would answer the question.
  const auto args = std::find(again.begin(), again.end(), "--") + 1;
  const auto fixed =
      static_cast<std::ptrdiff_t>(command.size()) - (again.end() - args);
  if (std::mismatch(command.begin(), command.begin() + fixed, forced.begin(),
                    forced.end())
          .first != command.begin() + fixed) {
    return StartAgain(invocation, {"--force"}, command);
  }
  return CommandLine({again.begin(), args},
                     {forced.begin() + fixed, forced.end()});
}

// Returns the user's options while `found` is in the way. Without `wait`, the
// first one has no command.
std::string OptionsText(const LockStatus& found, const std::string& wait,
                        const std::string& status, absl::string_view last) {
  return absl::StrCat("\nOptions:\n  • ",
                      found.state == LockState::kHeld
                          ? absl::StrCat("Wait for it to complete",
                                         wait.empty() ? "" : ": ", wait)
                          : "Check whether it is still running",
                      "\n  • Run: ", status, "\n  • ", last, "\n\n");
}

// Returns the result for a worktree that existed already.
Row RolledBackRow(const RolledBack& rolled_back) {
  std::string text = Printable(rolled_back.worktree);
  if (!rolled_back.removed) {
    return {"Kept", absl::StrCat(text, ", although refused: ",
                                 Printable(rolled_back.problem))};
  }
  if (rolled_back.branch_removed) {
    absl::StrAppend(&text, ", with its new branch ",
                    Printable(rolled_back.branch));
  } else if (!rolled_back.problem.empty()) {
    absl::StrAppend(&text, ", but not its branch ",
                    Printable(rolled_back.branch), ": ",
                    Printable(rolled_back.problem));
  }
  return {"Rolled back", text};
}

// Returns the command of `add` as the user can type it.
std::vector<std::string> AddCommand(const WorktreeAdd& add) {
  std::vector<std::string> arguments = add.command;
  // Such a path normally leads to the same git.
  if (absl::EndsWith(arguments[0], "/git")) arguments[0] = "git";
  return arguments;
}

// Returns whether git's `command` names the repository: the user may be in
// another one.
bool NamesRepository(const std::vector<std::string>& command) {
  return std::any_of(
      command.begin(), std::find(command.begin(), command.end(), "worktree"),
      [](const std::string& argument) {
        return argument == "-C" || absl::StartsWith(argument, "--git-dir") ||
               absl::StartsWith(argument, "--work-tree");
      });
}

// Returns the command line of `program` with `arguments` for the lock of
// `refused`.
std::string InRepository(const Refused& refused, const std::string& program,
                         const std::vector<std::string>& arguments) {
  const std::string line = CommandLine({program}, arguments);
  return NamesRepository(refused.add.command)
             ? absl::StrCat("(", ShellQuoted({"cd", refused.home}), " && ",
                            line, ")")
             : line;
}

// Returns the command line to wait for the lock of `refused`, then to add.
std::string WaitAndAdd(const Refused& refused, const std::string& program,
                       const std::vector<std::string>& add) {
  return NamesRepository(refused.add.command)
             ? absl::StrCat(
                   InRepository(refused, program, {kWait, "--", "true"}),
                   " && ", ShellQuoted(add))
             : CommandLine({program, kWait, "--"}, add);
}

// Returns the user's options after the refusal of `refused`. A truncated line
// would be another command when pasted, so a long command is not repeated.
std::string AddOptionsText(const Refused& refused, const std::string& program,
                           bool to_a_person) {
  const std::vector<std::string> add = AddCommand(refused.add);
  const bool is_long = ShellQuoted(add).size() > kMaxAdd;
  const std::string allow = absl::StrCat(kAllowVariable, "=1");
  return OptionsText(
      refused.found,
      is_long ? absl::StrCat("put ", CommandLine({program, kWait, "--"}, {}),
                             " before the same git command")
              : WaitAndAdd(refused, program, add),
      InRepository(refused, program, {"status"}),
      !to_a_person ? "Only a person may allow it: see ENVIRONMENT in man o8lock"
      : is_long    ? absl::StrCat("Allow this worktree anyway: set ", allow,
                                  " for the same git command")
                   : absl::StrCat("Allow this worktree anyway: ", allow, " ",
                                  ShellQuoted(add)));
}

}  // namespace

std::string RefusalText(const LockStatus& found, const Invocation& invocation,
                        const Now& now, bool color, bool by_ancestor) {
  return absl::StrCat(
      RefusedText(found),
      OptionsText(found,
                  by_ancestor
                      ? ""
                      : StartAgain(invocation, {kWait}, invocation.command),
                  invocation.status_command.empty()
                      ? CommandLine(invocation.o8lock, {"status"})
                      : ShellQuoted(invocation.status_command),
                  absl::StrCat("Force override: ", ForceCommand(invocation))),
      Lines(RefusalRows(found, now, CommandLine(invocation.o8lock, {"unlock"})),
            color),
      by_ancestor ? HintText(absl::StrCat("do not wait: ", ProcessName(found),
                                          " started this process, so it cannot "
                                          "complete first"))
                  : "");
}

std::string TimedOutText(const LockStatus& found, const Invocation& invocation,
                         const Now& now, int64_t waited, bool color) {
  return absl::StrCat("o8lock: waited ", FormatDuration(waited),
                      "; the other run is still in progress\n",
                      RefusalText(found, invocation, now, color));
}

std::string WorktreeRefusedText(const Refused& refused,
                                const std::string& program, bool to_a_person,
                                const Now& now, bool color) {
  std::vector<Row> rows = RefusalRows(
      refused.found, now, InRepository(refused, program, {"unlock"}));
  if (refused.rolled_back.has_value()) {
    rows.push_back(RolledBackRow(*refused.rolled_back));
  }
  return absl::StrCat(
      RefusedText(refused.found), "git worktree add refused: it ",
      refused.found.state == LockState::kHeld ? "would" : "could",
      " collide with that run.\n",
      AddOptionsText(refused, program, to_a_person), Lines(rows, color));
}

}  // namespace o8lock
