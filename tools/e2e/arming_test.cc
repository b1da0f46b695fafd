// SPDX-License-Identifier: Apache-2.0
//
// The hooks while runs start, end, die and override each other. No git command
// may fail except an add under another run's lock, and no such add may go
// unnoticed. The test log has each test's figures, in lines beginning with
// [ FIGURES  ].
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/process.h"
#include "lock/testing.h"
#include "tools/e2e/hooked_repository.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Clock = std::chrono::steady_clock;

// Delays the next step, so that it hits a different phase of the other process.
void Spin(int microseconds) {
  const auto moment = Clock::now() + std::chrono::microseconds(microseconds);
  while (Clock::now() < moment) {
  }
}

// --- Arming and disarming beside git ---

// Runs git commands in its directory until the file $STOP exists. Prints the
// number of commands, and the output of the failed ones.
constexpr char kGitLoop[] = R"(
try() {
  n=$((n + 1))
  git "$@" >"$STOP.$NAME.out" 2>&1 || {
    echo "FAILED: git $*"; cat "$STOP.$NAME.out"; : >"$STOP.failed"
  }
}
n=0 i=0
while ! test -e "$STOP"; do
  i=$((i + 1))
  try update-ref refs/tests/$NAME HEAD
  try commit -q --allow-empty -m "$i"
  try checkout -q -b "$NAME-$i"
  try branch -q "$NAME-$i-b"
  try branch -q -D "$NAME-$i-b"
  try checkout -q -
  try branch -q -D "$NAME-$i"
  try update-ref -d refs/tests/$NAME
done
echo "ran $n"
)";

class GitLoop {
 public:
  GitLoop(const HookedRepository& repo, const std::string& directory,
          const std::string& name) {
    ProcessOptions options = In(directory);
    options.env["NAME"] = name;
    options.env["STOP"] = StopFile(repo);
    process_ = std::make_unique<Process>(Shell(kGitLoop), options);
  }
  static std::string StopFile(const HookedRepository& repo) {
    return repo.Tree("stop");
  }
  // The number of commands, and the output of the failed ones.
  std::pair<int, std::string> Finish() {
    EXPECT_EQ(process_->Wait(), Exited(0)) << process_->err();
    const std::vector<std::string> parts =
        absl::StrSplit(process_->out(), "ran ");
    int count = 0;
    EXPECT_TRUE(parts.size() == 2 && absl::SimpleAtoi(parts[1], &count));
    return {count, parts[0]};
  }

 private:
  std::unique_ptr<Process> process_;
};

TEST(ArmingTest, NoGitCommandFailsWhileRunsComeAndGo) {
  const HookedRepository repo;
  repo.Install();
  Git(repo.path(), {"worktree", "add", "-q", "-b", "linked", repo.Tree("x")});
  GitLoop main(repo, repo.path(), "main-loop");
  GitLoop linked(repo, repo.Tree("x"), "linked-loop");
  const auto end = Clock::now() + std::chrono::seconds(IsLongForm() ? 60 : 6);
  int runs = 0;
  for (; Clock::now() < end; ++runs) {
    EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(0));
  }
  MakeFile(GitLoop::StopFile(repo), "");
  const auto [in_main, failed_in_main] = main.Finish();
  const auto [in_linked, failed_in_linked] = linked.Finish();
  EXPECT_EQ(failed_in_main, "");
  EXPECT_EQ(failed_in_linked, "");
  EXPECT_GT(runs, 20);
  EXPECT_GT(in_main, 20);
  EXPECT_GT(in_linked, 20);
  EXPECT_FALSE(repo.IsArmed());
  std::cout << "[ FIGURES  ] " << runs << " runs beside " << in_main + in_linked
            << " git commands, 0 of which failed\n";
}

// The loops above notice failures: here a hook appears and disappears, which
// o8lock avoids.
TEST(ArmingTest, AHookThatComesAndGoesMakesGitCommandsFail) {
  const HookedRepository repo;
  GitLoop loop(repo, repo.path(), "main-loop");
  const std::string hook = repo.File(".git/hooks/reference-transaction");
  repo.MakeHook("made", "exit 0");
  const auto end = Clock::now() + Process::kDeadline;
  int times = 0;
  for (; !Exists(GitLoop::StopFile(repo) + ".failed") && Clock::now() < end;
       ++times) {
    ASSERT_EQ(link(repo.File(".git/hooks/made").c_str(), hook.c_str()), 0);
    Spin(300);
    ASSERT_EQ(unlink(hook.c_str()), 0);
  }
  MakeFile(GitLoop::StopFile(repo), "");
  const auto [count, failed] = loop.Finish();
  EXPECT_THAT(failed, HasSubstr("FAILED: git "));
  std::cout << "[ FIGURES  ] " << times << " times beside " << count
            << " git commands, " << Count(failed, "FAILED: ")
            << " of which failed\n";
}

// --- Runs that are killed ---

TEST(CrashTest, TheNextGitCommandDisarms) {
  const HookedRepository repo;
  repo.Install();
  const Argv arguments = {"-q", "-b", "new", repo.Tree("x")};
  Guarded run(repo.path());
  EXPECT_TRUE(repo.IsArmed());
  EXPECT_EQ(repo.Add(arguments).end, Exited(255));
  run.process().Signal(SIGKILL);
  EXPECT_EQ(run.process().Wait(), Killed(SIGKILL));
  // The command is alive, so the run is too.
  repo.ExpectGitWorks();
  EXPECT_TRUE(repo.IsArmed());
  const Result refused = repo.Add(arguments);
  EXPECT_EQ(refused.end, Exited(255));
  EXPECT_THAT(refused.err,
              HasSubstr(absl::StrCat("process ", run.command_pid(), " (")));
  EXPECT_FALSE(repo.HasBranch("new"));
  kill(run.command_pid(), SIGKILL);
  WaitForEnd(run.command_pid());
  EXPECT_TRUE(repo.IsArmed());
  repo.ExpectGitWorks();
  EXPECT_FALSE(repo.IsArmed());
  EXPECT_EQ(repo.Add(arguments).end, Exited(0));
  const Result next = Call(O8lock({"--", "echo", "ran"}), repo.path());
  EXPECT_EQ(next.end, Exited(0));
  EXPECT_EQ(next.out, "ran\n");
  EXPECT_FALSE(repo.IsArmed());
}

