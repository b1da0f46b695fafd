// SPDX-License-Identifier: Apache-2.0

#include "tools/cli/orchestr8.h"

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "lock/file.h"
#include "lock/orchestr8_process.h"

namespace o8lock {
namespace {

using Arguments = std::vector<std::string>;

// A program that starts another one. Lists are separated by spaces.
struct Runner {
  absl::string_view names;
  // Subcommands that pass everything after the program's name to it.
  absl::string_view verbs;
  // Subcommands that keep every option before "--" for themselves.
  absl::string_view greedy_verbs;
  // Options with their value in the next argument. Omitting an option here is
  // harmless: its value is taken for the program and is not orchestr8.
  absl::string_view valued;
};

constexpr absl::string_view kShells = "sh bash dash ash ksh zsh";

// Tested with npm 10, pnpm 9, yarn 1.22, bun 1. `yarn exec` is greedy in yarn
// 1.
constexpr Runner kRunners[] = {
    {"env", "", "", "-u --unset -C --chdir"},
    {"node nodejs", "", "",
     "-r --require --import --loader --experimental-loader -C --conditions "
     "--env-file --title --watch-path"},
    {kShells, "", "", "-o -O --rcfile --init-file"},
    {"npx", "", "",
     "-p --package -w --workspace --cache --userconfig --registry --loglevel "
     "--prefix --shell --script-shell -C"},
    {"npm", "", "exec x",
     "--package -w --workspace --cache --userconfig --registry --loglevel "
     "--prefix --script-shell -C"},
    {"pnpm", "exec dlx", "",
     "-C --dir -F --filter --filter-prod --package --loglevel --reporter"},
    {"pnpx", "", "", "--package"},
    {"yarn yarnpkg", "run dlx", "exec", "--cwd -p --package"},
    {"bun", "run x", "", "--cwd -r --preload --package"},
    {"bunx", "", "", "-p --package"},
};

bool Listed(absl::string_view list, absl::string_view word) {
  const Arguments items = absl::StrSplit(list, ' ', absl::SkipEmpty());
  return std::find(items.begin(), items.end(), word) != items.end();
}

bool Contains(const Arguments& arguments, absl::string_view argument) {
  return std::find(arguments.begin(), arguments.end(), argument) !=
         arguments.end();
}

// Returns the rest of `arguments` after a runner has taken its options, and env
// its NAME=VALUE arguments (`assignments`). It takes them up to "--" or, unless
// `greedy`, up to the first other argument.
Arguments WithoutOptions(absl::Span<const std::string> arguments,
                         absl::string_view valued, bool assignments,
                         bool greedy) {
  Arguments left;
  size_t i = 0;
  for (; i < arguments.size() && arguments[i] != "--"; ++i) {
    if (absl::StartsWith(arguments[i], "-")) {
      if (Listed(valued, arguments[i])) ++i;
    } else if (greedy) {
      left.push_back(arguments[i]);
    } else if (!assignments || !absl::StrContains(arguments[i], '=')) {
      break;
    }
  }
  if (i < arguments.size() && arguments[i] == "--") ++i;
  for (; i < arguments.size(); ++i) left.push_back(arguments[i]);
  return left;
}

// Returns whether a shell with these arguments executes no script, but a
// command line (-c) or its standard input (-s).
bool ExecutesNoScript(absl::Span<const std::string> arguments) {
  for (const std::string& argument : arguments) {
    if (!absl::StartsWith(argument, "-") || argument == "--") return false;
    if (!absl::StartsWith(argument, "--") &&
        argument.find_first_of("cs") != std::string::npos) {
      return true;
    }
  }
  return false;
}

Arguments WithoutRunner(const Runner& runner,
                        absl::Span<const std::string> command) {
  if (runner.names == kShells && ExecutesNoScript(command.subspan(1))) {
    return {};
  }
  Arguments left = WithoutOptions(command.subspan(1), runner.valued,
                                  /*assignments=*/runner.names == "env",
                                  /*greedy=*/false);
  const std::string verb = left.empty() ? "" : left[0];
  const bool greedy = Listed(runner.greedy_verbs, verb);
  if (!greedy && !Listed(runner.verbs, verb)) return left;
  return WithoutOptions(absl::MakeConstSpan(left).subspan(1), runner.valued,
                        /*assignments=*/false, greedy);
}

constexpr absl::string_view kVerbs = "parallel murm murmuration";

constexpr absl::string_view kMaxConcurrency = "--max-concurrency";

bool IsNumber(absl::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// orchestr8 reads the first --max-concurrency=N with parseInt, which accepts
// the same text as strtoll ("2x" is 2). Below 1, or without a number, it runs
// indefinitely.
std::optional<int> MaxConcurrency(const Arguments& args) {
  for (size_t i = 0; i < args.size(); ++i) {
    absl::string_view text = args[i];
    if (!absl::ConsumePrefix(&text, kMaxConcurrency)) continue;
    if (text.empty() && i + 1 < args.size() && IsNumber(args[i + 1])) {
      text = args[i + 1];
    } else if (!absl::ConsumePrefix(&text, "=")) {
      continue;
    }
    const int64_t value = std::strtoll(text.data(), nullptr, 10);
    if (value < 1) return std::nullopt;
    return static_cast<int>(std::min<int64_t>(value, INT_MAX));
  }
  return std::nullopt;
}

// Returns the arguments that are features.
Arguments FeaturesIn(const Arguments& args) {
  Arguments features;
  for (size_t i = 0; i < args.size(); ++i) {
    const bool is_limit =
        i > 0 && args[i - 1] == kMaxConcurrency && IsNumber(args[i]);
    if (!absl::StartsWith(args[i], "-") && !is_limit) {
      features.push_back(args[i]);
    }
  }
  return features;
}

bool IsYes(absl::string_view argument) {
  return argument == "--yes" || argument == "-y";
}

Orchestr8Command ReadArguments(Arguments args) {
  Orchestr8Command result;
  // yarn 1 removes a "--" here. The others pass it on, and orchestr8 only
  // reports an unknown command.
  if (!args.empty() && args[0] == "--") args.erase(args.begin());
  if (args.size() < 2 || !Listed(kVerbs, args[0])) {
    return result;
  }
  args.erase(args.begin());
  const std::string subcommand = args[0];
  if (subcommand == "status") return result;
  if (subcommand == "abort") {
    result.needs_lock = Contains(args, "--cleanup");
    return result;
  }
  // `cleanup` has no dry run: it cleans up.
  if (subcommand != "cleanup" && Contains(args, "--dry-run")) return result;
  if (!Listed("cleanup rollback", subcommand)) {
    // Without features it prints its usage.
    if (std::all_of(args.begin(), args.end(), [](const auto& arg) {
          return absl::StartsWith(arg, "-");
        })) {
      return result;
    }
    result.features = FeaturesIn(args);
    result.max_concurrency = MaxConcurrency(args);
  }
  result.needs_lock = true;
  // For `rollback`, --force means to continue after a failed revert.
  result.force = subcommand != "rollback" && Contains(args, "--force");
  result.yes = std::any_of(args.begin(), args.end(), IsYes);
  return result;
}

// Returns whether to read `command`, a program and its arguments, as
// orchestr8's.
bool IsOrchestr8(
    const Arguments& command, bool by_package_runner,
    absl::FunctionRef<bool(const Orchestr8Program&)> belongs_to_orchestr8) {
  if (NamesOrchestr8(command[0])) return true;
  const size_t verb = command.size() > 1 && command[1] == "--" ? 2 : 1;
  return command.size() > verb && Listed(kVerbs, command[verb]) &&
         belongs_to_orchestr8({command[0], by_package_runner});
}

// Returns `command`, with its orchestr8 part `part`, as its subcommand
// `status`.
Arguments StatusCommand(absl::Span<const std::string> command,
                        const Arguments& part) {
  // The program and `parallel`.
  const size_t kept = part.size() > 1 && part[1] == "--" ? 3 : 2;
  if (part.size() < kept) return {};
  Arguments status(command.begin(), command.end());
  // A runner with options among the arguments leaves no such suffix.
  if (std::equal(part.rbegin(), part.rend(), status.rbegin())) {
    status.resize(status.size() - part.size() + kept);
  } else {
    status = {part[0], part[kept - 1]};
  }
  status.emplace_back("status");
  return status;
}

}  // namespace

std::optional<Orchestr8Command> ReadOrchestr8Command(
    absl::Span<const std::string> command,
    absl::FunctionRef<bool(const Orchestr8Program&)> belongs_to_orchestr8) {
  Arguments rest(command.begin(), command.end());
  bool by_package_runner = false;
  // A runner may start a runner (env npx, yarn node). Each pass consumes an
  // argument.
  while (!rest.empty()) {
    if (IsOrchestr8(rest, by_package_runner, belongs_to_orchestr8)) {
      Orchestr8Command result =
          ReadArguments(Arguments(rest.begin() + 1, rest.end()));
      result.program = {rest[0], by_package_runner};
      result.status_command = StatusCommand(command, rest);
      return result;
    }
    const auto* runner = std::find_if(
        std::begin(kRunners), std::end(kRunners), [&](const Runner& candidate) {
          return Listed(candidate.names, BaseName(rest[0]));
        });
    if (runner == std::end(kRunners)) break;
    // These run the program they are given; all others look for a package.
    by_package_runner =
        by_package_runner || !(Listed("env node nodejs", BaseName(rest[0])) ||
                               runner->names == kShells);
    rest = WithoutRunner(*runner, rest);
  }
  return std::nullopt;
}

std::optional<Orchestr8Command> ReadOrchestr8Command(
    absl::Span<const std::string> command) {
  return ReadOrchestr8Command(command,
                              [](const Orchestr8Program&) { return false; });
}

std::vector<std::string> ForcedCommand(absl::Span<const std::string> command) {
  Arguments forced(command.begin(), command.end());
  forced.emplace_back("--force");
  const std::optional<Orchestr8Command> orchestr8 =
      ReadOrchestr8Command(forced);
  if (!orchestr8.has_value() || !orchestr8->force) return {};
  // A -y before that belongs to npx.
  const auto verb = std::find_if(
      forced.begin(), forced.end(),
      [](const std::string& argument) { return Listed(kVerbs, argument); });
  forced.erase(std::remove_if(verb, forced.end(), IsYes), forced.end());
  return forced;
}

}  // namespace o8lock
