// SPDX-License-Identifier: Apache-2.0
//
// Waiters: the processes waiting for a lock. The kernel does not list the
// processes blocked on a lock of this kind. So each process shares one byte of
// the guard (kernel_lock.h). The byte's number contains the process's pid and
// the time when it began to wait. There is no file to clean up: the kernel
// releases the byte when the process ends.
#ifndef O8LOCK_LOCK_WAITERS_H_
#define O8LOCK_LOCK_WAITERS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/process.h"

namespace o8lock {

struct Waiter {
  int pid = 0;      // its pid in its own pid namespace
  Ticks since = 0;  // NowTicks() when it began to wait

  // Whether `pid` is valid here, and the members below are known. False for a
  // process of another user or of another pid namespace.
  bool is_visible = false;
  std::vector<std::string> command;
  std::string directory;
};

// Shows this process as waiting since `since`, until StopWaiting() or until the
// last duplicate of `fd` is closed. If the file system does not support such
// large byte numbers, the waiter stays invisible.
void StartWaiting(const Fd& fd, Ticks since, const std::string& guard);
void StopWaiting(const Fd& fd, const std::string& guard);

// The processes waiting for the lock at `location`, the longest wait first.
// Normally they get the lock in this order (wait.h). Without a guard there are
// no waiters.
// Errors: from opening the guard and from fcntl(2).
// Takes nothing and changes nothing.
absl::StatusOr<std::vector<Waiter>> FindWaiters(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_WAITERS_H_
