// SPDX-License-Identifier: Apache-2.0
//
// The whole program with an existing lock: left by a dead run, kept by an
// external run, malformed, or overridden by force.
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Expects a run to take over the lock of the dead `pid`. With `reused`, another
// process has that pid by now.
void ExpectStale(const Repository& repo, pid_t pid, bool reused = false) {
  const Result run = Call(O8lock({"--", "echo", "ran"}), repo.path());
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.out, "ran\n");
  EXPECT_EQ(run.err,
            Golden(reused ? "stale_reused" : "stale", ValuesOf(repo, pid)));
  ExpectNothingLeft(repo);
}

// --- Dead runs of o8lock ---

TEST(StaleTest, ARunThatWasKilledWithItsCommandIsTakenOver) {
  const Repository repo;
  Guarded run(repo.path());
  run.process().Signal(SIGKILL);
  kill(run.command_pid(), SIGKILL);
  EXPECT_EQ(run.process().Wait(), Killed(SIGKILL));
  WaitForEnd(run.command_pid());
  EXPECT_TRUE(Exists(repo.LockFile()));
  ExpectStale(repo, run.pid());
}

TEST(StaleTest, ARunWhoseLockFileIsGoneToo) {
  const Repository repo;
  Guarded run(repo.path());
  run.process().Signal(SIGKILL);
  run.process().Wait();
  // As after `git clean -fdX` or `git stash -u`.
  std::filesystem::remove_all(repo.File(".claude"));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
  kill(run.command_pid(), SIGKILL);
  WaitForEnd(run.command_pid());
  ExpectStale(repo, run.pid());
}

TEST(StaleTest, ForceAsksNothingAboutADeadRun) {
  const Repository repo;
  const pid_t dead = DeadPid();
  repo.MakeLockFile(ExternalLockFile(dead, TimeText(absl::Now())));
  const Result run = Call(O8lock({"--force", "--", "true"}), repo.path());
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.err, Golden("stale", ValuesOf(repo, dead)));
}

TEST(StaleTest, QuietSaysNothing) {
  const Repository repo;
  repo.MakeLockFile(ExternalLockFile(DeadPid(), TimeText(absl::Now())));
  const Result run = Call(O8lock({"-q", "--", "true"}), repo.path());
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.err, "");
}

TEST(OrphanTest, ACommandThatOutlivesItsWrapperKeepsTheLock) {
  const Repository repo;
  Guarded run(repo.path());
  run.process().Signal(SIGKILL);
  EXPECT_EQ(run.process().Wait(), Killed(SIGKILL));
  const Result refused = Call(O8lock({"--", "true"}), repo.path());
  EXPECT_EQ(refused.end, Exited(75));
  Values values = ValuesOf(repo, run.pid());
  values["COMMAND"] = absl::StrCat(run.command_pid());
  EXPECT_EQ(Normal(refused.err), Golden("held_by_orphan", values));
  EXPECT_TRUE(Exists(repo.LockFile()));

  run.process().CloseInput();
  WaitForEnd(run.command_pid());
  ExpectStale(repo, run.pid());
}

TEST(OrphanTest, ADaemonThatTheCommandLeavesBehindDoesNotKeepTheLock) {
  const Repository repo;
  const std::string daemon =
      "setsid sh -c 'echo daemon $$; exec sleep 1000' & read go";
  ProcessOptions options = In(repo.path());
  options.input = ProcessOptions::Stdin::kPipe;
  Process run(Locked({}, daemon), options);
  const pid_t pid = ReadyPid(run, "daemon ");
  run.Write("\n");
  EXPECT_EQ(run.Wait(), Exited(0));

  // The daemon is alive and has the guard open.
  bool has_guard = false;
  for (const auto& entry : std::filesystem::directory_iterator(
           absl::StrCat("/proc/", pid, "/fd"))) {
    std::error_code error;
    has_guard = has_guard ||
                std::filesystem::read_symlink(entry, error) == repo.Guard();
  }
  EXPECT_TRUE(has_guard);
  ExpectNothingLeft(repo);
  Guarded next(repo.path());
  EXPECT_EQ(kill(pid, 0), 0);
  // Its descriptor does not affect the next run's lock either.
  kill(pid, SIGKILL);
  WaitForEnd(pid);
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
}

