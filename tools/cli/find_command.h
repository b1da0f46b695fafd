// SPDX-License-Identifier: Apache-2.0
//
// Finds the file of a command.
#ifndef O8LOCK_TOOLS_CLI_FIND_COMMAND_H_
#define O8LOCK_TOOLS_CLI_FIND_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace o8lock {

// Returns the file execvp(3) would execute as `command`, as far as o8lock can
// determine it without executing it. Errors:
//   kNotFound            there is no such file (a shell's 127)
//   kFailedPrecondition  the file's interpreter is missing (127)
//   kPermissionDenied    the file is not an executable program (126)
//   kUnknown             any other error of execve(2) (126)
absl::StatusOr<std::string> FindCommand(const std::string& command);

// Returns the status, one of those above, for an execvp() of `command` that
// failed with `error`. The code follows bash and env(1): only a missing file is
// "not found".
absl::Status ExecStatus(int error, const std::string& command);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_FIND_COMMAND_H_
