// SPDX-License-Identifier: Apache-2.0
#include "hooks/self_test.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hooks/files.h"
#include "hooks/git.h"
#include "hooks/hook_call.h"
#include "hooks/hooks_state.h"
#include "hooks/layout.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/lock_status.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// The path of the self-test's own files.
std::string SelfTestPath(const Location& location) {
  return absl::StrCat(OwnDirectory(location), "/", kSelfTest, getpid());
}

// Holds the lock of `location` until the pipe `end` is closed. Writes to
// `ready` once this process, or another, holds the lock.
void HoldLock(const Location& location, const Fd& ready, const Fd& end) {
  AcquireOptions options;
  options.unpublished = [] { return "o8lock tests the hooks"; };
  options.command = {"o8lock", "hooks", "install"};
  const absl::StatusOr<Lock> lock = Lock::Acquire(location, options);
  char byte = '\0';
  if (write(ready.get(), &byte, 1) < 0) return;
  while (read(end.get(), &byte, 1) < 0 && errno == EINTR) {
  }
}

// Calls `body` while a process that is not an ancestor of its children holds
// the lock of `location`. If another process holds the lock already, that one
// serves.
absl::Status UnderAnotherRunsLock(const Location& location,
                                  absl::FunctionRef<absl::Status()> body) {
  O8LOCK_ASSIGN_OR_RETURN(Pipe ready, MakePipe());
  O8LOCK_ASSIGN_OR_RETURN(Pipe end, MakePipe());
  const pid_t holder = fork();
  if (holder < 0) return absl::ErrnoToStatus(errno, "cannot start a process");
  if (holder == 0) {
    end.write.Close();
    HoldLock(location, ready.write, end.read);
    _exit(0);
  }
  ready.write.Close();
  char byte;
  while (read(ready.read.get(), &byte, 1) < 0 && errno == EINTR) {
  }
  absl::Status status = body();
  end.write.Close();
  while (waitpid(holder, nullptr, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// Tries to add a worktree; the hooks must refuse it. Returns
// kFailedPrecondition if they do not.
absl::Status TryAdd(const Location& location) {
  const std::string worktree = SelfTestPath(location);
  O8LOCK_ASSIGN_OR_RETURN(const Pipe report, MakePipe());
  // The hook inherits the write end. The read must not wait for its end: a
  // daemon of git's may keep it open.
  if (fcntl(report.write.get(), F_SETFD, 0) != 0 ||
      fcntl(report.read.get(), F_SETFL, O_NONBLOCK) != 0) {
    return absl::ErrnoToStatus(errno, "cannot prepare a pipe");
  }
  O8LOCK_ASSIGN_OR_RETURN(
      const ProgramResult add,
      RunGit(location,
             {"worktree", "add", "--detach", "--no-checkout", worktree},
             {absl::StrCat(kRefusalFdVariable, "=", report.write.get())}));
  if (add.exit_code == 0) {
    O8LOCK_RETURN_IF_ERROR(
        AskGit(location, {"worktree", "remove", "--force", worktree}).status());
    return absl::FailedPreconditionError(
        "self-test failed: git did not refuse a worktree during another run: "
        "it does not call the hook");
  }
  char byte;
  if (read(report.read.get(), &byte, 1) == 1) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("self-test failed: git worktree add failed for a reason "
                   "other than the hook: ",
                   absl::StripTrailingAsciiWhitespace(add.err)));
}

// Creates a hook, points core.hooksPath to its directory, and makes git call it
// as it calls the user's hooks while o8lock's are armed. Returns
// kFailedPrecondition if the hook was not called.
absl::Status TryUsersHook(const Location& location, Mechanism mechanism) {
  // A hook that starts no other command of the user's and works without
  // Perforce.
  constexpr char kHook[] = "p4-post-changelist";
  constexpr int kCalled = 42;
  const std::string directory = SelfTestPath(location);
  const absl::Cleanup remove = [&directory] {
    RemoveTree(directory).IgnoreError();
  };
  O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(directory));
  const std::string hook = absl::StrCat(directory, "/", kHook);
  O8LOCK_RETURN_IF_ERROR(
      PutFile(hook, absl::StrCat("#!/bin/sh\nexit ", kCalled, "\n"), 0755));
  // The directory is mounted noexec. Hooks that are settings need no file
  // there.
  if (!IsExecutable(hook)) return absl::OkStatus();
  std::vector<std::string> arguments = {"-c", "core.hooksPath=" + directory};
  if (mechanism == Mechanism::kConfig) {
    arguments.insert(arguments.end(), {"hook", "run", kHook});
  } else {
    arguments.insert(
        arguments.end(),
        {"-c", "alias.o8lock-self-test=!f() { \"$1\"; }; f", "o8lock-self-test",
         absl::StrCat(OwnHooks(location), "/", kHook)});
  }
  O8LOCK_ASSIGN_OR_RETURN(const ProgramResult result,
                          RunGit(location, arguments));
  if (result.exit_code == kCalled) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "self-test failed: git did not call a user hook during a run: exit "
      "code ",
      result.exit_code, ", ", absl::StripTrailingAsciiWhitespace(result.err)));
}

}  // namespace

absl::StatusOr<SelfTest> TestHooks(const Location& location,
                                   Mechanism mechanism,
                                   const std::vector<std::string>& own_tokens) {
  const absl::StatusOr<ProgramResult> head =
      RunGit(location, {"rev-parse", "--quiet", "--verify", "HEAD"});
  if (head.ok() && head->exit_code != 0) return SelfTest::kNoCommit;
  const absl::StatusOr<LockStatus> found = Inspect(location, own_tokens);
  if (found.ok() && found->own) return SelfTest::kInside;
  O8LOCK_RETURN_IF_ERROR(UnderAnotherRunsLock(location, [&] {
    O8LOCK_RETURN_IF_ERROR(TryAdd(location));
    return TryUsersHook(location, mechanism);
  }));
  return SelfTest::kDone;
}

}  // namespace o8lock
