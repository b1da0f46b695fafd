// SPDX-License-Identifier: Apache-2.0
//
// Runs real processes: child_driver around a command. Where the two must not
// differ, it also runs the same command without child_driver.
#include "tools/cli/child.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using Argv = std::vector<std::string>;

std::string Driver() { return PathFromEnv("CHILD_DRIVER"); }
std::string Printer() { return PathFromEnv("SIGNAL_PRINTER"); }

// Makes a copy of child_driver. Other users can execute it, but no file in
// Bazel's directory.
std::string DriverForAll(const TempDir& dir) {
  EXPECT_EQ(chmod(dir.path().c_str(), 0755), 0);
  MakeFile(dir.File("driver"), Contents(Driver()), 0755);
  return dir.File("driver");
}

// Returns child_driver around `command`.
Argv Wrapped(Argv command) {
  command.insert(command.begin(), Driver());
  return command;
}

Argv Shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

ProcessOptions OnTerminal() {
  ProcessOptions options;
  options.terminal = true;
  return options;
}

// An interactive shell on a terminal, after its first prompt.
class JobControl {
 public:
  explicit JobControl(const std::string& script)
      : shell_({"bash", "--norc", "--noprofile", "--noediting", "-i"},
               Options(script)) {
    shell_.WaitForOutput("PROMPT");
  }
  // Types a command line, and waits for its echo.
  void Type(const std::string& line) {
    shell_.Write(absl::StrCat(line, "\n"));
    shell_.WaitForOutput(absl::StrCat(line, "\r\n"));
  }
  Process& operator*() { return shell_; }
  Process* operator->() { return &shell_; }

 private:
  static ProcessOptions Options(const std::string& script) {
    ProcessOptions options = OnTerminal();
    options.env = {{"PS1", "PROMPT"},    {"HISTFILE", ""},
                   {"TERM", "dumb"},     {"LC_ALL", "C"},
                   {"DRIVER", Driver()}, {"PRINTER", Printer()},
                   {"SCRIPT", script}};
    return options;
  }
  Process shell_;
};

// --- The end of the command ------------------------------------------------

TEST(RunTest, ReturnsEveryExitCode) {
  for (int code = 0; code < 256; ++code) {
    EXPECT_EQ(RunToEnd(Wrapped(Shell(absl::StrCat("exit ", code)))),
              Exited(code));
  }
}

TEST(RunTest, DiesOfEverySignalThatKillsTheCommand) {
  int killed = 0;
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (signal >= 32 && signal < SIGRTMIN) continue;  // The C library's.
    if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN ||
        signal == SIGTTOU) {
      continue;
    }
    const Argv command =
        Shell(absl::StrCat("ulimit -c 0; kill -", signal, " $$; exit 9"));
    const End without = RunToEnd(command);
    EXPECT_EQ(RunToEnd(Wrapped(command)), without) << signal;
    killed += without == Killed(signal) ? 1 : 0;
  }
  EXPECT_EQ(killed, 27 - 4 + SIGRTMAX - SIGRTMIN + 1);
}

TEST(RunTest, WaitsForACommandThatCleansUp) {
  Process process(Wrapped(Shell(
      "trap 'echo cleaned; exit 7' TERM; echo ready $$; while :; do sleep 1 & "
      "wait $!; done")));
  ReadyPid(process);
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), Exited(7));
  EXPECT_THAT(process.out(), HasSubstr("cleaned\n"));
}

TEST(RunTest, SeesTheEndThoughTheCallerIgnoresSigchld) {
  ProcessOptions options;
  options.ignored = {SIGCHLD};
  EXPECT_EQ(RunToEnd(Wrapped(Shell("exit 3")), options), Exited(3));
  EXPECT_EQ(RunToEnd(Wrapped(Shell("kill -TERM $$")), options),
            Killed(SIGTERM));
}

// --- The command's initial state -------------------------------------------

