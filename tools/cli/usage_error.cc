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

using Words = std::vector<std::string>;

Words Joined(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// `words`, which begin with the program, as the user can type them.
Words AsTyped(const Words& words) {
  return Joined(OwnWords(words[0]), {words.begin() + 1, words.end()});
}

// `before` and then `verb` in place of the words of `words` that were meant to
// be it.
std::string DidYouMean(const Words& before, const Verb& verb,
                       const Words& words) {
  const Words name = absl::StrSplit(verb.name, ' ');
  return absl::StrCat(
      "did you mean: ",
      ShellQuoted(Joined(
          Joined(AsTyped(before), name),
          {words.begin() + static_cast<int>(name.size()), words.end()})));
}

}  // namespace

UsageError SeeHelp(std::string problem, absl::string_view verb) {
  return {std::move(problem), absl::StrCat("see: ", OwnCommand(verb),
                                           verb.empty() ? "" : " ", "--help")};
}

UsageError NoVerbNorDashes(Words before, const Words& words) {
  const std::string last = before.back();
  if ((last == "-w" || last == "--wait") &&
      ParseDuration(words[0]).has_value()) {
    before.back() += absl::StrCat(last == "-w" ? "" : "=", words[0]);
    return {last == "-w" ? "-w takes its time without a space"
                         : "--wait takes its time after '='",
            absl::StrCat("try: ", ShellQuoted(AsTyped(before)), " -- COMMAND")};
  }
  if (const Verb* verb = GuessVerb(words); verb != nullptr) {
    return {absl::StrCat("unknown verb: '", words[0], "'"),
            DidYouMean(before, *verb, words)};
  }
  return {absl::StrCat("'--' is missing before the command '", words[0], "'"),
          absl::StrCat("try: ", ShellQuoted(Joined(
                                    Joined(AsTyped(before), {"--"}), words)))};
}

UsageError NoHooksVerb(const Words& before, const Words& words) {
  const Words typed = Joined({before.back()}, words);
  const Words program(before.begin(), before.end() - 1);
  const Verb* verb = words.empty() ? nullptr : GuessVerb(typed);
  UsageError error =
      SeeHelp("hooks needs one of these verbs: install, uninstall, status, run",
              "hooks");
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

UsageError TwoLocks(const Words& first, const Words& second) {
  const auto nested = [](const Words& words) {
    return ShellQuoted(Joined(Joined(OwnWords(), words), {"--"}));
  };
  return {
      absl::StrCat("a run has one lock, but two are selected: ",
                   absl::StrJoin(first, " "), ", ", absl::StrJoin(second, " ")),
      absl::StrCat("remove one of them, or take both locks: ", nested(first),
                   " ", nested(second), " COMMAND")};
}

}  // namespace o8lock
