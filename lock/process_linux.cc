// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "lock/file.h"
#include "lock/process.h"

namespace o8lock {
namespace {

// Not ReadFile: it is for names from outside, and every run starts with these
// reads. Most of these files fit one read.
std::string ReadProc(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return "";
  std::string text;
  std::array<char, 4096> buffer;
  ssize_t got;
  do {
    got = read(fd.get(), buffer.data(), buffer.size());
    if (got > 0) text.append(buffer.data(), static_cast<size_t>(got));
  } while (got == static_cast<ssize_t>(buffer.size()) ||
           (got < 0 && errno == EINTR));
  return text;
}

// The target of the link `path`; empty if it cannot be read.
std::string ReadLink(const std::string& path) {
  std::array<char, PATH_MAX> target;
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  return size < 0 ? "" : std::string(target.data(), static_cast<size_t>(size));
}

// The kernel's suffix for the path of a file without a name.
constexpr absl::string_view kDeleted = " (deleted)";

// Field `number` of /proc/PID/stat; -1 if there is no such field. Counts after
// the last ')': the second field is the program's name and may contain blanks
// and parentheses.
int64_t StatField(absl::string_view stat, size_t number) {
  const size_t end_of_name = stat.rfind(')');
  if (end_of_name == absl::string_view::npos) return -1;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(stat.substr(end_of_name + 1), ' ', absl::SkipEmpty());
  int64_t value;
  if (fields.size() + 2 < number ||
      !absl::SimpleAtoi(fields[number - 3], &value)) {
    return -1;
  }
  return value;
}

Ticks StartOf(absl::string_view stat) {
  const Ticks start = StatField(stat, 22);
  if (start < 0) return -1;
  const int64_t per_second = sysconf(_SC_CLK_TCK);
  return per_second > 0 ? start * kTicksPerSecond / per_second : -1;
}

// The value of "Name:\tvalue" in /proc/PID/status.
absl::string_view StatusField(absl::string_view status,
                              absl::string_view name) {
  for (const absl::string_view line : absl::StrSplit(status, '\n')) {
    if (line.size() > name.size() && line[name.size()] == ':' &&
        line.substr(0, name.size()) == name) {
      return absl::StripAsciiWhitespace(line.substr(name.size() + 1));
    }
  }
  return "";
}

// The numbers among the names in the directory `path`, sorted.
std::vector<int> NumbersIn(const std::string& path) {
  std::vector<int> numbers;
  for (const std::string& name : NamesIn(path)) {
    int number;
    if (absl::SimpleAtoi(name, &number)) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// Whether `fdinfo`, from /proc/PID/fdinfo, has a line such as
//   lock: 1: OFDLCK ADVISORY  WRITE -1 fe:01:1234 0 0
// with one of `bytes` as its last number but one, the beginning of the lock.
bool LocksOneOf(absl::string_view fdinfo, const std::vector<int64_t>& bytes) {
  for (const absl::string_view line : absl::StrSplit(fdinfo, '\n')) {
    if (!absl::StartsWith(line, "lock:")) continue;
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    int64_t begin;
    if (words.size() >= 4 && words[2] == "OFDLCK" &&
        absl::SimpleAtoi(words[words.size() - 2], &begin) &&
        std::find(bytes.begin(), bytes.end(), begin) != bytes.end()) {
      return true;
    }
  }
  return false;
}

// Whether the descriptor `fd` of `process`, "/proc/PID", refers to `file`.
bool IsOf(const std::string& process, int fd, const FileId& file) {
  struct stat info;
  return stat(absl::StrCat(process, "/fd/", fd).c_str(), &info) == 0 &&
         file == FileId{info.st_dev, info.st_ino};
}

// Whether `process` has a descriptor of `file` with a lock beginning at one of
// `bytes`.
bool HasLockedOneOf(const std::string& process, const FileId& file,
                    const std::vector<int64_t>& bytes) {
  for (const int fd : NumbersIn(process + "/fdinfo")) {
    if (LocksOneOf(ReadProc(absl::StrCat(process, "/fdinfo/", fd)), bytes) &&
        IsOf(process, fd, file)) {
      return true;
    }
  }
  return false;
}

// The environment of `pid`, in the form of /proc/PID/environ. During an
// execve(2) this file is empty, and the environment's addresses are 0 or, for
// microseconds, equal.
std::string EnvironmentOf(int pid) {
  constexpr int kTries = 20;
  const std::string process = absl::StrCat("/proc/", pid);
  int empty = 0;
  for (int i = 0; i < kTries && empty < 3; ++i) {
    std::string environment = ReadProc(process + "/environ");
    if (!environment.empty()) return environment;
    // A kernel thread, a zombie, or another user's process.
    if (ReadLink(process + "/exe").empty()) break;
    const std::string stat = ReadProc(process + "/stat");
    const int64_t start = StatField(stat, 50);
    if (start != 0 && start == StatField(stat, 51)) ++empty;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return "";
}

// The inode of /proc/PID/ns/pid for the initial namespace, in every kernel.
constexpr int64_t kInitialPidNamespace = 0xEFFFFFFC;

// The inode of the namespace `kind` of `process`, "/proc/PID"; -1 if it cannot
// be read. Not stat(2): this makes the kernel create an inode.
int64_t NamespaceOf(absl::string_view process, absl::string_view kind) {
  // "pid:[4026531836]"
  const std::string link = ReadLink(absl::StrCat(process, "/ns/", kind));
  absl::string_view number = link;
  int64_t inode;
  return absl::ConsumePrefix(&number, kind) &&
                 absl::ConsumePrefix(&number, ":[") &&
                 absl::ConsumeSuffix(&number, "]") &&
                 absl::SimpleAtoi(number, &inode)
             ? inode
             : -1;
}

Here ReadHere() {
  Here here;
  here.pid = getpid();
  struct utsname names;
  if (uname(&names) == 0) here.host = names.nodename;
  here.boot_id = std::string(absl::StripTrailingAsciiWhitespace(
      ReadProc("/proc/sys/kernel/random/boot_id")));
  here.pid_namespace = NamespaceOf("/proc/self", "pid");
  here.time_namespace = NamespaceOf("/proc/self", "time");
  return here;
}

}  // namespace

Ticks NowTicks() { return TicksOf(NowNanoseconds()); }

int64_t NowNanoseconds() {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return Nanoseconds(now);
}

int MillisecondsUntil(Ticks moment) {
  if (moment < 0) return -1;
  const Ticks left = std::max<Ticks>(moment - NowTicks(), 0);
  return static_cast<int>(
      std::min<int64_t>(left * 1000 / kTicksPerSecond, INT_MAX));
}

ProcessInfo GetProcess(int pid) {
  if (kill(pid, 0) != 0 && errno == ESRCH) return {ProcessState::kGone, -1};
  const std::string status = ReadProc(absl::StrCat("/proc/", pid, "/status"));
  // kill(2) accepts a thread's id like a process's.
  const absl::string_view leader = StatusField(status, "Tgid");
  if (!leader.empty() && leader != absl::StrCat(pid)) {
    return {ProcessState::kGone, -1};
  }
  ProcessInfo process;
  process.started = StartOf(ReadProc(absl::StrCat("/proc/", pid, "/stat")));
  const absl::string_view state = StatusField(status, "State").substr(0, 1);
  if (state == "T" || state == "t") {
    process.state = ProcessState::kStopped;
  } else if ((state == "Z" || state == "X") &&
             // Threads may outlive the thread of main().
             StatusField(status, "Threads") == "1") {
    process.state = ProcessState::kZombie;
  } else {
    process.state = ProcessState::kRunning;
  }
  return process;
}

int NumberHere(int pid, int64_t pid_namespace) {
  for (const int number : Processes()) {
    const std::string process = absl::StrCat("/proc/", number);
    if (NamespaceOf(process, "pid") != pid_namespace) continue;
    // "1829\t2": its pids, from this namespace to its own.
    const std::string status = ReadProc(process + "/status");
    const absl::string_view numbers = StatusField(status, "NSpid");
    if (numbers.substr(numbers.rfind('\t') + 1) == absl::StrCat(pid)) {
      return number;
    }
  }
  return 0;
}

bool SeesAllNamespaces() {
  return ThisProcess().pid_namespace == kInitialPidNamespace;
}

std::string ProgramOf(int pid) {
  const std::string path = ReadLink(absl::StrCat("/proc/", pid, "/exe"));
  if (path.empty()) {
    return std::string(absl::StripTrailingAsciiWhitespace(
        ReadProc(absl::StrCat("/proc/", pid, "/comm"))));
  }
  absl::string_view file = path;
  absl::ConsumeSuffix(&file, kDeleted);
  return std::string(BaseName(file));
}

std::string DirectoryOf(int pid) {
  return ReadLink(absl::StrCat("/proc/", pid, "/cwd"));
}

std::string PathOf(const Fd& fd) {
  std::string path = ReadLink(absl::StrCat("/proc/self/fd/", fd.get()));
  return absl::EndsWith(path, kDeleted) ? "" : path;
}

std::string OwnProgram() {
  std::string path = ReadLink("/proc/self/exe");
  return absl::EndsWith(path, kDeleted) ? "" : path;
}

std::vector<int> Processes() { return NumbersIn("/proc"); }

bool HasOpen(int pid, const FileId& file) {
  const std::string process = absl::StrCat("/proc/", pid);
  for (const int fd : NumbersIn(process + "/fd")) {
    if (IsOf(process, fd, file)) return true;
  }
  return false;
}

bool HasLocked(int pid, const FileId& file, int64_t byte) {
  return HasLockedOneOf(absl::StrCat("/proc/", pid), file, {byte});
}

std::vector<std::string> CommandOf(int pid) {
  const std::string command = ReadProc(absl::StrCat("/proc/", pid, "/cmdline"));
  if (command.empty()) return {};
  return absl::StrSplit(absl::StripSuffix(command, absl::string_view("\0", 1)),
                        '\0');
}

int ParentProcess(int pid) {
  return static_cast<int>(std::max<int64_t>(
      StatField(ReadProc(absl::StrCat("/proc/", pid, "/stat")), 4), 0));
}

bool MayHaveBegunAfter(int pid, int first) {
  // "0.20 0.18 0.12 1/80 11206": the last number is the last assigned pid.
  const std::string text = ReadProc("/proc/loadavg");
  const absl::string_view line = absl::StripTrailingAsciiWhitespace(text);
  int last = 0;
  if (!absl::SimpleAtoi(line.substr(line.rfind(' ') + 1), &last)) return false;
  // After the highest pid the kernel continues with the lowest ones.
  return last >= first ? first < pid && pid <= last
                       : first < pid || pid <= last;
}

std::vector<int> AncestorsOf(int pid, Ticks since) {
  std::vector<int> ancestors;
  while (true) {
    const std::string stat = ReadProc(absl::StrCat("/proc/", pid, "/stat"));
    // A process cannot start one older than itself.
    if (!ancestors.empty() && StartOf(stat) < since) return ancestors;
    pid = static_cast<int>(StatField(stat, 4));
    if (pid <= 0) return ancestors;
    ancestors.push_back(pid);
  }
}

bool DescendsFrom(int pid, int ancestor) {
  const std::vector<int> ancestors = AncestorsOf(pid);
  return std::find(ancestors.begin(), ancestors.end(), ancestor) !=
         ancestors.end();
}

std::vector<int> InheritedDescriptors(const FileId& file) {
  std::vector<int> open = NumbersIn("/proc/self/fd");
  if (open.empty()) {  // Without /proc, looks for the low numbers.
    open.resize(256);
    std::iota(open.begin(), open.end(), 0);
  }
  std::vector<int> inherited;
  for (const int fd : open) {
    const int flags = fd > 2 ? fcntl(fd, F_GETFD) : -1;
    struct stat info;
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0 && fstat(fd, &info) == 0 &&
        file == FileId{info.st_dev, info.st_ino}) {
      inherited.push_back(fd);
    }
  }
  return inherited;
}

std::vector<DescriptorHolder> DescriptorHoldersOf(const FileId& file) {
  std::vector<DescriptorHolder> descriptor_holders;
  for (const int pid : Processes()) {
    const std::string process = absl::StrCat("/proc/", pid);
    // The first bytes of kRun (and kAll) and of kJoined.
    if (pid == getpid() || !HasLockedOneOf(process, file, {0, 2})) continue;
    descriptor_holders.push_back({pid, CommandOf(pid)});
  }
  return descriptor_holders;
}

std::vector<Descendant> DescendantsOf(int pid) {
  struct Entry {
    int64_t parent;
    bool alive;
    Descendant process;
  };
  std::vector<Entry> all;
  for (const int number : Processes()) {
    const std::string stat = ReadProc(absl::StrCat("/proc/", number, "/stat"));
    const size_t end_of_name = stat.rfind(") ");
    if (end_of_name == stat.npos) continue;
    const char state = stat[end_of_name + 2];
    all.push_back(
        {StatField(stat, 4),
         state != 'Z' && state != 'X',
         {number, static_cast<int>(StatField(stat, 6)), StartOf(stat)}});
  }
  // A pid may be smaller than its parent's: the kernel starts over at some
  // point.
  std::set<int64_t> family = {pid};
  for (bool grown = true; grown;) {
    grown = false;
    for (const Entry& entry : all) {
      if (family.count(entry.parent) != 0) {
        grown = family.insert(entry.process.pid).second || grown;
      }
    }
  }
  std::vector<Descendant> descendants;
  for (const Entry& entry : all) {
    if (entry.alive && entry.process.pid != pid &&
        family.count(entry.process.pid) != 0) {
      descendants.push_back(entry.process);
    }
  }
  return descendants;
}

std::vector<int> ProcessesWith(const std::string& name,
                               const std::string& entry) {
  std::vector<int> processes;
  for (const int pid : Processes()) {
    const std::string environment = EnvironmentOf(pid);
    for (absl::string_view variable : absl::StrSplit(environment, '\0')) {
      if (!absl::ConsumePrefix(&variable, name + "=")) continue;
      const std::vector<absl::string_view> entries =
          absl::StrSplit(variable, ':');
      if (std::find(entries.begin(), entries.end(), entry) != entries.end()) {
        processes.push_back(pid);
      }
      break;
    }
  }
  return processes;
}

Fd OpenProcess(int pid) {
  return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

int SessionOf(int pid) { return getsid(pid); }

void SignalProcess(int pid, Ticks started, int signal) {
  const Fd process = OpenProcess(pid);
  // While it is open, the pid means this process or no process.
  if (GetProcess(pid).started != started) return;
  if (process.ok()) {
    syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
  } else {
    kill(pid, signal);
  }
}

Here ThisProcess() {
  static const Here& first = *new Here(ReadHere());
  return first.pid == getpid() ? first : ReadHere();
}

}  // namespace o8lock
