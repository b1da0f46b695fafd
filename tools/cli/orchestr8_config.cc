// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/orchestr8_config.h"

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "lock/file.h"
#include "lock/json.h"

namespace o8lock {

Orchestr8Config ReadOrchestr8Config(const std::string& directory) {
  ConfigJson json;
  for (const char* name : {"murm-config.json", "parallel-config.json"}) {
    const absl::StatusOr<std::string> text =
        ReadFile(absl::StrCat(directory, "/.claude/", name));
    if (!text.ok()) continue;
    json = ParseConfig(*text);
    break;
  }
  Orchestr8Config config;
  // orchestr8 uses its default for any other number.
  if (json.max_concurrency.value_or(0) > 0) {
    config.max_concurrency = json.max_concurrency;
  }
  config.worktree_directory = JoinPath(
      directory, json.worktree_directory.empty() ? ".claude/worktrees"
                                                 : json.worktree_directory);
  return config;
}

}  // namespace o8lock
