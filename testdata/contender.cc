// SPDX-License-Identifier: Apache-2.0
//
// Contends for a lock in the tests; starts in a fraction of a millisecond. Each
// form writes "PID TIME" to stdout once it is inside, and runs until the end of
// stdin. All except `stay` append one line to a log. Times are in nanoseconds
// of CLOCK_MONOTONIC. BEGAN is a time from the caller.
//
//   contender alone DIRECTORY BEGAN
//       A command that must be alone, and checks this without any lock. It
//       creates DIRECTORY/marker, which must not exist, and removes it at its
//       end.
//       Logs "BEGAN START END" in DIRECTORY/log.
//       Exits with 0, or with 99 if the marker existed.
//
//   contender naive FILE DIRECTORY
//       A program that uses the lock file FILE as orchestr8 does. It checks
//       whether FILE exists and its pid is alive, and writes FILE in place. At
//       its end it checks whether FILE exists and unlinks it.
//       Logs "OPENED WRITTEN END KEPT" in DIRECTORY/naive: the times just
//       before it opened FILE, after it wrote it, and before its last check;
//       and whether FILE still had its text.
//       Exits with 0, with 1 if it was locked out, or with 3 if FILE was not
//       JSON or disappeared meanwhile. orchestr8 does not handle these two
//       cases.
//
//   contender late FILE DIRECTORY
//       The same, but between checking and writing it writes "PID TIME" to
//       stdout and waits for one byte on stdin.
//
//   contender stay
//       Writes "PID TIME" a second time when it is about to end. Exits with 0.
//
// Exits with 98 if a system call failed unexpectedly.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

namespace {

constexpr int kRefused = 1;
constexpr int kCrashed = 3;
constexpr int kBroken = 98;
constexpr int kCollided = 99;

int64_t Now() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

[[noreturn]] void Break(const char* what) {
  fprintf(stderr, "contender: %s: %s\n", what, strerror(errno));
  _exit(kBroken);
}

// A single write keeps the lines of other processes out.
void WriteTo(int fd, const std::string& text) {
  if (write(fd, text.data(), text.size()) !=
      static_cast<ssize_t>(text.size())) {
    Break("write");
  }
}

void Log(const std::string& path, const std::string& line) {
  const int log = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (log < 0) Break(path.c_str());
  WriteTo(log, line);
}

void Announce(int64_t time) {
  char text[64];
  snprintf(text, sizeof(text), "%d %" PRId64 "\n", getpid(), time);
  WriteTo(STDOUT_FILENO, text);
}

// Waits for a byte on stdin, or for its end. Returns true for a byte.
bool Wait() {
  char c;
  const ssize_t got = read(STDIN_FILENO, &c, 1);
  if (got < 0) Break("read");
  return got == 1;
}

void Stay(int64_t since) {
  Announce(since);
  while (Wait()) {
  }
}

int Alone(const std::string& directory, const char* began) {
  const int64_t start = Now();
  const std::string path = directory + "/marker";
  const int marker = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (marker < 0 && errno != EEXIST) Break(path.c_str());
  if (marker >= 0) {
    Stay(start);
    if (unlink(path.c_str()) != 0) Break(path.c_str());
  }
  char line[128];
  snprintf(line, sizeof(line), "%s %" PRId64 " %" PRId64 "\n", began, start,
           Now());
  Log(directory + "/log", line);
  return marker >= 0 ? 0 : kCollided;
}

// Empty also for a missing file.
std::string Contents(const char* path) {
  char text[4096] = "";
  const int file = open(path, O_RDONLY);
  if (file < 0) return "";
  const ssize_t size = read(file, text, sizeof(text));
  close(file);
  return {text, size > 0 ? static_cast<size_t>(size) : 0};
}

int Naive(const char* path, const std::string& directory, bool late) {
  if (access(path, F_OK) == 0) {
    const std::string found = Contents(path);
    const size_t last = found.find_last_not_of('\n');
    int pid;
    if (last == std::string::npos || found[last] != '}' ||
        sscanf(found.c_str(), "{ \"pid\": %d,", &pid) != 1) {
      return kCrashed;
    }
    if (kill(pid, 0) == 0) return kRefused;
  }
  if (late) {
    Announce(Now());
    Wait();
  }
  char text[256];
  const time_t seconds = time(nullptr);
  struct tm utc;
  gmtime_r(&seconds, &utc);
  char date[64];
  strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S.000Z", &utc);
  snprintf(text, sizeof(text),
           "{\n  \"pid\": %d,\n  \"startedAt\": \"%s\",\n"
           "  \"features\": [\n    \"feat-x\"\n  ]\n}",
           getpid(), date);
  const int64_t opened = Now();
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (file < 0) Break(path);
  WriteTo(file, text);
  close(file);
  const int64_t written = Now();
  Stay(written);
  const int64_t end = Now();
  const bool kept = Contents(path) == text;
  if (access(path, F_OK) == 0 && unlink(path) != 0 && errno != ENOENT) {
    Break(path);
  }
  char line[128];
  snprintf(line, sizeof(line), "%" PRId64 " %" PRId64 " %" PRId64 " %d\n",
           opened, written, end, kept ? 1 : 0);
  Log(directory + "/naive", line);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string form = argc > 1 ? argv[1] : "";
  if (form == "alone" && argc == 4) return Alone(argv[2], argv[3]);
  if (form == "stay" && argc == 2) {
    Stay(Now());
    Announce(Now());
    return 0;
  }
  if ((form == "naive" || form == "late") && argc == 4) {
    return Naive(argv[2], argv[3], form == "late");
  }
  fputs(
      "usage: contender alone DIRECTORY BEGAN\n"
      "       contender naive|late FILE DIRECTORY\n"
      "       contender stay\n",
      stderr);
  return kBroken;
}
