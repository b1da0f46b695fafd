// SPDX-License-Identifier: Apache-2.0
//
// Waiters: the processes that wait for a lock. The kernel does not name the
// processes that are blocked on a lock of this kind. So each process shares one
// byte of the guard (kernel_lock.h): the byte's number consists of its pid and
// of the time at which it began to wait. There is no file to clean up: the
// kernel gives the byte up when the process ends.
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
  int pid = 0;      // its number in its own pid namespace
  Ticks since = 0;  // NowTicks(), when it began to wait

  // Whether `pid` is its number here, and the rest is known. It is not for a
  // process of another user or of another pid namespace.
  bool is_visible = false;
  std::vector<std::string> command;
  std::string directory;
};

// Shows this process as waiting since `since`, until StopWaiting() or until the
// last duplicate of `fd` is closed. On a file system without bytes of such
// numbers the waiter stays invisible.
void StartWaiting(const Fd& fd, Ticks since, const std::string& guard);
void StopWaiting(const Fd& fd, const std::string& guard);

// The processes that wait for the lock at `location`, the one that has waited
// longest first: about the order in which they get it.
// Errors: from opening the guard and from fcntl(2). No guard has no waiters.
// Takes nothing and changes nothing.
absl::StatusOr<std::vector<Waiter>> FindWaiters(const Location& location);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_WAITERS_H_
