// SPDX-License-Identifier: Apache-2.0
//
// Decides whether a run writes the lock file, and why.
#ifndef O8LOCK_TOOLS_CLI_PUBLISH_H_
#define O8LOCK_TOOLS_CLI_PUBLISH_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "lock/location.h"
#include "tools/cli/options.h"
#include "tools/cli/orchestr8.h"

namespace o8lock {

struct PublishDecision {
  bool publish = true;
  std::string reason;  // a clause for people, not printable: "it is set so"
  // Whether the command may start an orchestr8 with a lock file of its own.
  // Another lock file would stop such a command.
  bool starts_orchestr8 = false;
};

// What the user wants.
struct PublishChoice {
  Publish publish = Publish::kAuto;
  absl::string_view source;  // "--publish" or "o8lock.publish"
};

// Returns --publish, otherwise the repository's setting, otherwise kAuto.
// Errors: kInvalidArgument  the setting is not one of the three words.
absl::StatusOr<PublishChoice> ReadPublishChoice(const Options& options,
                                                const Location& location);

// Decides for `command` and the lock at `location`. `orchestr8` is set if the
// command is one; an empty `command` stands for any command without a name of
// orchestr8. With kAuto the lock file is written unless it would stop the
// command: an orchestr8 with a lock file of its own reads it, finds a live pid
// and refuses. A lock file of any other name is always written, because
// orchestr8 does not look for it.
// Reads files, as orchestr8_package.h and reach.h say.
PublishDecision DecideToPublish(
    const PublishChoice& choice, const std::vector<std::string>& command,
    const std::optional<Orchestr8Command>& orchestr8, const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_PUBLISH_H_
