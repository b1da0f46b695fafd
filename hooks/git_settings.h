// SPDX-License-Identifier: Apache-2.0
//
// The settings in git's configuration that concern hooks, and o8lock's own line
// in it.
//
// Functions with a `directory`, which is in the repository, run git there and
// block until it ends. Errors: those of AskGit (git.h).
// On disk only AddInclude and RemoveInclude change anything. Thread-safe.
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

// The version of the git in PATH.
// Errors: as above; kInternal  git prints no version.
absl::StatusOr<GitVersion> AskGitVersion(const std::string& directory);

// Errors: kUnimplemented  the hooks cannot work with `version`.
absl::Status CheckVersion(const GitVersion& version);

// The way to make this git call the hooks.
Mechanism MechanismOf(const GitVersion& version);

// One setting, as git reads it.
struct Setting {
  std::string scope;
  std::string origin;
  std::string key;
  std::string value;
};

// All settings. A later one wins over an earlier one.
absl::StatusOr<std::vector<Setting>> ReadSettings(const std::string& directory);

// How the hooks were installed, by o8lock's own settings; empty if git reads no
// setting of o8lock's.
std::optional<Mechanism> InstalledMechanism(
    const std::vector<Setting>& settings);

// The settings that keep git from calling hooks installed for `mechanism`, as
// texts for users.
std::vector<std::string> FindBypasses(const std::vector<Setting>& settings,
                                      Mechanism mechanism,
                                      const GitVersion& version);

// Where git looks for hooks while the lock is free.
struct HooksPath {
  std::string value;      // core.hooksPath, or the default
  std::string directory;  // absolute; a relative value is of the main worktree
};

// Finds that directory. A path that begins with "~/" is expanded by git, which
// runs for this; if git fails, the path stays as it is.
HooksPath FindHooksPath(const Location& location,
                        const std::vector<Setting>& settings);

// Makes the repository's configuration include kInclude (layout.h) at its end,
// if `settings` do not have it, or have a core.hooksPath after it.
absl::Status AddInclude(const Location& location, const std::string& directory,
                        const std::vector<Setting>& settings);

// Removes this line from the configuration, if it is there.
absl::Status RemoveInclude(const Location& location,
                           const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_GIT_SETTINGS_H_
