// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/usage_error.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tools/cli/caller.h"
#include "tools/cli/duration.h"
#include "tools/cli/text.h"
#include "tools/cli/verbs.h"

namespace o8lock {
namespace {

using Arguments = std::vector<std::string>;

Arguments Joined(Arguments arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// Returns `arguments`, with the program first, as the user can type them.
Arguments AsTyped(const Arguments& arguments) {
  return Joined(OwnArguments(arguments[0]),
                {arguments.begin() + 1, arguments.end()});
}

// Suggests `before` and then `verb`, in place of the mistyped verb in
// `arguments`.
std::string DidYouMean(const Arguments& before, const Verb& verb,
                       const Arguments& arguments) {
  const Arguments name = absl::StrSplit(verb.name, ' ');
  return absl::StrCat(
      "did you mean: ",
      ShellQuoted(Joined(Joined(AsTyped(before), name),
                         {arguments.begin() + static_cast<int>(name.size()),
                          arguments.end()})));
}

}  // namespace

UsageError SeeHelp(std::string problem, absl::string_view verb) {
  return {std::move(problem), absl::StrCat("see: ", OwnCommand(verb),
                                           verb.empty() ? "" : " ", "--help")};
}

UsageError NoVerbNorDashes(Arguments before, const Arguments& arguments) {
  const std::string last = before.back();
  if ((last == "-w" || last == "--wait") &&
      ParseDuration(arguments[0]).has_value()) {
    before.back() += absl::StrCat(last == "-w" ? "" : "=", arguments[0]);
    return {last == "-w" ? "no space is allowed between -w and TIME"
                         : "'=' is missing between --wait and TIME",
            absl::StrCat("try: ", ShellQuoted(AsTyped(before)), " -- COMMAND")};
  }
  if (const Verb* verb = GuessVerb(arguments); verb != nullptr) {
    return {absl::StrCat("unknown verb: '", arguments[0], "'"),
            DidYouMean(before, *verb, arguments)};
  }
  return {
      absl::StrCat("'--' is missing before the command '", arguments[0], "'"),
      absl::StrCat("try: ", ShellQuoted(Joined(Joined(AsTyped(before), {"--"}),
                                               arguments)))};
}

UsageError NoHooksVerb(const Arguments& before, const Arguments& arguments) {
  const Arguments typed = Joined({before.back()}, arguments);
  const Arguments program(before.begin(), before.end() - 1);
  const Verb* verb = arguments.empty() ? nullptr : GuessVerb(typed);
  UsageError error =
      SeeHelp("'hooks' needs a verb: install, uninstall or status", "hooks");
  if (verb != nullptr) error.hint = DidYouMean(program, *verb, typed);
  return error;
}

UsageError NoHelpFor(const std::string& name) {
  const Verb* verb = GuessVerb(absl::StrSplit(name, ' '));
  UsageError error = SeeHelp(absl::StrCat("there is no help for '", name, "'"));
  if (verb != nullptr) {
    error.hint =
        absl::StrCat("did you mean: ", OwnCommand("help "), verb->name);
  }
  return error;
}

UsageError TwoLocks(const Arguments& first, const Arguments& second) {
  const auto nested = [](const Arguments& arguments) {
    return ShellQuoted(Joined(Joined(OwnArguments(), arguments), {"--"}));
  };
  return {
      absl::StrCat("a run has one lock, but two are selected: ",
                   absl::StrJoin(first, " "), ", ", absl::StrJoin(second, " ")),
      absl::StrCat("remove one of them, or take both locks: ", nested(first),
                   " ", nested(second), " COMMAND")};
}

}  // namespace o8lock
