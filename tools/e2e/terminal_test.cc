// SPDX-License-Identifier: Apache-2.0
//
// The whole program on a terminal: the question of --force, and the keys that
// send signals.
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kInterrupt[] = "\x03";   // Ctrl-C
constexpr char kEndOfInput[] = "\x04";  // Ctrl-D
constexpr char kSuspend[] = "\x1a";     // Ctrl-Z

// o8lock --force -- echo ran, waiting for an answer on its terminal.
class Question {
 public:
  explicit Question(const Repository& repo)
      : process_(O8lock({"--force", "--", "echo", "ran"}),
                 OnTerminal(repo.path())) {
    process_.WaitForOutput("Continue? [y/N] ");
  }
  Process& operator*() { return process_; }
  Process* operator->() { return &process_; }

 private:
  Process process_;
};

TEST(QuestionTest, AnythingButYesChangesNothing) {
  struct Case {
    const char* keys;
    const char* echo;  // as the terminal shows them
  };
  const std::vector<Case> cases = {
      {"n\n", "n\n"},
      {"N\n", "N\n"},
      {"no\n", "no\n"},
      {"\n", "\n"},
      {"x\n", "x\n"},
      {"yess\n", "yess\n"},
      {"y y\n", "y y\n"},
      {"ny\n", "ny\n"},
      {" \n", " \n"},
      // The user does not end the line here; o8lock does.
      {kEndOfInput, "\n"},
  };
  const Repository repo;
  Guarded run(repo.path());
  const LockFilesState before = StateOf(repo);
  for (const Case& test : cases) {
    SCOPED_TRACE(test.echo);
    Question question(repo);
    question->Write(test.keys);
    EXPECT_EQ(question->Wait(), Exited(75));
    Values values = ValuesOf(repo, run.pid());
    values["ECHO"] = test.echo;
    EXPECT_EQ(Normal(question->out()), Golden("force_declined", values));
    EXPECT_TRUE(StateOf(repo) == before);
  }
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(run.err(), "");
}

TEST(QuestionTest, YesOverrides) {
  for (const std::string keys : {"y\n", "Y\n", "yes\n", " y \n", "YES\n"}) {
    SCOPED_TRACE(keys);
    const Repository repo;
    Guarded run(repo.path());
    Question question(repo);
    question->Write(keys);
    EXPECT_EQ(question->Wait(), Exited(0));
    Values values = ValuesOf(repo, run.pid());
    values["ECHO"] = keys;
    EXPECT_EQ(Normal(question->out()), Golden("force_accepted", values));
    EXPECT_EQ(run.Finish(5), Exited(5));
    EXPECT_THAT(run.err(), StartsWith("o8lock: warning: this run's lock was "
                                      "overridden at "));
    ExpectNothingLeft(repo);
  }
}

TEST(QuestionTest, YesOptionAsksNothing) {
  const Repository repo;
  Guarded run(repo.path());
  Process forced(O8lock({"--force", "--yes", "--", "echo", "ran"}),
                 OnTerminal(repo.path()));
  EXPECT_EQ(forced.Wait(), Exited(0));
  EXPECT_EQ(Normal(forced.out()),
            absl::StrCat(Golden("force", ValuesOf(repo, run.pid())), "ran\n"));
}

TEST(QuestionTest, IsAskedOnTheTerminalWhateverTheStandardDescriptorsAre) {
  const Repository repo;
  Guarded run(repo.path());
  Process shell(Shell("echo y | \"$O8LOCK\" --force -- cat >out 2>err"),
                OnTerminal(repo.path()));
  // The warning is shown too, so the user knows the reason for the question.
  EXPECT_THAT(Normal(shell.WaitForOutput("Continue? [y/N] ")),
              StartsWith(Golden("force", ValuesOf(repo, run.pid()))));
  shell.Write("y\n");
  EXPECT_EQ(shell.Wait(), Exited(0));
  EXPECT_EQ(Contents(repo.File("out")), "y\n");  // The command's own input.
  EXPECT_EQ(Normal(Contents(repo.File("err"))),
            Golden("force", ValuesOf(repo, run.pid())));
}

