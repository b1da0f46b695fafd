// SPDX-License-Identifier: Apache-2.0
#ifndef O8LOCK_TOOLS_CLI_ORCHESTR8_CONFIG_H_
#define O8LOCK_TOOLS_CLI_ORCHESTR8_CONFIG_H_

#include <optional>
#include <string>

namespace o8lock {

// The settings of an orchestr8, as far as they are usable.
struct Orchestr8Config {
  std::optional<int> max_concurrency;  // above zero
  std::string worktree_directory;      // absolute
};

// The settings of an orchestr8 started in `directory`: version 4's file or, if
// there is none, version 3's. Its default directory of worktrees otherwise.
Orchestr8Config ReadOrchestr8Config(const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ORCHESTR8_CONFIG_H_