// Surviving processes of a killed wrapper's command are no longer a run.
TEST(OrphanTest, ADaemonOfAKilledRunDoesNotKeepTheLock) {
  const Repository repo;
  ProcessOptions options = In(repo.path());
  options.input = ProcessOptions::Stdin::kPipe;
  Process run(
      Locked({}, "setsid sh -c 'echo daemon $$; exec sleep 1000' & read go"),
      options);
  const pid_t daemon = ReadyPid(run, "daemon ");
  WaitForCommandInRecord(repo);
  run.Signal(SIGKILL);
  EXPECT_EQ(run.Wait(), Killed(SIGKILL));
  // The command is still waiting, so both are named.
  const Result refused = Call(O8lock({"--", "true"}), repo.path());
  EXPECT_EQ(refused.end, Exited(75));
  EXPECT_THAT(refused.err, HasSubstr(" and 1 more still hold the lock\n"));
  // Ending the command is enough.
  EXPECT_THAT(refused.err, ContainsRegex(": kill [0-9]+\n"));
  EXPECT_THAT(refused.err, Not(HasSubstr(absl::StrCat(" ", daemon, "\n"))));
  run.Write("\n");
  // This test does not reap the command, so there is no event to wait for.
  WaitUntil("the lock is free", [&repo] {
    return Call(O8lock({"status"}), repo.path()).end == Exited(0);
  });
  ExpectStale(repo, run.pid());
  EXPECT_EQ(kill(daemon, 0), 0);
}

// --- Containers ---

class ContainerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!(RunToEnd(Container({"true"})) == Exited(0))) {
      GTEST_SKIP() << "needs permission for a pid namespace";
    }
  }
  // Returns `argv` in a pid namespace of its own, on the same files.
  static Argv Container(Argv argv) {
    const Argv unshare = {"unshare", "--pid", "--fork", "--mount-proc",
                          "--kill-child"};
    argv.insert(argv.begin(), unshare.begin(), unshare.end());
    return argv;
  }
};

TEST_F(ContainerTest, TheKernelLockReachesOutOfItAndInto) {
  const Repository repo;
  {
    Guarded run(Container(Locked({}, Guarded::kScript)), In(repo.path()));
    const Result refused = Call(O8lock({"--", "true"}), repo.path());
    EXPECT_EQ(refused.end, Exited(75));
    EXPECT_THAT(
        refused.err,
        AllOf(HasSubstr(", in another PID namespace\n"),
              HasSubstr("\nEvidence: the kernel lock is held, process 1 is in "
                        "another PID namespace (container or host)\n")));
    // The pid of the record is another process here. It must not count.
    run.process().Signal(SIGKILL);
    run.process().Wait();
    WaitUntil("the lock is free", [&repo] {
      return Call(O8lock({"status"}), repo.path()).end == Exited(0);
    });
    ExpectStale(repo, 1);
  }
  Guarded run(repo.path());
  const Result refused =
      Call(Container(O8lock({"--", "true"})), In(repo.path()));
  EXPECT_EQ(refused.end, Exited(75));
  EXPECT_THAT(refused.err, HasSubstr(absl::StrCat(
                               "process ", run.pid(),
                               " is in another PID namespace (container or "
                               "host)\n")));
  // The run is killed with its command. The kernel lock gives the right answer
  // in the container too.
  kill(run.pid(), SIGKILL);
  kill(run.command_pid(), SIGKILL);
  run.process().Wait();
  WaitForEnd(run.command_pid());
  const Result next =
      Call(Container(O8lock({"--", "echo", "ran"})), In(repo.path()));
  EXPECT_EQ(next.end, Exited(0));
  EXPECT_EQ(next.out, "ran\n");
  EXPECT_EQ(next.err, Golden("stale", ValuesOf(repo, run.pid())));
  ExpectNothingLeft(repo);
}

// Without /proc o8lock knows less, but the lock still works.
TEST_F(ContainerTest, WithoutProcTheKernelLockDecides) {
  if (IsSanitized()) {
    GTEST_SKIP() << "the sanitizer itself does not work without /proc";
  }
  const Repository repo;
  const Argv without = {"unshare",
                        "--mount",
                        "sh",
                        "-c",
                        "mount -t tmpfs none /proc && exec \"$@\"",
                        "sh"};
  Argv run = without;
  for (const std::string& argument : Locked({}, Guarded::kScript)) {
    run.push_back(argument);
  }
  Guarded holder(run, In(repo.path()));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
  Argv second = without;
  for (const std::string& argument : O8lock({"--", "true"})) {
    second.push_back(argument);
  }
  EXPECT_EQ(Call(second, repo.path()).end, Exited(75));
  EXPECT_EQ(holder.Finish(), Exited(0));
  EXPECT_EQ(Call(second, repo.path()).end, Exited(0));
  ExpectNothingLeft(repo);
}

