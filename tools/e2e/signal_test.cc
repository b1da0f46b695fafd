// SPDX-License-Identifier: Apache-2.0
//
// Compares a command under o8lock with the same command alone, started the same
// way. Both must end alike, get the same signals and find the same environment.
// Tests of stopped commands are in child_test.cc.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <regex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::ContainsRegex;

std::string Printer() { return PathFromEnv("SIGNAL_PRINTER"); }

// Returns `command` alone, and under o8lock.
std::vector<Argv> BothWays(const Argv& command) {
  Argv wrapped = O8lock({"--"});
  wrapped.insert(wrapped.end(), command.begin(), command.end());
  return {command, wrapped};
}

// Returns a shell that prints its pid, then executes `command`.
Argv Announced(const Argv& command, const std::string& redirect) {
  Argv argv = {"sh", "-c", absl::StrCat("echo pid $$; exec \"$@\" ", redirect),
               "sh"};
  argv.insert(argv.end(), command.begin(), command.end());
  return argv;
}

// Returns `command` as the child of a shell. When a terminal hangs up, the
// kernel signals the session leader, and the other processes once that has died
// of it.
Argv OfAShell(const Argv& command) {
  Argv argv = {"sh", "-c", "\"$@\"; :", "sh"};
  argv.insert(argv.end(), command.begin(), command.end());
  return argv;
}

// --- The end ---

TEST(EndTest, EveryExitCodeIsTheCommands) {
  const Repository repo;
  const Argv all_codes = {"sh", "-c",
                          "i=0; while [ $i -lt 256 ]; do "
                          "\"$@\" sh -c \"exit $i\"; echo $?; i=$((i+1)); done",
                          "sh"};
  Argv locked = all_codes;
  locked.insert(locked.end(), {Binary(), "--"});
  const Result alone = Call(all_codes, repo.path());
  const Result run = Call(locked, repo.path());
  EXPECT_EQ(run.out, alone.out);
  EXPECT_EQ(run.err, alone.err);
  EXPECT_EQ(Count(alone.out, "\n"), 256);
  ExpectNothingLeft(repo);
}

TEST(EndTest, EverySignalThatKillsTheCommandIsItsEndAndTheShellsNumber) {
  const Repository repo;
  int killed = 0;
  for (int signal = 1; signal < 32; ++signal) {
    if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN ||
        signal == SIGTTOU) {
      continue;
    }
    SCOPED_TRACE(signal);
    const std::string suicide =
        absl::StrCat("ulimit -c 0; kill -", signal, " $$; exit 9");
    std::vector<End> ends;
    std::vector<std::string> numbers;
    for (const Argv& argv : BothWays(Shell(suicide))) {
      ends.push_back(RunToEnd(argv, In(repo.path())));
      Argv in_shell = {"sh", "-c", "\"$@\"; echo $?", "sh"};
      in_shell.insert(in_shell.end(), argv.begin(), argv.end());
      numbers.push_back(Call(in_shell, repo.path()).out);
    }
    EXPECT_EQ(ends[1], ends[0]);
    EXPECT_EQ(numbers[1], numbers[0]);
    if (ends[0] == Killed(signal)) {
      ++killed;
      EXPECT_EQ(numbers[0], absl::StrCat(128 + signal, "\n"));
    }
  }
  EXPECT_EQ(killed, 31 - 4 - 4);  // CHLD, CONT, URG and WINCH do not kill.
  ExpectNothingLeft(repo);
}

