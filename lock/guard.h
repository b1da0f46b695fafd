// SPDX-License-Identifier: Apache-2.0
//
// The guard as a file, for the parts of this library opening it.
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

// Opens the guard of `location` for reading and writing. Creates it if it does
// not exist, with its directory if o8lock may create this directory.
// Errors: kFailedPrecondition  it is not a regular file;
//         others               from the file system.
absl::StatusOr<Fd> OpenGuard(const Location& location);

// Whether `fd`, opened as `guard`, has another name too (a hard link). Then it
// may be another file of this user, or the guard of a copied repository, and
// must not get a record. In a directory writable by others, they can create
// such a link.
absl::StatusOr<bool> HasOtherName(const Fd& fd, const std::string& guard);

// Whether `guard` is still the name of the file `id`, or of `fd`.
absl::StatusOr<bool> IsStillNamed(const FileId& id, const std::string& guard);
absl::StatusOr<bool> IsStillNamed(const Fd& fd, const std::string& guard);

// The record in `fd`; nothing if `fd` is empty or contains no record.
std::optional<Holder> ReadRecord(const Fd& fd, const std::string& guard);

// Makes `text` the content of `fd`. On failure restores `previous`. This works
// on a full disk too: `previous` is shorter, and its space is still allocated.
absl::Status ReplaceRecord(const Fd& fd, const std::string& text,
                           const std::string& previous,
                           const std::string& guard);

// The longest time a process may take to change the record, the lock file or
// the guard's name. An override may itself wait for two lock files being
// written.
inline constexpr Ticks kChangeFor = 5 * kTicksPerSecond;

// The pause before reading a lock again that is about to change hands.
inline constexpr absl::Duration kRetryEvery = absl::Milliseconds(1);

// Locks Range::kChange of `fd`, waiting up to `patience` for another process
// holding it.
// Errors: kDeadlineExceeded  the other process holds it longer;
//         others             as TryLock.
absl::Status LockChange(const Fd& fd, const std::string& guard,
                        Ticks patience = kChangeFor);

// Shares Range::kChange: this prevents LockChange() in other processes, but not
// ShareChange(). `fd` may be read-only. Errors: as above.
absl::Status ShareChange(const Fd& fd, const std::string& guard);

// Releases Range::kAll of `fd` except kRun, and locks kTurn unless a waiter has
// it. REQUIRES: `fd` has Range::kAll.
absl::Status DowngradeToRunLock(const Fd& fd, const std::string& guard);

// Whether a run, or another run joined to it, has locked the guard through
// another open file description than `fd`.
absl::StatusOr<bool> IsTaken(const Fd& fd, const std::string& guard);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_GUARD_H_
