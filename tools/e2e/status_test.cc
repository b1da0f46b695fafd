// SPDX-License-Identifier: Apache-2.0
//
// The status of a lock, for programs and on a terminal, and its removal.
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <memory>
#include <regex>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/json_schema.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Returns the output of `o8lock status --json` in `repo`, without its variable
// parts.
std::string Json(const Repository& repo, int exit_code,
                 const Argv& options = {}) {
  Argv argv = O8lock(options);
  argv.insert(argv.end(), {"status", "--json"});
  const Result status = Call(argv, repo.path());
  EXPECT_EQ(status.end, Exited(exit_code));
  EXPECT_EQ(status.err, "");
  EXPECT_EQ(SchemaViolation(status.out, "testdata/status.schema.json"), "");
  return std::regex_replace(
      Normal(status.out),
      std::regex("\"ageSeconds\": [0-9]+|\"version\": \"[0-9.]+\""), "{KNOWN}");
}

Values ValuesOf(const Repository& repo, Guarded& run) {
  Values values = ValuesOf(repo, run.pid());
  values["COMMAND"] = absl::StrCat(run.command_pid());
  return values;
}

// Returns StateOf() after the run has written all of its record.
LockFilesState StableStateOf(const Repository& repo) {
  WaitForCommandInRecord(repo);
  return StateOf(repo);
}

// Makes a lock with a record that lacks the boot of its machine.
void MakeUnknown(const Repository& repo) {
  repo.MakeGuard(
      R"({"pid":1,"startedAt":"2026-02-25T10:30:00Z","features":[],"command":)"
      R"(["make"],"user":"bob","host":"elsewhere","token":"t"})");
}

TEST(StatusJsonTest, Free) {
  const Repository repo;
  EXPECT_EQ(Json(repo, 0), Golden("json_free", ValuesOf(repo)));
}

TEST(StatusJsonTest, Held) {
  const Repository repo;
  Guarded run(repo.path(), {"--feature", "a", "--max-concurrency", "2"});
  EXPECT_EQ(Json(repo, 75), Golden("json_held", ValuesOf(repo, run)));
  EXPECT_EQ(Json(repo, 9, {"-E", "9"}),
            Golden("json_held", ValuesOf(repo, run)));
}

TEST(StatusJsonTest, HeldByARunOutsideO8lock) {
  const Repository repo;
  Process external({"sleep", "1000"});
  WaitUntil("the program", [&external] {
    return absl::StartsWith(
        Contents(absl::StrCat("/proc/", external.pid(), "/cmdline")), "sleep");
  });
  repo.MakeLockFile(ExternalLockFile(external.pid(), TimeText(absl::Now())));
  Values values = ValuesOf(repo, external.pid());
  values["CWD"] = std::filesystem::current_path();
  EXPECT_EQ(Json(repo, 75), Golden("json_outside", values));
}

TEST(StatusJsonTest, StaleWithWhatItLeft) {
  const Repository repo;
  Git(repo.path(), {"worktree", "add", "--quiet", "-b", "early",
                    repo.File(".claude/worktrees/early")});
  // It is older than the run.
  const std::string early = repo.File(".git/worktrees/early/commondir");
  std::filesystem::last_write_time(
      early, std::filesystem::last_write_time(early) - std::chrono::hours(1));
  Values values;
  {
    Guarded run(repo.path());
    values = ValuesOf(repo, run);
    for (const char* how : {"-b", "--detach"}) {
      const std::string path =
          absl::StrCat(repo.File(".claude/worktrees/"),
                       how == std::string("-b") ? "b" : "d");
      Argv add = {"worktree", "add", "--quiet", how};
      if (how == std::string("-b")) add.emplace_back("feature/b");
      add.push_back(path);
      Git(repo.path(), add);
    }
  }  // killed
  EXPECT_EQ(Json(repo, 0), Golden("json_stale", values));
  const Result status = Call(O8lock({"status"}), repo.path());
  EXPECT_THAT(
      status.out,
      EndsWith(
          Fill("Orphaned worktrees: 2\n"
               "  {REPO}/.claude/worktrees/b (feature/b): clean, every commit "
               "exists elsewhere\n"
               "  {REPO}/.claude/worktrees/d (no branch): clean, every commit "
               "exists elsewhere\n"
               "  a run with the same features fails: a branch named "
               "'feature/b' already exists\n"
               "  to remove the clean ones: git worktree remove "
               "{REPO}/.claude/worktrees/b && git worktree remove "
               "{REPO}/.claude/worktrees/d && git branch -d feature/b\n",
               values)));
}

