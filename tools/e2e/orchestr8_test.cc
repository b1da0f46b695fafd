// SPDX-License-Identifier: Apache-2.0
//
// Versions of orchestr8 with a lock of their own: the behaviour of their
// stand-in alone, under o8lock and beside o8lock.
#include <sys/stat.h>
#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/cli/orchestr8_testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kComplete[] = "--- Parallel Execution Complete ---\n";

// A repository that ignores orchestr8's files. Otherwise another start would
// find a dirty tree before it finds the lock file.
class IgnoringRepository : public Repository {
 public:
  IgnoringRepository() { MakeFile(File(".git/info/exclude"), "/.claude/\n"); }
  // The lock file of orchestr8 in `version`.
  std::string LockFileOf(const std::string& version) const {
    return version == "v4" ? File(".claude/murm.lock") : LockFile();
  }
};

// Installs any version of orchestr8 when it is first needed.
class Orchestr8Test : public ::testing::Test {
 protected:
  // orchestr8 parallel WORDS...
  Argv Parallel(const std::string& version, const Argv& arguments) const {
    const std::string prefix = programs_.File(version);
    Argv argv = {Exists(prefix) ? prefix + "/bin/orchestr8"
                                : InstallOrchestr8(prefix, version),
                 "parallel"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
  }
  // o8lock OPTIONS... -- orchestr8 parallel WORDS...
  Argv LockedParallel(const Argv& options, const std::string& version,
                      const Argv& arguments) const {
    Argv argv = O8lock(options);
    argv.emplace_back("--");
    for (const std::string& argument : Parallel(version, arguments)) {
      argv.push_back(argument);
    }
    return argv;
  }

 private:
  const TempDir programs_;
};

// The pid in a lock file.
pid_t PidIn(const std::string& lock_file) {
  std::smatch match;
  EXPECT_TRUE(
      std::regex_search(lock_file, match, std::regex("\"pid\": ([0-9]+)")))
      << lock_file;
  return match.empty() ? 0 : std::stoi(match[1]);
}

// A run, stopped at the point where all its worktrees exist.
class Held {
 public:
  Held(const Argv& argv, const Repository& repo)
      : process_(argv, AtTheGate(repo.path())) {
    process_.WaitForOutput("ready\n");
  }
  Process* operator->() { return &process_; }
  End Finish() {
    process_.Write("go\n");
    return process_.Wait();
  }

