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

std::string StateText(const LeftWorktree& left) {
  const WorktreeState& state = left.state;
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
  if (left.worktree.is_gone) facts.emplace_back("its directory is gone");
  if (facts.empty()) facts.emplace_back("clean, no commits of its own");
  if (left.in_use) facts.emplace_back("in use");
  if (left.worktree.is_locked) facts.emplace_back("locked");
  return absl::StrJoin(facts, ", ");
}

// The line that removes those of `worktrees` with nothing to lose; empty
// without any.
std::string RemoveCommand(const std::vector<LeftWorktree>& worktrees) {
  std::vector<std::string> commands;
  std::vector<std::string> branches = {"git", "branch", "-d"};
  for (const LeftWorktree& left : worktrees) {
    if (HasWork(left.state) || left.in_use || left.worktree.is_locked) continue;
    if (commands.size() == kMaxRemoved) break;
    commands.push_back(
        ShellQuoted({"git", "worktree", "remove", left.worktree.path}));
    if (!left.worktree.branch.empty()) {
      branches.push_back(left.worktree.branch);
    }
  }
  if (branches.size() > 3) commands.push_back(ShellQuoted(branches));
  return absl::StrJoin(commands, " && ");
}

}  // namespace

std::string LeftWorktreeLine(const LeftWorktree& left) {
  return absl::StrCat(WorktreeLine(left.worktree), ": ", StateText(left));
}

std::vector<std::string> OrphanHints(
    const std::vector<LeftWorktree>& worktrees) {
  std::vector<std::string> hints;
  std::vector<RunProcess> agents;
  std::string branch;
  std::string look;
  for (const LeftWorktree& left : worktrees) {
    if (branch.empty()) branch = left.worktree.branch;
    if (look.empty() && HasWork(left.state)) look = left.worktree.path;
    agents.insert(agents.end(), left.agents.begin(), left.agents.end());
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
  if (!look.empty()) {
    hints.push_back(
        absl::StrCat("to see the work before you remove anything: ",
                     ShellQuoted({"git", "-C", look, "status", "--ignored"})));
  }
  if (const std::string remove = RemoveCommand(worktrees); !remove.empty()) {
    hints.push_back(absl::StrCat("to remove without loss: ", remove));
  }
  return hints;
}

std::string OrphansText(absl::string_view run,
                        const std::vector<RunProcess>& processes,
                        std::vector<LeftWorktree> worktrees) {
  std::string text;
  if (!processes.empty()) {
    // They are named here.
    for (LeftWorktree& left : worktrees) left.agents.clear();
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
                    ListText(worktrees, LeftWorktreeLine));
    for (const std::string& hint : OrphanHints(worktrees)) {
      absl::StrAppend(&text, HintText(hint));
    }
  }
  return text;
}

}  // namespace o8lock
