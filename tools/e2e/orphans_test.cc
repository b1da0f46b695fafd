// SPDX-License-Identifier: Apache-2.0
//
// The whole program after a failed run: its worktrees stay, and its agents may
// continue to work.
#include <sys/stat.h>
#include <sys/types.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/hooked_repository.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kAddA[] =
    "git worktree add -q -b feature/a .claude/worktrees/feat-a; ";

// A run's message about the clean worktree feat-a, left there by `run`.
std::string LeftA(const Repository& repo, const std::string& run) {
  return Fill(
      "o8lock: warning: {RUN} left 1 orphaned worktree:\n"
      "  {REPO}/.claude/worktrees/feat-a (feature/a): clean, every commit "
      "exists elsewhere\n"
      "o8lock: hint: a run with the same features fails: a branch named "
      "'feature/a' already exists\n"
      "o8lock: hint: to remove the clean one: git worktree remove "
      "{REPO}/.claude/worktrees/feat-a && git branch -d feature/a\n",
      {{"RUN", run}, {"REPO", repo.path()}});
}

// Puts a script called orchestr8 into a directory of PATH.
class Orchestr8Script {
 public:
  explicit Orchestr8Script(const std::string& script) {
    std::filesystem::create_directory(bin_.File("bin"));
    MakeFile(bin_.File("bin/orchestr8"),
             absl::StrCat("#!/bin/sh\n", script, "\n"));
    std::filesystem::permissions(bin_.File("bin/orchestr8"),
                                 std::filesystem::perms::owner_all);
  }
  // A command line that starts it under o8lock with `options`, by a shell.
  Argv Start(const std::string& options) const {
    return Shell(absl::StrCat("PATH=", bin_.File("bin"), ":$PATH exec ",
                              Binary(), " ", options,
                              " -- orchestr8 parallel feat-a --yes"));
  }

 private:
  TempDir bin_;
};

TEST(OrphanedWorktreeTest, IsToldAtTheEndAndAtTheNextStartOnce) {
  const Repository repo;
  const Result run =
      Call(Locked({}, absl::StrCat(kAddA, "exit 3")), repo.path());
  EXPECT_EQ(run.end, Exited(3));
  EXPECT_EQ(run.err, LeftA(repo, "this run"));
  const Result next = Call(O8lock({"--", "true"}), repo.path());
  EXPECT_EQ(next.end, Exited(0));
  EXPECT_EQ(next.err, LeftA(repo, "earlier runs"));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).err, "");
  // status and doctor report the worktree as long as it exists.
  const Result status = Call(O8lock({"status"}), repo.path());
  EXPECT_EQ(status.end, Exited(0));
  EXPECT_THAT(status.out, HasSubstr("Orphaned worktrees: 1\n"));
  EXPECT_THAT(
      Call(O8lock({"doctor"}), repo.path()).out,
      HasSubstr(absl::StrCat(
          "warn  worktrees: 1 orphaned worktree of earlier runs\n      ",
          repo.File(".claude/worktrees/feat-a"), " (feature/a): ")));
  Git(repo.path(),
      {"worktree", "remove", repo.File(".claude/worktrees/feat-a")});
  EXPECT_THAT(Call(O8lock({"doctor"}), repo.path()).out,
              Not(HasSubstr("worktrees: ended")));
  EXPECT_THAT(Call(O8lock({"status"}), repo.path()).out,
              Not(HasSubstr("rphaned worktree")));
}

TEST(OrphanedWorktreeTest, IsToldAfterASignal) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const Repository repo;
    Process run(Locked({}, absl::StrCat(kAddA, "echo ready $$; exec sleep 60")),
                In(repo.path()));
    ReadyPid(run);
    run.Signal(signal);
    EXPECT_EQ(run.Wait(), Killed(signal));
    EXPECT_EQ(run.err(), LeftA(repo, "this run"));
  }
}

TEST(OrphanedWorktreeTest, IsToldToEveryOrchestr8WhichStopsAtItsBranch) {
  const Repository repo;
  const Orchestr8Script orchestr8(
      "git worktree add .claude/worktrees/feat-a -b feature/feat-a");
  Call(Locked({}, absl::StrCat(kAddA, "exit 3")), repo.path());
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Call(orchestr8.Start(""), repo.path()).err,
                HasSubstr(LeftA(repo, "earlier runs")));
  }
  EXPECT_EQ(Call(orchestr8.Start("-q"), repo.path()).err.find("o8lock:"),
            std::string::npos);
}

