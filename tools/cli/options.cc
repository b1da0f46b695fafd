// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/options.h"

#include <getopt.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/cli/text.h"

namespace o8lock {
namespace {

enum LongOnly {
  kLockFile = 256,
  kFeature,
  kMaxConcurrency,
  kPublish,
  kLeftovers,
  kJson,
  kVersion
};

// '+': the command's options are not ours. ':': tell what is missing.
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
    {"conflict-exit-code", required_argument, nullptr, 'E'},
    {"quiet", no_argument, nullptr, 'q'},
    {"verbose", no_argument, nullptr, 'v'},
    {"json", no_argument, nullptr, kJson},
    {"help", no_argument, nullptr, 'h'},
    {"version", no_argument, nullptr, kVersion},
    {nullptr, 0, nullptr, 0},
};

// What stands in a command's place.
struct Verb {
  absl::string_view name;
  Action action;
};
constexpr Verb kVerbs[] = {
    {"status", Action::kStatus},
    {"unlock", Action::kUnlock},
    {"doctor", Action::kDoctor},
    {"help", Action::kHelp},
};
// The same behind "hooks".
constexpr Verb kHooksVerbs[] = {
    {"install", Action::kHooksInstall},
    {"uninstall", Action::kHooksUninstall},
    {"status", Action::kHooksStatus},
    {"run", Action::kHooksRun},
    {"help", Action::kHelp},
    {"--help", Action::kHelp},
    {"-h", Action::kHelp},
};
constexpr absl::string_view kHooks = "hooks";

template <size_t kSize>
const Verb* FindVerb(const Verb (&verbs)[kSize], absl::string_view name) {
  const auto* verb = absl::c_find_if(
      verbs, [name](const Verb& candidate) { return candidate.name == name; });
  return verb == std::end(verbs) ? nullptr : verb;
}

constexpr absl::string_view kSeeHelp = "see: o8lock --help";

absl::Status Usage(absl::string_view problem, absl::string_view hint) {
  return absl::InvalidArgumentError(
      absl::StrCat(Printable(problem), "\n", hint));
}

// Remembers an option for the lines that a refusal suggests.
void Repeat(absl::string_view option, absl::string_view value,
            std::vector<std::string>& words) {
  words.emplace_back(option);
  words.emplace_back(value);
}

absl::StatusOr<int> Number(absl::string_view option, absl::string_view text,
                           int least, int most) {
  int number;
  // SimpleAtoi takes blanks and a plus sign as well.
  if (text.find_first_not_of("0123456789") == text.npos &&
      absl::SimpleAtoi(text, &number) && number >= least && number <= most) {
    return number;
  }
  return Usage(absl::StrCat(option, " wants a whole number from ", least,
                            " to ", most, ", not '", text, "'"),
               kSeeHelp);
}

// The seconds of "90s", "10m" or "1h30m".
std::optional<int64_t> ParseDuration(absl::string_view text) {
  if (text == "0") return 0;
  struct Unit {
    char letter;
    int64_t seconds;
  };
  int64_t total = 0;
  bool any = false;
  for (const Unit unit : {Unit{'h', 3600}, Unit{'m', 60}, Unit{'s', 1}}) {
    const size_t digits = text.find_first_not_of("0123456789");
    if (digits == 0 || digits == text.npos || text[digits] != unit.letter) {
      continue;
    }
    int number;
    if (!absl::SimpleAtoi(text.substr(0, digits), &number)) break;
    total += number * unit.seconds;
    text.remove_prefix(digits + 1);
    any = true;
  }
  if (!any || !text.empty()) return std::nullopt;
  return total;
}

// `argument` may be null: the option has none.
absl::Status ApplyWait(const char* argument, Options& options) {
  options.wait_seconds = std::nullopt;
  if (argument == nullptr) return absl::OkStatus();
  options.wait_seconds = ParseDuration(argument);
  if (options.wait_seconds.has_value()) return absl::OkStatus();
  return Usage(absl::StrCat("--wait wants a time such as 90s, 10m or "
                            "1h30m, not '",
                            argument, "'"),
               kSeeHelp);
}

absl::Status ApplyLeftovers(absl::string_view value, Options& options) {
  options.leftovers = ParseLeftovers(value);
  if (!options.leftovers.has_value()) {
    return Usage(absl::StrCat("--leftovers wants 'release', 'wait', 'kill' or "
                              "'keep', not '",
                              value, "'"),
                 kSeeHelp);
  }
  Repeat("--leftovers", value, options.description);
  return absl::OkStatus();
}

// An option that has no value.
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

// `argument` may be null: the option has none.
absl::Status Apply(int option, const char* argument, Options& options) {
  const absl::string_view value = argument == nullptr ? "" : argument;
  switch (option) {
    case 'w':
      return ApplyWait(argument, options);
    case 'n':
      options.name = std::string(value);
      Repeat("--name", value, options.selection);
      break;
    case kLockFile:
      if (value.empty()) {
        return Usage("--lock-file wants the path of a file", kSeeHelp);
      }
      options.lock_file = std::string(value);
      Repeat("--lock-file", value, options.selection);
      break;
    case kFeature:
      options.features.emplace_back(value);
      Repeat("--feature", value, options.description);
      break;
    case kMaxConcurrency: {
      const absl::StatusOr<int> number =
          Number("--max-concurrency", value, 1, 1000000);
      if (!number.ok()) return number.status();
      options.max_concurrency = *number;
      Repeat("--max-concurrency", value, options.description);
      break;
    }
    case kPublish:
      options.publish = ParsePublish(value);
      if (!options.publish.has_value()) {
        return Usage(absl::StrCat("--publish wants 'auto', 'always' or "
                                  "'never', not '",
                                  value, "'"),
                     kSeeHelp);
      }
      Repeat("--publish", value, options.description);
      break;
    case kLeftovers:
      return ApplyLeftovers(value, options);
    case 'E': {
      const absl::StatusOr<int> number =
          Number("--conflict-exit-code", value, 0, 255);
      if (!number.ok()) return number.status();
      options.conflict_exit_code = *number;
      break;
    }
    default:
      ApplyFlag(option, options);
  }
  return absl::OkStatus();
}

// The option that getopt_long(3) could not take, as the user wrote it. Of a
// letter among letters only optopt tells; any other has been passed by.
std::string Offender(char* const argv[]) {
  const absl::string_view word = argv[optind - 1];
  const bool is_letter =
      optopt > 0 && optopt < 256 &&
      (word.substr(0, 2) != "--" ||
       absl::string_view(kLetters).find(static_cast<char>(optopt)) ==
           absl::string_view::npos);
  return is_letter ? std::string("-") + static_cast<char>(optopt)
                   : std::string(word);
}

// The error that getopt_long(3) answered with `option`: '?' or ':'.
absl::Status OptionError(int option, char* const argv[]) {
  const std::string word = Offender(argv);
  if (option == ':') {
    return Usage(absl::StrCat("option wants a value: '", word, "'"), kSeeHelp);
  }
  return Usage(absl::StrCat(optopt != 0 && word.find('=') != word.npos
                                ? "option takes no value: '"
                                : "unknown option: '",
                            word, "'"),
               kSeeHelp);
}

// Takes the verb at optind for the action of `options`, with its name in
// `name`. False if there is none.
absl::StatusOr<bool> TakeVerb(int argc, char* const argv[], Options& options,
                              std::string& name) {
  const Verb* verb = FindVerb(kVerbs, argv[optind]);
  if (argv[optind] == kHooks) {
    name = "hooks ";
    ++optind;
    verb = FindVerb(kHooksVerbs, optind < argc ? argv[optind] : "");
    if (verb == nullptr) {
      return Usage("hooks wants one of: install, uninstall, status, run",
                   kSeeHelp);
    }
  }
  if (verb == nullptr) return false;
  options.action = verb->action;
  name = absl::StrCat(name, argv[optind]);
  ++optind;
  return true;
}

// The error that "--" is not there between `before`, the program with its
// options, and `command`: with what was probably meant.
absl::Status NoDashes(std::vector<std::string> before,
                      const std::vector<std::string>& command) {
  const std::string last = before.back();
  if ((last == "-w" || last == "--wait") &&
      ParseDuration(command[0]).has_value()) {
    before.back() += absl::StrCat(last == "-w" ? "" : "=", command[0]);
    return Usage(absl::StrCat("a time is written together with ", last),
                 absl::StrCat("try: ", ShellQuoted(before), " -- COMMAND"));
  }
  before.emplace_back("--");
  before.insert(before.end(), command.begin(), command.end());
  return Usage(
      absl::StrCat("'--' is missing before the command '", command[0], "'"),
      absl::StrCat("try: ", ShellQuoted(before)));
}

// What does not go together, or with `rest`, which stands behind the options
// and the verb `verb_name`.
absl::Status Check(const Options& options, const std::string& verb_name,
                   const std::vector<std::string>& rest) {
  if (options.json && options.action != Action::kStatus &&
      options.action != Action::kHooksStatus) {
    return Usage("--json is for: o8lock status, o8lock hooks status", kSeeHelp);
  }
  if (options.force && options.wait_seconds != 0) {
    return Usage("--wait and --force exclude each other", kSeeHelp);
  }
  switch (options.action) {
    case Action::kHooksRun:
      if (!rest.empty()) return absl::OkStatus();
      return Usage("hooks run wants the name of a git hook", kSeeHelp);
    case Action::kRun:
      if (!rest.empty()) return absl::OkStatus();
      return Usage("there is no command to run",
                   "usage: o8lock [OPTIONS] -- COMMAND [ARG...]");
    default:
      if (rest.empty()) return absl::OkStatus();
      return Usage(
          absl::StrCat(verb_name, " takes no arguments: '", rest[0], "'"),
          kSeeHelp);
  }
}

}  // namespace

