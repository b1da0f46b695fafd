// SPDX-License-Identifier: Apache-2.0
//
// Interferes with each system call of a run: kills the run there, makes the
// call fail in each way, or stops the run while other runs come and go. Uses
// strace(1) on the real program; skipped without strace.
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::AnyOf;
using ::testing::ContainsRegex;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

// The initial state for the tested run.
enum class Beginning {
  kFirst,      // no earlier run
  kFree,       // an earlier run ended
  kStale,      // an earlier run was killed: record and lock file remain
  kMalformed,  // an invalid lock file
  kForce,      // a live run, to be overridden
  kExternal,   // a live external run, to be overridden
  kStray,      // a dead run's daemon holds the kernel lock
};

constexpr Beginning kBeginnings[] = {
    Beginning::kFirst,     Beginning::kFree,  Beginning::kStale,
    Beginning::kMalformed, Beginning::kForce, Beginning::kExternal,
    Beginning::kStray,
};

std::string NameOf(const testing::TestParamInfo<Beginning>& info) {
  switch (info.param) {
    case Beginning::kFirst:
      return "First";
    case Beginning::kFree:
      return "Free";
    case Beginning::kStale:
      return "Stale";
    case Beginning::kMalformed:
      return "Malformed";
    case Beginning::kForce:
      return "Force";
    case Beginning::kExternal:
      return "Outside";
    case Beginning::kStray:
      return "LeftBehind";
  }
  return "";
}

// The messages allowed for a run that finds the remains of another.
constexpr char kCleanupMessages[] =
    "(Warning: Found stale lock file \\(PID [0-9]+ not running\\)\n"
    "Removing stale lock and continuing...\n\n"
    "|o8lock: warning: '[^\n]*' was a malformed lock file [^\n]*\n)*";

// Every file in `directory`, with its content.
std::map<std::string, std::string> FilesIn(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(directory)) {
    files[entry.path().string()] =
        entry.is_regular_file() ? Contents(entry.path().string()) : "";
  }
  return files;
}

char StateOfProcess(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string stat;
  if (!std::getline(file, stat)) return '\0';
  return stat[stat.rfind(')') + 2];
}

// The only child of `pid`, or 0.
pid_t ChildOf(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/task/", pid, "/children"));
  pid_t child = 0;
  file >> child;
  return child;
}

// `o8lock OPTIONS... -- sh -c SCRIPT`, with the same system calls for each
// script: there is no search for an orchestr8 in it.
Argv Publishing(Argv options, const std::string& script) {
  options.emplace_back("--publish=always");
  return Locked(options, script);
}

// One system call of a run: the `number`th of this name.
struct Step {
  std::string call;
  int number;
  std::string line = {};  // as printed by strace(1)
  std::string Where() const { return absl::StrCat(call, " ", number); }
};

class StepsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!CanTrace()) {
      GTEST_SKIP() << "needs strace, and permission to trace";
    }
  }

  // Brings `repo` into the state `beginning`. Live runs stay alive until the
  // next call, or the end of the test.
  void Prepare(const Repository& repo, Beginning beginning) {
    others_.clear();
    outside_.reset();
    daemon_.reset();
    Restore(repo);
    const std::string now = TimeText(absl::Now());
    switch (beginning) {
      case Beginning::kFirst:
        break;
      case Beginning::kFree:
        repo.MakeGuard("");
        break;
      case Beginning::kStale: {
        Guarded run(repo.path());
        kill(run.pid(), SIGKILL);
        kill(run.command_pid(), SIGKILL);
        run.process().Wait();
        WaitForEnd(run.command_pid());
        break;
      }
      case Beginning::kMalformed:
        repo.MakeLockFile("");
        // Too long for o8lock to wait until its writer completes it.
        std::filesystem::resize_file(repo.LockFile(), 2 << 20);
        break;
      case Beginning::kForce:
        others_.push_back(std::make_unique<Guarded>(repo.path()));
        break;
      case Beginning::kExternal:
        outside_ = std::make_unique<Process>(Argv{"sleep", "1000"});
        repo.MakeLockFile(ExternalLockFile(outside_->pid(), now));
        break;
      case Beginning::kStray:
        daemon_ = LeaveADaemon(repo);
        break;
    }
  }

  // Restores the state after `git init`, without processes.
  static void Restore(const Repository& repo) {
    std::filesystem::remove_all(repo.File(".git/o8lock"));
    std::filesystem::remove_all(repo.File(".claude"));
    MakeFile(repo.File(".git/info/exclude"), "# mine\n");
  }

  // Kills the wrapper, then ends its command. A daemon of the command stays.
  static std::unique_ptr<Process> LeaveADaemon(const Repository& repo) {
    ProcessOptions options = In(repo.path());
    options.input = ProcessOptions::Stdin::kPipe;
    auto run = std::make_unique<Process>(
        // Prints "ready" only after it has left the session.
        Publishing(
            {}, "setsid sh -c \"echo ready $$; exec sleep 1000\" & read line"),
        options);
    const pid_t command = ReadyPid(*run);
    WaitForCommandInRecord(repo);
    run->Signal(SIGKILL);
    EXPECT_EQ(run->Wait(), Killed(SIGKILL));
    run->Write("\n");
    WaitForEnd(command);
    return run;
  }

  static Argv OptionsOf(Beginning beginning) {
    if (beginning == Beginning::kForce || beginning == Beginning::kExternal) {
      return {"--force", "--yes"};
    }
    return {};
  }

  // The system calls of the run `argv`, in order.
  static std::vector<Step> StepsOf(const Repository& repo, const Argv& argv) {
    const TempDir dir;
    EXPECT_EQ(RunToEnd(Strace({"-o", dir.File("log")}, argv), WithPipe(repo)),
              Exited(0));
    std::vector<Step> steps;
    std::map<std::string, int> counts;
    for (const absl::string_view line :
         absl::StrSplit(Contents(dir.File("log")), '\n')) {
      const std::string call(line.substr(0, line.find('(')));
      // Skips lines like "--- SIGCHLD {...", and the calls that start and end
      // the process.
      if (call.empty() || !absl::ascii_islower(call[0]) || call == "execve" ||
          call == "exit_group") {
        continue;
      }
      steps.push_back({call, ++counts[call], std::string(line)});
    }
    return steps;
  }

  // `argv` run by strace(1).
  static Argv Strace(const Argv& options, const Argv& argv) {
    Argv arguments = {"strace", "-q"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), argv.begin(), argv.end());
    return arguments;
  }

  // `argv` with `what` injected at `step`.
  static Argv Injected(const Step& step, const std::string& what,
                       const Argv& argv, const std::string& log = "/dev/null") {
    return Strace(
        {"-o", log, "-e",
         absl::StrCat("inject=", step.call, ":", what, ":when=", step.number)},
        argv);
  }

  static ProcessOptions WithPipe(const Repository& repo) {
    ProcessOptions options = In(repo.path());
    options.input = ProcessOptions::Stdin::kPipe;
    // Leak detection does not work under strace.
    options.env["ASAN_OPTIONS"] = "detect_leaks=0";
    return options;
  }

  // Expects a plain run to succeed in any state and to leave no file of o8lock.
  // No other file may be missing or changed.
  void ExpectTheNextRunSucceeds(
      const Repository& repo,
      const std::map<std::string, std::string>& untouched) {
    const Result run = Call(O8lock({"--", "echo", "ran"}), repo.path());
    EXPECT_EQ(run.end, Exited(0));
    EXPECT_EQ(run.out, "ran\n");
    EXPECT_THAT(run.err, MatchesRegex(kCleanupMessages));
    for (const std::string& name : Names(repo.File(".git/o8lock"))) {
      if (absl::StrContains(name, ".lock.malformed-")) continue;
      EXPECT_EQ(name, "parallel.guard");
      EXPECT_EQ(Contents(repo.Guard()), "");
    }
    EXPECT_THAT(Names(repo.File(".claude")),
                Each(StartsWith(".parallel.lock.malformed-")));
    EXPECT_EQ(Contents(repo.File(".git/info/exclude")),
              "# mine\n/.claude/parallel.lock\n/.claude/.parallel.lock.*\n");
    Restore(repo);
    EXPECT_EQ(FilesIn(repo.path()), untouched);
  }

  const OneProcessor one_processor_;
  std::vector<std::unique_ptr<Guarded>> others_;
  std::unique_ptr<Process> outside_;
  std::unique_ptr<Process> daemon_;
};

class KilledTest : public StepsTest,
                   public testing::WithParamInterface<Beginning> {};

