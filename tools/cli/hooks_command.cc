// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/hooks_command.h"

#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/decision.h"
#include "hooks/hook_call.h"
#include "hooks/installation.h"
#include "hooks/self_test.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/status.h"
#include "tools/cli/caller.h"
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

// The user's directory.
constexpr char kHere[] = ".";

int FailHooks(const absl::Status& error, absl::string_view hint) {
  switch (error.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kUnimplemented:
      return Fail(error.message(), "install git 2.29 or newer", kOsError);
    case absl::StatusCode::kFailedPrecondition:
      return Fail(error.message(), hint, kOsError);
    default:
      return Fail(error.message(), hint, kCannotCreate);
  }
}

// Returns the command the user types for this program, the file `program`.
std::string Name(const std::string& program) {
  return program.empty() || FindCommand("o8lock").ok() ? "o8lock" : program;
}

// Returns this program's path as it was called. That may be a stable link to a
// file the next version removes. Empty if the path is unknown.
std::string ProgramAsCalled() {
  std::string program = OwnProgram();
  const std::vector<std::string> arguments = CommandOf(getpid());
  if (arguments.empty()) return program;
  const absl::StatusOr<std::string> called = FindCommand(arguments[0]);
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

// Returns the self-test's lines for users.
absl::StatusOr<std::string> SelfTestText(
    const Location& location, Mechanism mechanism,
    const std::vector<std::string>& own_tokens) {
  constexpr absl::string_view kSelfTest = "o8lock: self-test: ";
  O8LOCK_ASSIGN_OR_RETURN(const SelfTest test,
                          TestHooks(location, mechanism, own_tokens));
  switch (test) {
    case SelfTest::kNoCommit:
      return absl::StrCat(
          kSelfTest, "skipped, because the repository has no commit yet\n");
    case SelfTest::kInside:
      return absl::StrCat(kSelfTest,
                          "skipped, because this process is inside a run\n");
    case SelfTest::kDone:
      break;
  }
  return absl::StrCat(kSelfTest, "git called a user hook during a run: ok\n",
                      kSelfTest,
                      "git refused a worktree during another run: ok\n");
}

// Returns the hint for a failed installation. It does not say that nothing
// changed: an earlier installation may now have new files.
std::string NotInstalledHint(const Location& location) {
  const absl::StatusOr<HooksState> now = InspectHooks(location, kHere);
  absl::string_view hooks;
  if (now.ok()) {
    hooks = now->installed ? "o8lock's hooks are still installed; "
                           : "o8lock's hooks are not installed; ";
  }
  const std::string config_lock = location.common_dir + "/config.lock";
  if (access(config_lock.c_str(), F_OK) == 0) {
    return absl::StrCat(hooks, "if no git command is running: ",
                        ShellQuoted({"rm", config_lock}));
  }
  return absl::StrCat(hooks, "remove the cause, and run this again");
}

int Install(const Location& location,
            const std::vector<std::string>& own_tokens) {
  const std::string program = ProgramAsCalled();
  if (program.empty()) {
    return Fail("cannot find the program file of o8lock",
                "mount /proc; if the program file was replaced, run this again",
                kOsError);
  }
  std::string tested;
  const auto test = [&](const HooksState& state) -> absl::Status {
    O8LOCK_ASSIGN_OR_RETURN(
        tested, SelfTestText(location, state.mechanism, own_tokens));
    return absl::OkStatus();
  };
  const absl::StatusOr<HooksState> state =
      InstallHooks(location, kHere, program, test);
  if (!state.ok()) {
    return FailHooks(state.status(), NotInstalledHint(location));
  }
  PrintOut(HooksInstalledText(*state, Name(state->program)));
  PrintOut(tested);
  return kSuccess;
}

int Uninstall(const Location& location) {
  const absl::StatusOr<LockStatus> found = Inspect(location, {});
  if (found.ok() && found->state > LockState::kStale) {
    return Fail(
        "hooks not removed: a run may hold the lock, and git may still call "
        "them",
        absl::StrCat("wait for the run to end; see: ", OwnCommand("status")),
        kRefused);
  }
  const absl::Status status = UninstallHooks(location);
  if (absl::IsAborted(status)) {
    return FailHooks(status, "the hooks are removed; move this file yourself");
  }
  if (absl::IsAlreadyExists(status)) {
    PrintError(
        absl::StrCat("o8lock: warning: ", Printable(status.message()), "\n"));
  } else if (!status.ok()) {
    return FailHooks(
        status, absl::StrCat("try again; see: ", OwnCommand("hooks status")));
  }
  PrintOut("o8lock: hooks removed\n");
  const std::string left = location.common_dir + "/o8lock";
  if (access(left.c_str(), F_OK) == 0) {
    std::string text =
        absl::StrCat("o8lock: kept: the lock's own files in ", Printable(left));
    if (!location.main_worktree.empty()) {
      absl::StrAppend(&text, ", and its lines in ",
                      Printable(location.common_dir), "/info/exclude");
    }
    PrintOut(text + "\n");
  }
  return kSuccess;
}

int Status(const Location& location, bool json) {
  const absl::StatusOr<HooksState> state = InspectHooks(location, kHere);
  if (!state.ok()) {
    return FailHooks(state.status(), "make git work in this directory first");
  }
  PrintOut(json ? HooksStatusJson(*state)
                : HooksStatusText(*state, Name(state->program)));
  if (!state->installed) return kNotInstalled;
  return HooksAreEffective(*state) ? kSuccess : kOsError;
}

// Returns the hook call this process serves.
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

// Reports to the self-test, if it called git.
void ReportRefusal() {
  const char* variable = getenv(kRefusalFdVariable);
  int fd;
  if (variable != nullptr && absl::SimpleAtoi(variable, &fd)) {
    Print(fd, kRefusalReport);
  }
}

}  // namespace

int RunHook(const std::string& name, const std::vector<std::string>& args,
            const std::vector<std::string>& own_tokens) {
  const absl::StatusOr<std::optional<Refused>> refused =
      Decide(ReadHookCall(name, args, own_tokens));
  if (!refused.ok()) {
    PrintError(UndecidedText(name, refused.status().message(),
                             Name(OwnProgram()), isatty(STDERR_FILENO) == 1));
    return kRefuse;
  }
  if (!refused->has_value()) return kPass;
  PrintError(WorktreeRefusedText(**refused, Name(OwnProgram()),
                                 isatty(STDERR_FILENO) == 1, GetNow(),
                                 InColor(STDERR_FILENO)));
  ReportRefusal();
  return kRefuse;
}

int HooksCommand(const Options& options) {
  const absl::StatusOr<Location> location = LocateLock(options);
  if (!location.ok()) return FailToLocate(location.status());
  if (location->armed.empty()) {
    if (!options.lock_file.empty() || options.name != "parallel") {
      return Fail("hooks exist only for the lock 'parallel'",
                  "remove --name and --lock-file", kUsage);
    }
    return Fail("hooks need a git repository",
                "change to a directory of a repository", kUsage);
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
