// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/options.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tools/cli/usage_error.h"
#include "tools/cli/verbs.h"

namespace o8lock {
namespace {

using Arguments = std::vector<std::string>;

std::optional<UsageError> Parse(Arguments arguments, Options& options) {
  arguments.insert(arguments.begin(), "o8lock");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return ParseOptions(argv.data(), options);
}

Options Parsed(const Arguments& arguments) {
  Options options;
  const std::optional<UsageError> error = Parse(arguments, options);
  EXPECT_FALSE(error.has_value())
      << absl::StrJoin(arguments, " ") << ": " << error->problem;
  return options;
}

// Returns the problem and the hint, each on its line. Empty without an error.
std::string Error(const Arguments& arguments) {
  Options options;
  const std::optional<UsageError> error = Parse(arguments, options);
  return error.has_value() ? absl::StrCat(error->problem, "\n", error->hint)
                           : "";
}

TEST(ParseOptionsTest, HasTheseDefaults) {
  const Options options = Parsed({"--", "true"});
  EXPECT_EQ(options.action, Action::kRun);
  EXPECT_EQ(options.command, Arguments({"true"}));
  EXPECT_FALSE(options.force || options.yes || options.quiet ||
               options.verbose);
  EXPECT_EQ(options.publish, std::nullopt);
  EXPECT_EQ(options.wait, absl::ZeroDuration());
  EXPECT_EQ(options.kill_after, absl::Seconds(10));
  EXPECT_EQ(options.leftovers, std::nullopt);
  EXPECT_EQ(options.name, "parallel");
  EXPECT_EQ(options.lock_file, "");
  EXPECT_EQ(options.features, Arguments());
  EXPECT_EQ(options.max_concurrency, std::nullopt);
  EXPECT_EQ(options.conflict_exit_code, 75);
  EXPECT_EQ(options.selection, Arguments());
}

TEST(ParseOptionsTest, ReadsEveryOption) {
  const Options options =
      Parsed({"--force", "--yes", "--name", "deploy", "--feature", "a",
              "--feature=b", "--max-concurrency", "5", "--publish=never",
              "--leftovers=kill", "--kill-after=1m", "--conflict-exit-code=9",
              "--quiet", "--verbose", "--", "x", "-f"});
  EXPECT_TRUE(options.force && options.yes && options.quiet && options.verbose);
  EXPECT_EQ(options.name, "deploy");
  EXPECT_EQ(options.features, Arguments({"a", "b"}));
  EXPECT_EQ(options.max_concurrency, 5);
  EXPECT_EQ(options.publish, Publish::kNever);
  EXPECT_EQ(options.leftovers, SurvivalPolicy::kKill);
  EXPECT_EQ(options.kill_after, absl::Minutes(1));
  EXPECT_EQ(options.conflict_exit_code, 9);
  EXPECT_EQ(options.command, Arguments({"x", "-f"}));
  EXPECT_EQ(options.selection, Arguments({"--name", "deploy"}));
  EXPECT_EQ(
      options.description,
      Arguments({"--feature", "a", "--feature", "b", "--max-concurrency", "5",
                 "--publish", "never", "--leftovers", "kill", "--kill-after",
                 "1m", "--conflict-exit-code", "9", "--verbose"}));
  const Options file = Parsed({"--lock-file=/l", "--", "x"});
  EXPECT_EQ(file.lock_file, "/l");
  EXPECT_EQ(file.selection, Arguments({"--lock-file", "/l"}));
}

TEST(ParseOptionsTest, ReadsLettersAloneAndTogether) {
  const Options options = Parsed({"-fyqv", "-n", "a", "-E0", "--", "x"});
  EXPECT_TRUE(options.force && options.yes && options.quiet && options.verbose);
  EXPECT_EQ(options.name, "a");
  EXPECT_EQ(options.conflict_exit_code, 0);
}

TEST(ParseOptionsTest, LeavesTheCommandAlone) {
  EXPECT_EQ(Parsed({"--", "--", "--force", "", "status"}).command,
            Arguments({"--", "--force", "", "status"}));
  EXPECT_EQ(Parsed({"--", "status"}).action, Action::kRun);
  EXPECT_EQ(Parsed({"--", "-x"}).command, Arguments({"-x"}));
}

TEST(ParseOptionsTest, ReadsStatusWithOptionsOnBothSides) {
  for (const Arguments& arguments :
       {Arguments({"status"}), Arguments({"status", "--"}),
        Arguments({"-n", "a", "status"}), Arguments({"status", "-n", "a"})}) {
    EXPECT_EQ(Parsed(arguments).action, Action::kStatus);
    EXPECT_EQ(Parsed(arguments).name, arguments.size() > 2 ? "a" : "parallel");
  }
}

TEST(ParseOptionsTest, ReadsHooksCommands) {
  EXPECT_EQ(Parsed({"hooks", "install"}).action, Action::kHooksInstall);
  EXPECT_EQ(Parsed({"hooks", "uninstall"}).action, Action::kHooksUninstall);
  EXPECT_EQ(Parsed({"hooks", "status"}).action, Action::kHooksStatus);
  EXPECT_FALSE(Parsed({"hooks", "status"}).json);
  EXPECT_TRUE(Parsed({"hooks", "status", "--json"}).json);
  // All arguments after the hook's name belong to git.
  const Options run =
      Parsed({"hooks", "run", "post-checkout", "a", "--json", "--", "-f"});
  EXPECT_EQ(run.action, Action::kHooksRun);
  EXPECT_EQ(run.command,
            Arguments({"post-checkout", "a", "--json", "--", "-f"}));
  EXPECT_FALSE(run.json || run.force);
}

TEST(ParseOptionsTest, AnswersHelpAndVersionAtOnce) {
  EXPECT_EQ(Parsed({"--version"}).action, Action::kVersion);
  const struct {
    Arguments arguments;
    absl::string_view help;
  } cases[] = {
      {{"--help"}, HelpText()},
      {{"-h", "--no-such-option"}, HelpText()},
      {{"help"}, HelpText()},
      {{"-q", "help"}, HelpText()},
      {{"--help", "status"}, HelpText()},
      {{"status", "--help"}, FindVerb("status")->help},
      {{"-q", "unlock", "-h"}, FindVerb("unlock")->help},
      {{"help", "doctor"}, FindVerb("doctor")->help},
      {{"help", "help"}, FindVerb("help")->help},
      {{"hooks", "--help"}, FindVerb("hooks")->help},
      {{"hooks", "-h"}, FindVerb("hooks")->help},
      {{"hooks", "help"}, FindVerb("hooks")->help},
      {{"help", "hooks"}, FindVerb("hooks")->help},
      {{"hooks", "install", "--help"}, FindVerb("hooks install")->help},
      {{"help", "hooks", "status"}, FindVerb("hooks status")->help},
      {{"hooks", "run", "--help"}, FindVerb("hooks run")->help},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(absl::StrJoin(c.arguments, " "));
    const Options options = Parsed(c.arguments);
    EXPECT_EQ(options.action, Action::kHelp);
    EXPECT_EQ(options.help, c.help);
  }
  // Git's own arguments belong to the hook.
  EXPECT_EQ(Parsed({"hooks", "run", "post-checkout", "--help"}).action,
            Action::kHooksRun);
}

TEST(ParseOptionsTest, SaysWhatIsWrongAndWhatWouldBeRight) {
  const struct {
    Arguments arguments;
    const char* message;
  } cases[] = {
      {{},
       "there is no command to run\nusage: o8lock [OPTIONS] -- COMMAND "
       "[ARG...]"},
      {{"--"},
       "there is no command to run\nusage: o8lock [OPTIONS] -- COMMAND "
       "[ARG...]"},
      {{"-f"},
       "there is no command to run\nusage: o8lock [OPTIONS] -- COMMAND "
       "[ARG...]"},
      {{"-f", "orchestr8", "parallel", "a b"},
       "'--' is missing before the command 'orchestr8'\n"
       "try: o8lock -f -- orchestr8 parallel 'a b'"},
      // Its "--" is the option's value.
      {{"-n", "--", "x"},
       "'--' is missing before the command 'x'\ntry: o8lock -n -- -- x"},
      {{"status", "now"},
       "status takes no arguments: 'now'\nsee: o8lock status --help"},
      {{"hooks"},
       "'hooks' needs a verb: install, uninstall or status\n"
       "see: o8lock hooks --help"},
      {{"hooks", "fly"},
       "'hooks' needs a verb: install, uninstall or status\n"
       "see: o8lock hooks --help"},
      {{"hooks", "install", "now"},
       "hooks install takes no arguments: 'now'\n"
       "see: o8lock hooks install --help"},
      {{"hooks", "run"},
       "hooks run needs the name of a git hook\n"
       "see: o8lock hooks run --help"},
      {{"hooks", "install", "--json"},
       "--json works only with status, doctor and hooks status\n"
       "see: o8lock --help"},
      {{"-n", "db", "-n", "de ploy", "--", "x"},
       "a run has one lock, but two are selected: --name db, --name de ploy\n"
       "remove one of them, or take both locks: o8lock --name db -- "
       "o8lock --name 'de ploy' -- COMMAND"},
      {{"--lock-file=f", "status", "-n", "db"},
       "a run has one lock, but two are selected: --lock-file f, --name db\n"
       "remove one of them, or take both locks: o8lock --lock-file f -- "
       "o8lock --name db -- COMMAND"},
      {{"--wait", "--force", "--", "x"},
       "--wait and --force cannot be used together\nsee: o8lock --help"},
      {{"--bogus", "--", "x"}, "unknown option: '--bogus'\nsee: o8lock --help"},
      {{"--bogus=1", "--", "x"},
       "unknown option: '--bogus=1'\nsee: o8lock --help"},
      {{"-Z", "--", "x"}, "unknown option: '-Z'\nsee: o8lock --help"},
      {{"--force", "-yZq", "--", "x"},
       "unknown option: '-Z'\nsee: o8lock --help"},
      {{"--force=1", "--", "x"},
       "option takes no value: '--force=1'\nsee: o8lock --help"},
      {{"--name"}, "option needs a value: '--name'\nsee: o8lock --help"},
      {{"-fn"}, "option needs a value: '-n'\nsee: o8lock --help"},
      {{"--lock-file=", "--", "x"},
       "--lock-file needs the path of a file\nsee: o8lock --help"},
      {{"--publish=now", "--", "x"},
       "--publish must be 'auto', 'always' or 'never', not 'now'\n"
       "see: o8lock --help"},
      {{"--leftovers=keep", "-n", "db", "--", "x"},
       "--leftovers=keep cannot be used with --name or --lock-file\nsee: "
       "o8lock --help"},
      {{"--leftovers=eat", "--", "x"},
       "--leftovers must be 'release', 'wait', 'kill' or 'keep', not 'eat'\n"
       "see: o8lock --help"},
      {{"--max-concurrency=0", "--", "x"},
       "--max-concurrency must be a whole number from 1 to 1000000, not '0'\n"
       "see: o8lock --help"},
  };
  for (const auto& c : cases) EXPECT_EQ(Error(c.arguments), c.message);
}

TEST(ParseOptionsTest, ProposesTheVerbThatWasMeant) {
  const struct {
    Arguments arguments;
    const char* message;
  } cases[] = {
      {{"statsu"}, "unknown verb: 'statsu'\ndid you mean: o8lock status"},
      {{"-n", "a b", "Status", "--json"},
       "unknown verb: 'Status'\n"
       "did you mean: o8lock -n 'a b' status --json"},
      {{"unlok"}, "unknown verb: 'unlok'\ndid you mean: o8lock unlock"},
      {{"docter"}, "unknown verb: 'docter'\ndid you mean: o8lock doctor"},
      {{"hepl"}, "unknown verb: 'hepl'\ndid you mean: o8lock help"},
      {{"hook"}, "unknown verb: 'hook'\ndid you mean: o8lock hooks"},
      {{"hook", "install"},
       "unknown verb: 'hook'\ndid you mean: o8lock hooks install"},
      {{"-q", "hooks", "instal"},
       "'hooks' needs a verb: install, uninstall or status\n"
       "did you mean: o8lock -q hooks install"},
      {{"help", "satus"},
       "there is no help for 'satus'\ndid you mean: o8lock help status"},
      {{"help", "make"}, "there is no help for 'make'\nsee: o8lock --help"},
      // Commands similar to a verb.
      {{"stat"},
       "'--' is missing before the command 'stat'\ntry: o8lock -- stat"},
      {{"unlink", "file"},
       "'--' is missing before the command 'unlink'\n"
       "try: o8lock -- unlink file"},
      {{"make", "install"},
       "'--' is missing before the command 'make'\n"
       "try: o8lock -- make install"},
  };
  for (const auto& c : cases) EXPECT_EQ(Error(c.arguments), c.message);
}

TEST(ParseOptionsTest, ReadsHowLongToWait) {
  EXPECT_EQ(Parsed({"--wait", "--", "x"}).wait, std::nullopt);
  EXPECT_EQ(Parsed({"-w", "--", "x"}).wait, std::nullopt);
  EXPECT_EQ(Parsed({"-qw10m", "--", "x"}).wait, absl::Minutes(10));
  EXPECT_EQ(Parsed({"-w1", "--", "x"}).wait, absl::Seconds(1));
  EXPECT_EQ(Parsed({"--wait=0.5s", "--", "x"}).wait, absl::Milliseconds(500));
  EXPECT_EQ(Error({"--wait=1x", "--", "x"}),
            "--wait must be a time such as 90s, 10m, 1h30m or 2d, not '1x'\n"
            "see: o8lock --help");
  EXPECT_EQ(
      Error({"--kill-after=", "--", "x"}),
      "--kill-after must be a time such as 90s, 10m, 1h30m or 2d, not ''\n"
      "see: o8lock --help");
  // A separate argument would be the command.
  EXPECT_EQ(Error({"-w", "10", "--", "x"}),
            "no space is allowed between -w and TIME\n"
            "try: o8lock -w10 -- COMMAND");
  EXPECT_EQ(Error({"-q", "--wait", "1h30m", "x"}),
            "'=' is missing between --wait and TIME\n"
            "try: o8lock -q --wait=1h30m -- COMMAND");
  EXPECT_EQ(Error({"-w1s", "--force", "--", "x"}),
            "--wait and --force cannot be used together\nsee: o8lock --help");
}

TEST(ParseOptionsTest, TakesExitCodesThatExistOnly) {
  for (const char* code : {"0", "1", "75", "255"}) {
    EXPECT_EQ(Error({"-E", code, "--", "x"}), "") << code;
  }
  for (const char* code : {"256", "600", "-1", "+1", " 1", "1 ", "", "x", "1.0",
                           "99999999999999999999"}) {
    EXPECT_EQ(Error({"-E", code, "--", "x"}),
              absl::StrCat("--conflict-exit-code must be a whole number from 0 "
                           "to 255, not '",
                           code, "'\nsee: o8lock --help"));
  }
}

TEST(HelpTextTest, FitsAScreen) {
  std::vector<absl::string_view> texts = {HelpText()};
  for (const char* verb :
       {"status", "unlock", "doctor", "hooks", "hooks install",
        "hooks uninstall", "hooks status", "hooks run", "help"}) {
    ASSERT_NE(FindVerb(verb), nullptr) << verb;
    texts.push_back(FindVerb(verb)->help);
  }
  for (const absl::string_view text : texts) {
    EXPECT_EQ(text.substr(0, 14), "Usage: o8lock ");
    const std::vector<std::string> lines = absl::StrSplit(text, '\n');
    EXPECT_LE(lines.size(), 24u) << text;
    EXPECT_EQ(lines.back(), "");
    for (const std::string& line : lines) EXPECT_LE(line.size(), 80u) << line;
  }
}

}  // namespace
}  // namespace o8lock