TEST_P(KilledTest, AtEverySystemCallTheNextRunNeedsNobody) {
  const Repository repo;
  Restore(repo);
  const auto untouched = FilesIn(repo.path());
  int kills = 0;
  int commands = 0;
  Prepare(repo, GetParam());
  for (const Step& step :
       StepsOf(repo, Publishing(OptionsOf(GetParam()), ":"))) {
    SCOPED_TRACE(step.Where());
    Prepare(repo, GetParam());
    Process run(
        Injected(step, "signal=KILL",
                 Publishing(OptionsOf(GetParam()), "echo ready $$; read line")),
        WithPipe(repo));
    if (run.ShowsOrCloses("ready ")) {
      const pid_t command = ReadyPid(run);
      // Waits until the wrapper is dead, or waits for the command's end.
      WaitUntil("killed or waiting", [&run] {
        const pid_t wrapper = ChildOf(run.pid());
        return StateOfProcess(run.pid()) == 'Z' ||
               (wrapper != 0 && StateOfProcess(wrapper) == 'S');
      });
      if (StateOfProcess(run.pid()) == 'Z') {
        ++commands;
        const Result refused = Call(O8lock({"--", "true"}), repo.path());
        EXPECT_EQ(refused.end, Exited(75));
        EXPECT_THAT(
            refused.err,
            HasSubstr(absl::StrCat(
                ", process ", command,
                " (sh -c 'echo ready $$; read line') still holds the lock\n")));
      }
      run.Write("\n");
      WaitForEnd(command);
    }
    const End end = run.Wait();
    EXPECT_THAT(end, AnyOf(Killed(SIGKILL), Exited(0)));
    if (end == Killed(SIGKILL)) ++kills;
    if (GetParam() == Beginning::kForce) {
      // The overridden run does not notice, even if the override did not
      // happen.
      EXPECT_EQ(others_[0]->Finish(7), Exited(7));
    }
    outside_.reset();  // its file, if it still exists, is now stale
    ExpectTheNextRunSucceeds(repo, untouched);
  }
  EXPECT_GT(kills, 90);
  EXPECT_GT(commands, 5);
  std::cout << "killed at " << kills << " system calls, " << commands
            << " times with the command alive\n";
}

INSTANTIATE_TEST_SUITE_P(, KilledTest, testing::ValuesIn(kBeginnings), NameOf);

// Once the command has ended, a killed run does not leave its lock to a daemon
// of the command.
TEST_F(StepsTest, KilledInTheReleaseItLeavesNothingToADaemon) {
  const Repository repo;
  const Argv argv = Publishing({}, "setsid sleep 1000 >/dev/null 2>&1 & :");
  bool started = false;
  bool ended = false;
  int kills = 0;
  EXPECT_EQ(Call(argv, repo.path()).end, Exited(0));
  for (const Step& step : StepsOf(repo, argv)) {
    started = started || step.call == "vfork";
    ended = ended || (started && step.call == "wait4");
    if (!ended) continue;
    SCOPED_TRACE(step.Where());
    Process run(Injected(step, "signal=KILL", argv), WithPipe(repo));
    if (run.Wait() == Killed(SIGKILL)) ++kills;
    const Result next = Call(O8lock({"--", "echo", "ran"}), repo.path());
    EXPECT_EQ(next.end, Exited(0)) << next.err;
    EXPECT_EQ(next.out, "ran\n");
  }
  EXPECT_GT(kills, 15);
}

// git calls o8lock during the run. Its configuration must be complete at any
// time.
TEST_F(StepsTest, KilledWithTheHooksInstalledGitWorksAndTheNextRunDisarms) {
  const Repository repo;
  const Result install = Call(O8lock({"hooks", "install"}), repo.path());
  ASSERT_EQ(install.end, Exited(0)) << install.err;
  const std::string armed = repo.File(".git/o8lock/armed.inc");
  const Argv argv = Publishing({}, ":");
  EXPECT_EQ(Call(argv, repo.path()).end, Exited(0));
  const std::vector<std::string> files = Names(repo.File(".git/o8lock"));
  int kills = 0;
  int left_armed = 0;
  for (const Step& step : StepsOf(repo, argv)) {
    SCOPED_TRACE(step.Where());
    const Result run =
        Call(Injected(step, "signal=KILL", argv), WithPipe(repo));
    if (run.end == Killed(SIGKILL)) ++kills;
    if (std::filesystem::read_symlink(armed) == "locked.inc") ++left_armed;
    const Result git =
        Call({"git", "update-ref", "refs/tests/x", "HEAD"}, repo.path());
    EXPECT_EQ(git.end, Exited(0));
    EXPECT_EQ(git.err, "");
    // Also covers the case without a git command in between.
    if (kills % 2 != 0) {
      Call(Injected(step, "signal=KILL", argv), WithPipe(repo));
    }
    const Result next = Call(O8lock({"--", "echo", "ran"}), repo.path());
    EXPECT_EQ(next.end, Exited(0)) << next.err;
    EXPECT_EQ(next.out, "ran\n");
    EXPECT_EQ(std::filesystem::read_symlink(armed), "free.inc");
    EXPECT_EQ(Names(repo.File(".git/o8lock")), files);
  }
  EXPECT_GT(kills, 90);
  EXPECT_GT(left_armed, 20);
  std::cout << "killed at " << kills << " system calls, " << left_armed
            << " times with the hooks armed\n";
}