TEST(OrphanedWorktreeTest, IsNobodysAfterAnEndWith0) {
  const Repository repo;
  const Result run = Call(Locked({}, kAddA), repo.path());
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(Contents(repo.Guard()), "");
}

TEST(OrphanedWorktreeTest, IsNotALaterOneOfTheSameName) {
  const Repository repo;
  Call(Locked({}, absl::StrCat(kAddA, "exit 3")), repo.path());
  const std::string worktree = repo.File(".claude/worktrees/feat-a");
  Git(repo.path(), {"worktree", "remove", worktree});
  WaitForAnotherTick();
  Git(repo.path(), {"worktree", "add", "-q", worktree, "feature/a"});
  const Result next = Call(O8lock({"--", "true"}), repo.path());
  EXPECT_EQ(next.err, "");
  EXPECT_EQ(Contents(repo.Guard()), "");
}

TEST(OrphanedWorktreeTest, OfTheOriginalIsNotToldInACopy) {
  const Repository repo;
  Call(Locked({}, absl::StrCat(kAddA, "exit 3")), repo.path());
  const TempDir elsewhere;
  const std::string copy = elsewhere.File("copy");
  std::filesystem::copy(repo.path(), copy,
                        std::filesystem::copy_options::recursive);
  EXPECT_THAT(Call(O8lock({"status"}), copy).out,
              Not(HasSubstr("rphaned worktree")));
  EXPECT_EQ(Call(O8lock({"--", "true"}), copy).err, "");
}

TEST(OrphanedWorktreeTest, IsWhereOrchestr8IsToldToMakeThem) {
  const Repository repo;
  std::filesystem::create_directory(repo.File(".claude"));
  MakeFile(repo.File(".claude/murm-config.json"),
           R"({"worktreeDir": "../trees"})");
  const Result run =
      Call(Locked({},
                  "git worktree add -q -b a ../trees-of-mine/a; "
                  "git worktree add -q -b b ../trees/b; "
                  "git worktree remove ../trees-of-mine/a; exit 3"),
           repo.path());
  EXPECT_THAT(run.err, HasSubstr("this run left 1 orphaned worktree:\n"));
  EXPECT_THAT(run.err, HasSubstr("/trees/b (b): clean"));
  Git(repo.path(), {"worktree", "remove", "../trees/b"});
}

// With hooks o8lock knows a run's worktrees, wherever they are.
TEST(OrphanedWorktreeTest, IsTheOneThatTheHooksHaveSeen) {
  const HookedRepository repo;
  repo.Install();
  ProcessOptions options = In(repo.path());
  options.input = ProcessOptions::Stdin::kPipe;
  Process run(
      Locked({}, absl::StrCat("git worktree add -q -b a ", repo.Tree("a"),
                              "; echo ready $$; read go; exit 3")),
      options);
  ReadyPid(run);
  // A user adds a worktree during the run, but not inside it.
  Git(repo.path(), {"-c", "core.hooksPath=/dev/null", "worktree", "add", "-q",
                    "-b", "mine", repo.Tree("mine")});
  run.Write("\n");
  EXPECT_EQ(run.Wait(), Exited(3));
  EXPECT_THAT(run.err(),
              HasSubstr(absl::StrCat("this run left 1 orphaned worktree:\n  ",
                                     repo.Tree("a"), " (a)")));
  EXPECT_THAT(run.err(), Not(HasSubstr(repo.Tree("mine"))));
  // Only those who may write there decide whose a worktree is.
  struct stat mark;
  ASSERT_EQ(stat(repo.File(".git/worktrees/a/o8lock").c_str(), &mark), 0);
  EXPECT_EQ(mark.st_mode & 0022, 0u);
}

// A script that adds feat-a, starts an agent there and exits with `code`. The
// agent continues to work.
std::string ScriptWithAgent(int code) {
  return absl::StrCat(kAddA,
                      "cd .claude/worktrees/feat-a; sleep 1000 & "
                      "echo agent $!; exit ",
                      code);
}

// A run of an orchestr8 with that script.
class KeptRun {
 public:
  explicit KeptRun(const std::string& options = "", int code = 3)
      : orchestr8_(ScriptWithAgent(code)),
        process_(orchestr8_.Start(options), In(repo_.path())),
        agent_(ReadyPid(process_, "agent ")),
        end_(process_.Wait()) {}

