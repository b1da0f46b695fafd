// SPDX-License-Identifier: Apache-2.0
#include "hooks/decision.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "hooks/hook_call.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

// A process that holds the lock of `location`. It is not an ancestor of the
// processes the test starts.
class Holder {
 public:
  explicit Holder(const Location& location) {
    const Pipe ready = MakePipe().value();
    pid_ = fork();
    if (pid_ == 0) {
      const absl::StatusOr<Lock> lock = Lock::Acquire(location, {});
      const char ok = lock.ok() ? 'y' : 'n';
      if (write(ready.write.get(), &ok, 1) == 1) pause();
      _exit(0);
    }
    char ok = '\0';
    EXPECT_EQ(read(ready.read.get(), &ok, 1), 1);
    EXPECT_EQ(ok, 'y');
  }
  ~Holder() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Holder(const Holder&) = delete;  // Two owners would kill it twice.
  Holder& operator=(const Holder&) = delete;

 private:
  pid_t pid_;
};

// A repository, and a program called git: a shell running its first argument as
// a script.
class DecisionTest : public testing::Test {
 protected:
  DecisionTest() {
    for (const char* name : {"repo/.git/objects", "repo/.git/refs", "bin"}) {
      std::filesystem::create_directories(directory_.File(name));
    }
    MakeFile(directory_.File("repo/.git/HEAD"), "ref: refs/heads/main\n");
    MakeFile(directory_.File("bin/git"), Contents("/bin/sh"), 0755);
    for (const char* command : {"worktree", "commit"}) {
      MakeFile(directory_.File("bin/") + command, "echo at work\nread line\n");
    }
  }

  std::string Repository() const { return directory_.File("repo"); }

  Location Located() const {
    LocateOptions options;
    options.directory = Repository();
    return *Locate(options);
  }

  // Starts `git ARGUMENTS...`. The fixture ends it.
  Process& StartGit(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), directory_.File("bin/git"));
    ProcessOptions options;
    options.input = ProcessOptions::Stdin::kPipe;
    options.directory = directory_.File("bin");
    git_.emplace(arguments, options);
    git_->WaitForOutput("at work");
    return *git_;
  }
  Process& StartAdd() { return StartGit({"worktree", "add", "../x"}); }

  // A call of reference-transaction by the command `pid`.
  HookCall Call(int pid) const {
    HookCall call;
    call.event = "reference-transaction";
    call.args = {"preparing"};
    call.directory = Repository();
    call.git_dir = ".git";
    call.parent_pid = pid;
    return call;
  }

  static bool IsRefused(const HookCall& call) {
    const absl::StatusOr<std::optional<Refused>> refused = Decide(call);
    EXPECT_TRUE(refused.ok()) << refused.status();
    return refused.ok() && refused->has_value();
  }

 private:
  TempDir directory_;
  std::optional<Process> git_;
};

TEST_F(DecisionTest, RefusesAnAddUnderTheLockOfAnotherRun) {
  const Holder holder(Located());
  const Process& add = StartAdd();
  const absl::StatusOr<std::optional<Refused>> refused =
      Decide(Call(add.pid()));
  ASSERT_TRUE(refused.ok() && refused->has_value()) << refused.status();
  EXPECT_EQ((*refused)->add.pid, add.pid());
  EXPECT_EQ((*refused)->found.state, LockState::kHeld);
  EXPECT_FALSE((*refused)->rolled_back.has_value());
}

TEST_F(DecisionTest, PassesAnAddWhileTheLockIsFree) {
  EXPECT_FALSE(IsRefused(Call(StartAdd().pid())));
}

TEST_F(DecisionTest, PassesAnAddThatIsAllowed) {
  const Holder holder(Located());
  HookCall call = Call(StartAdd().pid());
  call.allowed = true;
  EXPECT_FALSE(IsRefused(call));
}