// --- Lock files of external runs ---

TEST(ExternalLockFileTest, OnlyAProofOfDeathMakesItStale) {
  Process living(Shell("echo ready; exec sleep 1000"));
  living.WaitForOutput("ready\n");
  const pid_t dead = DeadPid();
  const std::string now = TimeText(absl::Now());
  const std::string hour_ago = TimeText(absl::Now() - absl::Hours(1));
  struct Case {
    const char* name;
    pid_t pid;
    std::string started_at;
    bool held;
    bool written_then = false;
  };
  const std::vector<Case> cases = {
      {"alive", living.pid(), now, true},
      {"alive, from the future", living.pid(), "2150-01-01T00:00:00Z", true},
      {"alive, no date", living.pid(), "yesterday", true},
      {"alive, nothing", living.pid(), "", true},
      // It may belong to another user.
      {"init", 1, now, true},
      {"alive, an hour ago", living.pid(), hour_ago, true},
      {"alive, 1970", living.pid(), "1970-01-01T00:00:00Z", true},
      // The process is younger than file and run, so the pid was reused.
      {"reused", living.pid(), hour_ago, false, true},
      {"dead", dead, now, false},
      {"dead, from the future", dead, "2150-01-01T00:00:00Z", false},
      {"dead, 1970", dead, "1970-01-01T00:00:00Z", false},
      {"dead, no date", dead, "yesterday", false},
      {"dead, the greatest pid", 2147483647, now, false},
  };
  for (const char* file : {"parallel.lock", "murm.lock"}) {
    for (const Case& test : cases) {
      SCOPED_TRACE(absl::StrCat(file, ", ", test.name));
      const Repository repo;
      const std::string text = ExternalLockFile(test.pid, test.started_at);
      const std::string path = repo.File(absl::StrCat(".claude/", file));
      std::filesystem::create_directories(repo.File(".claude"));
      MakeFile(path, text);
      if (test.written_then) {
        std::filesystem::last_write_time(
            path, std::filesystem::file_time_type::clock::now() -
                      std::chrono::hours(1));
      }
      if (test.held) {
        const Result run = Call(O8lock({"--", "true"}), repo.path());
        EXPECT_EQ(run.end, Exited(75));
        EXPECT_THAT(run.err, StartsWith(absl::StrCat(
                                 "Error: Another parallel execution is in "
                                 "progress (PID: ",
                                 test.pid, ")\n")));
        EXPECT_EQ(Contents(path), text);
      } else {
        ExpectStale(repo, test.pid, test.written_then);
        EXPECT_FALSE(Exists(path));
      }
    }
  }
}

TEST(ExternalLockFileTest, HeldIsToldWithWhatTheFileSays) {
  for (const char* file : {"parallel.lock", "murm.lock"}) {
    const Repository repo;
    const Process external({"sleep", "1000"});
    std::filesystem::create_directories(repo.File(".claude"));
    MakeFile(repo.File(absl::StrCat(".claude/", file)),
             ExternalLockFile(external.pid(), TimeText(absl::Now())));
    const Result run = Call(O8lock({"--", "true"}), repo.path());
    EXPECT_EQ(run.end, Exited(75));
    Values values = ValuesOf(repo, external.pid());
    values["FILE"] = file;
    values["HOLDER_ROWS"] = "";
    values["STRANGER_ROWS"] = absl::StrCat(
        "Process: {STRANGER}, not orchestr8; a run in a container may have "
        "written the lock file\nIf that run has ended: ",
        Binary(), " unlock\n");
    EXPECT_EQ(Normal(run.err), Golden("held_outside", values));
  }
}

// The user may not have asked for a wait yet.
TEST(ExternalLockFileTest, OfAnAncestorAdvisesAgainstAWait) {
  const Repository repo;
  repo.MakeLockFile(ExternalLockFile(getpid(), TimeText(absl::Now())));
  for (const std::string option : {"--wait=0", "--wait"}) {
    const Result run = Call(O8lock({option, "--", "true"}), repo.path());
    EXPECT_EQ(run.end, Exited(75));
    EXPECT_THAT(run.err,
                AllOf(HasSubstr("\n  • Wait for it to complete\n"),
                      EndsWith(absl::StrCat(
                          "\no8lock: hint: do not wait: PID ", getpid(),
                          " started this process, so it cannot complete "
                          "first\n"))));
  }
}

