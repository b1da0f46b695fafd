// SPDX-License-Identifier: Apache-2.0
//
// The whole program, with changes to its lock while the command runs. o8lock
// begins to watch the lock when the command has run for a second. It finds
// earlier changes then.
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

void WaitForFile(const std::string& path) {
  WaitUntil(path, [&path] { return Exists(path); });
}

// --- The lock file is removed ---

TEST(RemovedTest, TheLockFileIsPutInPlaceAgainAndThatIsToldOnce) {
  const Repository repo;
  Guarded run(repo.path());
  const std::string text = Contents(repo.LockFile());
  for (int i = 0; i < 3; ++i) {
    std::filesystem::remove(repo.LockFile());
    WaitForFile(repo.LockFile());
    EXPECT_EQ(Contents(repo.LockFile()), text);
  }
  EXPECT_EQ(run.Finish(3), Exited(3));
  EXPECT_EQ(run.err(), Golden("lock_file_removed", ValuesOf(repo)));
  ExpectNothingLeft(repo);
  EXPECT_FALSE(Exists(repo.File(".claude")));
}

TEST(RemovedTest, SoIsItsDirectory) {
  const Repository repo;
  Guarded run(repo.path());
  for (int i = 0; i < 3; ++i) {
    // In one step: o8lock cannot see the directory without the lock file.
    std::filesystem::rename(repo.File(".claude"),
                            repo.File(absl::StrCat(".git/gone", i)));
    WaitForFile(repo.LockFile());
  }
  // o8lock watches the new directory as well.
  std::filesystem::remove(repo.LockFile());
  WaitForFile(repo.LockFile());
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(run.err(), Golden("lock_file_removed", ValuesOf(repo)));
  ExpectNothingLeft(repo);
  EXPECT_FALSE(Exists(repo.File(".claude")));
}

// The lock file is ignored, and git clean -X removes ignored files.
TEST(RemovedTest, ByGitClean) {
  const Repository repo;
  Guarded run(repo.path());
  for (int i = 0; i < 3; ++i) {
    // git complains if o8lock restores the lock file meanwhile.
    Call({"git", "clean", "-fdXq"}, repo.path());
    WaitForFile(repo.LockFile());
  }
  EXPECT_EQ(repo.Changes(), "");
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(run.err(), Golden("lock_file_removed", ValuesOf(repo)));
  ExpectNothingLeft(repo);
}

// inotify(7) instances are scarce.
TEST(RemovedTest, InTheFirstSecondItIsPutInPlaceWithoutAWatchToo) {
  if (!CanTrace()) GTEST_SKIP() << "needs strace, and permission to trace";
  const Repository repo;
  Argv argv = {"strace", "-o", "/dev/null", "-e",
               "inject=inotify_init1:error=EMFILE"};
  for (const std::string& argument :
       O8lock({"--", "sh", "-c",
               "rm .claude/parallel.lock; echo ready $$; read go"})) {
    argv.push_back(argument);
  }
  ProcessOptions options = In(repo.path());
  options.input = ProcessOptions::Stdin::kPipe;
  options.env["ASAN_OPTIONS"] = "detect_leaks=0";  // does not work traced
  Process run(argv, options);
  ReadyPid(run);
  WaitUntil("the lock file is back", [&] { return Exists(repo.LockFile()); });
  run.Write("\n");
  EXPECT_EQ(run.Wait(), Exited(0));
}

TEST(RemovedTest, IsNotToldWithQuiet) {
  const Repository repo;
  Guarded run(repo.path(), {"-q"});
  std::filesystem::remove(repo.LockFile());
  WaitForFile(repo.LockFile());
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(run.err(), "");
  ExpectNothingLeft(repo);
}

// Without a published lock file there is nothing to restore.
TEST(RemovedTest, OneThatIsNotPublishedStaysAway) {
  const Repository repo;
  Guarded run(repo.path(), {"--publish=never"});
  Guarded second(repo.path(), {"--force", "--yes", "--publish=never"});
  run.process().WaitForError("overridden");
  EXPECT_FALSE(Exists(repo.LockFile()));
  EXPECT_EQ(second.Finish(), Exited(0));
  EXPECT_EQ(run.Finish(), Exited(0));
}