  const Repository& repo() const { return repo_; }
  const End& end() const { return end_; }
  const std::string& err() const { return process_.err(); }
  pid_t agent() const { return agent_; }
  void EndAgent() const {
    kill(agent_, SIGKILL);
    WaitForEnd(agent_);
  }

 private:
  const Repository repo_;
  const Orchestr8Script orchestr8_;
  Process process_;
  const pid_t agent_;
  const End end_;
};

TEST(KeptLockTest, StaysWithTheAgentsOfAFailedOrchestr8) {
  const KeptRun run;
  EXPECT_EQ(run.end(), Exited(3));
  const std::string agent = absl::StrCat(run.agent());
  EXPECT_THAT(
      run.err(),
      HasSubstr(Fill("o8lock: warning: the command exited; 1 process it "
                     "started is still running:\n"
                     "  PID {AGENT} in {REPO}/.claude/worktrees/feat-a: "
                     "sleep 1000\n"
                     "o8lock: hint: the lock is kept until it ends; to end it: "
                     "kill {AGENT}\n"
                     "o8lock: hint: to remove the lock without ending it: "
                     "o8lock unlock\n",
                     {{"AGENT", agent}, {"REPO", run.repo().path()}})));
  EXPECT_FALSE(Exists(run.repo().LockFile()));

  const Result status = Call(O8lock({"status"}), run.repo().path());
  EXPECT_EQ(status.end, Exited(75));
  EXPECT_THAT(status.out, HasSubstr(absl::StrCat("process ", agent,
                                                 " (sleep 1000) keeps the "
                                                 "lock\n")));
  const Result next = Call(O8lock({"--", "echo", "ran"}), run.repo().path());
  EXPECT_EQ(next.end, Exited(75));
  EXPECT_EQ(next.out, "");
  EXPECT_THAT(
      next.err,
      HasSubstr(absl::StrCat(
          "To end its surviving process: kill ", agent,
          "\nTo remove the lock without ending it: ", Binary(), " unlock\n")));
  run.EndAgent();
  EXPECT_EQ(Call(O8lock({"--", "echo", "ran"}), run.repo().path()).out,
            "ran\n");
}

TEST(KeptLockTest, IsWaitedFor) {
  const KeptRun run;
  Process waiting(O8lock({"--wait", "--", "echo", "ran"}),
                  In(run.repo().path()));
  waiting.WaitForError("waiting for PID ");
  EXPECT_EQ(Call(O8lock({"status"}), run.repo().path()).end, Exited(75));
  run.EndAgent();
  EXPECT_EQ(waiting.Wait(), Exited(0));
  EXPECT_EQ(waiting.out(), "ran\n");
}

TEST(KeptLockTest, IsFreedByUnlock) {
  const KeptRun run;
  EXPECT_EQ(Call(O8lock({"--yes", "unlock"}), run.repo().path()).end,
            Exited(0));
  EXPECT_EQ(Call(O8lock({"status"}), run.repo().path()).end, Exited(0));
  EXPECT_EQ(kill(run.agent(), 0), 0);
}

TEST(KeptLockTest, IsNotKeptAfterAnEndWith0) {
  const KeptRun run("", /*code=*/0);
  EXPECT_EQ(run.end(), Exited(0));
  EXPECT_THAT(run.err(), HasSubstr("the lock is released"));
  EXPECT_EQ(Call(O8lock({"--", "true"}), run.repo().path()).end, Exited(0));
}

TEST(KeptLockTest, IsNotKeptWhereTheUserSaysSo) {
  const KeptRun run("--leftovers=release");
  EXPECT_THAT(run.err(), HasSubstr("the lock is released"));
  EXPECT_EQ(Call(O8lock({"--", "true"}), run.repo().path()).end, Exited(0));
}

TEST(KeptLockTest, IsKeptForAnyCommandWhereTheRepositorySaysSo) {
  const Repository repo;
  Git(repo.path(), {"config", "o8lock.leftovers", "keep"});
  {
    Process run(Locked({}, ScriptWithAgent(3)), In(repo.path()));
    const pid_t agent = ReadyPid(run, "agent ");
    EXPECT_EQ(run.Wait(), Exited(3));
    EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
    kill(agent, SIGKILL);
    WaitForEnd(agent);
  }

  Git(repo.path(), {"config", "o8lock.leftovers", "eat"});
  const Result wrong = Call(O8lock({"--", "true"}), repo.path());
  EXPECT_EQ(wrong.end, Exited(64));
  EXPECT_EQ(wrong.err,
            "o8lock: error: the setting o8lock.leftovers must be 'release', "
            "'wait', 'kill' or 'keep', not 'eat'\n"
            "o8lock: hint: nothing was run; correct it: git config "
            "o8lock.leftovers release\n");
}

