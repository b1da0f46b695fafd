// SPDX-License-Identifier: Apache-2.0
//
// What a record says of the run that this process is about to begin.
#ifndef O8LOCK_LOCK_THIS_RUN_H_
#define O8LOCK_LOCK_THIS_RUN_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/holder.h"

namespace o8lock {

// 128 random bits in hexadecimal. Errors: from getrandom(2).
absl::StatusOr<std::string> NewToken();

// The record of a run of this process with a new token, begun now; of `command`
// up to 16 kB. The members that say when it took the lock are for the caller.
// Errors: from getrandom(2).
// Reads the environment (LOGNAME, USER) and the current directory.
absl::StatusOr<Holder> DescribeThisRun(const std::vector<std::string>& features,
                                       int max_concurrency,
                                       const std::vector<std::string>& command);

// kInvalidArgument: with its features a record, or a lock file, is longer than
// kMaxFileSize (file.h).
absl::Status FeaturesTooLong();

}  // namespace o8lock

#endif  // O8LOCK_LOCK_THIS_RUN_H_