// orchestr8 4 renames the lock file at its start.
TEST(RenamedTest, TheLockFileHasBothNamesAndNothingIsSaid) {
  const Repository repo;
  Guarded run(repo.path());
  const std::string text = Contents(repo.LockFile());
  const std::string murm = repo.File(".claude/murm.lock");
  for (int i = 0; i < 2; ++i) {
    std::filesystem::rename(repo.LockFile(), murm);
    WaitForFile(repo.LockFile());
    EXPECT_EQ(Contents(repo.LockFile()), text);
    EXPECT_EQ(Contents(murm), text);
  }
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(run.err(), "");
  EXPECT_FALSE(Exists(murm));
  ExpectNothingLeft(repo);
}

// --- The lock file is replaced ---

TEST(ReplacedTest, ByThatOfAnExternalRunItIsLeftAlone) {
  for (const bool in_place : {true, false}) {
    SCOPED_TRACE(in_place);
    const Repository repo;
    Guarded run(repo.path());
    const std::string text = ExternalLockFile(getpid(), TimeText(absl::Now()));
    for (int i = 0; i < 2; ++i) {
      const std::string path = in_place ? repo.LockFile() : repo.File("new");
      MakeFile(path, text);
      if (!in_place) std::filesystem::rename(path, repo.LockFile());
      if (i == 0) run.process().WaitForError("o8lock status\n");
    }
    EXPECT_EQ(run.Finish(2), Exited(2));
    EXPECT_EQ(run.err(),
              Golden("lock_file_replaced", ValuesOf(repo, getpid())));
    EXPECT_EQ(Contents(repo.LockFile()), text);
    EXPECT_EQ(Names(repo.File(".claude")),
              std::vector<std::string>{"parallel.lock"});
  }
}

TEST(ReplacedTest, ByWhatIsNoneItIsLeftAlone) {
  const Repository repo;
  Guarded run(repo.path());
  MakeFile(repo.LockFile(), "mine\n");
  run.process().WaitForError(Fill(
      "o8lock: warning: '{REPO}/.claude/parallel.lock' was replaced during the "
      "run by a malformed lock file; o8lock leaves it in place\n",
      ValuesOf(repo)));
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(Contents(repo.LockFile()), "mine\n");
}

TEST(ReplacedTest, IsNotToldWithQuiet) {
  const Repository repo;
  Guarded run(repo.path(), {"-q"});
  const std::string text = ExternalLockFile(getpid(), TimeText(absl::Now()));
  MakeFile(repo.LockFile(), text);
  // Once the lock file is restored, the run is known to watch its lock.
  std::filesystem::remove(repo.LockFile());
  WaitForFile(repo.LockFile());
  MakeFile(repo.LockFile(), text);
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(run.err(), "");
  EXPECT_EQ(Contents(repo.LockFile()), text);
}

// --- A lock file of another name appears ---

// The command may start an orchestr8 4, and a signal may kill that one.
TEST(RemovedLockFileTest, ADeadRunsLockFileGoesWithTheRunsOwn) {
  for (const char* const publish : {"always", "never"}) {
    for (const bool quiet : {false, true}) {
      SCOPED_TRACE(absl::StrCat(publish, quiet ? " quiet" : ""));
      const Repository repo;
      Argv options = {"--publish", publish};
      if (quiet) options.emplace_back("-q");
      Guarded run(repo.path(), options);
      const pid_t dead = DeadPid();
      std::filesystem::create_directories(repo.File(".claude"));
      MakeFile(repo.File(".claude/murm.lock"),
               ExternalLockFile(dead, TimeText(absl::Now())));
      EXPECT_EQ(run.Finish(3), Exited(3));
      EXPECT_EQ(run.err(), quiet
                               ? ""
                               : absl::StrCat("o8lock: warning: removed '",
                                              repo.File(".claude/murm.lock"),
                                              "', the stale lock file of PID ",
                                              dead, "\n"));
      EXPECT_FALSE(Exists(repo.File(".claude/murm.lock")));
      ExpectNothingLeft(repo);
    }
  }
}

