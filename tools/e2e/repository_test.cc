// SPDX-License-Identifier: Apache-2.0
//
// The choice of the lock: repositories found as git finds them, git's own
// files, and lock files of external runs near the caller.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/cli/orchestr8_testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kGitCannot[] =
    "o8lock: hint: nothing was run; git cannot use this repository either\n";

// Runs a command from `directory` and returns o8lock's own output.
std::string Silent(const std::string& directory) {
  const Result run = Call(O8lock({"--", "echo", "ran"}), directory);
  EXPECT_EQ(run.end, Exited(0)) << directory;
  EXPECT_EQ(run.out, "ran\n") << directory;
  return run.err;
}

void ExpectRefused(const std::string& directory) {
  EXPECT_EQ(Call(O8lock({"-q", "--", "true"}), directory).end, Exited(75))
      << directory;
}

void Link(const std::string& target, const std::string& path) {
  ASSERT_EQ(symlink(target.c_str(), path.c_str()), 0) << path;
}

// The line of `status` that begins with `label`.
std::string StatusLine(const std::string& directory, const std::string& label) {
  const std::string out = "\n" + Call(O8lock({"status"}), directory).out;
  const size_t begin = out.find(absl::StrCat("\n", label));
  if (begin == std::string::npos) return "";
  return out.substr(begin + 1, out.find('\n', begin + 1) - begin - 1);
}

// --- Finding the repository ---

TEST(FindTest, AGitDirectoryThatGitPassesByIsNone) {
  const Repository repo;
  std::filesystem::create_directories(repo.File("fixture/objects"));
  MakeFile(repo.File("fixture/HEAD"), "ref: refs/heads/main\n");
  std::filesystem::create_directories(repo.File("other/.git/objects"));
  MakeFile(repo.File("other/.git/HEAD"), "ref: refs/heads/main\n");
  std::filesystem::create_directory(repo.File("dangling"));
  Link("nowhere/.git", repo.File("dangling/.git"));
  Guarded run(repo.path());
  for (const char* name : {"fixture", "other", "dangling"}) {
    ExpectRefused(repo.File(name));
  }
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_FALSE(Exists(repo.File("fixture/o8lock")));
  EXPECT_FALSE(Exists(repo.File("other/.git/o8lock")));
}

TEST(FindTest, WhatGitCallsBrokenFailsWithGitsReason) {
  const TempDir temp;
  const std::string dot_git = temp.File(".git");
  struct Case {
    std::string content;
    std::string reason;
  };
  for (const Case& test :
       {Case{"nonsense\n", absl::StrCat("invalid gitfile format: ", dot_git)},
        Case{"gitdir: \n", absl::StrCat("no path in gitfile: ", dot_git)},
        Case{"gitdir: gone\n",
             absl::StrCat("not a git repository: ", temp.File("gone"))}}) {
    MakeFile(dot_git, test.content);
    const std::string error =
        absl::StrCat("o8lock: error: ", test.reason, "\n", kGitCannot);
    const Result run = Call(O8lock({"--", "echo", "ran"}), temp.path());
    EXPECT_EQ(run.end, Exited(73));
    EXPECT_EQ(run.out, "");
    EXPECT_EQ(run.err, error);
    // A verb would have run nothing.
    for (const Argv& verb : {Argv{"status"}, Argv{"doctor"}, Argv{"unlock"},
                             Argv{"hooks", "status"}}) {
      const Result result = Call(O8lock(verb), temp.path());
      EXPECT_EQ(result.end, Exited(73));
      EXPECT_EQ(result.out, "");
      EXPECT_EQ(result.err,
                absl::StrCat("o8lock: error: ", test.reason,
                             "\no8lock: hint: git cannot use this repository "
                             "either\n"));
    }
    // The reason is the same without git.
    ProcessOptions options = In(temp.path());
    options.env["PATH"] = "/nonexistent";
    EXPECT_EQ(Call(O8lock({"--", "true"}), options).err, error);
  }
}

