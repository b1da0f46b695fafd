// SPDX-License-Identifier: Apache-2.0
#include "lock/testing.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "lock/file.h"

namespace o8lock {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kMark[] = "O8LOCK_TEST_PROCESS";

// Stops the test program, because no further test is possible.
void Require(bool condition, absl::string_view what) {
  if (condition) return;
  fprintf(stderr, "%s: %s\n", std::string(what).c_str(), strerror(errno));
  abort();
}

std::string Slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// The fields of /proc/PID/stat after the command's name, from the state on.
std::vector<std::string> StatFields(const std::string& pid) {
  const std::string stat = Slurp(absl::StrCat("/proc/", pid, "/stat"));
  const size_t end_of_name = stat.rfind(')');
  if (end_of_name == std::string::npos) return {};
  return absl::StrSplit(stat.substr(end_of_name + 2), ' ');
}

// Sends SIGKILL to every living process in the session `session` or with `mark`
// in its environment. Returns whether there was one.
bool KillAll(pid_t session, const std::string& mark) {
  bool found = false;
  DIR* proc = opendir("/proc");
  Require(proc != nullptr, "open /proc");
  // Require() has ended the program if there is no directory.
  // NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker)
  while (const dirent* entry = readdir(proc)) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry->d_name, &pid) || pid == getpid()) continue;
    const std::vector<std::string> fields = StatFields(entry->d_name);
    if (fields.size() < 4 || fields[0] == "Z" || fields[0] == "X") continue;
    if (fields[3] == absl::StrCat(session) ||
        absl::StrContains(Slurp(absl::StrCat("/proc/", pid, "/environ")),
                          mark)) {
      found = kill(pid, SIGKILL) == 0 || found;
    }
  }
  closedir(proc);
  return found;
}

Fd Duplicate(const Fd& fd) { return Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0)); }

std::vector<std::string> MergedEnv(const ProcessOptions& options,
                                   const std::string& mark) {
  std::map<std::string, std::string> env;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(*entry, absl::MaxSplits('=', 1));
    env[std::string(pair.first)] = std::string(pair.second);
  }
  for (const std::string& name : options.unset_env) env.erase(name);
  for (const auto& [name, value] : options.env) env[name] = value;
  std::vector<std::string> result = {mark};
  for (const auto& [name, value] : env) {
    result.push_back(absl::StrCat(name, "=", value));
  }
  return result;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) {
    pointers.push_back(const_cast<char*>(string.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

// Runs in the child, between fork() and execvp().
[[noreturn]] void Become(const std::vector<char*>& argv,
                         const std::vector<char*>& env, const Fd& in,
                         const Fd& out, const Fd& err,
                         const ProcessOptions& options) {
  setsid();
  for (int signal = 1; signal < NSIG; ++signal) {
    std::signal(signal, SIG_DFL);
  }
  sigset_t mask;
  sigemptyset(&mask);
  for (const int signal : options.ignored) std::signal(signal, SIG_IGN);
  for (const int signal : options.blocked) sigaddset(&mask, signal);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  if (options.terminal)
    Require(ioctl(in.get(), TIOCSCTTY, 0) == 0, "TIOCSCTTY");
  Require(options.directory.empty() || chdir(options.directory.c_str()) == 0,
          "chdir");
  if (options.user != 0) {
    Require(setgroups(0, nullptr) == 0 && setgid(options.user) == 0 &&
                setuid(options.user) == 0,
            "become another user");
  }
  Require(dup2(in.get(), 0) == 0 && dup2(out.get(), 1) == 1 &&
              dup2(err.get(), 2) == 2,
          "dup2");
  for (const int fd : options.closed) close(fd);
  environ = const_cast<char**>(env.data());
  // Bazel ignores these two signals. The C library does not let a program
  // change them, because it needs one for setuid(2). So this calls the kernel.
  const std::array<uint64_t, 4> by_default = {};  // a struct sigaction
  for (const int signal : {32, 33}) {
    syscall(SYS_rt_sigaction, signal, by_default.data(), nullptr,
            sizeof(uint64_t));
  }
  execvp(argv[0], argv.data());
  _exit(127);
}

}  // namespace

TempDir::TempDir() {
  // Not testing::TempDir(): without Bazel's sandbox this is inside the git
  // repository under test, and out of other users' reach.
  std::string name = "/tmp/o8lock.XXXXXX";
  Require(mkdtemp(name.data()) != nullptr, "mkdtemp");
  path_ = std::filesystem::canonical(name).string();
}

TempDir::~TempDir() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  EXPECT_FALSE(error) << "remove " << path_ << ": " << error.message();
}

std::string TempDir::File(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

void MakeFile(const std::string& path, absl::string_view content, mode_t mode) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  ASSERT_TRUE(file) << "write " << path;
  ASSERT_EQ(chmod(path.c_str(), mode), 0) << "chmod " << path;
}

std::string Contents(const std::string& path) {
  EXPECT_EQ(access(path.c_str(), R_OK), 0) << "read " << path;
  return Slurp(path);
}

bool Exists(const std::string& path) {
  struct stat file;
  return lstat(path.c_str(), &file) == 0;
}

std::string PathFromEnv(const char* name) {
  const char* value = getenv(name);
  Require(value != nullptr, absl::StrCat("the environment has no ", name));
  return std::filesystem::absolute(value).string();
}

std::map<std::string, std::string> GitEnv() {
  std::map<std::string, std::string> env = {
      {"HOME", "/nonexistent"},
      {"XDG_CONFIG_HOME", "/nonexistent"},
      {"GIT_CONFIG_NOSYSTEM", "1"},
      {"GIT_CONFIG_GLOBAL", "/dev/null"},
      {"GIT_TERMINAL_PROMPT", "0"},
      {"LC_ALL", "C"},
      {"GIT_CONFIG_COUNT", "1"},
      {"GIT_CONFIG_KEY_0", "init.defaultBranch"},
      {"GIT_CONFIG_VALUE_0", "main"},
  };
  for (const char* role : {"AUTHOR", "COMMITTER"}) {
    env[absl::StrCat("GIT_", role, "_NAME")] = "Test";
    env[absl::StrCat("GIT_", role, "_EMAIL")] = "test@example.com";
  }
  return env;
}

std::string Git(const std::string& directory,
                const std::vector<std::string>& args) {
  ProcessOptions options;
  options.directory = directory;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::vector<std::string> parts =
        absl::StrSplit(*entry, absl::MaxSplits('=', 1));
    if (absl::StartsWith(parts[0], "GIT_")) {
      options.unset_env.push_back(parts[0]);
    }
  }
  options.env = GitEnv();
  std::vector<std::string> argv = {"git"};
  argv.insert(argv.end(), args.begin(), args.end());
  Process git(argv, options);
  EXPECT_EQ(git.Wait(), Exited(0)) << absl::StrJoin(argv, " ") << "\n"
                                   << git.err();
  return git.out();
}

