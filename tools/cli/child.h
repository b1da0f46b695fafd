// SPDX-License-Identifier: Apache-2.0
//
// Runs one command transparently: neither the command nor the caller notices
// this process between them.
//
// Calling sequence of a wrapper:
//   EnsureStandardDescriptors();
//   ChildRunner runner;         // from here on no signal ends this process
//   ... take the lock ...
//   runner.Run(argv, ...);      // the command's life
//   ... release the lock ...
//   ExitAs(*exit);              // while the runner still exists
// Hold an Interruptible while asking the user or waiting for a lock: Ctrl-C
// must end both.
#ifndef O8LOCK_TOOLS_CLI_CHILD_H_
#define O8LOCK_TOOLS_CLI_CHILD_H_

#include <sys/types.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/cli/events.h"
#include "tools/cli/signals.h"

namespace o8lock {

// How a command ended.
struct ChildExit {
  bool signaled = false;  // Whether a signal ended it.
  int code = 0;           // The signal's number, or the exit code, 0 to 255.
  bool core_dumped = false;
};

// The wrapper's own work while the command runs.
class RunObserver {
 public:
  virtual ~RunObserver() = default;

  // The command is executing as process `command`. Signals are held back
  // meanwhile.
  virtual void Started(pid_t command) = 0;

  // The command has run for a second. Returns a descriptor to watch for
  // OnReadable(), or -1 for no descriptor. This object owns the descriptor.
  virtual int StartWatching() = 0;

  // The descriptor may have become readable. Also called directly after
  // StartWatching().
  virtual void OnReadable() = 0;
};

// Blocks every signal in this process while it exists, and forwards signals to
// the command while that runs. A write to a pipe without a reader, or beyond
// the file size limit, fails with an error instead of a signal.
//
// Not thread-safe, and only one at a time: the signal mask and dispositions
// belong to the process, and Run() takes signals any thread might want.
class ChildRunner {
 public:
  // Blocks all signals. A signal sent before Run() stays pending until then.
  ChildRunner();

  // Restores the original signal mask and dispositions. A pending signal then
  // has its usual effect, such as ending the process.
  ~ChildRunner();

  // Not copyable: a copy would restore the mask twice, the second time wrongly.
  ChildRunner(const ChildRunner&) = delete;
  ChildRunner& operator=(const ChildRunner&) = delete;

  // Gives signals their usual effect while it exists, so they end a question or
  // a wait for a lock. This includes the first process of a pid namespace,
  // which the kernel protects from signals.
  class Interruptible {
   public:
    explicit Interruptible(const ChildRunner& runner);
    ~Interruptible();
    Interruptible(const Interruptible&) = delete;
    Interruptible& operator=(const Interruptible&) = delete;
  };

  // Runs argv[0] with `argv` and the current environment, and waits for its
  // end. Searches for it in PATH as execvp(3) does. The command has the
  // caller's process group, terminal, working directory, descriptors and
  // parent-death signal. Its signal mask and dispositions are those found by
  // the constructor.
  //
  // `inherit_fd` is a close-on-exec descriptor, or -1. The command gets a
  // duplicate of it, numbered 10 or higher, because scripts use 3 to 9
  // themselves. If the descriptor limit leaves no such number, the command gets
  // the descriptor under its own number.
  //
  // With an `observer` (not owned, may be null), surviving processes of the
  // command become children of this one.
  //
  // On success returns how the command ended. If a fatal signal arrived since
  // the constructor, the command is not started, and the result says the signal
  // ended it.
  //
  // On failure the command did not run, except with kInternal:
  //   kNotFound           there is no such file, or its interpreter is missing
  //                       (a shell's 127)
  //   kPermissionDenied   the file exists and cannot be executed, for whatever
  //                       reason (a shell's 126)
  //   kResourceExhausted  no process, memory or descriptor was available
  //   kInternal           it has ended, and the kernel does not say how
  //
  // Blocks until the command ends, however long it is stopped in between.
  // Forwards signals from other processes to the command. It does not forward
  // signals the terminal sends to the whole process group, because the command
  // already has them. Nor does it return signals from the command itself. When
  // the command is stopped, this process stops too if a shell could miss it;
  // SIGCONT to it continues the command. Reaps any other children of this
  // process.
  absl::StatusOr<ChildExit> Run(char* const argv[], int inherit_fd,
                                RunObserver* observer);

  // For other waits after Run(), while this exists.
  Events& events() { return events_; }

 private:
  const SignalSet original_mask_;
  SignalSet originally_ignored_ = 0;  // of kOwnDispositions
  Events events_;
};

// Ends this process as the command ended: with its exit code, or by the same
// signal without a second core dump. If the signal does not kill this process
// (the first of a pid namespace), the exit code is 128 plus its number. Runs
// the handlers of exit(3) only with an exit code.
[[noreturn]] void ExitAs(const ChildExit& exit);

// Occupies any closed descriptor among 0, 1 and 2. Otherwise a file opened
// later could get such a number, and with it the printed text. The placeholder
// fails like a closed descriptor (EBADF), and is closed in the command.
// On failure returns a status of open(2).
// Does not block. Call it before opening the first file.
absl::Status EnsureStandardDescriptors();

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_CHILD_H_