// --- Each call failing in each way ---

// Excludes calls made by the start of any program, and close(2): it frees the
// descriptor even if it fails, but under strace it does not.
bool CanFail(const std::string& call) {
  for (const char* const prefix :
       {"open",   "newfstatat", "fstat",   "fcntl",  "read",   "pread",
        "pwrite", "write",      "mkdir",   "unlink", "rename", "link",
        "rmdir",  "ftruncate",  "getcwd",  "uname",  "vfork",  "clone",
        "wait4",  "poll",       "signalfd"}) {
    if (absl::StartsWith(call, prefix)) return true;
  }
  return false;
}

class FailingTest : public StepsTest,
                    public testing::WithParamInterface<Beginning> {};

TEST_P(FailingTest, AtEverySystemCallItWorksOrSaysWhyNot) {
  const Repository repo;
  Restore(repo);
  const auto untouched = FilesIn(repo.path());
  Prepare(repo, GetParam());
  // Another program checks whether the run has the lock.
  const Argv argv = Locked(OptionsOf(GetParam()),
                           "echo held $(\"$O8LOCK\" status | grep -c ^held)");
  const std::vector<std::pair<const char*, int>> errors = {
      {"EACCES", EACCES}, {"EINTR", EINTR},   {"EIO", EIO},
      {"EMFILE", EMFILE}, {"ENOLCK", ENOLCK}, {"ENOSPC", ENOSPC},
      {"EROFS", EROFS},   {"EEXIST", EEXIST}, {"ESTALE", ESTALE},
  };
  int faults = 0;
  int refusals = 0;
  for (const Step& step : StepsOf(repo, argv)) {
    if (!CanFail(step.call)) continue;
    // In the short form each call fails in one way only; the ways take turns.
    const size_t first = faults % errors.size();
    const size_t count = IsLongForm() ? errors.size() : 1;
    for (size_t i = 0; i < count; ++i) {
      const auto& [name, error] = errors[(first + i) % errors.size()];
      // For mkdir EEXIST means success.
      if (error == EEXIST && absl::StartsWith(step.call, "mkdir")) continue;
      SCOPED_TRACE(absl::StrCat(name, " at ", step.Where()));
      Prepare(repo, GetParam());
      const Result run = Call(
          Injected(step, absl::StrCat("error=", name), argv), WithPipe(repo));
      ++faults;
      // Git passes by a .git it may not read, and so does o8lock: the directory
      // has a lock of its own then, with all files beside the lock file.
      if (error == EACCES) {
        for (const std::string& name : Names(repo.File(".claude"))) {
          if (name == ".parallel.lock.guard" ||
              absl::StartsWith(name, "parallel.lock.malformed-")) {
            std::filesystem::remove(repo.File(".claude/" + name));
          }
        }
      }
      if (run.end == Exited(0)) {
        EXPECT_EQ(run.out, "held 1\n");
      } else {
        ++refusals;
        EXPECT_THAT(run.end, AnyOf(Exited(71), Exited(73), Exited(75)));
        EXPECT_EQ(run.out, "");
        if (GetParam() == Beginning::kStray && run.end == Exited(75)) {
          // An unreadable file does not prove the death of a process.
          EXPECT_THAT(run.err,
                      AnyOf(HasSubstr("Evidence: the kernel lock is held"),
                            HasSubstr(strerror(error))));
          continue;
        }
        EXPECT_THAT(run.err, HasSubstr(strerror(error)));
        EXPECT_THAT(
            run.err,
            AnyOf(ContainsRegex("o8lock: error: [a-z ]+( '[^\n]+)?: [^\n]+\n"
                                "o8lock: hint: [^\n]+\n$"),
                  ContainsRegex("\nEvidence: [a-z ]+ '[^\n]+: [^\n]+\n")));
      }
      if (GetParam() == Beginning::kForce) {
        EXPECT_EQ(others_[0]->Finish(7), Exited(7));
      }
      outside_.reset();
      ExpectTheNextRunSucceeds(repo, untouched);
    }
  }
  EXPECT_GT(refusals, 20);
  std::cout << faults << " faults, " << refusals << " refusals\n";
}

