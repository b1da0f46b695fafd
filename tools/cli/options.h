// SPDX-License-Identifier: Apache-2.0
//
// o8lock's own command line.
#ifndef O8LOCK_TOOLS_CLI_OPTIONS_H_
#define O8LOCK_TOOLS_CLI_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/cli/exit_code.h"

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

  // How many seconds to wait for a lock that is held, at most; 0: not at all;
  // nothing: for ever.
  std::optional<int64_t> wait_seconds = 0;
  bool force = false;
  bool yes = false;
  std::string name = "parallel";
  std::string lock_file;
  std::vector<std::string> features;
  std::optional<int> max_concurrency;
  std::optional<Publish> publish;  // nothing: as the repository has it
  // Nothing: as the repository has it; kKeep for an orchestr8 otherwise.
  std::optional<Leftovers> leftovers;
  int conflict_exit_code = kRefused;
  bool quiet = false;
  bool verbose = false;
  bool json = false;  // of kStatus and kHooksStatus

  // The options that another o8lock command has to repeat to mean the same
  // lock, and those to describe the same run.
  std::vector<std::string> selection;
  std::vector<std::string> description;
};

// Reads `argv`, a null-terminated main() argument with the program's name
// first. Options end at "--" and at the first word that is none; behind that
// everything is the command's, to the byte.
// Errors: kInvalidArgument  with a text for the user, printable: what is wrong,
//                           and, after a newline, the corrected line or where
//                           to look.
// Not thread-safe: getopt_long(3) keeps its place in global variables.
absl::StatusOr<Options> ParseOptions(char* const argv[]);

// The text of --help; fits a screen of 80 by 24.
absl::string_view HelpText();

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_OPTIONS_H_