TEST(StatusJsonTest, Unknown) {
  const Repository repo;
  MakeUnknown(repo);
  EXPECT_EQ(Json(repo, 75), Golden("json_unknown", ValuesOf(repo)));
}

TEST(StatusJsonTest, ReportsTheRepositorysOtherLocks) {
  const Repository repo;
  EXPECT_EQ(Call(O8lock({"-n", "build", "--", "true"}), repo.path()).end,
            Exited(0));
  Guarded run(repo.path(), {"--name", "deploy"});
  Values values = ValuesOf(repo, run);
  EXPECT_EQ(Json(repo, 0), Golden("json_others", values));
  const Result status = Call(O8lock({"status"}), repo.path());
  EXPECT_EQ(status.end, Exited(0));
  EXPECT_THAT(status.out,
              EndsWith(absl::StrCat("Other locks: 2\n  deploy: held (PID: ",
                                    run.pid(), ")\n  build: free\n")));
  const Result deploy =
      Call(O8lock({"--name", "deploy", "status"}), repo.path());
  EXPECT_EQ(deploy.end, Exited(75));
  // No run has taken the lock 'parallel' yet, so it is not listed.
  EXPECT_THAT(deploy.out, EndsWith("Other locks: 1\n  build: free\n"));
}

TEST(StatusJsonTest, SaysWhyThereIsNoLockFile) {
  const Repository repo;
  Guarded run(repo.path(), {"--publish=never"});
  EXPECT_THAT(Json(repo, 75),
              HasSubstr("\"whyNoLockFile\": \"--publish=never\""));
}

TEST(SchemaTest, ForbidsWhatIsWrong) {
  const Repository repo;
  const std::string json = Call(O8lock({"status", "--json"}), repo.path()).out;
  const auto violation = [&json](const std::string& from,
                                 const std::string& to) {
    EXPECT_THAT(json, HasSubstr(from));
    return SchemaViolation(absl::StrReplaceAll(json, {{from, to}}),
                           "testdata/status.schema.json");
  };
  EXPECT_EQ(violation("\"free\"", "\"stale\""), "");
  EXPECT_EQ(violation("\"verdict\"", "\"new\": 1, \"verdict\""), "");
  EXPECT_NE(violation("\"free\"", "\"fine\""), "");
  EXPECT_NE(violation("\"waiters\": []", "\"waiters\": [1]"), "");
  EXPECT_NE(violation("\"waiters\"", "\"waiting\""), "");
  EXPECT_NE(violation("\"schemaVersion\": 1", "\"schemaVersion\": 2"), "");
  EXPECT_NE(violation("\"guard\"", "\"\xff\""), "");
}

// --- Waiting processes ---

// Returns the output of `o8lock status` in `repo` once `count` processes wait.
std::string StatusWithWaiters(const Repository& repo, int count) {
  std::string status;
  WaitUntil("the waiters", [&] {
    status = Call(O8lock({"status"}), repo.path()).out;
    return absl::StrContains(status, absl::StrCat("Waiting: ", count, "\n"));
  });
  return std::regex_replace(status, std::regex("for [0-9]+s: "),
                            "for {DURATION}: ");
}

std::string WaiterLine(const Repository& repo, pid_t pid,
                       const std::string& name) {
  return absl::StrCat("  for {DURATION}: PID ", pid, " in ", repo.path(), ": ",
                      Binary(), " --wait -- echo ", name, "\n");
}

