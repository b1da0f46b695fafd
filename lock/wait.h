// SPDX-License-Identifier: Apache-2.0
//
// Waiting for a lock that somebody has.
//
//   o8lock::Fd turn;
//   std::optional<o8lock::LockStatus> found;
//   while (true) {
//     absl::StatusOr<o8lock::Lock> lock = o8lock::Lock::Acquire(
//         location, options, &found, std::exchange(turn, o8lock::Fd()));
//     if (!absl::IsUnavailable(lock.status())) return lock;
//     absl::StatusOr<o8lock::Fd> got = o8lock::WaitFor(location, *found, {});
//     if (!got.ok()) return got.status();
//     turn = *std::move(got);
//   }
#ifndef O8LOCK_LOCK_WAIT_H_
#define O8LOCK_LOCK_WAIT_H_

#include <functional>

#include "absl/status/statusor.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/lock_status.h"
#include "lock/process.h"

namespace o8lock {

struct WaitOptions {
  // When, of NowTicks(), the waiting began, for people (waiters.h); negative:
  // now.
  Ticks since = -1;

  // The moment, of NowTicks(), to give up at; negative: never.
  Ticks give_up = -1;

  // Called with who has the lock, while that is waited for: once another run
  // has it than the one that was told of last, and, with `every_second`, once a
  // second. May be called on another thread than WaitFor, but never after that
  // has returned.
  std::function<void(const LockStatus&)> report;
  bool every_second = false;
};

// Waits for the end of the run `found`, for which Lock::Acquire at `location`
// has refused with kUnavailable, or for its giving the lock up.
// On success either returns the guard with its kernel lock, which belongs to
// this process from the moment in which the run gave it up: it is for
// Lock::Acquire, which finds out whether another guard has taken the place of
// this one, or to be closed. Or it returns no descriptor: it is worthwhile
// to try again, as where the lock of an external run has gone, or where a
// run was killed and something it left behind has the lock still.
// Errors: kDeadlineExceeded  give_up has come, and the lock was held.
//         kUnavailable       the system has no thread left to wait with.
//         others             from opening and locking the guard, as
//                            Lock::Acquire's.
// Blocks in the kernel, which wakes this process and no other when the lock is
// free, in about the order in which the waiting began. Writes nothing, but for
// the guard where that is not there.
// Threads: one call at a time, with a thread of its own beside it, which ends
// within a second after: as many waits as there are in a second, as many
// threads. Has a handler for SIGURG meanwhile.
absl::StatusOr<Fd> WaitFor(const Location& location, const LockStatus& found,
                           const WaitOptions& options);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_WAIT_H_