TEST(CrashTest, AnAddIsAGitCommandToo) {
  const HookedRepository repo;
  repo.Install();
  {
    const Guarded run(repo.path());
    kill(run.pid(), SIGKILL);
    kill(run.command_pid(), SIGKILL);
    WaitForEnd(run.command_pid());
    WaitForState(run.pid(), 'Z');
  }
  EXPECT_TRUE(repo.IsArmed());
  const Result add = repo.Add({"-q", "-b", "new", repo.Tree("x")});
  EXPECT_EQ(add.end, Exited(0));
  EXPECT_EQ(add.err, "");
  EXPECT_FALSE(repo.IsArmed());
}

// Kills git, or its hook, at any time during a refused add. Each kill comes a
// little later, until some adds end on their own.
TEST(CrashTest, GitIsKilledWhileItIsRefused) {
  const HookedRepository repo;
  repo.Install();
  const std::string refs = repo.Refs();
  Guarded run(repo.path());
  int kills = 0;
  int through = 0;
  for (int i = 0; through < 10 && i < 400; ++i) {
    {
      Process add(
          HookedRepository::AddArgv({"-q", "-b", "new", repo.Tree("x")}),
          In(repo.path()));
      Spin(50 * i);
      // With its children, or without them.
      kill(i % 2 == 0 ? -add.pid() : add.pid(), SIGKILL);
      const End end = add.Wait();
      if (end == Killed(SIGKILL)) {
        ++kills;
      } else {
        EXPECT_EQ(end, Exited(255)) << add.err();
        ++through;
      }
    }
    // Removes git's remains, which exist without o8lock too: a lock file; and a
    // branch made by a child without its parent, because it is no longer part
    // of an add.
    std::filesystem::remove(repo.File(".git/refs/heads/new.lock"));
    if (i % 2 != 0) Call({"git", "branch", "-q", "-D", "new"}, repo.path());
    EXPECT_EQ(repo.Refs(), refs);
    EXPECT_THAT(repo.Entries(), IsEmpty());
    EXPECT_THAT(Names(repo.trees()), IsEmpty());
    EXPECT_TRUE(repo.IsArmed());
  }
  EXPECT_GT(kills, 3);
  repo.ExpectGitWorks();
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_FALSE(repo.IsArmed());
  EXPECT_EQ(repo.Add({"-q", "-b", "new", repo.Tree("x")}).end, Exited(0));
  std::cout << "[ FIGURES  ] killed at " << kills << " moments\n";
}

// --- One state for each add ---

// How a user's hook or filter pauses an add in the middle.
struct Hold {
  std::string name;
  Argv arguments;
  std::string hook;  // empty: a filter, at the checkout
};

std::string NameOf(const testing::TestParamInfo<Hold>& info) {
  return info.param.name;
}

void PrintTo(const Hold& hold, std::ostream* out) { *out << hold.name; }

class OneStateTest : public testing::TestWithParam<Hold> {
 protected:
  // Pauses once, if the file `hold` exists.
  static std::string Script(const HookedRepository& repo) {
    return absl::StrCat("test -e ", repo.Tree("hold"), " || exit 0\n", "rm ",
                        repo.Tree("hold"), "\necho holding >&2\nread line <",
                        repo.Tree("go"));
  }
};

TEST_P(OneStateTest, AnAddThatBeganBeforeTheLockGoesThrough) {
  const Hold& hold = GetParam();
  const HookedRepository repo;
  if (hold.hook.empty()) {
    MakeFile(repo.File(".git/filter"),
             absl::StrCat("#!/bin/sh\ncat\n", Script(repo), "\n"), 0755);
    Git(repo.path(),
        {"config", "filter.hold.smudge", repo.File(".git/filter")});
    MakeFile(repo.File(".git/info/attributes"), ".gitignore filter=hold\n");
  } else {
    repo.MakeHook(hold.hook, Script(repo));
  }
  repo.Install();
  ASSERT_EQ(RunToEnd({"mkfifo", repo.Tree("go")}), Exited(0));
  MakeFile(repo.Tree("hold"), "");
  Argv arguments = {"-q"};
  for (const std::string& argument : hold.arguments) {
    arguments.push_back(argument == "$T" ? repo.Tree("x") : argument);
  }
  Process add(HookedRepository::AddArgv(arguments), In(repo.path()));
  add.WaitForError("holding\n");
  WaitForAnotherTick();
  {
    Guarded run(repo.path());
    EXPECT_TRUE(repo.IsArmed());
    LetGoOn(repo.Tree("go"));
    EXPECT_EQ(add.Wait(), Exited(0)) << add.err();
    EXPECT_EQ(Git(repo.Tree("x"), {"status", "--porcelain"}), "");
    EXPECT_EQ(repo.Entries().size(), 1);
    if (hold.arguments[0][0] == '-' && hold.arguments[0] != "--detach") {
      EXPECT_TRUE(repo.HasBranch("new"));
    }
    // This add begins now.
    const std::string refs = repo.Refs();
    Argv late = {"-q", "-f"};
    for (const std::string& argument : hold.arguments) {
      late.push_back(argument == "$T"    ? repo.Tree("late")
                     : argument == "new" ? "late"
                                         : argument);
    }
    const Result refused = repo.Add(late);
    EXPECT_THAT(refused.end, AnyOf(Exited(255), Exited(128)));
    EXPECT_THAT(refused.err, HasSubstr("\ngit worktree add refused: "));
    EXPECT_THAT(refused.err, Not(HasSubstr("Rolled back: ")));
    EXPECT_EQ(repo.Refs(), refs);
    EXPECT_EQ(repo.Entries().size(), 1);
    EXPECT_FALSE(Exists(repo.Tree("late")));
    EXPECT_EQ(run.Finish(), Exited(0));
  }
  EXPECT_FALSE(repo.IsArmed());
}

