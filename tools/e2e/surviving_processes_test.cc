// SPDX-License-Identifier: Apache-2.0
//
// The whole program when the command ends before its child processes: after a
// normal end, and after the run was killed.
#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Starts a process that outlives the command, and prints "agent" with its pid.
constexpr char kAgent[] = "sleep 1000 & echo agent $!; ";

// o8lock OPTIONS... -- sh -c SCRIPT with an agent. The script prints its pid
// first.
class RunWithAgent {
 public:
  RunWithAgent(const Repository& repo, const Argv& options,
               const std::string& script)
      : RunWithAgent(Locked(options, script), In(repo.path())) {}
  RunWithAgent(const Argv& argv, const ProcessOptions& options)
      : process_(argv, options), agent_(ReadyPid(process_, "agent ")) {}
  ~RunWithAgent() { kill(agent_, SIGKILL); }
  RunWithAgent(const RunWithAgent&) = delete;  // Two owners would kill twice.
  RunWithAgent& operator=(const RunWithAgent&) = delete;

  Process& operator*() { return process_; }
  Process* operator->() { return &process_; }
  pid_t agent() const { return agent_; }
  bool AgentLives() const { return kill(agent_, 0) == 0; }

 private:
  Process process_;
  pid_t agent_;
};

// --- Released ---

TEST(SurvivingProcessesTest, AreNamedAndTheLockIsReleased) {
  const Repository repo;
  RunWithAgent run(repo, {}, absl::StrCat(kAgent, "exit 3"));
  EXPECT_EQ(run->Wait(), Exited(3));
  EXPECT_EQ(run->err(),
            Golden("surviving_released", ValuesOf(repo, run.agent())));
  EXPECT_TRUE(run.AgentLives());
  ExpectNothingLeft(repo);
}

TEST(SurvivingProcessesTest, AreNamedAlsoWhereTheirParentHasEnded) {
  const Repository repo;
  std::filesystem::create_directory(repo.File("d"));
  RunWithAgent run(
      repo, {}, "sh -c 'cd d; (sleep 1000 & echo agent $!)'; sleep 1000 & :");
  EXPECT_EQ(run->Wait(), Exited(0));
  EXPECT_THAT(run->err(),
              StartsWith("o8lock: warning: the command exited; 2 processes it "
                         "started are still running:\n"));
  EXPECT_THAT(run->err(),
              HasSubstr(absl::StrCat("\n  PID ", run.agent(), " in ",
                                     repo.path(), "/d: sleep 1000\n")));
  EXPECT_THAT(run->err(),
              HasSubstr(absl::StrCat(" in ", repo.path(), ": sleep 1000\n")));
}

TEST(SurvivingProcessesTest, LeaveTheSignalThatEndedTheCommand) {
  const Repository repo;
  RunWithAgent run(repo, {}, absl::StrCat(kAgent, "kill -KILL $$"));
  EXPECT_EQ(run->Wait(), Killed(SIGKILL));
  EXPECT_EQ(run->err(),
            Golden("surviving_released", ValuesOf(repo, run.agent())));
  ExpectNothingLeft(repo);
}

TEST(SurvivingProcessesTest, AreNotNamedWithQuiet) {
  for (const char* what : {"release", "kill"}) {
    const Repository repo;
    RunWithAgent run(repo, {"-q", absl::StrCat("--leftovers=", what)}, kAgent);
    EXPECT_EQ(run->Wait(), Exited(0));
    EXPECT_EQ(run->err(), "");
  }
}

// As after Ctrl-C: the process ends because the command has.
TEST(SurvivingProcessesTest, AreNotThoseThatEndWithTheCommand) {
  const Repository repo;
  const Result run = Call(
      Locked({}, "mkfifo f; cat f >/dev/null & exec 3>f; exit 4"), repo.path());
  EXPECT_EQ(run.end, Exited(4));
  EXPECT_EQ(run.err, "");
}

