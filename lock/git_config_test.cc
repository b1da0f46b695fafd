// SPDX-License-Identifier: Apache-2.0
#include "lock/git_config.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace o8lock {
namespace {

GitConfig Read(const std::string& text) {
  GitConfig config;
  config.Read(text);
  return config;
}

TEST(GitConfigTest, ReadsWhatGitWrites) {
  const GitConfig config = Read(
      "[core]\n\trepositoryformatversion = 1\n\tbare = false\n"
      "\tworktree = ../../../sub\n[extensions]\n\tworktreeConfig = true\n"
      "[remote \"origin\"]\n\turl = /x\n");
  EXPECT_FALSE(config.bare);
  EXPECT_EQ(config.worktree, "../../../sub");
  EXPECT_TRUE(config.worktree_config);
}

TEST(GitConfigTest, ReadsEveryWayToSayTrue) {
  for (const char* text :
       {"[core] bare = true", "[core]bare=yes", "[CORE]\nBARE = On\n",
        "[core]\nbare\n", "[core]\r\n\tbare = 1\r\n", "[core]\nbare = \"true\"",
        "[core]\nbare = true # c", "[core]\nbare = true; c",
        "; c\n[core]\nbare", "[core]\nbare = false\nbare = true",
        "[core]\nbare = tr\\\nue", "\xef\xbb\xbf[core]\nbare"}) {
    EXPECT_TRUE(Read(text).bare) << text;
  }
}

TEST(GitConfigTest, TakesNothingElseForBare) {
  for (const char* text :
       {"", "bare = true", "[core]\nbare = false", "[core]\nbare = no",
        "[core]\n#bare = true", "[core \"x\"]\nbare = true",
        "[other]\nbare = true", "[core]\nbarely = true",
        "[core]\nbare =", "\n\xef\xbb\xbf[core]\nbare"}) {
    EXPECT_FALSE(Read(text).bare) << text;
  }
}

TEST(GitConfigTest, ReadsQuotedAndEscapedPaths) {
  EXPECT_EQ(Read("[core]\nworktree = \"/a b#c;d\" ").worktree, "/a b#c;d");
  EXPECT_EQ(Read("[core]\nworktree = /a b \t\n").worktree, "/a b");
  EXPECT_EQ(Read("[core]\nworktree = \" /a \"").worktree, " /a ");
  EXPECT_EQ(Read("[core]\nworktree = /a\\\\b\\\"c").worktree, "/a\\b\"c");
  EXPECT_EQ(Read("[core]\nworktree = /a\\tb").worktree, "/a\tb");
  EXPECT_EQ(Read("[core]\nx = y\n").worktree, std::nullopt);
}

TEST(GitConfigTest, ReadsWhereTheHooksAre) {
  EXPECT_EQ(Read("[core]\n\thooksPath = .husky/_\n").hooks_path, ".husky/_");
  EXPECT_EQ(Read("[core]\nhookspath = a\nHOOKSPATH = b\n").hooks_path, "b");
  EXPECT_EQ(Read("[core]\n\tbare = false\n").hooks_path, std::nullopt);
}

TEST(GitConfigTest, SurvivesTextThatEndsAnywhere) {
  const std::string text =
      "[core \"a\\\"b]\"]\n k = \"v\\\n w\" ; c\n[core]\n\tbare = true\n";
  for (size_t size = 0; size <= text.size(); ++size) {
    Read(text.substr(0, size));
  }
  EXPECT_TRUE(Read(text).bare);
}

}  // namespace
}  // namespace o8lock
