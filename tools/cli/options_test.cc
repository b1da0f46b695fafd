// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/options.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace o8lock {
namespace {

using Words = std::vector<std::string>;

absl::StatusOr<Options> Parse(Words words) {
  words.insert(words.begin(), "o8lock");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return ParseOptions(argv.data());
}

Options Parsed(const Words& words) {
  const absl::StatusOr<Options> options = Parse(words);
  EXPECT_TRUE(options.ok()) << absl::StrJoin(words, " ") << options.status();
  return options.value_or(Options());
}

TEST(ParseOptionsTest, HasTheseDefaults) {
  const Options options = Parsed({"--", "true"});
  EXPECT_EQ(options.action, Action::kRun);
  EXPECT_EQ(options.command, Words({"true"}));
  EXPECT_FALSE(options.force || options.yes || options.quiet ||
               options.verbose);
  EXPECT_EQ(options.publish, std::nullopt);
  EXPECT_EQ(options.wait_seconds, 0);
  EXPECT_EQ(options.leftovers, std::nullopt);
  EXPECT_EQ(options.name, "parallel");
  EXPECT_EQ(options.lock_file, "");
  EXPECT_EQ(options.features, Words());
  EXPECT_EQ(options.max_concurrency, std::nullopt);
  EXPECT_EQ(options.conflict_exit_code, 75);
  EXPECT_EQ(options.selection, Words());
}

TEST(ParseOptionsTest, ReadsEveryOption) {
  const Options options = Parsed(
      {"--force", "--yes", "--name", "deploy", "--lock-file=/l", "--feature",
       "a", "--feature=b", "--max-concurrency", "5", "--publish=never",
       "--conflict-exit-code=9", "--quiet", "--verbose", "--", "x", "-f"});
  EXPECT_TRUE(options.force && options.yes && options.quiet && options.verbose);
  EXPECT_EQ(options.name, "deploy");
  EXPECT_EQ(options.lock_file, "/l");
  EXPECT_EQ(options.features, Words({"a", "b"}));
  EXPECT_EQ(options.max_concurrency, 5);
  EXPECT_EQ(options.publish, Publish::kNever);
  EXPECT_EQ(options.conflict_exit_code, 9);
  EXPECT_EQ(options.command, Words({"x", "-f"}));
  EXPECT_EQ(options.selection,
            Words({"--name", "deploy", "--lock-file", "/l"}));
  EXPECT_EQ(options.description,
            Words({"--feature", "a", "--feature", "b", "--max-concurrency", "5",
                   "--publish", "never"}));
}

TEST(ParseOptionsTest, ReadsLettersAloneAndTogether) {
  const Options options = Parsed({"-fyqv", "-n", "a", "-E0", "--", "x"});
  EXPECT_TRUE(options.force && options.yes && options.quiet && options.verbose);
  EXPECT_EQ(options.name, "a");
  EXPECT_EQ(options.conflict_exit_code, 0);
}

TEST(ParseOptionsTest, LeavesTheCommandAlone) {
  EXPECT_EQ(Parsed({"--", "--", "--force", "", "status"}).command,
            Words({"--", "--force", "", "status"}));
  EXPECT_EQ(Parsed({"--", "status"}).action, Action::kRun);
  EXPECT_EQ(Parsed({"--", "-x"}).command, Words({"-x"}));
}

TEST(ParseOptionsTest, ReadsStatusWithOptionsOnBothSides) {
  for (const Words& words :
       {Words({"status"}), Words({"status", "--"}),
        Words({"-n", "a", "status"}), Words({"status", "-n", "a"})}) {
    EXPECT_EQ(Parsed(words).action, Action::kStatus);
    EXPECT_EQ(Parsed(words).name, words.size() > 2 ? "a" : "parallel");
  }
}

TEST(ParseOptionsTest, ReadsHooksCommands) {
  EXPECT_EQ(Parsed({"hooks", "install"}).action, Action::kHooksInstall);
  EXPECT_EQ(Parsed({"hooks", "uninstall"}).action, Action::kHooksUninstall);
  EXPECT_EQ(Parsed({"hooks", "status"}).action, Action::kHooksStatus);
  EXPECT_FALSE(Parsed({"hooks", "status"}).json);
  EXPECT_TRUE(Parsed({"hooks", "status", "--json"}).json);
  // Everything behind the hook's name is git's.
  const Options run =
      Parsed({"hooks", "run", "post-checkout", "a", "--json", "--", "-f"});
  EXPECT_EQ(run.action, Action::kHooksRun);
  EXPECT_EQ(run.command, Words({"post-checkout", "a", "--json", "--", "-f"}));
  EXPECT_FALSE(run.json || run.force);
}

TEST(ParseOptionsTest, AnswersHelpAndVersionAtOnce) {
  EXPECT_EQ(Parsed({"--help"}).action, Action::kHelp);
  EXPECT_EQ(Parsed({"-h", "--no-such-option"}).action, Action::kHelp);
  EXPECT_EQ(Parsed({"--version"}).action, Action::kVersion);
  EXPECT_EQ(Parsed({"status", "--help"}).action, Action::kHelp);
}

TEST(ParseOptionsTest, SaysWhatIsWrongAndWhatWouldBeRight) {
  const struct {
    Words words;
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
       "status takes no arguments: 'now'\nsee: o8lock --help"},
      {{"hooks"},
       "hooks wants one of: install, uninstall, status, run\n"
       "see: o8lock --help"},
      {{"hooks", "fly"},
       "hooks wants one of: install, uninstall, status, run\n"
       "see: o8lock --help"},
      {{"hooks", "install", "now"},
       "hooks install takes no arguments: 'now'\nsee: o8lock --help"},
      {{"hooks", "run"},
       "hooks run wants the name of a git hook\nsee: o8lock --help"},
      {{"hooks", "install", "--json"},
       "--json is for: o8lock status, o8lock hooks status\n"
       "see: o8lock --help"},
      {{"--wait", "--force", "--", "x"},
       "--wait and --force exclude each other\nsee: o8lock --help"},
      {{"--bogus", "--", "x"}, "unknown option: '--bogus'\nsee: o8lock --help"},
      {{"--bogus=1", "--", "x"},
       "unknown option: '--bogus=1'\nsee: o8lock --help"},
      {{"-Z", "--", "x"}, "unknown option: '-Z'\nsee: o8lock --help"},
      {{"--force", "-yZq", "--", "x"},
       "unknown option: '-Z'\nsee: o8lock --help"},
      {{"--force=1", "--", "x"},
       "option takes no value: '--force=1'\nsee: o8lock --help"},
      {{"--name"}, "option wants a value: '--name'\nsee: o8lock --help"},
      {{"-fn"}, "option wants a value: '-n'\nsee: o8lock --help"},
      {{"--lock-file=", "--", "x"},
       "--lock-file wants the path of a file\nsee: o8lock --help"},
      {{"--publish=now", "--", "x"},
       "--publish wants 'auto', 'always' or 'never', not 'now'\n"
       "see: o8lock --help"},
      {{"--leftovers=eat", "--", "x"},
       "--leftovers wants 'release', 'wait', 'kill' or 'keep', not 'eat'\n"
       "see: o8lock --help"},
      {{"--max-concurrency=0", "--", "x"},
       "--max-concurrency wants a whole number from 1 to 1000000, not '0'\n"
       "see: o8lock --help"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Parse(c.words).status(), absl::InvalidArgumentError(c.message));
  }
}

