// SPDX-License-Identifier: Apache-2.0
//
// Problems of o8lock itself must not end a command: messages without a reader,
// a limit on files or descriptors, a refused system call, keys and signals at
// any time.
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::HasSubstr;

// Returns bash -c SCRIPT with `argv` as "$@".
Argv Bash(const std::string& script, const Argv& argv) {
  Argv arguments = {"bash", "-c", script, "bash"};
  arguments.insert(arguments.end(), argv.begin(), argv.end());
  return arguments;
}

// Returns `argv` with a pipe without a reader as standard error.
Argv Unread(const Argv& argv) {
  return Bash(
      "mkfifo unread && exec 8<>unread 9>unread 8>&- && rm unread && "
      "exec \"$@\" 2>&9 9>&-",
      argv);
}

Argv Append(Argv argv, const Argv& more) {
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

// --- A message without a reader ---

TEST(UnreadTest, BeforeTheCommand) {
  const Repository repo;
  std::filesystem::create_directories(repo.File(".claude"));
  repo.MakeLockFile(ExternalLockFile(DeadPid(), "2026-02-25T10:30:00Z"));
  const Argv run = O8lock({"--", "echo", "ran"});
  const Result result = Call(Unread(run), repo.path());
  EXPECT_EQ(result.end, Exited(0));
  EXPECT_EQ(result.out, "ran\n");
  EXPECT_FALSE(Exists(repo.LockFile()));
}

TEST(UnreadTest, WhileTheCommandRuns) {
  const Repository repo;
  Guarded run(Unread(O8lock({"--", "sh", "-c", Guarded::kScript})),
              In(repo.path()));
  std::filesystem::remove(repo.LockFile());
  // The message and the repair happen together.
  WaitUntil("the lock file is back", [&] { return Exists(repo.LockFile()); });
  EXPECT_EQ(Call(O8lock({"--force", "--yes", "--", "true"}), repo.path()).end,
            Exited(0));
  EXPECT_EQ(run.Finish(7), Exited(7));
}

TEST(UnreadTest, WhileItWaits) {
  const Repository repo;
  Guarded holder(repo.path());
  Process waiter(Unread(O8lock({"--wait", "--", "echo", "ran"})),
                 In(repo.path()));
  // The second one is behind the first, and its message shows that.
  Process second(O8lock({"--wait", "--", "true"}), In(repo.path()));
  second.WaitForError("waiting for PID");
  EXPECT_EQ(holder.Finish(), Exited(0));
  EXPECT_EQ(waiter.Wait(), Exited(0));
  EXPECT_EQ(waiter.out(), "ran\n");
  EXPECT_EQ(second.Wait(), Exited(0));
}

TEST(UnreadTest, OfARefusalIsARefusal) {
  const Repository repo;
  Guarded holder(repo.path());
  EXPECT_EQ(Call(Unread(O8lock({"--", "echo", "ran"})), repo.path()).end,
            Exited(75));
  EXPECT_EQ(holder.Finish(), Exited(0));
}

TEST(UnreadTest, LeavesSigpipeToTheCommand) {
  const Repository repo;
  const Argv command = {"sh", "-c", "kill -PIPE $$; exit 3"};
  EXPECT_EQ(RunToEnd(Append(O8lock({"--"}), command), In(repo.path())),
            Killed(SIGPIPE));
  ProcessOptions options = In(repo.path());
  options.ignored = {SIGPIPE, SIGXFSZ};
  EXPECT_EQ(RunToEnd(Append(O8lock({"--"}), command), options), Exited(3));
}

// --- A limit ---

TEST(LimitTest, OfAFilesSizeIsAnErrorBeforeTheCommand) {
  if (IsSanitized()) GTEST_SKIP() << "not with a sanitizer";
  const Repository repo;
  const Result result =
      Call(Bash("ulimit -f 0; exec \"$@\"", O8lock({"--", "echo", "ran"})),
           repo.path());
  EXPECT_EQ(result.end, Exited(73));
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr(": File too large\n"));
}

// The record grows once the command's pid is known. For some of these lengths
// only that step exceeds the limit.
TEST(LimitTest, OfAFilesSizeThatTheRecordMeetsLaterEndsNoCommand) {
  if (IsSanitized()) GTEST_SKIP() << "not with a sanitizer";
  const Repository repo;
  int ran = 0;
  int refused = 0;
  for (int length = 0; length < 1024; length += 8) {
    const Result result =
        Call(Bash("ulimit -f 1; exec \"$@\"",
                  O8lock({"--publish=never", "--", "sh", "-c", "echo ran",
                          std::string(static_cast<size_t>(length), 'a')})),
             repo.path());
    SCOPED_TRACE(absl::StrCat(length, ": ", result.err));
    if (result.end == Exited(0)) {
      EXPECT_EQ(result.out, "ran\n");
      ++ran;
    } else {
      EXPECT_EQ(result.end, Exited(73));
      EXPECT_EQ(result.out, "");
      ++refused;
    }
  }
  EXPECT_GT(ran, 0);
  EXPECT_GT(refused, 0);
}

TEST(LimitTest, OfDescriptorsIsNoneForARun) {
  if (IsSanitized()) GTEST_SKIP() << "not with a sanitizer";
  const Repository repo;
  for (const int limit : {8, 10, 12}) {
    SCOPED_TRACE(limit);
    const std::string script =
        absl::StrCat("ulimit -n ", limit, "; exec \"$@\"");
    Guarded run(Bash(script, O8lock({"--", "sh", "-c", Guarded::kScript})),
                In(repo.path()));
    EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
    EXPECT_EQ(run.Finish(5), Exited(5));
    ExpectNothingLeft(repo);
  }
}

