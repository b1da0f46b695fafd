// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/options.h"

#include <getopt.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/cli/duration.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/usage_error.h"
#include "tools/cli/verbs.h"

namespace o8lock {
namespace {

enum LongOnly {
  kLockFile = 256,
  kFeature,
  kMaxConcurrency,
  kPublish,
  kLeftovers,
  kKillAfter,
  kJson,
  kVersion
};

// '+': stop at the command, which has options of its own. ':': report missing
// values.
constexpr char kLetters[] = "+:w::fyn:E:qvh";

constexpr struct option kLongOptions[] = {
    {"wait", optional_argument, nullptr, 'w'},
    {"force", no_argument, nullptr, 'f'},
    {"yes", no_argument, nullptr, 'y'},
    {"name", required_argument, nullptr, 'n'},
    {"lock-file", required_argument, nullptr, kLockFile},
    {"feature", required_argument, nullptr, kFeature},
    {"max-concurrency", required_argument, nullptr, kMaxConcurrency},
    {"publish", required_argument, nullptr, kPublish},
    {"leftovers", required_argument, nullptr, kLeftovers},
    {"kill-after", required_argument, nullptr, kKillAfter},
    {"conflict-exit-code", required_argument, nullptr, 'E'},
    {"quiet", no_argument, nullptr, 'q'},
    {"verbose", no_argument, nullptr, 'v'},
    {"json", no_argument, nullptr, kJson},
    {"help", no_argument, nullptr, 'h'},
    {"version", no_argument, nullptr, kVersion},
    {nullptr, 0, nullptr, 0},
};

// Stores an option for the lines a refusal suggests.
void Repeat(absl::string_view option, absl::string_view value,
            std::vector<std::string>& arguments) {
  arguments.emplace_back(option);
  arguments.emplace_back(value);
}

std::optional<int> ParseNumber(absl::string_view text, int least, int most) {
  int number;
  // SimpleAtoi also accepts blanks and a plus sign.
  if (text.find_first_not_of("0123456789") == text.npos &&
      absl::SimpleAtoi(text, &number) && number >= least && number <= most) {
    return number;
  }
  return std::nullopt;
}

// Reads `value` into `number`, and stores it as the option `name`.
std::optional<UsageError> ApplyNumber(absl::string_view name,
                                      absl::string_view value, int least,
                                      int most, std::optional<int>& number,
                                      Options& options) {
  number = ParseNumber(value, least, most);
  if (!number.has_value()) {
    return SeeHelp(absl::StrCat(name, " must be a whole number from ", least,
                                " to ", most, ", not '", value, "'"));
  }
  Repeat(name, value, options.description);
  return std::nullopt;
}

// The same for a time.
std::optional<UsageError> ReadTime(absl::string_view name,
                                   absl::string_view value,
                                   std::optional<absl::Duration>& time) {
  time = ParseDuration(value);
  if (time.has_value()) return std::nullopt;
  return SeeHelp(
      absl::StrCat(name, " must be a time such as 90s, 10m, 1h30m or 2d, not '",
                   value, "'"));
}

// `option` selects the lock `value`. Two such options would mean two locks.
std::optional<UsageError> Select(absl::string_view option,
                                 absl::string_view value, Options& options) {
  if (!options.selection.empty()) {
    return TwoLocks(options.selection,
                    {std::string(option), std::string(value)});
  }
  Repeat(option, value, options.selection);
  return std::nullopt;
}

std::optional<UsageError> ApplyLeftovers(absl::string_view value,
                                         Options& options) {
  options.leftovers = ParseSurvivalPolicy(value);
  if (!options.leftovers.has_value()) {
    return SeeHelp(
        absl::StrCat("--leftovers must be 'release', 'wait', 'kill' or 'keep', "
                     "not '",
                     value, "'"));
  }
  Repeat("--leftovers", value, options.description);
  return std::nullopt;
}

// Applies an option that has no value.
void ApplyFlag(int option, Options& options) {
  switch (option) {
    case 'f':
      options.force = true;
      break;
    case 'y':
      options.yes = true;
      break;
    case 'q':
      options.quiet = true;
      break;
    case 'v':
      options.verbose = true;
      options.description.emplace_back("--verbose");
      break;
    case 'h':
      options.action = Action::kHelp;
      break;
    case kJson:
      options.json = true;
      break;
    case kVersion:
      options.action = Action::kVersion;
      break;
    default:
      break;
  }
}

// Applies `option`. `argument` is null if it has no value.
std::optional<UsageError> Apply(int option, const char* argument,
                                Options& options) {
  const absl::string_view value = argument == nullptr ? "" : argument;
  switch (option) {
    case 'w':
      options.wait = std::nullopt;
      if (argument == nullptr) return std::nullopt;
      return ReadTime("--wait", value, options.wait);
    case 'n':
      options.name = std::string(value);
      return Select("--name", value, options);
    case kLockFile:
      if (value.empty()) {
        return SeeHelp("--lock-file needs the path of a file");
      }
      options.lock_file = std::string(value);
      return Select("--lock-file", value, options);
    case kFeature:
      options.features.emplace_back(value);
      Repeat("--feature", value, options.description);
      break;
    case kMaxConcurrency:
      return ApplyNumber("--max-concurrency", value, 1, 1000000,
                         options.max_concurrency, options);
    case kPublish:
      options.publish = ParsePublish(value);
      if (!options.publish.has_value()) {
        return SeeHelp(
            absl::StrCat("--publish must be 'auto', 'always' or 'never', not '",
                         value, "'"));
      }
      Repeat("--publish", value, options.description);
      break;
    case kLeftovers:
      return ApplyLeftovers(value, options);
    case kKillAfter: {
      std::optional<absl::Duration> time;
      if (auto error = ReadTime("--kill-after", value, time)) return error;
      options.kill_after = *time;
      Repeat("--kill-after", value, options.description);
      break;
    }
    case 'E': {
      std::optional<int> code;
      auto error =
          ApplyNumber("--conflict-exit-code", value, 0, 255, code, options);
      options.conflict_exit_code = code.value_or(kRefused);
      return error;
    }
    default:
      ApplyFlag(option, options);
  }
  return std::nullopt;
}

// Returns the option that getopt_long(3) rejected, as the user wrote it. For a
// letter among others only optopt identifies it; for any other option optind is
// already past it.
std::string Offender(char* const argv[]) {
  const absl::string_view argument = argv[optind - 1];
  const bool is_letter =
      optopt > 0 && optopt < 256 &&
      (argument.substr(0, 2) != "--" ||
       absl::string_view(kLetters).find(static_cast<char>(optopt)) ==
           absl::string_view::npos);
  return is_letter ? std::string("-") + static_cast<char>(optopt)
                   : std::string(argument);
}

// Returns the error for the result `option` of getopt_long(3): '?' or ':'.
UsageError OptionError(int option, char* const argv[]) {
  const std::string argument = Offender(argv);
  const char* problem = "unknown option";
  if (option == ':') {
    problem = "option needs a value";
  } else if (optopt != 0 && absl::StrContains(argument, '=')) {
    problem = "option takes no value";
  }
  return SeeHelp(absl::StrCat(problem, ": '", argument, "'"));
}

// The position in a command line.
struct Reader {
  char* const* const argv;
  const int argc;