INSTANTIATE_TEST_SUITE_P(, FailingTest, testing::ValuesIn(kBeginnings), NameOf);

// --- A file system without locks ---

class NoLocksTest : public StepsTest {
 protected:
  // Runs `arguments`. Every fcntl(2) after those on the standard descriptors
  // fails.
  static Result WithoutLocks(const Repository& repo, const Argv& arguments) {
    return Call(
        Strace({"-o", "/dev/null", "-e", "inject=fcntl:error=ENOLCK:when=4+"},
               O8lock(arguments)),
        WithPipe(repo));
  }
};

TEST_F(NoLocksTest, NothingIsRunAndDoctorSaysWhy) {
  const Repository repo;
  const std::string why =
      "No locks available (this file system has no working locks)";
  const Result run = WithoutLocks(repo, {"--", "echo", "ran"});
  EXPECT_EQ(run.end, Exited(71));
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(
      run.err,
      absl::StrCat("o8lock: error: cannot lock '", repo.Guard(), "': ", why,
                   "\no8lock: hint: nothing was run; use one lock file on "
                   "another file system for every run: --lock-file FILE\n"));
  const Result doctor = WithoutLocks(repo, {"doctor"});
  EXPECT_EQ(doctor.end, Exited(71));
  EXPECT_THAT(
      doctor.out,
      MatchesRegex(absl::StrCat(
          "ok    o8lock: [^\n]+\nok    guard: [^\n]+: exists\n"
          "ok    lock file: [^\n]+\nfail  guard: ",
          repo.File(".git/o8lock"),
          " \\([a-z0-9]+\\): cannot lock '[^\n]+': No locks available "
          "\\(this file system has no working locks\\)\n"
          "      use one lock file on another file system for every run: "
          "--lock-file FILE\n"
          "fail  lock file: (.|\n)+")));
  EXPECT_EQ(Call(O8lock({"doctor"}), repo.path()).end, Exited(0));
  EXPECT_EQ(Call(O8lock({"--", "echo", "ran"}), repo.path()).out, "ran\n");
}

// --- Stopped at each call while others come and go ---

// Fails with 99 if another instance is running.
constexpr char kAlone[] =
    "set -C; true >alone || exit 99; echo ready; read line; rm alone";

// A run stopped at one of its steps, in its own repository.
struct Interrupted {
  Step step;
  std::unique_ptr<Repository> repo;
  std::unique_ptr<Guarded> holder = {};   // overridden by the run
  std::unique_ptr<Process> run = {};      // under strace
  std::unique_ptr<Process> another = {};  // comes meanwhile
};

class InterruptedTest : public StepsTest {
 protected:
  static std::unique_ptr<Process> Start(const Repository& repo,
                                        const Argv& argv) {
    return std::make_unique<Process>(argv, WithPipe(repo));
  }

  static std::string LogOf(const Repository& repo) {
    return repo.File(".git/log");
  }
  // At every call a traced process is in the same state as a stopped one.
  static void WaitUntilStopped(const Repository& repo) {
    ASSERT_TRUE(IsStopped(repo)) << "it has ended";
  }
  // Waits until the traced process is stopped or has ended.
  static bool IsStopped(const Repository& repo) {
    std::string log;
    WaitUntil("stopped", [&repo, &log] {
      if (Exists(LogOf(repo))) log = Contents(LogOf(repo));
      return absl::StrContains(log, "--- stopped by SIGSTOP") ||
             absl::StrContains(log, "+++ exited with ");
    });
    return absl::StrContains(log, "--- stopped by SIGSTOP");
  }

