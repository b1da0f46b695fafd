// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/orphans_text.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
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

// The maximum numbers of worktrees with work and of their commits to show.
constexpr size_t kMaxWithWork = 5;
constexpr int kMaxCommits = 10;

bool HasWork(const WorktreeState& state) {
  return !state.problem.empty() || state.uncommitted_files > 0 ||
         state.ignored_files > 0 || state.own_commits > 0 ||
         state.past_commits > 0;
}

std::string StateText(const OrphanReport& orphan) {
  const WorktreeState& state = orphan.state;
  if (!state.problem.empty()) {
    return absl::StrCat("state unknown: ", Printable(state.problem));
  }
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
    facts.push_back(Count(state.own_commits, "commit that exists only here",
                          "commits that exist only here"));
  }
  if (state.past_commits > 0) {
    facts.push_back(Count(state.past_commits, "commit that only its reflog has",
                          "commits that only its reflog has"));
  }
  if (orphan.worktree.is_gone) facts.emplace_back("its directory is gone");
  if (facts.empty()) facts.emplace_back("clean, every commit exists elsewhere");
  if (orphan.in_use) facts.emplace_back("in use");
  if (orphan.worktree.is_locked) facts.emplace_back("locked");
  return absl::StrJoin(facts, ", ");
}

// Appends the commands to see the work in `orphan` to `hints`. An unknown state
// may be files or commits.
void AppendWorkHints(const OrphanReport& orphan,
                     std::vector<std::string>& hints) {
  const WorktreeState& state = orphan.state;
  const Worktree& worktree = orphan.worktree;
  const bool is_unknown = !state.problem.empty();
  if (!worktree.is_gone &&
      (is_unknown || state.uncommitted_files > 0 || state.ignored_files > 0)) {
    hints.push_back(absl::StrCat(
        "to see the files: ",
        ShellQuoted({"git", "-C", worktree.path, "status", "--ignored"})));
  }
  if (!worktree.is_gone && state.past_commits > 0) {
    hints.push_back(
        absl::StrCat("to see the commits of its reflog: ",
                     ShellQuoted({"git", "-C", worktree.path, "reflog"})));
  }
  if (!is_unknown && state.own_commits == 0) return;
  const std::string number = absl::StrCat(
      "-", is_unknown ? kMaxCommits : std::min(state.own_commits, kMaxCommits));
  std::vector<std::string> log;
  if (!worktree.branch.empty()) {
    // Also after the end of the worktree. A file may have the branch's name.
    log = {"git", "log", number, worktree.branch, "--"};
  } else if (!worktree.is_gone) {
    log = {"git", "-C", worktree.path, "log", number};
  } else {
    return;
  }
  hints.push_back(absl::StrCat("to see the commits: ", ShellQuoted(log)));
}

// Returns the hint to remove those of `worktrees` with nothing to lose, either
// with or without a directory. Empty if there are no such worktrees.
std::string RemoveHint(const std::vector<OrphanReport>& worktrees,
                       bool is_gone) {
  std::vector<std::string> commands;
  bool is_all = true;
  std::vector<std::string> branches = {"git", "branch", "-d"};
  for (const OrphanReport& orphan : worktrees) {
    if (orphan.worktree.is_gone != is_gone || HasWork(orphan.state) ||
        orphan.in_use || orphan.worktree.is_locked) {
      continue;
    }
    if (commands.size() == kMaxRemoved) {
      is_all = false;
      break;
    }
    commands.push_back(
        ShellQuoted({"git", "worktree", "remove", orphan.worktree.path}));
    if (!orphan.worktree.branch.empty()) {
      branches.push_back(orphan.worktree.branch);
    }
  }
  if (commands.empty()) return "";
  const std::string which =
      !is_all ? absl::StrCat("the first ", kMaxRemoved, " clean ones: ")
      : commands.size() == 1 ? "the clean one: "
                             : "the clean ones: ";
  if (branches.size() > 3) commands.push_back(ShellQuoted(branches));
  return absl::StrCat("to remove ", which, absl::StrJoin(commands, " && "));
}

}  // namespace

std::string OrphanLine(const OrphanReport& orphan) {
  return absl::StrCat(WorktreeLine(orphan.worktree), ": ", StateText(orphan));
}

std::vector<std::string> OrphanHints(
    const std::vector<OrphanReport>& worktrees) {
  std::vector<std::string> hints;
  std::vector<RunProcess> agents;
  std::vector<std::string> work;
  size_t with_work = 0;
  std::string branch;
  for (const OrphanReport& orphan : worktrees) {
    if (branch.empty()) branch = orphan.worktree.branch;
    if (HasWork(orphan.state) && ++with_work <= kMaxWithWork) {
      AppendWorkHints(orphan, work);
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
        absl::StrCat("to end processes of their runs in these worktrees: ",
                     KillCommand(agents)));
  }
  absl::c_move(work, std::back_inserter(hints));
  if (std::string remove = RemoveHint(worktrees, false); !remove.empty()) {
    hints.push_back(std::move(remove));
  }
  // Removing a moved worktree would lose its index.
  if (const std::string remove = RemoveHint(worktrees, true); !remove.empty()) {
    hints.emplace_back(
        "if a missing directory was moved: git worktree repair NEW-PATH");
    hints.push_back(absl::StrCat("if it was deleted, ", remove));
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
