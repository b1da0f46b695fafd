// SPDX-License-Identifier: Apache-2.0
//
// For tests that run real processes: directories and files, git, and a Process
// that is watched and cleaned up after. Whatever goes wrong in here fails the
// running test and says what was seen. Nothing sleeps: what is waited for has a
// deadline. Not thread-safe.
#ifndef O8LOCK_LOCK_TESTING_H_
#define O8LOCK_LOCK_TESTING_H_

#include <sys/types.h>

#include <chrono>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace o8lock {

// A new directory, removed with its content at the end.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;  // Two owners would remove it twice.
  TempDir& operator=(const TempDir&) = delete;

  // Absolute and without symbolic links.
  const std::string& path() const { return path_; }
  // The path of `name` in here.
  std::string File(absl::string_view name) const;

 private:
  std::string path_;
};

// Writes the file `path` anew, with exactly the permissions `mode`.
void MakeFile(const std::string& path, absl::string_view content,
              mode_t mode = 0644);
// The content of the file `path`.
std::string Contents(const std::string& path);
// Whether the name `path` is there, be it a dangling symbolic link.
bool Exists(const std::string& path);

// The value of the environment variable `name`, a path given by the BUILD file,
// made absolute.
std::string PathFromEnv(const char* name);

// Runs `git ARGS...` in `directory`, apart from the configuration and the
// repository of whoever runs the test, and returns what it writes to stdout.
std::string Git(const std::string& directory,
                const std::vector<std::string>& args);
// What makes a git so: to be set in `ProcessOptions::env`. HOME is a directory
// that does not exist.
std::map<std::string, std::string> GitEnv();

// How a process ended.
struct End {
  bool signaled;
  int code;
  bool operator==(const End& other) const {
    return signaled == other.signaled && code == other.code;
  }
  friend std::ostream& operator<<(std::ostream& out, const End& end);
};
inline End Exited(int code) { return {false, code}; }
inline End Killed(int signal) { return {true, signal}; }

struct ProcessOptions {
  enum class Stdin { kNull, kPipe };

  Stdin input = Stdin::kNull;
  // A terminal of its own instead: stdin, stdout and stderr, and the
  // controlling terminal of the session. What it shows is out().
  bool terminal = false;
  // Descriptors to close, after all else.
  std::vector<int> closed;
  // Added to this process's environment, or taken from it.
  std::map<std::string, std::string> env;
  std::vector<std::string> unset_env;
  std::string directory;     // Empty: that of this process.
  uid_t user = 0;            // With its gid equal; 0: as this process.
  std::vector<int> ignored;  // Signals. All others have their default,
  std::vector<int> blocked;  // and none but these are blocked.
};

// A process in a session of its own.
class Process {
 public:
  static constexpr std::chrono::seconds kDeadline{45};

  // Starts argv[0], searched for in PATH.
  explicit Process(const std::vector<std::string>& argv,
                   const ProcessOptions& options = {});
  // Kills what is left of it and its descendants, including those that made
  // themselves daemons.
  ~Process();
  Process(const Process&) = delete;  // Two owners would kill it twice.
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }

  // Writes to its stdin (Stdin::kPipe), or types on its terminal.
  void Write(absl::string_view text);
  // Closes its stdin, or hangs the terminal up.
  void CloseInput();

  // Reads until stdout (or the terminal), or stderr, has shown `text`, after
  // what the call before has found there. Returns what came up to its end.
  std::string WaitForOutput(absl::string_view text,
                            std::chrono::milliseconds deadline = kDeadline);
  std::string WaitForError(absl::string_view text,
                           std::chrono::milliseconds deadline = kDeadline);
  // Reads until stdout has shown `text` (true), or nobody is left who could
  // write it (false).
  bool ShowsOrCloses(absl::string_view text);

  void Signal(int signal) const;

  // Waits for its end, reading meanwhile. Descendants that live on are not
  // waited for.
  End Wait(std::chrono::milliseconds deadline = kDeadline);

  // What it has written up to now, as far as it was read by the above.
  const std::string& out() const { return out_.text; }
  const std::string& err() const { return err_.text; }

 private:
  struct Stream {
    int fd = -1;
    std::string text;
    size_t seen = 0;
  };
  using Time = std::chrono::steady_clock::time_point;

  std::string WaitForText(Stream& stream, absl::string_view text,
                          std::chrono::milliseconds deadline);
  // Waits for something to read, or also for the end of the process, and reads
  // it. Returns false when the deadline has passed.
  bool Read(Time deadline, bool or_end);
  std::string Report() const;

  bool terminal_;
  pid_t pid_ = -1;
  int pidfd_ = -1;
  int input_ = -1;  // Also the terminal's, of which out_.fd is a duplicate.
  Stream out_;
  Stream err_;
  std::string mark_;  // In the environment of every descendant.
  bool ended_ = false;
  End end_ = {false, -1};
  std::string command_;
};

// The pid after `label` in what a command, such as testdata/signal_printer,
// writes once it has begun.
pid_t ReadyPid(Process& process, absl::string_view label = "ready ");

// How often `part` is in `text`.
int Count(absl::string_view text, absl::string_view part);

// The end of a command that needs no watching.
End RunToEnd(const std::vector<std::string>& argv,
             const ProcessOptions& options = {});

// Waits until the process `pid` is in the state that ps(1) calls `state`, such
// as T, or has no such process if it is 0. Needed where the kernel tells
// nobody.
void WaitForState(pid_t pid, char state);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_TESTING_H_
