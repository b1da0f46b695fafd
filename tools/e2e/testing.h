// SPDX-License-Identifier: Apache-2.0
//
// For end-to-end tests of o8lock: repositories, runs that hold a lock until
// told to end, and whole messages for comparison. Not thread-safe. If a
// helper's own step fails, the test fails.
//
// Environment: O8LOCK_BIN      the program
//              O8LOCK_GOLDEN   the directory of the golden texts
#ifndef O8LOCK_TOOLS_E2E_TESTING_H_
#define O8LOCK_TOOLS_E2E_TESTING_H_

#include <poll.h>
#include <sched.h>
#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "lock/testing.h"

namespace o8lock {

using Argv = std::vector<std::string>;

// The path of the program.
std::string Binary();

// `o8lock WORDS...`
Argv O8lock(const Argv& arguments);

// `sh -c SCRIPT`
Argv Shell(const std::string& script);

// `o8lock OPTIONS... -- sh -c SCRIPT`
Argv Locked(const Argv& options, const std::string& script);

// Whether to test everything (--config=long) instead of the short form for
// daily use.
bool IsLongForm();

// Whether the program is built with a sanitizer. A sanitizer opens files of its
// own, cannot be traced, needs /proc, and prevents core dumps.
bool IsSanitized();

// In `directory`, isolated from the test's own environment, with a fixed user
// name.
ProcessOptions In(const std::string& directory);
// The same on a terminal without colours.
ProcessOptions OnTerminal(const std::string& directory);
// The same for a stand-in for orchestr8. The stand-in prints "ready" once all
// its worktrees exist, and continues after a line of input.
ProcessOptions AtTheGate(const std::string& directory);

// The result of a finished command.
struct Result {
  End end;
  std::string out;
  std::string err;
};

// Runs `argv` to its end.
Result Call(const Argv& argv, const ProcessOptions& options);
Result Call(const Argv& argv, const std::string& directory);

// A git repository with one commit.
class Repository {
 public:
  Repository();

  const std::string& path() const { return dir_.path(); }
  std::string File(absl::string_view name) const { return dir_.File(name); }
  std::string LockFile() const { return File(".claude/parallel.lock"); }
  std::string Guard() const { return File(".git/o8lock/parallel.guard"); }
  // The changes `git status` shows.
  std::string Changes() const;
  // Write these files, and create their directories.
  void MakeLockFile(absl::string_view text) const;
  void MakeGuard(absl::string_view text) const;

 private:
  TempDir dir_;
};

// Whether strace(1) is installed and may trace.
bool CanTrace();

// Keeps this process and its children on one processor. strace(1) stops them at
// each system call; to change between two processors takes three times as long.
class OneProcessor {
 public:
  OneProcessor();
  ~OneProcessor();
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  cpu_set_t before_;
};

// The names in `directory`, sorted. Empty if the directory does not exist.
std::vector<std::string> Names(const std::string& directory);

// Expects `repository` to be free of any run: no run holds the lock, there is
// no lock file, and a guard, if it exists, has no record.
void ExpectNothingLeft(const Repository& repository);

// A run that holds the lock. Its command ends when told to.
class Guarded {
 public:
  // The command; it prints "ready" and its pid.
  static constexpr char kScript[] = "echo ready $$; read code; exit $code";

  explicit Guarded(const std::string& directory, const Argv& options = {});
  // `argv` must print "ready PID", and end after a line with its exit code.
  Guarded(const Argv& argv, ProcessOptions options);

  // The pid of the wrapper.
  pid_t pid() const { return process_.pid(); }
  pid_t command_pid() const { return command_pid_; }
  Process& process() { return process_; }
  const std::string& err() const { return process_.err(); }

  // Makes the command end with `code`, and waits for the wrapper's end.
  End Finish(int code = 0);

 private:
  Process process_;
  pid_t command_pid_;
};

// Polls until `condition` holds. Use it only for events outside the processes
// the test can watch.
template <typename Condition>
void WaitUntil(const std::string& what, Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + Process::kDeadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      FAIL() << "not in time: " << what;
    }
    poll(nullptr, 0, 1);
  }
}

// Waits until the process `pid`, not a child of the test, has ended. Accepts a
// zombie: without a parent that collects orphans, it stays one.
void WaitForEnd(pid_t pid);

// Waits until the run in `repository` has completed its record.
void WaitForCommandInRecord(const Repository& repository);

// The pid of a process that has ended.
pid_t DeadPid();

// The format of times in a lock file.
std::string TimeText(absl::Time time);

// A lock file in the format of an external run.
std::string ExternalLockFile(int pid, const std::string& started_at);

// The values of each {NAME} in a text.
using Values = std::map<std::string, std::string>;

// `text` with `values`, {HOST} and {O8LOCK} filled in.
std::string Fill(std::string text, const Values& values);

// The golden text `name`, filled in by Fill.
std::string Golden(const std::string& name, const Values& values);

// Values for {REPO} and {PID}.
Values ValuesOf(const Repository& repository);
Values ValuesOf(const Repository& repository, pid_t pid);

// `text` without unpredictable parts: {TIME} replaces times, o8lock's and
// orchestr8's, and {DURATION} replaces durations. Also removes a terminal's
// carriage returns.
std::string Normal(std::string text);

// The state of a lock's files, to check whether any program has changed them.
struct LockFilesState {
  std::string lock_file;
  std::string record;
  ino_t guard;
  bool operator==(const LockFilesState& other) const {
    return lock_file == other.lock_file && record == other.record &&
           guard == other.guard;
  }
};
LockFilesState StateOf(const Repository& repository);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_E2E_TESTING_H_
