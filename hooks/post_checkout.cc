// SPDX-License-Identifier: Apache-2.0
#include "hooks/post_checkout.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "hooks/files.h"
#include "hooks/git_settings.h"
#include "hooks/hook_call.h"
#include "hooks/hook_managers.h"
#include "hooks/hook_scripts.h"
#include "hooks/hooks_state.h"
#include "hooks/layout.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// Returns whether `text`, in any language, has a call of o8lock for this hook:
// as a command of sh, or as a list of its arguments.
bool HasCall(absl::string_view text) {
  return absl::StrContains(
      absl::StrJoin(absl::StrSplit(text, absl::ByAnyChar(" \t\n\"',[]()"),
                                   absl::SkipEmpty()),
                    " "),
      absl::StrCat("hooks run ", kPostCheckout));
}

}  // namespace

PostCheckoutHook FindPostCheckoutHook(const Location& location,
                                      const HooksPath& path,
                                      absl::string_view manager) {
  const std::string hook = PostCheckoutIn(path.directory);
  if (CallsUs(hook)) {
    // Git ignores it.
    if (access(hook.c_str(), X_OK) != 0) return PostCheckoutHook::kMissing;
    return IsOnlyOurs(hook) ? PostCheckoutHook::kAlone
                            : PostCheckoutHook::kChained;
  }
  return (manager == "pre-commit" && CallsUs(absl::StrCat(hook, kLegacy))) ||
                 HasCall(
                     ReadFile(OwnersFile(location, path, manager)).value_or(""))
             ? PostCheckoutHook::kByOwner
             : PostCheckoutHook::kMissing;
}

bool HasPostCheckoutHook(const HooksPath& path) {
  return CallsUs(PostCheckoutIn(path.directory));
}

absl::Status InstallPostCheckoutHook(const Location& location,
                                     const HooksPath& path,
                                     const std::string& program) {
  std::string hook = PostCheckoutIn(path.directory);
  if (!CallsUs(hook) && !ManagerOf(location, path).empty()) {
    absl::StrAppend(&hook, kLegacy);
    if (!CallsUs(hook)) return absl::OkStatus();
  }
  struct stat info;
  std::string text(kEmptyScript);
  if (lstat(hook.c_str(), &info) == 0) {
    O8LOCK_ASSIGN_OR_RETURN(text, ReadFile(hook));
    text = WithoutOurLine(text);
    // A hook of the user's without this permission must stay disabled.
    if (IsOnlyOurs(hook)) info.st_mode |= 0111;
  } else {
    // Keeps an existing directory's permissions: they are the user's choice.
    if (!FileExists(path.directory)) {
      O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(path.directory));
    }
    info.st_mode = 0755;
  }
  return PutFile(hook,
                 WithOurLine(std::move(text), program,
                             Canonical(path.directory).value_or(path.directory),
                             kPostCheckout),
                 info.st_mode & 07777);
}

absl::Status RemovePostCheckoutHook(const Location& location,
                                    const HooksPath& path) {
  for (const std::string& directory :
       {path.directory, DefaultHooks(location)}) {
    const std::string hook = PostCheckoutIn(directory);
    std::vector<std::string> hooks = {hook, absl::StrCat(hook, kLegacy),
                                      absl::StrCat(hook, kOld)};
    // A manager keeps backups in such directories.
    for (const std::string& name : NamesIn(directory)) {
      hooks.push_back(PostCheckoutIn(absl::StrCat(directory, "/", name)));
    }
    for (const std::string& other : hooks) {
      struct stat info;
      if (lstat(other.c_str(), &info) != 0 || !CallsUs(other)) continue;
      if (IsOnlyOurs(other)) {
        O8LOCK_RETURN_IF_ERROR(RemoveFile(other));
        continue;
      }
      O8LOCK_ASSIGN_OR_RETURN(const std::string text, ReadFile(other));
      O8LOCK_RETURN_IF_ERROR(
          PutFile(other, WithoutOurLine(text), info.st_mode & 07777));
    }
  }
  return absl::OkStatus();
}

}  // namespace o8lock
