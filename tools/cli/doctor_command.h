// SPDX-License-Identifier: Apache-2.0
//
// `o8lock doctor`.
#ifndef O8LOCK_TOOLS_CLI_DOCTOR_COMMAND_H_
#define O8LOCK_TOOLS_CLI_DOCTOR_COMMAND_H_

#include "tools/cli/options.h"

namespace o8lock {

// Prints what may keep the lock of `options` from working here. Returns the
// exit code: kOsError where something does.
int DoctorCommand(const Options& options);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_DOCTOR_COMMAND_H_