TEST(FindTest, AFormatThatGitRefusesFailsWithGitsReason) {
  const Repository repo;
  struct Case {
    const char* config;
    std::string reason;
  };
  for (const Case& test :
       {Case{"[core]\n\trepositoryFormatVersion = 2\n",
             "Expected git repo version <= 1, found 2"},
        Case{"[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\tx = y\n",
             "unknown repository extension found: x"},
        Case{"[core]\n\trepositoryFormatVersion = 0\n\tbare = maybe\n",
             "bad boolean config value 'maybe' for 'core.bare'"},
        Case{"[core\n", "bad config line 1 in file .git/config"}}) {
    MakeFile(repo.File(".git/config"), test.config);
    const Result run = Call(O8lock({"--", "echo", "ran"}), repo.path());
    EXPECT_EQ(run.end, Exited(73));
    EXPECT_THAT(run.err,
                StartsWith(absl::StrCat("o8lock: error: ", test.reason)));
    EXPECT_THAT(run.err, HasSubstr(kGitCannot));
  }
}

TEST(FindTest, GitsEnvironmentBoundsTheSearchAndGitDirDoesNot) {
  const Repository repo;
  const TempDir other;
  std::filesystem::create_directory(repo.File("sub"));
  ProcessOptions options = In(repo.File("sub"));
  options.env["GIT_DIR"] = other.path();
  options.env["GIT_WORK_TREE"] = other.path();
  Guarded run(repo.path());
  EXPECT_EQ(Call(O8lock({"-q", "--", "true"}), options).end, Exited(75));
  options.env["GIT_CEILING_DIRECTORIES"] = repo.path();
  EXPECT_EQ(Call(O8lock({"-q", "--", "true"}), options).end, Exited(0));
  options.env.erase("GIT_CEILING_DIRECTORIES");
  options.env["GIT_DISCOVERY_ACROSS_FILESYSTEM"] = "perhaps";
  const Result run_with_nonsense = Call(O8lock({"--", "true"}), options);
  EXPECT_EQ(run_with_nonsense.end, Exited(73));
  EXPECT_THAT(run_with_nonsense.err,
              StartsWith("o8lock: error: bad boolean config value 'perhaps' "
                         "for 'GIT_DISCOVERY_ACROSS_FILESYSTEM'\n"));
  EXPECT_EQ(run.Finish(), Exited(0));
}

TEST(FindTest, GitDiscoveryAcrossFilesystem) {
  const Repository repo;
  std::filesystem::create_directory(repo.File("volume"));
  if (!(RunToEnd({"unshare", "-m", "mount", "-t", "tmpfs", "o8lock",
                  repo.File("volume")}) == Exited(0))) {
    GTEST_SKIP() << "needs root, to mount a file system";
  }
  Guarded run(repo.path());
  const std::string start =
      "; mount -t tmpfs o8lock volume; mkdir volume/deep; cd volume/deep; "
      "\"$O8LOCK\" -q -- true";
  for (const char* const value : {"1", "yes"}) {
    EXPECT_EQ(Call({"unshare", "-m", "sh", "-c",
                    absl::StrCat("export GIT_DISCOVERY_ACROSS_FILESYSTEM=",
                                 value, start)},
                   repo.path())
                  .end,
              Exited(75));
  }
  EXPECT_EQ(
      Call({"unshare", "-m", "sh", "-c", absl::StrCat(":", start)}, repo.path())
          .end,
      Exited(0));
  EXPECT_EQ(run.Finish(), Exited(0));
}

// --- Git's own files ---

TEST(GitFilesTest, AreReadAsGitReadsThem) {
  const Repository repo;
  const TempDir elsewhere;
  std::string config = Contents(repo.File(".git/config"));
  while (config.size() < 2 << 20) {
    absl::StrAppend(&config, "[branch \"agent/", config.size(),
                    "\"]\n\tremote = origin\n");
  }
  MakeFile(elsewhere.File("config"), config);
  std::filesystem::remove(repo.File(".git/config"));
  Link(elsewhere.File("config"), repo.File(".git/config"));
  EXPECT_EQ(Silent(repo.path()), "");
  std::filesystem::create_directory(repo.File("sub"));
  Guarded run(repo.path());
  ExpectRefused(repo.File("sub"));
  EXPECT_EQ(run.Finish(), Exited(0));
}

