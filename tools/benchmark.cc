// SPDX-License-Identifier: Apache-2.0
//
// What o8lock costs, beside flock(1), beside git without it, and beside itself
// in a repository of another size:
//
//   bazel run //tools:benchmark -- [--rounds N] [--only SUBSTRING] [--svg FILE]
//
// Prints a table, a line for each row: what is measured, against what, the
// ratio of the two, its quartiles, the limit, and "ok" or "OVER". Ends with 0
// when all rows were measured, be it over the limit, for machines differ; else
// with 1.
//
// How: a process is started by vfork(2), its standard streams are /dev/null,
// and its time is that of CLOCK_MONOTONIC from before the start to its
// collected end. What is measured and what it is compared with take turns, and
// turns in being the first; a tenth as many pairs come before, to warm up. The
// ratio is the median of the ratios within the pairs: whatever slows a machine
// down for longer than a pair takes slows both halves alike. Of o8lock beside
// itself, 100 pairs at a time, it strayed from 1 by 0.7 %, the ratio of the two
// medians by 1.0 %.
//
// All is in TMPDIR, or /tmp, and removed at the end. An ext4 without a journal
// passes by inodes that were freed in the last minutes, one by one, whenever a
// file is created: there the ratios are as much about what was removed before.
// TMPDIR=/dev/shm leaves that out.
//
// Programs are copied first, and by cp(1), as an installation does: one that
// was written in small pieces, as by a linker, lies in small pieces in the page
// cache too, and starts a tenth of a millisecond slower.
#include <fcntl.h>
#include <signal.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "lock/file.h"
#include "lock/status.h"
#include "tools/benchmark_in_process.h"