 private:
  Process process_;
};

// The beginning of orchestr8's lock file.
std::string LockFileBegin(pid_t pid) {
  return absl::StrCat("{\n  \"pid\": ", pid, ",\n");
}

// The refusal of orchestr8 in `version` while `pid` holds its lock.
std::string Refusal(const std::string& version, pid_t pid) {
  const bool is_v4 = version == "v4";
  const char* const program = is_v4 ? "murmur8 murm" : "orchestr8 parallel";
  return absl::StrCat("\nError: Another ", is_v4 ? "murmuration" : "parallel",
                      " execution is in progress\n  PID: ", pid,
                      "\n  Started: {TIME}\n  Features: feat-a, feat-b\n\n"
                      "Options:\n  • Wait for it to complete\n  • Run: ",
                      program, " status\n  • Force override: ", program,
                      " ... --force\n\n");
}

// --- The stand-in alone ---

class StandInTest : public Orchestr8Test {};

TEST_F(StandInTest, TwoRunsExcludeEachOther) {
  for (const char* const version : {"v3", "v4"}) {
    SCOPED_TRACE(version);
    const IgnoringRepository repo;
    Held first(Parallel(version, {"feat-a", "--yes", "feat-b"}), repo);
    const std::string lock_file = Contents(repo.LockFileOf(version));
    EXPECT_EQ(Normal(lock_file),
              absl::StrCat(LockFileBegin(first->pid()),
                           "  \"startedAt\": \"{TIME}\",\n  \"features\": [\n"
                           "    \"feat-a\",\n    \"feat-b\"\n  ]\n}"));

    const Argv second_argv = Parallel(version, {"feat-c", "-y"});
    const Result second = Call(second_argv, repo.path());
    EXPECT_EQ(second.end, Exited(1));
    EXPECT_EQ(second.out, "");
    EXPECT_EQ(Normal(second.err), Refusal(version, first->pid()));
    EXPECT_EQ(Contents(repo.LockFileOf(version)), lock_file);

    EXPECT_EQ(first.Finish(), Exited(0));
    EXPECT_THAT(first->out(), EndsWith(kComplete));
    EXPECT_FALSE(Exists(repo.LockFileOf(version)));
    EXPECT_EQ(Call(second_argv, repo.path()).end, Exited(0));
  }
}

TEST_F(StandInTest, BeforeItHadALockTwoRunBesideEachOther) {
  const IgnoringRepository repo;
  Held first(Parallel("prelock", {"feat-a"}), repo);
  Held second(Parallel("prelock", {"feat-b"}), repo);
  EXPECT_FALSE(Exists(repo.LockFile()));
  EXPECT_EQ(first.Finish(), Exited(0));
  EXPECT_EQ(second.Finish(), Exited(0));
}

TEST_F(StandInTest, ForceRemovesTheLockFileOfALiveRun) {
  for (const char* const version : {"v3", "v4"}) {
    SCOPED_TRACE(version);
    const IgnoringRepository repo;
    Held first(Parallel(version, {"feat-a", "--yes"}), repo);
    const std::string lock_file = Contents(repo.LockFileOf(version));
    Held forced(Parallel(version, {"feat-b", "--yes", "--force"}), repo);
    EXPECT_THAT(
        forced->out(),
        StartsWith(absl::StrCat(
            "Warning: Overriding existing lock (PID: ", first->pid(), ")\n")));
    EXPECT_EQ(Contents(repo.LockFileOf(version)), lock_file);
    EXPECT_EQ(forced.Finish(), Exited(0));
    EXPECT_FALSE(Exists(repo.LockFileOf(version)));
    EXPECT_EQ(first.Finish(), Exited(0));
  }
}

TEST_F(StandInTest, AStaleLockFileIsWrittenInPlace) {
  for (const char* const version : {"v3", "v4"}) {
    SCOPED_TRACE(version);
    const IgnoringRepository repo;
    const std::string lock_file = repo.LockFileOf(version);
    const pid_t dead = DeadPid();
    std::filesystem::create_directory(repo.File(".claude"));
    MakeFile(lock_file, ExternalLockFile(dead, "2026-02-25T10:30:00Z"), 0600);
    struct stat before = {};
    ASSERT_EQ(stat(lock_file.c_str(), &before), 0);
    Held run(Parallel(version, {"feat-a", "--yes"}), repo);
    EXPECT_THAT(run->out(), StartsWith(absl::StrCat(
                                "Warning: Found stale lock file (PID ", dead,
                                " not running)\n"
                                "Removing stale lock and continuing...\n")));
    struct stat after = {};
    ASSERT_EQ(stat(lock_file.c_str(), &after), 0);
    EXPECT_EQ(after.st_ino, before.st_ino);
    EXPECT_EQ(after.st_mode, before.st_mode);
    EXPECT_THAT(Contents(lock_file), StartsWith(LockFileBegin(run->pid())));
    EXPECT_EQ(run.Finish(), Exited(0));
  }
}

TEST_F(StandInTest, Version4RenamesTheLockFileOfALiveVersion3) {
  const IgnoringRepository repo;
  Held old(Parallel("v3", {"feat-a", "feat-b", "--yes"}), repo);
  const std::string lock_file = Contents(repo.LockFileOf("v3"));
  EXPECT_EQ(Call(Parallel("v4", {"status"}), repo.path()).end, Exited(0));
  EXPECT_FALSE(Exists(repo.LockFileOf("v3")));
  EXPECT_EQ(Contents(repo.LockFileOf("v4")), lock_file);
  const Result refused = Call(Parallel("v4", {"feat-c", "--yes"}), repo.path());
  EXPECT_EQ(refused.end, Exited(1));
  EXPECT_EQ(Normal(refused.err), Refusal("v4", old->pid()));
  // Version 3 looks only for its own file name, at its end too.
  EXPECT_EQ(Call(Parallel("v3", {"feat-c", "--yes"}), repo.path()).end,
            Exited(0));
  EXPECT_EQ(old.Finish(), Exited(0));
  EXPECT_EQ(Contents(repo.LockFileOf("v4")), lock_file);
}

TEST_F(StandInTest, AsksWithItsLockTakenAndLeavesItWithoutAnAnswer) {
  struct Case {
    const char* name;
    const char* answer;
    const char* out;  // the end of the output
    bool merges;
    bool leaves_lock_file;
  };
  const std::vector<Case> cases = {
      {"y", "y\ngo\n", kComplete, true, false},
      {"YES", "YES\ngo\n", kComplete, true, false},
      {"n", "n\n", "Continue? [y/N] Aborted.\n", false, false},
      {"empty line", "\n", "Continue? [y/N] Aborted.\n", false, false},
      {"none", "", "Continue? [y/N] ", false, true},
  };
  for (const std::string version : {"v3", "v4"}) {
    for (const Case& test : cases) {
      SCOPED_TRACE(absl::StrCat(version, ", ", test.name));
      const IgnoringRepository repo;
      const std::string lock_file = repo.LockFileOf(version);
      Process run(Parallel(version, {"feat-a"}), AtTheGate(repo.path()));
      run.WaitForOutput("Continue? [y/N] ");
      EXPECT_THAT(Contents(lock_file), StartsWith(LockFileBegin(run.pid())));
      run.Write(test.answer);
      run.CloseInput();
      EXPECT_EQ(run.Wait(), Exited(0));
      EXPECT_THAT(run.out(), EndsWith(test.out));
      EXPECT_EQ(Exists(repo.File("feat-a.txt")), test.merges);
      EXPECT_EQ(Exists(lock_file), test.leaves_lock_file);
    }
  }
}

TEST_F(StandInTest, AbortTerminatesWhomeverTheFileNames) {
  for (const char* const version : {"v3", "v4"}) {
    SCOPED_TRACE(version);
    const IgnoringRepository repo;
    Held run(Parallel(version, {"feat-a", "--yes"}), repo);
    const Argv abort = Parallel(version, {"abort"});
    EXPECT_EQ(Call(abort, repo.path()).end, Exited(0));
    EXPECT_EQ(run->Wait(), Exited(130));
    EXPECT_FALSE(Exists(repo.LockFileOf(version)));

    Process stranger(Shell("echo ready; exec sleep 1000"));
    stranger.WaitForOutput("ready\n");
    MakeFile(repo.LockFileOf(version),
             ExternalLockFile(stranger.pid(), "2026-02-25T10:30:00Z"));
    EXPECT_EQ(Call(abort, repo.path()).end, Exited(0));
    EXPECT_EQ(stranger.Wait(), Killed(SIGTERM));
    EXPECT_FALSE(Exists(repo.LockFileOf(version)));
  }
}

// --- Under o8lock and beside it ---

TEST_F(Orchestr8Test, TakesALockFileThatIsThereForAnotherRun) {
  for (const char* const version : {"v3", "v4"}) {
    SCOPED_TRACE(version);
    const IgnoringRepository repo;
    Process run(LockedParallel({"--publish", "always"}, version,
                               {"feat-a", "feat-b", "-y"}),
                In(repo.path()));
    EXPECT_EQ(run.Wait(), Exited(1));
    EXPECT_EQ(Normal(run.err()), Refusal(version, run.pid()));
    ExpectNothingLeft(repo);
    EXPECT_FALSE(Exists(repo.LockFileOf(version)));
  }
}

TEST_F(Orchestr8Test, WorksWithItsOwnLockFile) {
  for (const char* const version : {"v3", "v4"}) {
    SCOPED_TRACE(version);
    const IgnoringRepository repo;
    Held run(LockedParallel({}, version, {"feat-a", "feat-b", "--yes"}), repo);
    const std::string lock_file = Contents(repo.LockFileOf(version));
    const pid_t pid = PidIn(lock_file);
    EXPECT_NE(pid, run->pid());
    EXPECT_THAT(lock_file, StartsWith(LockFileBegin(pid)));

    const Result wrapped =
        Call(LockedParallel({}, version, {"feat-c", "-y"}), repo.path());
    EXPECT_EQ(wrapped.end, Exited(75));
    EXPECT_EQ(wrapped.out, "");
    EXPECT_THAT(wrapped.err, HasSubstr(absl::StrCat(
                                 "Evidence: the kernel lock is held, process ",
                                 run->pid(), " is running\n")));
    const Result unwrapped =
        Call(Parallel(version, {"feat-c", "-y"}), repo.path());
    EXPECT_EQ(unwrapped.end, Exited(1));
    EXPECT_EQ(Normal(unwrapped.err), Refusal(version, pid));
    EXPECT_EQ(Contents(repo.LockFileOf(version)), lock_file);

    EXPECT_EQ(run.Finish(), Exited(0));
    EXPECT_THAT(run->out(), EndsWith(kComplete));
    EXPECT_EQ(run->err(), "");
    ExpectNothingLeft(repo);
    EXPECT_FALSE(Exists(repo.LockFileOf(version)));
  }
}

TEST_F(Orchestr8Test, OneThatRunsWithoutO8lockIsRefusedAgainst) {
  for (const std::string version : {"v3", "v4"}) {
    SCOPED_TRACE(version);
    const IgnoringRepository repo;
    Held run(Parallel(version, {"feat-x", "--yes"}), repo);
    const std::string lock_file = Contents(repo.LockFileOf(version));
    const Result refused = Call(O8lock({"--", "true"}), repo.path());
    EXPECT_EQ(refused.end, Exited(75));
    Values values = ValuesOf(repo, run->pid());
    values["FILE"] = version == "v4" ? "murm.lock" : "parallel.lock";
    values["HOLDER_ROWS"] =
        absl::StrCat("Directory: ", repo.path(), "\nCommand: /bin/sh ",
                     PathFromEnv("ORCHESTR8"), " parallel feat-x --yes\n");
    values["STRANGER_ROWS"] = "";
    EXPECT_EQ(Normal(refused.err), Golden("held_outside", values));
    EXPECT_EQ(Contents(repo.LockFileOf(version)), lock_file);
    EXPECT_EQ(run.Finish(), Exited(0));
    EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(0));
  }
}