// An agent is a process with the run's mark in one of its worktrees. Here one
// process lacks the mark, and the other one works elsewhere.
TEST(KeptLockTest, StaysWithNothingElse) {
  const Repository repo;
  Process run(Locked({"--leftovers=keep"},
                     absl::StrCat(kAddA,
                                  "sleep 1000 & cd .claude/worktrees/feat-a; "
                                  "env -i sleep 1000 & exit 3")),
              In(repo.path()));
  EXPECT_EQ(run.Wait(), Exited(3));
  EXPECT_THAT(run.err(),
              HasSubstr("2 processes it started are still running:\n"));
  EXPECT_THAT(run.err(), Not(HasSubstr("the lock stays")));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(0));
}

// A process started by an agent keeps the lock after the agent's end.
TEST(KeptLockTest, StaysWithWhatAnAgentStarts) {
  const Repository repo;
  const Orchestr8Script orchestr8(absl::StrCat(
      kAddA,
      "cd .claude/worktrees/feat-a; sh -c 'echo agent $$; read go <../fifo; "
      "sleep 1000 & echo next $!; exit' & exit 3"));
  std::filesystem::create_directories(repo.File(".claude/worktrees"));
  ASSERT_EQ(mkfifo(repo.File(".claude/worktrees/fifo").c_str(), 0600), 0);
  Process run(orchestr8.Start(""), In(repo.path()));
  const pid_t agent = ReadyPid(run, "agent ");
  EXPECT_EQ(run.Wait(), Exited(3));
  LetGoOn(repo.File(".claude/worktrees/fifo"));
  const pid_t next = ReadyPid(run, "next ");
  WaitForEnd(agent);
  const Result refused = Call(O8lock({"--", "true"}), repo.path());
  EXPECT_EQ(refused.end, Exited(75));
  EXPECT_THAT(refused.err,
              HasSubstr(absl::StrCat("surviving process: kill ", next, "\n")));
  kill(next, SIGKILL);
  WaitForEnd(next);
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(0));
}

// The run's agents are invisible there.
TEST(KeptLockTest, IsNotFreeInAnotherPidNamespace) {
  if (!(Call({"unshare", "-pf", "--mount-proc", "true"}, "/").end ==
        Exited(0))) {
    GTEST_SKIP() << "no pid namespace is to be had";
  }
  const KeptRun run;
  const Result there =
      Call({"unshare", "-pf", "--mount-proc", Binary(), "--", "echo", "ran"},
           run.repo().path());
  EXPECT_EQ(there.end, Exited(75));
  EXPECT_EQ(there.out, "");
  EXPECT_EQ(Call(O8lock({"status"}), run.repo().path()).end, Exited(75));
}

// The lock exists to prevent an orchestr8 inside an orchestr8's run, also after
// the first one has exited.
TEST(KeptLockTest, IsNotJoinedByAnAgentsOwnOrchestr8) {
  const Repository repo;
  const Orchestr8Script orchestr8(absl::StrCat(
      "[ $2 = feat-b ] && { echo beside; exit 0; }\n", kAddA,
      "cd .claude/worktrees/feat-a; sh -c 'echo agent $$; read go <../fifo; ",
      Binary(), " -- true; echo true $?; ", Binary(),
      " -- orchestr8 parallel feat-b; echo orchestr8 $?; sleep 1000' & exit "
      "3"));
  std::filesystem::create_directories(repo.File(".claude/worktrees"));
  ASSERT_EQ(mkfifo(repo.File(".claude/worktrees/fifo").c_str(), 0600), 0);
  Process run(orchestr8.Start(""), In(repo.path()));
  ReadyPid(run, "agent ");
  EXPECT_EQ(run.Wait(), Exited(3));
  LetGoOn(repo.File(".claude/worktrees/fifo"));
  EXPECT_THAT(run.WaitForOutput("orchestr8 75\n"),
              AllOf(HasSubstr("true 0\n"), Not(HasSubstr("beside"))));
}