namespace o8lock {
namespace {

namespace fs = std::filesystem;
using Argv = std::vector<std::string>;

constexpr int kO8lockRefuses = 75;
constexpr int kFlockRefuses = 1;
constexpr int64_t kMillisecond = 1000000;  // nanoseconds

int64_t Now() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void SleepFor(int64_t nanoseconds) {
  const struct timespec time = {nanoseconds / INT64_C(1000000000),
                                nanoseconds % INT64_C(1000000000)};
  nanosleep(&time, nullptr);
}

volatile sig_atomic_t interrupted = 0;

// ---- Processes

struct Command {
  Argv argv;  // argv[0] is a path
  std::string directory;
  std::vector<int> exit_codes = {0};  // those that are as it should be
};

int Null() {
  static const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  return null;
}

[[noreturn]] void Become(char* const* argv, const char* directory, int in,
                         int out) {
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(Null(), STDERR_FILENO);
  if (chdir(directory) == 0) execve(argv[0], argv, environ);
  _exit(127);
}

std::vector<char*> Pointers(const Argv& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) {
    pointers.push_back(const_cast<char*>(word.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

// NOLINTBEGIN(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
pid_t Start(const Command& command, int in = Null(), int out = Null()) {
  const std::vector<char*> argv = Pointers(command.argv);
  const pid_t pid = vfork();
  if (pid == 0) Become(argv.data(), command.directory.c_str(), in, out);
  return pid;
}
// NOLINTEND(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)

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
  return WaitFor(Start(command), command);
}

absl::StatusOr<double> TimeOf(const Command& command) {
  const int64_t start = Now();
  const pid_t pid = Start(command);
  O8LOCK_RETURN_IF_ERROR(WaitFor(pid, command));
  return Now() - start;
}

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Pipe MakePipe() {
  int fds[2] = {-1, -1};
  if (pipe2(fds, O_CLOEXEC) != 0) perror("benchmark: pipe2");
  return {Fd(fds[0]), Fd(fds[1])};
}

// A command that ends in `contender stay`, which tells when it has begun, and
// when it is about to end; the latter is when it is told to, or at the end of
// this object.
class Stay {
 public:
  explicit Stay(const Command& command) : command_(command) {
    Pipe in = MakePipe();
    Pipe out = MakePipe();
    pid_ = Start(command_, in.read_end.get(), out.write_end.get());
    in_ = std::move(in.write_end);
    out_ = std::move(out.read_end);
  }
  ~Stay() { End().IgnoreError(); }
  Stay(const Stay&) = delete;  // Two owners would wait for it twice.
  Stay& operator=(const Stay&) = delete;

  pid_t pid() const { return pid_; }
  // The next time that it tells; blocks until it does.
  absl::StatusOr<int64_t> ReadTime() {
    std::string line;
    char c = '\0';
    while (read(out_.get(), &c, 1) == 1 && c != '\n') line += c;
    int64_t time = 0;
    if (sscanf(line.c_str(), "%*d %" SCNd64, &time) == 1) return time;
    return absl::InternalError(absl::StrCat(
        absl::StrJoin(command_.argv, " "), ": ended before its command began"));
  }
  void LetGo() { in_.Close(); }
  absl::Status End() {
    LetGo();
    if (pid_ < 0) return absl::OkStatus();
    return WaitFor(std::exchange(pid_, -1), command_);
  }

 private:
  Command command_;
  pid_t pid_ = -1;
  Fd in_;
  Fd out_;
};

// Looks every millisecond: the kernel tells nobody of these.
absl::Status WaitUntil(absl::FunctionRef<bool()> holds,
                       absl::string_view what) {
  const int64_t give_up = Now() + 20000 * kMillisecond;
  while (!holds()) {
    if (Now() > give_up) {
      return absl::DeadlineExceededError(absl::StrCat("for 20 s not ", what));
    }
    SleepFor(kMillisecond);
  }
  return absl::OkStatus();
}

// Waits until `count` requests for a lock on the file `path` are blocked.
absl::Status WaitForBlocked(const std::string& path, int count) {
  O8LOCK_ASSIGN_OR_RETURN(const FileId file, IdOf(path));
  const std::string inode = absl::StrCat(":", file.inode, " ");
  const auto all_blocked = [&] {
    std::ifstream locks("/proc/locks");
    int blocked = 0;
    for (std::string line; std::getline(locks, line);) {
      if (absl::StrContains(line, "->") && absl::StrContains(line, inode)) {
        ++blocked;
      }
    }
    return blocked == count;
  };
  return WaitUntil(all_blocked, absl::StrCat(count, " waiting for ", path));
}

// Waits until the process `pid` has nothing to do.
absl::Status WaitForSleep(pid_t pid) {
  const auto sleeps = [pid] {
    std::ifstream stat(absl::StrCat("/proc/", pid, "/stat"));
    std::string line;
    std::getline(stat, line);
    return absl::StrContains(line, ") S ");
  };
  return WaitUntil(sleeps, absl::StrCat("asleep: process ", pid));
}

// ---- What is measured

using Ratios = absl::StatusOr<std::vector<double>>;
using Measurement = absl::FunctionRef<absl::StatusOr<double>()>;

Ratios Compare(int pairs, Measurement subject, Measurement peer) {
  std::vector<double> ratios;
  for (int i = -1 - pairs / 10; i < pairs; ++i) {
    std::array<double, 2> values;
    for (const int which : {i & 1, 1 - (i & 1)}) {
      O8LOCK_ASSIGN_OR_RETURN(values[which], which == 0 ? subject() : peer());
      if (interrupted != 0) return absl::CancelledError("interrupted");
    }
    if (i >= 0) ratios.push_back(values[0] / values[1]);
  }
  return ratios;
}

Ratios CompareTimes(int pairs, const Command& subject, const Command& peer) {
  return Compare(
      pairs, [&] { return TimeOf(subject); }, [&] { return TimeOf(peer); });
}

Argv Joined(const std::vector<Argv>& parts) {
  Argv all;
  for (const Argv& part : parts)
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

// A temporary directory with the programs and what they work on.
class Place {
 public:
  Place() = default;
  ~Place() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Place(const Place&) = delete;  // Two owners would remove it twice.
  Place& operator=(const Place&) = delete;

  absl::Status SetUp();

  Argv Noop() const { return {path_ + "/noop"}; }
  Argv StayWords() const { return {path_ + "/contender", "stay"}; }
  Command Spawn() const { return {{path_ + "/spawn", path_ + "/noop"}, path_}; }
  Command O8lock(const std::string& directory, const Argv& words) const {
    return {Joined({{path_ + "/o8lock"}, words}), directory};
  }
  // Runs `command`.
  Command O8lock(const std::string& directory, const Argv& options,
                 const Argv& command) const {
    return O8lock(directory, Joined({options, {"--"}, command}));
  }
  Command Flock(const Argv& options, const Argv& command) const {
    return {Joined({{flock_}, options, {FlockFile()}, command}), path_};
  }
  Command Git(const std::string& directory, const Argv& words) const {
    return {Joined({{git_}, words}), directory};
  }

  std::string FlockFile() const { return path_ + "/flock"; }
  static std::string Guard(const std::string& repository) {
    return repository + "/.git/o8lock/parallel.guard";
  }

  // Where nothing is yet.
  std::string NewName() { return absl::StrCat(path_, "/", ++count_); }

  // New repositories: one with a .claude directory, as where orchestr8 is used;
  // one of 2,000 linked worktrees and 100,000 files, of which there is one
  // only; one for work loads of git; a copy of another.
  absl::StatusOr<std::string> Repository();
  absl::StatusOr<std::string> LargeRepository();
  absl::StatusOr<std::string> WorkRepository();
  absl::StatusOr<std::string> Copy(const std::string& repository);

 private:
  std::string path_;
  std::string flock_;
  std::string git_;
  std::string large_;
  int count_ = 0;
};

absl::StatusOr<std::string> FindProgram(absl::string_view name) {
  for (const char* directory : {"/usr/bin/", "/bin/", "/usr/local/bin/"}) {
    const std::string path = absl::StrCat(directory, name);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return absl::NotFoundError(absl::StrCat("no program ", name));
}

absl::Status Write(const std::string& path, absl::string_view text) {
  std::ofstream file(path);
  file << text;
  file.close();
  return file ? absl::OkStatus() : ErrnoStatus(errno, "write", path);
}

// Nothing of whoever runs this counts: neither git's settings nor a lock.
void SetUpEnvironment(const std::string& home) {
  clearenv();
  setenv("PATH", "/usr/bin:/bin", 1);
  // As every terminal has some language. flock(1) reads its files at each
  // start.
  setenv("LANG", "C.UTF-8", 1);
  setenv("HOME", home.c_str(), 1);
  setenv("LOGNAME", "benchmark", 1);
  setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
  // So that a work load makes the same objects whenever it is done.
  for (const char* who : {"AUTHOR", "COMMITTER"}) {
    const std::string prefix = absl::StrCat("GIT_", who, "_");
    setenv((prefix + "NAME").c_str(), "benchmark", 1);
    setenv((prefix + "EMAIL").c_str(), "benchmark@example.com", 1);
    setenv((prefix + "DATE").c_str(), "1790000000 +0000", 1);
  }
}

absl::Status Place::SetUp() {
  std::string path = "/tmp";
  for (const char* name : {"TMPDIR", "TEST_TMPDIR"}) {
    if (const char* directory = getenv(name)) path = directory;
  }
  path += "/o8lock_benchmark_XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return ErrnoStatus(errno, "make", path);
  O8LOCK_ASSIGN_OR_RETURN(path_, Canonical(path));
  O8LOCK_ASSIGN_OR_RETURN(flock_, FindProgram("flock"));
  O8LOCK_ASSIGN_OR_RETURN(git_, FindProgram("git"));
  O8LOCK_ASSIGN_OR_RETURN(const std::string cp, FindProgram("cp"));
  for (const char* name : {"O8LOCK_BIN", "NOOP", "SPAWN", "CONTENDER"}) {
    const char* program = getenv(name);
    if (program == nullptr) {
      return absl::NotFoundError(absl::StrCat(name, " is not set; use bazel"));
    }
    O8LOCK_RETURN_IF_ERROR(Run({{cp, program, path_}, "."}));
  }
  SetUpEnvironment(path_);
  // Waiting for the disk, and cleaning up, come when they like.
  return Write(path_ + "/.gitconfig",
               "[core]\n fsync = none\n[gc]\n auto = 0\n"
               "[maintenance]\n auto = false\n[init]\n defaultBranch = main\n");
}

absl::StatusOr<std::string> Place::Repository() {
  const std::string path = NewName();
  fs::create_directories(path + "/.claude");
  O8LOCK_RETURN_IF_ERROR(Run(Git(path, {"init", "--quiet"})));
  O8LOCK_RETURN_IF_ERROR(
      Run(Git(path, {"commit", "--quiet", "--allow-empty", "-m", "begin"})));
  return path;
}

absl::StatusOr<std::string> Place::LargeRepository() {
  if (!large_.empty()) return large_;
  O8LOCK_ASSIGN_OR_RETURN(const std::string path, Repository());
  std::string deep = path;
  for (int i = 1; i <= 20; ++i) absl::StrAppend(&deep, "/deep", i);
  fs::create_directories(deep);
  for (int i = 0; i < 200; ++i) {
    const std::string directory = absl::StrCat(path, "/d", i);
    fs::create_directory(directory);
    for (int j = 0; j < 500; ++j) {
      O8LOCK_RETURN_IF_ERROR(Write(absl::StrCat(directory, "/f", j), "text\n"));
    }
  }
  O8LOCK_RETURN_IF_ERROR(Run(Git(path, {"add", "."})));
  // As `git worktree add` leaves it, in a hundredth of the time.
  for (int i = 0; i < 2000; ++i) {
    const std::string worktree = absl::StrCat(path, "-worktrees/w", i);
    const std::string entry = absl::StrCat(path, "/.git/worktrees/w", i);
    fs::create_directories(worktree);
    fs::create_directories(entry);
    absl::Status status = Write(worktree + "/.git", "gitdir: " + entry + "\n");
    status.Update(Write(entry + "/HEAD", "ref: refs/heads/main\n"));
    status.Update(Write(entry + "/commondir", "../..\n"));
    status.Update(Write(entry + "/gitdir", worktree + "/.git\n"));
    if (!status.ok()) return status;
  }
  large_ = deep;
  return large_;
}

absl::StatusOr<std::string> Place::Copy(const std::string& repository) {
  const std::string path = NewName();
  fs::copy(repository, path, fs::copy_options::recursive);
  return path;
}

// Tags: `start`, and `topic`, which is 100 commits further. Branches: `main`,
// which is one commit further than `start`. Beside it a repository .origin of
// 1,000 branches.
absl::StatusOr<std::string> Place::WorkRepository() {
  O8LOCK_ASSIGN_OR_RETURN(const std::string path, Repository());
  const auto git = [&](const Argv& words) { return Run(Git(path, words)); };
  O8LOCK_RETURN_IF_ERROR(git({"tag", "start"}));
  for (int i = 0; i < 100; ++i) {
    const std::string file = absl::StrCat("f", i);
    O8LOCK_RETURN_IF_ERROR(Write(absl::StrCat(path, "/", file), "text\n"));
    O8LOCK_RETURN_IF_ERROR(git({"add", file}));
    O8LOCK_RETURN_IF_ERROR(git({"commit", "--quiet", "-m", file}));
  }
  O8LOCK_RETURN_IF_ERROR(git({"tag", "topic"}));
  O8LOCK_RETURN_IF_ERROR(git({"reset", "--quiet", "--hard", "start"}));
  O8LOCK_RETURN_IF_ERROR(
      git({"commit", "--quiet", "--allow-empty", "-m", "onto"}));
  const std::string origin = path + "/.origin";
  O8LOCK_RETURN_IF_ERROR(git({"clone", "--quiet", "--bare", ".", origin}));
  O8LOCK_ASSIGN_OR_RETURN(std::string commit,
                          ReadFile(path + "/.git/refs/heads/main"));
  std::string refs = "# pack-refs with: peeled fully-peeled sorted \n";
  for (int i = 0; i < 1000; ++i) {
    absl::StrAppend(&refs, commit.substr(0, commit.size() - 1),
                    absl::StrFormat(" refs/heads/b%03d\n", i));
  }
  O8LOCK_RETURN_IF_ERROR(Write(origin + "/packed-refs", refs));
  return path;
}

// ---- Rows

Ratios FreeStart(Place& place, int pairs, const Command& peer,
                 bool orchestr8 = true) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string path, place.Repository());
  if (!orchestr8) fs::remove(path + "/.claude");
  return CompareTimes(pairs, place.O8lock(path, {}, place.Noop()), peer);
}

Ratios FreeStartBesideFlock(Place& place, int pairs) {
  return FreeStart(place, pairs, place.Flock({}, place.Noop()));
}

Ratios FreeStartBesideSpawn(Place& place, int pairs) {
  return FreeStart(place, pairs, place.Spawn());
}

Ratios FreeStartElsewhere(Place& place, int pairs) {
  return FreeStart(place, pairs, place.Flock({}, place.Noop()),
                   /*orchestr8=*/false);
}

// `subject` and `peer` while holders have their locks.
Ratios CompareHeld(int pairs, const Command& holder, const Command& subject,
                   const Command& peer_holder, const Command& peer) {
  Stay first(holder);
  O8LOCK_RETURN_IF_ERROR(first.ReadTime().status());
  Stay second(peer_holder);
  O8LOCK_RETURN_IF_ERROR(second.ReadTime().status());
  return CompareTimes(pairs, subject, peer);
}

Command RefusedO8lock(const Place& place, const std::string& directory) {
  Command command = place.O8lock(directory, {}, place.Noop());
  command.exit_codes = {kO8lockRefuses};
  return command;
}

Ratios Refused(Place& place, int pairs) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string path, place.Repository());
  Command flock = place.Flock({"-n"}, place.Noop());
  flock.exit_codes = {kFlockRefuses};
  return CompareHeld(pairs, place.O8lock(path, {}, place.StayWords()),
                     RefusedO8lock(place, path),
                     place.Flock({}, place.StayWords()), flock);
}

Ratios LargeFreeStart(Place& place, int pairs) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string large, place.LargeRepository());
  O8LOCK_ASSIGN_OR_RETURN(const std::string empty, place.Repository());
  return CompareTimes(pairs, place.O8lock(large, {}, place.Noop()),
                      place.O8lock(empty, {}, place.Noop()));
}

