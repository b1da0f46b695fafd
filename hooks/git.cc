// SPDX-License-Identifier: Apache-2.0
#include "hooks/git.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/hook_call.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/process.h"
#include "lock/status.h"

extern char** environ;

namespace o8lock {
namespace {

// Whether only the caller may have `variable`. These are the variables of `git
// rev-parse --local-env-vars` that name a repository, and O8LOCK_ALLOW, which
// is for the user's own commands. Variables that configure git are the user's
// choice and stay.
bool IsForTheCaller(absl::string_view variable) {
  for (const absl::string_view name :
       {"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_CONFIG",
        kAllowVariable}) {
    if (absl::StartsWith(variable, name) &&
        variable.substr(name.size(), 1) == "=") {
      return true;
    }
  }
  return false;
}

// Restores the default action of SIGCHLD. If this process was started with
// SIGCHLD ignored, the kernel discards the exit codes of its children.
class ExitCodesKept {
 public:
  ExitCodesKept() : before_(std::signal(SIGCHLD, SIG_DFL)) {}
  ~ExitCodesKept() { std::signal(SIGCHLD, before_); }
  // A copy would restore the action twice.
  ExitCodesKept(const ExitCodesKept&) = delete;
  ExitCodesKept& operator=(const ExitCodesKept&) = delete;

 private:
  void (*const before_)(int);
};

// Reads both pipes to their ends. Returns false if `give_up` passes first.
bool Drain(Pipe (&pipes)[2], Ticks give_up, ProgramResult& result) {
  std::string* const texts[] = {&result.out, &result.err};
  while (pipes[0].read.ok() || pipes[1].read.ok()) {
    struct pollfd polled[] = {{pipes[0].read.get(), POLLIN, 0},
                              {pipes[1].read.get(), POLLIN, 0}};
    const int ready = poll(polled, 2, MillisecondsUntil(give_up));
    if (ready < 0 && errno != EINTR) break;
    if (ready == 0 && NowTicks() >= give_up) return false;
    for (int i = 0; i < 2; ++i) {
      if (polled[i].revents == 0) continue;
      std::array<char, 4096> buffer;
      const ssize_t got =
          read(pipes[i].read.get(), buffer.data(), buffer.size());
      if (got > 0) {
        texts[i]->append(buffer.data(), static_cast<size_t>(got));
      } else if (got == 0 || errno != EINTR) {
        pipes[i].read.Close();
      }
    }
  }
  return true;
}

// The standard output of `git ARGS...` if it has succeeded.
absl::StatusOr<std::string> OutputOf(
    const absl::StatusOr<ProgramResult>& result,
    const std::vector<std::string>& args) {
  if (!result.ok()) return result.status();
  if (result->exit_code == 0) {
    return std::string(absl::StripSuffix(result->out, "\n"));
  }
  const std::string reason =
      absl::StrJoin(absl::StrSplit(result->err, absl::ByAnyChar("\t\n"),
                                   absl::SkipWhitespace()),
                    " ");
  // The reason is last: it may end with a command to paste.
  return absl::InternalError(
      absl::StrCat("git ", absl::StrJoin(args, " "), " failed with exit code ",
                   result->exit_code, reason.empty() ? "" : ": ", reason));
}

}  // namespace

absl::StatusOr<ProgramResult> RunGit(const std::string& directory,
                                     const std::vector<std::string>& args,
                                     Ticks give_up) {
  std::vector<std::string> command = {"git", "-C", directory};
  command.insert(command.end(), args.begin(), args.end());
  return RunProgram(std::move(command), /*variables=*/{}, give_up);
}

absl::StatusOr<ProgramResult> RunGit(const Location& location,
                                     const std::vector<std::string>& args,
                                     std::vector<std::string> variables,
                                     Ticks give_up) {
  std::vector<std::string> command = {"git", "-C", location.Home(), "--git-dir",
                                      location.common_dir};
  command.insert(command.end(), args.begin(), args.end());
  return RunProgram(std::move(command), std::move(variables), give_up);
}

absl::StatusOr<ProgramResult> RunProgram(std::vector<std::string> command,
                                         std::vector<std::string> variables,
                                         Ticks give_up) {
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (std::string& argument : command) argv.push_back(&argument[0]);
  argv.push_back(nullptr);
  std::vector<char*> env;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!IsForTheCaller(*variable)) env.push_back(*variable);
  }
  for (std::string& variable : variables) env.push_back(&variable[0]);
  env.push_back(nullptr);

  Pipe pipes[2];
  for (Pipe& pipe : pipes) {
    O8LOCK_ASSIGN_OR_RETURN(pipe, MakePipe());
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipes[0].write.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, pipes[1].write.get(), 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A program that hangs must end at Ctrl-C, even if this process defers it.
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  for (const int signal : {SIGPIPE, SIGXFSZ}) sigaddset(&signals, signal);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  const ExitCodesKept exit_codes_kept;
  pid_t pid;
  const int error = posix_spawnp(&pid, argv[0], &actions, &attributes,
                                 argv.data(), env.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return ErrnoStatus(error, "start", command[0]);
  for (Pipe& pipe : pipes) pipe.write.Close();
  ProgramResult result;
  if (!Drain(pipes, give_up, result)) {
    kill(pid, SIGKILL);
    // Does not wait for it: its file system may not answer.
    return absl::DeadlineExceededError(
        absl::StrCat("'", command[0], "' did not end in time"));
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno == EINTR) continue;
    return absl::AbortedError(
        absl::StrCat("the exit code of '", command[0], "' was lost"));
  }
  result.exit_code =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

absl::StatusOr<std::string> AskGit(const std::string& directory,
                                   const std::vector<std::string>& args,
                                   Ticks give_up) {
  return OutputOf(RunGit(directory, args, give_up), args);
}

absl::StatusOr<std::string> AskGit(const Location& location,
                                   const std::vector<std::string>& args,
                                   Ticks give_up) {
  return OutputOf(RunGit(location, args, /*variables=*/{}, give_up), args);
}

}  // namespace o8lock