INSTANTIATE_TEST_SUITE_P(
    , OneStateTest,
    testing::Values(
        Hold{"NewAtItsBranch", {"-b", "new", "$T"}, "reference-transaction"},
        Hold{"NewAtItsIndex", {"-b", "new", "$T"}, "post-index-change"},
        Hold{"NewAtItsCheckout", {"-b", "new", "$T"}, ""},
        Hold{"ResetAtItsCheckout", {"-B", "new", "$T"}, ""},
        Hold{"OldAtItsCheckout", {"$T", "old"}, ""},
        Hold{"OldAtItsIndex", {"$T", "old"}, "post-index-change"},
        Hold{"OldAtItsReference", {"$T", "old"}, "reference-transaction"},
        Hold{"DetachedAtItsReference",
             {"--detach", "$T"},
             "reference-transaction"},
        Hold{"DetachedAtItsCheckout", {"--detach", "$T"}, ""}),
    NameOf);

// The process of git may be older than the add, because of exec(2).
TEST(LateAddTest, AShellThatWasThereBeforeIsNoAddYet) {
  const HookedRepository repo;
  repo.Install();
  const std::string refs = repo.Refs();
  for (const Argv& form :
       {Argv{"-b", "new", repo.Tree("x")}, Argv{"-B", "new", repo.Tree("x")},
        Argv{repo.Tree("new")}, Argv{repo.Tree("x"), "old"},
        Argv{"--detach", repo.Tree("x")}}) {
    SCOPED_TRACE(form[0]);
    ProcessOptions options = In(repo.path());
    options.input = ProcessOptions::Stdin::kPipe;
    Argv argv = {"sh", "-c", "echo ready; read line; exec \"$@\"", "sh"};
    for (const std::string& argument : HookedRepository::AddArgv({"-q"})) {
      argv.push_back(argument);
    }
    argv.insert(argv.end(), form.begin(), form.end());
    Process add(argv, options);
    add.WaitForOutput("ready\n");
    WaitForAnotherTick();
    Guarded run(repo.path());
    add.Write("\n");
    const End end = add.Wait();
    EXPECT_FALSE(end == Exited(0));
    EXPECT_THAT(add.err(), HasSubstr("\ngit worktree add refused: "));
    EXPECT_EQ(repo.Refs(), refs);
    EXPECT_THAT(repo.Entries(), IsEmpty());
    EXPECT_EQ(run.Finish(), Exited(0));
    EXPECT_THAT(Names(repo.trees()), IsEmpty());
  }
}

// An add that begins together with a run succeeds completely or not at all.
TEST(LateAddTest, NoAddIsHalfRefused) {
  const HookedRepository repo;
  repo.Install();
  const Argv add_argv =
      HookedRepository::AddArgv({"-q", "-b", "new", repo.Tree("x")});
  const Argv run_argv = Locked({}, "read line");
  ProcessOptions run_options = In(repo.path());
  run_options.input = ProcessOptions::Stdin::kPipe;
  const int step = IsSanitized() ? 1000 : 200;
  int added = 0;
  int refused = 0;
  for (int i = 0; i < (IsLongForm() ? 2000 : 40); ++i) {
    std::unique_ptr<Process> add;
    std::unique_ptr<Process> run;
    // Starts either one first.
    for (const bool is_add : {i % 2 == 0, i % 2 != 0}) {
      if (is_add) {
        add = std::make_unique<Process>(add_argv, In(repo.path()));
      } else {
        run = std::make_unique<Process>(run_argv, run_options);
      }
      Spin(step * (i % 40));
    }
    const End end = add->Wait();
    EXPECT_EQ(repo.HasBranch("new"), end == Exited(0)) << add->err();
    EXPECT_EQ(Exists(repo.Tree("x")), end == Exited(0)) << add->err();
    EXPECT_EQ(repo.Entries().size(), end == Exited(0) ? 1 : 0);
    if (end == Exited(0)) {
      ++added;
      Git(repo.path(), {"worktree", "remove", repo.Tree("x")});
      Git(repo.path(), {"branch", "-q", "-D", "new"});
    } else {
      ++refused;
      EXPECT_THAT(add->err(), HasSubstr("\ngit worktree add refused: "));
      if (Exists(repo.Tree("x"))) break;
    }
    run->Write("\n");
    EXPECT_EQ(run->Wait(), Exited(0));
  }
  // Both outcomes must occur.
  EXPECT_GT(added, 2);
  EXPECT_GT(refused, 2);
  std::cout << "[ FIGURES  ] " << added << " added, " << refused
            << " refused\n";
}

// --- Adds that are not what they seem ---

TEST(DisguisedTest, ALongCommandLineIsReadToItsEnd) {
  const HookedRepository repo;
  repo.Install();
  const Guarded run(repo.path());
  const Result add =
      Call({"git", "-c", absl::StrCat("a.b=", std::string(70000, 'x')),
            "worktree", "add", "-b", "new", repo.Tree("x")},
           repo.path());
  EXPECT_FALSE(add.end == Exited(0));
  EXPECT_FALSE(repo.HasBranch("new"));
}

