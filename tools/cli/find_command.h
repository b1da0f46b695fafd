// SPDX-License-Identifier: Apache-2.0
//
// Which file a command is.
#ifndef O8LOCK_TOOLS_CLI_FIND_COMMAND_H_
#define O8LOCK_TOOLS_CLI_FIND_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace o8lock {

// The file that would be executed as `command`, as far as can be told without
// doing it. Errors:
//   kNotFound          there is no such file, or its interpreter is missing
//                      (a shell's 127)
//   kPermissionDenied  the file is there and cannot be executed, for whatever
//                      reason (a shell's 126)
absl::StatusOr<std::string> FindCommand(const std::string& command);

// The status, one of those, of an execvp() of `command` that failed with
// `error`. Which code it is follows bash and env(1): only what is not there is
// "not found".
absl::Status ExecStatus(int error, const std::string& command);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_FIND_COMMAND_H_