TEST_F(Orchestr8Test, OneThatKeepsNoLockFileHasO8locks) {
  const IgnoringRepository repo;
  Held run(LockedParallel({}, "prelock", {"feat-a"}), repo);
  EXPECT_EQ(PidIn(Contents(repo.LockFile())), run->pid());
  // Other versions look at this lock file and refuse.
  const Result unwrapped = Call(Parallel("v3", {"feat-c", "-y"}), repo.path());
  EXPECT_EQ(unwrapped.end, Exited(1));
  EXPECT_THAT(unwrapped.err, HasSubstr(absl::StrCat("PID: ", run->pid())));
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(run->err(), "");
  ExpectNothingLeft(repo);
}

TEST_F(Orchestr8Test, TheRepositorysSettingDecidesUnlessAnOptionDoes) {
  const IgnoringRepository repo;
  const auto publishes = [&](const Argv& options) {
    Held run(LockedParallel(options, "prelock", {"feat-a"}), repo);
    const bool published = Exists(repo.LockFile());
    EXPECT_EQ(run.Finish(), Exited(0));
    Git(repo.path(), {"reset", "--quiet", "--hard", "HEAD~1"});
    return published;
  };
  EXPECT_TRUE(publishes({}));
  Git(repo.path(), {"config", "o8lock.publish", "never"});
  EXPECT_FALSE(publishes({}));
  EXPECT_TRUE(publishes({"--publish", "auto"}));
  Git(repo.path(), {"config", "o8lock.publish", "sometimes"});
  const Result wrong = Call(O8lock({"--", "true"}), repo.path());
  EXPECT_EQ(wrong.end, Exited(64));
  EXPECT_EQ(wrong.err,
            "o8lock: error: the setting o8lock.publish must be 'auto', "
            "'always' or 'never', not 'sometimes'\n"
            "o8lock: hint: nothing was run; correct it: git config "
            "o8lock.publish auto\n");
}