// Returns the signals and descriptors signal_printer sees, without the numbers
// that always differ.
std::string State(const Argv& prefix, const ProcessOptions& options) {
  const TempDir dir;
  Argv argv = prefix;
  argv.insert(argv.end(), {Printer(), "--state", dir.File("state")});
  Process process(argv, options);
  EXPECT_EQ(process.Wait(), Exited(0)) << process.err();
  std::vector<std::string> lines =
      absl::StrSplit(Contents(dir.File("state")), '\n', [](auto line) {
        return absl::StartsWith(line, "Sig") || absl::StartsWith(line, "fd ");
      });
  for (std::string& line : lines) {
    for (const absl::string_view numbered : {"pipe:", "/dev/pts/"}) {
      const size_t found = line.find(numbered.data());
      if (found != std::string::npos) line.resize(found + numbered.size());
    }
  }
  return absl::StrJoin(lines, "\n");
}

TEST(RunTest, LeavesSignalsAndDescriptorsAsTheyAre) {
  std::vector<ProcessOptions> cases(9);
  cases[1].ignored = {SIGHUP};
  cases[2].ignored = {SIGPIPE, SIGINT, SIGQUIT};
  cases[3].ignored = {SIGCHLD, SIGTSTP, SIGTTIN};
  cases[4].blocked = {SIGTERM, SIGUSR1, SIGCHLD, SIGTSTP, SIGRTMIN};
  cases[5].closed = {0};
  cases[6].closed = {1, 2};
  cases[7].closed = {0, 1, 2};
  cases[8].terminal = true;
  std::vector<std::string> states;
  for (const ProcessOptions& options : cases) {
    states.push_back(State({}, options));
    EXPECT_EQ(State({Driver()}, options), states.back());
    EXPECT_EQ(State({Driver(), "--restore"}, options), states.back());
  }
  // The cases do differ in the compared values. (The caller of this test may
  // ignore signals 32 and 33, which the C library reserves.)
  EXPECT_THAT(states[0], ContainsRegex("SigIgn:\t[0-9a-f]{8}[08]0{7}\n"));
  EXPECT_THAT(states[1], ContainsRegex("SigIgn:\t[0-9a-f]{8}[08]0{6}1\n"));
  EXPECT_THAT(states[3], ContainsRegex("SigIgn:\t[0-9a-f]{8}[08]0190000\n"));
  EXPECT_THAT(states[4], ContainsRegex("SigBlk:\t0+200094200\n"));
  EXPECT_THAT(states[0], ContainsRegex("fd 0 [0-7]+ /dev/null\n"
                                       "fd 1 [0-7]+ pipe:\n"
                                       "fd 2 [0-7]+ pipe:"));
  EXPECT_THAT(states[7], Not(ContainsRegex("fd [012] ")));
  EXPECT_THAT(states[8], ContainsRegex("fd 0 [0-7]+ /dev/pts/\n"));
}

TEST(RunTest, GivesTheCommandOneDescriptorAtTenOrAbove) {
  const std::string without = State({Driver()}, {});
  const std::string with = State({Driver(), "--inherit"}, {});
  std::string added;
  for (absl::string_view line : absl::StrSplit(with, '\n')) {
    if (!absl::StrContains(without, line)) absl::StrAppend(&added, line, "\n");
  }
  EXPECT_THAT(added, ContainsRegex("^fd [1-9][0-9]+ [0-7]+ /dev/null\n$"));
}

TEST(RunTest, StaysInTheProcessGroupAndSession) {
  Process process(Wrapped(
      Shell("set -- $(cut -d ' ' -f 5,6 /proc/self/stat); echo \"$@\"")));
  EXPECT_EQ(process.Wait(), Exited(0));
  EXPECT_EQ(process.out(),
            absl::StrCat(process.pid(), " ", process.pid(), "\n"));
}

// --- Signals from processes ------------------------------------------------