TEST(GitFilesTest, ALinkedExcludeFileIsAppendedTo) {
  const Repository repo;
  const TempDir elsewhere;
  std::filesystem::create_directories(repo.File(".git/info"));
  std::filesystem::remove(repo.File(".git/info/exclude"));
  MakeFile(elsewhere.File("mine"), "*.o\n");
  Link(elsewhere.File("mine"), repo.File(".git/info/exclude"));
  Guarded run(repo.path());
  EXPECT_EQ(repo.Changes(), "");
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(run.err(), "");
  EXPECT_EQ(Contents(elsewhere.File("mine")),
            "*.o\n/.claude/parallel.lock\n/.claude/.parallel.lock.*\n");
  EXPECT_TRUE(std::filesystem::is_symlink(repo.File(".git/info/exclude")));
}

// Root must not write to a file just because another user's link names it.
TEST(GitFilesTest, ALinkToAnotherUsersFileIsNotFollowedForWriting) {
  const Repository repo;
  const TempDir elsewhere;
  MakeFile(elsewhere.File("theirs"), "theirs\n");
  std::filesystem::create_directories(repo.File(".git/info"));
  const std::string exclude = repo.File(".git/info/exclude");
  std::filesystem::remove(exclude);
  Link(elsewhere.File("theirs"), exclude);
  if (lchown(exclude.c_str(), 65534, 65534) != 0) {
    GTEST_SKIP() << "needs root, to be another user";
  }
  EXPECT_EQ(Silent(repo.path()),
            absl::StrCat("o8lock: warning: git may show the lock file as a "
                         "change: cannot write '",
                         exclude,
                         "': it is a link to a file of another user\n"
                         "o8lock: hint: add to .gitignore: "
                         "/.claude/parallel.lock\n"));
  MakeFile(repo.File(".gitignore"), ".claude/\n");
  EXPECT_EQ(Silent(repo.path()), "");
  EXPECT_EQ(Contents(elsewhere.File("theirs")), "theirs\n");
}

// --- The directory of the lock file ---

TEST(SharedClaudeTest, IsNeitherWrittenNorBelieved) {
  const Repository one;
  const Repository other;
  const TempDir shared;
  Link(shared.path(), one.File(".claude"));
  Link(shared.path(), other.File(".claude"));
  const std::string warning = absl::StrCat(
      "o8lock: warning: no lock file is written: '", one.File(".claude"),
      "' is a symbolic link to '", shared.path(),
      "', not a directory in the repository\no8lock: hint: other o8lock runs "
      "are still "
      "refused; to let runs without o8lock see this one, make '",
      one.File(".claude"), "' a directory\n");
  EXPECT_EQ(Silent(one.path()), warning);
  EXPECT_EQ(StatusLine(one.path(), "Lock file:"),
            absl::StrCat("Lock file: not written: '", one.File(".claude"),
                         "' is a symbolic link to '", shared.path(),
                         "', not a directory in the repository"));
  // An external run of the other repository.
  const std::string text = ExternalLockFile(getpid(), TimeText(absl::Now()));
  MakeFile(shared.File("parallel.lock"), text);
  MakeFile(shared.File("murm.lock"), text);
  EXPECT_EQ(Silent(one.path()), warning);
  Guarded run(one.path());
  EXPECT_THAT(Silent(other.path()),
              StartsWith("o8lock: warning: no lock file is"));
  ExpectRefused(one.path());
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(Contents(shared.File("parallel.lock")), text);
  EXPECT_EQ(Contents(shared.File("murm.lock")), text);
  EXPECT_EQ(Names(shared.path()),
            std::vector<std::string>({"murm.lock", "parallel.lock"}));
}

// A container may lack the directory.
TEST(SharedClaudeTest, ALinkThatLeadsNowhereOutsideIsNotWritten) {
  const Repository repo;
  const TempDir elsewhere;
  for (const std::string& target :
       {elsewhere.File("missing"), elsewhere.File("missing/too")}) {
    Link(target, repo.File(".claude"));
    EXPECT_THAT(
        Silent(repo.path()),
        HasSubstr(absl::StrCat("' is a symbolic link to '", target,
                               "', not a directory in the repository\n")));
    std::filesystem::remove(repo.File(".claude"));
  }
}