TEST(ExternalLockFileTest, ForceTakesItsPlace) {
  const Repository repo;
  repo.MakeLockFile(ExternalLockFile(getpid(), TimeText(absl::Now())));
  Guarded run(repo.path(), {"--force", "--yes"});
  EXPECT_THAT(run.err(),
              HasSubstr(absl::StrCat(
                  "\nLock file: ", repo.LockFile(),
                  ", will be removed for good; that run is not told\n"
                  "\nWarning: Overriding existing lock (PID: ",
                  getpid(), ")\n")));
  EXPECT_THAT(Contents(repo.LockFile()),
              HasSubstr(absl::StrCat("\"pid\": ", run.pid(), ",")));
  EXPECT_EQ(run.Finish(), Exited(0));
  ExpectNothingLeft(repo);
}

TEST(ExternalLockFileTest, IsReadLiberally) {
  const pid_t dead = DeadPid();
  const std::string pid = absl::StrCat(dead);
  const std::vector<std::string> texts = {
      absl::StrCat("{\"pid\":", pid, "}"),
      absl::StrCat("{\"pid\":1,\"pid\":", pid, "}"),
      absl::StrCat("\n {\"more\": {\"pid\": 1}, \"features\": 7, \"pid\" : ",
                   pid, ", \"startedAt\": \"2026-02-25T10:30:00.123Z\"}  \n"),
      absl::StrCat("{\"pid\":", pid,
                   ",\"startedAt\":5,\"features\":[1,\"a\",null],"
                   "\"maxConcurrency\":\"x\"}"),
  };
  for (const std::string& text : texts) {
    SCOPED_TRACE(text);
    const Repository repo;
    repo.MakeLockFile(text);
    ExpectStale(repo, dead);
  }
}

// --- Malformed lock files ---

struct MalformedCase {
  const char* name;
  std::string bytes;
  std::string problem;
  uintmax_t size = 0;  // if greater, the file ends in a hole
};

std::vector<MalformedCase> MalformedCases() {
  const std::string no_object = "not a JSON object";
  const std::string no_pid = "pid is not a whole number from 1 to 2147483647";
  std::vector<MalformedCase> cases = {
      {"empty", "", no_object},
      {"truncated", "{\n  \"pid\": 12345,\n  \"startedAt\": \"2026-",
       no_object},
      {"binary",
       std::string("\x7f"
                   "ELF\0\xff\xfe\x80\x1b[31m",
                   12),
       no_object},
      {"NUL behind", std::string("{\"pid\": 1}\0", 11), no_object},
      {"array", "[]", no_object},
      {"deeply nested", std::string(500000, '['), no_object},
      {"deeply nested objects",
       absl::StrReplaceAll(std::string(100000, '{'), {{"{", "{\"a\":"}}),
       no_object},
      {"no pid", "{\"startedAt\": \"2026-02-25T10:30:00Z\"}", no_pid},
      {"huge", "{\"pid\": 1}",
       "cannot read '{REPO}/.claude/parallel.lock': it is larger than 1048576 "
       "bytes",
       uintmax_t{1} << 30},
  };
  for (const char* pid : {"0", "-1", "1.5", "\"0\"", "2147483648", "1e99",
                          "null", "[1]", "true", "18446744073709551617"}) {
    cases.push_back({pid,
                     absl::StrCat("{\"pid\": ", pid,
                                  ", \"startedAt\": \"2026-02-25T10:30:00Z\"}"),
                     no_pid});
  }
  return cases;
}