Ratios LargeRefused(Place& place, int pairs) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string large, place.LargeRepository());
  O8LOCK_ASSIGN_OR_RETURN(const std::string empty, place.Repository());
  return CompareHeld(pairs, place.O8lock(large, {}, place.StayWords()),
                     RefusedO8lock(place, large),
                     place.O8lock(empty, {}, place.StayWords()),
                     RefusedO8lock(place, empty));
}

// From the end of the command of `holder` to the beginning of that of `waiter`,
// which waits for a lock on `file`.
absl::StatusOr<double> HandOver(const Command& holder, const Command& waiter,
                                const std::string& file) {
  Stay first(holder);
  O8LOCK_RETURN_IF_ERROR(first.ReadTime().status());
  Stay second(waiter);
  absl::Cleanup let_go = [&first] { first.LetGo(); };  // before the waiter
  second.LetGo();
  O8LOCK_RETURN_IF_ERROR(WaitForBlocked(file, 1));
  // o8lock blocks in a thread, and has something to do besides.
  O8LOCK_RETURN_IF_ERROR(WaitForSleep(second.pid()));
  first.LetGo();
  // The ends come first: nobody shall wake up meanwhile to read.
  O8LOCK_RETURN_IF_ERROR(second.End());
  O8LOCK_RETURN_IF_ERROR(first.End());
  O8LOCK_ASSIGN_OR_RETURN(const int64_t end, first.ReadTime());
  O8LOCK_ASSIGN_OR_RETURN(const int64_t beginning, second.ReadTime());
  return beginning - end;
}

