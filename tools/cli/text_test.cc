// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/text.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace o8lock {
namespace {

TEST(PrintableTest, LeavesTextAlone) {
  for (const char* text : {"", "feat-a", "a b\\c'\"", "\xc3\xa4\xe2\x82\xac",
                           "\xf0\x9f\x94\x92", "\xc2\xa0"}) {
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(PrintableTest, EscapesWhatATerminalWouldObey) {
  const struct {
    std::string text;
    std::string printable;
  } cases[] = {
      {"\x1b[2J", "\\x1b[2J"},
      {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
      {std::string("\0", 1), "\\x00"},
      {"\x7f", "\\x7f"},
      {"\xc2\x9b", "\\xc2\\x9b"},  // CSI in one character
      // NOLINTNEXTLINE(misc-misleading-bidirectional): tested on purpose
      {"\xe2\x80\xae", "\\u202e"},          // right-to-left override
      {"a\xe2\x80\x8b", "a\\u200b"},        // zero width
      {"\xf3\xa0\x81\x81", "\\U000e0041"},  // a tag
      {"\xff\xfe", "\\xff\\xfe"},
      {"\xc3", "\\xc3"},                    // truncated
      {"\xc0\xaf", "\\xc0\\xaf"},           // an overlong form
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},  // a surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
      {"\xe2\x82x", "\\xe2\\x82x"},
  };
  for (const auto& c : cases) EXPECT_EQ(Printable(c.text), c.printable);
}

TEST(ShellQuotedTest, QuotesWhereAShellNeedsIt) {
  EXPECT_EQ(ShellQuoted({"orchestr8", "parallel", "feat-a", "--x=1"}),
            "orchestr8 parallel feat-a --x=1");
  EXPECT_EQ(ShellQuoted({"sh", "-c", "echo $HOME", "", "it's"}),
            "sh -c 'echo $HOME' '' 'it'\\''s'");
  EXPECT_EQ(ShellQuoted({"~", "a*", "\xc3\xa4"}), "'~' 'a*' '\xc3\xa4'");
  EXPECT_EQ(ShellQuoted({"a\nb'\\\x1b"}), "$'a\\x0ab\\'\\\\\\x1b'");
  EXPECT_EQ(ShellQuoted({}), "");
}

TEST(ShellQuotedTest, GivesBashTheSameArguments) {
  const std::vector<std::string> arguments = {
      "plain", "", " ", "a\nb", "it's", "\"", "$x `y` \\", "\x1b[2J", "\xff",
      "'\n\\",
      // NOLINTNEXTLINE(misc-misleading-bidirectional): tested on purpose
      "\xe2\x80\xae", "-n", "!", "#", "=x"};
  const std::string command =
      "bash -c \"$LINE\"";  // the arguments arrive through the environment
  std::string line = "printf '%s\\0' " + ShellQuoted(arguments);
  setenv("LINE", line.c_str(), 1);
  setenv("LC_ALL", "C.UTF-8", 1);
  FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string out;
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) {
    out += static_cast<char>(c);
  }
  EXPECT_EQ(pclose(pipe), 0);
  std::string expected;
  for (const std::string& argument : arguments) expected += argument + '\0';
  EXPECT_EQ(out, expected);
}

TEST(FormatDurationTest, ShowsTheTwoLargestUnits) {
  EXPECT_EQ(FormatDuration(-5), "0s");
  EXPECT_EQ(FormatDuration(0), "0s");
  EXPECT_EQ(FormatDuration(59), "59s");
  EXPECT_EQ(FormatDuration(60), "1m 0s");
  EXPECT_EQ(FormatDuration(724), "12m 4s");
  EXPECT_EQ(FormatDuration(3600), "1h 0m");
  EXPECT_EQ(FormatDuration(86399), "23h 59m");
  EXPECT_EQ(FormatDuration(2 * 86400 + 4 * 3600), "2d 4h");
}

}  // namespace
}  // namespace o8lock