absl::StatusOr<Options> ParseOptions(char* const argv[]) {
  int argc = 0;
  while (argv[argc] != nullptr) ++argc;
  Options options;
  optind = 0;  // glibc's way of starting anew
  opterr = 0;
  bool ended = false;  // by "--"
  std::string verb_name;
  while (true) {
    const int next = std::max(optind, 1);
    const int option = getopt_long(argc, argv, kLetters, kLongOptions, nullptr);
    if (option == -1) {
      ended = next < argc && absl::string_view(argv[next]) == "--";
      if (ended || optind == argc || options.action != Action::kRun) break;
      const absl::StatusOr<bool> taken =
          TakeVerb(argc, argv, options, verb_name);
      if (!taken.ok()) return taken.status();
      if (options.action == Action::kHelp) return options;
      if (!*taken || options.action == Action::kHooksRun) break;
      continue;
    }
    if (option == '?' || option == ':') return OptionError(option, argv);
    const absl::Status status = Apply(option, optarg, options);
    if (!status.ok()) return status;
    if (options.action == Action::kHelp || options.action == Action::kVersion) {
      return options;
    }
  }
  const std::vector<std::string> rest(argv + optind, argv + argc);
  const absl::Status status = Check(options, verb_name, rest);
  if (!status.ok()) return status;
  if (options.action == Action::kRun && !ended) {
    return NoDashes(std::vector<std::string>(argv, argv + optind), rest);
  }
  options.command = rest;
  return options;
}