TEST(MalformedLockFileTest, IsKeptUnderAnotherNameAndTheRunGoesOn) {
  struct Started {
    MalformedCase test;
    std::unique_ptr<Repository> repo;
    std::unique_ptr<Process> process;
  };
  // All start together: each waits a second for the file to become valid.
  std::vector<Started> all;
  for (MalformedCase& test : MalformedCases()) {
    auto repo = std::make_unique<Repository>();
    repo->MakeLockFile(test.bytes);
    if (test.size > 0) {
      std::filesystem::resize_file(repo->LockFile(), test.size);
    }
    auto process = std::make_unique<Process>(O8lock({"--", "echo", "ran"}),
                                             In(repo->path()));
    all.push_back({std::move(test), std::move(repo), std::move(process)});
  }
  for (const Started& started : all) {
    const MalformedCase& test = started.test;
    const Repository& repo = *started.repo;
    SCOPED_TRACE(test.name);
    EXPECT_EQ(started.process->Wait(), Exited(0));
    EXPECT_EQ(started.process->out(), "ran\n");
    const std::vector<std::string> names = Names(repo.File(".git/o8lock"));
    ASSERT_THAT(names, ElementsAre("parallel.guard",
                                   StartsWith("parallel.lock.malformed-")));
    Values values = ValuesOf(repo);
    values["PROBLEM"] = Fill(test.problem, values);
    values["KEPT"] = names[1];
    EXPECT_EQ(started.process->err(), Golden("malformed", values));
    const std::string kept = repo.File(absl::StrCat(".git/o8lock/", names[1]));
    if (test.size > 0) {
      EXPECT_EQ(std::filesystem::file_size(kept), test.size);
    } else {
      EXPECT_EQ(Contents(kept), test.bytes);
    }
    EXPECT_FALSE(Exists(repo.LockFile()));
    EXPECT_EQ(Contents(repo.Guard()), "");
  }
}

// No file is lost, even if another one follows at once. These files are too
// long to become valid, so the runs do not wait.
TEST(MalformedLockFileTest, TwoInOneSecondAreBothKept) {
  const Repository repo;
  for (const char* text : {"first", "second", "third"}) {
    repo.MakeLockFile(text);
    std::filesystem::resize_file(repo.LockFile(), 2 << 20);
    EXPECT_EQ(Call(O8lock({"-q", "--", "true"}), repo.path()).end, Exited(0));
  }
  EXPECT_EQ(Names(repo.File(".git/o8lock")).size(), 4U);
}

TEST(MalformedLockFileTest, OneThatBecomesGoodInTimeIsRead) {
  const Repository repo;
  repo.MakeLockFile("");  // The first step of orchestr8's write.
  Process run(O8lock({"--", "true"}), In(repo.path()));
  // The guard exists just before o8lock reads the lock file.
  WaitUntil("guard", [&repo] { return Exists(repo.Guard()); });
  MakeFile(repo.LockFile(), ExternalLockFile(getpid(), TimeText(absl::Now())));
  EXPECT_EQ(run.Wait(), Exited(75));
  EXPECT_THAT(run.err(), StartsWith(absl::StrCat(
                             "Error: Another parallel execution is in progress "
                             "(PID: ",
                             getpid(), ")\n")));
}

// --- Force ---

TEST(ForceTest, WithNothingToOverrideIsSilent) {
  const Repository repo;
  const Result run =
      Call(O8lock({"--force", "--", "echo", "ran"}), repo.path());
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.out, "ran\n");
  EXPECT_EQ(run.err, "");
}

TEST(ForceTest, WithoutTerminalAndYesIsRefused) {
  const Repository repo;
  Guarded run(repo.path());
  const LockFilesState before = StateOf(repo);
  const Result second =
      Call(O8lock({"--force", "--", "echo", "ran"}), repo.path());
  EXPECT_EQ(second.end, Exited(75));
  EXPECT_EQ(second.out, "");
  EXPECT_EQ(Normal(second.err),
            Golden("force_no_terminal", ValuesOf(repo, run.pid())));
  EXPECT_TRUE(StateOf(repo) == before);
  // An answer other than yes on standard input does not help either.
  for (const char* const answer : {"n", "", "yy", "y y"}) {
    const Result no = Call(Shell(absl::StrCat("echo '", answer,
                                              "' | \"$O8LOCK\" --force -E 9 -- "
                                              "echo ran")),
                           repo.path());
    EXPECT_EQ(no.end, Exited(9)) << answer;
    EXPECT_EQ(no.out, "");
    EXPECT_THAT(no.err,
                EndsWith(absl::StrCat("\n\nContinue? [y/N] ", answer,
                                      "\nAborted.\no8lock: hint: nothing was "
                                      "changed; add --yes to continue without "
                                      "a question\n")));
  }
  EXPECT_TRUE(StateOf(repo) == before);
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(run.err(), "");
}

