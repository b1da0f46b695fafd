// SPDX-License-Identifier: Apache-2.0
//
// The record's description of the run this process is about to begin.
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

// The record of a run of this process, begun now, with a new token and the
// first 16 kB of `command`. The caller sets the members about taking the lock.
// Errors: from getrandom(2).
// Reads the environment (LOGNAME, USER) and the current directory.
absl::StatusOr<Holder> DescribeThisRun(const std::vector<std::string>& features,
                                       int max_concurrency,
                                       const std::vector<std::string>& command);

// Returns kInvalidArgument: the features make a record or a lock file longer
// than kMaxFileSize (file.h).
absl::Status FeaturesTooLong();

}  // namespace o8lock

#endif  // O8LOCK_LOCK_THIS_RUN_H_