// The kernel delivers a signal to the first process of a pid namespace only if
// it has a handler. This includes signals the process sends to itself.
TEST(EndTest, OfTheFirstProcessOfAContainerIsTheShellsNumber) {
  const Argv contained = {"unshare", "--pid", "--fork"};
  Argv probe = contained;
  probe.emplace_back("true");
  if (!(RunToEnd(probe) == Exited(0))) {
    GTEST_SKIP() << "needs permission for a pid namespace";
  }
  const Repository repo;
  for (const int signal :
       {SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGUSR1, SIGPIPE, SIGALRM, SIGTERM}) {
    SCOPED_TRACE(signal);
    const Argv run =
        Locked({}, absl::StrCat("ulimit -c 0; kill -", signal, " $$; exit 9"));
    Argv argv = contained;
    argv.insert(argv.end(), run.begin(), run.end());
    const Result first = Call(argv, repo.path());
    EXPECT_EQ(first.end, Exited(128 + signal));
    EXPECT_EQ(first.err, "");
    EXPECT_EQ(RunToEnd(run, In(repo.path())), Killed(signal));
  }
  for (const int code : {0, 7, 143}) {
    Argv argv = contained;
    const Argv run = Locked({}, absl::StrCat("exit ", code));
    argv.insert(argv.end(), run.begin(), run.end());
    EXPECT_EQ(RunToEnd(argv, In(repo.path())), Exited(code));
  }
  ExpectNothingLeft(repo);
}

// --- Forwarded signals ---

// Returns the output of signal_printer, after its pid, until its end by
// SIGTERM. `act` acts on it meanwhile, and may wait for more output.
template <typename Act>
std::string Received(const Argv& argv, const ProcessOptions& options, Act act) {
  Process process(argv, options);
  ReadyPid(process);
  const size_t begin = process.out().size();
  act(process);
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), Exited(0));
  return process.out().substr(begin);
}