  // Starts a run for each of its steps and stops it there. Its command is
  // kAlone, and must end at once.
  std::vector<Interrupted> StopEverywhere(Beginning beginning) {
    std::vector<Interrupted> all;
    const Repository repo;
    Prepare(repo, beginning);
    bool in_main = false;
    int count = 0;
    for (Step& step : StepsOf(repo, Publishing(OptionsOf(beginning), ":"))) {
      // Until then --yes refers to whichever lock exists.
      in_main = in_main || step.call == "fcntl";
      if (beginning == Beginning::kForce && !in_main) continue;
      if (!IsLongForm() && ++count % 2 != 0) continue;
      Interrupted one{std::move(step), std::make_unique<Repository>()};
      if (beginning == Beginning::kForce) {
        one.holder = std::make_unique<Guarded>(one.repo->path());
      }
      one.run =
          Start(*one.repo, Injected(one.step, "signal=STOP",
                                    Publishing(OptionsOf(beginning), kAlone),
                                    LogOf(*one.repo)));
      one.run->Write("\n");
      all.push_back(std::move(one));
    }
    std::vector<Interrupted> stopped;
    for (Interrupted& one : all) {
      SCOPED_TRACE(one.step.Where());
      if (!IsStopped(*one.repo)) {
        // It made fewer calls: its repository is new, and other processes of
        // the machine may have ended meanwhile.
        EXPECT_EQ(one.run->Wait(), Exited(0));
        continue;
      }
      // The command itself is not stopped.
      WaitUntil("alone", [&one] { return !Exists(one.repo->File("alone")); });
      stopped.push_back(std::move(one));
    }
    // Otherwise this would test nothing.
    EXPECT_GE(stopped.size() + 5, all.size());
    return stopped;
  }

  // Continues all runs after another run has come to each, and ends them.
  static void GoOn(std::vector<Interrupted>& all) {
    int first = 0;
    int second = 0;
    for (Interrupted& one : all) {
      SCOPED_TRACE(one.step.Where());
      const bool has_lock = one.another->ShowsOrCloses("ready");
      if (!has_lock) {
        EXPECT_EQ(one.another->Wait(), Exited(75)) << one.another->err();
      }
      const LockFilesState before =
          has_lock ? StateOf(*one.repo) : LockFilesState{"", "", 0};
      kill(ChildOf(one.run->pid()), SIGCONT);
      const End end = one.run->Wait();
      if (has_lock) {
        ++second;
        // The run was already finished, or it comes too late. It changes
        // nothing of the other run's.
        const bool ran = absl::StrContains(one.run->out(), "ready");
        EXPECT_EQ(end, ran ? Exited(0) : Exited(75)) << one.run->err();
        EXPECT_TRUE(StateOf(*one.repo) == before);
        one.another->Write("\n");
        EXPECT_EQ(one.another->Wait(), Exited(0)) << one.another->err();
      } else {
        ++first;
        EXPECT_EQ(end, Exited(0)) << one.run->err();
      }
      if (one.holder != nullptr) {
        EXPECT_EQ(one.holder->Finish(7), Exited(7));
      }
      EXPECT_FALSE(Exists(one.repo->LockFile()));
      // A run stopped in its release may leave the record of a run that it has
      // overridden, and that has ended since. The next start does not report
      // it.
      const Result next = Call(O8lock({"--", "true"}), one.repo->path());
      EXPECT_EQ(next.end, Exited(0));
      EXPECT_EQ(next.err, "");
      EXPECT_EQ(Contents(one.repo->Guard()), "");
    }
    // Both cases must occur.
    EXPECT_GT(first, 10);
    EXPECT_GT(second, 10);
    std::cout << "stopped at " << all.size() << " system calls, " << second
              << " times before the lock was taken or after its release\n";
  }
};

TEST_F(InterruptedTest, AnotherStartIsAloneOrRefused) {
  std::vector<Interrupted> all = StopEverywhere(Beginning::kFree);
  for (Interrupted& one : all) {
    one.another = Start(*one.repo, Publishing({}, kAlone));
  }
  GoOn(all);
}

// The run to be overridden ends, and the next one comes.
TEST_F(InterruptedTest, AnOverrideFindsAnotherHolderThanTheOneShown) {
  std::vector<Interrupted> all = StopEverywhere(Beginning::kForce);
  for (Interrupted& one : all) one.holder->process().Write("0\n");
  for (Interrupted& one : all) {
    SCOPED_TRACE(one.step.Where());
    EXPECT_EQ(one.holder->process().Wait(), Exited(0));
    one.holder.reset();
    one.another = Start(*one.repo, Publishing({}, kAlone));
  }
  GoOn(all);
}