TEST_F(DecisionTest, PassesAHookThatItDoesNotKnow) {
  const Holder holder(Located());
  HookCall call = Call(StartAdd().pid());
  for (const char* event : {"", "pre-commit", "reference-transactions"}) {
    call.event = event;
    EXPECT_FALSE(IsRefused(call)) << event;
  }
}

TEST_F(DecisionTest, PassesAHookWithoutItsArguments) {
  const Holder holder(Located());
  HookCall call = Call(StartAdd().pid());
  call.args = {};
  EXPECT_FALSE(IsRefused(call));
  call.event = "post-checkout";
  EXPECT_FALSE(IsRefused(call));
  call.args = {"one"};
  EXPECT_FALSE(IsRefused(call));
}

TEST_F(DecisionTest, RefusesOnlyInStatesInWhichNothingIsThere) {
  const Holder holder(Located());
  HookCall call = Call(StartAdd().pid());
  for (const char* state : {"committed", "aborted", ""}) {
    call.args = {state};
    EXPECT_FALSE(IsRefused(call)) << state;
  }
  call.args = {"prepared"};
  EXPECT_TRUE(IsRefused(call));
}

TEST_F(DecisionTest, PassesWithoutAnAddAmongTheAncestors) {
  const Holder holder(Located());
  for (const int pid : {0, 1, static_cast<int>(getpid()),
                        static_cast<int>(StartGit({"commit", "add"}).pid())}) {
    HookCall call = Call(pid);
    EXPECT_FALSE(IsRefused(call)) << pid;
    call.event = "post-checkout";
    call.args = {"one", "two", "1"};
    EXPECT_FALSE(IsRefused(call)) << pid;
  }
}

TEST_F(DecisionTest, PassesInsideTheRun) {
  const Holder holder(Located());
  HookCall call = Call(StartAdd().pid());
  call.own_tokens = {"another"};
  EXPECT_TRUE(IsRefused(call));
  const absl::StatusOr<LockStatus> found = Inspect(Located(), {});
  ASSERT_TRUE(found.ok() && found->holder.has_value()) << found.status();
  call.own_tokens.push_back(found->holder->token);
  EXPECT_FALSE(IsRefused(call));
}

TEST_F(DecisionTest, PassesADescendantOfTheRun) {
  const absl::StatusOr<Lock> lock = Lock::Acquire(Located(), {});
  ASSERT_TRUE(lock.ok()) << lock.status();
  const HookCall call = Call(StartAdd().pid());
  const pid_t hook = fork();
  if (hook == 0) _exit(IsRefused(call) ? 1 : 0);
  int status = -1;
  waitpid(hook, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(DecisionTest, PassesAnAddThatBeganBeforeTheLockWasTaken) {
  const Process& add = StartAdd();
  // The start of a process is known in ticks.
  for (const Ticks begun = NowTicks(); NowTicks() < begun + 2;) {
  }
  const Holder holder(Located());
  EXPECT_FALSE(IsRefused(Call(add.pid())));
}

TEST_F(DecisionTest, FindsTheRepositoryByTheCallOnly) {
  const Holder holder(Located());
  HookCall call = Call(StartAdd().pid());
  setenv("GIT_DIR", "/nowhere", 1);
  setenv("O8LOCK_ALLOW", "1", 1);
  for (const std::string& git_dir :
       {std::string(".git"), Repository() + "/.git", std::string()}) {
    call.git_dir = git_dir;
    EXPECT_TRUE(IsRefused(call)) << git_dir;
  }
  unsetenv("GIT_DIR");
  unsetenv("O8LOCK_ALLOW");
}

TEST_F(DecisionTest, FailsForAnAddOnlyWhereThereIsNoRepository) {
  HookCall call = Call(StartAdd().pid());
  call.git_dir = "nowhere";
  EXPECT_TRUE(absl::IsFailedPrecondition(Decide(call).status()));
  call.parent_pid = 1;
  EXPECT_FALSE(IsRefused(call));
}

}  // namespace
}  // namespace o8lock