TEST(QuestionTest, TheForceOfOrchestr8Asks) {
  const Repository repo;
  Guarded run(repo.path());
  Process forced(
      O8lock({"--", PathFromEnv("ORCHESTR8"), "parallel", "feat-a", "--force"}),
      OnTerminal(repo.path()));
  forced.WaitForOutput("Continue? [y/N] ");
  forced.Write("y\n");
  EXPECT_EQ(forced.Wait(), Exited(0));
  // The two questions look alike, so the output tells them apart.
  EXPECT_THAT(forced.out(),
              HasSubstr("[y/N] y\r\no8lock: that question was o8lock's; "
                        "orchestr8 may now ask its own\r\n"));
  EXPECT_THAT(forced.out(), HasSubstr("feat-a merged\r\n"));
}

TEST(QuestionTest, IsAskedAgainWhenTheHolderChangesMeanwhile) {
  const Repository repo;
  std::optional<Guarded> first(repo.path());
  Question question(repo);
  EXPECT_EQ(first->Finish(), Exited(0));
  Guarded second(repo.path());
  const LockFilesState state = StateOf(repo);
  question->Write("y\n");
  EXPECT_EQ(Normal(question->WaitForOutput("Continue? [y/N] ")),
            absl::StrCat("y\n", Golden("force", ValuesOf(repo, second.pid())),
                         "Continue? [y/N] "));
  EXPECT_TRUE(StateOf(repo) == state);
  question->Write("y\n");
  EXPECT_EQ(question->Wait(), Exited(0));
  EXPECT_THAT(question->out(), EndsWith("ran\r\n"));
  EXPECT_EQ(second.Finish(), Exited(0));
  EXPECT_THAT(second.err(), HasSubstr("overridden"));
}

TEST(QuestionTest, RunsWhenTheHolderEndsMeanwhile) {
  const Repository repo;
  Guarded first(repo.path());
  Question question(repo);
  EXPECT_EQ(first.Finish(), Exited(0));
  EXPECT_EQ(first.err(), "");
  question->Write("y\n");
  EXPECT_EQ(question->WaitForOutput("ran\r\n"), "y\r\nran\r\n");
  EXPECT_EQ(question->Wait(), Exited(0));
  ExpectNothingLeft(repo);
}

TEST(QuestionTest, CtrlCEndsIt) {
  const Repository repo;
  Guarded run(repo.path());
  const LockFilesState before = StateOf(repo);
  Question question(repo);
  question->Write(kInterrupt);
  EXPECT_EQ(question->Wait(), Killed(SIGINT));
  EXPECT_TRUE(StateOf(repo) == before);
}

// After a hang-up there is no user to say yes.
TEST(QuestionTest, ALostTerminalIsNoYes) {
  const Repository repo;
  Guarded run(repo.path());
  const LockFilesState before = StateOf(repo);
  Question question(repo);
  question->CloseInput();
  EXPECT_THAT(question->Wait(), ::testing::AnyOf(Killed(SIGHUP), Exited(75)));
  EXPECT_TRUE(StateOf(repo) == before);
}

// --- Keys while the command runs ---

TEST(KeysTest, CtrlCEndsBothAndRemovesTheLockFile) {
  const Repository repo;
  Process run(Locked({}, "echo ready $$; exec sleep 1000"),
              OnTerminal(repo.path()));
  const pid_t command = ReadyPid(run);
  EXPECT_TRUE(Exists(repo.LockFile()));
  run.Write(kInterrupt);
  EXPECT_EQ(run.Wait(), Killed(SIGINT));
  WaitForEnd(command);
  ExpectNothingLeft(repo);
}

