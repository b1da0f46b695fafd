// SPDX-License-Identifier: Apache-2.0
#include "lock/git_config.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace o8lock {
namespace {

GitConfig Read(const std::string& text) {
  GitConfig config;
  EXPECT_EQ(config.Read(text, "config"), absl::OkStatus()) << text;
  return config;
}

std::string ErrorOf(const std::string& text) {
  GitConfig config;
  const absl::Status status = config.Read(text, "config");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << text;
  return std::string(status.message());
}

TEST(GitConfigTest, ReadsWhatGitWrites) {
  const GitConfig config = Read(
      "[core]\n\trepositoryformatversion = 1\n\tbare = false\n"
      "\tworktree = ../../../sub\n[extensions]\n\tworktreeConfig = true\n"
      "\tobjectFormat = sha256\n\trefStorage = reftable\n"
      "[remote \"origin\"]\n\turl = /x\n");
  EXPECT_EQ(config.format_version, 1);
  EXPECT_EQ(config.bare, false);
  EXPECT_EQ(config.worktree, "../../../sub");
  EXPECT_TRUE(config.worktree_config);
  EXPECT_EQ(config.v1_extensions, std::vector<std::string>({"objectformat"}));
  EXPECT_EQ(config.new_extensions, std::vector<std::string>({"refstorage"}));
}

TEST(GitConfigTest, ReadsEveryWayToSayTrue) {
  for (const char* text :
       {"[core] bare = true", "[core]bare=yes", "[CORE]\nBARE = On\n",
        "[core]\nbare\n", "[core]\r\n\tbare = 1\r\n", "[core]\nbare = \"true\"",
        "[core]\nbare = true # c", "[core]\nbare = true; c",
        "; c\n[core]\nbare", "[core]\nbare = false\nbare = true",
        "[core]\nbare = tr\\\nue", "\xef\xbb\xbf[core]\nbare",
        "[core]\nbare = -1", "[core]\nbare = 0x10", "[core]\nbare = 1k"}) {
    EXPECT_EQ(Read(text).bare, true) << text;
  }
}

TEST(GitConfigTest, ReadsEveryWayToSayFalse) {
  for (const char* text :
       {"[core]\nbare = false", "[core]\nbare = no", "[core]\nbare = OFF",
        "[core]\nbare =", "[core]\nbare = 0", "[core]\nbare = 0k",
        "[core]\nbare = \"\""}) {
    EXPECT_EQ(Read(text).bare, false) << text;
  }
}

TEST(GitConfigTest, TakesNothingElseForBare) {
  for (const char* text :
       {"", "bare = true", "[core]\n#bare = true", "[core \"x\"]\nbare = true",
        "[core \"\"]\nbare = true", "[core.x]\nbare = true",
        "[other]\nbare = true", "[core]\nbarely = true"}) {
    EXPECT_EQ(Read(text).bare, std::nullopt) << text;
  }
}

TEST(GitConfigTest, FailsWhereGitFails) {
  EXPECT_EQ(ErrorOf("[core]\nbare = maybe"),
            "bad boolean config value 'maybe' for 'core.bare'");
  EXPECT_EQ(ErrorOf("[core]\nbare = 4g"),
            "bad boolean config value '4g' for 'core.bare'");
  EXPECT_EQ(ErrorOf("[core]\nrepositoryFormatVersion = x"),
            "bad numeric config value 'x' for 'core.repositoryformatversion'");
  for (const char* line :
       {"[core", "[core x]", "[core \"x]", "[]", "[core]\" ", "=", "1a = b",
        "a_b = c", "bare # c", "a = \"b", "a = \\q", "\xef\xbb\xbf",
        "[core]\tworktree", "[extensions]\tpartialClone",
        "[extensions]\tobjectFormat = md5"}) {
    EXPECT_EQ(ErrorOf(absl::StrCat("[core]\n", line, "\n[core]\n")),
              "bad config line 2 in file config")
        << line;
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
    GitConfig config;
    config.Read(text.substr(0, size), "config").IgnoreError();
  }
  EXPECT_EQ(Read(text).bare, true);
}

}  // namespace
}  // namespace o8lock