// Both were started while the holder existed.
TEST_F(InterruptedTest, OfTwoOverridesAtOnceOneRuns) {
  const Repository repo;
  Guarded holder(repo.path());
  const Argv force =
      Injected({"getcwd", 1}, "signal=STOP",
               Publishing({"--force", "--yes"}, kAlone), LogOf(repo));
  const std::unique_ptr<Process> one = Start(repo, force);
  WaitUntilStopped(repo);
  unlink(LogOf(repo).c_str());
  const std::unique_ptr<Process> two = Start(repo, force);
  WaitUntilStopped(repo);
  const pid_t winner = ChildOf(one->pid());
  kill(winner, SIGCONT);
  ASSERT_TRUE(one->ShowsOrCloses("ready"));
  kill(ChildOf(two->pid()), SIGCONT);
  EXPECT_EQ(two->Wait(), Exited(75));
  EXPECT_THAT(two->err(), HasSubstr(absl::StrCat("(PID: ", winner, ")\n")));
  one->Write("\n");
  EXPECT_EQ(one->Wait(), Exited(0));
  EXPECT_EQ(holder.Finish(), Exited(0));
  EXPECT_EQ(Normal(holder.err()), Golden("overridden", ValuesOf(repo, winner)));
  ExpectNothingLeft(repo);
}

// --- Stopped between a check and its consequence ---

class BetweenTest : public InterruptedTest {
 protected:
  // The first of `steps` with a strace(1) line matching `pattern`, and the step
  // before it.
  struct Place {
    Step before;
    Step step;
  };
  static Place Find(const std::vector<Step>& steps,
                    const std::string& pattern) {
    for (size_t i = 1; i < steps.size(); ++i) {
      if (std::regex_search(steps[i].line, std::regex(pattern))) {
        return {steps[i - 1], steps[i]};
      }
    }
    ADD_FAILURE() << "no system call is like " << pattern;
    return {};
  }

  // Runs `argv` and stops it after `step`.
  static std::unique_ptr<Process> StoppedAfter(const Repository& repo,
                                               const Step& step,
                                               const Argv& argv) {
    unlink(LogOf(repo).c_str());
    std::unique_ptr<Process> run =
        Start(repo, Injected(step, "signal=STOP", argv, LogOf(repo)));
    WaitUntilStopped(repo);
    return run;
  }
  static void GoOn(const Process& run) { kill(ChildOf(run.pid()), SIGCONT); }

  static constexpr char kOpensGuard[] =
      "^openat\\(.*/parallel\\.guard\", O_RDWR[^=]* = [0-9]";
  static constexpr char kLocks[] = "F_OFD_SETLK, \\{l_type=F_WRLCK.* = 0$";

  // The start of a refusal because of the run `pid`, up to its start time.
  static std::string RefusedBy(pid_t pid) {
    return absl::StrCat(
        "Error: Another parallel execution is in progress (PID: ", pid,
        ")\nStarted at: ");
  }
};

// The guard may lose its name before or after the run locks it.
TEST_F(BetweenTest, RefusesAStartThatLockedAGuardWithoutAName) {
  const Repository plain;
  Prepare(plain, Beginning::kFree);
  const std::vector<Step> steps = StepsOf(plain, Publishing({}, ":"));
  const Step opened = Find(steps, kOpensGuard).step;
  const Step locked = Find(steps, kLocks).step;
  for (const bool removed : {true, false}) {
    SCOPED_TRACE(removed ? "the guard was removed, another run made a new one"
                         : "an override replaced it, then the holder ended");
    const Repository repo;
    Prepare(repo, removed ? Beginning::kFree : Beginning::kForce);
    const std::unique_ptr<Process> run = StoppedAfter(
        repo, removed ? locked : opened, O8lock({"--", "make", "feat c"}));
    if (removed) std::filesystem::remove(repo.Guard());
    Argv options = {"-q", "--feature=feat-a", "--feature=feat-b"};
    if (!removed) options.insert(options.end(), {"--force", "--yes"});
    Guarded holder(repo.path(), options);
    if (!removed) {
      EXPECT_EQ(others_[0]->Finish(), Exited(0));
    }
    const LockFilesState before = StateOf(repo);
    GoOn(*run);
    EXPECT_EQ(run->Wait(), Exited(75));
    EXPECT_EQ(run->out(), "");
    Values values = ValuesOf(repo, holder.pid());
    values["GUARD"] = repo.Guard();
    EXPECT_EQ(Normal(run->err()), Golden("held", values));
    EXPECT_TRUE(StateOf(repo) == before);
    EXPECT_EQ(holder.Finish(), Exited(0));
    EXPECT_EQ(holder.err(), "");
    ExpectNothingLeft(repo);
  }
  for (const Step& step : {opened, locked}) {
    SCOPED_TRACE("nothing happened meanwhile");
    const Repository repo;
    Prepare(repo, Beginning::kFree);
    const std::unique_ptr<Process> run =
        StoppedAfter(repo, step, Publishing({}, kAlone));
    GoOn(*run);
    EXPECT_TRUE(run->ShowsOrCloses("ready"));
    run->Write("\n");
    EXPECT_EQ(run->Wait(), Exited(0));
    EXPECT_EQ(run->err(), "");
    ExpectNothingLeft(repo);
  }
}

