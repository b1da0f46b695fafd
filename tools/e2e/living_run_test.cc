// SPDX-License-Identifier: Apache-2.0
//
// o8lock never takes a living run for a dead one: not if its kernel lock is
// invisible, its files are removed, its repository is moved or copied, or it is
// overridden. A dead run does not block other runs.
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kPublish[] = {"--publish=always", "--publish=never"};

// A command that closes all inherited descriptors above 2.
constexpr char kClosing[] =
    "for fd in /proc/self/fd/*; do fd=${fd##*/}; "
    "[ $fd -le 2 ] || eval \"exec $fd>&-\"; done; "
    "echo ready $$; read code; exit $code";

// Whether o8lock can be run without /proc: AddressSanitizer needs it, and
// hiding it needs permission for a mount namespace.
bool CanHideProc() {
  return !IsSanitized() && RunToEnd({"unshare", "--mount", "mount", "-t",
                                     "tmpfs", "none", "/proc"}) == Exited(0);
}

void ExpectRefused(const std::string& directory, pid_t pid,
                   const Argv& options = {}) {
  Argv argv = O8lock(options);
  argv.insert(argv.end(), {"--", "echo", "ran"});
  const Result start = Call(argv, directory);
  EXPECT_EQ(start.end, Exited(75)) << start.err;
  EXPECT_EQ(start.out, "");
  EXPECT_THAT(start.err,
              StartsWith(absl::StrCat("Error: Another parallel execution is in "
                                      "progress (PID: ",
                                      pid, ")\n")));
  EXPECT_THAT(start.err, Not(HasSubstr("not running")));
  const Result status = Call(O8lock({"status"}), directory);
  EXPECT_EQ(status.end, Exited(75)) << status.out;
}

void ExpectRuns(const std::string& directory) {
  const Result start = Call(O8lock({"--", "echo", "ran"}), directory);
  EXPECT_EQ(start.end, Exited(0)) << start.err;
  EXPECT_EQ(start.out, "ran\n");
}

// Removes `path` and its contents. A run may restore files meanwhile, so errors
// are ignored.
void Remove(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

// Kills the wrapper of `run` as soon as its record names the command.
void KillWrapper(Guarded& run, const Repository& repo) {
  WaitForCommandInRecord(repo);
  kill(run.pid(), SIGKILL);
  EXPECT_EQ(run.process().Wait(), Killed(SIGKILL));
}

// --- An invisible lock ---

TEST(UnseenTest, TheCommandOfAKilledRunHasTheLockWithoutItsDescriptors) {
  for (const char* publish : kPublish) {
    SCOPED_TRACE(publish);
    const Repository repo;
    Guarded run(O8lock({publish, "--", "bash", "-c", kClosing}),
                In(repo.path()));
    KillWrapper(run, repo);
    ExpectRefused(repo.path(), run.pid());
    const Result refused = Call(O8lock({"--", "true"}), repo.path());
    EXPECT_THAT(refused.err, HasSubstr(absl::StrCat("process ", run.pid(),
                                                    " has ended, process ",
                                                    run.command_pid(), " (")));
    EXPECT_THAT(refused.err,
                HasSubstr(absl::StrCat("To end its surviving process: kill ",
                                       run.command_pid(), "\n")));
    Process waiter(O8lock({"--wait", "-q", "--", "echo", "ran"}),
                   In(repo.path()));
    run.process().Write("0\n");
    WaitForEnd(run.command_pid());
    EXPECT_EQ(waiter.Wait(), Exited(0));
    EXPECT_EQ(waiter.out(), "ran\n");
    ExpectRuns(repo.path());
    ExpectNothingLeft(repo);
  }
}

// An o8lock started by the command is inside the run and joins it.
TEST(UnseenTest, TheCommandMayStartO8lockItself) {
  const Repository repo;
  Guarded run(
      O8lock({"--", "bash", "-c",
              absl::StrCat("for fd in /proc/self/fd/*; do fd=${fd##*/}; [ $fd "
                           "-le 2 ] || eval \"exec $fd>&-\"; done; echo ready "
                           "$$; read code; env -i \"$O8LOCK\" -- echo inside; "
                           "echo \"code $?\"; read code")}),
      In(repo.path()));
  KillWrapper(run, repo);
  run.process().Write("0\n");
  run.process().WaitForOutput("inside\ncode 0\n");
  ExpectRefused(repo.path(), run.pid());
  run.process().Write("0\n");
  WaitForEnd(run.command_pid());
  ExpectRuns(repo.path());
  ExpectNothingLeft(repo);
}

class ViewTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(View());
    fuse_ =
        std::make_unique<Process>(Argv{"bindfs", "-f", repo_.path(), View()});
    WaitUntil("mounted, or not to be",
              [this] { return IsMounted() || StateIs(fuse_->pid(), 'Z'); });
    if (!IsMounted()) {
      GTEST_SKIP() << "needs bindfs, and permission for FUSE";
    }
  }
  void TearDown() override {
    if (IsMounted()) {
      EXPECT_EQ(RunToEnd({"umount", View()}), Exited(0));
      fuse_->Wait();
    }
  }
  std::string View() const { return dir_.File("view"); }
  bool IsMounted() const { return Exists(View() + "/.git"); }
  static bool StateIs(pid_t pid, char state) {
    const std::string stat = Contents(absl::StrCat("/proc/", pid, "/stat"));
    return stat[stat.rfind(')') + 2] == state;
  }

  const Repository repo_;
  const TempDir dir_;
  std::unique_ptr<Process> fuse_;
};