// Sends every signal `rounds` times, each after the previous one has arrived.
// Leaves out the signals that stop, continue or end it, which other tests
// cover.
void SendEach(Process& process, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    for (int signal = 1; signal < 32; ++signal) {
      if (signal == SIGKILL || signal == SIGSTOP || signal == SIGTSTP ||
          signal == SIGTTIN || signal == SIGTTOU || signal == SIGCONT ||
          signal == SIGCHLD || signal == SIGTERM) {
        continue;
      }
      process.Signal(signal);
      process.WaitForOutput(absl::StrCat(sigabbrev_np(signal), "\n"));
      // Otherwise the test waits for each missing signal.
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(SignalTest, EachArrivesExactlyOnce) {
  const Repository repo;
  std::vector<std::string> received;
  for (const Argv& argv : BothWays({Printer(), "TERM"})) {
    received.push_back(Received(
        argv, In(repo.path()), [](Process& process) { SendEach(process, 5); }));
  }
  EXPECT_EQ(received[1], received[0]);
  EXPECT_EQ(Count(received[0], "\n"), 5 * (31 - 8) + 1);
  ExpectNothingLeft(repo);
}

// By then it watches its lock, and waits in another way.
TEST(SignalTest, EachArrivesExactlyOnceAlsoAfterTheFirstSecond) {
  const Repository repo;
  const std::vector<Argv> argv = BothWays({Printer(), "TERM"});
  const std::string alone = Received(
      argv[0], In(repo.path()), [](Process& process) { SendEach(process, 3); });
  const std::string watching =
      Received(argv[1], In(repo.path()), [](Process& process) {
        WaitUntil("a watch", [&process] {
          for (const auto& entry : std::filesystem::directory_iterator(
                   absl::StrCat("/proc/", process.pid(), "/fd"))) {
            std::error_code error;  // It may be closed by now.
            if (std::filesystem::read_symlink(entry, error) ==
                "anon_inode:inotify") {
              return true;
            }
          }
          return false;
        });
        SendEach(process, 3);
      });
  EXPECT_EQ(watching, alone);
  EXPECT_EQ(Count(alone, "\n"), 3 * (31 - 8) + 1);
  ExpectNothingLeft(repo);
}

TEST(SignalTest, KeysArriveExactlyOnce) {
  const Repository repo;
  std::vector<std::string> received;
  for (const Argv& argv : BothWays({Printer(), "TERM"})) {
    received.push_back(
        Received(argv, OnTerminal(repo.path()), [](Process& process) {
          for (int round = 0; round < 20; ++round) {
            process.Write("\x03");
            process.WaitForOutput("INT\r\n");
            process.Write("\x1c");
            process.WaitForOutput("QUIT\r\n");
          }
        }));
  }
  // The terminal may show the key before or after its effect.
  for (std::string& text : received) {
    text = absl::StrReplaceAll(text, {{"^C", ""}, {"^\\", ""}});
  }
  EXPECT_EQ(received[1], received[0]);
  EXPECT_EQ(Count(received[0], "INT\r\nQUIT\r\n"), 20);
  ExpectNothingLeft(repo);
}

TEST(SignalTest, AHangUpArrivesExactlyOnce) {
  const Repository repo;
  for (const bool leads : {true, false}) {
    SCOPED_TRACE(leads);
    for (const Argv& command : BothWays({Printer(), "TERM"})) {
      SCOPED_TRACE(command[0]);
      MakeFile(repo.File("out"), "");
      const auto wait_for = [&repo](const std::string& line) {
        WaitUntil(line, [&repo, &line] {
          return absl::StrContains(Contents(repo.File("out")), line);
        });
      };
      const Argv argv = Announced(command, ">out");
      Process process(leads ? argv : OfAShell(argv), OnTerminal(repo.path()));
      const pid_t pid = ReadyPid(process, "pid ");
      wait_for("ready ");
      process.CloseInput();
      wait_for("HUP\n");
      kill(pid, SIGTERM);
      EXPECT_EQ(process.Wait(), leads ? Exited(0) : Killed(SIGHUP));
      WaitForEnd(pid);
      EXPECT_EQ(Count(Contents(repo.File("out")), "HUP\n"), 1);
    }
  }
  ExpectNothingLeft(repo);
}

// --- Environment ---

// A way to start a command. It needs bash, since other shells only have
// descriptors up to 9.
struct Start {
  std::string name;
  std::string setup;     // Commands before it.
  std::string prefix;    // Arguments before its own.
  std::string redirect;  // Arguments after them.
  std::string shows;     // Must match, or the case tested nothing.
  std::vector<int> ignored = {};
  std::vector<int> blocked = {};
  bool terminal = false;
};

// Returns the state signal_printer sees alone, and under o8lock.
std::vector<std::string> States(const Repository& repo, const Start& start) {
  ProcessOptions options = In(repo.path());
  options.ignored = start.ignored;
  options.blocked = start.blocked;
  options.terminal = start.terminal;
  options.env["PRINTER"] = Printer();
  options.env["ALONE"] = repo.File("alone");
  options.env["LOCKED"] = repo.File("locked");
  // bash sets $_ to the name of each command. It executes a last command in its
  // own process, hence `exit`.
  const std::string prefix = absl::StrCat(start.prefix, " env -u _ ");
  Process shell(
      {"bash", "-c",
       absl::StrCat(start.setup, "\n", prefix,
                    "\"$PRINTER\" --state \"$ALONE\" ", start.redirect, " && ",
                    prefix, "\"$O8LOCK\" -- \"$PRINTER\" --state \"$LOCKED\"",
                    " ", start.redirect, "\nexit")},
      options);
  EXPECT_EQ(shell.Wait(), Exited(0)) << shell.err();
  return {Contents(repo.File("alone")), Contents(repo.File("locked"))};
}

// Returns `state` without the additions of o8lock: the guard and a token.
std::string WithoutTheLock(const Repository& repo, const std::string& state) {
  std::vector<std::string> lines = absl::StrSplit(state, '\n');
  const size_t count = lines.size();
  const std::regex added(absl::StrCat(
      "env O8LOCK_RUN=[0-9a-f]{32}|fd [1-9][0-9] [0-7]+ ", repo.Guard()));
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [&added](const std::string& line) {
                               return std::regex_match(line, added);
                             }),
              lines.end());
  EXPECT_EQ(lines.size(), count - 2) << state;
  return absl::StrJoin(lines, "\n");
}

void ExpectSameState(const Start& start) {
  SCOPED_TRACE(start.name);
  const Repository repo;
  const std::vector<std::string> states = States(repo, start);
  EXPECT_EQ(WithoutTheLock(repo, states[1]), states[0]);
  EXPECT_THAT(states[0], ContainsRegex(start.shows));
  ExpectNothingLeft(repo);
}

