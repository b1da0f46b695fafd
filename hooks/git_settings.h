// SPDX-License-Identifier: Apache-2.0
//
// What git's configuration says of hooks, and the one line of it that is
// o8lock's.
//
// `directory` is one in the repository: git is run there, once for each call
// unless it says otherwise, and until it has ended these block. Errors: as
// AskGit's (git.h). Nothing is changed on disk but by AddInclude and
// RemoveInclude. Thread-safe.
#ifndef O8LOCK_HOOKS_GIT_SETTINGS_H_
#define O8LOCK_HOOKS_GIT_SETTINGS_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hooks/hooks_state.h"
#include "lock/location.h"

namespace o8lock {

struct GitVersion {
  std::string text;
  std::pair<int, int> number;  // major and minor
};

// The version of the git in PATH. Errors: kInternal too, where it names none.
absl::StatusOr<GitVersion> AskGitVersion(const std::string& directory);

// kUnimplemented: the hooks cannot do their work with `version`. Runs nothing.
absl::Status CheckVersion(const GitVersion& version);

// How `version` is to be made to call the hooks. Runs nothing.
Mechanism MechanismOf(const GitVersion& version);

// One setting as git has read it.
struct Setting {
  std::string scope;
  std::string origin;
  std::string key;
  std::string value;
};

// All settings, in the order in which later ones win.
absl::StatusOr<std::vector<Setting>> ReadSettings(const std::string& directory);

// How the hooks were installed, as a file of o8lock's says that git reads;
// nothing: it reads none. Runs nothing.
std::optional<Mechanism> InstalledMechanism(
    const std::vector<Setting>& settings);

// What wins over o8lock's own settings, for hooks that were installed for
// `mechanism`. Runs nothing.
std::vector<std::string> FindBypasses(const std::vector<Setting>& settings,
                                      Mechanism mechanism,
                                      const GitVersion& version);

// Where git looks for hooks while the lock is free.
struct HooksPath {
  std::string value;      // core.hooksPath, or the default
  std::string directory;  // absolute: for a relative one the main worktree's
};

// Finds it by `settings`. Runs git for a path in the user's home only, and
// takes that word for word if git fails.
HooksPath FindHooksPath(const Location& location,
                        const std::vector<Setting>& settings);

// Has the repository's configuration include kInclude (layout.h), last of all,
// where `settings` tell that it does not, or that another setting wins. Runs
// git twice for that.
absl::Status AddInclude(const Location& location, const std::string& directory,
                        const std::vector<Setting>& settings);

// Takes that out of the configuration, where it is there.
absl::Status RemoveInclude(const Location& location,
                           const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_GIT_SETTINGS_H_