// From the end of the command of `holder` to that of the last of 64 waiters.
absl::StatusOr<double> Drain(const Command& holder, const Command& waiter,
                             const std::string& file) {
  constexpr int kWaiters = 64;
  Stay first(holder);
  O8LOCK_RETURN_IF_ERROR(first.ReadTime().status());
  std::deque<Stay> waiters;
  for (int i = 0; i < kWaiters; ++i) waiters.emplace_back(waiter);
  absl::Cleanup let_go = [&first] { first.LetGo(); };  // before them
  O8LOCK_RETURN_IF_ERROR(WaitForBlocked(file, kWaiters));
  first.LetGo();
  for (Stay& each : waiters) O8LOCK_RETURN_IF_ERROR(each.End());
  const int64_t last = Now();
  O8LOCK_RETURN_IF_ERROR(first.End());
  O8LOCK_ASSIGN_OR_RETURN(const int64_t end, first.ReadTime());
  return last - end;
}

using WaitMeasurement = absl::StatusOr<double>(const Command& holder,
                                               const Command& waiter,
                                               const std::string& file);

Ratios CompareWaiting(Place& place, int pairs, WaitMeasurement measure,
                      const Argv& command) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string path, place.Repository());
  const Argv stay = place.StayWords();
  return Compare(
      pairs,
      [&] {
        return measure(place.O8lock(path, {}, stay),
                       place.O8lock(path, {"--wait"}, command),
                       Place::Guard(path));
      },
      [&] {
        return measure(place.Flock({}, stay), place.Flock({}, command),
                       place.FlockFile());
      });
}

