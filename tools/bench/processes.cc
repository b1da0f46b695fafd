// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/processes.h"

#include <fcntl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "lock/file.h"
#include "lock/process.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// NOLINTBEGIN(bugprone-unsafe-functions,clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
pid_t Start(const Command& command, int in, int out) {
  const std::vector<char*> argv = Pointers(command.argv);
  const pid_t pid = vfork();
  if (pid == 0) Become(argv.data(), command.directory.c_str(), in, out);
  return pid;
}
// NOLINTEND(bugprone-unsafe-functions,clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)

}  // namespace

Command Script(const std::string& text, const std::string& directory) {
  return {{"sh", "-ec", text}, directory};
}

int Null() {
  static const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  return null;
}

[[noreturn]] void Become(char* const* argv, const char* directory, int in,
                         int out) {
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(Null(), STDERR_FILENO);
  if (chdir(directory) == 0) execvp(argv[0], argv);
  _exit(127);
}

std::vector<char*> Pointers(const Argv& arguments) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

absl::Status WaitFor(pid_t pid, const Command& command) {
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) {
    return ErrnoStatus(errno, "start", command.argv[0]);
  }
  const std::vector<int>& good = command.exit_codes;
  if (WIFEXITED(status) &&
      std::find(good.begin(), good.end(), WEXITSTATUS(status)) != good.end()) {
    return absl::OkStatus();
  }
  return absl::InternalError(absl::StrFormat(
      "%s: %s %d", absl::StrJoin(command.argv, " "),
      WIFEXITED(status) ? "exit code" : "signal",
      WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status)));
}

absl::Status Run(const Command& command) {
  return WaitFor(Start(command, Null(), Null()), command);
}

absl::StatusOr<double> TimeOf(const Command& command) {
  const int64_t start = NowNanoseconds();
  O8LOCK_RETURN_IF_ERROR(Run(command));
  return NowNanoseconds() - start;
}

Stay::Stay(const Command& command) : command_(command) {
  absl::StatusOr<Pipe> in = MakePipe();
  absl::StatusOr<Pipe> out = MakePipe();
  // ReadTime then reports that the command did not begin.
  if (!in.ok() || !out.ok()) return;
  pid_ = Start(command_, in->read.get(), out->write.get());
  in_ = std::move(in->write);
  out_ = std::move(out->read);
}

Stay::~Stay() { End().IgnoreError(); }

absl::StatusOr<int64_t> Stay::ReadTime() {
  std::string line;
  char c = '\0';
  while (read(out_.get(), &c, 1) == 1 && c != '\n') line += c;
  int64_t time = 0;
  if (sscanf(line.c_str(), "%*d %" SCNd64, &time) == 1) return time;
  return absl::InternalError(absl::StrCat(absl::StrJoin(command_.argv, " "),
                                          ": ended before its command began"));
}

void Stay::LetGo() { in_.Close(); }

absl::Status Stay::End() {
  LetGo();
  if (pid_ < 0) return absl::OkStatus();
  return WaitFor(std::exchange(pid_, -1), command_);
}

absl::Status WaitForBlocked(const std::string& path,
                            const std::deque<Stay>& waiters) {
  O8LOCK_ASSIGN_OR_RETURN(const FileId file, IdOf(path));
  const std::string inode = absl::StrCat(":", file.inode, " ");
  for (int tries = 0; tries < 20000; ++tries) {
    size_t blocked = 0;
    std::ifstream locks("/proc/locks");
    for (std::string line; std::getline(locks, line);) {
      const bool waits = absl::StrContains(line, "->");
      if (waits && absl::StrContains(line, inode)) ++blocked;
    }
    const auto sleeps = [](const Stay& waiter) {
      std::ifstream stat(absl::StrCat("/proc/", waiter.pid(), "/stat"));
      std::string line;
      return std::getline(stat, line) && absl::StrContains(line, ") S ");
    };
    if (blocked == waiters.size() &&
        std::all_of(waiters.begin(), waiters.end(), sleeps)) {
      return absl::OkStatus();
    }
    absl::SleepFor(absl::Milliseconds(1));
  }
  return absl::DeadlineExceededError(
      absl::StrCat("for 20 s not ", waiters.size(), " waiting for ", path));
}

}  // namespace o8lock