TEST(RunTest, ForwardsEverySignalExactlyOnce) {
  Process process(Wrapped({Printer(), "TERM"}));
  ReadyPid(process);
  std::string expected = process.out();
  const auto send = [&](int signal, const std::string& name) {
    process.Signal(signal);
    process.WaitForOutput(name + "\n");
    absl::StrAppend(&expected, name, "\n");
  };
  for (int round = 0; round < 20; ++round) {
    for (int signal = 1; signal <= SIGRTMAX && !HasFailure(); ++signal) {
      if (signal >= 32 && signal < SIGRTMIN) continue;
      if (signal == SIGKILL || signal == SIGSTOP || signal == SIGCONT ||
          signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU ||
          signal == SIGCHLD || signal == SIGTERM) {
        continue;
      }
      const char* name = sigabbrev_np(signal);
      send(signal, name != nullptr ? name : absl::StrCat(signal));
    }
  }
  send(SIGTERM, "TERM");
  EXPECT_EQ(process.Wait(), Exited(0));
  EXPECT_EQ(process.out(), expected);
}

TEST(RunTest, ForwardsToACommandWhatItsCallerIgnores) {
  ProcessOptions options;
  options.ignored = {SIGHUP};
  Process process(Wrapped({Printer(), "TERM"}), options);
  ReadyPid(process);
  process.Signal(SIGHUP);
  process.WaitForOutput("HUP\n");
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), Exited(0));
}

TEST(RunTest, ForwardsATimerSetBeforeIt) {
  EXPECT_EQ(RunToEnd({Driver(), "--alarm", "sleep", "100"}), Killed(SIGALRM));
}

TEST(RunTest, DoesNotSendBackWhatTheCommandSendsToItsGroup) {
  Process process(Wrapped(
      Shell("trap 'echo got' TERM; for i in 1 2 3 4 5; do kill -TERM 0; done; "
            "sleep 0.1; echo end")));
  EXPECT_EQ(process.Wait(), Exited(0));
  EXPECT_EQ(process.out(), "got\ngot\ngot\ngot\ngot\nend\n");
}

// --- Signals before the command --------------------------------------------

// Sends `signal` before the command starts.
void EarlySignal(int signal, const ProcessOptions& base, const End& end,
                 const std::string& output) {
  ProcessOptions options = base;
  options.input = ProcessOptions::Stdin::kPipe;
  Process process({Driver(), "--wait", "--report", "echo", "ran"}, options);
  process.WaitForOutput("blocked\n");
  if (signal != 0) process.Signal(signal);
  process.Write("\n");
  EXPECT_EQ(process.Wait(), end) << signal;
  EXPECT_EQ(process.out(), absl::StrCat("blocked\n", output)) << signal;
}

TEST(RunTest, AnEarlySignalEndsItAfterTheReleaseAndBeforeTheCommand) {
  EarlySignal(0, {}, Exited(0), "ran\nreleased\n");
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGRTMIN}) {
    EarlySignal(signal, {}, Killed(signal), "released\n");
  }
}

TEST(RunTest, AnEarlySignalThatWouldDoNothingDoesNothing) {
  ProcessOptions ignored;
  ignored.ignored = {SIGTERM};
  EarlySignal(SIGTERM, ignored, Exited(0), "ran\nreleased\n");
  for (const int signal : {SIGWINCH, SIGCONT, SIGCHLD, SIGURG}) {
    EarlySignal(signal, {}, Exited(0), "ran\nreleased\n");
  }
}

TEST(RunTest, AnEarlySignalThatTheCallerBlocksAwaitsTheCommand) {
  ProcessOptions options;
  options.blocked = {SIGTERM};
  options.input = ProcessOptions::Stdin::kPipe;
  Process process({Driver(), "--wait", Printer(), "TERM"}, options);
  process.WaitForOutput("blocked\n");
  process.Signal(SIGTERM);
  process.Write("\n");
  EXPECT_EQ(process.Wait(), Exited(0));
  EXPECT_THAT(process.out(), ContainsRegex("^blocked\nready [0-9]+\nTERM\n$"));
}

