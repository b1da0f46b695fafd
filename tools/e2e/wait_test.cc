// SPDX-License-Identifier: Apache-2.0
//
// The whole program while it waits for a lock: the order of the waiters, the
// end of the wait, and the display meanwhile.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/file.h"
#include "lock/kernel_lock.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Like Guarded's script, but it exits with 99 if another run is active.
constexpr char kAlone[] =
    "mkdir alone || exit 99; echo ready $$; read code; rmdir alone; "
    "exit $code";

constexpr char kInterrupt[] = "\x03";  // Ctrl-C

Values Who(pid_t pid, const std::string& script) {
  return {{"PID", absl::StrCat(pid)}, {"SCRIPT", script}};
}

// Return the messages for the first holder, and for a later one.
std::string WaitingFor(pid_t pid, const std::string& script = kAlone) {
  return Fill("o8lock: waiting for PID {PID} (sh -c '{SCRIPT}')\n",
              Who(pid, script));
}
std::string NowWaitingFor(pid_t pid, const std::string& script = kAlone) {
  return Fill("o8lock: now waiting for PID {PID} (sh -c '{SCRIPT}')\n",
              Who(pid, script));
}

// Starts a run that fails unless it is alone.
std::unique_ptr<Guarded> Alone(const Repository& repo,
                               const Argv& options = {}) {
  return std::make_unique<Guarded>(Locked(options, kAlone), In(repo.path()));
}

// Waits until the process `pid` is blocked in fcntl(2) by a lock, so that it is
// in the queue behind all earlier waiters.
void WaitUntilQueued(pid_t pid) {
  const std::string file = absl::StrCat("/proc/", pid, "/syscall");
  const std::string wait_for_lock = absl::StrCat("0x", absl::Hex(F_OFD_SETLKW));
  WaitUntil("a wait for a lock", [&] {
    // The call's number, then its arguments: a descriptor and F_OFD_SETLKW.
    const std::vector<std::string> words =
        absl::StrSplit(Contents(file), absl::MaxSplits(' ', 3));
    return words.size() > 2 && words[2] == wait_for_lock;
  });
}

// o8lock --wait OPTIONS... -- sh -c kAlone, after its message that it waits.
class Waiter {
 public:
  explicit Waiter(const Repository& repo, Argv options = {})
      : process_(Locked(WithWait(std::move(options)), kAlone),
                 WithPipe(repo.path())) {
    process_.WaitForError("o8lock: waiting for ");
    process_.WaitForError("\n");
    WaitForState(pid(), 'S');
  }
  pid_t pid() const { return process_.pid(); }
  Process& process() { return process_; }
  const std::string& err() const { return process_.err(); }

  // Expects it to get its turn, and to end with `code`.
  void ExpectTurn(int code = 0) {
    process_.WaitForOutput("ready ");
    process_.Write(absl::StrCat(code, "\n"));
    EXPECT_EQ(process_.Wait(), Exited(code));
  }

 private:
  static Argv WithWait(Argv options) {
    options.emplace_back("--wait");
    return options;
  }
  static ProcessOptions WithPipe(const std::string& directory) {
    ProcessOptions options = In(directory);
    options.input = ProcessOptions::Stdin::kPipe;
    return options;
  }
  Process process_;
};

// Removes the directory of a kAlone that was killed.
void ForgetTheDead(const Repository& repo) {
  std::filesystem::remove(repo.File("alone"));
}

// --- The order of the waiters ---

TEST(WaitTest, OfAFreeLockIsSilent) {
  const Repository repo;
  const Result run = Call(O8lock({"--wait", "--", "echo", "ran"}), repo.path());
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.out, "ran\n");
  EXPECT_EQ(run.err, "");
}

TEST(WaitTest, LastsUntilTheHolderEnds) {
  const Repository repo;
  const auto holder = Alone(repo);
  const LockFilesState before = StateOf(repo);
  Waiter waiter(repo);
  EXPECT_TRUE(StateOf(repo) == before);
  // The waiter runs after the holder's end, otherwise it would exit with 99.
  EXPECT_EQ(holder->Finish(5), Exited(5));
  waiter.ExpectTurn(7);
  EXPECT_EQ(waiter.err(), WaitingFor(holder->pid()));
  EXPECT_EQ(holder->err(), "");
  ExpectNothingLeft(repo);
}

