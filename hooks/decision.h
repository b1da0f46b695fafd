// SPDX-License-Identifier: Apache-2.0
//
// What o8lock's hooks decide when git calls them: whether a `git worktree add`
// collides with somebody else's run. Every other command of git passes.
#ifndef O8LOCK_HOOKS_DECISION_H_
#define O8LOCK_HOOKS_DECISION_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hooks/rollback.h"
#include "hooks/worktree_add.h"
#include "lock/inspection.h"

namespace o8lock {

// Set to anything but "0" or nothing it lets a command pass.
inline constexpr char kAllowVariable[] = "O8LOCK_ALLOW";

// An add that must not be.
struct Refused {
  WorktreeAdd add;
  Inspection found;  // kHeld or kUnknown
  // Only from OnPostCheckout, which comes when the worktree is there.
  std::optional<TakenBack> taken_back;
};

// Git's hook reference-transaction, called with `state`. Nothing: it may go on.
// An add is refused before anything exists, or not at all: one that began
// before the lock was taken goes on to its end.
// Finding nobody's lock taken it disarms the hooks (arming.h); refusing, it
// remembers the directories that git will leave behind.
// Errors: of an add only: it cannot be found out whether somebody has the lock,
// for what Locate or Inspect say. The add should be refused then.
// Must be called with the environment and the directory that git gives a hook.
// Blocks as Inspect does.
absl::StatusOr<std::optional<Refused>> OnReferenceTransaction(
    absl::string_view state, const std::vector<std::string>& own_tokens);

// Git's hook post-checkout, called with `new_commit` as the second argument: a
// worktree has been made, and maybe under the lock of a run outside o8lock,
// which does not arm the hooks. This does it then.
// An add that must not be is taken back: the worktree, if it is as git has just
// checked it out and holds no other file, and the branch, if this very command
// is sure to have made it, by its words or by the branch's reflog, and it has
// not moved.
// Errors, environment, blocking: as above.
absl::StatusOr<std::optional<Refused>> OnPostCheckout(
    const std::string& new_commit, const std::vector<std::string>& own_tokens);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_DECISION_H_
