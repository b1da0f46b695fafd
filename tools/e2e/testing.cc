// SPDX-License-Identifier: Apache-2.0
#include "tools/e2e/testing.h"

#include <sched.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

ProcessOptions WithPipe(ProcessOptions options) {
  options.input = ProcessOptions::Stdin::kPipe;
  return options;
}

}  // namespace

std::string Binary() { return PathFromEnv("O8LOCK_BIN"); }

Argv O8lock(const Argv& arguments) {
  Argv argv = {Binary()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

Argv Shell(const std::string& script) { return {"sh", "-c", script}; }

Argv Locked(const Argv& options, const std::string& script) {
  Argv argv = O8lock(options);
  for (const char* argument : {"--", "sh", "-c"}) argv.emplace_back(argument);
  argv.push_back(script);
  return argv;
}

bool IsLongForm() { return getenv("O8LOCK_LONG") != nullptr; }

bool IsSanitized() {
  static const bool is_sanitized = [] {
    const std::string program = Contents(Binary());
    return absl::StrContains(program, "__asan_init") ||
           absl::StrContains(program, "__tsan_init");
  }();
  return is_sanitized;
}

ProcessOptions In(const std::string& directory) {
  ProcessOptions options;
  options.directory = directory;
  options.env = GitEnv();
  options.env["LOGNAME"] = "tester";
  options.env["O8LOCK"] = Binary();
  options.unset_env = {"O8LOCK_RUN", "GIT_DIR", "GIT_WORK_TREE",
                       "GIT_INDEX_FILE"};
  return options;
}

ProcessOptions OnTerminal(const std::string& directory) {
  ProcessOptions options = In(directory);
  options.terminal = true;
  options.env["TERM"] = "dumb";
  return options;
}

ProcessOptions AtTheGate(const std::string& directory) {
  ProcessOptions options = In(directory);
  options.env["STAND_IN_READY_FIFO"] = "/dev/stdout";
  options.env["STAND_IN_GO_FIFO"] = "/dev/stdin";
  options.input = ProcessOptions::Stdin::kPipe;
  return options;
}

Result Call(const Argv& argv, const ProcessOptions& options) {
  Process process(argv, options);
  const End end = process.Wait();
  return {end, process.out(), process.err()};
}

Result Call(const Argv& argv, const std::string& directory) {
  return Call(argv, In(directory));
}

Repository::Repository() {
  Git(path(), {"init", "--quiet"});
  MakeFile(File(".gitignore"), "/.claude/worktrees/\n");
  Git(path(), {"add", ".gitignore"});
  Git(path(), {"commit", "--quiet", "-m", "begin"});
}

std::string Repository::Changes() const {
  return Git(path(), {"status", "--porcelain"});
}

void Repository::MakeLockFile(absl::string_view text) const {
  std::filesystem::create_directories(File(".claude"));
  MakeFile(LockFile(), text);
}

void Repository::MakeGuard(absl::string_view text) const {
  std::filesystem::create_directories(File(".git/o8lock"));
  MakeFile(Guard(), text);
}

bool CanTrace() {
  return RunToEnd({"strace", "-qq", "-o", "/dev/null", "true"}) == Exited(0);
}

OneProcessor::OneProcessor() {
  CPU_ZERO(&before_);
  EXPECT_EQ(sched_getaffinity(0, sizeof(before_), &before_), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  EXPECT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
}

OneProcessor::~OneProcessor() {
  EXPECT_EQ(sched_setaffinity(0, sizeof(before_), &before_), 0);
}

std::vector<std::string> Names(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory, error)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void ExpectNothingLeft(const Repository& repository) {
  EXPECT_FALSE(Exists(repository.LockFile()));
  for (const std::string& name : Names(repository.File(".git/o8lock"))) {
    EXPECT_EQ(name, "parallel.guard");
    EXPECT_EQ(Contents(repository.Guard()), "");
  }
  const Result status = Call(O8lock({"status"}), repository.path());
  EXPECT_EQ(status.end, Exited(0));
  EXPECT_THAT(status.out, ::testing::StartsWith("free\n"));
}

Guarded::Guarded(const std::string& directory, const Argv& options)
    : Guarded(Locked(options, kScript), In(directory)) {}

Guarded::Guarded(const Argv& argv, ProcessOptions options)
    : process_(argv, WithPipe(std::move(options))),
      command_pid_(ReadyPid(process_)) {}

End Guarded::Finish(int code) {
  process_.Write(absl::StrCat(code, "\n"));
  return process_.Wait();
}

void WaitForEnd(pid_t pid) {
  WaitUntil(absl::StrCat("end of process ", pid), [pid] {
    // Not Contents: the process may end between its check and its read.
    std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
    std::string stat;
    return !std::getline(file, stat) ||
           std::regex_search(stat, std::regex("\\) [ZX] "));
  });
}

void WaitForCommandInRecord(const Repository& repository) {
  WaitUntil("the command's pid in the record", [&repository] {
    return absl::StrContains(Contents(repository.Guard()), "\"commandPid\"");
  });
}

pid_t DeadPid() {
  Process process({"true"});
  process.Wait();
  return process.pid();
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string ExternalLockFile(int pid, const std::string& started_at) {
  return absl::StrCat("{\"pid\": ", pid, ", \"startedAt\": \"", started_at,
                      "\", \"features\": [\"feat-x\"]}");
}

std::string Fill(std::string text, const Values& values) {
  char host[256] = "";
  gethostname(host, sizeof(host) - 1);
  Values all = {{"HOST", host}, {"O8LOCK", Binary()}};
  all.insert(values.begin(), values.end());
  for (const auto& [name, value] : all) {
    text = absl::StrReplaceAll(text, {{absl::StrCat("{", name, "}"), value}});
  }
  return text;
}

std::string Golden(const std::string& name, const Values& values) {
  return Fill(
      Contents(absl::StrCat(PathFromEnv("O8LOCK_GOLDEN"), "/", name, ".txt")),
      values);
}

Values ValuesOf(const Repository& repository) {
  return {{"REPO", repository.path()}};
}

Values ValuesOf(const Repository& repository, pid_t pid) {
  return {{"REPO", repository.path()}, {"PID", absl::StrCat(pid)}};
}

std::string Normal(std::string text) {
  text = absl::StrReplaceAll(text, {{"\r\n", "\n"}});
  text = std::regex_replace(
      text, std::regex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}([.][0-9]{3})?Z"),
      "{TIME}");
  text = std::regex_replace(text, std::regex("\nProcess: .*, not orchestr8"),
                            "\nProcess: {STRANGER}, not orchestr8");
  return std::regex_replace(
      text,
      std::regex("(Running for:|Age:|released after) "
                 "[0-9]+(s|m [0-9]+s|h [0-9]+m|d [0-9]+h)"),
      "$1 {DURATION}");
}

LockFilesState StateOf(const Repository& repository) {
  struct stat guard = {};
  EXPECT_EQ(stat(repository.Guard().c_str(), &guard), 0);
  // The run itself adds its command's pid once the command has started.
  const std::string record =
      std::regex_replace(Contents(repository.Guard()),
                         std::regex(",\"command(Pid|Since)\":[0-9]+"), "");
  return {Contents(repository.LockFile()), record, guard.st_ino};
}

}  // namespace o8lock