TEST(SharedClaudeTest, ALinkInsideTheWorktreeIsAsGoodAsADirectory) {
  const Repository repo;
  std::filesystem::create_directory(repo.File("config"));
  Link("config", repo.File(".claude"));
  Git(repo.path(), {"add", ".claude"});
  Git(repo.path(), {"commit", "-qm", "a link"});
  Guarded run(repo.path());
  EXPECT_TRUE(Exists(repo.File("config/parallel.lock")));
  EXPECT_EQ(Git(repo.path(), {"status", "--porcelain"}), "");
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(run.err(), "");
  EXPECT_EQ(Names(repo.File("config")), std::vector<std::string>());
}

TEST(NameTest, OfOrchestr8sOwnLockFileIsRefused) {
  const Repository repo;
  std::filesystem::create_directory(repo.File(".claude"));
  const std::string reason =
      " is reserved: orchestr8 v4 keeps murm.lock itself; use the lock "
      "'parallel' instead\no8lock: hint: see: o8lock --help\n";
  const Result name =
      Call(O8lock({"--name", "murm", "--", "true"}), repo.path());
  EXPECT_EQ(name.end, Exited(64));
  EXPECT_EQ(name.err, absl::StrCat("o8lock: error: lock name 'murm'", reason));
  const Result file = Call(
      O8lock({"--lock-file", ".claude/murm.lock", "--", "true"}), repo.path());
  EXPECT_EQ(file.end, Exited(64));
  EXPECT_EQ(file.err, absl::StrCat("o8lock: error: lock file "
                                   "'.claude/murm.lock'",
                                   reason));
  // In another directory the name has no special meaning.
  EXPECT_EQ(
      Call(O8lock({"--lock-file", "murm.lock", "--", "true"}), repo.path()).end,
      Exited(0));
}

// --- Main worktrees unknown to their git directory ---

class SeparateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Git(temp_.path(), {"init", "-q", "--separate-git-dir", temp_.File("store"),
                       temp_.File("main")});
    Git(temp_.File("main"), {"commit", "-q", "--allow-empty", "-m", "x"});
    Git(temp_.File("main"), {"worktree", "add", "-q", temp_.File("linked")});
  }
  void MakeLockFileIn(const std::string& directory, const char* name) const {
    std::filesystem::create_directories(temp_.File(directory));
    MakeFile(temp_.File(absl::StrCat(directory, "/", name)),
             ExternalLockFile(getpid(), TimeText(absl::Now())));
  }
  const TempDir temp_;
};

TEST_F(SeparateTest, IsRememberedByAStart) {
  EXPECT_EQ(Silent(temp_.File("main")), "");
  for (const char* name : {"parallel.lock", "murm.lock"}) {
    MakeLockFileIn("main/.claude", name);
    ExpectRefused(temp_.File("main"));
    ExpectRefused(temp_.File("linked"));
    std::filesystem::remove_all(temp_.File("main/.claude"));
  }
  Guarded run(temp_.File("linked"));
  EXPECT_TRUE(Exists(temp_.File("main/.claude/parallel.lock")));
  EXPECT_EQ(run.Finish(), Exited(0));
  // After the move there is no main worktree at the remembered path.
  std::filesystem::rename(temp_.File("main"), temp_.File("moved"));
  EXPECT_EQ(Silent(temp_.File("linked")), "");
  EXPECT_FALSE(Exists(temp_.File("main")));
}

TEST_F(SeparateTest, BothPlacesAreExamined) {
  // A start from a linked worktree writes the lock file here if it does not
  // know the main worktree.
  MakeLockFileIn("store/.claude", "parallel.lock");
  ExpectRefused(temp_.File("main"));
  ExpectRefused(temp_.File("linked"));
}

TEST_F(SeparateTest, ADotGitThatIsALinkHasTwo) {
  const Repository repo;
  std::filesystem::create_directory(temp_.File("second"));
  Link(repo.File(".git"), temp_.File("second/.git"));
  EXPECT_EQ(Silent(temp_.File("second")), "");
  MakeLockFileIn("second/.claude", "parallel.lock");
  ExpectRefused(repo.path());
  ExpectRefused(temp_.File("second"));
  std::filesystem::remove_all(temp_.File("second/.claude"));
  repo.MakeLockFile(ExternalLockFile(getpid(), TimeText(absl::Now())));
  ExpectRefused(temp_.File("second"));
}

