// SPDX-License-Identifier: Apache-2.0
#include "lock/location.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

class LocateTest : public testing::Test {
 protected:
  void SetUp() override {
    repository_ = temp_.File("repo");
    Git(temp_.path(), {"init", "-q", repository_});
    Git(repository_, {"commit", "-q", "--allow-empty", "-m", "x"});
  }

  static Location LocateFrom(const std::string& directory) {
    LocateOptions options;
    options.directory = directory;
    const absl::StatusOr<Location> location = Locate(options);
    EXPECT_TRUE(location.ok()) << directory << ": " << location.status();
    // The search from the current directory works differently.
    EXPECT_EQ(chdir(directory.c_str()), 0);
    const absl::StatusOr<Location> current = Locate({});
    EXPECT_EQ(chdir("/"), 0);
    EXPECT_TRUE(current.ok()) << directory << ": " << current.status();
    EXPECT_EQ(current.value_or(Location()).guard,
              location.value_or(Location()).guard);
    EXPECT_EQ(current.value_or(Location()).lock_file,
              location.value_or(Location()).lock_file);
    return location.value_or(Location());
  }

  // Expects the lock of `repository_` with its main worktree.
  void ExpectRepositorysLock(const std::string& directory) {
    const Location location = LocateFrom(directory);
    EXPECT_EQ(location.lock_file, repository_ + "/.claude/parallel.lock");
    EXPECT_EQ(location.guard, repository_ + "/.git/o8lock/parallel.guard");
    EXPECT_EQ(location.common_dir, repository_ + "/.git");
    EXPECT_EQ(location.main_worktree, repository_);
  }

  TempDir temp_;
  std::string repository_;
};

TEST_F(LocateTest, FindsTheMainWorktree) { ExpectRepositorysLock(repository_); }

TEST_F(LocateTest, FindsTheSameLockFromASubdirectory) {
  ASSERT_EQ(mkdir((repository_ + "/a").c_str(), 0777), 0);
  ASSERT_EQ(mkdir((repository_ + "/a/b").c_str(), 0777), 0);
  ExpectRepositorysLock(repository_ + "/a/b");
}

TEST_F(LocateTest, PassesByWhatOnlyLooksLikeARepository) {
  const std::string deep = repository_ + "/a/b/c/d/e/f";
  std::filesystem::create_directories(deep);
  MakeFile(repository_ + "/a/b/c/d/HEAD", "ref: refs/heads/main\n");
  std::filesystem::create_directory(repository_ + "/a/b/c/.git");
  MakeFile(repository_ + "/a/HEAD", "ref: refs/heads/main\n");
  ExpectRepositorysLock(deep);
  // With objects it is a git directory.
  std::filesystem::create_directory(repository_ + "/a/objects");
  std::filesystem::create_directory(repository_ + "/a/refs");
  EXPECT_EQ(LocateFrom(deep).guard, repository_ + "/a/o8lock/parallel.guard");
}

TEST_F(LocateTest, FindsTheSameLockFromALinkedWorktree) {
  Git(repository_, {"worktree", "add", "-q", temp_.File("linked")});
  ExpectRepositorysLock(temp_.File("linked"));
  ASSERT_EQ(mkdir(temp_.File("linked/sub").c_str(), 0777), 0);
  ExpectRepositorysLock(temp_.File("linked/sub"));
}

TEST_F(LocateTest, FindsTheSameLockFromANestedLinkedWorktree) {
  const std::string nested = repository_ + "/.claude/worktrees/feat-a";
  Git(repository_, {"worktree", "add", "-q", nested});
  ExpectRepositorysLock(nested);
}

TEST_F(LocateTest, FindsTheSameLockInsideTheGitDirectory) {
  ExpectRepositorysLock(repository_ + "/.git");
  ExpectRepositorysLock(repository_ + "/.git/refs/heads");
  Git(repository_, {"worktree", "add", "-q", temp_.File("linked")});
  ExpectRepositorysLock(repository_ + "/.git/worktrees/linked");
}

TEST_F(LocateTest, HasNoEarForTheEnvironment) {
  setenv("GIT_DIR", "/nowhere", 1);
  setenv("GIT_WORK_TREE", "/nowhere", 1);
  ExpectRepositorysLock(repository_);
  unsetenv("GIT_DIR");
  unsetenv("GIT_WORK_TREE");
}

