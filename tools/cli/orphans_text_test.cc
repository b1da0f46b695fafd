// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/orphans_text.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hooks/worktrees.h"
#include "tools/cli/report.h"
#include "tools/cli/text_testing.h"

namespace o8lock {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

OrphanReport Orphan(const std::string& name, const WorktreeState& state) {
  OrphanReport orphan;
  orphan.worktree.path = "/w/" + name;
  orphan.worktree.branch = name;
  orphan.state = state;
  return orphan;
}

TEST(OrphanLineTest, NamesTheWork) {
  WorktreeState state;
  EXPECT_EQ(OrphanLine(Orphan("a", state)),
            "/w/a (a): clean, every commit exists elsewhere");
  state.own_commits = 1;
  EXPECT_EQ(OrphanLine(Orphan("a", state)),
            "/w/a (a): 1 commit that exists only here");
  state.own_commits = 2;
  state.uncommitted_files = 1;
  EXPECT_EQ(OrphanLine(Orphan("a", state)),
            "/w/a (a): 1 uncommitted file, 2 commits that exist only here");
  state.problem = "'git' did not end in time";
  EXPECT_EQ(OrphanLine(Orphan("a", state)),
            "/w/a (a): state unknown: 'git' did not end in time");
}

// `git status` shows no commits, and does not work in a missing directory.
TEST(OrphanHintsTest, ShowTheFilesAndTheCommitsOfEveryWorktree) {
  WorktreeState files;
  files.ignored_files = 1;
  WorktreeState commits;
  commits.own_commits = 2;
  OrphanReport gone = Orphan("b", commits);
  gone.worktree.is_gone = true;
  OrphanReport detached = Orphan("c c", commits);
  detached.worktree.branch = "";
  WorktreeState many;
  many.own_commits = 1000;
  many.uncommitted_files = 1;
  EXPECT_THAT(
      OrphanHints({Orphan("a", files), gone, detached, Orphan("d", many)}),
      ElementsAre(
          "a run with the same features fails: a branch named 'a' already "
          "exists",
          "to see the files: git -C /w/a status --ignored",
          "to see the commits: git log -2 b --",
          "to see the commits: git -C '/w/c c' log -2",
          "to see the files: git -C /w/d status --ignored",
          "to see the commits: git log -10 d --"));
}

TEST(OrphanHintsTest, ShowTheReflogWithCommitsOfItsOwn) {
  WorktreeState past;
  past.past_commits = 1;
  EXPECT_EQ(OrphanLine(Orphan("a", past)),
            "/w/a (a): 1 commit that only its reflog has");
  EXPECT_THAT(OrphanHints({Orphan("a", past)}),
              ElementsAre("a run with the same features fails: a branch named "
                          "'a' already exists",
                          "to see the commits of its reflog: git -C /w/a "
                          "reflog"));
}

TEST(OrphanHintsTest, ShowFilesAndCommitsOfAnUnknownState) {
  WorktreeState unknown;
  unknown.problem = "'git' did not end in time";
  EXPECT_THAT(OrphanHints({Orphan("a", unknown)}),
              ElementsAre("a run with the same features fails: a branch named "
                          "'a' already exists",
                          "to see the files: git -C /w/a status --ignored",
                          "to see the commits: git log -10 a --"));
}

TEST(OrphanHintsTest, SayWhichWorktreesTheCommandRemoves) {
  std::vector<OrphanReport> orphans = {Orphan("a", {})};
  EXPECT_EQ(OrphanHints(orphans)[1],
            "to remove the clean one: git worktree remove /w/a && git branch "
            "-d a");
  orphans.push_back(Orphan("b", {}));
  EXPECT_EQ(OrphanHints(orphans)[1],
            "to remove the clean ones: git worktree remove /w/a && git "
            "worktree remove /w/b && git branch -d a b");
  orphans.resize(5, Orphan("c", {}));
  EXPECT_THAT(OrphanHints(orphans)[1], StartsWith("to remove the clean ones"));
  orphans.push_back(Orphan("d", {}));
  EXPECT_THAT(OrphanHints(orphans)[1],
              StartsWith("to remove the first 5 clean ones: "));
}

// A removal would lose the index of a moved worktree.
TEST(OrphanHintsTest, NameTheRepairBeforeTheRemovalOfAWorktreeThatIsGone) {
  std::vector<OrphanReport> orphans = {Orphan("a", {}), Orphan("b", {})};
  orphans[1].worktree.is_gone = true;
  EXPECT_THAT(
      OrphanHints(orphans),
      ElementsAre(
          "a run with the same features fails: a branch named 'a' already "
          "exists",
          "to remove the clean one: git worktree remove /w/a && git branch -d "
          "a",
          "if a missing directory was moved: git worktree repair NEW-PATH",
          "if it was deleted, to remove the clean one: git worktree remove "
          "/w/b && git branch -d b"));
}

TEST(OrphansTextTest, PaintsNoTerminal) {
  ExpectPaintsNoTerminal(OrphansText(
      "a run", {EvilProcess()}, {{EvilWorktree(), {}, true, {EvilProcess()}}}));
}

}  // namespace
}  // namespace o8lock
