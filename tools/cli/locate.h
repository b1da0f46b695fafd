// SPDX-License-Identifier: Apache-2.0
//
// Shared by o8lock's commands: finds the lock of the options, and prints errors
// of finding and taking it.
#ifndef O8LOCK_TOOLS_CLI_LOCATE_H_
#define O8LOCK_TOOLS_CLI_LOCATE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/location.h"
#include "tools/cli/options.h"

namespace o8lock {

// Returns the location of the lock of `options`, seen from the current
// directory. Errors: as Locate's in lock/location.h.
absl::StatusOr<Location> LocateLock(const Options& options);

// Returns its name. Empty if --lock-file selects the lock.
std::string NameOf(const Options& options);

// Returns the tokens of the runs around this process, the outermost first.
std::vector<std::string> OwnTokens();

// Returns the hint for an error of taking, reading or releasing the lock at
// `location`.
std::string HintAt(const Location& location, const absl::Status& error);

// The purpose of this process: to run a command, or a verb such as status.
enum class Purpose { kCommand, kVerb };

// Print an error of LocateLock, or of taking, reading or releasing the lock at
// `location`. The error must not concern the holder. Return the exit code.
int FailToLocate(const absl::Status& error, Purpose purpose = Purpose::kVerb);
int FailToLock(const absl::Status& error, const Location& location,
               Purpose purpose = Purpose::kVerb);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_LOCATE_H_