// The dead run has left a daemon. The daemon's lock does not count, but the
// token does: processes started by the dead run can still join it.
TEST_F(BetweenTest, ATakeOverIsOffWhereAnotherStartHasJoinedMeanwhile) {
  const Repository repo;
  Prepare(repo, Beginning::kStray);
  const Step determined =
      Find(StepsOf(repo, Publishing({}, ":")), kLocks).before;
  for (const bool joined : {false, true}) {
    SCOPED_TRACE(joined);
    Prepare(repo, Beginning::kStray);
    const std::string record = Contents(repo.Guard());
    std::smatch token;
    ASSERT_TRUE(std::regex_search(record, token,
                                  std::regex("\"token\":\"([0-9a-f]{32})\"")))
        << record;
    const std::unique_ptr<Process> run =
        StoppedAfter(repo, determined, Publishing({}, kAlone));
    std::unique_ptr<Process> inside;
    if (joined) {
      ProcessOptions options = WithPipe(repo);
      options.env["O8LOCK_RUN"] = token[1];
      inside = std::make_unique<Process>(Publishing({}, kAlone), options);
      ASSERT_TRUE(inside->ShowsOrCloses("ready"));
    }
    const LockFilesState before = StateOf(repo);
    GoOn(*run);
    if (!joined) {
      EXPECT_TRUE(run->ShowsOrCloses("ready"));
      EXPECT_FALSE(StateOf(repo) == before);
      run->Write("\n");
      EXPECT_EQ(run->Wait(), Exited(0));
      EXPECT_EQ(run->err(), Golden("stale", ValuesOf(repo, daemon_->pid())));
      continue;
    }
    EXPECT_EQ(run->Wait(), Exited(75));
    EXPECT_EQ(run->out(), "");
    EXPECT_THAT(run->err(), StartsWith(RefusedBy(daemon_->pid())));
    EXPECT_TRUE(StateOf(repo) == before);
    inside->Write("\n");
    EXPECT_EQ(inside->Wait(), Exited(0));
    EXPECT_EQ(inside->err(), "");
    const Result next = Call(O8lock({"--", "echo", "ran"}), repo.path());
    EXPECT_EQ(next.end, Exited(0));
    EXPECT_EQ(next.out, "ran\n");
    EXPECT_EQ(next.err, Golden("stale", ValuesOf(repo, daemon_->pid())));
  }
  ExpectNothingLeft(repo);
}

// By then the file to be removed belongs to another program.
TEST_F(BetweenTest, ALockFileThatCameAfterTheCheckIsLeftAlone) {
  const std::string text = ExternalLockFile(getpid(), TimeText(absl::Now()));
  for (const Beginning beginning : {Beginning::kFree, Beginning::kStale}) {
    const bool at_release = beginning == Beginning::kFree;
    SCOPED_TRACE(at_release ? "at the release" : "at the start");
    const Repository repo;
    Prepare(repo, beginning);
    const Step checked =
        Find(StepsOf(repo, Publishing({}, ":")), "^rename.*[.]old\"\\)").before;
    for (const bool another : {false, true}) {
      SCOPED_TRACE(another);
      Prepare(repo, beginning);
      const std::unique_ptr<Process> run =
          StoppedAfter(repo, checked, Publishing({}, "echo ran"));
      EXPECT_TRUE(Exists(repo.LockFile()));
      if (another) {
        MakeFile(repo.File("new"), text);
        std::filesystem::rename(repo.File("new"), repo.LockFile());
      }
      GoOn(*run);
      const bool runs = at_release || !another;
      EXPECT_EQ(run->Wait(), runs ? Exited(0) : Exited(75));
      EXPECT_EQ(run->out(), runs ? "ran\n" : "");
      if (at_release) {
        EXPECT_EQ(run->err(), "");
      }
      if (!another) {
        ExpectNothingLeft(repo);
        continue;
      }
      if (!at_release) {
        EXPECT_THAT(run->err(), StartsWith(RefusedBy(getpid())));
      }
      EXPECT_EQ(Contents(repo.LockFile()), text);
      EXPECT_EQ(Names(repo.File(".claude")),
                std::vector<std::string>{"parallel.lock"});
    }
  }
}

}  // namespace
}  // namespace o8lock