TEST_F(ViewTest, ARunIsSeenThroughFuseInBothDirections) {
  const std::string places[] = {repo_.path(), View()};
  for (const int run_at : {0, 1}) {
    for (const char* publish : kPublish) {
      for (const char* other : kPublish) {
        SCOPED_TRACE(absl::StrCat(run_at, publish, other));
        Guarded run(places[run_at], {publish});
        ExpectRefused(places[1 - run_at], run.pid(), {other});
        EXPECT_EQ(run.Finish(), Exited(0));
        ExpectRuns(places[1 - run_at]);
      }
    }
  }
}

// --- A copy ---

TEST(CopyTest, MadeOfHardLinksSharesNothingButTheLivingRun) {
  for (const bool during : {false, true}) {
    SCOPED_TRACE(during);
    const Repository repo;
    ExpectRuns(repo.path());
    const TempDir dir;
    const std::string copy = dir.File("copy");
    {
      std::optional<Guarded> run;
      if (during) run.emplace(repo.path());
      ASSERT_EQ(RunToEnd({"cp", "-al", repo.path(), copy}), Exited(0));
      if (during) {
        ExpectRefused(copy, run->pid());
        ExpectRefused(repo.path(), run->pid());
        EXPECT_EQ(run->Finish(), Exited(0));
      }
    }
    Guarded run(copy);
    ExpectRuns(repo.path());
    EXPECT_EQ(run.Finish(), Exited(0));
  }
}

TEST(CopyTest, OfARepositoryIsFreeAndSaysNothingOfTheRun) {
  for (const char* publish : kPublish) {
    SCOPED_TRACE(publish);
    const Repository repo;
    const TempDir dir;
    Guarded run(repo.path(), {publish});
    std::filesystem::copy(repo.path(), dir.File("copy"),
                          std::filesystem::copy_options::recursive);
    const Result status = Call(O8lock({"status"}), dir.File("copy"));
    EXPECT_EQ(status.end, Exited(0));
    EXPECT_THAT(status.out, StartsWith("free\n"));
    EXPECT_THAT(status.out, Not(HasSubstr(absl::StrCat(run.pid()))));
    const Result start = Call(O8lock({"--", "echo", "ran"}), dir.File("copy"));
    EXPECT_EQ(start.end, Exited(0));
    EXPECT_EQ(start.out, "ran\n");
    EXPECT_EQ(start.err, "");
    EXPECT_FALSE(Exists(dir.File("copy/.claude/parallel.lock")));
    ExpectRefused(repo.path(), run.pid());
    EXPECT_EQ(run.Finish(), Exited(0));
    EXPECT_EQ(run.err(), "");
  }
}

TEST(CopyTest, OnAnotherFileSystemIsFreeToEverybody) {
  const Repository repo;
  const std::string copy = absl::StrCat("/dev/shm/o8lock.", getpid());
  Guarded run(repo.path());
  std::filesystem::copy(repo.path(), copy,
                        std::filesystem::copy_options::recursive);
  const Result status = Call(O8lock({"status"}), copy);
  EXPECT_EQ(status.end, Exited(0));
  EXPECT_THAT(status.out, StartsWith("free\n"));
  EXPECT_EQ(Call(O8lock({"--", "echo", "ran"}), copy).err, "");
  std::filesystem::remove_all(copy);
  ExpectRefused(repo.path(), run.pid());
  EXPECT_EQ(run.Finish(), Exited(0));
}

// --- Removed files ---