TEST(RemovedLockFileTest, ALiveRunsLockFileStaysAndSoDoesWhatIsNone) {
  for (const std::string& text :
       {ExternalLockFile(getpid(), TimeText(absl::Now())),
        std::string("mine\n")}) {
    for (const char* const publish : {"always", "never"}) {
      SCOPED_TRACE(absl::StrCat(publish, " ", text));
      const Repository repo;
      Guarded run(repo.path(), {"--publish", publish});
      std::filesystem::create_directories(repo.File(".claude"));
      MakeFile(repo.File(".claude/murm.lock"), text);
      EXPECT_EQ(run.Finish(), Exited(0));
      EXPECT_EQ(run.err(), "");
      EXPECT_EQ(Contents(repo.File(".claude/murm.lock")), text);
      EXPECT_EQ(Names(repo.File(".claude")),
                std::vector<std::string>{"murm.lock"});
    }
  }
}

// --- The lock is overridden or removed ---

TEST(OverriddenTest, ByForceItIsToldWhileItRuns) {
  const Repository repo;
  Guarded run(repo.path());
  Guarded second(repo.path(), {"--force", "--yes"});
  run.process().WaitForError("the command keeps running without the lock\n");
  const LockFilesState state = StateOf(repo);
  EXPECT_EQ(run.Finish(7), Exited(7));
  EXPECT_EQ(Normal(run.err()),
            Golden("overridden", ValuesOf(repo, second.pid())));
  EXPECT_EQ(StateOf(repo).lock_file, state.lock_file);
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
  EXPECT_EQ(second.Finish(), Exited(0));
  ExpectNothingLeft(repo);
}

TEST(OverriddenTest, ByUnlockToo) {
  const Repository repo;
  Guarded run(repo.path());
  Process unlock(O8lock({"unlock", "--yes"}), In(repo.path()));
  EXPECT_EQ(unlock.Wait(), Exited(0));
  run.process().WaitForError("the command keeps running without the lock\n");
  ExpectNothingLeft(repo);
  // The run must not touch a later run's lock.
  Guarded next(repo.path());
  std::filesystem::remove(repo.LockFile());
  WaitForFile(repo.LockFile());
  const LockFilesState state = StateOf(repo);
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(Normal(run.err()),
            Golden("overridden", ValuesOf(repo, unlock.pid())));
  EXPECT_TRUE(StateOf(repo) == state);
  EXPECT_EQ(next.Finish(), Exited(0));
  ExpectNothingLeft(repo);
}

// The run ends before it begins to watch its lock.
TEST(OverriddenTest, AShortRunIsToldAtItsEnd) {
  const Repository repo;
  for (const Argv& options : {Argv{}, Argv{"-q"}}) {
    Guarded run(repo.path(), options);
    Guarded second(repo.path(), {"--force", "--yes"});
    EXPECT_EQ(run.Finish(), Exited(0));
    EXPECT_EQ(Normal(run.err()),
              options.empty()
                  ? Golden("overridden", ValuesOf(repo, second.pid()))
                  : "");
    EXPECT_EQ(second.Finish(), Exited(0));
    ExpectNothingLeft(repo);
  }
}

TEST(OverriddenTest, IsNotToldWithQuiet) {
  const Repository repo;
  Guarded run(repo.path(), {"-q"});
  // Once the lock file is restored, the run is known to watch its lock.
  std::filesystem::remove(repo.LockFile());
  WaitForFile(repo.LockFile());
  Guarded second(repo.path(), {"--force", "--yes"});
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(run.err(), "");
  EXPECT_EQ(second.Finish(), Exited(0));
}

}  // namespace
}  // namespace o8lock
