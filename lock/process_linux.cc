// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "lock/file.h"
#include "lock/process.h"

namespace o8lock {
namespace {

// Not ReadFile: that is for names from outside, and this is the start of every
// run. All these files fit one read.
std::string ReadProc(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return "";
  std::array<char, 4096> buffer;
  const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
  return got > 0 ? std::string(buffer.data(), static_cast<size_t>(got)) : "";
}

// Field 22 of /proc/PID/stat, counted after the last ')': the second field is
// the program's name and may hold blanks and parentheses.
Ticks StartOf(absl::string_view stat) {
  const size_t end_of_name = stat.rfind(')');
  if (end_of_name == absl::string_view::npos) return -1;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(stat.substr(end_of_name + 1), ' ', absl::SkipEmpty());
  Ticks start;
  if (fields.size() < 20 || !absl::SimpleAtoi(fields[19], &start)) return -1;
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

}  // namespace

Ticks NowTicks() {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * kTicksPerSecond +
         now.tv_nsec / (1000000000 / kTicksPerSecond);
}

ProcessInfo LookAt(int pid) {
  if (kill(pid, 0) != 0 && errno == ESRCH) return {ProcessState::kGone, -1};
  const std::string status = ReadProc(absl::StrCat("/proc/", pid, "/status"));
  // kill(2) answers for a thread's id as for a process's.
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
             // Threads may outlive the one that main() ran in.
             StatusField(status, "Threads") == "1") {
    process.state = ProcessState::kZombie;
  } else {
    process.state = ProcessState::kRunning;
  }
  return process;
}

Here LookHere() {
  Here here;
  here.pid = getpid();
  here.started = StartOf(ReadProc("/proc/self/stat"));
  struct utsname names;
  if (uname(&names) == 0) here.host = names.nodename;
  here.boot_id = std::string(absl::StripTrailingAsciiWhitespace(
      ReadProc("/proc/sys/kernel/random/boot_id")));
  struct stat info;
  if (stat("/proc/self/ns/pid", &info) == 0) {
    here.pid_namespace = static_cast<int64_t>(info.st_ino);
  }
  return here;
}

}  // namespace o8lock
