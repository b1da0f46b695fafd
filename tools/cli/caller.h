// SPDX-License-Identifier: Apache-2.0
//
// How the user starts o8lock, for the lines to paste. Not thread-safe.
#ifndef O8LOCK_TOOLS_CLI_CALLER_H_
#define O8LOCK_TOOLS_CLI_CALLER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace o8lock {

// Reads two variables of the environment and removes them: no command may
// inherit them. The scripts of tools/defs.bzl set them. Call this first, once.
//   O8LOCK_BAZEL_PROGRAM  the label of o8lock itself
//   O8LOCK_BAZEL_TARGET   for an o8lock_run: the number of arguments behind
//                         `--`, a space, and its label
void ReadCaller();

// o8lock as the user can type it: `bazel run LABEL --`; without Bazel
// `program`.
std::vector<std::string> OwnWords(const std::string& program = "o8lock");

// The same as text, followed by `arguments`, which need no quotes.
std::string OwnCommand(absl::string_view arguments);

// `bazel run LABEL -- ARG...` for the o8lock_run that runs `command`; empty:
// there is no such target.
std::vector<std::string> BazelRunAgain(const std::vector<std::string>& command);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_CALLER_H_
