// SPDX-License-Identifier: Apache-2.0
#include "hooks/hook_managers.h"

#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/files.h"
#include "hooks/git_settings.h"
#include "hooks/hook_call.h"
#include "hooks/hook_scripts.h"
#include "hooks/layout.h"
#include "lock/file.h"
#include "lock/location.h"

namespace o8lock {
namespace {

constexpr HookManager kManagers[] = {
    {"husky", ".husky/_", "husky", "", "",  //
     "as the last line of .husky/post-checkout", "", "\"$@\"", Quoting::kNone,
     ""},
    {"lefthook", "", "lefthook", "", "lefthook.yml",  //
     "to lefthook.yml",
     "post-checkout:\n"
     "      jobs:\n"
     "        - run: |\n"
     "            ",
     "{0}", Quoting::kNone, ""},
    {"pre-commit", "", "pre-commit", "", ".pre-commit-config.yaml",  //
     "to .pre-commit-config.yaml",
     "- repo: local\n"
     "      hooks:\n"
     "      - id: o8lock\n"
     "        name: o8lock\n"
     "        language: system\n"
     "        entry: ",
     "\"$PRE_COMMIT_FROM_REF\" \"$PRE_COMMIT_TO_REF\"", Quoting::kShellWord,
     "\n"
     "        always_run: true\n"
     "        pass_filenames: false\n"
     "        stages: [post-checkout]"},
    // It removes all other programs' hooks.
    {"simple-git-hooks", "", "", "SIMPLE_GIT_HOOKS", "",  //
     "to package.json, and run npx simple-git-hooks",
     "\"simple-git-hooks\": { \"post-checkout\": \"", "\"$@\"",
     Quoting::kJsonString, "\" }"},
};

// Whether one of the hooks in `path` has `word`.
bool IsInAHook(const HooksPath& path, absl::string_view word) {
  return absl::c_any_of(NamesIn(path.directory), [&path, word](
                                                     const std::string& name) {
    return absl::StrContains(
        ReadFile(absl::StrCat(path.directory, "/", name)).value_or(""), word);
  });
}

}  // namespace

const HookManager* FindManager(absl::string_view name) {
  for (const HookManager& manager : kManagers) {
    if (manager.name == name) return &manager;
  }
  return nullptr;
}

std::string ManagerOf(const Location& location, const HooksPath& path) {
  for (const HookManager& manager : kManagers) {
    if (!manager.hooks_path.empty() &&
        absl::EndsWith(path.value, manager.hooks_path)) {
      return std::string(manager.name);
    }
  }
  if (!absl::StartsWith(path.directory, location.common_dir + "/") ||
      IsLink(path.directory)) {
    return path.directory;
  }
  std::string hook = PostCheckoutIn(path.directory);
  const std::string text = WithoutOurLine(ReadFile(hook).value_or(""));
  for (const HookManager& manager : kManagers) {
    if (!manager.in_post_checkout.empty() &&
        absl::StrContains(text, manager.in_post_checkout)) {
      return std::string(manager.name);
    }
  }
  // o8lock cannot move the hook and call it: a hook may depend on its own name.
  if (FileExists(hook) && !IsOnlyOurs(hook) &&
      !(IsShellScript(text) && IsExecutable(hook))) {
    return hook;
  }
  for (const HookManager& manager : kManagers) {
    if (!manager.in_any_hook.empty() && IsInAHook(path, manager.in_any_hook)) {
      return std::string(manager.name);
    }
  }
  return "";
}

std::string OwnersFile(const Location& location, const HooksPath& path,
                       absl::string_view manager) {
  const HookManager* known = FindManager(manager);
  if (known != nullptr && !known->file.empty()) {
    return absl::StrCat(location.main_worktree, "/", known->file);
  }
  // husky's own hooks are in .husky/_, and its user's hooks beside that
  // directory.
  if (known != nullptr && !known->hooks_path.empty()) {
    return absl::StrCat(absl::StripSuffix(path.directory, "_"), kPostCheckout);
  }
  return PostCheckoutIn(path.directory);
}

}  // namespace o8lock
