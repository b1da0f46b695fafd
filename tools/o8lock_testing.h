// SPDX-License-Identifier: Apache-2.0
//
// For the tests of the whole o8lock: repositories, runs that have a lock until
// they are told to end, and whole messages to compare with.
//
// Environment: O8LOCK_BIN      the program
//              O8LOCK_GOLDEN   the directory of the golden texts
//              ORCHESTR8       the stand-in for orchestr8
#ifndef O8LOCK_TOOLS_O8LOCK_TESTING_H_
#define O8LOCK_TOOLS_O8LOCK_TESTING_H_

#include <poll.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"

namespace o8lock {

using Argv = std::vector<std::string>;

inline std::string Binary() { return PathFromEnv("O8LOCK_BIN"); }

// o8lock WORDS...
inline Argv O8lock(const Argv& words) {
  Argv argv = {Binary()};
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

// Whether to try everything: --config=long. The short form is for every day.
inline bool IsLongForm() { return getenv("O8LOCK_LONG") != nullptr; }

inline Argv Shell(const std::string& script) { return {"sh", "-c", script}; }

// o8lock OPTIONS... -- sh -c SCRIPT
inline Argv Locked(const Argv& options, const std::string& script) {
  Argv argv = O8lock(options);
  for (const char* word : {"--", "sh", "-c"}) argv.emplace_back(word);
  argv.push_back(script);
  return argv;
}

// In `directory`, apart from whatever the test itself runs in, with a user's
// name that is the same everywhere.
inline ProcessOptions In(const std::string& directory) {
  ProcessOptions options;
  options.directory = directory;
  options.env = GitEnv();
  options.env["LOGNAME"] = "tester";
  options.env["O8LOCK"] = Binary();
  options.unset_env = {"O8LOCK_TOKEN", "GIT_DIR", "GIT_WORK_TREE",
                       "GIT_INDEX_FILE"};
  return options;
}

inline ProcessOptions OnTerminal(const std::string& directory) {
  ProcessOptions options = In(directory);
  options.terminal = true;
  return options;
}

// What came of a command that needs no watching.
struct Result {
  End end;
  std::string out;
  std::string err;
};

inline Result Call(const Argv& argv, const ProcessOptions& options) {
  Process process(argv, options);
  const End end = process.Wait();
  return {end, process.out(), process.err()};
}

inline Result Call(const Argv& argv, const std::string& directory) {
  return Call(argv, In(directory));
}

// A git repository with one commit.
class Repository {
 public:
  Repository() {
    Git(path(), {"init", "--quiet"});
    MakeFile(File(".gitignore"), "/.claude/worktrees/\n");
    Git(path(), {"add", ".gitignore"});
    Git(path(), {"commit", "--quiet", "-m", "begin"});
  }
  const std::string& path() const { return dir_.path(); }
  std::string File(absl::string_view name) const { return dir_.File(name); }
  std::string LockFile() const { return File(".claude/parallel.lock"); }
  std::string Guard() const { return File(".git/o8lock/parallel.guard"); }
  // What `git status` shows as a change.
  std::string Changes() const { return Git(path(), {"status", "--porcelain"}); }
  void MakeLockFile(absl::string_view text) const {
    std::filesystem::create_directories(File(".claude"));
    MakeFile(LockFile(), text);
  }
  void MakeGuard(absl::string_view text) const {
    std::filesystem::create_directories(File(".git/o8lock"));
    MakeFile(Guard(), text);
  }

 private:
  TempDir dir_;
};

// The names in `directory`, sorted; none if it is not there.
inline std::vector<std::string> Names(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory, error)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Expects that in `repository` nobody has the lock and nothing of a run is
// left: no lock file, and a guard, if there is one, without a record; beside it
// only what is to become the next lock file.
inline void ExpectNothingLeft(const Repository& repository) {
  EXPECT_FALSE(Exists(repository.LockFile()));
  for (const std::string& name : Names(repository.File(".git/o8lock"))) {
    EXPECT_THAT(name,
                ::testing::AnyOf("parallel.guard", "parallel.guard.spare"));
    EXPECT_EQ(Contents(repository.Guard()), "");
  }
  const Result status = Call(O8lock({"status"}), repository.path());
  EXPECT_EQ(status.end, Exited(0));
  EXPECT_THAT(status.out, ::testing::StartsWith("free\n"));
}

// A run that has the lock, under a command that ends when it is told to.
class Guarded {
 public:
  // The command; "ready" comes with its pid.
  static constexpr char kScript[] = "echo ready $$; read code; exit $code";

  explicit Guarded(const std::string& directory, const Argv& options = {})
      : Guarded(Locked(options, kScript), In(directory)) {}
  // `argv` is to print "ready PID" and to end upon a line with its exit code.
  Guarded(const Argv& argv, ProcessOptions options)
      : process_(argv, WithPipe(std::move(options))),
        command_pid_(ReadyPid(process_)) {}

  // The wrapper's.
  pid_t pid() const { return process_.pid(); }
  pid_t command_pid() const { return command_pid_; }
  Process& process() { return process_; }
  const std::string& err() const { return process_.err(); }

  End Finish(int code = 0) {
    process_.Write(absl::StrCat(code, "\n"));
    return process_.Wait();
  }

 private:
  static ProcessOptions WithPipe(ProcessOptions options) {
    options.input = ProcessOptions::Stdin::kPipe;
    return options;
  }
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
inline void WaitForEnd(pid_t pid) {
  WaitUntil(absl::StrCat("end of process ", pid), [pid] {
    // Not Contents: the process may go between a look and a read.
    std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
    std::string stat;
    return !std::getline(file, stat) ||
           std::regex_search(stat, std::regex("\\) [ZX] "));
  });
}

// The pid of a process that has ended.
inline pid_t DeadPid() {
  Process process({"true"});
  process.Wait();
  return process.pid();
}

inline std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

// A lock file as a run outside o8lock writes it.
inline std::string ForeignLockFile(int pid, const std::string& started_at) {
  return absl::StrCat("{\"pid\": ", pid, ", \"startedAt\": \"", started_at,
                      "\", \"features\": [\"feat-x\"]}");
}

// For a stand-in for orchestr8 that shows "ready" where all its worktrees
// exist, and goes on upon a line.
inline ProcessOptions AtTheGate(const std::string& directory) {
  ProcessOptions options = In(directory);
  options.env["STAND_IN_READY_FIFO"] = "/dev/stdout";
  options.env["STAND_IN_GO_FIFO"] = "/dev/stdin";
  options.input = ProcessOptions::Stdin::kPipe;
  return options;
}

// {NAME} in a text, and what it stands for.
using Values = std::map<std::string, std::string>;

// `text` with `values` put in.
inline std::string Fill(std::string text, const Values& values) {
  char host[256] = "";
  gethostname(host, sizeof(host) - 1);
  Values all = {{"HOST", host}, {"O8LOCK", Binary()}};
  all.insert(values.begin(), values.end());
  for (const auto& [name, value] : all) {
    text = absl::StrReplaceAll(text, {{absl::StrCat("{", name, "}"), value}});
  }
  return text;
}

// The golden text `name` with `values` put in.
inline std::string Golden(const std::string& name, const Values& values) {
  return Fill(
      Contents(absl::StrCat(PathFromEnv("O8LOCK_GOLDEN"), "/", name, ".txt")),
      values);
}

inline Values ValuesOf(const Repository& repository) {
  return {{"REPO", repository.path()}};
}

inline Values ValuesOf(const Repository& repository, pid_t pid) {
  return {{"REPO", repository.path()}, {"PID", absl::StrCat(pid)}};
}

// `text` with {TIME} (be it o8lock's or orchestr8's) and {DURATION} for what no
// test can foresee, and without a terminal's carriage returns.
inline std::string Normal(std::string text) {
  text = absl::StrReplaceAll(text, {{"\r\n", "\n"}});
  text = std::regex_replace(
      text, std::regex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}([.][0-9]{3})?Z"),
      "{TIME}");
  return std::regex_replace(
      text,
      std::regex("(Running for:|Age:|released after) "
                 "[0-9]+(s|m [0-9]+s|h [0-9]+m|d [0-9]+h)"),
      "$1 {DURATION}");
}

// What the files of a lock are, to tell whether anybody touched them.
struct LockState {
  std::string lock_file;
  std::string record;
  ino_t guard;
  bool operator==(const LockState& other) const {
    return lock_file == other.lock_file && record == other.record &&
           guard == other.guard;
  }
};

inline LockState StateOf(const Repository& repository) {
  struct stat guard = {};
  EXPECT_EQ(stat(repository.Guard().c_str(), &guard), 0);
  // The run itself adds its command's pid, when that has begun already.
  const std::string record = std::regex_replace(
      Contents(repository.Guard()), std::regex(",\"commandPid\":[0-9]+"), "");
  return {Contents(repository.LockFile()), record, guard.st_ino};
}

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_O8LOCK_TESTING_H_