// As vi or a shell does.
TEST(KeysTest, ACommandMayLiveOnAfterCtrlC) {
  const Repository repo;
  Process run(Locked({},
                     "trap 'echo again' INT; echo ready; "
                     "while ! read line; do :; done; echo \"got $line\""),
              OnTerminal(repo.path()));
  run.WaitForOutput("ready");
  run.Write(kInterrupt);
  run.WaitForOutput("again");
  EXPECT_TRUE(Exists(repo.LockFile()));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
  run.Write("x\n");
  run.WaitForOutput("got x");
  EXPECT_EQ(run.Wait(), Exited(0));
  ExpectNothingLeft(repo);
}

// An interactive shell with o8lock as a job.
class ShellTest : public ::testing::Test {
 protected:
  ShellTest()
      : shell_({"bash", "--norc", "--noprofile", "--noediting", "-i"},
               Options()) {
    shell_.WaitForOutput("PROMPT");
  }
  // Types a command line, and waits for its echo.
  void Type(const std::string& line) {
    shell_.Write(absl::StrCat(line, "\n"));
    shell_.WaitForOutput(absl::StrCat(line, "\r\n"));
  }

  Repository repo_;
  Process shell_;

 private:
  ProcessOptions Options() const {
    ProcessOptions options = OnTerminal(repo_.path());
    options.env["PS1"] = "PROMPT";
    options.env["HISTFILE"] = "";
    options.env["TERM"] = "dumb";
    options.env["SCRIPT"] = "echo ready $$; read line; echo \"got $line\"";
    return options;
  }
};

TEST_F(ShellTest, SeesCtrlCAs130) {
  Type("$O8LOCK -- sh -c \"$SCRIPT\"");
  const pid_t command = ReadyPid(shell_);
  shell_.Write(kInterrupt);
  shell_.WaitForOutput("PROMPT");
  Type("echo code=$?.");
  shell_.WaitForOutput("code=130.");
  WaitForEnd(command);
  ExpectNothingLeft(repo_);
}

TEST_F(ShellTest, CtrlZKeepsTheLockUntilFgHasBroughtItToItsEnd) {
  Type("$O8LOCK -- sh -c \"$SCRIPT\"");
  const pid_t command = ReadyPid(shell_);
  shell_.Write(kSuspend);
  shell_.WaitForOutput("Stopped");
  shell_.WaitForOutput("PROMPT");
  WaitForState(command, 'T');

  const Result status = Call(O8lock({"status"}), repo_.path());
  EXPECT_EQ(status.end, Exited(75));
  EXPECT_THAT(status.out, HasSubstr(" is stopped (Ctrl-Z or SIGSTOP)\n"));
  const Result second = Call(O8lock({"--", "true"}), repo_.path());
  EXPECT_EQ(second.end, Exited(75));
  EXPECT_THAT(second.err, HasSubstr(" is stopped (Ctrl-Z or SIGSTOP)\n"));
  // The shell itself does not belong to that run.
  Type("$O8LOCK -q -- true; echo code=$?.");
  shell_.WaitForOutput("code=75.");
  shell_.WaitForOutput("PROMPT");

  Type("fg");
  shell_.WaitForOutput("\n");  // the job's name
  shell_.Write("hello\n");
  shell_.WaitForOutput("got hello");
  shell_.WaitForOutput("PROMPT");
  ExpectNothingLeft(repo_);
}

TEST_F(ShellTest, CtrlZStopsTheWaitForSurvivingProcesses) {
  Type("$O8LOCK --leftovers=wait -- sh -c 'sleep 1000 & echo \"agent $!\"'");
  const pid_t agent = ReadyPid(shell_, "agent ");
  shell_.WaitForOutput("press Ctrl-C to release the lock");
  shell_.Write(kSuspend);
  shell_.WaitForOutput("Stopped");
  shell_.WaitForOutput("PROMPT");
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo_.path()).end, Exited(75));
  Type("fg");
  shell_.WaitForOutput("agent $!");  // the job's name
  kill(agent, SIGKILL);
  shell_.WaitForOutput("PROMPT");
  ExpectNothingLeft(repo_);
}

}  // namespace
}  // namespace o8lock
