// SPDX-License-Identifier: Apache-2.0
//
// Whether a process is part of a run: one answer for starts, for waiting, for
// `status` and for git's hooks.
#ifndef O8LOCK_LOCK_INSIDE_H_
#define O8LOCK_LOCK_INSIDE_H_

#include <string>
#include <vector>

#include "lock/file.h"
#include "lock/lock_status.h"

namespace o8lock {

// Whether this process is inside the run `found`, a state of the open `guard`.
// It is if one of these is true:
//   - `own_tokens` contains the run's token;
//   - this process descends from the run's process or its command or, if both
//     are dead, from a process keeping their lock;
//   - this process has inherited the descriptor holding the lock. An open
//     descriptor of the same file is not enough: an earlier run's daemon has
//     one too.
// Does not block and changes nothing. Reads a few files of /proc.
bool IsInside(const LockStatus& found, const Fd& guard,
              const std::vector<std::string>& own_tokens);

// Whether an orchestr8 is, or may be, between the run `found` and this process
// inside the run. Then this is a start of its own. Shells and scripts starting
// o8lock do not count as orchestr8, whatever their names.
bool IsBehindOrchestr8(const LockStatus& found);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_INSIDE_H_