TEST(OrphanedWorktreeTest, IsNotOfferedForRemovalWhereFilesWouldBeLost) {
  const Repository repo;
  Git(repo.path(), {"config", "status.showUntrackedFiles", "no"});
  MakeFile(repo.File(".git/info/exclude"), ".env\n");
  MakeFile(repo.File("f"), "");
  Git(repo.path(), {"add", "f"});
  Git(repo.path(), {"commit", "-qm", "f"});
  Call(Locked(
           {},
           "for i in new ignored locked clean skipped assumed past ref; do git "
           "worktree add -q -b $i .claude/worktrees/$i; done; "
           "touch .claude/worktrees/new/new "
           ".claude/worktrees/ignored/.env; "
           "git -C .claude/worktrees/skipped update-index --skip-worktree f; "
           "git -C .claude/worktrees/assumed update-index "
           "--assume-unchanged f; "
           "(cd .claude/worktrees/past; git checkout -q --detach; "
           "git commit -q --allow-empty -m work; git checkout -q past); "
           "git -C .claude/worktrees/ref update-ref refs/worktree/keep "
           "$(git commit-tree -m work HEAD^{tree}); "
           "git worktree lock .claude/worktrees/locked; exit 3"),
       repo.path());
  const std::string status = Call(O8lock({"status"}), repo.path()).out;
  EXPECT_THAT(status, HasSubstr("/new (new): 1 uncommitted file\n"));
  EXPECT_THAT(status, HasSubstr("/ignored (ignored): 1 ignored file\n"));
  EXPECT_THAT(status, HasSubstr("/skipped (skipped): 1 uncommitted file\n"));
  EXPECT_THAT(status, HasSubstr("/assumed (assumed): 1 uncommitted file\n"));
  for (const char* name : {"past", "ref"}) {
    EXPECT_THAT(status,
                HasSubstr(absl::StrCat("/", name, " (", name,
                                       "): 1 commit that only its reflog "
                                       "has\n")));
  }
  EXPECT_THAT(status, HasSubstr("/locked (locked): clean, every commit "
                                "exists elsewhere, locked\n"));
  const std::string removal = "to remove the clean one: ";
  const size_t begin = status.find(removal) + removal.size();
  const Result pasted =
      Call(Shell(status.substr(begin, status.find('\n', begin) - begin)),
           repo.path());
  EXPECT_EQ(pasted.end, Exited(0)) << pasted.err;
  EXPECT_EQ(Names(repo.File(".git/worktrees")),
            (std::vector<std::string>{"assumed", "ignored", "locked", "new",
                                      "past", "ref", "skipped"}));
}

// Its branch still stops the next run.
TEST(OrphanedWorktreeTest, IsToldWithoutItsDirectoryToo) {
  const Repository repo;
  const Result run = Call(
      Locked({}, absl::StrCat(kAddA, "rm -r .claude/worktrees/feat-a; exit 3")),
      repo.path());
  EXPECT_THAT(run.err,
              HasSubstr("/feat-a (feature/a): its directory is gone\n"));
  const std::string removal = "to remove the clean one: ";
  const size_t begin = run.err.find(removal) + removal.size();
  const Result pasted =
      Call(Shell(run.err.substr(begin, run.err.find('\n', begin) - begin)),
           repo.path());
  EXPECT_EQ(pasted.end, Exited(0)) << pasted.err;
  EXPECT_EQ(Git(repo.path(), {"branch", "--format=%(refname:short)"}),
            "main\n");
}

TEST(OrphanedWorktreeTest, IsRepairedAfterAMoveOfItsDirectory) {
  const Repository repo;
  const Result run =
      Call(Locked({}, absl::StrCat(kAddA,
                                   "mv .claude/worktrees/feat-a moved; echo "
                                   "a >moved/a; git -C moved add a; exit 3")),
           repo.path());
  const std::string repair = "if a missing directory was moved: ";
  const size_t begin = run.err.find(repair) + repair.size();
  std::string command =
      run.err.substr(begin, run.err.find('\n', begin) - begin);
  command.replace(command.find("NEW-PATH"), command.npos, "moved");
  const Result pasted = Call(Shell(command), repo.path());
  EXPECT_EQ(pasted.end, Exited(0)) << pasted.err;
  EXPECT_THAT(Call(O8lock({"status"}), repo.path()).out,
              HasSubstr("/moved (feature/a): 1 uncommitted file\n"));
}

