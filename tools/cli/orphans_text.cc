// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/orphans_text.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "hooks/worktrees.h"
#include "tools/cli/error_text.h"
#include "tools/cli/report.h"
#include "tools/cli/text.h"
#include "tools/cli/text_parts.h"

namespace o8lock {
namespace {

// A line to paste has to fit the terminal.
constexpr size_t kMaxRemoved = 5;

bool HasWork(const WorktreeState& state) {
  return !state.problem.empty() || state.uncommitted_files > 0 ||
         state.ignored_files > 0 || state.own_commits > 0;
}

std::string StateText(const OrphanReport& orphan) {
  const WorktreeState& state = orphan.state;
  if (!state.problem.empty()) return Printable(state.problem);
  std::vector<std::string> facts;
  if (state.uncommitted_files > 0) {
    facts.push_back(Count(state.uncommitted_files, "uncommitted file",
                          "uncommitted files"));
  }
  if (state.ignored_files > 0) {
    facts.push_back(
        Count(state.ignored_files, "ignored file", "ignored files"));
  }
  if (state.own_commits > 0) {
    facts.push_back(Count(state.own_commits, "commit found nowhere else",
                          "commits found nowhere else"));
  }
  if (orphan.worktree.is_gone) facts.emplace_back("its directory is gone");
  if (facts.empty()) facts.emplace_back("clean, no commits of its own");
  if (orphan.in_use) facts.emplace_back("in use");
  if (orphan.worktree.is_locked) facts.emplace_back("locked");
  return absl::StrJoin(facts, ", ");
}

// Returns the command to remove those of `worktrees` with nothing to lose.
// Empty if there are no such worktrees.
std::string RemoveCommand(const std::vector<OrphanReport>& worktrees) {
  std::vector<std::string> commands;
  std::vector<std::string> branches = {"git", "branch", "-d"};
  for (const OrphanReport& orphan : worktrees) {
    if (HasWork(orphan.state) || orphan.in_use || orphan.worktree.is_locked) {
      continue;
    }
    if (commands.size() == kMaxRemoved) break;
    commands.push_back(
        ShellQuoted({"git", "worktree", "remove", orphan.worktree.path}));
    if (!orphan.worktree.branch.empty()) {
      branches.push_back(orphan.worktree.branch);
    }
  }
  if (branches.size() > 3) commands.push_back(ShellQuoted(branches));
  return absl::StrJoin(commands, " && ");
}

}  // namespace

std::string OrphanLine(const OrphanReport& orphan) {
  return absl::StrCat(WorktreeLine(orphan.worktree), ": ", StateText(orphan));
}

std::vector<std::string> OrphanHints(
    const std::vector<OrphanReport>& worktrees) {
  std::vector<std::string> hints;
  std::vector<RunProcess> agents;
  std::string branch;
  std::string path_with_work;
  for (const OrphanReport& orphan : worktrees) {
    if (branch.empty()) branch = orphan.worktree.branch;
    if (path_with_work.empty() && HasWork(orphan.state)) {
      path_with_work = orphan.worktree.path;
    }
    agents.insert(agents.end(), orphan.agents.begin(), orphan.agents.end());
  }
  if (!branch.empty()) {
    hints.push_back(
        absl::StrCat("a run with the same features fails: a branch named '",
                     Printable(branch), "' already exists"));
  }
  if (!agents.empty()) {
    hints.push_back(
        absl::StrCat("to end the processes of that run in these worktrees: ",
                     KillCommand(agents)));
  }
  if (!path_with_work.empty()) {
    hints.push_back(absl::StrCat(
        "to see the work before you remove anything: ",
        ShellQuoted({"git", "-C", path_with_work, "status", "--ignored"})));
  }
  if (const std::string remove = RemoveCommand(worktrees); !remove.empty()) {
    hints.push_back(absl::StrCat("to remove without loss: ", remove));
  }
  return hints;
}

std::string OrphansText(absl::string_view run,
                        const std::vector<RunProcess>& processes,
                        std::vector<OrphanReport> worktrees) {
  std::string text;
  if (!processes.empty()) {
    // This text already lists them.
    for (OrphanReport& orphan : worktrees) orphan.agents.clear();
    absl::StrAppend(
        &text, "o8lock: warning: ",
        Count(processes.size(), "process of ", "processes of "), run,
        processes.size() == 1 ? " is" : " are", " still running:\n",
        ListText(processes, ProcessLine), "o8lock: hint: to end ",
        processes.size() == 1 ? "it: " : "them: ", KillCommand(processes),
        "\n");
  }
  if (!worktrees.empty()) {
    absl::StrAppend(&text, "o8lock: warning: ", run, " left ",
                    Count(worktrees.size(), "orphaned worktree:\n",
                          "orphaned worktrees:\n"),
                    ListText(worktrees, OrphanLine));
    for (const std::string& hint : OrphanHints(worktrees)) {
      absl::StrAppend(&text, HintText(hint));
    }
  }
  return text;
}

}  // namespace o8lock
