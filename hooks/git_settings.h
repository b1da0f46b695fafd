// SPDX-License-Identifier: Apache-2.0
//
// The settings in git's configuration that concern hooks, including o8lock's
// own line.
//
// A function with a `directory`, inside the repository, runs git there. The
// others run git for `location`. Both kinds block until git ends.
// Errors: those of AskGit (git.h).
// On disk: only AddInclude, RemoveInclude and RemoveOwnHooksPath change
// anything. If another process has git's configuration locked, they wait for at
// most two seconds.
// Thread-safe.
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
// Errors: as above; kInternal  git's output is not a version.
absl::StatusOr<GitVersion> AskGitVersion(const std::string& directory);

// Errors: kUnimplemented  the hooks cannot work with `version`.
absl::Status CheckVersion(const GitVersion& version);

// How o8lock makes this git call the hooks.
Mechanism MechanismOf(const GitVersion& version);

// One setting, as git reads it.
struct Setting {
  std::string scope;
  std::string origin;
  std::string key;
  std::string value;
};

// Reads all settings; later ones override earlier ones. Without `directory`,
// reads those of the main worktree. A linked worktree, with the git directory
// `git_dir`, may have more.
absl::StatusOr<std::vector<Setting>> ReadSettings(const std::string& directory);
absl::StatusOr<std::vector<Setting>> ReadSettings(const Location& location);
absl::StatusOr<std::vector<Setting>> ReadSettings(const Location& location,
                                                  const std::string& git_dir);

// The mechanism recorded in o8lock's own settings; empty if git reads no such
// setting.
std::optional<Mechanism> InstalledMechanism(
    const std::vector<Setting>& settings);

// Whether git read `setting` from a file of o8lock's.
bool IsOurs(const Setting& setting);

// Whether `value` of core.hooksPath is a directory of stand-ins. Recognises it
// under any name and in any repository, and also the old path of a repository
// that has moved.
bool IsOwnHooksPath(const Location& location, const std::string& value);

// The git directories of all worktrees, the main one's first.
std::vector<std::string> GitDirectories(const Location& location);

// The configuration of the worktree with the git directory `directory`.
std::string WorktreeConfig(const std::string& directory);

// The configuration files that belong to a single worktree. Does not run git.
std::vector<std::string> WorktreeConfigs(const Location& location);

// Whether git uses o8lock's hooks directory; for Mechanism::kDirectory only.
bool UsesOwnHooks(const std::vector<Setting>& settings);

// Where git looks for hooks while the lock is free.
struct HooksPath {
  std::string value;      // core.hooksPath, or the default
  std::string directory;  // absolute; resolved in the main worktree
};

// Finds this directory. Asks git to expand the path; if git fails, keeps the
// path unexpanded.
HooksPath FindHooksPath(const Location& location,
                        const std::vector<Setting>& settings);

// Makes the repository's configuration include kInclude (layout.h) at its end.
// Does nothing if `settings` already include it and no core.hooksPath follows.
// Uses a conditional include, a setting no other program writes: `git config
// include.path` would replace a plain one.
absl::Status AddInclude(const Location& location,
                        const std::vector<Setting>& settings);

// Removes this line, and that of an older o8lock, if `settings` contain it.
absl::Status RemoveInclude(const Location& location,
                           const std::vector<Setting>& settings);

// Removes each core.hooksPath that points to a directory of o8lock's from the
// files of the repository and its worktrees. A program that saves this setting
// during a run and restores it later turns o8lock's path into the user's. In
// the repository's own file `before` replaces the value, unless `before` is
// empty.
absl::Status RemoveOwnHooksPath(const Location& location,
                                const std::string& before);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_GIT_SETTINGS_H_
