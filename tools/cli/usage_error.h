// SPDX-License-Identifier: Apache-2.0
//
// Errors in o8lock's command line, with the probable correction.
#ifndef O8LOCK_TOOLS_CLI_USAGE_ERROR_H_
#define O8LOCK_TOOLS_CLI_USAGE_ERROR_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace o8lock {

// Neither text is empty. `hint` is printable; `problem` may quote the user's
// bytes.
struct UsageError {
  std::string problem;
  std::string hint;
};

// Returns `problem`, with a hint to the help of `verb`, or of the program if
// `verb` is empty.
UsageError SeeHelp(std::string problem, absl::string_view verb = "");

// `arguments`, after `before` (the program with its options), begin neither
// with a verb nor with "--".
UsageError NoVerbNorDashes(std::vector<std::string> before,
                           const std::vector<std::string>& arguments);

// `arguments` follow `before`, the arguments up to "hooks", and are not one of
// its verbs.
UsageError NoHooksVerb(const std::vector<std::string>& before,
                       const std::vector<std::string>& arguments);

// There is no help for `name`.
UsageError NoHelpFor(const std::string& name);

// Two options select a lock: the arguments `first` and `second`.
UsageError TwoLocks(const std::vector<std::string>& first,
                    const std::vector<std::string>& second);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_USAGE_ERROR_H_