TEST(ParseOptionsTest, ReadsHowLongToWait) {
  EXPECT_EQ(Parsed({"--", "x"}).wait_seconds, 0);
  EXPECT_EQ(Parsed({"--wait", "--", "x"}).wait_seconds, std::nullopt);
  EXPECT_EQ(Parsed({"-w", "--", "x"}).wait_seconds, std::nullopt);
  EXPECT_EQ(Parsed({"-qw10m", "--", "x"}).wait_seconds, 600);
  const struct {
    const char* text;
    int64_t seconds;
  } cases[] = {
      {"0", 0},       {"0s", 0},
      {"90s", 90},    {"10m", 600},
      {"1h", 3600},   {"1h30m", 5400},
      {"1h1s", 3601}, {"2h3m4s", 7384},
      {"090s", 90},   {"2147483647h", int64_t{2147483647} * 3600},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Parsed({std::string("--wait=") + c.text, "--", "x"}).wait_seconds,
              c.seconds)
        << c.text;
  }
  for (const char* text : {"10", "1.5h", "30m1h", "1h1h", "-1", "-1s", "+1s",
                           "", " 1s", "1s ", "s", "1d", "1 h", "1S", "1ms",
                           "00", "2147483648s", "99999999999999999999h"}) {
    EXPECT_EQ(Parse({std::string("--wait=") + text, "--", "x"}).status(),
              absl::InvalidArgumentError(
                  std::string("--wait wants a time such as 90s, 10m or 1h30m, "
                              "not '") +
                  text + "'\nsee: o8lock --help"));
  }
  // A word of its own would be the command.
  EXPECT_EQ(Parse({"-w", "10m", "--", "x"}).status(),
            absl::InvalidArgumentError("a time is written together with -w\n"
                                       "try: o8lock -w10m -- COMMAND"));
  EXPECT_EQ(
      Parse({"-q", "--wait", "1h30m", "x"}).status(),
      absl::InvalidArgumentError("a time is written together with --wait\n"
                                 "try: o8lock -q --wait=1h30m -- COMMAND"));
  EXPECT_EQ(Parse({"-w1s", "--force", "--", "x"}).status(),
            absl::InvalidArgumentError(
                "--wait and --force exclude each other\nsee: o8lock --help"));
}

TEST(ParseOptionsTest, TakesExitCodesThatExistOnly) {
  for (const char* code : {"0", "1", "75", "255"}) {
    EXPECT_TRUE(Parse({"-E", code, "--", "x"}).ok()) << code;
  }
  for (const char* code : {"256", "600", "-1", "+1", " 1", "1 ", "", "x", "1.0",
                           "99999999999999999999"}) {
    EXPECT_EQ(Parse({"-E", code, "--", "x"}).status(),
              absl::InvalidArgumentError(
                  std::string("--conflict-exit-code wants a whole number from "
                              "0 to 255, not '") +
                  code + "'\nsee: o8lock --help"));
  }
}

TEST(HelpTextTest, FitsAScreen) {
  const std::vector<std::string> lines = absl::StrSplit(HelpText(), '\n');
  EXPECT_LE(lines.size(), 24u);  // the last one is empty
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80u) << line;
}

}  // namespace
}  // namespace o8lock