  std::vector<std::string> Before() const { return {argv, argv + optind}; }
  std::vector<std::string> Rest() const { return {argv + optind, argv + argc}; }
};

bool IsHelpOption(absl::string_view argument) {
  return argument == "--help" || argument == "-h";
}

// Uses the arguments after "help" as the topic of `options`.
std::optional<UsageError> TakeHelpTopic(const Reader& reader,
                                        Options& options) {
  options.action = Action::kHelp;
  options.help = HelpText();
  const std::vector<std::string> topic = reader.Rest();
  if (topic.empty()) return std::nullopt;
  const Verb* verb = FindVerb(absl::StrJoin(topic, " "));
  if (verb == nullptr) return NoHelpFor(absl::StrJoin(topic, " "));
  options.help = verb->help;
  return std::nullopt;
}

// Sets `verb` and the action of `options` from the arguments at optind, if they
// are a verb. Sets the help topic if the user asks for help.
std::optional<UsageError> TakeVerb(const Reader& reader, Options& options,
                                   const Verb*& verb) {
  verb = FindVerb(reader.argv[optind]);
  if (verb == nullptr) return std::nullopt;
  ++optind;
  if (verb->name == "help") return TakeHelpTopic(reader, options);
  if (verb->name == "hooks") {
    const absl::string_view next =
        optind < reader.argc ? reader.argv[optind] : "";
    options.help = verb->help;
    if (next == "help" || IsHelpOption(next)) {
      options.action = Action::kHelp;
      return std::nullopt;
    }
    verb = FindVerb(absl::StrCat("hooks ", next));
    if (verb == nullptr) return NoHooksVerb(reader.Before(), reader.Rest());
    ++optind;
  }
  options.action = verb->action;
  options.help = verb->help;
  // All further arguments belong to the hook, but no hook has the name of a
  // help option.
  if (options.action == Action::kHooksRun && optind < reader.argc &&
      IsHelpOption(reader.argv[optind])) {
    options.action = Action::kHelp;
  }
  return std::nullopt;
}

// Rejects options that exclude each other or do not allow `rest`, the arguments
// after the options and `verb`. `verb` may be null.
std::optional<UsageError> Check(const Options& options, const Verb* verb,
                                const std::vector<std::string>& rest) {
  if (options.json && options.action != Action::kStatus &&
      options.action != Action::kDoctor &&
      options.action != Action::kHooksStatus) {
    return SeeHelp("--json works only with status, doctor and hooks status");
  }
  if (options.leftovers == SurvivalPolicy::kKeep &&
      !options.selection.empty()) {
    return SeeHelp(
        "--leftovers=keep cannot be used with --name or --lock-file");
  }
  if (options.force && options.wait != absl::ZeroDuration()) {
    return SeeHelp("--wait and --force cannot be used together");
  }
  switch (options.action) {
    case Action::kHooksRun:
      if (!rest.empty()) return std::nullopt;
      return SeeHelp("hooks run needs the name of a git hook", verb->name);
    case Action::kRun:
      if (!rest.empty()) return std::nullopt;
      return UsageError{"there is no command to run",
                        "usage: o8lock [OPTIONS] -- COMMAND [ARG...]"};
    default:
      if (rest.empty()) return std::nullopt;
      return SeeHelp(
          absl::StrCat(verb->name, " takes no arguments: '", rest[0], "'"),
          verb->name);
  }
}

}  // namespace

std::optional<UsageError> ParseOptions(char* const argv[], Options& options) {
  int argc = 0;
  while (argv[argc] != nullptr) ++argc;
  const Reader reader{argv, argc};
  options.help = HelpText();
  optind = 0;  // glibc's way to start again
  opterr = 0;
  bool ended = false;  // by "--"
  const Verb* verb = nullptr;
  while (true) {
    const int next = std::max(optind, 1);
    const int option = getopt_long(argc, argv, kLetters, kLongOptions, nullptr);
    if (option == '?' || option == ':') return OptionError(option, argv);
    if (option != -1) {
      if (auto error = Apply(option, optarg, options)) return error;
    } else {
      ended = next < argc && absl::string_view(argv[next]) == "--";
      if (ended || optind == argc || verb != nullptr) break;
      if (auto error = TakeVerb(reader, options, verb)) return error;
      if (verb == nullptr || options.action == Action::kHooksRun) break;
    }
    if (options.action == Action::kHelp || options.action == Action::kVersion) {
      return std::nullopt;
    }
  }
  const std::vector<std::string> rest = reader.Rest();
  if (auto error = Check(options, verb, rest)) return error;
  if (options.action == Action::kRun && !ended) {
    return NoVerbNorDashes(reader.Before(), rest);
  }
  options.command = rest;
  return std::nullopt;
}

std::optional<Publish> ParsePublish(absl::string_view value) {
  if (value == "auto") return Publish::kAuto;
  if (value == "always") return Publish::kAlways;
  if (value == "never") return Publish::kNever;
  return std::nullopt;
}

std::optional<SurvivalPolicy> ParseSurvivalPolicy(absl::string_view value) {
  if (value == "release") return SurvivalPolicy::kRelease;
  if (value == "wait") return SurvivalPolicy::kWait;
  if (value == "kill") return SurvivalPolicy::kKill;
  if (value == "keep") return SurvivalPolicy::kKeep;
  return std::nullopt;
}

}  // namespace o8lock