TEST(WaitTest, EveryOneOfManyHasItsTurnAlone) {
  const Repository repo;
  const auto holder = Alone(repo);
  std::vector<std::unique_ptr<Process>> waiters;
  for (int i = 0; i < 6; ++i) {
    waiters.push_back(std::make_unique<Process>(
        Locked({"--wait"},
               "mkdir alone || exit 99; echo x >>log; rmdir alone; exit 3"),
        In(repo.path())));
    waiters.back()->WaitForError("waiting for PID ");
  }
  EXPECT_FALSE(Exists(repo.File("log")));
  EXPECT_EQ(holder->Finish(), Exited(0));
  for (const auto& waiter : waiters) EXPECT_EQ(waiter->Wait(), Exited(3));
  EXPECT_EQ(Contents(repo.File("log")), "x\nx\nx\nx\nx\nx\n");
  ExpectNothingLeft(repo);
}

TEST(WaitTest, ServesTheWaitersInTheOrderOfTheirArrival) {
  const Repository repo;
  const auto holder = Alone(repo);
  std::vector<std::unique_ptr<Process>> waiters;
  std::string arrivals;
  for (int i = 0; i < 20; ++i) {
    waiters.push_back(std::make_unique<Process>(
        Locked({"--wait"}, absl::StrCat("echo ", i, " >>log")),
        In(repo.path())));
    WaitUntilQueued(waiters.back()->pid());
    absl::StrAppend(&arrivals, i, "\n");
  }
  EXPECT_EQ(holder->Finish(), Exited(0));
  for (const auto& waiter : waiters) EXPECT_EQ(waiter->Wait(), Exited(0));
  EXPECT_EQ(Contents(repo.File("log")), arrivals);
}

// The first waiter can have the turn without the lock: when it got the turn, a
// new start took the lock.
TEST(WaitTest, GoesOnPastAStoppedWaiterThatHasTheTurn) {
  const Repository repo;
  ASSERT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(0));
  const std::string guard = repo.File(".git/o8lock/parallel.guard");
  absl::StatusOr<Fd> stopped = OpenRegular(guard, O_RDWR);
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  ASSERT_EQ(TryLock(*stopped, Range::kTurn, guard), absl::OkStatus());
  const auto holder = Alone(repo);
  Waiter waiter(repo);
  EXPECT_EQ(holder->Finish(), Exited(0));
  waiter.ExpectTurn();
  ExpectNothingLeft(repo);
}

TEST(WaitTest, GoesOnPastAWaiterThatWasKilled) {
  const Repository repo;
  const auto holder = Alone(repo);
  Waiter first(repo);
  Waiter second(repo);
  first.process().Signal(SIGKILL);
  EXPECT_EQ(first.process().Wait(), Killed(SIGKILL));
  EXPECT_EQ(holder->Finish(), Exited(0));
  second.ExpectTurn();
  ExpectNothingLeft(repo);
}

TEST(WaitTest, EndsWithAHolderThatIsKilled) {
  const Repository repo;
  const auto holder = Alone(repo);
  Waiter waiter(repo);
  // The holder's command still holds the lock.
  holder->process().Signal(SIGKILL);
  EXPECT_EQ(holder->process().Wait(), Killed(SIGKILL));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
  ForgetTheDead(repo);
  kill(holder->command_pid(), SIGKILL);
  waiter.ExpectTurn(4);
  EXPECT_EQ(waiter.err(),
            absl::StrCat(WaitingFor(holder->pid()),
                         Golden("stale", ValuesOf(repo, holder->pid()))));
  ExpectNothingLeft(repo);
}

