// SPDX-License-Identifier: Apache-2.0
#ifndef O8LOCK_LOCK_GIT_CONFIG_H_
#define O8LOCK_LOCK_GIT_CONFIG_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace o8lock {

// The settings of a repository's configuration that say where its main
// worktree is and where its hooks are, and o8lock's own. Included files are not
// followed: git and hook managers write these settings into the file itself.
struct GitConfig {
  bool bare = false;                      // core.bare
  std::optional<std::string> worktree;    // core.worktree
  bool worktree_config = false;           // extensions.worktreeConfig
  std::optional<std::string> hooks_path;  // core.hooksPath
  std::optional<std::string> publish;     // o8lock.publish

  // Takes over what `text`, a file in the syntax of git-config(1), sets; the
  // last of a key counts. Whatever is not understood is passed by. Any text is
  // safe.
  void Read(absl::string_view text);
};

}  // namespace o8lock

#endif  // O8LOCK_LOCK_GIT_CONFIG_H_
