// SPDX-License-Identifier: Apache-2.0
//
// Runs one command so that neither the command nor the caller notices that
// somebody stands between them.
//
// Calling sequence of a wrapper:
//   EnsureStandardDescriptors();
//   ChildRunner runner;         // from here on no signal ends this process
//   ... take the lock ...
//   runner.Run(argv, ...);      // the command's life
//   ... release the lock ...
//   ExitAs(*exit);              // with the runner still there
// Where a person is asked or a lock is waited for, have an Interruptible:
// Ctrl-C must end that.
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
  int code = 0;           // The signal's number; else the exit code, 0 to 255.
  bool core_dumped = false;
};

// What a wrapper does for its own part while the command runs.
class RunObserver {
 public:
  virtual ~RunObserver() = default;

  // The command, of that process id, is executing. Signals wait meanwhile.
  virtual void Started(pid_t command) = 0;

  // The command has run for a second. Returns a descriptor, owned by this, of
  // which OnReadable() wants to know; -1 for none.
  virtual int StartWatching() = 0;

  // The descriptor may have become readable. Also called directly after
  // StartWatching().
  virtual void OnReadable() = 0;
};

// Keeps every signal from this process while it exists, and passes them on to
// the command while there is one. What this process writes where there is no
// reader, or beyond the limit of a file's size, is an error and no signal.
// Not thread-safe, one at a time: the signal mask and dispositions belong to
// the process, and Run() takes signals that any thread might want.
class ChildRunner {
 public:
  // Blocks all signals. What comes before Run() waits for it.
  ChildRunner();

  // Puts the signal mask and dispositions back as they were found. A signal
  // that is waiting then has its usual effect, such as the end of the process.
  ~ChildRunner();

  // A copy would restore the mask twice, the second time wrongly.
  ChildRunner(const ChildRunner&) = delete;
  ChildRunner& operator=(const ChildRunner&) = delete;

  // While it exists signals have their usual effect: they end a question or the
  // waiting for a lock, also where this is the first process of a pid
  // namespace, which the kernel spares.
  class Interruptible {
   public:
    explicit Interruptible(const ChildRunner& runner);
    ~Interruptible();
    Interruptible(const Interruptible&) = delete;
    Interruptible& operator=(const Interruptible&) = delete;
  };

  // Runs argv[0], searched for in PATH as execvp(3) does, with `argv` and the
  // current environment, and waits for its end. The command has the caller's
  // process group, terminal, working directory, descriptors and parent-death
  // signal, and the signal mask and dispositions that the constructor found.
  // `inherit_fd`, unless -1, is a close-on-exec descriptor of which the command
  // gets a duplicate, numbered 10 or higher: scripts use 3 to 9 themselves.
  // Where the limit of descriptors leaves none of these, it gets that number.
  // With an `observer` (not owned, may be null) processes that the command
  // leaves behind become children of this one.
  //
  // On success says how the command ended. A signal that came since the
  // constructor and that would have ended this process means that the command
  // is not started; the result then is as if the signal had ended it.
  // On failure the command did not run, kInternal aside:
  //   kNotFound           there is no such file, or its interpreter is missing
  //                       (a shell's 127)
  //   kPermissionDenied   the file is there and cannot be executed, for
  //                       whatever reason (a shell's 126)
  //   kResourceExhausted  no process, memory or descriptor was to be had
  //   kInternal           it has ended, and the kernel does not say how
  //
  // Blocks until the command ends, however long it is stopped in between.
  // A signal sent to this process by another one is sent to the command; what
  // the terminal sends to the whole process group the command has already. Not
  // sent back is what the command itself sends. When the command is stopped
  // this process stops too, if a shell could miss it; SIGCONT to it continues
  // the command. Collects what other children this process has.
  absl::StatusOr<ChildExit> Run(char* const argv[], int inherit_fd,
                                RunObserver* observer);

  // For what else is waited for after Run() while this exists.
  Events& events() { return events_; }

 private:
  const SignalSet original_mask_;
  SignalSet originally_ignored_ = 0;  // of kOwnDispositions
  Events events_;
};

// Ends this process as the command ended: with its exit code, or by the same
// signal, without a second core dump. Where the signal does not kill (the first
// process of a pid namespace) the exit code is 128 plus its number.
// Runs what exit(3) runs in the first case, nothing in the second.
[[noreturn]] void ExitAs(const ChildExit& exit);

// Occupies those of the descriptors 0, 1 and 2 that are closed, so that no file
// that is opened later gets such a number, and with it what is printed.
// What occupies them behaves as the closed descriptor did (EBADF), and is
// closed in the command.
// On failure, a status of open(2).
// Does not block. To be called before the first file is opened.
absl::Status EnsureStandardDescriptors();

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_CHILD_H_