TEST(SurroundingsTest, AreThoseOfTheCommandAlone) {
  // The test itself may run under nice(1); 19 is the maximum.
  const int nicer = std::min(getpriority(PRIO_PROCESS, 0) + 5, 19);
  const std::vector<Start> starts = {
      {"as it comes", "", "", "", "\nparent death 0\n"},
      {"nohup", "", "nohup", "", "\nSigIgn:\t[0-9a-f]{15}1\n"},
      {"ignored",
       "",
       "",
       "",
       "\nSigIgn:\t[0-9a-f]{11}81007\n",
       {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTSTP}},
      {"blocked",
       "",
       "",
       "",
       "\nSigBlk:\t0+4a00\n",
       {},
       {SIGTERM, SIGUSR1, SIGUSR2}},
      {"limits", "umask 027; ulimit -n 100 -f 12345; ulimit -S -t 1000", "", "",
       "Umask:\t0027\n(.*\n)*Max open files +100 +100 "},
      {"priorities", "echo 500 >/proc/$$/oom_score_adj",
       "chrt --batch 0 nice -n 5 taskset -c 0", "",
       absl::StrCat("\nOOM score 500\n(.*\n)*nice ", nicer, "\npolicy 3\n")},
      {"directory and environment",
       "mkdir sub; cd sub; export EMPTY= 'LINES=a\nb' O8LOCK_RUNS=x",
       "env -u HOME odd.name=1", "", "/sub\n(.*\n)*env odd.name=1\n"},
      {"parent's death", "", "setpriv --pdeathsig USR1", "",
       "\nparent death 10\n"},
      {"terminal",
       "",
       "",
       "",
       "\nforeground [1-9](.*\n)*fd 0 [0-7]+ /dev/pts/[0-9]+\n",
       {},
       {},
       true},
      {"descriptors",
       "exec 3</etc/passwd 4>>new 5<>new 9<. 10</dev/null 12>/dev/null", "", "",
       "\nfd 3 0100000 /etc/passwd\nfd 4 0102001 (.*\n){4}fd 12 "},
  };
  for (const Start& start : starts) ExpectSameState(start);
}

// A flag of an open file is visible to every process that has it open.
TEST(SurroundingsTest, StandardDescriptorsAreTheSameFiles) {
  const TempDir dir;
  const int fd = open(dir.File("file").c_str(),
                      O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK, 0600);
  ASSERT_GE(fd, 0);
  const int flags = fcntl(fd, F_GETFL);
  const std::string redirect =
      absl::StrCat("<&", fd, " >&", fd, " 2>&", fd, " ", fd, ">&-");
  ExpectSameState({"flags", "", "", redirect,
                   "\nfd 0 0106002 (.*)\nfd 1 0106002 (.*)\nfd 2 0106002 "});
  EXPECT_EQ(fcntl(fd, F_GETFL), flags);
  close(fd);
}

TEST(SurroundingsTest, ClosedStandardDescriptorsAreClosed) {
  for (int closed = 1; closed < 8; ++closed) {
    std::string redirect;
    std::string shows = "(^|\n)env (.*)\n";
    for (const int fd : {0, 1, 2}) {
      if ((closed & 1 << fd) != 0) {
        absl::StrAppend(&redirect, fd, ">&- ");
      } else {
        absl::StrAppend(&shows, "fd ", fd, " .*\n");
      }
    }
    absl::StrAppend(&shows, "$");
    ExpectSameState({"closed", "", "", redirect, shows});
  }
}

// The output of o8lock must not reach any file.
TEST(SurroundingsTest, WithClosedDescriptorsItSpoilsNoFile) {
  const Repository repo;
  const Repository another;
  Guarded run(repo.path());
  const LockFilesState before = StateOf(repo);
  for (int closed = 1; closed < 8; ++closed) {
    SCOPED_TRACE(closed);
    ProcessOptions options = In(repo.path());
    for (const int fd : {0, 1, 2}) {
      if ((closed & 1 << fd) != 0) options.closed.push_back(fd);
    }
    EXPECT_EQ(Call(O8lock({"--", "true"}), options).end, Exited(75));
    EXPECT_EQ(Call(O8lock({"status"}), options).end, Exited(75));
    options.directory = another.path();
    EXPECT_EQ(Call(O8lock({"-v", "--", "sh", "-c", "exit 3"}), options).end,
              Exited(3));
    ExpectNothingLeft(another);
  }
  EXPECT_TRUE(StateOf(repo) == before);
  EXPECT_EQ(run.Finish(), Exited(0));
  ExpectNothingLeft(repo);
}

