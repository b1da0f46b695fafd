// SPDX-License-Identifier: Apache-2.0
//
// Which `git worktree add` a git hook is part of: told by the command lines of
// the git processes above it. What git hands to a hook does not tell: the first
// step of an add is the creation of a branch like any other, and texts that git
// leaves in files are translated.
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
  // When its process started; -1: unknown. That may have been a shell for long
  // before it became git. Hence, if it is about to make its branch: when the
  // process started that does it.
  Ticks started = -1;
  // The command of git that is under way: "worktree", or one that an add has
  // do a part of it: "branch", "update-ref", "symbolic-ref", "reset".
  std::string step;
  std::vector<std::string> command;  // its command line, as the kernel has it
  std::vector<std::string> words;    // GitWords() of that
};

// The `git worktree add` that a hook whose parent process is `pid` belongs to;
// nothing if it belongs to any other command of git's, even one that is run
// from inside an add, as by another hook.
// Reads /proc, for most commands two files. Thread-safe.
std::optional<WorktreeAdd> FindWorktreeAdd(int pid);

// The words of a command line of git after git's own options, the name of the
// command first: {"worktree", "add", "-b", "x", "../x"}. For its own use, and
// for tests.
std::vector<std::string> GitWords(const std::vector<std::string>& command);

// Whether the words begin a `git worktree add`; also where the first is
// misspelt as little as git itself corrects it.
bool IsWorktreeAdd(const std::vector<std::string>& words);

// The branch that the words of an add say it creates (-b); nothing if they say
// none, though the add may create one then as well.
std::optional<std::string> CreatedBranch(const std::vector<std::string>& words);

// The path that the words of an add say, and the commit or branch that it is to
// have; empty if they say none.
std::string AddedPath(const std::vector<std::string>& words);
std::string AddedCommit(const std::vector<std::string>& words);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_WORKTREE_ADD_H_
