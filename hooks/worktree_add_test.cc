// SPDX-License-Identifier: Apache-2.0
#include "hooks/worktree_add.h"

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace o8lock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Arguments = std::vector<std::string>;

TEST(GitArgumentsTest, BeginBehindGitsOwnOptions) {
  const Arguments kAdd = {"worktree", "add", "../x"};
  for (const Arguments& command : std::vector<Arguments>{
           {"git", "worktree", "add", "../x"},
           {"/usr/bin/git", "worktree", "add", "../x"},
           {"mygit", "worktree", "add", "../x"},
           {"git-worktree", "add", "../x"},
           {"/usr/lib/git-core/git-worktree", "add", "../x"},
           {"git", "-C", "add", "worktree", "add", "../x"},
           {"git", "-c", "a.b=c", "worktree", "add", "../x"},
           {"git", "--git-dir", ".git", "--work-tree", ".", "worktree", "add",
            "../x"},
           {"git", "--git-dir=.git", "--bare", "worktree", "add", "../x"},
           {"git", "--namespace", "n", "--config-env", "a.b=C", "worktree",
            "add", "../x"},
           {"git", "--attr-source", "HEAD", "--super-prefix", "p/", "worktree",
            "add", "../x"},
           {"git", "-p", "--no-pager", "--exec-path=/x", "worktree", "add",
            "../x"}}) {
    EXPECT_EQ(GitArguments(command), kAdd) << absl::StrJoin(command, " ");
  }
}

TEST(GitArgumentsTest, MayBeNone) {
  EXPECT_THAT(GitArguments({}), IsEmpty());
  EXPECT_THAT(GitArguments({"git"}), IsEmpty());
  EXPECT_THAT(GitArguments({"git", "--version"}), IsEmpty());
  EXPECT_THAT(GitArguments({"git", "-C"}), IsEmpty());
  EXPECT_THAT(GitArguments({"git", "-C", "x"}), IsEmpty());
  EXPECT_THAT(GitArguments({""}), IsEmpty());
  EXPECT_THAT(GitArguments({"git-"}), ElementsAre(""));
}

TEST(IsWorktreeAddTest, IsOneAlsoIfMisspelt) {
  for (const char* argument :
       {"worktree", "worktre", "wortree", "wroktree", "worktee", "worktrees",
        "workterr", "owrktree"}) {
    EXPECT_TRUE(IsWorktreeAdd({argument, "add"})) << argument;
    EXPECT_TRUE(IsWorktreeAdd({argument, "add", "-b", "x", "../x"}))
        << argument;
  }
}

TEST(IsWorktreeAddTest, IsNoOtherCommand) {
  for (const Arguments& arguments :
       std::vector<Arguments>{{},
                              {"worktree"},
                              {"add"},
                              {"add", "worktree"},
                              {"worktree", "list"},
                              {"worktree", "prune", "add"},
                              {"worktree", "-q", "add"},
                              {"worktree", "adds"},
                              {"notes", "add"},
                              {"remote", "add"},
                              {"submodule", "add"},
                              {"wt", "add"},
                              {"wtr", "add"},
                              {"tree", "add"},
                              {"work", "add"},
                              {"branch", "add"},
                              {"commit", "-m", "worktree add"}}) {
    EXPECT_FALSE(IsWorktreeAdd(arguments)) << absl::StrJoin(arguments, " ");
  }
}

struct AddCase {
  Arguments arguments;  // after "worktree add"
  std::optional<std::string> branch;
  std::string path;
  friend std::ostream& operator<<(std::ostream& out, const AddCase& test) {
    return out << absl::StrJoin(test.arguments, " ");
  }
};

class WorktreeAddArgumentsTest : public testing::TestWithParam<AddCase> {};

TEST_P(WorktreeAddArgumentsTest, SayTheBranchAndThePath) {
  Arguments arguments = {"worktree", "add"};
  arguments.insert(arguments.end(), GetParam().arguments.begin(),
                   GetParam().arguments.end());
  EXPECT_EQ(CreatedBranch(arguments), GetParam().branch);
  EXPECT_EQ(AddedPath(arguments), GetParam().path);
}

INSTANTIATE_TEST_SUITE_P(
    All, WorktreeAddArgumentsTest,
    testing::Values(
        AddCase{{"-b", "x", "../p"}, "x", "../p"},
        AddCase{{"../p", "-b", "x"}, "x", "../p"},
        AddCase{{"-bx", "../p", "main"}, "x", "../p"},
        AddCase{{"-fb", "x", "../p"}, "x", "../p"},
        AddCase{{"-fqbx", "../p"}, "x", "../p"},
        AddCase{{"-b", "y", "-b", "x", "../p"}, "x", "../p"},
        AddCase{{"-b", "-x", "../p"}, "-x", "../p"},
        AddCase{{"--lock", "--reason", "-b", "-b", "x", "../p"}, "x", "../p"},
        AddCase{{"--reason=-b", "-b", "x", "../p"}, "x", "../p"},
        AddCase{{"--rea", "-b", "-b", "x", "../p"}, "x", "../p"},
        AddCase{{"--track", "-b", "x", "../p", "origin/x"}, "x", "../p"},
        // Adds whose branch may have existed before.
        AddCase{{"-B", "x", "../p"}, std::nullopt, "../p"},
        AddCase{{"-Bx", "../p"}, std::nullopt, "../p"},
        AddCase{{"../p"}, std::nullopt, "../p"},
        AddCase{{"../p", "x"}, std::nullopt, "../p"},
        AddCase{{"-d", "../p"}, std::nullopt, "../p"},
        AddCase{{"--", "-b", "x"}, std::nullopt, "-b"},
        AddCase{{"--reason", "-b", "../p"}, std::nullopt, "../p"},
        AddCase{{"-f", "-"}, std::nullopt, "-"}, AddCase{{"-b"}, "", ""},
        AddCase{{}, std::nullopt, ""}));

TEST(AddedCommitTest, IsWhatComesAfterThePath) {
  EXPECT_EQ(AddedCommit({"worktree", "add", "../p"}), "");
  EXPECT_EQ(AddedCommit({"worktree", "add", "../p", "main"}), "main");
  EXPECT_EQ(AddedCommit({"worktree", "add", "-b", "x", "../p", "main"}),
            "main");
  EXPECT_EQ(AddedCommit({"worktree", "add", "../p", "-f", "--", "main"}),
            "main");
}

}  // namespace
}  // namespace o8lock