// Waits until `run` watches its lock.
void WaitUntilItWatches(const Guarded& run) {
  WaitUntil("the run watches", [&run] {
    for (const std::string& fd :
         Names(absl::StrCat("/proc/", run.pid(), "/fd"))) {
      std::error_code ignored;
      if (absl::StrContains(
              std::filesystem::read_symlink(
                  absl::StrCat("/proc/", run.pid(), "/fd/", fd), ignored)
                  .string(),
              "inotify")) {
        return true;
      }
    }
    return false;
  });
}

// Waits until a run has put its guard back. The record is written last, under
// the lock; between the file's creation and that a start would find it free.
void WaitForGuard(const std::string& guard) {
  WaitUntil("the guard is back",
            [&guard] { return Exists(guard) && !Contents(guard).empty(); });
}

TEST(GoneTest, AGuardIsPutBackAndLocked) {
  for (const char* publish : kPublish) {
    SCOPED_TRACE(publish);
    const Repository repo;
    Guarded run(repo.path(), {publish});
    WaitUntilItWatches(run);
    for (int round = 0; round < 3; ++round) {
      const bool with_directory = round != 1;
      Remove(with_directory ? repo.File(".git/o8lock") : repo.Guard());
      WaitForGuard(repo.Guard());
      ExpectRefused(repo.path(), run.pid(), {publish});
    }
    EXPECT_EQ(run.Finish(3), Exited(3));
    EXPECT_EQ(run.err(),
              Fill("o8lock: warning: '{REPO}/.git/o8lock/parallel.guard' was "
                   "removed during the run; o8lock restored it\n",
                   ValuesOf(repo)));
    ExpectNothingLeft(repo);
  }
}

// The command of the killed run keeps the lock by the record. Its inherited
// descriptor does not help: it refers to the removed guard.
TEST(GoneTest, AfterThatTheCommandOfAKilledRunStillHasTheLock) {
  const Repository repo;
  Guarded run(repo.path());
  WaitUntilItWatches(run);
  Remove(repo.File(".git/o8lock"));
  WaitForGuard(repo.Guard());
  KillWrapper(run, repo);
  ExpectRefused(repo.path(), run.pid());
  run.process().Write("0\n");
  WaitForEnd(run.command_pid());
  ExpectRuns(repo.path());
}

// Another run may start before the first one watches its lock. The first run
// reports the other one and removes nothing.
TEST(GoneTest, AGuardThatAnotherRunHasMadeIsItsOwn) {
  const Repository repo;
  Guarded run(repo.path(), {"--publish=never"});
  Remove(repo.File(".git/o8lock"));
  Guarded other(repo.path(), {"--publish=never"});
  WaitUntilItWatches(run);
  run.process().WaitForError(
      Fill("o8lock: warning: '{REPO}/.git/o8lock/parallel.guard' was removed "
           "during the run, and another run created it again\n"
           "o8lock: hint: both runs are in progress; see: o8lock status\n",
           ValuesOf(repo)));
  EXPECT_EQ(run.Finish(), Exited(0));
  ExpectRefused(repo.path(), other.pid());
  EXPECT_EQ(other.Finish(), Exited(0));
  ExpectNothingLeft(repo);
}

// --- A moved repository ---

TEST(MovedTest, TheRunFollowsItAndDoesNothingToWhatTakesItsPlace) {
  for (const bool watches : {false, true}) {
    SCOPED_TRACE(watches);
    const TempDir dir;
    const std::string path = dir.File("repo");
    const std::string moved = dir.File("moved");
    Git(dir.path(), {"init", "--quiet", "repo"});
    ProcessOptions options = In(path);
    Guarded run(path);
    if (watches) WaitUntilItWatches(run);
    std::filesystem::rename(path, moved);
    Git(dir.path(), {"init", "--quiet", "repo"});
    std::filesystem::create_directory(path + "/.claude");
    ExpectRuns(path);
    const std::vector<std::string> before = Names(path + "/.claude");
    const std::vector<std::string> guard = Names(path + "/.git/o8lock");
    ExpectRefused(moved, run.pid());
    if (watches) {
      Remove(moved + "/.git/o8lock");
      WaitForGuard(moved + "/.git/o8lock/parallel.guard");
      ExpectRefused(moved, run.pid());
    }
    EXPECT_EQ(run.Finish(), Exited(0));
    EXPECT_THAT(Names(path + "/.claude"), IsEmpty());
    EXPECT_EQ(Names(path + "/.claude"), before);
    EXPECT_EQ(Names(path + "/.git/o8lock"), guard);
    EXPECT_FALSE(Exists(moved + "/.claude/parallel.lock"));
    EXPECT_EQ(Contents(moved + "/.git/o8lock/parallel.guard"), "");
  }
}