// The first process of a machine is an ancestor of all others, but no
// orchestr8.
TEST(DisguisedTest, APidOfOneIsNobodysOwnRun) {
  const HookedRepository repo;
  repo.Install();
  repo.MakeLockFile(ExternalLockFile(1, TimeText(absl::Now())));
  EXPECT_EQ(repo.Add({"-b", "new", repo.Tree("x")}).end, Exited(1));
  EXPECT_FALSE(Exists(repo.Tree("x")));
}

TEST(DisguisedTest, ALockFileOfTheFutureIsThereNow) {
  const HookedRepository repo;
  repo.Install();
  const Process external({"sleep", "1000"});
  repo.MakeLockFile(ExternalLockFile(external.pid(), TimeText(absl::Now())));
  std::filesystem::last_write_time(
      repo.LockFile(),
      std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(repo.Add({"-b", "new", repo.Tree("x")}).end, Exited(1));
  EXPECT_FALSE(Exists(repo.Tree("x")));
}

// --- The run's own adds ---

// An add by the run that holds the lock, in a later tick than the run's start.
// In the same tick, one hook leaves the add to the other, because it may have
// missed the add's first step. `prefix` starts the add.
class OwnAddTest : public testing::Test {
 protected:
  void SetUp() override { repo_.Install(); }

  static bool HasNamespaces() {
    Argv argv = {"sh", "-c", absl::StrCat(kContained, " true")};
    return RunToEnd(argv) == Exited(0);
  }

  void ExpectOnlyTheRunsOwnGoThrough(const std::string& prefix) {
    for (const std::string form :
         {"-b new", "--detach", "-B new --no-checkout"}) {
      SCOPED_TRACE(form);
      const std::string add = absl::StrCat(prefix, " git worktree add -q ",
                                           form, " ", repo_.Tree("x"));
      Guarded run(Locked({}, absl::StrCat(kWhenTold, add)), In(repo_.path()));
      WaitForAnotherTick();
      // The same add outside any run.
      const Result external = Call(Shell(add), repo_.path());
      EXPECT_FALSE(external.end == Exited(0));
      EXPECT_THAT(external.err, HasSubstr("\ngit worktree add refused: "));
      EXPECT_FALSE(Exists(repo_.Tree("x")));
      EXPECT_FALSE(repo_.HasBranch("new"));

      EXPECT_EQ(run.Finish(), Exited(0));
      EXPECT_EQ(run.err(), "");
      EXPECT_TRUE(Exists(repo_.Tree("x/.git")));
      EXPECT_EQ(repo_.HasBranch("new"), form != "--detach");
      Git(repo_.path(), {"worktree", "remove", "--force", repo_.Tree("x")});
      if (repo_.HasBranch("new")) Git(repo_.path(), {"branch", "-D", "new"});
    }
  }

  static constexpr char kContained[] = "unshare --pid --fork --mount-proc";
  static constexpr char kWhenTold[] = "echo ready $$; read line; ";

 private:
  const HookedRepository repo_;
};

// In a container the run is not visible as an ancestor.
TEST_F(OwnAddTest, InAContainerIsKnownByItsToken) {
  if (!HasNamespaces()) {
    GTEST_SKIP() << "needs permission for a pid namespace";
  }
  ExpectOnlyTheRunsOwnGoThrough(kContained);
}

TEST_F(OwnAddTest, WithoutItsTokenIsKnownByItsAncestor) {
  ExpectOnlyTheRunsOwnGoThrough("env -u O8LOCK_RUN");
}

// --- Adds all the time, while runs come, go and override each other ---

// Adds worktrees until the file $STOP exists. For each add it prints its begin
// and end in seconds since boot, its exit code, and whether the branch and the
// worktree exist.
constexpr char kAddLoop[] = R"(
i=0
while ! test -e "$STOP"; do
  i=$((i + 1)) name=new-$i branch=0 tree=0
  read -r begin idle </proc/uptime
  git worktree add -q -b "$name" "$T/$name" 2>"$STOP.err"
  code=$?
  read -r end idle </proc/uptime
  ! git show-ref -q --verify "refs/heads/$name" || branch=1
  ! test -e "$T/$name" || tree=1
  echo "add $begin $end $code $branch $tree"
  if test $code = 0; then
    git worktree remove "$T/$name"
    git branch -q -D "$name"
  else
    grep -q "^git worktree add refused: " "$STOP.err" ||
      cat "$STOP.err"
  fi
done
)";

// In hundredths of a second since boot, as in the loop.
using Moment = int64_t;
Moment Now() {
  struct timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time);
  return int64_t{time.tv_sec} * 100 + time.tv_nsec / 10000000;
}

// When the lock was certainly taken, and when it may have been taken.
struct Taken {
  Moment maybe_from = 0;
  Moment from = 0;
  Moment to = 0;
  Moment maybe_to = 0;
};

class RaceTest : public testing::Test {
 protected:
  RaceTest() { repo_.Install(); }

  // A single loop: two simultaneous adds may fail even without hooks, because
  // git reads files another git is just writing.
  std::unique_ptr<Process> StartLoop() {
    ProcessOptions options = In(repo_.path());
    options.env["STOP"] = repo_.File(".git/stop");
    options.env["T"] = repo_.trees();
    return std::make_unique<Process>(Shell(kAddLoop), options);
  }

