// SPDX-License-Identifier: Apache-2.0
//
// The processes of the benchmark. Not thread-safe.
#ifndef O8LOCK_TOOLS_BENCH_PROCESSES_H_
#define O8LOCK_TOOLS_BENCH_PROCESSES_H_

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/file.h"

namespace o8lock {

using Argv = std::vector<std::string>;

struct Command {
  Argv argv;
  std::string directory;
  std::vector<int> exit_codes = {0};  // those that are as it should be
};

// sh -ec TEXT
Command Script(const std::string& text, const std::string& directory);

// /dev/null.
int Null();

// Makes this process `argv` in `directory`, with `in` and `out`. For a child of
// vfork(2).
[[noreturn]] void Become(char* const* argv, const char* directory, int in,
                         int out);

// For execvp(3). They point into `words`.
std::vector<char*> Pointers(const Argv& words);

// Waits for the end of the child `pid`, which executes `command`.
// Errors: kInternal  its end is not as it should be; others: it did not start.
absl::Status WaitFor(pid_t pid, const Command& command);

// Runs `command` to its end. Errors: WaitFor's.
absl::Status Run(const Command& command);

// The nanoseconds of that.
absl::StatusOr<double> TimeOf(const Command& command);

// A command that ends in `contender stay`, which tells when it has begun, and
// when it is about to end; the latter is when it is told to, or at the end of
// this object.
class Stay {
 public:
  explicit Stay(const Command& command);
  ~Stay();
  Stay(const Stay&) = delete;  // Two owners would wait for it twice.
  Stay& operator=(const Stay&) = delete;

  pid_t pid() const { return pid_; }
  // The next time that it tells; blocks until it does.
  absl::StatusOr<int64_t> ReadTime();
  void LetGo();
  absl::Status End();

 private:
  Command command_;
  pid_t pid_ = -1;
  Fd in_;
  Fd out_;
};

// Waits until all of `waiters` are blocked by the lock on the file `path` and
// have nothing else to do: o8lock blocks in a thread. Looks every millisecond:
// the kernel tells nobody of these.
absl::Status WaitForBlocked(const std::string& path,
                            const std::deque<Stay>& waiters);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_BENCH_PROCESSES_H_
