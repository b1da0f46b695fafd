// SPDX-License-Identifier: Apache-2.0
//
// The settings in git's configuration that concern hooks, and o8lock's own line
// in it.
//
// Functions with a `directory`, which is in the repository, run git there, and
// those without run git for `location`; they block until it ends. Errors: those
// of AskGit (git.h).
// On disk only AddInclude, RemoveInclude and RemoveOwnHooksPath change
// anything; where another process has git's configuration locked they wait, at
// most two seconds. Thread-safe.
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

// All settings. A later one wins over an earlier one. Without `directory` they
// are those in the main worktree; a linked one may have its own beside them.
absl::StatusOr<std::vector<Setting>> ReadSettings(const std::string& directory);
absl::StatusOr<std::vector<Setting>> ReadSettings(const Location& location);

// How the hooks were installed, by o8lock's own settings; empty if git reads no
// setting of o8lock's.
std::optional<Mechanism> InstalledMechanism(
    const std::vector<Setting>& settings);

// The settings that keep git from calling hooks installed for `mechanism`, or
// will do so: a core.hooksPath that RemoveOwnHooksPath takes out. Each worktree
// is asked: it may have a configuration for itself, and git may include a file
// there only. One where git does not work is passed by.
std::vector<Bypass> FindBypasses(const Location& location, Mechanism mechanism,
                                 const GitVersion& version);

// The files of the worktrees that have a configuration for themselves. Does not
// run git.
std::vector<std::string> WorktreeConfigs(const Location& location);

// Whether git uses o8lock's directory of hooks; only for Mechanism::kDirectory.
bool UsesOwnHooks(const std::vector<Setting>& settings);

// Where git looks for hooks while the lock is free.
struct HooksPath {
  std::string value;      // core.hooksPath, or the default
  std::string directory;  // absolute; a relative value is of the main worktree
};

// Finds that directory. What a path means git is asked; if git fails, the path
// stays as it is.
HooksPath FindHooksPath(const Location& location,
                        const std::vector<Setting>& settings);

// Makes the repository's configuration include kInclude (layout.h) at its end,
// if `settings` do not have it, or have a core.hooksPath after it. The setting
// is one that no other program sets: `git config include.path` would replace
// the plain one.
absl::Status AddInclude(const Location& location,
                        const std::vector<Setting>& settings);

// Removes this line, and an older o8lock's, from the configuration, if
// `settings` have it.
absl::Status RemoveInclude(const Location& location,
                           const std::vector<Setting>& settings);

// Takes a core.hooksPath that is a directory of o8lock's out of the files of
// the repository and of its worktrees: a program that saves the setting during
// a run, and puts it back, makes it the user's. In the repository's own file
// `before`, unless it is empty, takes its place.
absl::Status RemoveOwnHooksPath(const Location& location,
                                const std::string& before);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_GIT_SETTINGS_H_
