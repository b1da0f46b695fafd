// SPDX-License-Identifier: Apache-2.0
//
// Hook managers: programs that own the hooks of a repository, so that o8lock's
// post-checkout must not be put there; where their users put it instead.
//
// Files are read, and none is changed. Nothing fails or blocks. Thread-safe.
#ifndef O8LOCK_HOOKS_HOOK_MANAGERS_H_
#define O8LOCK_HOOKS_HOOK_MANAGERS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "hooks/git_settings.h"
#include "lock/location.h"

namespace o8lock {

// What pre-commit and lefthook add to the name of a hook that they have found.
// The first goes on calling it.
inline constexpr absl::string_view kLegacy = ".legacy";
inline constexpr absl::string_view kOld = ".old";

// How a command of sh is written in a manager's file.
enum class Quoting { kNone, kShellWord, kJsonString };

// A manager. A text that is empty: it is not known by that, has no such file.
struct HookManager {
  absl::string_view name;

  // It is known by what core.hooksPath ends with; by a word in the hook
  // post-checkout; by a word in any hook.
  absl::string_view hooks_path;
  absl::string_view in_post_checkout;
  absl::string_view in_any_hook;

  // The file for the user's line, in the main worktree.
  absl::string_view file;

  // The same for users, and what belongs there: a command between two texts,
  // with these arguments.
  absl::string_view where;
  absl::string_view before;
  absl::string_view arguments;
  Quoting quoting;
  absl::string_view after;
};

// The manager of that name; null for one that is not known.
const HookManager* FindManager(absl::string_view name);

// Who owns the post-checkout in `path`, or would own one; empty: nobody. There
// o8lock's would be overwritten, or called in other repositories, or be a file
// that the repository's worktree has too much. See HooksState::manager.
std::string ManagerOf(const Location& location, const HooksPath& path);

// The file that has the user's line that calls o8lock for `manager`, as
// ManagerOf names it.
std::string OwnersFile(const Location& location, const HooksPath& path,
                       absl::string_view manager);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOK_MANAGERS_H_