TEST_F(LocateTest, FollowsALinkToTheGitDirectory) {
  ASSERT_EQ(mkdir(temp_.File("other").c_str(), 0777), 0);
  ASSERT_EQ(symlink((repository_ + "/.git").c_str(),
                    temp_.File("other/.git").c_str()),
            0);
  const Location location = LocateFrom(temp_.File("other"));
  EXPECT_EQ(location.guard, repository_ + "/.git/o8lock/parallel.guard");
  EXPECT_EQ(location.main_worktree, temp_.File("other"));
}

TEST_F(LocateTest, GivesASubmoduleItsOwnLock) {
  Git(repository_, {"-c", "protocol.file.allow=always", "submodule", "--quiet",
                    "add", repository_, "sub"});
  const std::string sub = repository_ + "/sub";
  const Location location = LocateFrom(sub);
  EXPECT_EQ(location.lock_file, sub + "/.claude/parallel.lock");
  EXPECT_EQ(location.guard,
            repository_ + "/.git/modules/sub/o8lock/parallel.guard");
  Git(sub, {"worktree", "add", "-q", temp_.File("linked")});
  EXPECT_EQ(LocateFrom(temp_.File("linked")).lock_file, location.lock_file);
  EXPECT_EQ(LocateFrom(temp_.File("linked")).guard, location.guard);
}

TEST_F(LocateTest, PutsABareRepositorysLockFileInside) {
  const std::string bare = temp_.File("bare.git");
  Git(temp_.path(), {"clone", "-q", "--bare", repository_, bare});
  Git(bare, {"worktree", "add", "-q", temp_.File("linked")});
  for (const std::string& directory :
       {bare, bare + "/refs", temp_.File("linked")}) {
    const Location location = LocateFrom(directory);
    EXPECT_EQ(location.lock_file, bare + "/.claude/parallel.lock");
    EXPECT_EQ(location.guard, bare + "/o8lock/parallel.guard");
    EXPECT_EQ(location.main_worktree, "");
  }
}

TEST_F(LocateTest, KnowsABareRepositoryNamedDotGit) {
  const std::string project = temp_.File("project");
  Git(temp_.path(), {"clone", "-q", "--bare", repository_, project + "/.git"});
  Git(project + "/.git", {"worktree", "add", "-q", project + "/main"});
  for (const std::string& directory : {project, project + "/main"}) {
    const Location location = LocateFrom(directory);
    EXPECT_EQ(location.lock_file, project + "/.git/.claude/parallel.lock");
    EXPECT_EQ(location.guard, project + "/.git/o8lock/parallel.guard");
  }
  // With this extension git keeps core.bare in another file.
  Git(project + "/.git", {"config", "extensions.worktreeConfig", "true"});
  Git(project + "/.git", {"config", "--unset", "core.bare"});
  Git(project + "/.git", {"config", "--worktree", "core.bare", "true"});
  EXPECT_EQ(LocateFrom(project + "/main").lock_file,
            project + "/.git/.claude/parallel.lock");
}

TEST_F(LocateTest, FindsOneGuardWithASeparateGitDirectory) {
  const std::string git_dir = temp_.File("separate");
  const std::string main = temp_.File("main");
  Git(temp_.path(),
      {"clone", "-q", "--separate-git-dir", git_dir, repository_, main});
  Git(main, {"worktree", "add", "-q", temp_.File("linked")});
  const Location location = LocateFrom(main);
  EXPECT_EQ(location.lock_file, main + "/.claude/parallel.lock");
  EXPECT_EQ(location.guard, git_dir + "/o8lock/parallel.guard");
  // A linked worktree does not know the main one.
  const Location linked = LocateFrom(temp_.File("linked"));
  EXPECT_EQ(linked.guard, location.guard);
  EXPECT_EQ(linked.lock_file, git_dir + "/.claude/parallel.lock");
}

