// SPDX-License-Identifier: Apache-2.0
//
// The hooks that git calls o8lock as, and one such call: everything that a
// decision (decision.h) needs to know of the process that git has started.
// tools/ fills it in, so that a test can make one by hand: nothing below reads
// the environment.
#ifndef O8LOCK_HOOKS_HOOK_CALL_H_
#define O8LOCK_HOOKS_HOOK_CALL_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace o8lock {

// When git is to call a hook.
enum class Armed {
  kAlways,
  kWhileTaken,  // only while a run has the lock: nothing to pay otherwise
};

struct HookEvent {
  absl::string_view name;
  Armed armed;
};

// Refuses: git calls it before anything exists.
inline constexpr HookEvent kReferenceTransaction = {"reference-transaction",
                                                    Armed::kWhileTaken};
// Takes a worktree back. It is for locks that o8lock has not taken, and so did
// not arm for.
inline constexpr HookEvent kPostCheckout = {"post-checkout", Armed::kAlways};

// The environment variable that lets a command of git's pass, unless it is
// empty or "0".
inline constexpr char kAllowVariable[] = "O8LOCK_ALLOW";

struct HookCall {
  std::string event;              // the hook's name
  std::vector<std::string> args;  // what git hands to it
  std::string git_dir;    // GIT_DIR, relative to `directory`; empty: not set
  std::string directory;  // the current one, absolute; empty: it is gone
  int parent_pid = 0;     // 0: of another pid namespace
  bool allowed = false;   // kAllowVariable
  // The tokens of the runs that the process is inside of.
  std::vector<std::string> own_tokens;
};

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOK_CALL_H_