// orchestr8 writes its lock file before it asks.
TEST_F(Orchestr8Test, OneThatAsksNobodyIsCleanedUpAfter) {
  for (const char* const version : {"v3", "v4"}) {
    SCOPED_TRACE(version);
    const IgnoringRepository repo;
    const Argv argv = LockedParallel({}, version, {"feat-a"});
    const Result run = Call(argv, repo.path());
    EXPECT_EQ(run.end, Exited(0));
    EXPECT_THAT(run.out, HasSubstr("Continue? [y/N]"));
    EXPECT_THAT(run.err,
                testing::MatchesRegex(absl::StrCat(
                    "o8lock: warning: orchestr8 asks for confirmation, but "
                    "standard input is not a terminal\no8lock: hint: add "
                    "--yes to the orchestr8 command; without an answer it does "
                    "nothing and exits with 0\no8lock: warning: removed '",
                    repo.LockFileOf(version),
                    "', the stale lock file of PID [0-9]+\n")));
    ExpectNothingLeft(repo);
    EXPECT_FALSE(Exists(repo.LockFileOf(version)));
    // -q suppresses both warnings.
    Argv quiet = argv;
    quiet.insert(quiet.begin() + 1, "-q");
    EXPECT_EQ(Call(quiet, repo.path()).err, "");
    EXPECT_FALSE(Exists(repo.LockFileOf(version)));
  }
  // With an answer, or without the question, there is no warning.
  const IgnoringRepository repo;
  EXPECT_EQ(Call(LockedParallel({}, "v3", {"feat-a", "-y"}), repo.path()).err,
            "");
  EXPECT_EQ(Call(LockedParallel({}, "prelock", {"feat-b"}), repo.path()).err,
            "");
}

