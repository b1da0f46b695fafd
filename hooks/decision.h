// SPDX-License-Identifier: Apache-2.0
//
// What o8lock's hooks decide when git calls them: whether a `git worktree add`
// collides with somebody else's run. Every other command of git passes.
#ifndef O8LOCK_HOOKS_DECISION_H_
#define O8LOCK_HOOKS_DECISION_H_

#include <optional>

#include "absl/status/statusor.h"
#include "hooks/hook_call.h"
#include "hooks/rollback.h"
#include "hooks/worktree_add.h"
#include "lock/inspection.h"

namespace o8lock {

// An add that must not be.
struct Refused {
  WorktreeAdd add;
  Inspection found;  // kHeld or kUnknown
  // Only from post-checkout, which comes when the worktree is there.
  std::optional<TakenBack> taken_back;
};

// Decides on `call`. A hook of another name passes.
// On success: nothing, it may go on; or the add that is refused.
//   reference-transaction  An add is refused before anything exists, or not at
//                          all: one that began before the lock was taken goes
//                          on to its end.
//   post-checkout          A worktree has been made, maybe under the lock of a
//                          run outside o8lock, which does not arm the hooks.
//                          An add that must not be is taken back (rollback.h).
// Errors: of an add only: it cannot be found out whether somebody has the lock,
// for what Locate or Inspect say. The add should be refused then.
// Blocks as Inspect does, and as TakeBack where that is called for.
// On disk: the first disarms the hooks (lock/arming.h) where it finds nobody's
// lock taken and, refusing, remembers the directories that git will leave
// behind; the second arms them.
// Not thread-safe.
absl::StatusOr<std::optional<Refused>> Decide(const HookCall& call);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_DECISION_H_
