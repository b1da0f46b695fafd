// SPDX-License-Identifier: Apache-2.0
//
// Decides whether a run writes the lock file, and why.
#ifndef O8LOCK_TOOLS_CLI_PUBLISH_H_
#define O8LOCK_TOOLS_CLI_PUBLISH_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lock/location.h"
#include "tools/cli/options.h"
#include "tools/cli/orchestr8.h"

namespace o8lock {

struct PublishDecision {
  bool publish = true;
  std::string reason;  // a clause for people, not printable: "it is set so"
  // Whether the command may start an orchestr8 with a lock file of its own,
  // and so would be stopped by another one.
  bool starts_orchestr8 = false;
};

// Decides for the command of `options`, which is `orchestr8` if it is one, and
// the lock at `location`: as --publish says, otherwise the repository's
// setting. With `auto` the lock file is written unless it would stop the
// command: an orchestr8 with a lock file of its own reads it, finds a live pid
// and refuses. With another name it is always written: orchestr8 does not look
// for it. Errors: kInvalidArgument  the setting is not one of the three words.
// Reads files, as orchestr8_package.h and reach.h say.
absl::StatusOr<PublishDecision> DecideToPublish(
    const Options& options, const std::optional<Orchestr8Command>& orchestr8,
    const Location& location);

// The decision for `auto`. An empty `command` stands for any without a name of
// orchestr8.
PublishDecision DecideByItself(const std::vector<std::string>& command,
                               const std::optional<Orchestr8Command>& orchestr8,
                               const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_PUBLISH_H_