// --- Ends of processes ---

// A command that starts a daemon with all of its descriptors and a session of
// its own. The daemon exists once the command is ready.
constexpr char kWithDaemon[] =
    "exec 3<>gate\n"
    "setsid sh -c 'echo daemon $$; echo ready $0; exec sleep 1000' $$ &\n"
    "until read code <&3; do :; done; exit $code";

struct Death {
  int signal;       // 0: the terminal is closed.
  bool to_command;  // Otherwise to the wrapper. For a terminal see OfAShell().
};

// Starts kWithDaemon under `argv`, applies `death` to it, and returns the end.
// With `lives` the command handles the signal and ends later. After the end,
// the daemon must still run and the lock be free.
End EndBy(const Death& death, bool lives, bool locked) {
  const Repository repo;
  const std::string gate = repo.File("gate");
  EXPECT_EQ(mkfifo(gate.c_str(), 0600), 0);
  const std::string script =
      absl::StrCat(lives ? "trap ': >minded' TERM HUP\n" : "", kWithDaemon);
  Argv argv = Announced(BothWays(Shell(script))[locked ? 1 : 0], "");
  const bool closed = death.signal == 0;
  if (closed && death.to_command) argv = OfAShell(argv);
  Process run(argv, closed ? OnTerminal(repo.path()) : In(repo.path()));
  const pid_t wrapper = ReadyPid(run, "pid ");
  const pid_t daemon = ReadyPid(run, "daemon ");
  const pid_t command = ReadyPid(run);
  const auto start = [&repo] {
    return Call(O8lock({"-q", "--", "true"}), repo.path()).end;
  };
  const End while_it_lives = locked ? Exited(75) : Exited(0);
  EXPECT_EQ(start(), while_it_lives);
  if (closed) {
    run.CloseInput();
  } else {
    EXPECT_EQ(kill(death.to_command ? command : wrapper, death.signal), 0);
  }
  if (lives) {
    WaitUntil("minded", [&repo] { return Exists(repo.File("minded")); });
    EXPECT_EQ(kill(wrapper, 0), 0);
    EXPECT_EQ(start(), while_it_lives);
    MakeFile(gate, "5\n", 0600);
  }
  const End end = run.Wait();
  WaitForEnd(wrapper);
  WaitForEnd(command);
  EXPECT_EQ(start(), Exited(0));
  ExpectNothingLeft(repo);
  EXPECT_EQ(kill(daemon, 0), 0);
  return end;
}

// All cases except SIGKILL of the wrapper. takeover_test.cc covers that.
TEST(DeathTest, FreesTheLockThoughADaemonLivesOn) {
  for (const Death& death :
       {Death{SIGTERM, false}, Death{SIGTERM, true}, Death{SIGHUP, false},
        Death{SIGHUP, true}, Death{0, false}, Death{0, true},
        Death{SIGKILL, true}}) {
    SCOPED_TRACE(absl::StrCat(death.signal, " ", death.to_command));
    const End alone = EndBy(death, /*lives=*/false, /*locked=*/false);
    EXPECT_EQ(alone, Killed(death.signal == 0 ? SIGHUP : death.signal));
    EXPECT_EQ(EndBy(death, /*lives=*/false, /*locked=*/true), alone);
  }
}

TEST(DeathTest, OfACommandThatMindsTheSignalComesLater) {
  for (const Death& death :
       {Death{SIGTERM, false}, Death{SIGTERM, true}, Death{SIGHUP, false},
        Death{SIGHUP, true}, Death{0, false}, Death{0, true}}) {
    SCOPED_TRACE(absl::StrCat(death.signal, " ", death.to_command));
    const End alone = EndBy(death, /*lives=*/true, /*locked=*/false);
    const bool of_a_shell = death.signal == 0 && death.to_command;
    EXPECT_EQ(alone, of_a_shell ? Killed(SIGHUP) : Exited(5));
    EXPECT_EQ(EndBy(death, /*lives=*/true, /*locked=*/true), alone);
  }
}

}  // namespace
}  // namespace o8lock
