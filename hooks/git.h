// SPDX-License-Identifier: Apache-2.0
//
// Runs git for the questions and changes only git can handle.
#ifndef O8LOCK_HOOKS_GIT_H_
#define O8LOCK_HOOKS_GIT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lock/location.h"
#include "lock/process.h"

namespace o8lock {

struct ProgramResult {
  int exit_code = 0;  // 128 + n if signal n ended it
  std::string out;
  std::string err;
};

// Runs `git ARGS...` with the git in PATH, in `directory`, without standard
// input.
// Removes O8LOCK_ALLOW and the variables naming a repository from git's
// environment: the repository is the one of `directory`. Blocks no signal in
// it.
// Errors:
//   kNotFound  There is no git in PATH.
//   kAborted   The exit code was lost: another part of this process has waited
//              for git.
//   others     git could not be started.
// A failing git is not an error: see `exit_code`.
// Blocks until git has ended. `give_up` is as in RunProgram.
absl::StatusOr<ProgramResult> RunGit(const std::string& directory,
                                     const std::vector<std::string>& args,
                                     Ticks give_up = -1);

// The same for the repository `location`, run in its home. Names the repository
// by its git directory: with safe.bareRepository=explicit git discovers no bare
// repository. Adds `variables`, each "NAME=VALUE", to the environment.
absl::StatusOr<ProgramResult> RunGit(const Location& location,
                                     const std::vector<std::string>& args,
                                     std::vector<std::string> variables = {},
                                     Ticks give_up = -1);

// The same for any program: runs WORDS and looks up the first one in PATH.
// Kills the program at `give_up`, in NowTicks() (negative: never).
// Errors: as above, and
//   kDeadlineExceeded  The program was killed. It may be a zombie.
absl::StatusOr<ProgramResult> RunProgram(
    std::vector<std::string> command, std::vector<std::string> variables = {},
    Ticks give_up = -1);

// Returns the standard output of `git ARGS...`, without the final newline.
// `give_up` is as in RunProgram.
// Errors: as above, and
//   kInternal  git failed. The text contains git's message and exit code.
absl::StatusOr<std::string> AskGit(const std::string& directory,
                                   const std::vector<std::string>& args,
                                   Ticks give_up = -1);
absl::StatusOr<std::string> AskGit(const Location& location,
                                   const std::vector<std::string>& args,
                                   Ticks give_up = -1);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_GIT_H_