TEST(RunTest, AnEarlyStopStopsIt) {
  JobControl shell("echo \"ran: $((40 + 2))\"");
  shell.Type("$DRIVER --wait sh -c \"$SCRIPT\"");
  shell->WaitForOutput("blocked\r\n");
  shell->Write("\x1a\n");  // The terminal may drop its input at Ctrl-Z ...
  shell->Write("\n");      // ... or keep it, and then both lines count.
  shell->WaitForOutput("Stopped");
  shell->WaitForOutput("PROMPT");
  EXPECT_THAT(shell->out(), Not(HasSubstr("ran: 42")));
  shell.Type("fg");
  shell->WaitForOutput("ran: 42");
}

// --- The terminal ----------------------------------------------------------

TEST(RunTest, TerminalSignalsArriveExactlyOnce) {
  Process process(Wrapped({Printer(), "TERM"}), OnTerminal());
  ReadyPid(process);
  for (int round = 0; round < 50 && !HasFailure(); ++round) {
    process.Write("\x03");
    process.WaitForOutput("INT\r\n");
    process.Write("\x1c");
    process.WaitForOutput("QUIT\r\n");
  }
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), Exited(0));
  EXPECT_EQ(Count(process.out(), "INT\r\n"), 50);
  EXPECT_EQ(Count(process.out(), "QUIT\r\n"), 50);
}

TEST(RunTest, DiesOfTheTerminalsSignalWithItsCommand) {
  for (const auto& [key, signal] :
       {std::make_pair("\x03", SIGINT), std::make_pair("\x1c", SIGQUIT)}) {
    Process process(
        Wrapped(Shell("ulimit -c 0; echo ready $$; exec sleep 100")),
        OnTerminal());
    const pid_t command = ReadyPid(process);
    process.Write(key);
    EXPECT_EQ(process.Wait(), Killed(signal));
    EXPECT_EQ(kill(command, 0), -1);
  }
}

// The kernel sends the hang-up only to the session's leader, so only that
// process can tell the command.
TEST(RunTest, ForwardsTheHangUpOfItsOwnSession) {
  Process process(Wrapped(Shell("echo ready $$; exec sleep 100")),
                  OnTerminal());
  const pid_t command = ReadyPid(process);
  process.CloseInput();
  EXPECT_EQ(process.Wait(), Killed(SIGHUP));
  EXPECT_EQ(kill(command, 0), -1);
}

TEST(RunTest, StopsAndContinuesAsAShellsJob) {
  JobControl shell("echo ready $$; read line; echo \"got $line\"");
  shell.Type("$DRIVER sh -c \"$SCRIPT\"");
  const pid_t command = ReadyPid(*shell);
  for (int round = 0; round < 3 && !HasFailure(); ++round) {
    shell->Write("\x1a");
    shell->WaitForOutput("Stopped");
    shell->WaitForOutput("PROMPT");
    WaitForState(command, 'T');
    shell.Type("fg");
    WaitForState(command, 'S');
  }
  shell->Write("words\n");
  shell->WaitForOutput("got words");
  shell.Type("echo status=$?");
  shell->WaitForOutput("status=0\r\n");
}

TEST(RunTest, GoesOnInTheBackground) {
  JobControl shell("echo ready $$; sleep 100 & wait $!; echo late");
  shell.Type("$DRIVER sh -c \"$SCRIPT\"");
  const pid_t command = ReadyPid(*shell);
  shell->Write("\x1a");
  shell->WaitForOutput("Stopped");
  shell->WaitForOutput("PROMPT");
  WaitForState(command, 'T');
  shell.Type("bg");
  WaitForState(command, 'S');
  // bash 5.3 forgets a job, with its status, when it reports its end.
  shell.Type("kill %1; wait %1");
  shell->WaitForOutput("Terminated");
}

