// SPDX-License-Identifier: Apache-2.0
//
// The self-test of installed hooks: they must refuse a worktree under another
// run's lock, and git must still call the user's hooks.
#ifndef O8LOCK_HOOKS_SELF_TEST_H_
#define O8LOCK_HOOKS_SELF_TEST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hooks/hooks_state.h"
#include "lock/location.h"

namespace o8lock {

enum class SelfTest {
  kDone,      // passed
  kNoCommit,  // not done: a worktree needs a commit
  kInside,    // not done: inside the run, where nothing is refused
};

// Tests the hooks installed for `mechanism` while another process holds the
// lock of `location`. That process is a child of this one, unless another run
// already holds the lock. `own_tokens` are the tokens of the runs that this
// process is part of.
// Errors:
//   kFailedPrecondition  A worktree was not refused, or a user's hook was not
//                        called.
//   kInternal            git failed, but not because of o8lock's hooks.
//   others               from the file system and RunGit (git.h)
// Blocks until its git commands end. Creates files in <common dir>/o8lock and
// removes them.
// REQUIRES: the process has a single thread, because this forks without exec.
absl::StatusOr<SelfTest> TestHooks(const Location& location,
                                   Mechanism mechanism,
                                   const std::vector<std::string>& own_tokens);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_SELF_TEST_H_
