// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/hooks_command.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/decision.h"
#include "hooks/git.h"
#include "hooks/hook_call.h"
#include "hooks/installation.h"
#include "hooks/self_test.h"
#include "lock/file.h"
#include "lock/inspection.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/process.h"
#include "lock/status.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/find_command.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/hooks_text.h"
#include "tools/cli/locate.h"
#include "tools/cli/options.h"
#include "tools/cli/output.h"
#include "tools/cli/refusal_text.h"
#include "tools/cli/text.h"

namespace o8lock {
namespace {

constexpr int kPass = 0;
constexpr int kRefuse = 1;

// Where the user is.
constexpr char kHere[] = ".";

int FailHooks(const absl::Status& error, absl::string_view hint) {
  switch (error.code()) {
    case absl::StatusCode::kUnimplemented:
      return Fail(error.message(), "install git 2.29 or newer", kOsError);
    case absl::StatusCode::kFailedPrecondition:
      return Fail(error.message(), hint, kOsError);
    default:
      return Fail(error.message(), hint, kCannotCreate);
  }
}

// How the user calls this program, which is the file `program`.
std::string Name(const std::string& program) {
  return FindCommand("o8lock").ok() ? "o8lock" : program;
}

// This program by the path that it was called by, which may be a stable link to
// a file that goes with the next version; empty: it cannot be told.
std::string ProgramAsCalled() {
  std::string program = OwnProgram();
  const std::vector<std::string> words = CommandOf(getpid());
  if (words.empty()) return program;
  const absl::StatusOr<std::string> called = FindCommand(words[0]);
  char directory[PATH_MAX];
  if (!called.ok() || getcwd(directory, sizeof(directory)) == nullptr) {
    return program;
  }
  absl::string_view relative = *called;
  while (absl::ConsumePrefix(&relative, "./")) {
  }
  std::string path = JoinPath(directory, relative);
  return Canonical(path).value_or("") == program ? path : program;
}

// Where the self-test has its own files.
std::string SelfTestPath(const Location& location) {
  return absl::StrCat(location.common_dir, "/o8lock/self-test-", getpid());
}

// Has the lock of `location` until the pipe `end` is closed, and tells through
// `ready` when it is so, or when another has it.
void HoldLock(const Location& location, const Fd& ready, const Fd& end) {
  AcquireOptions options;
  options.unpublished = "it tests the hooks";
  options.command = {"o8lock", "hooks", "install"};
  const absl::StatusOr<Lock> lock = Lock::Acquire(location, options);
  char byte = '\0';
  if (write(ready.get(), &byte, 1) < 0) return;
  while (read(end.get(), &byte, 1) < 0 && errno == EINTR) {
  }
}

// Calls `body` while a process that is no ancestor of its children has the lock
// of `location`; if another has it already, while that does.
absl::Status UnderForeignLock(const Location& location,
                              absl::FunctionRef<absl::Status()> body) {
  int ready[2];
  int end[2];
  if (pipe2(ready, O_CLOEXEC) != 0) {
    return absl::ErrnoToStatus(errno, "make a pipe");
  }
  const Fd ready_read(ready[0]);
  Fd ready_write(ready[1]);
  if (pipe2(end, O_CLOEXEC) != 0) {
    return absl::ErrnoToStatus(errno, "make a pipe");
  }
  const Fd end_read(end[0]);
  Fd end_write(end[1]);
  const pid_t holder = fork();
  if (holder < 0) return absl::ErrnoToStatus(errno, "start a process");
  if (holder == 0) {
    end_write.Close();
    HoldLock(location, ready_write, end_read);
    _exit(0);
  }
  ready_write.Close();
  char byte;
  while (read(ready_read.get(), &byte, 1) < 0 && errno == EINTR) {
  }
  absl::Status status = body();
  end_write.Close();
  while (waitpid(holder, nullptr, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// Tries to add a worktree that has to be refused. kFailedPrecondition: it was
// not.
absl::Status TryAdd(const Location& location) {
  const std::string worktree = SelfTestPath(location);
  O8LOCK_ASSIGN_OR_RETURN(const ProgramResult add,
                          RunGit(location, {"worktree", "add", "--detach",
                                            "--no-checkout", worktree}));
  if (add.exit_code == 0) {
    O8LOCK_RETURN_IF_ERROR(
        AskGit(location, {"worktree", "remove", "--force", worktree}).status());
    return absl::FailedPreconditionError(
        "a worktree under a foreign lock was not refused: git does not call "
        "the hook");
  }
  if (absl::StrContains(add.err, kWorktreeRefused)) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("git failed for another reason than the hook: ", add.err));
}

// The self-test's lines for users.
absl::StatusOr<std::string> SelfTest(
    const Location& location, Mechanism mechanism,
    const std::vector<std::string>& own_tokens) {
  constexpr absl::string_view kSelfTest = "o8lock: self-test: ";
  const absl::StatusOr<ProgramResult> head =
      RunGit(location, {"rev-parse", "--quiet", "--verify", "HEAD"});
  if (head.ok() && head->exit_code != 0) {
    return absl::StrCat(kSelfTest, "not done: there is no commit yet\n");
  }
  const absl::StatusOr<Inspection> found = Inspect(location, own_tokens);
  if (found.ok() && found->own) {
    return absl::StrCat(kSelfTest, "not done: this is inside the run\n");
  }
  O8LOCK_RETURN_IF_ERROR(UnderForeignLock(location, [&] {
    O8LOCK_RETURN_IF_ERROR(TryAdd(location));
    return TryUsersHook(location, mechanism, SelfTestPath(location));
  }));
  return absl::StrCat(
      kSelfTest, "a user's hook was called while the lock was taken: ok\n",
      kSelfTest, "a worktree under a foreign lock was refused: ok\n");
}

int Install(const Location& location,
            const std::vector<std::string>& own_tokens) {
  const std::string program = ProgramAsCalled();
  if (program.empty()) {
    return Fail("it cannot be told which file this program is",
                "start it by its path", kOsError);
  }
  std::string tested;
  const auto test = [&](const HooksState& state) -> absl::Status {
    O8LOCK_ASSIGN_OR_RETURN(tested,
                            SelfTest(location, state.mechanism, own_tokens));
    return absl::OkStatus();
  };
  const absl::StatusOr<HooksState> state =
      InstallHooks(location, kHere, program, test);
  if (!state.ok()) {
    return FailHooks(
        state.status(),
        absl::StrCat(
            "the hooks are as they were before; ",
            access((location.common_dir + "/config.lock").c_str(), F_OK) == 0
                ? absl::StrCat(
                      "if no git command is at work: ",
                      ShellQuoted({"rm", location.common_dir + "/config.lock"}))
                : "see: o8lock hooks status"));
  }
  Print(STDOUT_FILENO, HooksInstalledText(*state, Name(state->program)));
  Print(STDOUT_FILENO, tested);
  return kSuccess;
}

int Uninstall(const Location& location) {
  const absl::StatusOr<Inspection> found = Inspect(location, {});
  if (found.ok() && found->verdict > Verdict::kStale) {
    return Fail("a run has the lock, and git may be about to call its hooks",
                "wait for it to complete; see: o8lock status", kRefused);
  }
  const absl::Status status = UninstallHooks(location);
  if (absl::IsAborted(status)) {
    return FailHooks(status,
                     "the hooks are removed; put that file where you want it");
  }
  if (absl::IsAlreadyExists(status)) {
    Tell(absl::StrCat("o8lock: warning: ", Printable(status.message()), "\n"));
  } else if (!status.ok()) {
    return FailHooks(status, "try again; see: o8lock hooks status");
  }
  Print(STDOUT_FILENO, "o8lock: hooks removed\n");
  const std::string left = location.common_dir + "/o8lock";
  if (access(left.c_str(), F_OK) == 0) {
    std::string text =
        absl::StrCat("o8lock: the lock's own files stay: ", Printable(left));
    if (!location.main_worktree.empty()) {
      absl::StrAppend(&text, ", and its lines in ",
                      Printable(location.common_dir), "/info/exclude");
    }
    Print(STDOUT_FILENO, text + "\n");
  }
  return kSuccess;
}

int Status(const Location& location, bool json) {
  const absl::StatusOr<HooksState> state = LookAtHooks(location, kHere);
  if (!state.ok()) {
    return FailHooks(state.status(), "git has to work here first");
  }
  Print(STDOUT_FILENO, json ? HooksStatusJson(*state)
                            : HooksStatusText(*state, Name(state->program)));
  if (!state->installed) return kNotInstalled;
  return Guards(*state) ? kSuccess : kOsError;
}

// The call of a hook that this process is.
HookCall ReadHookCall(const std::string& name,
                      const std::vector<std::string>& args,
                      const std::vector<std::string>& own_tokens) {
  HookCall call;
  call.event = name;
  call.args = args;
  call.own_tokens = own_tokens;
  call.parent_pid = getppid();
  if (const char* git_dir = getenv("GIT_DIR"); git_dir != nullptr) {
    call.git_dir = git_dir;
  }
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof(directory)) != nullptr) {
    call.directory = directory;
  }
  const char* allow = getenv(kAllowVariable);
  call.allowed =
      allow != nullptr && *allow != '\0' && absl::string_view(allow) != "0";
  return call;
}

}  // namespace

int RunHook(const std::string& name, const std::vector<std::string>& args,
            const std::vector<std::string>& own_tokens) {
  const absl::StatusOr<std::optional<Refused>> refused =
      Decide(ReadHookCall(name, args, own_tokens));
  if (!refused.ok()) {
    return Fail(refused.status().message(),
                name == kPostCheckout.name ? "see: o8lock doctor" : HookHint(),
                kRefuse);
  }
  if (!refused->has_value()) return kPass;
  Tell(WorktreeRefusedText(**refused, Name(OwnProgram()),
                           isatty(STDERR_FILENO) == 1, GetNow()));
  return kRefuse;
}

int HooksCommand(const Options& options) {
  const absl::StatusOr<Location> location = LocateLock(options);
  if (!location.ok()) return FailToLocate(location.status());
  if (location->armed.empty()) {
    return Fail("the hooks are a git repository's, for the lock 'parallel'",
                "go to a repository first; --name and --lock-file are not for "
                "hooks",
                kUsage);
  }
  switch (options.action) {
    case Action::kHooksInstall:
      return Install(*location, OwnTokens());
    case Action::kHooksUninstall:
      return Uninstall(*location);
    default:
      return Status(*location, options.json);
  }
}

}  // namespace o8lock
