// SPDX-License-Identifier: Apache-2.0
//
// `o8lock doctor`.
#ifndef O8LOCK_TOOLS_CLI_DOCTOR_COMMAND_H_
#define O8LOCK_TOOLS_CLI_DOCTOR_COMMAND_H_

#include "tools/cli/options.h"

namespace o8lock {

// Prints the findings about the lock of `options`. Returns the exit code:
// kOsError if any check fails.
int DoctorCommand(const Options& options);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_DOCTOR_COMMAND_H_