// The kernel does not notify the waiters, so they check each second.
TEST(WaitTest, TakesTheLockFromWhatAKilledHolderLeft) {
  const Repository repo;
  const std::string script =
      "setsid sh -c 'echo daemon $$; exec sleep 1000' & read line; "
      "echo ready $$; read code; exit $code";
  ProcessOptions options = In(repo.path());
  options.input = ProcessOptions::Stdin::kPipe;
  Process holder(Locked({}, script), options);
  const pid_t daemon = ReadyPid(holder, "daemon ");
  holder.Write("\n");
  const pid_t command = ReadyPid(holder);
  WaitForCommandInRecord(repo);
  Waiter first(repo);
  Waiter second(repo);
  holder.Signal(SIGKILL);
  kill(command, SIGKILL);
  EXPECT_EQ(holder.Wait(), Killed(SIGKILL));
  // The faster of the two runs, and the other waits for it.
  const std::string stale = Golden("stale", ValuesOf(repo, holder.pid()));
  WaitUntil("a turn", [&] { return Exists(repo.File("alone")); });
  const bool first_runs = absl::StrContains(
      Contents(repo.LockFile()), absl::StrCat("\"pid\": ", first.pid(), ","));
  Waiter& winner = first_runs ? first : second;
  Waiter& loser = first_runs ? second : first;
  loser.process().WaitForError(NowWaitingFor(winner.pid()));
  winner.ExpectTurn();
  EXPECT_THAT(winner.err(), EndsWith(absl::StrCat("\n", stale)));
  loser.ExpectTurn();
  EXPECT_THAT(loser.err(), Not(HasSubstr("stale")));
  EXPECT_EQ(kill(daemon, 0), 0);
  ExpectNothingLeft(repo);
}

TEST(WaitTest, IsForTheRunThatOverridesTheHolder) {
  const Repository repo;
  const auto holder = std::make_unique<Guarded>(repo.path());
  Waiter waiter(repo);
  const auto second = Alone(repo, {"--force", "--yes"});
  waiter.process().WaitForError(NowWaitingFor(second->pid()));
  // The waiter now gets the lock of a file that is no longer the guard.
  EXPECT_EQ(holder->Finish(), Exited(0));
  EXPECT_EQ(second->Finish(), Exited(0));
  waiter.ExpectTurn();
  ExpectNothingLeft(repo);
}

// This holds at any moment: the overridden run ends before the waiter notices.
TEST(WaitTest, IsNotOverWhenTheOverriddenRunEnds) {
  const Repository repo;
  const auto holder = std::make_unique<Guarded>(repo.path());
  Waiter waiter(repo);
  const auto second = Alone(repo, {"--force", "--yes"});
  EXPECT_EQ(holder->Finish(), Exited(0));
  waiter.process().WaitForError(NowWaitingFor(second->pid()));
  EXPECT_EQ(second->Finish(), Exited(0));
  waiter.ExpectTurn();
  ExpectNothingLeft(repo);
}

TEST(WaitTest, WhileStoppedKeepsNobodyFromTheLock) {
  const Repository repo;
  const auto holder = Alone(repo);
  Waiter waiter(repo);
  waiter.process().Signal(SIGSTOP);
  WaitForState(waiter.pid(), 'T');
  EXPECT_EQ(holder->Finish(), Exited(0));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(0));
  const auto next = Alone(repo);
  waiter.process().Signal(SIGCONT);
  waiter.process().WaitForError(NowWaitingFor(next->pid()));
  EXPECT_EQ(next->Finish(), Exited(0));
  waiter.ExpectTurn();
  ExpectNothingLeft(repo);
}

TEST(WaitTest, InsideTheRunItselfIsNone) {
  const Repository repo;
  const Result run =
      Call(Locked({}, "\"$O8LOCK\" --wait -- echo inside"), repo.path());
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.out, "inside\n");
  EXPECT_EQ(run.err, "");
}

// The end of such a run cannot be determined.
TEST(WaitTest, IsRefusedWhereItCannotBeTold) {
  const Repository repo;
  repo.MakeGuard(
      R"({"pid":1,"startedAt":"2026-02-25T10:30:00Z","features":["feat-a"],)"
      R"("command":["make","all"],"user":"ann","host":"elsewhere",)"
      R"("token":"0123456789abcdef0123456789abcdef"})");
  const Result refused = Call(O8lock({"--wait", "--", "true"}), repo.path());
  EXPECT_EQ(refused.end, Exited(75));
  EXPECT_THAT(refused.err, StartsWith("Error: Another parallel execution may "
                                      "be in progress (PID: 1)\n"));
}