  // Ends `loop`, and checks the result of each add against the times in `all`.
  void CheckAdds(Process& loop, const std::vector<Taken>& all) {
    MakeFile(repo_.File(".git/stop"), "");
    int added = 0;
    int refused = 0;
    int added_in_the_open = 0;
    int refused_under_the_lock = 0;
    EXPECT_EQ(loop.Wait(), Exited(0));
    EXPECT_EQ(loop.err(), "");
    for (const absl::string_view line :
         absl::StrSplit(loop.out(), '\n', absl::SkipEmpty())) {
      double begin_seconds = 0;
      double end_seconds = 0;
      int code = -1;
      int branch = -1;
      int tree = -1;
      ASSERT_EQ(sscanf(std::string(line).c_str(), "add %lf %lf %d %d %d",
                       &begin_seconds, &end_seconds, &code, &branch, &tree),
                5)
          << line;
      const Moment begin = std::llround(begin_seconds * 100);
      const Moment end = std::llround(end_seconds * 100) + 1;
      bool under_the_lock = false;
      bool in_the_open = true;
      for (const Taken& taken : all) {
        under_the_lock =
            under_the_lock || (begin > taken.from && end < taken.to);
        in_the_open =
            in_the_open && (end < taken.maybe_from || begin > taken.maybe_to);
      }
      EXPECT_EQ(branch, code == 0 ? 1 : 0) << line;
      EXPECT_EQ(tree, code == 0 ? 1 : 0) << line;
      EXPECT_FALSE(under_the_lock && code == 0) << "went unnoticed: " << line;
      EXPECT_FALSE(in_the_open && code != 0) << "refused by nobody: " << line;
      added += code == 0 ? 1 : 0;
      refused += code == 0 ? 0 : 1;
      added_in_the_open += in_the_open ? 1 : 0;
      refused_under_the_lock += under_the_lock ? 1 : 0;
    }
    EXPECT_GT(added_in_the_open, 2);
    EXPECT_GT(refused_under_the_lock, 2);
    EXPECT_FALSE(repo_.IsArmed());
    std::cout << "[ FIGURES  ] " << all.size() << " runs; " << added
              << " adds went through, " << added_in_the_open
              << " of them while the lock was free; " << refused
              << " were refused, " << refused_under_the_lock
              << " of them while it was taken\n";
  }

  // Waits for a complete add, and a little longer.
  static void LetItAdd(Process& loop, int i) {
    const Moment start = Now();
    Moment begin = -1;
    while (begin <= start && !testing::Test::HasFailure()) {
      loop.WaitForOutput("add ");
      begin = std::llround(
          std::strtod(loop.WaitForOutput("\n").c_str(), nullptr) * 100);
    }
    WaitForAnotherTick();
    Spin(1000 * (i % 11));
  }

  static int Rounds() { return IsLongForm() ? 300 : 10; }

  const HookedRepository repo_;
};

TEST_F(RaceTest, RunsComeAndGo) {
  const std::unique_ptr<Process> loop = StartLoop();
  std::vector<Taken> all;
  for (int i = 0; i < Rounds(); ++i) {
    Taken taken;
    taken.maybe_from = Now();
    Guarded run(repo_.path());
    taken.from = Now();
    LetItAdd(*loop, 2 * i);
    taken.to = Now();
    EXPECT_EQ(run.Finish(), Exited(0));
    taken.maybe_to = Now();
    all.push_back(taken);
    LetItAdd(*loop, 3 * i);
  }
  CheckAdds(*loop, all);
}

// The overridden run ends first, or continues without the lock.
TEST_F(RaceTest, RunsOverrideEachOther) {
  const std::unique_ptr<Process> loop = StartLoop();
  std::vector<Taken> all;
  for (int i = 0; i < Rounds(); ++i) {
    Taken taken;
    taken.maybe_from = Now();
    Guarded old(repo_.path());
    taken.from = Now();
    LetItAdd(*loop, i);
    Guarded run(repo_.path(), {"--force", "--yes"});
    LetItAdd(*loop, 2 * i);
    if (i % 2 == 0) {
      EXPECT_EQ(old.Finish(), Exited(0));
      LetItAdd(*loop, 3 * i);
    }
    EXPECT_TRUE(repo_.IsArmed());
    taken.to = Now();
    EXPECT_EQ(run.Finish(), Exited(0));
    if (i % 2 != 0) {
      // The overridden run holds the lock until it has ended.
      LetItAdd(*loop, 3 * i);
      taken.to = Now();
      EXPECT_EQ(old.Finish(), Exited(0));
    }
    taken.maybe_to = Now();
    all.push_back(taken);
    LetItAdd(*loop, 4 * i);
  }
  CheckAdds(*loop, all);
}

// --- The empty directories left by git ---

TEST(SurvivingProcessesTest, OnlyWhatTheRefusedAddHasMadeIsRemoved) {
  const HookedRepository repo;
  repo.Install();
  std::filesystem::create_directories(repo.Tree("there/empty"));
  WaitForAnotherTick();
  Guarded run(repo.path());
  for (const char* path : {"there/a/b/x", "there/empty/x", "c/d/x", "e/x"}) {
    EXPECT_EQ(repo.Add({"-q", "--detach", repo.Tree(path)}).end, Exited(128));
  }
  // Another program uses one of the directories.
  std::filesystem::create_directories(repo.Tree("c"));
  MakeFile(repo.Tree("c/mine.txt"), "mine\n");
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_THAT(Names(repo.trees()), ElementsAre("c", "there"));
  EXPECT_THAT(Names(repo.Tree("c")), ElementsAre("mine.txt"));
  EXPECT_THAT(Names(repo.Tree("there")), ElementsAre("empty"));
  EXPECT_FALSE(Exists(repo.File(".git/worktrees")));
  EXPECT_FALSE(Exists(repo.File(".git/o8lock/armed.inc.leftovers")));
}