TEST(SurvivingProcessesTest, AreNotDaemons) {
  for (const char* what : {"release", "wait", "kill"}) {
    SCOPED_TRACE(what);
    const Repository repo;
    ProcessOptions options = In(repo.path());
    options.input = ProcessOptions::Stdin::kPipe;
    // The second daemon works as with daemon(3): its session leader has ended.
    RunWithAgent run(Locked({absl::StrCat("--leftovers=", what)},
                            "setsid sh -c 'echo agent $$; exec sleep 1000' & "
                            "read go; "
                            "setsid sh -c 'sleep 1000 & echo second $!' & "
                            "read go"),
                     options);
    run->Write("\n");
    const pid_t second = ReadyPid(*run, "second ");
    run->Write("\n");
    EXPECT_EQ(run->Wait(), Exited(0));
    EXPECT_EQ(run->err(), "");
    EXPECT_TRUE(run.AgentLives());
    EXPECT_EQ(kill(second, 0), 0);
    ExpectNothingLeft(repo);
  }
}

// A shell may start processes and then become o8lock. They belong to the shell.
TEST(SurvivingProcessesTest, AreNotWhatWasThereBeforeTheCommand) {
  const Repository repo;
  // Both start at nearly the same moment, in every round.
  for (int i = 0; i < 10; ++i) {
    RunWithAgent run(Shell("sleep 1000 & echo agent $!; "
                           "exec \"$O8LOCK\" --leftovers=kill -- true"),
                     In(repo.path()));
    EXPECT_EQ(run->Wait(), Exited(0));
    EXPECT_EQ(run->err(), "");
    EXPECT_TRUE(run.AgentLives());
  }
  // Nor children they start meanwhile. The command's own child is named.
  ProcessOptions options = In(repo.path());
  options.input = ProcessOptions::Stdin::kPipe;
  RunWithAgent run(
      Shell("mkfifo begin; "
            "sh -c 'read x <begin; sleep 1000 & echo agent $!; wait' & "
            "exec \"$O8LOCK\" -- sh -c "
            "'echo x >begin; sleep 1000 & echo named $!; read go'"),
      options);
  const std::string out = run->out();
  pid_t named = 0;
  if (absl::StrContains(out, "named ")) {
    named = std::stoi(out.substr(out.find("named ") + 6));
  } else {
    named = ReadyPid(*run, "named ");
  }
  run->Write("\n");
  EXPECT_EQ(run->Wait(), Exited(0));
  EXPECT_EQ(run->err(), Golden("surviving_released", ValuesOf(repo, named)));
}

TEST(SurvivingProcessesTest, AreNotTheOuterRunsToANestedOne) {
  const Repository repo;
  RunWithAgent run(
      repo, {},
      absl::StrCat(kAgent,
                   "for name in parallel other; do "
                   "\"$O8LOCK\" --name $name -- true 2>>inner; done"));
  EXPECT_EQ(run->Wait(), Exited(0));
  EXPECT_EQ(Contents(repo.File("inner")), "");
  EXPECT_EQ(run->err(),
            Golden("surviving_released", ValuesOf(repo, run.agent())));
}

TEST(SurvivingProcessesTest, OfANestedRunAreNamedByTheOuterOne) {
  const Repository repo;
  RunWithAgent run(repo, {},
                   "\"$O8LOCK\" -- sh -c 'sleep 1000 & echo agent $!'");
  EXPECT_EQ(run->Wait(), Exited(0));
  EXPECT_EQ(run->err(),
            Golden("surviving_released", ValuesOf(repo, run.agent())));
}

TEST(SurvivingProcessesTest, AreCollectedWhenTheyEndDuringTheRun) {
  const Repository repo;
  ProcessOptions options = In(repo.path());
  options.input = ProcessOptions::Stdin::kPipe;
  RunWithAgent run(Locked({}, "(sleep 1000 & echo agent $!); read go"),
                   options);
  kill(run.agent(), SIGKILL);
  WaitForState(run.agent(), '\0');
  run->Write("\n");
  EXPECT_EQ(run->Wait(), Exited(0));
  EXPECT_EQ(run->err(), "");
}

// --- --leftovers=wait ---

TEST(SurvivingProcessesWaitTest, KeepsTheLockUntilTheyHaveEnded) {
  const Repository repo;
  RunWithAgent run(repo, {"--leftovers=wait"}, absl::StrCat(kAgent, "exit 3"));
  const std::string golden =
      Golden("surviving_waited_for", ValuesOf(repo, run.agent()));
  run->WaitForError(golden);
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
  EXPECT_TRUE(Exists(repo.LockFile()));
  kill(run.agent(), SIGTERM);
  EXPECT_EQ(run->Wait(), Exited(3));
  EXPECT_EQ(run->err(), golden);
  ExpectNothingLeft(repo);
}