TEST(WaitTest, NeedsNoStandardInput) {
  const Repository repo;
  const auto holder = Alone(repo);
  ProcessOptions options = In(repo.path());
  options.closed = {STDIN_FILENO};
  Process waiter(O8lock({"--wait", "--", "echo", "ran"}), options);
  waiter.WaitForError("waiting for PID ");
  EXPECT_EQ(holder->Finish(), Exited(0));
  EXPECT_EQ(waiter.Wait(), Exited(0));
  EXPECT_EQ(waiter.out(), "ran\n");
}

// --- The time limit ---

// Returns `text` with a placeholder for the time it has waited.
std::string WithoutTime(const std::string& text) {
  return std::regex_replace(Normal(text), std::regex("waited [0-9]+s;"),
                            "waited {DURATION};");
}

TEST(WaitTimeTest, EndsWithARefusal) {
  const Repository repo;
  Guarded holder(repo.path());
  const LockFilesState before = StateOf(repo);
  Process waiter(O8lock({"--wait=1s", "--", "true"}), In(repo.path()));
  Process with_code(O8lock({"-w1s", "-E", "9", "--", "true"}), In(repo.path()));
  Process quiet(O8lock({"-q", "-w1s", "-E", "0", "--", "echo", "ran"}),
                In(repo.path()));
  EXPECT_EQ(waiter.Wait(), Exited(75));
  EXPECT_EQ(waiter.out(), "");
  EXPECT_EQ(WithoutTime(waiter.err()),
            Golden("wait_timed_out", ValuesOf(repo, holder.pid())));
  EXPECT_EQ(with_code.Wait(), Exited(9));
  EXPECT_EQ(quiet.Wait(), Exited(0));
  EXPECT_EQ(quiet.out() + quiet.err(), "");
  EXPECT_TRUE(StateOf(repo) == before);
  EXPECT_EQ(holder.Finish(), Exited(0));
  EXPECT_EQ(holder.err(), "");
}

TEST(WaitTimeTest, OfNothingIsNoWaiting) {
  const Repository repo;
  Guarded holder(repo.path());
  for (const char* option : {"--wait=0", "-w0s"}) {
    const Result refused = Call(O8lock({option, "--", "true"}), repo.path());
    EXPECT_EQ(refused.end, Exited(75));
    EXPECT_THAT(refused.err, StartsWith("Error: Another parallel execution is "
                                        "in progress (PID: "));
  }
}

// The refusal names the last holder, not the first one.
TEST(WaitTimeTest, EndsWithARefusalThatNamesTheHolderOfThen) {
  const Repository repo;
  const auto holder = Alone(repo);
  Waiter first(repo);
  WaitUntilQueued(first.pid());
  Process second(O8lock({"--wait=3s", "--", "true"}), In(repo.path()));
  second.WaitForError("waiting for PID ");
  EXPECT_EQ(holder->Finish(), Exited(0));
  second.WaitForError(NowWaitingFor(first.pid()));
  EXPECT_EQ(second.Wait(), Exited(75));
  EXPECT_THAT(second.err(),
              HasSubstr(absl::StrCat(
                  "\nError: Another parallel execution is in progress (PID: ",
                  first.pid(), ")\n")));
  EXPECT_THAT(second.err(),
              HasSubstr(absl::StrCat("the kernel lock is held, process ",
                                     first.pid(), " is running\n")));
}

TEST(WaitTimeTest, IsPartOfTheOption) {
  const Repository repo;
  const Result run = Call(O8lock({"-w", "10m", "--", "true"}), repo.path());
  EXPECT_EQ(run.end, Exited(64));
  EXPECT_EQ(run.err,
            Fill("o8lock: error: no space is allowed between -w and TIME\n"
                 "o8lock: hint: try: {O8LOCK} -w10m -- COMMAND\n",
                 {}));
}

// --- Signals ---

// Returns a terminal on which a line is kept up to date.
ProcessOptions OnGoodTerminal(const Repository& repo) {
  ProcessOptions options = OnTerminal(repo.path());
  options.env["TERM"] = "xterm";
  return options;
}

