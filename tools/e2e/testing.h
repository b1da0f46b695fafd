// SPDX-License-Identifier: Apache-2.0
//
// For the tests of the whole o8lock: repositories, runs that have a lock until
// they are told to end, and whole messages to compare with. Not thread-safe.
// Where something fails that a test takes for granted, the test fails.
//
// Environment: O8LOCK_BIN      the program
//              O8LOCK_GOLDEN   the directory of the golden texts
#ifndef O8LOCK_TOOLS_E2E_TESTING_H_
#define O8LOCK_TOOLS_E2E_TESTING_H_

#include <poll.h>
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

// o8lock WORDS...
Argv O8lock(const Argv& words);

// sh -c SCRIPT
Argv Shell(const std::string& script);

// o8lock OPTIONS... -- sh -c SCRIPT
Argv Locked(const Argv& options, const std::string& script);

// Whether to try everything: --config=long. The short form is for every day.
bool IsLongForm();

// In `directory`, apart from whatever the test itself runs in, with a user's
// name that is the same everywhere.
ProcessOptions In(const std::string& directory);
// The same on a terminal without colours.
ProcessOptions OnTerminal(const std::string& directory);
// The same for a stand-in for orchestr8 that shows "ready" where all its
// worktrees exist, and goes on upon a line.
ProcessOptions AtTheGate(const std::string& directory);

// What came of a command that needs no watching.
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
  // What `git status` shows as a change.
  std::string Changes() const;
  // Write these files, with the directories that they are in.
  void MakeLockFile(absl::string_view text) const;
  void MakeGuard(absl::string_view text) const;

 private:
  TempDir dir_;
};

// The names in `directory`, sorted; none if it is not there.
std::vector<std::string> Names(const std::string& directory);

// Expects that in `repository` nobody has the lock and nothing of a run is
// left: no lock file, and a guard, if there is one, without a record.
void ExpectNothingLeft(const Repository& repository);

// A run that has the lock, under a command that ends when it is told to.
class Guarded {
 public:
  // The command; "ready" comes with its pid.
  static constexpr char kScript[] = "echo ready $$; read code; exit $code";

  explicit Guarded(const std::string& directory, const Argv& options = {});
  // `argv` is to print "ready PID" and to end upon a line with its exit code.
  Guarded(const Argv& argv, ProcessOptions options);

  // The wrapper's.
  pid_t pid() const { return process_.pid(); }
  pid_t command_pid() const { return command_pid_; }
  Process& process() { return process_; }
  const std::string& err() const { return process_.err(); }

  // Has the command end with `code`, and waits for the wrapper's end.
  End Finish(int code = 0);

 private:
  Process process_;
  pid_t command_pid_;
};

// Waits until `condition`, of which nobody tells. Only for what happens outside
// the processes that the test can watch.
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

// Waits until the process `pid`, no child of the test, has ended. Where nobody
// collects orphans it stays a zombie.
void WaitForEnd(pid_t pid);

// Waits until the run in `repository` has written all of its record.
void WaitForCommandInRecord(const Repository& repository);

// The pid of a process that has ended.
pid_t DeadPid();

// As in a lock file.
std::string TimeText(absl::Time time);

// A lock file as an external run writes it.
std::string ExternalLockFile(int pid, const std::string& started_at);

// {NAME} in a text, and what it stands for.
using Values = std::map<std::string, std::string>;

// `text` with `values`, {HOST} and {O8LOCK} put in.
std::string Fill(std::string text, const Values& values);

// The golden text `name` with `values` put in, as by Fill.
std::string Golden(const std::string& name, const Values& values);

// {REPO} and {PID}.
Values ValuesOf(const Repository& repository);
Values ValuesOf(const Repository& repository, pid_t pid);

// `text` with {TIME} (be it o8lock's or orchestr8's) and {DURATION} for what no
// test can foresee, and without a terminal's carriage returns.
std::string Normal(std::string text);

// What the files of a lock are, to tell whether anybody touched them.
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