TEST(OrphanedWorktreeTest, IsInUseAsLongAsAnybodyWorksThere) {
  const KeptRun run("--leftovers=release");
  const std::string agent = absl::StrCat(run.agent());
  const auto status = [&run] {
    return Call(O8lock({"status"}), run.repo().path()).out;
  };
  EXPECT_THAT(
      status(),
      AllOf(HasSubstr("clean, every commit exists elsewhere, in use\n"),
            HasSubstr(absl::StrCat("in these worktrees: kill ", agent, "\n")),
            Not(HasSubstr("to remove"))));
  run.EndAgent();
  EXPECT_THAT(status(), AllOf(HasSubstr("to remove"), Not(HasSubstr("kill"))));
}

TEST(OrphanedWorktreeTest, IsRememberedByUnlock) {
  const Repository repo;
  {
    Guarded run(repo.path());
    Git(repo.path(), {"worktree", "add", "-q", "-b", "feature/a",
                      repo.File(".claude/worktrees/feat-a")});
  }  // killed
  EXPECT_EQ(Call(O8lock({"--yes", "unlock"}), repo.path()).end, Exited(0));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).err,
            LeftA(repo, "earlier runs"));
}

// A run with the worktree feat-a. Another run has overridden its lock.
class OverriddenRun {
 public:
  explicit OverriddenRun(const std::string& overrider = Guarded::kScript)
      : run_(Locked({}, absl::StrCat(kAddA,
                                     "echo ready $$; read code; "
                                     "exit $code")),
             In(repo_.path())) {
    // Without hooks only worktrees older than the override count as the run's.
    WaitForAnotherTick();
    overrider_.emplace(Locked({"--force", "--yes"}, overrider),
                       In(repo_.path()));
  }
  const Repository& repo() const { return repo_; }
  Guarded& run() { return run_; }
  Guarded& overrider() { return *overrider_; }
  // Kills the wrapper and its command with SIGKILL.
  static void Kill(Guarded& run) {
    run.process().Signal(SIGKILL);
    kill(run.command_pid(), SIGKILL);
    run.process().Wait();
    WaitForEnd(run.command_pid());
  }

 private:
  const Repository repo_;
  Guarded run_;
  std::optional<Guarded> overrider_;
};

TEST(OrphanedWorktreeTest, OfAnOverriddenRunIsToldToo) {
  OverriddenRun runs;
  EXPECT_EQ(runs.run().Finish(3), Exited(3));
  EXPECT_EQ(runs.overrider().Finish(), Exited(0));
  EXPECT_EQ(Call(O8lock({"--", "true"}), runs.repo().path()).err,
            LeftA(runs.repo(), "earlier runs"));
}

TEST(OrphanedWorktreeTest, OfAnOverriddenRunThatWasKilledIsTold) {
  OverriddenRun runs;
  const std::string path = runs.repo().path();
  OverriddenRun::Kill(runs.run());
  // While the overrider holds the lock, too.
  EXPECT_THAT(Call(O8lock({"status"}), path).out,
              HasSubstr("Orphaned worktrees: 1\n"));
  EXPECT_EQ(runs.overrider().Finish(), Exited(0));
  EXPECT_THAT(Call(O8lock({"status"}), path).out,
              HasSubstr("Orphaned worktrees: 1\n"));
  EXPECT_EQ(Call(O8lock({"--", "true"}), path).err,
            LeftA(runs.repo(), "earlier runs"));
  EXPECT_EQ(Call(O8lock({"--", "true"}), path).err, "");
  EXPECT_THAT(Call(O8lock({"status"}), path).out,
              HasSubstr("Orphaned worktrees: 1\n"));
}

TEST(OrphanedWorktreeTest, OfARunThatWasKilledAfterItsOverriderIsTold) {
  for (const bool killed : {false, true}) {
    SCOPED_TRACE(killed);
    OverriddenRun runs;
    const std::string path = runs.repo().path();
    if (killed) {
      OverriddenRun::Kill(runs.overrider());
    } else {
      EXPECT_EQ(runs.overrider().Finish(), Exited(0));
    }
    EXPECT_EQ(Call(O8lock({"status"}), path).end, Exited(75));
    OverriddenRun::Kill(runs.run());
    EXPECT_THAT(Call(O8lock({"status"}), path).out,
                HasSubstr("Orphaned worktrees: 1\n"));
    EXPECT_THAT(Call(O8lock({"--", "true"}), path).err,
                HasSubstr(LeftA(runs.repo(), "earlier runs")));
    EXPECT_EQ(Call(O8lock({"--", "true"}), path).err, "");
  }
}