// Without a terminal a pipe or a file may answer. The input after the answer
// belongs to the command.
TEST(ForceTest, IsAnsweredOnStandardInput) {
  for (const char* const input :
       {"printf 'y\\nrest\\n' |", "printf 'YES\\nrest\\n' |",
        "printf ' y \\nrest\\n' >answer; exec <answer;"}) {
    const Repository repo;
    Guarded run(repo.path());
    const Result second = Call(
        Shell(absl::StrCat(input, " \"$O8LOCK\" --force -- cat")), repo.path());
    EXPECT_EQ(second.end, Exited(0)) << input;
    EXPECT_EQ(second.out, "rest\n");
    EXPECT_THAT(second.err, HasSubstr("\n\nContinue? [y/N] "));
    EXPECT_EQ(run.Finish(), Exited(0));
    EXPECT_THAT(run.err(), HasSubstr(" was overridden at "));
  }
}

TEST(ForceTest, TheOverriddenRunRemovesNothingAndSaysByWhom) {
  const Repository repo;
  Guarded first(repo.path());
  Guarded second(repo.path(), {"--force", "--yes"});
  EXPECT_EQ(Normal(second.err()), Golden("force", ValuesOf(repo, first.pid())));
  const LockFilesState state = StateOf(repo);
  EXPECT_THAT(state.lock_file,
              HasSubstr(absl::StrCat("\"pid\": ", second.pid(), ",")));
  // It still exits with its command's exit code.
  EXPECT_EQ(first.Finish(7), Exited(7));
  EXPECT_EQ(Normal(first.err()),
            Golden("overridden", ValuesOf(repo, second.pid())));
  EXPECT_EQ(StateOf(repo).lock_file, state.lock_file);
  const Result third = Call(O8lock({"--", "true"}), repo.path());
  EXPECT_EQ(third.end, Exited(75));
  EXPECT_THAT(third.err, HasSubstr(absl::StrCat("(PID: ", second.pid(), ")")));
  EXPECT_EQ(second.Finish(3), Exited(3));
  ExpectNothingLeft(repo);
}

TEST(ForceTest, TheOverridingRunMayEndFirst) {
  const Repository repo;
  Guarded first(repo.path());
  {
    Guarded second(repo.path(), {"--force", "--yes"});
    EXPECT_EQ(second.Finish(), Exited(0));
  }
  EXPECT_FALSE(Exists(repo.LockFile()));
  {
    // The first run is still active, and has to be overridden again.
    Guarded third(repo.path(), {"--force", "--yes"});
    const LockFilesState state = StateOf(repo);
    EXPECT_EQ(first.Finish(), Exited(0));
    EXPECT_THAT(first.err(), StartsWith("o8lock: warning: this run's lock was "
                                        "overridden at "));
    EXPECT_EQ(StateOf(repo).lock_file, state.lock_file);
    EXPECT_EQ(third.Finish(), Exited(0));
  }
  ExpectNothingLeft(repo);
}

TEST(ForceTest, OverridesAnOverridingRun) {
  const Repository repo;
  Guarded first(repo.path());
  Guarded second(repo.path(), {"--force", "--yes"});
  Guarded third(repo.path(), {"--force", "--yes"});
  EXPECT_EQ(Normal(third.err()), Golden("force", ValuesOf(repo, second.pid())));
  EXPECT_EQ(first.Finish(), Exited(0));
  EXPECT_EQ(Normal(first.err()),
            Golden("overridden", ValuesOf(repo, second.pid())));
  EXPECT_EQ(second.Finish(), Exited(0));
  EXPECT_THAT(Normal(second.err()),
              EndsWith(Golden("overridden", ValuesOf(repo, third.pid()))));
  EXPECT_EQ(third.Finish(), Exited(0));
  ExpectNothingLeft(repo);
}

TEST(ForceTest, OverridesAnOrphanedCommand) {
  const Repository repo;
  Guarded first(repo.path());
  WaitForCommandInRecord(repo);
  first.process().Signal(SIGKILL);
  first.process().Wait();
  Guarded second(repo.path(), {"--force", "--yes"});
  EXPECT_THAT(second.err(),
              HasSubstr(absl::StrCat("\n\nWarning: Overriding existing lock "
                                     "(PID: ",
                                     first.pid(), ")\n")));
  EXPECT_EQ(second.Finish(), Exited(0));
  // The command continues, and has the lock again.
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
  kill(first.command_pid(), SIGKILL);
  WaitForEnd(first.command_pid());
  const Result next = Call(O8lock({"--", "true"}), repo.path());
  EXPECT_EQ(next.end, Exited(0));
  EXPECT_EQ(next.err, "");
  ExpectNothingLeft(repo);
}

