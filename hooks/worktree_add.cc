// SPDX-License-Identifier: Apache-2.0
#include "hooks/worktree_add.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/edit_distance.h"
#include "lock/file.h"
#include "lock/process.h"

namespace o8lock {
namespace {

// A hook manager and its shells may run between git and its hook.
constexpr int kMaxBetween = 8;

// The greatest accepted distance of a name from "worktree". git's own
// correction accepts more, but such names are no longer recognisable.
constexpr size_t kMaxMisspelt = 2;

bool IsGit(int pid) {
  const std::string program = ProgramOf(pid);
  // A package that wraps git moves the original to "git.distrib", or to
  // ".git-wrapped".
  return program == "git" || absl::StartsWith(program, "git-") ||
         absl::StartsWith(program, "git.") ||
         absl::StartsWith(program, ".git-");
}

// The relevant arguments of an add.
struct WorktreeAddArguments {
  std::optional<std::string> branch;  // -b
  std::string path;
  std::string commit;
};

WorktreeAddArguments ParseWorktreeAdd(
    const std::vector<std::string>& arguments) {
  WorktreeAddArguments result;
  bool options = true;
  for (size_t i = 2; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (options && (argument == "--" || argument == "--end-of-options")) {
      options = false;
    } else if (options && absl::StartsWith(argument, "--")) {
      // Of the long options only --reason has a value; it may be abbreviated.
      if (absl::StartsWith("--reason", argument)) ++i;
    } else if (options && argument.size() > 1 && argument[0] == '-') {
      const size_t letter = argument.find_first_of("bB", 1);
      if (letter == std::string::npos) continue;
      std::string name = argument.substr(letter + 1);
      if (name.empty() && i + 1 < arguments.size()) name = arguments[++i];
      if (argument[letter] == 'b') result.branch = std::move(name);
    } else if (result.path.empty()) {
      result.path = argument;
    } else if (result.commit.empty()) {
      result.commit = argument;
    }
  }
  return result;
}

}  // namespace

std::vector<std::string> GitArguments(const std::vector<std::string>& command) {
  if (command.empty()) return {};
  std::vector<std::string> arguments;
  size_t i = 1;
  absl::string_view program = command[0];
  program = BaseName(program);
  if (absl::ConsumePrefix(&program, "git-")) {
    arguments.emplace_back(program);
  } else {
    for (; i < command.size() && absl::StartsWith(command[i], "-"); ++i) {
      constexpr absl::string_view kWithValue[] = {"-C",
                                                  "-c",
                                                  "--git-dir",
                                                  "--work-tree",
                                                  "--namespace",
                                                  "--super-prefix",
                                                  "--config-env",
                                                  "--attr-source",
                                                  "--shallow-file"};
      if (absl::c_linear_search(kWithValue, command[i])) ++i;
    }
  }
  if (i < command.size()) {
    arguments.insert(arguments.end(),
                     command.begin() + static_cast<ptrdiff_t>(i),
                     command.end());
  }
  return arguments;
}

bool IsWorktreeAdd(const std::vector<std::string>& arguments) {
  return arguments.size() >= 2 && arguments[1] == "add" &&
         EditDistance(arguments[0], "worktree") <= kMaxMisspelt;
}

std::optional<std::string> CreatedBranch(
    const std::vector<std::string>& arguments) {
  return ParseWorktreeAdd(arguments).branch;
}

std::string AddedPath(const std::vector<std::string>& arguments) {
  return ParseWorktreeAdd(arguments).path;
}

std::string AddedCommit(const std::vector<std::string>& arguments) {
  return ParseWorktreeAdd(arguments).commit;
}

std::optional<WorktreeAdd> FindWorktreeAdd(int pid) {
  for (int i = 0; !IsGit(pid); ++i) {
    pid = ParentProcess(pid);
    if (pid == 0 || i == kMaxBetween) return std::nullopt;
  }
  std::vector<std::string> command = CommandOf(pid);
  std::vector<std::string> arguments = GitArguments(command);
  int process = pid;
  std::string step = "worktree";
  if (!IsWorktreeAdd(arguments)) {
    // Commands run by an add as its steps. Looks no further up: hooks and tools
    // started by an add may run any git command.
    constexpr absl::string_view kSteps[] = {"branch", "update-ref",
                                            "symbolic-ref", "reset"};
    if (arguments.empty() || !absl::c_linear_search(kSteps, arguments[0])) {
      return std::nullopt;
    }
    step = arguments[0];
    pid = ParentProcess(pid);
    if (pid == 0 || !IsGit(pid)) return std::nullopt;
    command = CommandOf(pid);
    arguments = GitArguments(command);
    if (!IsWorktreeAdd(arguments)) return std::nullopt;
  }
  if (step != "branch") process = pid;
  return WorktreeAdd{pid, GetProcess(process).started, std::move(step),
                     std::move(command), std::move(arguments)};
}

}  // namespace o8lock