// The neighbours must have started, and their output through the pipe shows
// that. Until then they are children of the shell and ignore Ctrl-Z as it does.
TEST(RunTest, StopsAsPartOfAPipeline) {
  JobControl shell("read begun; echo ready $$; read line");
  shell.Type(
      "sh -c 'echo begun; exec sleep 100' | $DRIVER sh -c \"$SCRIPT\" | cat");
  const pid_t command = ReadyPid(*shell);
  for (int round = 0; round < 20 && !HasFailure(); ++round) {
    shell->Write("\x1a");
    shell->WaitForOutput("Stopped");
    shell->WaitForOutput("PROMPT");
    WaitForState(command, 'T');
    shell.Type("fg");
    WaitForState(command, 'S');
  }
  shell->Write("\x03");
  shell->WaitForOutput("PROMPT");
}

TEST(RunTest, ACommandThatCatchesCtrlZGoesOn) {
  JobControl shell("");
  shell.Type("$DRIVER $PRINTER TERM");
  ReadyPid(*shell);
  for (int round = 0; round < 20 && !HasFailure(); ++round) {
    shell->Write("\x1a");
    shell->WaitForOutput("TSTP\r\n");
    shell->Write("\x03");
    shell->WaitForOutput("INT\r\n");
  }
  EXPECT_EQ(Count(shell->out(), "TSTP\r\n"), 20);
  EXPECT_THAT(shell->out(), Not(HasSubstr("Stopped")));
}

// As top(1) does. The shell must get its terminal back.
TEST(RunTest, ACommandThatStopsItselfAloneStopsTheJob) {
  for (const char* signal : {"STOP", "TSTP"}) {
    JobControl shell(
        absl::StrCat("echo ready $$; kill -", signal, " $$; echo again"));
    shell.Type("$DRIVER sh -c \"$SCRIPT\"");
    WaitForState(ReadyPid(*shell), 'T');
    shell->WaitForOutput("Stopped");
    shell->WaitForOutput("PROMPT");
    shell.Type("fg");
    shell->WaitForOutput("again\r\n");
  }
}

// --- Stopped by hand, without a shell to notice ----------------------------

TEST(RunTest, ACommandStoppedAndContinuedAloneGoesOn) {
  Process process(Wrapped({Printer(), "TERM"}));
  const pid_t command = ReadyPid(process);
  for (const int signal : {SIGSTOP, SIGSTOP, SIGSTOP}) {
    kill(command, signal);
    WaitForState(command, 'T');
    kill(command, SIGCONT);
    process.WaitForOutput("CONT\n");
  }
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), Exited(0));
}

TEST(RunTest, ContinuesACommandThatWasStoppedAlone) {
  Process process(Wrapped({Printer(), "TERM"}));
  const pid_t command = ReadyPid(process);
  kill(command, SIGSTOP);
  WaitForState(command, 'T');
  process.Signal(SIGCONT);
  process.WaitForOutput("CONT\n");
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), Exited(0));
}

TEST(RunTest, NoticesWhatHappenedWhileItWasStopped) {
  Process process(Wrapped(Shell("echo ready $$; exec sleep 100")));
  const pid_t command = ReadyPid(process);
  process.Signal(SIGSTOP);
  WaitForState(process.pid(), 'T');
  kill(command, SIGKILL);
  WaitForState(command, 'Z');
  process.Signal(SIGCONT);
  EXPECT_EQ(process.Wait(), Killed(SIGKILL));
}

// A job of a shell without a terminal. Its parent is in another group of the
// session, so its group is not orphaned and the terminal's stop signals work.
class BackgroundJob {
 public:
  BackgroundJob()
      : shell_({"bash", "-c",
                "set -m; \"$DRIVER\" sh -c \"$SCRIPT\" & "
                "echo job $!; cat; wait $!; echo status=$?"},
               Options()) {
    shell_.WaitForOutput("job ");
    EXPECT_TRUE(absl::SimpleAtoi(shell_.WaitForOutput("\n"), &wrapper_));
  }
  // Waits for the command to start.
  pid_t command() {
    if (command_ == 0) {
      shell_.WaitForError("ready ");
      EXPECT_TRUE(absl::SimpleAtoi(shell_.WaitForError("\n"), &command_));
    }
    return command_;
  }
  pid_t wrapper() const { return wrapper_; }
  // Expects it to end by SIGTERM.
  void Terminate() {
    kill(wrapper_, SIGTERM);
    WaitForState(wrapper_, '\0');
    shell_.CloseInput();
    EXPECT_EQ(shell_.Wait(), Exited(0));
    EXPECT_THAT(shell_.out(), HasSubstr("status=143\n"));
  }