TEST(WaitSignalTest, CtrlCEndsTheWaitingAndNothingElse) {
  const Repository repo;
  const auto holder = Alone(repo);
  const LockFilesState before = StateOf(repo);
  Process interrupted(O8lock({"--wait", "--", "true"}), OnGoodTerminal(repo));
  interrupted.WaitForOutput("waiting 1s");
  Waiter other(repo);
  interrupted.Write(kInterrupt);
  EXPECT_EQ(interrupted.Wait(), Killed(SIGINT));
  EXPECT_TRUE(StateOf(repo) == before);
  EXPECT_EQ(holder->Finish(), Exited(0));
  EXPECT_EQ(holder->err(), "");
  other.ExpectTurn();
  ExpectNothingLeft(repo);
}

TEST(WaitSignalTest, AShellSeesCtrlCAs130) {
  const Repository repo;
  const auto holder = Alone(repo);
  Process shell(
      {"bash", "-c", "trap : INT; \"$O8LOCK\" --wait -- true; echo code=$?."},
      OnTerminal(repo.path()));
  shell.WaitForOutput("waiting ");
  shell.Write(kInterrupt);
  shell.WaitForOutput("code=130.");
  EXPECT_EQ(shell.Wait(), Exited(0));
}

TEST(WaitSignalTest, EndItAsTheyWouldAnyProgram) {
  const Repository repo;
  const auto holder = Alone(repo);
  const LockFilesState before = StateOf(repo);
  for (const int signal : {SIGTERM, SIGHUP, SIGQUIT, SIGUSR1}) {
    SCOPED_TRACE(signal);
    Waiter waiter(repo);
    waiter.process().Signal(signal);
    EXPECT_EQ(waiter.process().Wait(), Killed(signal));
  }
  EXPECT_TRUE(StateOf(repo) == before);
}

// o8lock uses SIGURG itself during the wait.
TEST(WaitSignalTest, ChangesNothingForTheCommand) {
  const Repository repo;
  // The C library decides whether to ignore signals 32 and up.
  const Argv command = {"sed", "-n",
                        "s/^\\(Sig[BI].*:\\).*\\(.......\\)$/\\1\\2/p",
                        "/proc/self/status"};
  Argv argv = O8lock({"--wait", "--"});
  argv.insert(argv.end(), command.begin(), command.end());
  for (const std::vector<int>& ignored : {std::vector<int>(), {SIGURG}}) {
    const auto holder = Alone(repo);
    ProcessOptions options = In(repo.path());
    options.ignored = ignored;
    options.blocked = {SIGUSR2};
    Process waiter(argv, options);
    waiter.WaitForError("waiting for PID ");
    WaitForState(waiter.pid(), 'S');
    // A SIGURG from an unknown sender has no effect.
    waiter.Signal(SIGURG);
    EXPECT_EQ(holder->Finish(), Exited(0));
    EXPECT_EQ(waiter.Wait(), Exited(0));
    EXPECT_EQ(waiter.out(), Call(command, options).out);
  }
}

// --- The display ---

// Returns each version of the line, after its "\r\x1b[K".
std::vector<std::string> Drawn(const std::string& out) {
  std::vector<std::string> lines = absl::StrSplit(out, "\r\x1b[K");
  lines.erase(lines.begin());
  return lines;
}

TEST(WaitLineTest, IsKeptUpToDateOnATerminalAndClearedAtTheEnd) {
  const Repository repo;
  Guarded holder(O8lock({"--", "sh", "-c", "echo ready $$; read x", "$"}),
                 In(repo.path()));
  Process waiter(O8lock({"--wait=10m", "--", "echo", "ran"}),
                 OnGoodTerminal(repo));
  waiter.WaitForOutput("waiting 2s of 10m 0s");
  waiter.WaitForOutput("\r\x1b[K");
  EXPECT_EQ(holder.Finish(), Exited(0));
  EXPECT_EQ(waiter.Wait(), Exited(0));
  const std::vector<std::string> lines = Drawn(waiter.out());
  ASSERT_GE(lines.size(), 4U) << waiter.out();
  const std::string line =
      absl::StrCat("o8lock: waiting 0s of 10m 0s for PID ", holder.pid(),
                   " (sh -c 'echo ready $$; read x' '$'), running for 0s");
  EXPECT_EQ(std::regex_replace(lines[0], std::regex("for [0-9]+s"), "for 0s"),
            line.substr(0, 79));
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    EXPECT_LE(lines[i].size(), 79U) << lines[i];
    EXPECT_THAT(lines[i], StartsWith("o8lock: waiting "));
  }
  EXPECT_EQ(lines.back(), "ran\r\n");
}