TEST(WaitingTest, StatusShowsTheProcessesThatWaitTheLongestFirst) {
  const Repository repo;
  Guarded run(repo.path());
  Process first(O8lock({"--wait", "--", "echo", "1"}), In(repo.path()));
  StatusWithWaiters(repo, 1);
  Process second(O8lock({"--wait", "--", "echo", "2"}), In(repo.path()));
  EXPECT_THAT(
      StatusWithWaiters(repo, 2),
      EndsWith(absl::StrCat("Waiting: 2\n", WaiterLine(repo, first.pid(), "1"),
                            WaiterLine(repo, second.pid(), "2"))));
  EXPECT_THAT(Json(repo, 75), HasSubstr(absl::StrCat(
                                  "  \"waiters\": [\n    {\n      \"pid\": ",
                                  first.pid(), ",\n      \"visible\": true,")));
  // A killed waiter is no longer listed.
  first.Signal(SIGKILL);
  first.Wait();
  EXPECT_THAT(StatusWithWaiters(repo, 1),
              EndsWith(absl::StrCat("Waiting: 1\n",
                                    WaiterLine(repo, second.pid(), "2"))));
  // Nor is one after its turn has come.
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(second.Wait(), Exited(0));
  EXPECT_EQ(Call(O8lock({"status"}), repo.path()).out,
            Golden("status_free", ValuesOf(repo)));
}

TEST(WaitingTest, ARunThatHasWaitedDoesNotWait) {
  const Repository repo;
  Guarded run(repo.path());
  ProcessOptions options = In(repo.path());
  options.input = ProcessOptions::Stdin::kPipe;
  Process next(O8lock({"--wait", "--", "sh", "-c", Guarded::kScript}), options);
  StatusWithWaiters(repo, 1);
  EXPECT_EQ(run.Finish(), Exited(0));
  next.WaitForOutput("ready");
  EXPECT_THAT(Call(O8lock({"status"}), repo.path()).out,
              Not(HasSubstr("Waiting")));
  next.Write("0\n");
  EXPECT_EQ(next.Wait(), Exited(0));
}

TEST(WaitingTest, ForAnExternalRunToo) {
  const Repository repo;
  Process external({"sleep", "1000"});
  repo.MakeLockFile(ExternalLockFile(external.pid(), TimeText(absl::Now())));
  Process waiter(O8lock({"--wait", "--", "echo", "1"}), In(repo.path()));
  EXPECT_THAT(StatusWithWaiters(repo, 1),
              EndsWith(WaiterLine(repo, waiter.pid(), "1")));
}

TEST(WaitingTest, OneOfAnotherPidNamespaceIsMarked) {
  if (!(RunToEnd({"unshare", "--pid", "--fork", "true"}) == Exited(0))) {
    GTEST_SKIP() << "needs a pid namespace";
  }
  const Repository repo;
  Guarded run(repo.path());
  Process inside({"unshare", "--pid", "--fork", "--kill-child", Binary(),
                  "--wait", "--", "true"},
                 In(repo.path()));
  EXPECT_THAT(StatusWithWaiters(repo, 1),
              EndsWith("Waiting: 1\n  for {DURATION}: PID 1 (another user or "
                       "PID namespace)\n"));
  EXPECT_THAT(Json(repo, 75), HasSubstr("\"visible\": false"));
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(inside.Wait(), Exited(0));
}

// --- Other locks ---

TEST(OtherLocksTest, FreeOnesAreNotOpenedAndHideNoOther) {
  const Repository repo;
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(0));
  for (int i = 0; i < 1000; ++i) {
    MakeFile(repo.File(absl::StrCat(".git/o8lock/a", i, ".guard")), "");
  }
  Guarded run(repo.path(), {"--name", "z"});
  // If there is a lock file, an external run may be using it.
  Process external({"sleep", "1000"});
  MakeFile(repo.File(".claude/a7.lock"),
           ExternalLockFile(external.pid(), TimeText(absl::Now())));
  const Result status = Call(O8lock({"status"}), repo.path());
  EXPECT_THAT(status.out,
              HasSubstr(absl::StrCat(
                  "Other locks: 1001\n  a7: held (PID: ", external.pid(),
                  ")\n  z: held (PID: ", run.pid(), ")\n  a0: free\n")));
  EXPECT_THAT(status.out, EndsWith("  and 981 more\n"));
}