std::optional<Publish> ParsePublish(absl::string_view word) {
  if (word == "auto") return Publish::kAuto;
  if (word == "always") return Publish::kAlways;
  if (word == "never") return Publish::kNever;
  return std::nullopt;
}

std::optional<Leftovers> ParseLeftovers(absl::string_view word) {
  if (word == "release") return Leftovers::kRelease;
  if (word == "wait") return Leftovers::kWait;
  if (word == "kill") return Leftovers::kKill;
  if (word == "keep") return Leftovers::kKeep;
  return std::nullopt;
}

absl::string_view HelpText() {
  return R"(Usage: o8lock [OPTIONS] -- COMMAND [ARG...]
       o8lock [OPTIONS] status|unlock|doctor|hooks install|uninstall|status

Runs COMMAND under one lock per git repository. status shows the holder, unlock
removes its lock, doctor finds problems, hooks make git refuse worktrees that a
run would collide with. orchestr8's status, abort and dry runs need no lock.

  -w, --wait[=TIME]           wait for a lock that is held, 10m or 1h30m at most
  -f, --force                 override a lock that is held, after asking
  -y, --yes                   do not ask
  -n, --name NAME             another lock of the same repository
      --lock-file FILE        this lock file instead of the repository's
      --feature NAME          put into the lock file as a feature; repeatable
      --max-concurrency N     put into the lock file
      --publish WHEN          write the lock file: auto (default), always, never
      --leftovers WHAT        of what outlives it: release, wait, kill, keep
  -E, --conflict-exit-code N  exit code when the lock is held, instead of 75
  -q, --quiet                 no warnings; a refusal is its exit code only
  -v, --verbose               tell when the lock is taken and released
  -h, --help, --version; --json for status and hooks status

Exit codes: COMMAND's; 64 usage, 71 system error, 73 a file cannot be created,
75 the lock is held, 126 and 127 COMMAND cannot be executed.
)";
}

}  // namespace o8lock
