// SPDX-License-Identifier: Apache-2.0
//
// The verbs of o8lock's command line, in the place of "-- COMMAND".
#ifndef O8LOCK_TOOLS_CLI_VERBS_H_
#define O8LOCK_TOOLS_CLI_VERBS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace o8lock {

enum class Action {
  kRun,
  kStatus,
  kUnlock,
  kDoctor,
  kHooksInstall,
  kHooksUninstall,
  kHooksStatus,
  kHooksRun,
  kHelp,
  kVersion
};

struct Verb {
  absl::string_view name;  // "status", "hooks install"
  Action action;
  absl::string_view help;  // the text of --help; fits a screen of 80 by 24
};

// Returns the verb `name`, or null.
const Verb* FindVerb(absl::string_view name);

// Returns the verb closest to the mistyped beginning of `arguments`. Null if
// every verb is too different, or if the next argument is not an option: then
// it is a command.
const Verb* GuessVerb(const std::vector<std::string>& arguments);

// The text of `o8lock --help`. Fits the same screen.
absl::string_view HelpText();

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_VERBS_H_