Ratios HandedOver(Place& place, int pairs) {
  return CompareWaiting(place, pairs, HandOver, place.StayWords());
}

Ratios Drained(Place& place, int pairs) {
  return CompareWaiting(place, pairs, Drain, place.Noop());
}

// From the moment when 1,000 processes, all there, may execute `command` to the
// end of the last of them.
absl::StatusOr<double> Burst(const Command& command) {
  constexpr int kStarters = 1000;
  const std::vector<char*> argv = Pointers(command.argv);
  Pipe ready = MakePipe();
  Pipe gate = MakePipe();
  std::vector<pid_t> starters;
  char c = '\0';
  for (int i = 0; i < kStarters; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      gate.write_end.Close();
      if (write(ready.write_end.get(), &c, 1) != 1) _exit(126);
      if (read(gate.read_end.get(), &c, 1) != 0) _exit(126);
      Become(argv.data(), command.directory.c_str(), Null(), Null());
    }
    if (pid > 0) starters.push_back(pid);
  }
  ready.write_end.Close();
  size_t there = 0;
  while (there < starters.size() && read(ready.read_end.get(), &c, 1) == 1) {
    ++there;
  }
  const int64_t start = Now();
  gate.write_end.Close();
  absl::Status status;
  for (const pid_t pid : starters) status.Update(WaitFor(pid, command));
  const int64_t end = Now();
  if (!status.ok()) return status;
  if (there == kStarters) return end - start;
  return absl::ResourceExhaustedError("the system has no 1,000 processes");
}

Ratios Bursts(Place& place, int pairs) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string path, place.Repository());
  Command o8lock = place.O8lock(path, {}, place.Noop());
  o8lock.exit_codes = {0, kO8lockRefuses};
  Command flock = place.Flock({"-n"}, place.Noop());
  flock.exit_codes = {0, kFlockRefuses};
  return Compare(
      pairs, [&] { return Burst(o8lock); }, [&] { return Burst(flock); });
}

// What git is given to do in a WorkRepository().
struct Work {
  std::string removed;       // references, before
  std::vector<Argv> before;  // not timed
  std::vector<Argv> timed;
};

Work UpdateRefs() {
  Work work = {"refs/bench", {}, {}};
  for (int i = 0; i < 200; ++i) {
    work.timed.push_back(
        {"update-ref", absl::StrCat("refs/bench/", i), "HEAD"});
  }
  return work;
}

