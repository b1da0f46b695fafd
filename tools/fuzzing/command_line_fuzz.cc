// SPDX-License-Identifier: Apache-2.0
//
// The input is a command line: the arguments of `o8lock`, or a command.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/worktree_add.h"
#include "lock/fuzzing.h"
#include "tools/cli/options.h"
#include "tools/cli/orchestr8.h"
#include "tools/cli/text.h"
#include "tools/cli/usage_error.h"
#include "tools/cli/verbs.h"
#include "tools/fuzzing/fuzzed_arguments.h"

namespace o8lock {
namespace {

using Arguments = std::vector<std::string>;

bool Contains(const Arguments& arguments, absl::string_view argument) {
  return std::find(arguments.begin(), arguments.end(), argument) !=
         arguments.end();
}

bool EndsWith(const Arguments& arguments, const Arguments& last) {
  return last.size() <= arguments.size() &&
         std::equal(last.rbegin(), last.rend(), arguments.rbegin());
}

Arguments Joined(Arguments arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::optional<UsageError> Parse(Arguments arguments, Options& options) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return ParseOptions(argv.data(), options);
}

void CheckRun(const Arguments& arguments, const Options& options) {
  const Arguments& command = options.command;
  Check(!command.empty(), "a run has a command");
  Check(command.size() + 2 <= arguments.size() && EndsWith(arguments, command),
        "the command is the last words, unchanged");
  Check(arguments[arguments.size() - command.size() - 1] == "--",
        "a command comes after --");
  Check(options.max_concurrency.value_or(1) >= 1,
        "max-concurrency is 1 or more");
  Check(options.conflict_exit_code >= 0 && options.conflict_exit_code <= 255,
        "an exit code is one");

  Options again;
  const auto error = Parse(
      Joined(Joined(Joined({"o8lock"}, options.selection), options.description),
             Joined({"--"}, command)),
      again);
  Check(!error.has_value(), "the repeated options are options");
  const auto meaning = [](const Options& o) {
    return std::tie(o.name, o.lock_file, o.features, o.max_concurrency,
                    o.publish, o.leftovers, o.kill_after, o.verbose,
                    o.conflict_exit_code, o.command, o.selection,
                    o.description);
  };
  Check(meaning(again) == meaning(options),
        "the repeated options mean the same lock and run");
}

void CheckUsageError(const Arguments& arguments, const UsageError& error) {
  Check(!error.problem.empty() && !error.hint.empty(),
        "an error is what is wrong and what to do");
  Check(Printable(error.hint) == error.hint, "a hint is printable");
  absl::string_view corrected = error.hint;
  Options options;
  if (absl::ConsumePrefix(&corrected, "did you mean: ")) {
    // The options may still be wrong.
    Check(Parse(Unquoted(corrected), options).has_value() ||
              options.action != Action::kRun,
          "a verb is proposed");
    return;
  }
  if (!absl::ConsumePrefix(&corrected, "try: ")) return;
  Arguments right = Unquoted(corrected);
  Check(!Parse(right, options).has_value(), "the corrected line is right");
  CheckRun(right, options);
  if (!absl::StartsWith(error.problem, "'--' is missing")) return;
  right.erase(right.end() - static_cast<int>(options.command.size()) - 1);
  Check(right == arguments, "the corrected line has all words");
}

void CheckOptions(const Arguments& arguments) {
  Options options;
  if (const auto error = Parse(arguments, options)) {
    CheckUsageError(arguments, *error);
  } else if (options.action == Action::kRun) {
    CheckRun(arguments, options);
  } else if (options.action == Action::kHooksRun) {
    Check(!options.command.empty() && EndsWith(arguments, options.command),
          "a hook and its arguments are the last words, unchanged");
  } else {
    Check(options.command.empty(), "only a run has a command");
  }
  Check(!options.help.empty(), "there is a help text");
}

void CheckGit(const Arguments& arguments) {
  const Arguments command = GitArguments(arguments);
  Check(command.empty() ||
            EndsWith(arguments, {command.begin() + 1, command.end()}),
        "the words of a git command are its last");
  Check(!IsWorktreeAdd(command) || Contains(arguments, "add"),
        "add is written");
  const std::string branch = CreatedBranch(command).value_or("");
  Check(std::any_of(arguments.begin(), arguments.end(),
                    [&branch](const std::string& argument) {
                      return absl::EndsWith(argument, branch);
                    }) ||
            branch.empty(),
        "a branch is written");
  const std::string path = AddedPath(command);
  Check(path.empty() || Contains(arguments, path), "a path is written");
}

bool Same(const std::optional<Orchestr8Command>& a,
          const std::optional<Orchestr8Command>& b) {
  const auto fields = [](const Orchestr8Command& c) {
    return std::tie(c.needs_lock, c.features, c.max_concurrency, c.force,
                    c.yes);
  };
  return a.has_value() == b.has_value() &&
         (!a.has_value() || fields(*a) == fields(*b));
}

void CheckOrchestr8(const Arguments& arguments) {
  const std::optional<Orchestr8Command> read = ReadOrchestr8Command(arguments);
  Check(Same(read,
             ReadOrchestr8Command(Joined({"/usr/bin/env", "--"}, arguments))),
        "env changes nothing");
  if (!read.has_value()) return;
  Check(std::any_of(arguments.begin(), arguments.end(),
                    [](const std::string& argument) {
                      return absl::StrContains(argument, "orchestr8") ||
                             absl::StrContains(argument, "murmur8");
                    }),
        "orchestr8 is named");
  if (!read->needs_lock) {
    Check(Same(read, Orchestr8Command()), "without a lock all is empty");
    return;
  }
  Check(Contains(arguments, "parallel") || Contains(arguments, "murm") ||
            Contains(arguments, "murmuration"),
        "only a parallel run needs the lock");
  auto at = arguments.begin();
  for (const std::string& feature : read->features) {
    Check(!absl::StartsWith(feature, "-"), "a feature is no option");
    at = std::find(at, arguments.end(), feature);
    Check(at != arguments.end(), "features are words, in their order");
    ++at;
  }
  Check(read->max_concurrency.value_or(1) >= 1, "max-concurrency is 1 or more");
  Check(!read->force || Contains(arguments, "--force"), "--force is written");
  Check(!read->yes || Contains(arguments, "--yes") || Contains(arguments, "-y"),
        "--yes is written");
}

}  // namespace
}  // namespace o8lock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace o8lock;  // NOLINT(google-build-using-namespace): from outside
  const Arguments arguments = FuzzedArguments(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  CheckOptions(Joined({"o8lock"}, arguments));
  CheckOrchestr8(arguments);
  CheckGit(arguments);
  return 0;
}