// The add may find a directory in the middle of its removal.
TEST(SurvivingProcessesTest, AnAddThatComesAtTheReleaseIsUnaffected) {
  const HookedRepository repo;
  repo.Install();
  ProcessOptions options = In(repo.path());
  options.env["TREE"] = repo.Tree("a/new");
  int refused = 0;
  for (int i = 0; i < (IsLongForm() ? 500 : 15); ++i) {
    Guarded run(repo.path());
    EXPECT_EQ(repo.Add({"-q", "--detach", repo.Tree("a/x")}).end, Exited(128));
    Process add(Shell("until git worktree add -q -b new \"$TREE\"; do "
                      "echo again; done"),
                options);
    add.WaitForOutput("again\n");
    EXPECT_EQ(run.Finish(), Exited(0));
    EXPECT_EQ(add.Wait(), Exited(0));
    EXPECT_EQ(Count(add.out(), "again\n"),
              Count(add.err(), "\ngit worktree add refused: "));
    EXPECT_EQ(Count(add.out(), "again\n"), Count(add.err(), "fatal: "));
    refused += Count(add.out(), "again\n");
    Git(repo.path(), {"worktree", "remove", repo.Tree("a/new")});
    Git(repo.path(), {"branch", "-q", "-D", "new"});
    std::filesystem::remove(repo.Tree("a"));
  }
  std::cout << "[ FIGURES  ] " << refused << " adds were refused before\n";
}

// --- Hooks that cannot work ---

class BrokenTest : public testing::Test {
 protected:
  // Armed, without a process to disarm the hooks.
  BrokenTest() {
    repo_.Install();
    const Guarded run(repo_.path());
    kill(run.pid(), SIGKILL);
    kill(run.command_pid(), SIGKILL);
    WaitForEnd(run.command_pid());
    WaitForState(run.pid(), 'Z');
  }

  void ExpectEverythingButAnAddPasses(const std::string& problem) {
    for (const Argv& arguments :
         {Argv{"update-ref", "refs/tests/x", "HEAD"},
          Argv{"commit", "-q", "--allow-empty", "-m", "x"},
          Argv{"checkout", "-q", "-b", "other"}, Argv{"checkout", "-q", "main"},
          Argv{"branch", "-q", "-D", "other"}, Argv{"rebase", "-q", "old"},
          Argv{"worktree", "list"}}) {
      const Result git = Call(GitArgv(arguments), repo_.path());
      EXPECT_EQ(git.end, Exited(0)) << arguments[0];
      EXPECT_EQ(git.err, "") << arguments[0];
    }
    const std::string refs = repo_.Refs();
    const Result add = repo_.Add({"-q", "-b", "new", repo_.Tree("x")});
    EXPECT_EQ(add.end, Exited(255));
    EXPECT_EQ(WithoutGitsWords(add.err),
              absl::StrCat("o8lock: error: git worktree add refused, because "
                           "the state of the lock is unknown: ",
                           problem, "\no8lock: hint: see: ",
                           repo_.File(".git/o8lock/bin/o8lock"), " doctor\n"));
    EXPECT_EQ(repo_.Refs(), refs);
    EXPECT_THAT(repo_.Entries(), IsEmpty());
    ProcessOptions options = In(repo_.path());
    options.env["O8LOCK_ALLOW"] = "1";
    const Result allowed =
        Call(HookedRepository::AddArgv({"-q", "-b", "new", repo_.Tree("x")}),
             options);
    EXPECT_EQ(allowed.end, Exited(0));
    EXPECT_EQ(allowed.err, "");
    // Removing the guard repairs everything.
    std::filesystem::remove(repo_.Guard());
    repo_.ExpectGitWorks();
    EXPECT_FALSE(repo_.IsArmed());
  }

  const HookedRepository repo_;
};

TEST_F(BrokenTest, TheGuardIsADirectory) {
  std::filesystem::remove(repo_.Guard());
  std::filesystem::create_directory(repo_.Guard());
  ExpectEverythingButAnAddPasses(
      absl::StrCat("'", repo_.Guard(),
                   "' is a directory, but o8lock needs a regular file there"));
}

TEST_F(BrokenTest, TheGuardIsAFifo) {
  std::filesystem::remove(repo_.Guard());
  ASSERT_EQ(RunToEnd({"mkfifo", repo_.Guard()}), Exited(0));
  ExpectEverythingButAnAddPasses(
      absl::StrCat("'", repo_.Guard(),
                   "' is a FIFO, but o8lock needs a regular file there"));
}

TEST_F(BrokenTest, TheGuardIsALink) {
  std::filesystem::remove(repo_.Guard());
  std::filesystem::create_symlink("/dev/null", repo_.Guard());
  ExpectEverythingButAnAddPasses(
      absl::StrCat("'", repo_.Guard(),
                   "' is a symbolic link, but o8lock needs a regular file "
                   "there"));
}

TEST_F(BrokenTest, TheDirectoryIsGone) {
  std::filesystem::remove_all(repo_.File(".git/o8lock"));
  repo_.ExpectGitWorks();
  const Result add = repo_.Add({"-q", "-b", "new", repo_.Tree("x")});
  EXPECT_EQ(add.end, Exited(0));
  EXPECT_EQ(add.err, "");
}

