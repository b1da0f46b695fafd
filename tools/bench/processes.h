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
  std::vector<int> exit_codes = {0};  // the expected ones
};

// `sh -ec TEXT`
Command Script(const std::string& text, const std::string& directory);

// A descriptor of /dev/null.
int Null();

// Executes `argv` in `directory` in this process, with `in` and `out` as
// standard streams. For a child of vfork(2).
[[noreturn]] void Become(char* const* argv, const char* directory, int in,
                         int out);

// The arguments of execvp(3). They point into `arguments`.
std::vector<char*> Pointers(const Argv& arguments);

// Waits for the end of the child `pid`, which runs `command`.
// Errors:
//   kInternal  The child ended by a signal or with an unexpected exit code.
//   others     The child did not start.
absl::Status WaitFor(pid_t pid, const Command& command);

// Runs `command` to its end. Errors: as WaitFor.
absl::Status Run(const Command& command);

// Runs `command` and returns its time in nanoseconds.
absl::StatusOr<double> TimeOf(const Command& command);

// A command ending in `contender stay`. It reports a time when it has begun,
// and again when it is about to end. It ends on LetGo(), or when this object is
// destroyed.
class Stay {
 public:
  explicit Stay(const Command& command);
  ~Stay();
  Stay(const Stay&) = delete;  // Two owners would wait for it twice.
  Stay& operator=(const Stay&) = delete;

  pid_t pid() const { return pid_; }
  // Returns the next reported time. Blocks until the command reports it.
  absl::StatusOr<int64_t> ReadTime();
  void LetGo();
  absl::Status End();

 private:
  Command command_;
  pid_t pid_ = -1;
  Fd in_;
  Fd out_;
};

// Waits until all of `waiters` are blocked by the lock on the file `path`, and
// their main threads sleep too: o8lock blocks in another thread. Polls every
// millisecond, because the kernel has no event for this.
absl::Status WaitForBlocked(const std::string& path,
                            const std::deque<Stay>& waiters);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_BENCH_PROCESSES_H_
