// SPDX-License-Identifier: Apache-2.0
//
// The decision of o8lock's hooks: does another run hold the lock, so that this
// `git worktree add` must fail? Every other git command passes.
#ifndef O8LOCK_HOOKS_DECISION_H_
#define O8LOCK_HOOKS_DECISION_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "hooks/hook_call.h"
#include "hooks/rollback.h"
#include "hooks/worktree_add.h"
#include "lock/lock_status.h"

namespace o8lock {

// A refused `git worktree add`.
struct Refused {
  WorktreeAdd add;
  LockStatus found;  // kHeld or kUnknown
  std::string home;  // the repository's Location::Home()
  // Set by post-checkout only: git calls it after it has made the worktree.
  std::optional<RolledBack> rolled_back;
};

// Decides on `call`:
//   reference-transaction  Refuses an add before git has made anything. An add
//                          older than the lock passes.
//   post-checkout          Rolls back a worktree added under another run's lock
//                          (rollback.h). An external run does not arm the
//                          hooks, so git calls only this one.
//   any other event        Passes.
// On success returns the refused add, or nothing: git may go on.
// Errors: for an add only, those of Locate and Inspect. The caller must then
// refuse the add, because another run may hold the lock.
// Blocks as Inspect and RollBackWorktree do.
// On disk: reference-transaction disarms the hooks (lock/arming.h) if the lock
// is free. If it refuses, it records the add's stray directories. post-checkout
// arms the hooks.
// Not thread-safe.
absl::StatusOr<std::optional<Refused>> Decide(const HookCall& call);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_DECISION_H_
