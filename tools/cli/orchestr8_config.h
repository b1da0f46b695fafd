// SPDX-License-Identifier: Apache-2.0
#ifndef O8LOCK_TOOLS_CLI_ORCHESTR8_CONFIG_H_
#define O8LOCK_TOOLS_CLI_ORCHESTR8_CONFIG_H_

#include <optional>
#include <string>

namespace o8lock {

// The usable settings of an orchestr8.
struct Orchestr8Config {
  std::optional<int> max_concurrency;  // above zero
  std::string worktree_directory;      // absolute
};

// Returns the settings of an orchestr8 started in `directory`: version 4's file
// or, if it does not exist, version 3's. Without either it returns the default
// worktree directory.
Orchestr8Config ReadOrchestr8Config(const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ORCHESTR8_CONFIG_H_