TEST(WaitLineTest, FitsTheTerminal) {
  const Repository repo;
  const auto holder = Alone(repo);
  Process waiter(Shell("stty cols 30; exec \"$O8LOCK\" --wait -- echo ran"),
                 OnGoodTerminal(repo));
  waiter.WaitForOutput("waiting 1s");
  EXPECT_EQ(holder->Finish(), Exited(0));
  EXPECT_EQ(waiter.Wait(), Exited(0));
  const std::vector<std::string> lines = Drawn(waiter.out());
  EXPECT_EQ(lines[0].size(), 29U) << lines[0];
  EXPECT_THAT(lines[0], StartsWith("o8lock: waiting 0s for PID "));
  for (const std::string& line : lines) EXPECT_LE(line.size(), 29U) << line;
  EXPECT_EQ(lines.back(), "ran\r\n");
}

TEST(WaitLineTest, IsClearedBeforeTheRefusal) {
  const Repository repo;
  const auto holder = Alone(repo);
  Process waiter(O8lock({"--wait=1s", "--", "true"}), OnGoodTerminal(repo));
  EXPECT_EQ(waiter.Wait(), Exited(75));
  EXPECT_THAT(Drawn(waiter.out()).back(), StartsWith("o8lock: waited "));
}

TEST(WaitLineTest, NamesTheHolderThatFollows) {
  const Repository repo;
  const auto holder = Alone(repo);
  Waiter first(repo);
  WaitUntilQueued(first.pid());
  Process second(O8lock({"--wait", "--", "true"}), OnGoodTerminal(repo));
  second.WaitForOutput(absl::StrCat("for PID ", holder->pid(), " "));
  EXPECT_EQ(holder->Finish(), Exited(0));
  second.WaitForOutput(absl::StrCat("for PID ", first.pid(), " "));
  first.process().Write("0\n");
  EXPECT_EQ(first.process().Wait(), Exited(0));
  EXPECT_EQ(second.Wait(), Exited(0));
}

TEST(WaitLineTest, IsOneLineForEachHolderElsewhere) {
  const Repository repo;
  Guarded holder(repo.path());
  ProcessOptions dumb = OnTerminal(repo.path());
  dumb.env["TERM"] = "dumb";
  Process terminal(O8lock({"--wait", "--", "true"}), dumb);
  terminal.WaitForOutput("waiting for PID ");
  const auto second = Alone(repo, {"--force", "--yes"});
  terminal.WaitForOutput("\r\n");
  terminal.WaitForOutput(absl::StrCat("for PID ", second->pid(), " "));
  EXPECT_EQ(second->Finish(), Exited(0));
  // The first run, which was overridden, is still active.
  terminal.WaitForOutput(absl::StrCat("for PID ", holder.pid(), " "));
  EXPECT_EQ(holder.Finish(), Exited(0));
  EXPECT_EQ(terminal.Wait(), Exited(0));
  EXPECT_EQ(Normal(terminal.out()),
            absl::StrCat(WaitingFor(holder.pid(), Guarded::kScript),
                         NowWaitingFor(second->pid()),
                         NowWaitingFor(holder.pid(), Guarded::kScript)));
}

TEST(WaitLineTest, IsNotShownWithQuiet) {
  const Repository repo;
  for (const bool on_terminal : {false, true}) {
    const auto holder = Alone(repo);
    Process waiter(O8lock({"-q", "--wait", "--", "echo", "ran"}),
                   on_terminal ? OnGoodTerminal(repo) : In(repo.path()));
    WaitUntil("it waits", [&waiter] {
      return Exists(absl::StrCat("/proc/", waiter.pid(), "/task")) &&
             Names(absl::StrCat("/proc/", waiter.pid(), "/task")).size() > 1;
    });
    EXPECT_EQ(holder->Finish(), Exited(0));
    EXPECT_EQ(waiter.Wait(), Exited(0));
    EXPECT_EQ(Normal(waiter.out()), "ran\n");
    EXPECT_EQ(waiter.err(), "");
  }
}

