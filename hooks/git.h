// SPDX-License-Identifier: Apache-2.0
//
// Running git for what only git can tell or do.
#ifndef O8LOCK_HOOKS_GIT_H_
#define O8LOCK_HOOKS_GIT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lock/location.h"
#include "lock/process.h"

namespace o8lock {

struct ProgramResult {
  int exit_code = 0;  // 128 + n when signal n ended it
  std::string out;
  std::string err;
};

// Runs `git ARGS...`, the git of PATH, in `directory`, with no standard input.
// What git's environment variables say of a repository is not handed on: the
// repository is the one of `directory`; O8LOCK_ALLOW neither.
// Errors: kNotFound  there is no git in PATH; kAborted  its exit code was lost:
// another part of this process has waited for it; others from starting it. That
// git itself fails is none.
// Blocks until git has ended; `give_up` as RunProgram's.
absl::StatusOr<ProgramResult> RunGit(const std::string& directory,
                                     const std::vector<std::string>& args,
                                     Ticks give_up = -1);

// The same for the repository `location`, from its home. It is named by its
// directory: git finds no bare repository with safe.bareRepository=explicit.
// `variables`, each "NAME=VALUE", are added to the environment.
absl::StatusOr<ProgramResult> RunGit(const Location& location,
                                     const std::vector<std::string>& args,
                                     std::vector<std::string> variables = {},
                                     Ticks give_up = -1);

// The same for any program: WORDS, the first being looked up in PATH. Kills it
// at `give_up`, of NowTicks() (negative: never).
// Errors: as above; kDeadlineExceeded  it was killed, and may be a zombie.
absl::StatusOr<ProgramResult> RunProgram(
    std::vector<std::string> words, std::vector<std::string> variables = {},
    Ticks give_up = -1);

// The standard output of a `git ARGS...` that has to succeed, without the
// newline at its end.
// `give_up` as RunProgram's.
// Errors: as above; kInternal  git failed; the text has the words that it says.
absl::StatusOr<std::string> AskGit(const std::string& directory,
                                   const std::vector<std::string>& args,
                                   Ticks give_up = -1);
absl::StatusOr<std::string> AskGit(const Location& location,
                                   const std::vector<std::string>& args,
                                   Ticks give_up = -1);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_GIT_H_