TEST(LimitTest, OfDescriptorsBelowThatIsAnErrorOrNone) {
  if (IsSanitized()) GTEST_SKIP() << "not with a sanitizer";
  for (const int limit : {3, 4, 5, 6, 7}) {
    SCOPED_TRACE(limit);
    const Repository repo;
    const Result result =
        Call(Bash(absl::StrCat("ulimit -n ", limit, "; exec \"$@\""),
                  O8lock({"--", "true"})),
             repo.path());
    if (!(result.end == Exited(0))) {
      EXPECT_THAT(result.err, HasSubstr(": Too many open files\n"));
    }
    if (Exists(repo.LockFile())) {
      EXPECT_THAT(result.err, HasSubstr(": Too many open files\n"));
    }
    EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(0));
  }
}

TEST(LimitTest, OfDescriptorsForNothingIsAnErrorWithoutALockToo) {
  if (IsSanitized()) GTEST_SKIP() << "not with a sanitizer";
  const Repository repo;
  const Result result =
      Call(Bash("ulimit -n 3; exec \"$@\"",
                O8lock({"--", "orchestr8", "parallel", "status"})),
           repo.path());
  EXPECT_EQ(result.end, Exited(71));
  EXPECT_EQ(
      result.err,
      "o8lock: error: cannot make a descriptor for signals: Too many open "
      "files\n"
      "o8lock: hint: nothing was run; close files or end processes, and try "
      "again\n");
}

// --- Signals ---

TEST(SignalSurvivalTest, ThoseThatTheCLibraryHidesAreTheCommandsToo) {
  for (const int signal : {32, 33}) {
    SCOPED_TRACE(signal);
    const Repository repo;
    Guarded run(repo.path());
    kill(run.pid(), signal);
    EXPECT_EQ(run.process().Wait(), Killed(signal));
    WaitForEnd(run.command_pid());
    ExpectNothingLeft(repo);
  }
}

// The first process of a pid namespace, as in a container.
TEST(SignalSurvivalTest, TermEndsTheWaitingOfTheFirstProcess) {
  const Argv contained = {"unshare", "--pid", "--fork", "--kill-child"};
  if (!(RunToEnd(Append(contained, {"true"})) == Exited(0))) {
    GTEST_SKIP() << "needs permission for a pid namespace";
  }
  const Repository repo;
  Guarded holder(repo.path());
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    SCOPED_TRACE(signal);
    Process waiter(Append(contained, O8lock({"--wait", "--", "echo", "ran"})),
                   In(repo.path()));
    waiter.WaitForError("waiting for PID");
    std::ifstream children(absl::StrCat("/proc/", waiter.pid(), "/task/",
                                        waiter.pid(), "/children"));
    pid_t first = 0;
    children >> first;
    kill(first, signal);
    EXPECT_EQ(waiter.Wait(), Exited(128 + signal));
    EXPECT_EQ(waiter.out(), "");
  }
  EXPECT_EQ(holder.Finish(), Exited(0));
}

// --- System calls refused by the kernel, through strace(1) ---

class RefusedCallTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (IsSanitized()) GTEST_SKIP() << "not with a sanitizer";
    if (!CanTrace()) {
      GTEST_SKIP() << "needs strace, and permission to trace";
    }
  }
  // Returns `argv` traced so that each `call` fails with EPERM.
  static Argv Without(const std::string& call, const Argv& argv) {
    return Append({"strace", "-qq", "-o", "/dev/null", "-e",
                   absl::StrCat("inject=", call, ":error=EPERM")},
                  argv);
  }
  const Repository repo_;
};

TEST_F(RefusedCallTest, WaitingForTheCommandEndsWithIt) {
  Guarded run(Without("wait4", O8lock({"--", "sh", "-c", Guarded::kScript})),
              In(repo_.path()));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo_.path()).end, Exited(75));
  EXPECT_EQ(run.Finish(0), Exited(71));
  EXPECT_EQ(
      run.err(),
      Fill("o8lock: error: cannot wait for PID {PID}: Operation not permitted\n"
           "o8lock: hint: the command ended, but its exit code is "
           "unknown; check its results\n",
           {{"PID", absl::StrCat(run.command_pid())}}));
  ExpectNothingLeft(repo_);
}

TEST_F(RefusedCallTest, WatchingSurvivingProcessesPolls) {
  Process run(Without("pidfd_open",
                      Locked({"--leftovers=wait", "-q"},
                             "mkfifo f; sh -c 'read x <f' & echo agent $!")),
              In(repo_.path()));
  const pid_t agent = ReadyPid(run, "agent ");
  WaitUntil("the command has ended", [&] {
    return Call(O8lock({"status"}), repo_.path()).end == Exited(75);
  });
  kill(agent, SIGKILL);
  EXPECT_EQ(run.Wait(), Exited(0));
  ExpectNothingLeft(repo_);
}

// --- A core dump ---

TEST(CoreDumpTest, IsToldAsNoShellCanShowIt) {
  if (IsSanitized()) GTEST_SKIP() << "not with a sanitizer";
  const Repository repo;
  const Argv dumps =
      Bash("ulimit -c \"$0\"; exec \"$@\"", Locked({}, "kill -SEGV $$"));
  for (const char* limit : {"unlimited", "0"}) {
    Argv argv = dumps;
    argv[3] = limit;
    const Result result = Call(argv, repo.path());
    EXPECT_EQ(result.end, Killed(SIGSEGV));
    EXPECT_EQ(result.err, absl::string_view(limit) == "0"
                              ? ""
                              : "o8lock: the command dumped core\n");
  }
}

}  // namespace
}  // namespace o8lock