// Runs in its own mount namespace. The lock is stale at first, then held.
TEST_F(BrokenTest, TheDirectoryIsReadOnlyOrFull) {
  if (!(RunToEnd({"unshare", "-m", "true"}) == Exited(0))) {
    GTEST_SKIP() << "needs root, to mount a file system";
  }
  for (const char* const mount :
       {"mount --bind .git/o8lock .git/o8lock; "
        "mount -o remount,bind,ro .git/o8lock",
        "cp -a .git/o8lock .git/copy; "
        "mount -t tmpfs -o size=99m,nr_inodes=64 o8lock .git/o8lock; "
        "cp -a .git/copy/. .git/o8lock; rm -r .git/copy; "
        "dd if=/dev/zero of=.git/o8lock/fill 2>/dev/null; "
        "i=0; while touch .git/o8lock/$i 2>/dev/null; do i=$((i+1)); done"}) {
    SCOPED_TRACE(mount);
    ProcessOptions options = In(repo_.path());
    options.env["T"] = repo_.trees();
    const Result git =
        Call({"unshare", "-m", "sh", "-c",
              absl::StrCat(mount,
                           "; git update-ref refs/tests/x HEAD && "
                           "git commit -q --allow-empty -m x && "
                           "git worktree add -q -b new $T/x && "
                           "git worktree remove $T/x && git branch -q -D new")},
             options);
    EXPECT_EQ(git.end, Exited(0));
    EXPECT_EQ(git.err, "");
  }
  // The hook also refuses there.
  Guarded run(repo_.path());
  ProcessOptions options = In(repo_.path());
  options.env["T"] = repo_.trees();
  const std::string script =
      "mount --bind .git/o8lock .git/o8lock; "
      "mount -o remount,bind,ro .git/o8lock; "
      "git update-ref refs/tests/x HEAD && git worktree add -q --detach $T/x";
  const Result git = Call({"unshare", "-m", "sh", "-c", script}, options);
  EXPECT_EQ(git.end, Exited(128));
  EXPECT_THAT(git.err, HasSubstr("\ngit worktree add refused: "));
  EXPECT_FALSE(Exists(repo_.Tree("x")));
}

// --- The hook killed at each of its system calls ---

class KilledHookTest : public testing::Test {
 protected:
  void SetUp() override {
    if (IsSanitized()) {
      GTEST_SKIP() << "most of the system calls are the sanitizer's own";
    }
    if (!CanTrace()) {
      GTEST_SKIP() << "needs strace, and permission to trace";
    }
    repo_.Install();
    const std::string program = repo_.File(".git/o8lock/bin/o8lock");
    std::filesystem::rename(program, program + ".real");
    // Passes the content of $STEP to strace, once.
    MakeFile(program,
             absl::StrCat("#!/bin/sh\n"
                          "test -e \"$STEP\" || exec ",
                          program, ".real \"$@\"\n",
                          "read -r step <\"$STEP\"; rm \"$STEP\"\n"
                          "exec strace -qq -o \"$STEP.log\" $step ",
                          program, ".real \"$@\"\n"),
             0755);
  }

  // Whether a process started by an add is running. Checks the environment: a
  // process about to become git already has it, but still shows the command
  // line of the killed hook.
  bool IsInUse() const {
    return !ProcessesWith("STEP", repo_.File(".git/step")).empty();
  }

  End Add(const std::string& strace_options) {
    ProcessOptions options = In(repo_.path());
    options.env["STEP"] = repo_.File(".git/step");
    MakeFile(options.env["STEP"], strace_options + "\n");
    Process add(HookedRepository::AddArgv({"-q", "-b", "new", repo_.Tree("x")}),
                options);
    const End end = add.Wait();
    EXPECT_FALSE(Exists(options.env["STEP"])) << "not called: " << add.err();
    // A git started by the hook runs to its end.
    WaitUntil("the end of all", [this] { return !IsInUse(); });
    return end;
  }

  // strace(1) options for a kill at each system call of the last hook; in the
  // short form at every `stride`th.
  std::vector<std::string> Steps(int stride) {
    std::vector<std::string> steps;
    std::map<std::string, int> counts;
    int count = 0;
    for (const absl::string_view line :
         absl::StrSplit(Contents(repo_.File(".git/step.log")), '\n')) {
      const std::string call(line.substr(0, line.find('(')));
      if (call.empty() || call[0] < 'a' || call[0] > 'z' || call == "execve" ||
          call == "exit_group") {
        continue;
      }
      const int number = ++counts[call];
      if (!IsLongForm() && count++ % stride != 0) continue;
      steps.push_back(
          absl::StrCat("-e inject=", call, ":signal=KILL:when=", number));
    }
    return steps;
  }

  const OneProcessor one_processor_;
  const HookedRepository repo_;
};

TEST_F(KilledHookTest, WhileItRefuses) {
  const std::string refs = repo_.Refs();
  Guarded run(repo_.path());
  EXPECT_EQ(Add(""), Exited(255));
  const std::vector<std::string> steps = Steps(8);
  EXPECT_GT(steps.size(), 5);
  for (const std::string& step : steps) {
    SCOPED_TRACE(step);
    // A killed hook refuses nothing, but the hooks see the add's later steps.
    EXPECT_FALSE(Add(step) == Exited(0));
    EXPECT_EQ(repo_.Refs(), refs);
    EXPECT_THAT(repo_.Entries(), IsEmpty());
    EXPECT_THAT(Names(repo_.trees()), IsEmpty());
    EXPECT_TRUE(repo_.IsArmed());
  }
  repo_.ExpectGitWorks();
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_FALSE(repo_.IsArmed());
  std::cout << "[ FIGURES  ] killed at " << steps.size() << " system calls\n";
}

