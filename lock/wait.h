// SPDX-License-Identifier: Apache-2.0
//
// Waiting for a lock held by another run.
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
  // The time in NowTicks() when the waiting began, for people (waiters.h).
  // Negative: now.
  Ticks since = -1;

  // The time in NowTicks() to give up at. Negative: never.
  Ticks give_up = -1;

  // Called during the wait with the state of the lock: whenever a run other
  // than the last reported one has it and, with `every_second`, once a second.
  // May be called on another thread than WaitFor, but never after WaitFor's
  // return.
  std::function<void(const LockStatus&)> report;
  bool every_second = false;
};

// Waits until the run `found` ends or releases the lock at `location`. `found`
// is the `refused_by` of a Lock::Acquire that has returned kUnavailable.
// On success returns one of these:
//   - The guard with its kernel lock. This process has owned the lock since the
//     run released it. Close the guard, or pass it to Lock::Acquire, which
//     checks whether another guard has replaced it.
//   - No descriptor. Then try again. For example, an external run's lock is
//     gone, or a run was killed and its surviving processes have the lock.
// Errors: kDeadlineExceeded  give_up has come, and the lock was held.
//         kUnavailable       the system has no thread left for waiting.
//         others             from opening and locking the guard, as
//                            Lock::Acquire's.
// Blocks in the kernel. When a run releases its lock, the kernel wakes one
// process, in the order in which they began to wait. The order is lost when the
// guard is replaced, when the run has no kernel lock, and when the first of
// them is stopped. Writes nothing, but creates a missing guard.
// Threads: one call at a time. Each call starts a thread of its own, ending
// within a second after the call. So there are as many such threads as calls
// within a second. Installs a handler for SIGURG during the call.
absl::StatusOr<Fd> WaitFor(const Location& location, const LockStatus& found,
                           const WaitOptions& options);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_WAIT_H_
