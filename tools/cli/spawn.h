// SPDX-License-Identifier: Apache-2.0
//
// Starts a command as a child of this process.
#ifndef O8LOCK_TOOLS_CLI_SPAWN_H_
#define O8LOCK_TOOLS_CLI_SPAWN_H_

#include <sys/types.h>

#include "tools/cli/signals.h"

namespace o8lock {

// The signals whose disposition a wrapper changes for itself.
inline constexpr int kOwnDispositions[] = {SIGCHLD, SIGPIPE, SIGXFSZ};

// The attributes that differ between the command and this process.
struct SpawnOptions {
  SignalSet mask = 0;     // the blocked signals
  SignalSet ignored = 0;  // of kOwnDispositions; the others become default
  int inherit_fd = -1;    // ChildRunner::Run
};

// Starts argv[0], and searches for it in PATH as execvp(3) does.
// Returns its pid once it is executing. If execvp fails, returns the pid of a
// child about to end and sets `exec_error` to the errno, otherwise to 0.
// Returns -1, with errno, if no process was available.
// Blocks until then.
// REQUIRES: every signal is blocked.
pid_t Spawn(char* const argv[], const SpawnOptions& options, int* exec_error);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_SPAWN_H_