 private:
  static ProcessOptions Options() {
    ProcessOptions options;
    options.input = ProcessOptions::Stdin::kPipe;
    options.env = {{"DRIVER", Driver()},
                   {"SCRIPT", "echo ready $$ >&2; exec sleep 100"}};
    return options;
  }
  Process shell_;
  pid_t wrapper_ = 0;
  pid_t command_ = 0;
};

// The sender of the stop signal will only continue the command.
TEST(RunTest, StaysAwakeWhenTheCommandAloneIsStopped) {
  BackgroundJob job;
  for (const int signal : {SIGSTOP, SIGTSTP}) {
    kill(job.command(), signal);
    WaitForState(job.command(), 'T');
    kill(job.command(), SIGCONT);
    WaitForState(job.command(), 'S');
    WaitForState(job.wrapper(), 'S');
  }
  job.Terminate();
}

TEST(RunTest, FollowsStopsAndContinuesInQuickSuccession) {
  BackgroundJob job;
  job.command();  // Before main() neither process controls its reaction.
  for (int round = 0; round < 1000; ++round) {
    for (const int signal : {SIGTSTP, SIGSTOP, SIGTTIN, SIGTTOU}) {
      for (const pid_t target : {-job.wrapper(), job.wrapper()}) {
        kill(target, signal);
        kill(target, SIGCONT);
      }
    }
  }
  kill(-job.wrapper(), SIGTSTP);
  WaitForState(job.command(), 'T');
  WaitForState(job.wrapper(), 'T');
  kill(-job.wrapper(), SIGCONT);
  WaitForState(job.command(), 'S');
  job.Terminate();
}

// --- Descriptors of the wrapper itself -------------------------------------

TEST(EnsureStandardDescriptorsTest, KeepsFilesFromTheNumbersOfTheClosed) {
  const auto test = [] {
    for (const int fd : {0, 2}) close(fd);
    const bool ok = EnsureStandardDescriptors().ok();
    const int file = open("/dev/null", O_RDWR | O_CLOEXEC);
    const bool as_closed = write(2, "x", 1) < 0 && errno == EBADF;
    _exit(ok && file > 2 && as_closed ? 0 : 1);
  };
  EXPECT_EXIT(test(), testing::ExitedWithCode(0), "");
}

// --- Commands that cannot run ----------------------------------------------

struct Failure {
  End end;
  std::string message;
};

Failure Fail(const std::string& command, const ProcessOptions& options = {}) {
  Process process(Wrapped({command}), options);
  const End end = process.Wait();
  EXPECT_EQ(process.out(), "");
  return {end, process.err()};
}