// --yes applies to the original holder, not to the other of the two runs. Each
// waits for a malformed lock file to become valid, so both are present before
// one of them has the lock.
TEST(ForceTest, OfTwoAtOnceOneRuns) {
  const Repository repo;
  Guarded holder(repo.path());
  MakeFile(repo.File(".claude/murm.lock"), "{");
  ProcessOptions options = In(repo.path());
  options.input = ProcessOptions::Stdin::kPipe;
  const Argv force = Locked({"--force", "--yes"}, Guarded::kScript);
  Process one(force, options);
  Process two(force, options);
  const bool one_runs = one.ShowsOrCloses("ready ");
  Process& winner = one_runs ? one : two;
  Process& loser = one_runs ? two : one;
  ASSERT_TRUE(winner.ShowsOrCloses("ready "));
  EXPECT_EQ(loser.Wait(), Exited(75));
  EXPECT_THAT(loser.err(),
              HasSubstr(absl::StrCat("Error: Another parallel execution is in "
                                     "progress (PID: ",
                                     winner.pid(), ")\n")));
  winner.Write("0\n");
  EXPECT_EQ(winner.Wait(), Exited(0));
  EXPECT_EQ(holder.Finish(), Exited(0));
  EXPECT_EQ(Normal(holder.err()),
            Golden("overridden", ValuesOf(repo, winner.pid())));
}

TEST(ForceTest, ACommandThatCannotRunOverridesNobody) {
  const Repository repo;
  Guarded run(repo.path());
  const LockFilesState before = StateOf(repo);
  MakeFile(repo.File("text"), "not a program");
  const Result missing =
      Call(O8lock({"--force", "--yes", "--", "no-such-command"}), repo.path());
  EXPECT_EQ(missing.end, Exited(127));
  EXPECT_EQ(missing.err,
            "o8lock: error: cannot execute 'no-such-command': No such file or "
            "directory\n"
            "o8lock: hint: install it, or add its directory to PATH\n");
  EXPECT_EQ(Call(O8lock({"--force", "--yes", "--", "./text"}), repo.path()).end,
            Exited(126));
  EXPECT_EQ(Call(O8lock({"--force", "--yes", "--", "./"}), repo.path()).end,
            Exited(126));
  EXPECT_TRUE(StateOf(repo) == before);
  // A command found only further on in PATH can run.
  for (const char* const directory : {"a", "b"}) {
    std::filesystem::create_directory(repo.File(directory));
    MakeFile(repo.File(absl::StrCat(directory, "/tool")),
             "#!/bin/sh\necho ran\n", *directory == 'a' ? 0644 : 0755);
  }
  ProcessOptions options = In(repo.path());
  options.env["PATH"] = "a:b:/usr/bin:/bin";
  EXPECT_EQ(Call(O8lock({"--force", "--yes", "--", "tool"}), options).out,
            "ran\n");
  EXPECT_EQ(run.Finish(), Exited(0));
}

// --help says "no warnings" about -q.
TEST(ForceTest, QuietSaysNothing) {
  const Repository repo;
  Guarded first(repo.path());
  Guarded second(repo.path(), {"-q", "--force", "--yes"});
  EXPECT_EQ(second.err(), "");
  EXPECT_EQ(second.Finish(), Exited(0));
}

TEST(ForceTest, TheForceAndYesOfOrchestr8Count) {
  const std::string orchestr8 = PathFromEnv("ORCHESTR8");
  const Argv command = {"--", orchestr8, "parallel", "feat-a", "--force"};
  for (const char* yes : {"--yes", "-y"}) {
    const Repository repo;
    Guarded run(repo.path());
    const Result asked = Call(O8lock(command), repo.path());
    EXPECT_EQ(asked.end, Exited(75));
    EXPECT_EQ(Normal(asked.err),
              Golden("force_no_terminal", ValuesOf(repo, run.pid())));
    Argv with_yes = command;
    with_yes.emplace_back(yes);
    const Result forced = Call(O8lock(with_yes), repo.path());
    EXPECT_EQ(forced.end, Exited(0));
    EXPECT_THAT(forced.out, HasSubstr("feat-a merged\n"));
    EXPECT_EQ(Normal(forced.err), Golden("force", ValuesOf(repo, run.pid())));
  }
}

}  // namespace
}  // namespace o8lock
