// SPDX-License-Identifier: Apache-2.0
#ifndef O8LOCK_LOCK_GIT_CONFIG_H_
#define O8LOCK_LOCK_GIT_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace o8lock {

// The format, the main worktree and the hooks directory from a repository's
// configuration, and o8lock's own settings. Does not follow included files. Git
// does not follow them either for the format and the worktree, and hook
// managers write into the file itself.
struct GitConfig {
  // core.repositoryFormatVersion. If it is missing or negative, git ignores
  // core.bare, core.worktree and extensions.
  int64_t format_version = -1;
  std::optional<bool> bare;             // core.bare
  std::optional<std::string> worktree;  // core.worktree
  bool worktree_config = false;         // extensions.worktreeConfig
  // Extensions git refuses in a repository of version 0; and extensions added
  // after git 2.29, unknown to some versions of git.
  std::vector<std::string> v1_extensions;
  std::vector<std::string> new_extensions;

  std::optional<std::string> hooks_path;  // core.hooksPath
  std::optional<std::string> publish;     // o8lock.publish
  std::optional<std::string> leftovers;   // o8lock.leftovers

  // Adds the settings of `text`, the content of `file`, in the syntax of
  // git-config(1). The last setting of a key counts. Any text is safe.
  // Errors: kFailedPrecondition  git fails at this text too; the message is
  //                              git's.
  absl::Status Read(absl::string_view text, absl::string_view file);
};

// The value of a boolean setting as git reads it: true, yes, on, a number, in
// any case and with any unit. Nothing if git rejects it.
std::optional<bool> ParseGitBool(absl::string_view value);

// The pattern for exactly `path`: of includeIf, and of gitignore(5).
std::string GitPatternOf(absl::string_view path);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_GIT_CONFIG_H_