TEST(RunTest, SaysWhyACommandCannotBeRun) {
  const TempDir dir;
  MakeFile(dir.File("plain"), "echo no\n");
  MakeFile(dir.File("bad"), "#!/no/such/interpreter\n", 0755);
  MakeFile(dir.File("busy"), Contents(Printer()), 0755);
  MakeFile(dir.File("binary"),
           absl::string_view("\x7f"
                             "ELF\0\0\0\0",
                             8),
           0755);
  ASSERT_EQ(symlink("loop", dir.File("loop").c_str()), 0);
  const std::string plain = dir.File("plain");
  ProcessOptions path;
  path.env = {{"PATH", absl::StrCat(plain, ":", dir.path(), ":/bin")}};
  ProcessOptions no_path;
  no_path.unset_env = {"PATH"};

  const struct {
    std::string command;
    ProcessOptions options;
    int code;
    std::string why;
    std::string status = code == 127 ? "NOT_FOUND" : "PERMISSION_DENIED";
  } kCases[] = {
      {"", {}, 127, "No such file or directory"},
      {"no-such-command", {}, 127, "No such file or directory"},
      {"no-such-command", path, 127, "No such file or directory"},
      {"no-such-command", no_path, 127, "No such file or directory"},
      {dir.File("absent"), {}, 127, "No such file or directory"},
      {dir.File("bad"),
       {},
       127,
       "the interpreter or loader named in the file does not exist",
       "FAILED_PRECONDITION"},
      {"bad", path, 127,
       "the interpreter or loader named in the file does not exist",
       "FAILED_PRECONDITION"},
      {plain, {}, 126, "Permission denied"},
      {"plain", path, 126, "Permission denied"},
      {dir.path(), {}, 126, "Is a directory"},
      {plain + "/x", {}, 126, "Not a directory", "UNKNOWN"},
      {dir.File("loop"),
       {},
       126,
       "Too many levels of symbolic links",
       "UNKNOWN"},
      {std::string(300, 'x') + "/", {}, 126, "File name too long", "UNKNOWN"},
  };
  for (const auto& test : kCases) {
    const Failure failure = Fail(test.command, test.options);
    EXPECT_EQ(failure.end, Exited(test.code)) << test.command;
    EXPECT_EQ(failure.message,
              absl::StrCat(test.status, ": cannot execute '", test.command,
                           "': ", test.why, "\n"));
  }
}

TEST(RunTest, AMisspeltNameIsNotFoundThoughPathHasAClosedDirectory) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to become another user";
  const TempDir dir;
  ASSERT_EQ(mkdir(dir.File("closed").c_str(), 0700), 0);
  const std::string driver = DriverForAll(dir);
  ProcessOptions options;
  options.user = 65534;
  options.env = {{"PATH", absl::StrCat(dir.File("closed"), ":/bin")}};
  const Argv probe = {"/bin/cat", absl::StrCat(dir.File("closed"), "/x")};
  Process reaches(probe, options);
  EXPECT_EQ(reaches.Wait(), Exited(1));
  ASSERT_THAT(reaches.err(), HasSubstr("Permission denied"));
  Process process({driver, "no-such-command"}, options);
  EXPECT_EQ(process.Wait(), Exited(127));
  EXPECT_THAT(process.err(), HasSubstr("No such file or directory"));
}

TEST(RunTest, RunsAScriptWithoutAnInterpreterLine) {
  const TempDir dir;
  MakeFile(dir.File("script"), "echo \"it ran: $*\"\n", 0755);
  Process process(Wrapped({dir.File("script"), "a", "b c"}));
  EXPECT_EQ(process.Wait(), Exited(0));
  EXPECT_EQ(process.out(), "it ran: a b c\n");
}

TEST(RunTest, GivesTheDescriptorALowNumberWhereTheLimitAllowsNoOther) {
  Process process({"/bin/sh", "-c",
                   "ulimit -n 8; exec \"$0\" --inherit sh -c "
                   "'for fd in 3 4 5 6 7; do [ /dev/fd/$fd -ef /dev/null ] && "
                   "echo inherited; done; exit 0'",
                   Driver()});
  EXPECT_EQ(process.Wait(), Exited(0));
  EXPECT_EQ(process.out(), "inherited\n");
}

TEST(RunTest, SaysThatNoProcessIsToBeHad) {
  if (getuid() != 0) GTEST_SKIP() << "needs a user who has no processes";
  const TempDir dir;
  ProcessOptions options;
  options.user = 64999;
  options.env = {{"ASAN_OPTIONS", "detect_leaks=0"}};  // It needs a process.
  Process process(
      {"bash", "-c", "ulimit -u 1; exec \"$0\" /bin/true", DriverForAll(dir)},
      options);
  EXPECT_EQ(process.Wait(), Exited(71));
  EXPECT_EQ(
      process.err(),
      "RESOURCE_EXHAUSTED: cannot start a process for '/bin/true': Resource "
      "temporarily unavailable\n");
}

}  // namespace
}  // namespace o8lock