TEST(MovedTest, ADeletedRepositoryIsNotMadeAgain) {
  const TempDir dir;
  const std::string path = dir.File("repo");
  Git(dir.path(), {"init", "--quiet", "repo"});
  Guarded run(path);
  WaitUntilItWatches(run);
  // If the run puts a file back meanwhile, rm leaves it to the run.
  RunToEnd({"rm", "-rf", path});
  WaitUntil("the repository is gone",
            [&path] { return !Exists(path + "/.git"); });
  Git(dir.path(), {"init", "--quiet", "repo"});
  const std::vector<std::string> names = Names(path + "/.git");
  EXPECT_EQ(run.Finish(4), Exited(4));
  EXPECT_EQ(Names(path + "/.git"), names);
  EXPECT_FALSE(Exists(path + "/.claude"));
}

// --- An override ---

TEST(OverriddenRunTest, IsShownBesideItsOverrider) {
  const Repository repo;
  Guarded first(repo.path());
  Guarded second(repo.path(), {"--force", "--yes"});
  const std::string row =
      absl::StrCat("\nOverridden run: PID ", first.pid(), " (sh -c ");
  EXPECT_THAT(Call(O8lock({"status"}), repo.path()).out, HasSubstr(row));
  EXPECT_EQ(first.Finish(), Exited(0));
  EXPECT_THAT(Call(O8lock({"status"}), repo.path()).out, Not(HasSubstr(row)));
}

TEST(OverriddenRunTest, HasTheLockAgainWhenItsOverriderHasEnded) {
  for (const bool killed : {false, true}) {
    SCOPED_TRACE(killed);
    const Repository repo;
    Guarded run(repo.path());
    Guarded overrider(repo.path(), {"--force", "--yes"});
    ExpectRefused(repo.path(), overrider.pid());
    if (killed) {
      kill(overrider.command_pid(), SIGKILL);
      kill(overrider.pid(), SIGKILL);
      EXPECT_EQ(overrider.process().Wait(), Killed(SIGKILL));
      WaitForEnd(overrider.command_pid());
    } else {
      EXPECT_EQ(overrider.Finish(), Exited(0));
    }
    ExpectRefused(repo.path(), run.pid());
    const Result refused = Call(O8lock({"--", "true"}), repo.path());
    EXPECT_THAT(refused.err,
                HasSubstr(absl::StrCat("Evidence: process ", run.pid(),
                                       " is running, its lock was overridden"
                                       "\n")));
    Process waiter(O8lock({"--wait", "-q", "--", "echo", "ran"}),
                   In(repo.path()));
    EXPECT_EQ(run.Finish(), Exited(0));
    EXPECT_EQ(waiter.Wait(), Exited(0));
    EXPECT_EQ(waiter.out(), "ran\n");
    ExpectRuns(repo.path());
    ExpectNothingLeft(repo);
  }
}

// In a container the pids are different.
class ContainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!(RunToEnd(Contained({"true"})) == Exited(0))) {
      GTEST_SKIP() << "needs permission for a pid namespace";
    }
  }
  static Argv Contained(const Argv& argv) {
    Argv arguments = {"unshare", "--pid", "--fork", "--kill-child",
                      "--mount-proc"};
    arguments.insert(arguments.end(), argv.begin(), argv.end());
    return arguments;
  }
  const Repository repo_;
};

TEST_F(ContainerTest, AnOverriddenRunIsRememberedFromThere) {
  Guarded run(repo_.path());
  EXPECT_EQ(
      Call(Contained(O8lock({"--force", "--yes", "--", "true"})), repo_.path())
          .end,
      Exited(0));
  ExpectRefused(repo_.path(), run.pid());
  EXPECT_EQ(run.Finish(), Exited(0));
  ExpectRuns(repo_.path());
}

TEST_F(ContainerTest, AnOverriddenRunInThereIsRemembered) {
  Guarded run(Contained(O8lock({"--", "sh", "-c", Guarded::kScript})),
              In(repo_.path()));
  EXPECT_EQ(Call(O8lock({"--force", "--yes", "--", "true"}), repo_.path()).end,
            Exited(0));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo_.path()).end, Exited(75));
  EXPECT_EQ(Call(O8lock({"status"}), repo_.path()).end, Exited(75));
  EXPECT_EQ(run.Finish(), Exited(0));
  ExpectRuns(repo_.path());
  ExpectNothingLeft(repo_);
}

