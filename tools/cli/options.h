// SPDX-License-Identifier: Apache-2.0
//
// o8lock's own command line.
#ifndef O8LOCK_TOOLS_CLI_OPTIONS_H_
#define O8LOCK_TOOLS_CLI_OPTIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/usage_error.h"
#include "tools/cli/verbs.h"

namespace o8lock {

// Whether to write the lock file.
enum class Publish {
  kAuto,  // unless the command keeps the file itself
  kAlways,
  kNever,
};

// "auto", "always" or "never". Returns nothing for any other value.
std::optional<Publish> ParsePublish(absl::string_view value);

// The treatment of processes that outlive the command.
enum class SurvivalPolicy {
  kRelease,  // name them, and release the lock
  kWait,     // keep the lock until they have ended
  kKill,
  // After a non-zero exit the agents among them keep the lock.
  kKeep,
};

// "release", "wait", "kill" or "keep". Returns nothing for any other value.
std::optional<SurvivalPolicy> ParseSurvivalPolicy(absl::string_view value);

struct Options {
  Action action = Action::kRun;
  // The command of kRun, or the hook and its arguments of kHooksRun. Never
  // empty for these two.
  std::vector<std::string> command;

  // How long to wait for a held lock, at most. 0: not at all; nothing:
  // indefinitely.
  std::optional<absl::Duration> wait = absl::ZeroDuration();
  bool force = false;
  bool yes = false;
  std::string name = "parallel";
  std::string lock_file;
  std::vector<std::string> features;
  std::optional<int> max_concurrency;
  std::optional<Publish> publish;  // nothing: the repository's setting
  // Nothing: the repository's setting. Without one, kKeep for a command that is
  // or may start an orchestr8, otherwise kRelease.
  std::optional<SurvivalPolicy> leftovers;
  absl::Duration kill_after = absl::Seconds(10);  // for kKill
  int conflict_exit_code = kRefused;
  bool quiet = false;
  bool verbose = false;
  bool json = false;       // of kStatus, kDoctor and kHooksStatus
  absl::string_view help;  // the text for kHelp

  // The arguments another o8lock command needs to select the same lock, and
  // those to describe the same run.
  std::vector<std::string> selection;
  std::vector<std::string> description;
};

// Reads `argv`, a null-terminated main() argument with the program's name
// first, into `options`. Options end at "--" and at the first argument that is
// not an option. Everything after that belongs to the command, byte for byte.
// On failure returns the error and leaves `options` unspecified.
// REQUIRES: `options` have their defaults.
// Not thread-safe: getopt_long(3) keeps its position in global variables.
std::optional<UsageError> ParseOptions(char* const argv[], Options& options);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_OPTIONS_H_
