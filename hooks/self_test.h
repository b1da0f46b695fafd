// SPDX-License-Identifier: Apache-2.0
//
// The self-test of installed hooks: they refuse a worktree under another run's
// lock, and keep no hook of the user's from being called.
#ifndef O8LOCK_HOOKS_SELF_TEST_H_
#define O8LOCK_HOOKS_SELF_TEST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hooks/hooks_state.h"
#include "lock/location.h"

namespace o8lock {

enum class SelfTest {
  kDone,      // both is so
  kNoCommit,  // not done: a worktree needs a commit
  kInside,    // not done: this process is inside the run, which is not refused
};

// Tests the hooks installed for `mechanism` while another process has the lock
// of `location`: a child of this one, unless another run has it. `own_tokens`
// are those of the runs around this process.
// Errors: kFailedPrecondition  a worktree was not refused, or a hook of the
//                              user's not called;
//         kInternal            git failed, and no hook of o8lock's refused;
//         others               from the file system and RunGit (git.h).
// Runs git and blocks until that ends. Makes files in <common dir>/o8lock and
// removes them. Starts a process without exec: only for a single thread.
absl::StatusOr<SelfTest> TestHooks(const Location& location,
                                   Mechanism mechanism,
                                   const std::vector<std::string>& own_tokens);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_SELF_TEST_H_