// Git starts a hook this way.
TEST_F(LocateTest, FollowsAGitDirectoryThatItIsGiven) {
  Git(repository_, {"worktree", "add", "-q", temp_.File("linked")});
  const std::string elsewhere = temp_.File("elsewhere");
  Git(temp_.path(), {"init", "-q", elsewhere});
  for (const std::string& git_dir :
       {repository_ + "/.git", repository_ + "/.git/worktrees/linked",
        std::string("../repo/.git")}) {
    LocateOptions options;
    options.directory = elsewhere;
    options.git_dir = git_dir;
    const absl::StatusOr<Location> location = Locate(options);
    ASSERT_TRUE(location.ok()) << git_dir << ": " << location.status();
    EXPECT_EQ(location->guard, repository_ + "/.git/o8lock/parallel.guard");
    EXPECT_EQ(location->lock_file, repository_ + "/.claude/parallel.lock");
  }
  LocateOptions options;
  options.directory = elsewhere;
  options.git_dir = ".git/objects";
  EXPECT_EQ(Locate(options).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(LocateTest, KnowsTheWorktreeOfASeparateGitDirectoryThatItIsGiven) {
  const std::string git_dir = temp_.File("separate");
  const std::string main = temp_.File("main");
  Git(temp_.path(),
      {"clone", "-q", "--separate-git-dir", git_dir, repository_, main});
  LocateOptions options;
  options.directory = main;
  options.git_dir = git_dir;
  const absl::StatusOr<Location> location = Locate(options);
  ASSERT_TRUE(location.ok()) << location.status();
  EXPECT_EQ(location->lock_file, main + "/.claude/parallel.lock");
}

TEST_F(LocateTest, ArmsHooksForTheLockThatGuardsWorktrees) {
  const Location location = LocateFrom(repository_);
  EXPECT_EQ(location.armed, repository_ + "/.git/o8lock/armed.inc");
  LocateOptions options;
  options.directory = repository_;
  options.name = "deploy";
  EXPECT_EQ(Locate(options).value_or(Location{}).armed, "");
  EXPECT_EQ(LocateFrom(temp_.path()).armed, "");
}

TEST_F(LocateTest, FollowsCoreWorktree) {
  ASSERT_EQ(mkdir(temp_.File("tree").c_str(), 0777), 0);
  Git(repository_, {"config", "core.worktree", "../../tree"});
  EXPECT_EQ(LocateFrom(repository_).lock_file,
            temp_.File("tree/.claude/parallel.lock"));
}

TEST_F(LocateTest, KeepsOtherNamesApart) {
  LocateOptions options;
  options.directory = repository_;
  options.name = "deploy-2.x_y";
  const absl::StatusOr<Location> location = Locate(options);
  ASSERT_TRUE(location.ok()) << location.status();
  EXPECT_EQ(location->lock_file, repository_ + "/.claude/deploy-2.x_y.lock");
  EXPECT_EQ(location->guard, repository_ + "/.git/o8lock/deploy-2.x_y.guard");
  EXPECT_EQ(location->external_lock_files, std::vector<std::string>());
  EXPECT_EQ(LocateFrom(repository_).external_lock_files,
            std::vector<std::string>({repository_ + "/.claude/murm.lock"}));
}

TEST_F(LocateTest, RefusesNamesThatAreNone) {
  for (const char* name :
       {"", ".", "..", ".x", "a/b", "a b", "a\n", "\xc3\xa4", "a:b", "*"}) {
    LocateOptions options;
    options.directory = repository_;
    options.name = name;
    EXPECT_EQ(Locate(options).status(),
              absl::InvalidArgumentError(
                  absl::StrCat("lock name '", name,
                               "': a name consists of letters, digits, '.', "
                               "'_' and '-', and does not begin with a dot")));
  }
}

TEST_F(LocateTest, StaysInTheDirectoryOutsideARepository) {
  ASSERT_EQ(mkdir(temp_.File("plain").c_str(), 0777), 0);
  const Location location = LocateFrom(temp_.File("plain"));
  EXPECT_EQ(location.lock_file, temp_.File("plain/.claude/parallel.lock"));
  EXPECT_EQ(location.guard, temp_.File("plain/.claude/.parallel.lock.guard"));
  EXPECT_EQ(location.common_dir, "");
  EXPECT_EQ(location.main_worktree, "");
  EXPECT_TRUE(location.create_directories);
}

TEST_F(LocateTest, PassesByADotGitThatIsNone) {
  ASSERT_EQ(mkdir((repository_ + "/a").c_str(), 0777), 0);
  ASSERT_EQ(mkdir((repository_ + "/a/.git").c_str(), 0777), 0);
  ExpectRepositorysLock(repository_ + "/a");
}

TEST_F(LocateTest, PutsTheGuardBesideALockFileThatWasNamed) {
  LocateOptions options;
  options.directory = temp_.path();
  options.lock_file = "x/my.lock";
  absl::StatusOr<Location> location = Locate(options);
  ASSERT_TRUE(location.ok()) << location.status();
  EXPECT_EQ(location->lock_file, temp_.File("x/my.lock"));
  EXPECT_EQ(location->guard, temp_.File("x/.my.lock.guard"));
  EXPECT_FALSE(location->create_directories);
  options.lock_file = "/y";
  location = Locate(options);
  ASSERT_TRUE(location.ok()) << location.status();
  EXPECT_EQ(location->lock_file, "/y");
  EXPECT_EQ(location->guard, "/.y.guard");
  for (const char* none : {"x/", "/", ".", "..", "x/.."}) {
    options.lock_file = none;
    EXPECT_EQ(Locate(options).status(),
              absl::InvalidArgumentError(absl::StrCat(
                  "lock file '", none, "': this is not the name of a file")));
  }
}

TEST_F(LocateTest, FindsTheRepositorysGuardForItsLockFileByPath) {
  ASSERT_EQ(mkdir((repository_ + "/.claude").c_str(), 0777), 0);
  LocateOptions options;
  for (const char* const file :
       {".claude/parallel.lock", ".claude/../.claude/parallel.lock"}) {
    options.directory = repository_;
    options.lock_file = file;
    const absl::StatusOr<Location> location = Locate(options);
    ASSERT_TRUE(location.ok()) << location.status();
    EXPECT_EQ(location->lock_file, repository_ + "/.claude/parallel.lock");
    EXPECT_EQ(location->guard, repository_ + "/.git/o8lock/parallel.guard");
  }
  options.lock_file = ".claude/parallel.lock.mine";
  EXPECT_EQ(Locate(options)->guard,
            repository_ + "/.claude/.parallel.lock.mine.guard");
}

TEST_F(LocateTest, ReportsAGitFileThatLeadsNowhere) {
  const std::string directory = temp_.File("broken");
  ASSERT_EQ(mkdir(directory.c_str(), 0777), 0);
  LocateOptions options;
  options.directory = directory;
  MakeFile(directory + "/.git", "gitdir: ../gone\n");
  EXPECT_EQ(Locate(options).status(),
            absl::FailedPreconditionError(
                absl::StrCat("not a git repository: ", directory, "/../gone")));
  MakeFile(directory + "/.git", "");
  EXPECT_EQ(Locate(options).status(),
            absl::FailedPreconditionError(
                absl::StrCat("invalid gitfile format: ", directory, "/.git")));
}

TEST_F(LocateTest, FollowsNamesThatBeginAndEndWithBlanks) {
  Git(temp_.path(),
      {"init", "-q", "--separate-git-dir", temp_.File(" g "), "other"});
  EXPECT_EQ(LocateFrom(temp_.File("other")).common_dir, temp_.File(" g "));
  MakeFile(temp_.File("other/.git"), "gitdir: ../ g \r\n");
  EXPECT_EQ(LocateFrom(temp_.File("other")).common_dir, temp_.File(" g "));

  Git(temp_.File("other"), {"commit", "-q", "--allow-empty", "-m", "x"});
  Git(temp_.File("other"), {"worktree", "add", "-q", temp_.File("linked")});
  MakeFile(temp_.File(" g /worktrees/linked/commondir"),
           temp_.File(" g ") + "\n");
  EXPECT_EQ(LocateFrom(temp_.File("linked")).common_dir, temp_.File(" g "));
  EXPECT_EQ(Git(temp_.File("linked"), {"rev-parse", "--git-common-dir"}),
            temp_.File(" g ") + "\n");
}

TEST_F(LocateTest, ReportsACommondirFileThatLeadsNowhere) {
  Git(repository_, {"worktree", "add", "-q", temp_.File("linked")});
  const std::string git_dir = repository_ + "/.git/worktrees/linked";
  LocateOptions options;
  options.directory = temp_.File("linked");
  // Missing, a file, a directory other than a git directory, and itself.
  for (const char* target : {"../../gone", "../../HEAD", "../../refs", "."}) {
    MakeFile(git_dir + "/commondir", absl::StrCat(target, "\n"));
    EXPECT_EQ(Locate(options).status(),
              absl::FailedPreconditionError(
                  absl::StrCat("not a git repository: ", git_dir)));
  }
  MakeFile(git_dir + "/commondir", "gone/far\n");
  EXPECT_EQ(Locate(options).status(),
            absl::FailedPreconditionError(
                absl::StrCat("Invalid path '", git_dir, "/gone/far'")));
  MakeFile(git_dir + "/commondir", "");
  EXPECT_EQ(Locate(options).status(),
            absl::FailedPreconditionError(
                absl::StrCat("failed to read ", git_dir, "/commondir")));
  MakeFile(git_dir + "/commondir", repository_ + "/.git\n");
  ExpectRepositorysLock(temp_.File("linked"));
}

TEST_F(LocateTest, FindsALinkedWorktreeWithRelativePaths) {
  Git(repository_, {"worktree", "add", "-q", temp_.File("linked")});
  MakeFile(temp_.File("linked/.git"),
           "gitdir: ../repo/.git/worktrees/linked\n");
  ExpectRepositorysLock(temp_.File("linked"));
}

}  // namespace
}  // namespace o8lock