TEST_F(Orchestr8Test, IsNotRefusedByTheLockFileOfTheRunThatItOverrides) {
  for (const char* const version : {"v3", "v4"}) {
    SCOPED_TRACE(version);
    const IgnoringRepository repo;
    Held first(LockedParallel({}, version, {"feat-a", "--yes"}), repo);
    Held second(
        LockedParallel({"--force", "--yes"}, version, {"feat-b", "--yes"}),
        repo);
    // The confirmation names the run once, not again for its lock file.
    EXPECT_THAT(
        second->err(),
        testing::Not(HasSubstr("PID: " + std::to_string(PidIn(Contents(
                                             repo.LockFileOf(version)))))));
    EXPECT_EQ(second.Finish(), Exited(0));
    EXPECT_EQ(first.Finish(), Exited(0));
    EXPECT_EQ(Normal(first->err()),
              Golden("overridden", ValuesOf(repo, second->pid())));
    EXPECT_FALSE(Exists(repo.LockFileOf(version)));
  }
}

TEST_F(Orchestr8Test, KilledWithAllOfItsProcessesItIsTakenOverOnce) {
  for (const char* const version : {"v3", "v4"}) {
    SCOPED_TRACE(version);
    const IgnoringRepository repo;
    Values values;
    {
      Held run(LockedParallel({}, version, {"feat-a", "--yes"}), repo);
      values = ValuesOf(repo, run->pid());
    }  // killed
    EXPECT_TRUE(Exists(repo.LockFileOf(version)));
    const Result next =
        Call(LockedParallel({}, version, {"feat-b", "--yes"}), repo.path());
    EXPECT_EQ(next.end, Exited(0));
    EXPECT_EQ(next.err, Golden("stale_worktree", values));
    EXPECT_FALSE(Exists(repo.LockFileOf(version)));
    // The command from the message is sufficient.
    std::smatch command;
    ASSERT_TRUE(std::regex_search(next.err, command, std::regex("git .*")));
    EXPECT_EQ(Call(Shell(command[0]), repo.path()).end, Exited(0));
    const Result again =
        Call(LockedParallel({}, version, {"feat-a", "--yes"}), repo.path());
    EXPECT_EQ(again.end, Exited(0));
    EXPECT_EQ(again.err, "");
  }
}

}  // namespace
}  // namespace o8lock
