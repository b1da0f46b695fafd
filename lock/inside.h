// SPDX-License-Identifier: Apache-2.0
//
// Whether a process is part of a run: the one answer for starts, for waiting,
// for `status` and for git's hooks.
#ifndef O8LOCK_LOCK_INSIDE_H_
#define O8LOCK_LOCK_INSIDE_H_

#include <string>
#include <vector>

#include "lock/file.h"
#include "lock/lock_status.h"

namespace o8lock {

// Whether this process is inside the run `found`, a state of the guard that
// is open as `guard`. It is if one of these is so:
//   - it has the run's token among `own_tokens`;
//   - the run's process or its command has started it, directly or not, or
//     where these are dead, a process that keeps their lock;
//   - it has inherited the descriptor that holds the lock. The same file alone
//     proves nothing: a daemon of an earlier run has it open as well.
// Does not block, changes nothing. Reads a few files of /proc.
bool IsInside(const LockStatus& found, const Fd& guard,
              const std::vector<std::string>& own_tokens);

// Whether an orchestr8 is between the run `found`, which this process is inside
// of, and this process, or may be: then this is a start of its own. Shells and
// scripts that start o8lock are none, whatever they are called.
bool IsBehindOrchestr8(const LockStatus& found);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_INSIDE_H_
