// SPDX-License-Identifier: Apache-2.0
//
// Hook managers: programs that own a repository's hooks. o8lock does not change
// their post-checkout. Instead, their users call o8lock from the manager's
// file.
//
// No function changes a file, blocks or fails. An unreadable file counts as
// empty. Thread-safe.
#ifndef O8LOCK_HOOKS_HOOK_MANAGERS_H_
#define O8LOCK_HOOKS_HOOK_MANAGERS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "hooks/git_settings.h"
#include "lock/location.h"

namespace o8lock {

// How a manager's file quotes a command of sh.
enum class Quoting { kNone, kShellWord, kJsonString };

// One manager. An empty text does not apply to it.
struct HookManager {
  absl::string_view name;

  // Detection: the end of core.hooksPath; a word in the hook post-checkout; a
  // word in any hook.
  absl::string_view hooks_path;
  absl::string_view in_post_checkout;
  absl::string_view in_any_hook;

  // The file in the main worktree that calls o8lock.
  absl::string_view file;

  // The snippet for users: its place, after the word "add", and a call of
  // o8lock with these arguments between two texts.
  absl::string_view where;
  absl::string_view before;
  absl::string_view arguments;
  Quoting quoting;
  absl::string_view after;
};

// The manager of this name; null if o8lock does not know it.
const HookManager* FindManager(absl::string_view name);

// The owner of post-checkout in `path`, with the values of HooksState::manager.
// Empty if o8lock may write this hook. It must not write in three cases:
//   - A manager would overwrite o8lock's hook.
//   - If the directory is outside the repository, other repositories would call
//     the hook.
//   - If the directory is in the worktree, the hook would be an untracked file.
std::string ManagerOf(const Location& location, const HooksPath& path);

// The file in which the user of `manager`, named by ManagerOf, calls o8lock.
std::string OwnersFile(const Location& location, const HooksPath& path,
                       absl::string_view manager);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOK_MANAGERS_H_