TEST(OrphanedWorktreeTest, OfARunKilledUnderItsSecondOverriderIsTold) {
  OverriddenRun runs;
  OverriddenRun::Kill(runs.run());
  Guarded second(runs.repo().path(), {"--force", "--yes"});
  EXPECT_EQ(second.Finish(), Exited(0));
  EXPECT_THAT(second.err(), HasSubstr(LeftA(runs.repo(), "earlier runs")));
}

// Nor must the overridden run offer the overrider's worktree for removal.
TEST(OrphanedWorktreeTest, OfTheOverriderIsNotTheOverriddenRuns) {
  OverriddenRun runs(absl::StrCat(
      "git worktree add -q -b feature/b .claude/worktrees/feat-b; ",
      Guarded::kScript));
  EXPECT_EQ(runs.run().Finish(3), Exited(3));
  EXPECT_THAT(runs.run().err(), AllOf(HasSubstr(LeftA(runs.repo(), "this run")),
                                      Not(HasSubstr("feat-b"))));
  const std::string status = Call(O8lock({"status"}), runs.repo().path()).out;
  EXPECT_THAT(status, HasSubstr("Orphaned worktrees: 1\n"));
}

// Later writes of the overrider to the record must not change that.
TEST(OrphanedWorktreeTest, OfAnOverriddenRunIsNobodysAfterAnEndWith0) {
  OverriddenRun runs(absl::StrCat(
      "git worktree add -q -b feature/b .claude/worktrees/feat-b; ",
      Guarded::kScript));
  EXPECT_EQ(runs.run().Finish(), Exited(0));
  EXPECT_EQ(runs.overrider().Finish(3), Exited(3));
  EXPECT_THAT(Call(O8lock({"--", "true"}), runs.repo().path()).err,
              AllOf(HasSubstr("earlier runs left 1 orphaned worktree:\n"),
                    HasSubstr("feat-b"), Not(HasSubstr("feat-a"))));
}

// git may need a long time for many files, or never answer.
TEST(OrphanedWorktreeTest, IsToldWithoutItsStateWhereGitTakesLong) {
  const Repository repo;
  const TempDir bin;
  MakeFile(bin.File("git"), "#!/bin/sh\nexec sleep 1000\n");
  std::filesystem::permissions(bin.File("git"),
                               std::filesystem::perms::owner_all);
  ProcessOptions options = In(repo.path());
  options.env["PATH"] = absl::StrCat(bin.path(), ":", getenv("PATH"));
  Process run(Locked({}, absl::StrCat("PATH=${PATH#*:}; ", kAddA,
                                      "echo ready $$; exec sleep 60")),
              options);
  ReadyPid(run);
  run.Signal(SIGTERM);
  EXPECT_EQ(run.Wait(), Killed(SIGTERM));
  EXPECT_THAT(run.err(),
              AllOf(HasSubstr("/feat-a (feature/a): state unknown: 'git' "
                              "did not end in time\n"),
                    Not(HasSubstr("to remove"))));
  const Result next = Call(O8lock({"--", "echo", "ran"}), options);
  EXPECT_EQ(next.out, "ran\n");
  EXPECT_THAT(next.err, HasSubstr("'git' did not end in time\n"));
}

// With hooks, a worktree without a mark is not the run's, dead or alive.
TEST(OrphanedWorktreeTest, IsNotAPersonsMadeAfterTheRunsDeath) {
  const HookedRepository repo;
  repo.Install();
  {
    Process run(Locked({}, absl::StrCat(kAddA, "echo ready $$; sleep 1000")),
                In(repo.path()));
    ReadyPid(run);
  }  // killed
  Git(repo.path(), {"worktree", "add", "-q", "-b", "mine",
                    repo.File(".claude/worktrees/mine")});
  const Result next = Call(O8lock({"--", "true"}), repo.path());
  EXPECT_THAT(next.err, HasSubstr("that run left 1 orphaned worktree:\n"));
  EXPECT_THAT(next.err, Not(HasSubstr("mine")));
}

}  // namespace
}  // namespace o8lock