// The worktree exists completely or not at all.
TEST_F(KilledHookTest, WhileItTakesBack) {
  const Process external({"sleep", "1000"});
  const std::string lock_file =
      ExternalLockFile(external.pid(), TimeText(absl::Now()));
  repo_.MakeLockFile(lock_file);
  EXPECT_EQ(Add(""), Exited(1));
  const std::vector<std::string> steps = Steps(19);
  EXPECT_GT(steps.size(), 10);
  int removed = 0;
  for (const std::string& step : steps) {
    SCOPED_TRACE(step);
    // Disarms the hooks again.
    std::filesystem::remove(repo_.LockFile());
    Git(repo_.path(), {"update-ref", "refs/tests/x", "HEAD"});
    ASSERT_FALSE(repo_.IsArmed());
    repo_.MakeLockFile(lock_file);
    Add(step);  // any end: a killed hook refuses nothing
    EXPECT_EQ(Exists(repo_.Tree("x")), !repo_.Entries().empty());
    if (Exists(repo_.Tree("x"))) {
      EXPECT_EQ(Git(repo_.Tree("x"), {"status", "--porcelain"}), "");
      EXPECT_TRUE(repo_.HasBranch("new"));
      Git(repo_.path(), {"worktree", "remove", "--force", repo_.Tree("x")});
    } else {
      ++removed;
    }
    // Processes started by the killed hook may be deleting the branch too.
    WaitUntil("the branch's end", [this] {
      Call({"git", "branch", "-q", "-D", "new"}, repo_.path());
      return !repo_.HasBranch("new");
    });
    repo_.ExpectGitWorks();
  }
  EXPECT_GT(removed, 0);
  std::cout << "[ FIGURES  ] killed at " << steps.size() << " system calls, "
            << removed << " times after the worktree's end\n";
}

// --- Ctrl-C ---

// The names an add of a worktree leaves if Ctrl-C interrupts it in the middle.
std::vector<std::string> LeftByCtrlC(const HookedRepository& repo,
                                     const Argv& argv) {
  repo.MakeHook("post-index-change",
                absl::StrCat("echo holding >&2; read line <", repo.Tree("go")));
  EXPECT_EQ(RunToEnd({"mkfifo", repo.Tree("go")}), Exited(0));
  Process add(argv, OnTerminal(repo.path()));
  add.WaitForOutput("holding");
  add.Write("\x03");
  const End end = add.Wait();
  EXPECT_FALSE(end == Exited(0));
  std::filesystem::remove(repo.Tree("go"));
  repo.MakeHook("post-index-change", "");
  std::vector<std::string> left = repo.Entries();
  for (const std::string& name : Names(repo.trees())) left.push_back(name);
  left.push_back(repo.Refs());
  return left;
}

TEST(InterruptTest, CtrlCInAnAllowedAddLeavesWhatItLeavesWithoutO8lock) {
  const HookedRepository plain;
  const Argv arguments = {"-q", "-b", "new", plain.Tree("x")};
  const std::vector<std::string> left =
      LeftByCtrlC(plain, HookedRepository::AddArgv(arguments));
  for (const bool inside : {false, true}) {
    SCOPED_TRACE(inside ? "inside a run" : "without a run");
    const HookedRepository repo;
    repo.MakeHook("post-index-change", "");
    repo.Install();
    Argv argv = HookedRepository::AddArgv({"-q", "-b", "new", repo.Tree("x")});
    if (inside) {
      Argv run = O8lock({"--"});
      run.insert(run.end(), argv.begin(), argv.end());
      argv = run;
    }
    EXPECT_EQ(LeftByCtrlC(repo, argv).size(), left.size());
    EXPECT_EQ(repo.HasBranch("new"), plain.HasBranch("new"));
    EXPECT_EQ(repo.Entries(), plain.Entries());
    EXPECT_FALSE(repo.IsArmed());
    repo.ExpectGitWorks();
  }
}

TEST(InterruptTest, CtrlCInARefusedAddLeavesNothing) {
  const HookedRepository repo;
  repo.Install();
  const std::string refs = repo.Refs();
  Guarded run(repo.path());
  for (int i = 0; i < (IsLongForm() ? 400 : 20); ++i) {
    Process add(HookedRepository::AddArgv({"-q", "-b", "new", repo.Tree("x")}),
                OnTerminal(repo.path()));
    Spin(400 * (i % 40));
    add.Write("\x03");
    EXPECT_FALSE(add.Wait() == Exited(0));
    EXPECT_THAT(repo.Entries(), IsEmpty());
    EXPECT_THAT(Names(repo.trees()), IsEmpty());
    EXPECT_EQ(repo.Refs(), refs);
  }
  repo.ExpectGitWorks();
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_FALSE(repo.IsArmed());
  // Uses another branch: the test may have killed a `git branch` that outlived
  // its parent, while it had the reference locked.
  EXPECT_EQ(repo.Add({"-q", "-b", "other", repo.Tree("x")}).end, Exited(0));
}

// --- The cost while the lock is free ---

// The number of programs `git WORDS...` starts in `directory`.
size_t ProgramsOf(const Argv& arguments, const std::string& directory) {
  const TempDir dir;
  Argv traced = {"strace",       "-f", "-qq",          "-e",
                 "trace=execve", "-o", dir.File("log")};
  const Argv git = GitArgv(arguments);
  traced.insert(traced.end(), git.begin(), git.end());
  EXPECT_EQ(Call(traced, directory).end, Exited(0));
  const std::vector<std::string> lines =
      absl::StrSplit(Contents(dir.File("log")), '\n');
  return static_cast<size_t>(std::count_if(
      lines.begin(), lines.end(),
      [](absl::string_view line) { return absl::EndsWith(line, " = 0"); }));
}

TEST(CostTest, ACheckoutStartsOneProgramMoreAndAnUpdateNone) {
  if (!CanTrace()) {
    GTEST_SKIP() << "needs strace, and permission to trace";
  }
  const HookedRepository repo;
  const Argv checkout = {"checkout", "-q", "old"};
  const Argv update = {"update-ref", "refs/heads/new", "HEAD"};
  const size_t checkout_before = ProgramsOf(checkout, repo.path());
  const size_t update_before = ProgramsOf(update, repo.path());
  repo.Install();
  // The extra program is the shell of post-checkout, which recognises an added
  // worktree without o8lock.
  EXPECT_EQ(ProgramsOf(checkout, repo.path()), checkout_before + 1);
  EXPECT_EQ(ProgramsOf(update, repo.path()), update_before);
}

}  // namespace
}  // namespace o8lock
