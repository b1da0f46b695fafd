// SPDX-License-Identifier: Apache-2.0
//
// Starting a command as a child of this process.
#ifndef O8LOCK_TOOLS_CLI_SPAWN_H_
#define O8LOCK_TOOLS_CLI_SPAWN_H_

#include <sys/types.h>

#include "tools/cli/signals.h"

namespace o8lock {

// The signals whose disposition a wrapper changes for itself.
inline constexpr int kOwnDispositions[] = {SIGCHLD, SIGPIPE, SIGXFSZ};

// What the command gets that is different in this process.
struct SpawnOptions {
  SignalSet mask = 0;     // the blocked signals
  SignalSet ignored = 0;  // of kOwnDispositions; the others are by default
  int inherit_fd = -1;    // ChildRunner::Run
};

// Starts argv[0], searched for in PATH as execvp(3) does.
// Returns its pid once it is executing, or about to end because it cannot:
// then `exec_error` is execvp's errno, else 0. Returns -1, with errno, if there
// was no process to be had.
// Blocks until then.
// REQUIRES: every signal is blocked.
pid_t Spawn(char* const argv[], const SpawnOptions& options, int* exec_error);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_SPAWN_H_