TEST(OtherLocksTest, ThoseUnusedForAWeekAreLeftOut) {
  const Repository repo;
  for (const char* name : {"new", "old"}) {
    EXPECT_EQ(Call(O8lock({"-n", name, "--", "true"}), repo.path()).end,
              Exited(0));
  }
  const std::string old = repo.File(".git/o8lock/old.guard");
  std::filesystem::last_write_time(
      old, std::filesystem::last_write_time(old) - std::chrono::hours(24 * 8));
  EXPECT_THAT(Call(O8lock({"status"}), repo.path()).out,
              EndsWith("Other locks: 1\n  new: free\n"));
  Guarded run(repo.path(), {"--name", "old"});
  EXPECT_THAT(Call(O8lock({"status"}), repo.path()).out,
              EndsWith(absl::StrCat("Other locks: 2\n  old: held (PID: ",
                                    run.pid(), ")\n  new: free\n")));
}

// Returns the output of o8lock WORDS on a terminal with colours, in the
// repository of a run with the lock.
std::string ShownInColor(const Repository& repo, const Argv& arguments,
                         const std::map<std::string, std::string>& env) {
  ProcessOptions options = OnTerminal(repo.path());
  options.env["TERM"] = "xterm";
  for (const auto& [name, value] : env) options.env[name] = value;
  Process process(O8lock(arguments), options);
  EXPECT_EQ(process.Wait(), Exited(75));
  return process.out();
}

TEST(StatusTest, IsInColorOnATerminalUnlessNoColorIsWanted) {
  const Repository repo;
  Guarded run(repo.path());
  const auto shown = [&repo](const std::map<std::string, std::string>& env) {
    return ShownInColor(repo, {"status"}, env);
  };
  const std::string plain = absl::StrCat("held (PID: ", run.pid(), ")\r\n");
  const std::string red =
      absl::StrCat("\x1b[31mheld\x1b[0m (PID: ", run.pid(), ")\r\n");
  EXPECT_THAT(shown({}), StartsWith(red));
  EXPECT_THAT(shown({}), HasSubstr("\x1b[1mGuard:\x1b[0m "));
  EXPECT_THAT(shown({{"NO_COLOR", ""}}), StartsWith(red));
  EXPECT_THAT(shown({{"NO_COLOR", "1"}}), StartsWith(plain));
  EXPECT_THAT(shown({{"TERM", "dumb"}}), StartsWith(plain));
  EXPECT_THAT(Call(O8lock({"status"}), repo.path()).out, StartsWith("held ("));
  run.Finish();
  ProcessOptions options = OnTerminal(repo.path());
  options.env["TERM"] = "xterm";
  Process status(O8lock({"status"}), options);
  EXPECT_EQ(status.Wait(), Exited(0));
  EXPECT_THAT(status.out(), StartsWith("\x1b[32mfree\x1b[0m\r\n"));
}

// The specification's lines do not change.
TEST(RefusalTest, HasBoldNamesOnATerminalUnlessNoColorIsWanted) {
  const Repository repo;
  Guarded run(repo.path());
  const auto shown = [&repo](const std::map<std::string, std::string>& env) {
    return ShownInColor(repo, {"--", "true"}, env);
  };
  const std::string plain = shown({{"NO_COLOR", "1"}});
  EXPECT_THAT(plain, HasSubstr("\nHolder: "));
  EXPECT_THAT(plain, Not(HasSubstr("\x1b")));
  EXPECT_THAT(shown({{"TERM", "dumb"}}), Not(HasSubstr("\x1b")));
  const std::string bold = shown({});
  const size_t details = bold.find('\x1b');
  EXPECT_EQ(bold.substr(0, details), plain.substr(0, plain.find("Holder: ")));
  EXPECT_THAT(bold.substr(details),
              AllOf(StartsWith("\x1b[1mHolder:\x1b[0m "),
                    HasSubstr("\r\n\x1b[1mGuard:\x1b[0m ")));
  EXPECT_THAT(ShownInColor(repo, {"--wait=0.1s", "--", "true"}, {}),
              HasSubstr("\r\n\x1b[1mGuard:\x1b[0m "));
}

// --- unlock ---