// --- External runs elsewhere ---

class ElsewhereTest : public SeparateTest {
 protected:
  void SetUp() override {
    SeparateTest::SetUp();
    for (const char* directory : {"main/sub", "linked/sub"}) {
      std::filesystem::create_directory(temp_.File(directory));
    }
  }
};

TEST_F(ElsewhereTest, InTheCallersDirectoryOrWorktreeAreExamined) {
  for (const char* name : {"parallel.lock", "murm.lock"}) {
    for (const char* directory : {"main/sub", "linked"}) {
      const std::string claude = absl::StrCat(directory, "/.claude");
      MakeLockFileIn(claude, name);
      ExpectRefused(temp_.File(directory));
      EXPECT_EQ(StatusLine(temp_.File(directory), "Lock file:"),
                absl::StrCat("Lock file: ", temp_.File(claude), "/", name));
      std::filesystem::remove_all(temp_.File(claude));
    }
  }
  MakeLockFileIn("linked/.claude", "murm.lock");
  ExpectRefused(temp_.File("linked/sub"));
  EXPECT_EQ(Silent(temp_.File("main")), "");
  // orchestr8 has to do with the lock 'parallel' only.
  EXPECT_EQ(
      Call(O8lock({"-n", "deploy", "--", "true"}), temp_.File("linked")).end,
      Exited(0));
}

TEST_F(ElsewhereTest, OfTheRunItselfAreNamedAndClearedUp) {
  const std::string program = InstallOrchestr8(temp_.File("prefix"), "v4");
  for (const char* directory : {"main/sub", "linked"}) {
    SCOPED_TRACE(directory);
    const std::string lock_file =
        temp_.File(absl::StrCat(directory, "/.claude/murm.lock"));
    const std::string line = absl::StrCat("Lock file: ", lock_file,
                                          ", not written by o8lock: ", program,
                                          " keeps its own lock file");
    {
      Process run({Binary(), "--", program, "parallel", "feat-a", "--yes"},
                  AtTheGate(temp_.File(directory)));
      run.WaitForOutput("ready\n");
      EXPECT_EQ(StatusLine(temp_.File("main"), "Lock file:"), line);
      // Here ~Process kills the run with all its descendants.
    }
    EXPECT_TRUE(Exists(lock_file));
    EXPECT_EQ(StatusLine(temp_.File("main"), "Lock file:"), line);
    EXPECT_EQ(Call(O8lock({"--", "true"}), temp_.File("main")).end, Exited(0));
    EXPECT_FALSE(Exists(lock_file));
    for (const std::string& name :
         Names(temp_.File(absl::StrCat(directory, "/.claude/worktrees")))) {
      Git(temp_.File("main"),
          {"worktree", "remove", "--force",
           temp_.File(absl::StrCat(directory, "/.claude/worktrees/", name))});
    }
    Git(temp_.File("main"), {"branch", "-D", "feature/feat-a"});
  }
}

// The pid in the lock file has no meaning in the run's pid namespace.
TEST_F(ElsewhereTest, AYoungerLockFileOfAnotherPidNamespaceStays) {
  const Repository repo;
  if (!(RunToEnd({"unshare", "-pf", "--mount-proc", "true"}) == Exited(0))) {
    GTEST_SKIP() << "needs root, to have a pid namespace";
  }
  Process run({"unshare", "-pf", "--mount-proc", Binary(), "--publish=never",
               "--", "sh", "-c", "echo ready; read line"},
              In(repo.path()));
  run.WaitForOutput("ready\n");
  const std::string text = ExternalLockFile(getpid(), TimeText(absl::Now()));
  repo.MakeLockFile(text);
  run.CloseInput();
  EXPECT_EQ(run.Wait(), Exited(1));
  EXPECT_EQ(run.err(), "");
  EXPECT_EQ(Contents(repo.LockFile()), text);
}

}  // namespace
}  // namespace o8lock
