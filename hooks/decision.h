// SPDX-License-Identifier: Apache-2.0
//
// The decision of o8lock's hooks: may this `git worktree add` go on, or does
// another run have the lock? Every other git command passes.
#ifndef O8LOCK_HOOKS_DECISION_H_
#define O8LOCK_HOOKS_DECISION_H_

#include <optional>

#include "absl/status/statusor.h"
#include "hooks/hook_call.h"
#include "hooks/rollback.h"
#include "hooks/worktree_add.h"
#include "lock/lock_status.h"

namespace o8lock {

// A refused add.
struct Refused {
  WorktreeAdd add;
  LockStatus found;  // kHeld or kUnknown
  // From post-checkout only: git calls it after it has made the worktree.
  std::optional<TakenBack> taken_back;
};

// Decides on `call`:
//   reference-transaction  Refuses an add before git has made anything. An add
//                          that began before the lock was taken passes.
//   post-checkout          Takes back a worktree that was made under another
//                          run's lock (rollback.h). A external run does
//                          not arm the hooks, so that git calls this one only.
//   any other event        Passes.
// On success returns the refused add, or nothing: git may go on.
// Errors: for an add only, those of Locate and Inspect. Refuse the add then:
// whether another run has the lock is unknown.
// Blocks as Inspect does, and as RollBackWorktree does.
// On disk: reference-transaction disarms the hooks (lock/arming.h) if the lock
// is free; if it refuses, it remembers the directories that git leaves behind.
// post-checkout arms the hooks.
// Not thread-safe.
absl::StatusOr<std::optional<Refused>> Decide(const HookCall& call);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_DECISION_H_