// --- External runs ---

class ExternalRunTest : public testing::TestWithParam<const char*> {
 protected:
  ExternalRunTest() : process_(Argv{"sleep", "1000"}) {
    std::filesystem::create_directories(repo_.File(".claude"));
    MakeFile(LockFile(), Text());
  }
  std::string LockFile() const {
    return repo_.File(absl::StrCat(".claude/", GetParam()));
  }
  std::string Text() const { return ExternalLockFile(process_.pid(), now_); }
  std::string Line(pid_t pid) const {
    return absl::StrCat("waiting for PID ", pid, "\n");
  }

  const Repository repo_;
  Process process_;
  const std::string now_ = TimeText(absl::Now());
};

INSTANTIATE_TEST_SUITE_P(, ExternalRunTest,
                         testing::Values("parallel.lock", "murm.lock"),
                         [](const auto& info) {
                           return info.index == 0 ? "Parallel" : "Murm";
                         });

TEST_P(ExternalRunTest, IsOverWhenItsProcessEnds) {
  Waiter waiter(repo_);
  process_.Signal(SIGKILL);
  // This holds even before the process is reaped.
  waiter.ExpectTurn();
  EXPECT_EQ(waiter.err(),
            absl::StrCat("o8lock: ", Line(process_.pid()),
                         Golden("stale", ValuesOf(repo_, process_.pid()))));
  EXPECT_FALSE(Exists(LockFile()));
}

TEST_P(ExternalRunTest, IsOverWhenItsLockFileGoes) {
  Waiter waiter(repo_);
  std::filesystem::remove(LockFile());
  waiter.ExpectTurn();
  EXPECT_EQ(waiter.err(), absl::StrCat("o8lock: ", Line(process_.pid())));
}

TEST_P(ExternalRunTest, GoesOnThroughTheSameWrittenAgain) {
  Waiter waiter(repo_);
  for (int i = 0; i < 20; ++i) MakeFile(LockFile(), Text());
  // The same text changes nothing; another run does.
  Process next({"sleep", "1000"});
  MakeFile(LockFile(), ExternalLockFile(next.pid(), now_));
  waiter.process().WaitForError(absl::StrCat("o8lock: now ", Line(next.pid())));
  EXPECT_EQ(waiter.err(), absl::StrCat("o8lock: ", Line(process_.pid()),
                                       "o8lock: now ", Line(next.pid())));
  process_.Signal(SIGKILL);
  EXPECT_EQ(Contents(LockFile()), ExternalLockFile(next.pid(), now_));
  std::filesystem::remove(LockFile());
  waiter.ExpectTurn();
}

TEST_P(ExternalRunTest, IsWaitedForAsLongAsWasSaid) {
  const Result waiter = Call(O8lock({"--wait=1s", "--", "true"}), repo_.path());
  EXPECT_EQ(waiter.end, Exited(75));
  EXPECT_THAT(
      waiter.err,
      AllOf(StartsWith(absl::StrCat("o8lock: waiting for PID ", process_.pid(),
                                    ", up to 1s\no8lock: waited ")),
            HasSubstr("; the other run is still in progress\n"),
            HasSubstr(absl::StrCat("process ", process_.pid(),
                                   " is running, not started by o8lock\n"))));
  EXPECT_EQ(Contents(LockFile()), Text());
}

TEST_P(ExternalRunTest, IsFollowedByARunThatOverridesIt) {
  Waiter waiter(repo_);
  const auto forced = Alone(repo_, {"--force", "--yes"});
  waiter.process().WaitForError(NowWaitingFor(forced->pid()));
  EXPECT_EQ(forced->Finish(), Exited(0));
  waiter.ExpectTurn();
  ExpectNothingLeft(repo_);
}

// --- The cost ---

