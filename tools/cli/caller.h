// SPDX-License-Identifier: Apache-2.0
//
// The command that starts o8lock, for the lines to paste. Not thread-safe.
#ifndef O8LOCK_TOOLS_CLI_CALLER_H_
#define O8LOCK_TOOLS_CLI_CALLER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace o8lock {

// Reads two environment variables and removes them, so that no command inherits
// them. The scripts of tools/defs.bzl set them. Call this once, before the
// functions below.
//   O8LOCK_BAZEL_PROGRAM  the label of o8lock itself
//   O8LOCK_BAZEL_TARGET   for an o8lock_run: the number of arguments after
//                         `--`, a space, and its label
void ReadCaller();

// Returns the arguments that start o8lock, as the user can type them: `bazel
// run LABEL --` under Bazel, otherwise `program`.
std::vector<std::string> OwnArguments(const std::string& program = "o8lock");

// Returns OwnArguments() as text, followed by `arguments`. They must need no
// quotes.
std::string OwnCommand(absl::string_view arguments);

// Returns `bazel run LABEL -- ARG...` for the o8lock_run that runs `command`.
// Empty if there is no such target.
std::vector<std::string> BazelRunAgain(const std::vector<std::string>& command);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_CALLER_H_
