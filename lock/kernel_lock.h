// SPDX-License-Identifier: Apache-2.0
//
// The kernel's locks on a guard file: open-file-description byte-range locks
// (fcntl(2), F_OFD_SETLK). They belong to the open file description: every
// duplicate of a descriptor shares them, they end when the last duplicate is
// closed, or for all duplicates at once by Unlock.
#ifndef O8LOCK_LOCK_KERNEL_LOCK_H_
#define O8LOCK_LOCK_KERNEL_LOCK_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/file.h"

namespace o8lock {

// Bytes of a guard. The names stand for the things that are locked in it.
struct Range {
  int64_t first = 0;
  int64_t count = 0;  // 0: all from the first on

  static const Range kRun;     // for as long as a run lasts: who has it is the
                               // holder
  static const Range kChange;  // for the microseconds in which the record, the
                               // lock file or the guard's name change hands
  static const Range kJoined;  // shared by the runs inside the holder's: they
                               // may outlive it
  static const Range kAll;     // these three
  static const Range kWithdrawn;  // shared by the runs inside without the lock
                                  // file
  static const Range kWaiting;  // those that wait for kAll share a byte each of
                                // it (waiters.h)
};
inline constexpr Range Range::kRun = {0, 1};
inline constexpr Range Range::kChange = {1, 1};
inline constexpr Range Range::kJoined = {2, 1};
inline constexpr Range Range::kAll = {0, 3};
inline constexpr Range Range::kWithdrawn = {4, 1};
inline constexpr Range Range::kWaiting = {int64_t{1} << 22, 0};

// Locks `range` of `fd`, which must be open for writing.
// Errors: kUnavailable    somebody else has it (or part of it) now.
//         kUnimplemented  this file system has no working locks.
//         others          from fcntl(2), "lock '<path>': ...".
// Never blocks; EINTR is handled. Thread-safe.
absl::Status TryLock(const Fd& fd, Range range, const std::string& path);

// Waits until nobody else has `range` or part of it, and locks it: in the order
// in which the waiting began, as far as the kernel keeps that.
// Errors: kCancelled  a signal with a handler came; the place in the line is
//                     lost. Others as in TryLock, but for kUnavailable.
absl::Status WaitForLock(const Fd& fd, Range range, const std::string& path);

// TryLock, but others may share it. kUnavailable then means that somebody has
// it alone.
absl::Status TryShare(const Fd& fd, Range range, const std::string& path);

// Gives `range` up for `fd` and all its duplicates, in whatever process.
absl::Status Unlock(const Fd& fd, Range range, const std::string& path);

// Whether somebody else has `range`. Takes nothing: a read-only descriptor
// will do, and no TryLock elsewhere can fail because of it.
// Errors: kUnimplemented and others as in TryLock.
absl::StatusOr<bool> IsLocked(const Fd& fd, Range range,
                              const std::string& path);

// One of the locks that others have on `range` or a part of it; nothing if
// there is none. As IsLocked.
absl::StatusOr<std::optional<Range>> FindLock(const Fd& fd, Range range,
                                              const std::string& path);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_KERNEL_LOCK_H_
