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
  kAuto,  // unless the command keeps it itself
  kAlways,
  kNever,
};

// "auto", "always" or "never"; nothing for another word.
std::optional<Publish> ParsePublish(absl::string_view word);

// What is to become of processes that outlive the command.
enum class Leftovers {
  kRelease,  // they are named, and the lock is released
  kWait,     // the lock is kept until they have ended
  kKill,
  // After an end that was not 0 the lock stays with the agents among them.
  kKeep,
};

// "release", "wait", "kill" or "keep"; nothing for another word.
std::optional<Leftovers> ParseLeftovers(absl::string_view word);

struct Options {
  Action action = Action::kRun;
  // What kRun runs, or the hook and its arguments of kHooksRun; never empty
  // then.
  std::vector<std::string> command;

  // How long to wait for a lock that is held, at most; 0: not at all; nothing:
  // indefinitely.
  std::optional<absl::Duration> wait = absl::ZeroDuration();
  bool force = false;
  bool yes = false;
  std::string name = "parallel";
  std::string lock_file;
  std::vector<std::string> features;
  std::optional<int> max_concurrency;
  std::optional<Publish> publish;  // nothing: as the repository has it
  // Nothing: as the repository has it; kKeep for an orchestr8 otherwise.
  std::optional<Leftovers> leftovers;
  absl::Duration kill_after = absl::Seconds(10);  // for kKill
  int conflict_exit_code = kRefused;
  bool quiet = false;
  bool verbose = false;
  bool json = false;       // of kStatus, kDoctor and kHooksStatus
  absl::string_view help;  // the text for kHelp

  // The options that another o8lock command has to repeat to mean the same
  // lock, and those to describe the same run.
  std::vector<std::string> selection;
  std::vector<std::string> description;
};

// Reads `argv`, a null-terminated main() argument with the program's name
// first, into `options`. Options end at "--" and at the first word that is not
// one; everything behind belongs to the command, to the byte.
// On failure returns the error; `options` are unspecified then.
// REQUIRES: `options` have their defaults.
// Not thread-safe: getopt_long(3) keeps its place in global variables.
std::optional<UsageError> ParseOptions(char* const argv[], Options& options);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_OPTIONS_H_
