// SPDX-License-Identifier: Apache-2.0
//
// The verbs of o8lock's command line, which stand in a command's place.
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
  absl::string_view help;  // what --help prints; fits a screen of 80 by 24
};

// The verb `name`; null if there is none.
const Verb* FindVerb(absl::string_view name);

// The verb that somebody may have mistyped at the beginning of `words`, which
// begin with no verb; null if none is near enough, or if other words than
// options follow, as they do a command.
const Verb* GuessVerb(const std::vector<std::string>& words);

// What `o8lock --help` prints; fits the same screen.
absl::string_view HelpText();

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_VERBS_H_