// Counts the system calls of a waiter, through strace(1).
TEST(WaitCostTest, IsBlockedInTheKernelAndAsksNobody) {
  if (IsSanitized()) {
    GTEST_SKIP() << "most of the system calls are the sanitizer's own";
  }
  if (!CanTrace()) GTEST_SKIP() << "needs strace, and permission to trace";
  const Repository repo;
  const auto holder = Alone(repo);
  const std::string log = repo.File("log");
  Argv argv = {"strace", "-f", "-o", log, "-e", "trace=fcntl,clock_nanosleep"};
  for (const std::string& argument : O8lock({"--wait", "--", "true"})) {
    argv.push_back(argument);
  }
  Process waiter(argv, In(repo.path()));
  waiter.WaitForError("waiting for PID ");
  // It checks once a second, in case the kernel sends no notification.
  WaitUntil("three looks",
            [&log] { return Count(Contents(log), "nanosleep(") > 3; });
  EXPECT_EQ(holder->Finish(), Exited(0));
  EXPECT_EQ(waiter.Wait(), Exited(0));
  const std::string calls = Contents(log);
  // First for the turn, then for the lock.
  EXPECT_EQ(Count(calls, "F_OFD_SETLKW, "), 2) << calls;
  const size_t begin = calls.find("F_OFD_SETLKW, ");
  const size_t end = calls.find("<... fcntl resumed>", begin);
  ASSERT_NE(end, std::string::npos) << calls;
  EXPECT_EQ(Count(calls.substr(begin, end - begin), "F_OFD_SETLK, "), 0)
      << calls;
}

// inotify(7) instances are scarce: an editor may have all of them.
TEST_P(ExternalRunTest, IsWaitedForAlsoWithoutAWatch) {
  if (!CanTrace()) GTEST_SKIP() << "needs strace, and permission to trace";
  Argv argv = {"strace",    "-f", "-o",
               "/dev/null", "-e", "inject=inotify_init1:error=EMFILE"};
  for (const std::string& argument : O8lock({"--wait", "--", "echo", "ran"})) {
    argv.push_back(argument);
  }
  ProcessOptions options = In(repo_.path());
  options.env["ASAN_OPTIONS"] = "detect_leaks=0";  // does not work traced
  Process waiter(argv, options);
  waiter.WaitForError("waiting for PID ");
  std::filesystem::remove(LockFile());
  EXPECT_EQ(waiter.Wait(), Exited(0));
  EXPECT_EQ(waiter.out(), "ran\n");
  EXPECT_EQ(waiter.err(), absl::StrCat("o8lock: ", Line(process_.pid())));
}

// Tests a limit on the user's processes.
class LimitTest : public testing::Test {
 protected:
  static constexpr uid_t kUser = 64123;  // a user without processes

  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "needs root, to be another user";
    ASSERT_EQ(chmod(dir_.path().c_str(), 0777), 0);
    std::filesystem::copy_file(Binary(), dir_.File("o8lock"));
    if (!(RunToEnd({"test", "-x", dir_.File("o8lock")}, AsUser()) ==
          Exited(0))) {
      GTEST_SKIP() << dir_.path() << " is closed to other users";
    }
  }
  ProcessOptions AsUser() const {
    ProcessOptions options = In(dir_.path());
    options.user = kUser;
    return options;
  }
  Argv Arguments(const Argv& options) const {
    Argv argv = {dir_.File("o8lock"), "--lock-file", "x.lock"};
    argv.insert(argv.end(), options.begin(), options.end());
    return argv;
  }

  TempDir dir_;
};

TEST_F(LimitTest, WithoutAThreadItIsAnError) {
  if (IsSanitized()) GTEST_SKIP() << "the sanitizer itself wants threads";
  ProcessOptions options = AsUser();
  options.input = ProcessOptions::Stdin::kPipe;
  Process holder(Arguments({"--", "sh", "-c", "echo ready $$; read x"}),
                 options);
  ReadyPid(holder);
  Argv argv = {"bash", "-c", "ulimit -u 1; exec \"$@\"", "bash"};
  for (const std::string& argument :
       Arguments({"--wait", "--", "echo", "ran"})) {
    argv.push_back(argument);
  }
  const Result waiter = Call(argv, AsUser());
  EXPECT_EQ(waiter.end, Exited(71));
  EXPECT_EQ(waiter.out, "");
  EXPECT_THAT(
      waiter.err,
      EndsWith("\no8lock: error: cannot start a thread: Resource temporarily "
               "unavailable\no8lock: hint: nothing was run; try again\n"));
}

}  // namespace
}  // namespace o8lock
