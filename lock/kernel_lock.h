// SPDX-License-Identifier: Apache-2.0
//
// The kernel's locks on a guard file: open-file-description byte-range locks
// (fcntl(2), F_OFD_SETLK). They belong to the open file description, and every
// duplicate of a descriptor shares them. They end when the last duplicate is
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

// Bytes of a guard. Each name is the purpose of a lock on these bytes.
struct Range {
  int64_t first = 0;
  int64_t count = 0;  // 0: all from the first on

  static const Range kRun;        // for the whole run: its owner is the holder
  static const Range kChange;     // for the microseconds of a change of the
                                  // record, the lock file or the guard's name
  static const Range kJoined;     // shared by the runs inside the holder's;
                                  // they may outlive it
  static const Range kAll;        // these three
  static const Range kTurn;       // the holder's, then the first waiter's; the
                                  // others queue for it
  static const Range kHolder;     // from kRun to kTurn: all that a holder has
  static const Range kWithdrawn;  // shared by the inner runs that need the lock
                                  // file withdrawn
  static const Range kWaiting;    // each waiting process shares one byte of it
                                  // (waiters.h)
};
inline constexpr Range Range::kRun = {0, 1};
inline constexpr Range Range::kChange = {1, 1};
inline constexpr Range Range::kJoined = {2, 1};
inline constexpr Range Range::kAll = {0, 3};
inline constexpr Range Range::kWithdrawn = {4, 1};
inline constexpr Range Range::kTurn = {6, 1};
inline constexpr Range Range::kHolder = {0, 7};
inline constexpr Range Range::kWaiting = {int64_t{1} << 22, 0};

// Locks `range` of `fd`.
// Errors: kUnavailable    another description has (a part of) it now;
//         kUnimplemented  this file system has no working locks;
//         others          from fcntl(2), "cannot lock '<path>': ...".
// Never blocks. Handles EINTR. Thread-safe.
// REQUIRES: `fd` is open for writing.
absl::Status TryLock(const Fd& fd, Range range, const std::string& path);

// Waits until no other description has (a part of) `range`, and locks it. The
// kernel serves processes in the order in which they began to wait, unless a
// lock in their way shrinks or grows.
// Errors: kCancelled  a signal with a handler came; this process has lost its
//                     place in the queue;
//         others      as TryLock, except kUnavailable.
absl::Status WaitForLock(const Fd& fd, Range range, const std::string& path);

// TryLock, but others may share the lock. kUnavailable then means: another
// description has `range` exclusively.
absl::Status TryShare(const Fd& fd, Range range, const std::string& path);

// Releases `range` for `fd` and all its duplicates, in every process.
absl::Status Unlock(const Fd& fd, Range range, const std::string& path);

// Whether another description has `range`. Takes nothing: a read-only
// descriptor works, and no TryLock elsewhere fails because of it.
// Errors: kUnimplemented and others as TryLock.
absl::StatusOr<bool> IsLocked(const Fd& fd, Range range,
                              const std::string& path);

// One of the others' locks on (a part of) `range`; nothing if there is no such
// lock. Otherwise as IsLocked.
absl::StatusOr<std::optional<Range>> FindLock(const Fd& fd, Range range,
                                              const std::string& path);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_KERNEL_LOCK_H_
