// SPDX-License-Identifier: Apache-2.0
#ifndef O8LOCK_TOOLS_CLI_EXIT_CODE_H_
#define O8LOCK_TOOLS_CLI_EXIT_CODE_H_

namespace o8lock {

// o8lock's own exit codes, as in sysexits(3) and in the shell. A command that
// ran keeps its own code, or 128+n when signal n ended it.
enum ExitCode : int {
  kSuccess = 0,
  kNotInstalled = 1,   // of `hooks status`: no hooks are installed
  kUsage = 64,         // the caller's mistake: the command line is wrong
  kOsError = 71,       // no working file locks, no more processes
  kCannotCreate = 73,  // a file could not be created, opened or removed
  kRefused = 75,       // held or unknown, or an override was declined: later
  kNotExecutable = 126,
  kNotFound = 127,
};

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_EXIT_CODE_H_
