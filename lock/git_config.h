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

// The settings of a repository's configuration that say which format it has,
// where its main worktree is and where its hooks are, and o8lock's own.
// Included files are not followed: git does not follow them for the format and
// the worktree, and hook managers write into the file itself.
struct GitConfig {
  // core.repositoryFormatVersion. Where it is missing or negative git reads
  // nothing of the format: neither core.bare, core.worktree nor extensions.
  int64_t format_version = -1;
  std::optional<bool> bare;             // core.bare
  std::optional<std::string> worktree;  // core.worktree
  bool worktree_config = false;         // extensions.worktreeConfig
  // Extensions that git refuses in a repository of version 0, and those that
  // are younger than git 2.29, which some versions of git refuse.
  std::vector<std::string> v1_extensions;
  std::vector<std::string> new_extensions;

  std::optional<std::string> hooks_path;  // core.hooksPath
  std::optional<std::string> publish;     // o8lock.publish

  // Adds the settings of `text`, the content of `file`, in the syntax of
  // git-config(1). The last of a key counts. Any text is safe.
  // Errors: kFailedPrecondition  git fails at this text too; the message is
  //                              git's.
  absl::Status Read(absl::string_view text, absl::string_view file);
};

// The value of a boolean setting as git reads it: true, yes, on, a number, with
// any case and unit; nothing if git rejects it.
std::optional<bool> ParseGitBool(absl::string_view value);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_GIT_CONFIG_H_