std::ostream& operator<<(std::ostream& out, const End& end) {
  if (end.signaled) return out << "killed by signal " << end.code;
  return out << "exited with " << end.code;
}

Process::Process(const std::vector<std::string>& argv,
                 const ProcessOptions& options)
    : terminal_(options.terminal), command_(absl::StrJoin(argv, " ")) {
  static int count = 0;
  mark_ = absl::StrCat(kMark, "=", getpid(), ".", ++count, ".");
  Fd in;
  Fd out;
  Fd err;
  if (options.terminal) {
    input_ = Fd(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    char name[64];
    Require(input_.ok() && grantpt(input_.get()) == 0 &&
                unlockpt(input_.get()) == 0 &&
                ptsname_r(input_.get(), name, sizeof(name)) == 0,
            "open a terminal");
    in = Fd(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    out = Duplicate(in);
    err = Duplicate(in);
    const winsize size = {24, 80, 0, 0};
    Require(err.ok() && ioctl(in.get(), TIOCSWINSZ, &size) == 0,
            "open the terminal");
    out_.fd = Duplicate(input_);
  } else {
    if (options.input == ProcessOptions::Stdin::kPipe) {
      Pipe pipe = MakePipe().value();
      in = std::move(pipe.read);
      input_ = std::move(pipe.write);
    } else {
      in = Fd(open("/dev/null", O_RDWR | O_CLOEXEC));
    }
    Pipe out_pipe = MakePipe().value();
    Pipe err_pipe = MakePipe().value();
    out = std::move(out_pipe.write);
    err = std::move(err_pipe.write);
    out_.fd = std::move(out_pipe.read);
    err_.fd = std::move(err_pipe.read);
  }
  const std::vector<std::string> env = MergedEnv(options, mark_);
  const std::vector<char*> argv_pointers = Pointers(argv);
  const std::vector<char*> env_pointers = Pointers(env);
  pid_ = fork();
  Require(pid_ >= 0, "fork");
  if (pid_ == 0) Become(argv_pointers, env_pointers, in, out, err, options);
  pidfd_ = Fd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  Require(pidfd_.ok(), "pidfd_open");
}

Process::~Process() {
  // Repeat for processes forked during the search.
  while (KillAll(pid_, mark_)) {
  }
  if (!ended_) {
    // It may have neither the session nor the mark yet.
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

void Process::Write(absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(input_.get(), text.data(), text.size());
    ASSERT_GT(written, 0) << strerror(errno) << Report();
    text.remove_prefix(written);
  }
}

void Process::CloseInput() {
  input_.Close();
  if (terminal_) out_.fd.Close();
}

std::string Process::WaitForOutput(absl::string_view text,
                                   milliseconds deadline) {
  return WaitForText(out_, text, deadline);
}

std::string Process::WaitForError(absl::string_view text,
                                  milliseconds deadline) {
  return WaitForText(err_, text, deadline);
}

bool Process::ShowsOrCloses(absl::string_view text) {
  const Time end = steady_clock::now() + kDeadline;
  while (!absl::StrContains(out_.text, text)) {
    if (!out_.fd.ok()) return false;
    if (!Read(end, /*or_end=*/false)) {
      ADD_FAILURE() << "neither \"" << absl::CEscape(text)
                    << "\" nor the end came" << Report();
      return false;
    }
  }
  return true;
}

std::string Process::WaitForText(Stream& stream, absl::string_view text,
                                 milliseconds deadline) {
  const Time end = steady_clock::now() + deadline;
  for (;;) {
    const size_t found =
        stream.text.find(text.data(), stream.seen, text.size());
    if (found != std::string::npos) {
      const size_t begin = stream.seen;
      stream.seen = found + text.size();
      return stream.text.substr(begin, stream.seen - begin);
    }
    if (!stream.fd.ok() || !Read(end, /*or_end=*/false)) {
      ADD_FAILURE() << "\"" << absl::CEscape(text) << "\" did not come"
                    << Report();
      return "";
    }
  }
}

void Process::Signal(int signal) const {
  EXPECT_EQ(kill(pid_, signal), 0) << strerror(errno) << Report();
}

End Process::Wait(milliseconds deadline) {
  const Time end = steady_clock::now() + deadline;
  while (!ended_) {
    if (!Read(end, /*or_end=*/true)) {
      ADD_FAILURE() << "did not end" << Report();
      return end_;
    }
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_) continue;
    ended_ = true;
    end_ = WIFSIGNALED(status) ? Killed(WTERMSIG(status))
                               : Exited(WEXITSTATUS(status));
    while (Read(steady_clock::now(), /*or_end=*/false)) {
      // Read the rest of its output.
    }
  }
  return end_;
}

bool Process::Read(Time deadline, bool or_end) {
  const milliseconds left = std::chrono::duration_cast<milliseconds>(
      std::max(deadline - steady_clock::now(), Time::duration::zero()));
  // poll() ignores negative descriptors.
  pollfd fds[] = {{out_.fd.get(), POLLIN, 0},
                  {err_.fd.get(), POLLIN, 0},
                  {or_end ? pidfd_.get() : -1, POLLIN, 0}};
  const int ready = poll(fds, 3, static_cast<int>(left.count()));
  if (ready <= 0) return ready < 0 && errno == EINTR;
  for (Stream* stream : {&out_, &err_}) {
    if (fds[stream == &out_ ? 0 : 1].revents == 0) continue;
    char buffer[4096];
    const ssize_t size = read(stream->fd.get(), buffer, sizeof(buffer));
    if (size > 0) {
      stream->text.append(buffer, size);
    } else {
      stream->fd.Close();  // EIO is a terminal's end of file.
    }
  }
  return true;
}

std::string Process::Report() const {
  return absl::StrCat("\ncommand: ", command_, "\nstdout: \"",
                      absl::CEscape(out_.text), "\"\nstderr: \"",
                      absl::CEscape(err_.text), "\"");
}

pid_t ReadyPid(Process& process, absl::string_view label) {
  process.WaitForOutput(label);
  pid_t pid = 0;
  EXPECT_TRUE(absl::SimpleAtoi(process.WaitForOutput("\n"), &pid));
  return pid;
}

int Count(absl::string_view text, absl::string_view part) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, part);
  return static_cast<int>(parts.size()) - 1;
}

End RunToEnd(const std::vector<std::string>& argv,
             const ProcessOptions& options) {
  return Process(argv, options).Wait();
}

void WaitForState(pid_t pid, char state) {
  const auto deadline = steady_clock::now() + Process::kDeadline;
  std::string now;
  do {
    const std::vector<std::string> fields = StatFields(absl::StrCat(pid));
    now = fields.empty() ? std::string(1, '\0') : fields[0];
    if (now[0] == state) return;
    poll(nullptr, 0, 1);
  } while (steady_clock::now() < deadline);
  ADD_FAILURE() << "process " << pid << " is in state " << now << ", not "
                << state;
}

}  // namespace o8lock
