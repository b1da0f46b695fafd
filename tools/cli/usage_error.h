// SPDX-License-Identifier: Apache-2.0
//
// Errors in o8lock's command line, with what was probably meant.
#ifndef O8LOCK_TOOLS_CLI_USAGE_ERROR_H_
#define O8LOCK_TOOLS_CLI_USAGE_ERROR_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace o8lock {

// Neither is empty. What the user wrote stands in `problem` as it is, and in
// `hint` printable.
struct UsageError {
  std::string problem;
  std::string hint;
};

// An error that the help explains: of the verb `verb`, or, if that is empty,
// the program's.
UsageError SeeHelp(std::string problem, absl::string_view verb = "");

// `words` of the command line, behind `before` (the program with its options),
// begin neither with a verb nor with "--".
UsageError NoVerbNorDashes(std::vector<std::string> before,
                           const std::vector<std::string>& words);

// Behind `before`, which ends with "hooks", stands no verb of hooks, but
// `words`.
UsageError NoHooksVerb(const std::vector<std::string>& before,
                       const std::vector<std::string>& words);

// `name` is no verb that there is help for.
UsageError NoHelpFor(const std::string& name);

// Two options select a lock: the words `first` and `second`.
UsageError TwoLocks(const std::vector<std::string>& first,
                    const std::vector<std::string>& second);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_USAGE_ERROR_H_