Work Fetch() {
  return {"refs/remotes",
          {},
          {{"fetch", "--quiet", ".origin",
            "+refs/heads/b*:refs/remotes/origin/b*"}}};
}

Work Rebase() {
  return {"refs/bench",
          {{"checkout", "--quiet", "--force", "-B", "work", "topic"}},
          {{"rebase", "--quiet", "main"}}};
}

Work Commits() {
  return {"refs/bench",
          {{"checkout", "--quiet", "--force", "-B", "work", "start"}},
          std::vector<Argv>(
              100, {"commit", "--quiet", "--allow-empty", "-m", "work"})};
}

absl::StatusOr<double> TimeOfWork(Place& place, const Work& work,
                                  const std::string& path) {
  for (const char* where : {"/.git/", "/.git/logs/"}) {
    // Not removed: see above what that may do to the file system.
    std::error_code none;
    fs::rename(path + where + work.removed, place.NewName(), none);
  }
  for (const Argv& words : work.before) {
    O8LOCK_RETURN_IF_ERROR(Run(place.Git(path, words)));
  }
  double sum = 0;
  for (const Argv& words : work.timed) {
    O8LOCK_ASSIGN_OR_RETURN(const double time, TimeOf(place.Git(path, words)));
    sum += time;
  }
  return sum;
}

Ratios CompareWork(Place& place, int pairs, const Work& work, bool held) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string peer, place.WorkRepository());
  O8LOCK_ASSIGN_OR_RETURN(const std::string path, place.Copy(peer));
  O8LOCK_RETURN_IF_ERROR(Run(place.O8lock(path, {"hooks", "install"})));
  const auto compare = [&] {
    return Compare(
        pairs, [&] { return TimeOfWork(place, work, path); },
        [&] { return TimeOfWork(place, work, peer); });
  };
  if (!held) return compare();
  const std::string hooks = peer + "/.hooks";
  fs::create_directory(hooks);
  fs::copy_file(place.Noop()[0], hooks + "/reference-transaction");
  O8LOCK_RETURN_IF_ERROR(
      Run(place.Git(peer, {"config", "core.hooksPath", hooks})));
  Stay holder(place.O8lock(path, {}, place.StayWords()));
  O8LOCK_RETURN_IF_ERROR(holder.ReadTime().status());
  return compare();
}

template <Work (*work)(), bool held>
Ratios GitWork(Place& place, int pairs) {
  return CompareWork(place, pairs, work(), held);
}

Ratios FreeStartWithHooks(Place& place, int pairs) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string hooked, place.Repository());
  O8LOCK_RETURN_IF_ERROR(Run(place.O8lock(hooked, {"hooks", "install"})));
  O8LOCK_ASSIGN_OR_RETURN(const std::string bare, place.Repository());
  return CompareTimes(pairs, place.O8lock(hooked, {}, place.Noop()),
                      place.O8lock(bare, {}, place.Noop()));
}

Ratios Status(Place& place, int pairs) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string path, place.Repository());
  return CompareTimes(pairs, place.O8lock(path, {"status"}),
                      place.Flock({"-n"}, place.Noop()));
}

Ratios InProcess(Place& place, int pairs) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string path, place.Repository());
  return CompareInProcess(path, pairs);
}

// Not by wait4(2): that counts what this process had before it became another.
absl::StatusOr<double> PeakMemoryOf(pid_t pid) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  for (std::string line; std::getline(status, line);) {
    double kilobytes = 0;
    if (sscanf(line.c_str(), "VmHWM: %lf kB", &kilobytes) == 1) {
      return kilobytes;
    }
  }
  return absl::NotFoundError(absl::StrCat("no VmHWM of process ", pid));
}

// After a second o8lock looks after its lock.
absl::StatusOr<double> PeakMemory(const Command& command) {
  Stay stay(command);
  O8LOCK_RETURN_IF_ERROR(stay.ReadTime().status());
  SleepFor(1200 * kMillisecond);
  return PeakMemoryOf(stay.pid());
}

Ratios Memory(Place& place, int) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string path, place.Repository());
  // It is the same again and again.
  return Compare(
      2, [&] { return PeakMemory(place.O8lock(path, {}, place.StayWords())); },
      [&] { return PeakMemory(place.Flock({}, place.StayWords())); });
}

struct Row {
  const char* name;
  const char* peer;
  double limit;  // 0: there is none
  int pairs;     // in each round
  Ratios (*measure)(Place& place, int pairs);
};