TEST(UnlockTest, OfAFreeLockThereIsNothingToDo) {
  const Repository repo;
  const Result unlock = Call(O8lock({"unlock"}), repo.path());
  EXPECT_EQ(unlock.end, Exited(0));
  EXPECT_EQ(unlock.out, Golden("status_free", ValuesOf(repo)));
  EXPECT_EQ(unlock.err, "");
  EXPECT_FALSE(Exists(repo.File(".git/o8lock")));
}

TEST(UnlockTest, AStaleOneIsClearedWithoutAQuestion) {
  const Repository repo;
  repo.MakeLockFile(ExternalLockFile(DeadPid(), "2026-02-25T10:30:00Z"));
  const Result unlock = Call(O8lock({"unlock"}), repo.path());
  EXPECT_EQ(unlock.end, Exited(0));
  EXPECT_THAT(unlock.out, StartsWith("free (stale: PID "));
  EXPECT_EQ(unlock.err, "o8lock: stale lock removed\n");
  ExpectNothingLeft(repo);
}

TEST(UnlockTest, AMalformedLockFileIsMovedAside) {
  const Repository repo;
  repo.MakeLockFile("[]");
  const Result unlock = Call(O8lock({"unlock"}), repo.path());
  EXPECT_EQ(unlock.end, Exited(0));
  EXPECT_THAT(
      unlock.err,
      AllOf(StartsWith(absl::StrCat(
                "o8lock: warning: '", repo.LockFile(),
                "' was a malformed lock file (not a JSON object); o8lock moved "
                "it to '")),
            EndsWith("'\n")));
  EXPECT_FALSE(Exists(repo.LockFile()));
}

TEST(UnlockTest, WithoutATerminalItWantsYes) {
  const Repository repo;
  Guarded run(repo.path());
  const LockFilesState before = StableStateOf(repo);
  const Result unlock = Call(O8lock({"unlock"}), repo.path());
  EXPECT_EQ(unlock.end, Exited(75));
  EXPECT_EQ(unlock.err, Golden("unlock_no_terminal", ValuesOf(repo, run)));
  EXPECT_TRUE(StateOf(repo) == before);
  EXPECT_EQ(Call(O8lock({"-E", "9", "unlock"}), repo.path()).end, Exited(9));
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(run.err(), "");
}

TEST(UnlockTest, TakesTheLockAwayAndTheHolderIsTold) {
  const Repository repo;
  Guarded run(repo.path());
  Process unlock(O8lock({"unlock", "--yes"}), In(repo.path()));
  EXPECT_EQ(unlock.Wait(), Exited(0));
  EXPECT_THAT(Normal(unlock.out()),
              StartsWith(absl::StrCat("held (PID: ", run.pid(), ")\n")));
  EXPECT_EQ(unlock.err(), Golden("unlock", ValuesOf(repo, run)));
  ExpectNothingLeft(repo);
  // The next run works beside it, and keeps its files.
  Guarded next(repo.path());
  const LockFilesState before = StableStateOf(repo);
  EXPECT_EQ(run.Finish(7), Exited(7));
  EXPECT_EQ(Normal(run.err()),
            Golden("overridden", ValuesOf(repo, unlock.pid())));
  EXPECT_TRUE(StateOf(repo) == before);
  EXPECT_EQ(next.Finish(), Exited(0));
  ExpectNothingLeft(repo);
}

TEST(UnlockTest, TakesTheLockOfTheRunAroundItToo) {
  const Repository repo;
  const Result run =
      Call(O8lock({"--", "sh", "-c",
                   "\"$0\" unlock --yes && env -i \"$0\" -- echo stranger",
                   Binary()}),
           repo.path());
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_THAT(run.out, EndsWith("\nstranger\n"));
  EXPECT_THAT(run.err, AllOf(HasSubstr("\no8lock: lock removed; PID "),
                             HasSubstr("\no8lock: warning: this run's lock was "
                                       "overridden at ")));
  ExpectNothingLeft(repo);
}

