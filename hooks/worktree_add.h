// SPDX-License-Identifier: Apache-2.0
//
// Determines the `git worktree add` that a git hook is part of, by the command
// lines of the git processes above it. git's input to a hook does not help: the
// first step of an add creates a branch like any other command. The texts git
// leaves in files do not help either: they are translated.
#ifndef O8LOCK_HOOKS_WORKTREE_ADD_H_
#define O8LOCK_HOOKS_WORKTREE_ADD_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "lock/process.h"

namespace o8lock {

// A running `git worktree add`.
struct WorktreeAdd {
  int pid = 0;
  // Start of its process; -1: unknown. That process may have been a shell long
  // before it became git. So while the add creates its branch, this is the
  // start of the process creating it.
  Ticks started = -1;
  // The current command of git: "worktree", or a command run by the add as one
  // of its steps: "branch", "update-ref", "symbolic-ref", "reset".
  std::string step;
  std::vector<std::string> command;    // its command line, from the kernel
  std::vector<std::string> arguments;  // GitArguments() of `command`
};

// Returns the `git worktree add` that a hook with the parent process `pid`
// belongs to. Returns nothing if the hook belongs to another git command, even
// to one started inside an add, for example by another hook.
// Reads /proc; for most commands two files. Thread-safe.
std::optional<WorktreeAdd> FindWorktreeAdd(int pid);

// The arguments of a git command line after git's own options, starting with
// the name of the command: {"worktree", "add", "-b", "x", "../x"}. Public for
// tests.
std::vector<std::string> GitArguments(const std::vector<std::string>& command);

// Whether the arguments begin a `git worktree add`. Accepts small misspellings
// of "worktree", which git may correct.
bool IsWorktreeAdd(const std::vector<std::string>& arguments);

// The branch created by an add according to its arguments (-b). Without -b
// returns nothing, although the add may still create a branch.
std::optional<std::string> CreatedBranch(
    const std::vector<std::string>& arguments);

// The path in the arguments of an add, and the commit or branch to check out.
// Empty if the arguments contain no such value.
std::string AddedPath(const std::vector<std::string>& arguments);
std::string AddedCommit(const std::vector<std::string>& arguments);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_WORKTREE_ADD_H_