constexpr Row kRows[] = {
    {"free start", "flock", 0.80, 50, FreeStartBesideFlock},
    {"free start", "a static vfork and wait", 1.15, 50, FreeStartBesideSpawn},
    {"refused start", "flock -n", 0.75, 50, Refused},
    {"free start, large repository", "empty one", 1.05, 50, LargeFreeStart},
    {"refused start, large repository", "empty one", 1.05, 50, LargeRefused},
    {"hand-over to a waiter", "flock", 1.0, 10, HandedOver},
    {"64 waiters, one by one", "flock", 1.0, 1, Drained},
    {"1,000 starts at once", "flock -n", 1.0, 1, Bursts},
    {"hooks, free: update-ref x 200", "no hooks", 1.02, 2,
     GitWork<UpdateRefs, false>},
    {"hooks, free: fetch of 1,000", "no hooks", 1.02, 2, GitWork<Fetch, false>},
    {"hooks, free: rebase of 100", "no hooks", 1.02, 2, GitWork<Rebase, false>},
    {"hooks, free: commit x 100", "no hooks", 1.02, 2, GitWork<Commits, false>},
    {"hooks, held: update-ref x 200", "a no-op hook", 1.10, 1,
     GitWork<UpdateRefs, true>},
    {"hooks, held: fetch of 1,000", "a no-op hook", 1.10, 1,
     GitWork<Fetch, true>},
    {"hooks, held: rebase of 100", "a no-op hook", 1.10, 1,
     GitWork<Rebase, true>},
    {"hooks, held: commit x 100", "a no-op hook", 1.10, 1,
     GitWork<Commits, true>},
    {"free start, hooks installed", "no hooks", 1.05, 50, FreeStartWithHooks},
    {"status", "flock -n", 0.80, 50, Status},
    {"Acquire() and Release()", "their system calls", 1.3, 2, InProcess},
    {"peak memory of the wrapper", "flock", 1.5, 1, Memory},
    {"free start, no .claude yet", "flock", 0, 50, FreeStartElsewhere},
};

// ---- Results

struct Result {
  const Row* row;
  double lower;  // quartile
  double median;
  double upper;  // quartile
  bool over;
};

Result Summarize(const Row& row, std::vector<double> ratios) {
  std::sort(ratios.begin(), ratios.end());
  const auto quantile = [&ratios](double part) {
    const double place = part * static_cast<double>(ratios.size() - 1);
    const size_t below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, ratios.size() - 1);
    return ratios[below] + (place - static_cast<double>(below)) *
                               (ratios[above] - ratios[below]);
  };
  const double median = quantile(0.5);
  return {&row, quantile(0.25), median, quantile(0.75),
          row.limit > 0 && median > row.limit};
}

void Print(const Result& result) {
  const Row& row = *result.row;
  absl::PrintF("%-32s %-24s %6.3f  %6.3f to %6.3f  %5s  %s\n", row.name,
               row.peer, result.median, result.lower, result.upper,
               row.limit > 0 ? absl::StrFormat("%.2f", row.limit) : "-",
               row.limit == 0 ? ""
               : result.over  ? "OVER"
                              : "ok");
  fflush(stdout);
}

// ---- Picture

std::string FirstLineOf(const char* command) {
  FILE* output = popen(command, "r");
  if (output == nullptr) return "";
  char line[256] = "";
  if (fgets(line, sizeof(line), output) == nullptr) line[0] = '\0';
  pclose(output);
  line[strcspn(line, "\n")] = '\0';
  return line;
}

// What the figures were taken on, and when.
std::string Machine() {
  struct utsname names;
  uname(&names);
  char date[16];
  const time_t now = time(nullptr);
  struct tm utc;
  strftime(date, sizeof(date), "%Y-%m-%d", gmtime_r(&now, &utc));
  std::string release = names.release;
  return absl::StrCat(
      FirstLineOf("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo"), ", ",
      sysconf(_SC_NPROCESSORS_ONLN), " CPUs, Linux ",
      release.substr(0, release.find('-')), ", ",
      FirstLineOf("git --version | sed 's/version //'"), ", ",
      FirstLineOf("flock --version | sed 's/^flock from //'"), ", ", date);
}

// %1$s: labels; %2$g: how far to the right; %3$d: rows; %4$s: their figures.
constexpr char kGnuplot[] = R"(
set terminal svg size 900,620 dynamic font 'Helvetica,Arial,sans-serif,12' background '#ffffff'
set label 'What o8lock takes, as a multiple of what it is compared with' at screen 0.5,0.97 center font ',16'
%1$s
set lmargin at screen 0.47
set rmargin at screen 0.93
set tmargin at screen 0.885
set bmargin at screen 0.105
set border 1 lc rgb '#888888'
set xtics nomirror out textcolor rgb '#444444'
unset ytics
set grid xtics lt 1 lc rgb '#e6e6e6'
set key at screen 0.96,0.01 right bottom vertical maxrows 1 samplen 1.5 textcolor rgb '#444444'
set xrange [0:%2$g]
set yrange [%3$d.6:0.4]
set arrow from 1, graph 0 to 1, graph 1 nohead lt 1 lc rgb '#999999' back
$rows << END
%4$sEND
plot \
  $rows using 2:1:(0):2:($1-0.34):($1+0.34) with boxxyerror fs solid noborder lc rgb '#8fbbd9' title 'median', \
  $rows using ($6 > 0 ? $2 : NaN):1:(0):2:($1-0.34):($1+0.34) with boxxyerror fs solid noborder lc rgb '#efb08c' title 'median, over the limit', \
  $rows using 2:1:3:4 with xerrorbars pt 0 lw 1.5 lc rgb '#33506b' title 'quartiles', \
  $rows using ($5 > 0 ? $5 : NaN):($1+0.42):(0):(-0.84) with vectors nohead lw 2.5 lc rgb '#c0392b' title 'limit'
)";

