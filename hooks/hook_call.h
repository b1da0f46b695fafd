// SPDX-License-Identifier: Apache-2.0
//
// The hooks o8lock installs, and one call of such a hook. A call is the input
// of a decision (decision.h). tools/ fills it from the environment and the
// process; a test fills it by hand.
#ifndef O8LOCK_HOOKS_HOOK_CALL_H_
#define O8LOCK_HOOKS_HOOK_CALL_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace o8lock {

// Refuses an add. Git calls it before it makes anything, but only while a run
// has the lock.
inline constexpr absl::string_view kReferenceTransaction =
    "reference-transaction";
// Rolls back a worktree, for locks of external runs: they do not arm the hooks.
inline constexpr absl::string_view kPostCheckout = "post-checkout";

// The environment variable that lets every git command pass, unless its value
// is empty or "0".
inline constexpr char kAllowVariable[] = "O8LOCK_ALLOW";

// The environment variable for the self-test (self_test.h): the number of a
// descriptor that git passes to the hook. A refusing hook writes kRefusalReport
// to it.
inline constexpr char kRefusalFdVariable[] = "O8LOCK_REFUSAL_FD";
inline constexpr absl::string_view kRefusalReport = "r";

struct HookCall {
  std::string event;              // the hook's name
  std::vector<std::string> args;  // the hook's arguments, from git
  std::string git_dir;    // GIT_DIR, relative to `directory`; empty: not set
  std::string directory;  // current directory, absolute; empty: removed
  int parent_pid = 0;     // 0: in another pid namespace
  bool allowed = false;   // kAllowVariable
  // The tokens of the runs that this process is part of.
  std::vector<std::string> own_tokens;
};

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOK_CALL_H_