TEST(SurvivingProcessesWaitTest, IsForThoseThatTheyStartAsWell) {
  const Repository repo;
  ProcessOptions options = In(repo.path());
  RunWithAgent run(
      Locked({"--leftovers=wait"},
             "mkfifo f; sh -c 'read x <f; sleep 1000 & echo second $!' & "
             "echo agent $!"),
      options);
  run->WaitForError("press Ctrl-C to release the lock\n");
  MakeFile(repo.File("f"), "x\n");
  const pid_t second = ReadyPid(*run, "second ");
  WaitForState(run.agent(), '\0');
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75))
      << run->err();
  kill(second, SIGKILL);
  EXPECT_EQ(run->Wait(), Exited(0));
  ExpectNothingLeft(repo);
}

TEST(SurvivingProcessesWaitTest, EndsWithASignalAndNamesThem) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    SCOPED_TRACE(signal);
    const Repository repo;
    RunWithAgent run(repo, {"--leftovers=wait"}, kAgent);
    run->WaitForError("press Ctrl-C to release the lock\n");
    run->Signal(signal);
    EXPECT_EQ(run->Wait(), Killed(signal));
    const Values values = ValuesOf(repo, run.agent());
    EXPECT_EQ(run->err(),
              absl::StrCat(Golden("surviving_waited_for", values),
                           Golden("surviving_still_there", values)));
    EXPECT_TRUE(run.AgentLives());
    ExpectNothingLeft(repo);
  }
}

TEST(SurvivingProcessesWaitTest, EndsWithCtrlC) {
  const Repository repo;
  RunWithAgent run(Locked({"--leftovers=wait"}, kAgent),
                   OnTerminal(repo.path()));
  run->WaitForOutput("press Ctrl-C to release the lock");
  run->Write("\x03");
  EXPECT_EQ(run->Wait(), Killed(SIGINT));
  EXPECT_THAT(
      Normal(run->out()),
      EndsWith(Golden("surviving_still_there", ValuesOf(repo, run.agent()))));
  ExpectNothingLeft(repo);
}

TEST(SurvivingProcessesWaitTest, GoesOnAfterASignalThatIsIgnored) {
  const Repository repo;
  ProcessOptions options = In(repo.path());
  options.ignored = {SIGHUP};  // nohup(1)
  RunWithAgent run(Locked({"--leftovers=wait"}, kAgent), options);
  run->WaitForError("press Ctrl-C to release the lock\n");
  run->Signal(SIGHUP);
  // If both were pending, the lower number would arrive first.
  run->Signal(SIGTERM);
  EXPECT_EQ(run->Wait(), Killed(SIGTERM));
}

// --- --leftovers=kill ---

TEST(SurvivingProcessesKillTest, AsksThemToEnd) {
  const Repository repo;
  RunWithAgent run(repo, {"--leftovers=kill"}, absl::StrCat(kAgent, "exit 3"));
  EXPECT_EQ(run->Wait(), Exited(3));
  EXPECT_EQ(run->err(), Golden("surviving_ended", ValuesOf(repo, run.agent())));
  EXPECT_FALSE(run.AgentLives());
  ExpectNothingLeft(repo);
}

// A process that ignores SIGTERM, but reports it.
constexpr char kStubborn[] =
    "sh -c 'trap \"echo asked\" TERM; echo agent $$; "
    "while :; do sleep 0.1; done' & read x <&- || sleep 0.3";

TEST(SurvivingProcessesKillTest, KeepsTheLockMeanwhileAndThenEndsThem) {
  const Repository repo;
  RunWithAgent run(repo, {"--leftovers=kill", "--kill-after=1.5s"}, kStubborn);
  run->WaitForOutput("asked\n");
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
  EXPECT_EQ(run->Wait(), Exited(0));
  EXPECT_FALSE(run.AgentLives());
  // Some shells report the end of the agent's sleep.
  EXPECT_THAT(run->err(),
              AnyOf(EndsWith("; SIGKILL follows after 1.5s\n"),
                    EndsWith("; SIGKILL follows after 1.5s\nTerminated\n")));
  ExpectNothingLeft(repo);
}

