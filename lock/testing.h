// SPDX-License-Identifier: Apache-2.0
//
// For tests with real processes: directories and files, git, and class Process,
// which watches a process and cleans up after it. Every problem in these
// functions fails the running test with a report. Waiting has a deadline; there
// are no fixed sleeps. Not thread-safe.
#ifndef O8LOCK_LOCK_TESTING_H_
#define O8LOCK_LOCK_TESTING_H_

#include <sys/types.h>

#include <chrono>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "lock/file.h"

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
  // The path of `name` in this directory.
  std::string File(absl::string_view name) const;

 private:
  std::string path_;
};

// Writes the file `path`, replacing its content, with exactly the permissions
// `mode`.
void MakeFile(const std::string& path, absl::string_view content,
              mode_t mode = 0644);
// The content of the file `path`.
std::string Contents(const std::string& path);
// Whether the name `path` exists, even as a dangling symbolic link.
bool Exists(const std::string& path);

// The absolute path in the environment variable `name`, set by the BUILD file.
std::string PathFromEnv(const char* name);

// Runs `git ARGS...` in `directory`, isolated from the user's configuration and
// repository. Returns its stdout.
std::string Git(const std::string& directory,
                const std::vector<std::string>& args);
// The environment for this isolation, for `ProcessOptions::env`. HOME is a
// directory that does not exist.
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
  // A terminal of its own instead, as stdin, stdout and stderr, and as the
  // session's controlling terminal. Its output is in out().
  bool terminal = false;
  // Descriptors to close as the last step.
  std::vector<int> closed;
  // Added to this process's environment, and removed from it.
  std::map<std::string, std::string> env;
  std::vector<std::string> unset_env;
  std::string directory;     // Empty: this process's.
  uid_t user = 0;            // Also used as gid. 0: this process's user.
  std::vector<int> ignored;  // Signals. All others have their default action.
  std::vector<int> blocked;  // Signals. No others are blocked.
};

// A process in a session of its own.
class Process {
 public:
  static constexpr std::chrono::seconds kDeadline{45};

  // Starts argv[0], found through PATH.
  explicit Process(const std::vector<std::string>& argv,
                   const ProcessOptions& options = {});
  // Kills the process and its surviving descendants, including daemons.
  ~Process();
  Process(const Process&) = delete;  // Two owners would kill it twice.
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }

  // Writes to its stdin (Stdin::kPipe), or types on its terminal.
  void Write(absl::string_view text);
  // Closes its stdin, or hangs up the terminal.
  void CloseInput();

  // Reads until stdout (or the terminal), or stderr, contains `text` after the
  // previous call's match. Returns the new output up to the end of `text`.
  std::string WaitForOutput(absl::string_view text,
                            std::chrono::milliseconds deadline = kDeadline);
  std::string WaitForError(absl::string_view text,
                           std::chrono::milliseconds deadline = kDeadline);
  // Reads until stdout contains `text` (true), or until no process can write to
  // it any longer (false).
  bool ShowsOrCloses(absl::string_view text);

  void Signal(int signal) const;

  // Waits for its end, reading meanwhile. Does not wait for descendants.
  End Wait(std::chrono::milliseconds deadline = kDeadline);

  // Its output read so far by the functions above.
  const std::string& out() const { return out_.text; }
  const std::string& err() const { return err_.text; }

 private:
  struct Stream {
    Fd fd;
    std::string text;
    size_t seen = 0;
  };
  using Time = std::chrono::steady_clock::time_point;

  std::string WaitForText(Stream& stream, absl::string_view text,
                          std::chrono::milliseconds deadline);
  // Waits for something to read or, with `or_end`, for the end of the process,
  // and reads it. Returns false if the deadline has passed.
  bool Read(Time deadline, bool or_end);
  std::string Report() const;

  bool terminal_;
  pid_t pid_ = -1;
  Fd pidfd_;
  Fd input_;  // For a terminal out_.fd is a duplicate.
  Stream out_;
  Stream err_;
  std::string mark_;  // In every descendant's environment.
  bool ended_ = false;
  End end_ = {false, -1};
  std::string command_;
};

// The pid after `label` in the first output of a command such as
// testdata/signal_printer.
pid_t ReadyPid(Process& process, absl::string_view label = "ready ");

// The number of times `part` is in `text`.
int Count(absl::string_view text, absl::string_view part);

// Runs a command that needs no watching, and returns its end.
End RunToEnd(const std::vector<std::string>& argv,
             const ProcessOptions& options = {});

// Waits until the process `pid` is in the state `state` of ps(1), such as T, or
// no longer exists if `state` is 0. For state changes without a notification
// from the kernel.
void WaitForState(pid_t pid, char state);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_TESTING_H_