absl::Status Draw(const std::vector<Result>& results, const std::string& path) {
  std::string labels;
  const auto label = [&labels](absl::string_view text, absl::string_view how) {
    absl::StrAppend(&labels, "set label '",
                    absl::StrReplaceAll(text, {{"'", "''"}}), "' noenhanced ",
                    how, "\n");
  };
  label(Machine(), "at screen 0.5,0.925 center textcolor rgb '#666666'");
  std::string rows;
  double most = 0;
  int place = 0;
  for (const Result& result : results) {
    const Row& row = *result.row;
    ++place;
    label(row.name, absl::StrFormat("at screen 0.015, first %d left", place));
    label(row.peer, absl::StrFormat("at screen 0.46, first %d right textcolor "
                                    "rgb '#777777'",
                                    place));
    label(absl::StrFormat("%.2f", result.median),
          absl::StrFormat("at screen 0.985, first %d right", place));
    absl::StrAppendFormat(&rows, "%d %g %g %g %g %d\n", place, result.median,
                          result.lower, result.upper, row.limit, result.over);
    most = std::max({most, result.upper, row.limit});
  }
  FILE* gnuplot = popen("gnuplot", "w");
  if (gnuplot == nullptr) return absl::ErrnoToStatus(errno, "start gnuplot");
  absl::FPrintF(gnuplot, "set output '%s'\n",
                absl::StrReplaceAll(path, {{"'", "''"}}));
  absl::FPrintF(gnuplot, kGnuplot, labels, most * 1.03, place, rows);
  if (pclose(gnuplot) == 0) return absl::OkStatus();
  return absl::InternalError("gnuplot failed; is it installed?");
}

// One row; also where std::filesystem throws, as nothing else in here does.
Ratios Measure(const Row& row, Place& place, int pairs) {
  try {
    return row.measure(place, pairs);
  } catch (const fs::filesystem_error& error) {
    return absl::InternalError(error.what());
  }
}

int Main(int argc, char** argv) {
  int rounds = 10;
  std::string only;
  std::string svg;
  for (int i = 1; i < argc; ++i) {
    const absl::string_view option = argv[i];
    const std::string value = i + 1 < argc ? argv[++i] : "";
    if (option == "--only") {
      only = value;
    } else if (option == "--svg" && !value.empty()) {
      // `bazel run` has gone elsewhere.
      const char* here = getenv("BUILD_WORKING_DIRECTORY");
      svg = (fs::path(here == nullptr ? "." : here) / value).string();
    } else if (option != "--rounds" || !absl::SimpleAtoi(value, &rounds) ||
               rounds < 1) {
      fputs("usage: benchmark [--rounds N] [--only SUBSTRING] [--svg FILE]\n",
            stderr);
      return 1;
    }
  }
  struct sigaction interrupt = {};
  interrupt.sa_handler = [](int) { interrupted = 1; };
  interrupt.sa_flags = SA_RESTART;
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) {
    sigaction(signal, &interrupt, nullptr);
  }
  Place place;
  absl::Status status = place.SetUp();
  if (!status.ok()) {
    absl::FPrintF(stderr, "benchmark: %s\n", status.ToString());
    return 1;
  }
  int exit_code = 0;
  absl::PrintF("%-32s %-24s %6s  %16s  %5s\n", "", "against", "ratio",
               "quartiles", "limit");
  std::vector<Result> results;
  for (const Row& row : kRows) {
    if (interrupted != 0 || !absl::StrContains(row.name, only)) continue;
    const Ratios ratios = Measure(row, place, rounds * row.pairs);
    if (ratios.ok()) {
      results.push_back(Summarize(row, *ratios));
      Print(results.back());
    } else {
      absl::PrintF("%-32s %-24s not measured: %s\n", row.name, row.peer,
                   ratios.status().message());
      exit_code = 1;
    }
  }
  if (!svg.empty() && !results.empty()) {
    const absl::Status drawn = Draw(results, svg);
    if (!drawn.ok()) {
      absl::FPrintF(stderr, "benchmark: %s\n", drawn.ToString());
      exit_code = 1;
    }
  }
  return exit_code;
}

}  // namespace
}  // namespace o8lock

int main(int argc, char** argv) { return o8lock::Main(argc, argv); }
