// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/publish.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "lock/file.h"
#include "lock/location.h"
#include "tools/cli/options.h"
#include "tools/cli/orchestr8.h"
#include "tools/cli/orchestr8_package.h"
#include "tools/cli/reach.h"

namespace o8lock {
namespace {

// Returns the topmost directory for an orchestr8 installed in the repository.
// This is the main worktree, even for a linked worktree inside it; otherwise
// the worktree. Outside a repository it is only the current directory.
std::string TopOf(const Location& location) {
  std::string here = Canonical(".").value_or("");
  // The user's lock file may be outside the repository.
  const Location around =
      location.common_dir.empty() ? Locate({}).value_or(location) : location;
  for (const std::string& top : {around.main_worktree, around.worktree}) {
    if (!top.empty() && IsBelow(here, top)) return top;
  }
  return here;
}

PublishDecision NotBeside(absl::string_view subject, bool is_certain) {
  return {/*publish=*/false,
          absl::StrCat(subject, is_certain ? " keeps its own lock file"
                                           : " may keep its own lock file"),
          /*starts_orchestr8=*/true};
}

PublishDecision DecideForOrchestr8(const Orchestr8Program& program) {
  const LocksItself locks = FindOutWhetherItLocks(program);
  if (locks == LocksItself::kNo) {
    return {true, absl::StrCat(program.name, " keeps no lock file"), false};
  }
  return NotBeside(program.name, locks == LocksItself::kYes);
}

// Returns whether orchestr8 looks for a lock file of that name.
bool IsOrchestr8LockFile(const std::string& lock_file) {
  return BaseName(lock_file) == "parallel.lock" ||
         BaseName(lock_file) == "murm.lock";
}

PublishDecision DecideByItself(const std::vector<std::string>& command,
                               const std::optional<Orchestr8Command>& orchestr8,
                               const Location& location) {
  if (!IsOrchestr8LockFile(location.lock_file)) {
    return {true, "orchestr8 does not look for this file", false};
  }
  if (orchestr8.has_value()) return DecideForOrchestr8(orchestr8->program);
  const std::optional<ReachableOrchestr8> found =
      FindReachableOrchestr8(command, TopOf(location));
  if (found.has_value()) return NotBeside(found->subject, found->is_certain);
  return {true, "no orchestr8 found that keeps its own lock file", false};
}

}  // namespace

absl::StatusOr<PublishChoice> ReadPublishChoice(const Options& options,
                                                const Location& location) {
  if (options.publish.has_value()) {
    return PublishChoice{*options.publish, "--publish"};
  }
  if (!location.publish.has_value()) return PublishChoice();
  const std::optional<Publish> publish = ParsePublish(*location.publish);
  if (publish.has_value()) return PublishChoice{*publish, "o8lock.publish"};
  return absl::InvalidArgumentError(absl::StrCat(
      "the setting o8lock.publish must be 'auto', 'always' or 'never', not '",
      *location.publish, "'"));
}

PublishDecision DecideToPublish(
    const PublishChoice& choice, const std::vector<std::string>& command,
    const std::optional<Orchestr8Command>& orchestr8,
    const Location& location) {
  switch (choice.publish) {
    case Publish::kAlways:
      return {true, absl::StrCat(choice.source, "=always"), false};
    case Publish::kNever:
      return {false, absl::StrCat(choice.source, "=never"), false};
    case Publish::kAuto:
      break;
  }
  return DecideByItself(command, orchestr8, location);
}

}  // namespace o8lock