TEST(UnlockTest, OnATerminalItAsks) {
  const Repository repo;
  Guarded run(repo.path());
  for (const char* no : {"n\n", "\n", "yess\n"}) {
    Process unlock(O8lock({"unlock"}), OnTerminal(repo.path()));
    const std::string shown = unlock.WaitForOutput("[y/N] ");
    EXPECT_THAT(shown, HasSubstr(absl::StrCat(" (PID: ", run.pid(), ")\r\n")));
    EXPECT_THAT(shown, HasSubstr("That process keeps running, and the next run "
                                 "starts beside it.\r\nContinue? [y/N] "));
    unlock.Write(no);
    EXPECT_EQ(unlock.Wait(), Exited(75));
    EXPECT_THAT(unlock.out(), EndsWith("Aborted.\r\n"));
  }
  EXPECT_EQ(Call(O8lock({"status"}), repo.path()).end, Exited(75));
  Process unlock(O8lock({"unlock"}), OnTerminal(repo.path()));
  unlock.WaitForOutput("[y/N] ");
  unlock.Write("y\n");
  EXPECT_EQ(unlock.Wait(), Exited(0));
  EXPECT_THAT(unlock.out(),
              EndsWith(absl::StrCat("o8lock: lock removed; PID ", run.pid(),
                                    " no longer holds it\r\n")));
  EXPECT_EQ(Call(O8lock({"status"}), repo.path()).end, Exited(0));
}

TEST(UnlockTest, TakesItFromTheHolderThatWasShownOnly) {
  const Repository repo;
  auto shown = std::make_unique<Guarded>(repo.path());
  Process unlock(O8lock({"unlock"}), OnTerminal(repo.path()));
  unlock.WaitForOutput("[y/N] ");
  shown->Finish();
  Guarded next(repo.path());
  const LockFilesState before = StableStateOf(repo);
  unlock.Write("y\n");
  EXPECT_EQ(unlock.Wait(), Exited(75));
  EXPECT_THAT(
      unlock.out(),
      EndsWith(
          "o8lock: error: the holder changed, so the lock was not removed\r\n"
          "o8lock: hint: see: o8lock status\r\n"));
  EXPECT_TRUE(StateOf(repo) == before);
  EXPECT_EQ(next.Finish(), Exited(0));
  EXPECT_EQ(next.err(), "");
}

TEST(UnlockTest, EndsAnUnknownStateOfAnotherBoot) {
  const Repository repo;
  MakeUnknown(repo);
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
  const Result unlock = Call(O8lock({"--yes", "unlock"}), repo.path());
  EXPECT_EQ(unlock.end, Exited(0));
  EXPECT_THAT(unlock.out, StartsWith("unknown (PID: 1)\n"));
  EXPECT_THAT(unlock.err, HasSubstr("This may cause conflicts if it is still "
                                    "running.\n"));
  ExpectNothingLeft(repo);
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(0));
}

TEST(StatusTest, IsNoSuccessWhereItCannotBeWritten) {
  const Repository repo;
  for (const char* verb : {"status", "status --json", "--version", "--help"}) {
    const Result result =
        Call(Shell(absl::StrCat("$O8LOCK ", verb, " >/dev/full")), repo.path());
    EXPECT_EQ(result.end, Exited(71)) << verb;
    EXPECT_EQ(result.err,
              "o8lock: error: cannot write to 'standard output': No space left "
              "on device\n");
  }
}

TEST(UnlockTest, AlsoOfARunOutsideO8lock) {
  for (const char* const file : {"parallel.lock", "murm.lock"}) {
    SCOPED_TRACE(file);
    const Repository repo;
    Process external({"sleep", "1000"});
    repo.MakeLockFile("");
    std::filesystem::remove(repo.LockFile());
    MakeFile(repo.File(absl::StrCat(".claude/", file)),
             ExternalLockFile(external.pid(), TimeText(absl::Now())));
    EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
    const Result unlock =
        Call(O8lock({"--yes", "--quiet", "unlock"}), repo.path());
    EXPECT_EQ(unlock.end, Exited(0));
    EXPECT_EQ(unlock.out, "");
    EXPECT_EQ(unlock.err, "");
    ExpectNothingLeft(repo);
    EXPECT_FALSE(Exists(repo.File(absl::StrCat(".claude/", file))));
    EXPECT_EQ(kill(external.pid(), 0), 0);
  }
}

}  // namespace
}  // namespace o8lock
