// SPDX-License-Identifier: Apache-2.0
#include "hooks/bypasses.h"

#include <unistd.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/git_settings.h"
#include "hooks/hook_call.h"
#include "hooks/hooks_state.h"
#include "hooks/layout.h"
#include "lock/git_config.h"
#include "lock/location.h"

namespace o8lock {
namespace {

std::string TextOf(const Setting& setting) {
  // git prints the names in lower case.
  const std::string key =
      setting.key == "core.hookspath" ? "core.hooksPath" : setting.key;
  return absl::StrCat(key, " = ", setting.value, " (",
                      setting.scope == "command"
                          ? "set by git -c or the environment"
                          : absl::StrCat(setting.scope, ", ", setting.origin),
                      ")");
}

Bypass BypassOf(const Setting& setting) {
  return {setting.scope == "worktree" ? Bypass::kSettingOfOneWorktree
                                      : Bypass::kSetting,
          TextOf(setting)};
}

// The bypasses for a git that supports hooks as settings.
std::vector<Bypass> FindBypassesOfSettings(
    const std::vector<Setting>& settings) {
  std::map<std::string, Setting> switches;
  std::vector<Bypass> bypasses;
  bool ours = false;
  for (const Setting& setting : settings) {
    absl::string_view key = setting.key;
    if (IsOurs(setting)) {
      ours = true;
    } else if (absl::ConsumePrefix(&key, "hook.") &&
               absl::ConsumeSuffix(&key, ".enabled")) {
      switches[std::string(key)] = setting;
    } else if (ours && (absl::StartsWith(key, "o8lock.") ||
                        absl::StartsWith(key, "o8lock-post-checkout."))) {
      bypasses.push_back(BypassOf(setting));
    }
  }
  for (const absl::string_view name :
       {absl::string_view("o8lock"), absl::string_view("o8lock-post-checkout"),
        kReferenceTransaction, kPostCheckout}) {
    const auto found = switches.find(std::string(name));
    if (found != switches.end() && ParseGitBool(found->second.value) == false) {
      bypasses.push_back(BypassOf(found->second));
    }
  }
  return bypasses;
}

// Whether another worktree may include other files than the one with these
// settings.
bool IncludesConditionally(const std::vector<Setting>& settings) {
  return absl::c_any_of(settings, [](const Setting& setting) {
    return absl::StartsWith(setting.key, "includeif.") && !IsOurs(setting) &&
           setting.value != kInclude;
  });
}

// The bypasses in one worktree with the settings `settings`.
std::vector<Bypass> FindBypassesIn(const Location& location,
                                   const std::vector<Setting>& settings,
                                   Mechanism mechanism,
                                   const GitVersion& version) {
  if (mechanism == Mechanism::kConfig) {
    std::vector<Bypass> bypasses = FindBypassesOfSettings(settings);
    if (MechanismOf(version) == Mechanism::kDirectory) {
      bypasses.push_back(
          {Bypass::kSetting,
           absl::StrCat("git ", version.text,
                        " does not support hooks in settings; a newer git "
                        "installed them")});
    }
    return bypasses;
  }
  std::vector<Bypass> bypasses;
  bool ours = false;
  for (const Setting& setting : settings) {
    if (IsOurs(setting)) {
      ours = true;
    } else if (setting.key == "core.hookspath" &&
               (ours || (setting.scope == "local" &&
                         IsOwnHooksPath(location, setting.value)))) {
      bypasses.push_back(BypassOf(setting));
    }
  }
  return bypasses;
}

}  // namespace

std::vector<Bypass> FindBypasses(const Location& location, Mechanism mechanism,
                                 const GitVersion& version) {
  std::vector<Bypass> found;
  std::map<std::string, int> worktrees_with;
  int worktrees = 0;
  // With thousands of worktrees, one git for each would take seconds.
  std::optional<std::vector<Bypass>> shared;
  for (const std::string& directory : GitDirectories(location)) {
    const bool shares = access(WorktreeConfig(directory).c_str(), F_OK) != 0;
    std::vector<Bypass> bypasses;
    if (shares && shared.has_value()) {
      bypasses = *shared;
    } else {
      const absl::StatusOr<std::vector<Setting>> settings =
          ReadSettings(location, directory);
      // Git does not work in this worktree.
      if (!settings.ok()) continue;
      bypasses = FindBypassesIn(location, *settings, mechanism, version);
      if (shares && !IncludesConditionally(*settings)) shared = bypasses;
    }
    ++worktrees;
    for (const Bypass& bypass : bypasses) {
      if (++worktrees_with[bypass.text] == 1) found.push_back(bypass);
    }
  }
  for (Bypass& bypass : found) {
    // A setting of one worktree, or an includeIf.
    if (worktrees_with[bypass.text] < worktrees) {
      bypass.kind = Bypass::kSettingOfOneWorktree;
    }
  }
  return found;
}

}  // namespace o8lock