TEST_F(ContainerTest, ACommandInThereWithoutItsDescriptorsIsSeen) {
  MakeFile(repo_.File("closing"),
           "for fd in /proc/self/fd/*; do fd=${fd##*/}; [ $fd -le 2 ] || eval "
           "\"exec $fd>&-\"; done; echo ready; exec sleep 1000\n");
  ProcessOptions options = In(repo_.path());
  options.input = ProcessOptions::Stdin::kPipe;
  // The shell, the first process of the namespace, outlives the wrapper.
  Process run(Contained(Shell("\"$O8LOCK\" -- bash closing & read line; "
                              "kill -9 $!; echo killed; read line")),
              options);
  run.WaitForOutput("ready\n");
  WaitForCommandInRecord(repo_);
  run.Write("\n");
  run.WaitForOutput("killed\n");
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo_.path()).end, Exited(75));
  run.Signal(SIGKILL);
  run.Wait();
  WaitUntil("all in there has ended", [this] {
    return Call(O8lock({"--", "true"}), repo_.path()).end == Exited(0);
  });
}

TEST(OverriddenRunTest, AreAllRemembered) {
  const Repository repo;
  Guarded first(repo.path());
  Guarded second(repo.path(), {"--force", "--yes"});
  Guarded third(repo.path(), {"--force", "--yes"});
  EXPECT_EQ(third.Finish(), Exited(0));
  ExpectRefused(repo.path(), second.pid());
  EXPECT_EQ(second.Finish(), Exited(0));
  ExpectRefused(repo.path(), first.pid());
  EXPECT_EQ(first.Finish(), Exited(0));
  ExpectRuns(repo.path());
  ExpectNothingLeft(repo);
}

TEST(OverriddenRunTest, IsRememberedWhereNothingIsKnownOfIt) {
  if (!CanHideProc()) GTEST_SKIP() << "cannot run o8lock without /proc";
  const Repository repo;
  Guarded run(repo.path());
  const auto call_without_proc = [&repo](const std::string& arguments) {
    return Call({"unshare", "--mount", "sh", "-c",
                 "mount -t tmpfs none /proc; \"$O8LOCK\" " + arguments},
                repo.path())
        .end;
  };
  EXPECT_EQ(call_without_proc("--force --yes -- true"), Exited(0));
  ExpectRefused(repo.path(), run.pid());
  EXPECT_EQ(call_without_proc("unlock --yes"), Exited(0));
  ExpectRuns(repo.path());
}

TEST(OverriddenRunTest, IsForgottenByUnlock) {
  const Repository repo;
  Guarded run(repo.path());
  EXPECT_EQ(Call(O8lock({"unlock", "--yes"}), repo.path()).end, Exited(0));
  ExpectRuns(repo.path());
  EXPECT_EQ(run.Finish(), Exited(0));
  ExpectNothingLeft(repo);
}

// --- Another boot ---

TEST(RebootTest, IsNoMachineOfAnotherNameOnALocalFileSystem) {
  const Repository repo;
  repo.MakeGuard(R"({"pid":1,"startedAt":"2026-02-25T10:30:00Z","features":[],)"
                 R"("host":"c0ffee123456","bootId":"another","token":"t"})");
  const Result start = Call(O8lock({"--", "echo", "ran"}), repo.path());
  EXPECT_EQ(start.end, Exited(0));
  EXPECT_EQ(start.out, "ran\n");
  EXPECT_THAT(start.err, StartsWith("Warning: Found stale lock file (PID 1 "));
  ExpectNothingLeft(repo);
}

TEST(RebootTest, IsNotSaidWhereTheBootIsUnknown) {
  if (!CanHideProc()) GTEST_SKIP() << "cannot run o8lock without /proc";
  const Repository repo;
  const std::string script =
      "mount -t tmpfs none /proc; \"$O8LOCK\" -- sh -c '\"$O8LOCK\" status; "
      "echo $?; env -u O8LOCK_RUN \"$O8LOCK\" status --json; :'";
  const Result run =
      Call({"unshare", "--mount", "sh", "-c", script}, repo.path());
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_THAT(run.out, StartsWith("held (PID: "));
  EXPECT_THAT(run.out, Not(HasSubstr("anew")));
  EXPECT_THAT(run.out, Not(HasSubstr("earlierBoot")));
}

}  // namespace
}  // namespace o8lock
