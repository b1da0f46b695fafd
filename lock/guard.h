// SPDX-License-Identifier: Apache-2.0
//
// The guard as a file: for the parts of this module that open it.
#ifndef O8LOCK_LOCK_GUARD_H_
#define O8LOCK_LOCK_GUARD_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/process.h"

namespace o8lock {

// Opens the guard of `location` for reading and writing; where there is none it
// is created, and so is its directory if that is o8lock's to create.
// Errors: kFailedPrecondition  it is no regular file, or has a second name;
//         others               from the file system.
absl::StatusOr<Fd> OpenGuard(const Location& location);

// Whether `fd`, opened as `guard`, can be one.
// Errors: kFailedPrecondition  it has a second name.
absl::Status CheckGuardFile(const Fd& fd, const std::string& guard);

// Whether `guard` is still the name of `fd`.
absl::StatusOr<bool> IsStillNamed(const Fd& fd, const std::string& guard);

// The record in `fd`; nothing if it is empty or none.
std::optional<Holder> ReadRecord(const Fd& fd, const std::string& guard);

// Makes `text` the content of `fd`, or, where that fails, `previous` again: as
// the shorter one it still has its place.
absl::Status ReplaceRecord(const Fd& fd, const std::string& text,
                           const std::string& previous,
                           const std::string& guard);

// How long a process that changes the record, the lock file or the guard's name
// may take: one that overrides may itself wait for two lock files that are
// being written.
inline constexpr Ticks kChangeFor = 5 * kTicksPerSecond;

// How long to wait before another look at a lock that is about to change hands.
inline constexpr absl::Duration kRetryEvery = absl::Milliseconds(1);

// Locks Range::kChange of `fd`, waiting up to `patience` for another process
// that has it.
// Errors: kDeadlineExceeded  that was not long enough; others as TryLock.
absl::Status LockChange(const Fd& fd, const std::string& guard,
                        Ticks patience = kChangeFor);

// Keeps others from locking it so, as they can from this; for `fd` opened for
// reading too. Errors: as above.
absl::Status ShareChange(const Fd& fd, const std::string& guard);

// Of `fd`, locked whole, gives up all but Range::kRun.
absl::Status DowngradeToRunLock(const Fd& fd, const std::string& guard);

// Whether a run has `fd`, or one that has joined it, by another description.
absl::StatusOr<bool> IsTaken(const Fd& fd, const std::string& guard);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_GUARD_H_
