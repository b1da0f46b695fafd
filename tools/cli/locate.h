// SPDX-License-Identifier: Apache-2.0
//
// What o8lock's commands share: the lock that the options mean, and errors of
// finding and taking it.
#ifndef O8LOCK_TOOLS_CLI_LOCATE_H_
#define O8LOCK_TOOLS_CLI_LOCATE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/location.h"
#include "tools/cli/options.h"

namespace o8lock {

// Where the lock of `options` is, seen from the current directory. Errors: as
// Locate's in lock/location.h.
absl::StatusOr<Location> LocateLock(const Options& options);

// Its name; empty if a file says which lock is meant.
std::string NameOf(const Options& options);

// The tokens of the runs that this process is inside of, the outermost first.
std::vector<std::string> OwnTokens();

// PrintError of an error of LocateLock, or of taking, reading or releasing the
// lock at `location` that is not about its holder. Return the exit code.
int FailToLocate(const absl::Status& error);
int FailToLock(const absl::Status& error, const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_LOCATE_H_