TEST(SurvivingProcessesKillTest, EndsWithASignalAndNamesThem) {
  const Repository repo;
  RunWithAgent run(repo, {"--leftovers=kill"}, kStubborn);
  run->WaitForOutput("asked\n");
  run->Signal(SIGTERM);
  EXPECT_EQ(run->Wait(), Killed(SIGTERM));
  EXPECT_TRUE(run.AgentLives());
  EXPECT_THAT(run->err(), EndsWith("o8lock: hint: the lock is released\n"));
  ExpectNothingLeft(repo);
}

// --- After a killed run ---

TEST(StrayFilesTest, IsListedWithWhatClearsIt) {
  const Repository repo;
  // It is made just before that run, and so is not one of its worktrees.
  Git(repo.path(), {"worktree", "add", "-q", "-b", "old",
                    repo.File(".claude/worktrees/old")});
  ProcessOptions options = In(repo.path());
  options.input = ProcessOptions::Stdin::kPipe;
  Process run(
      Locked({},
             "git worktree add -q -b feature/a '.claude/worktrees/feat a'; "
             "git worktree add -q -b feature/b .claude/worktrees/feat-b; "
             "git worktree add -q -b feature/c .claude/worktrees/feat-c; "
             "git worktree add -q -b mine mine; "
             "echo work >.claude/worktrees/feat-b/new; "
             "git -C .claude/worktrees/feat-b commit -q --allow-empty -m 1; "
             "(cd '.claude/worktrees/feat a'; sleep 1000 & "
             "echo agent $!); "
             "setsid sh -c 'echo daemon $$; exec sleep 1000' & "
             "read x; echo ready $$; read go"),
      options);
  const pid_t agent = ReadyPid(run, "agent ");
  const pid_t daemon = ReadyPid(run, "daemon ");
  run.Write("\n");
  const pid_t command = ReadyPid(run);
  WaitForCommandInRecord(repo);
  kill(run.pid(), SIGKILL);
  kill(command, SIGKILL);
  EXPECT_EQ(run.Wait(), Killed(SIGKILL));
  WaitForEnd(command);

  const Result next = Call(O8lock({"--", "echo", "ran"}), repo.path());
  EXPECT_EQ(next.end, Exited(0));
  EXPECT_EQ(next.out, "ran\n");
  Values values = ValuesOf(repo, run.pid());
  values["AGENT"] = absl::StrCat(agent);
  EXPECT_EQ(next.err, Golden("left_behind", values));
  // The next run has removed nothing itself.
  EXPECT_EQ(kill(agent, 0), 0);
  EXPECT_TRUE(Exists(repo.File(".claude/worktrees/feat-b/new")));

  // The user can paste its suggestions.
  for (const std::string hint : {"to end it: ", "to see the files: ",
                                 "to see the commits: ", "the clean one: "}) {
    const size_t begin = next.err.find(hint) + hint.size();
    const std::string line =
        next.err.substr(begin, next.err.find('\n', begin) - begin);
    const Result pasted = Call(Shell(line), repo.path());
    EXPECT_EQ(pasted.end, Exited(0)) << line << "\n" << pasted.err;
  }
  WaitForEnd(agent);
  EXPECT_EQ(kill(daemon, 0), 0);
  EXPECT_EQ(Git(repo.path(), {"branch", "--format=%(refname:short)"}),
            "feature/a\nfeature/b\nmain\nmine\nold\n");
  EXPECT_EQ(Names(repo.File(".git/worktrees")),
            (std::vector<std::string>{"feat-a", "feat-b", "mine", "old"}));
  EXPECT_EQ(repo.Changes(), "?? mine/\n");
}

TEST(StrayFilesTest, IsNotListedWithQuiet) {
  const Repository repo;
  ProcessOptions options = In(repo.path());
  options.input = ProcessOptions::Stdin::kPipe;
  RunWithAgent run(
      Locked({}, "sleep 1000 & echo agent $!; echo ready $$; read go"),
      options);
  const pid_t command = ReadyPid(*run);
  WaitForCommandInRecord(repo);
  kill(run->pid(), SIGKILL);
  kill(command, SIGKILL);
  run->Wait();
  WaitForEnd(command);
  const Result next = Call(O8lock({"-q", "--", "true"}), repo.path());
  EXPECT_EQ(next.end, Exited(0));
  EXPECT_EQ(next.err, "");
}

}  // namespace
}  // namespace o8lock
