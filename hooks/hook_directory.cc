// SPDX-License-Identifier: Apache-2.0
#include "hooks/hook_directory.h"

#include <sys/stat.h>

#include <iterator>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hooks/files.h"
#include "hooks/git_settings.h"
#include "hooks/hook_call.h"
#include "hooks/hook_scripts.h"
#include "lock/file.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// Those of githooks(5). push-to-checkout replaces what git does without it, and
// reference-transaction and post-checkout are ours.
constexpr absl::string_view kHookNames[] = {"applypatch-msg",
                                            "pre-applypatch",
                                            "post-applypatch",
                                            "pre-commit",
                                            "pre-merge-commit",
                                            "prepare-commit-msg",
                                            "commit-msg",
                                            "post-commit",
                                            "pre-rebase",
                                            "post-merge",
                                            "pre-push",
                                            "pre-receive",
                                            "update",
                                            "proc-receive",
                                            "post-receive",
                                            "post-update",
                                            "push-to-checkout",
                                            "pre-auto-gc",
                                            "post-rewrite",
                                            "sendemail-validate",
                                            "post-index-change",
                                            "p4-changelist",
                                            "p4-prepare-changelist",
                                            "p4-post-changelist",
                                            "p4-pre-submit"};

// The names of all hooks: those of githooks(5), and those in `directory`.
std::set<std::string> HookNames(const std::string& directory) {
  std::set<std::string> names(std::begin(kHookNames), std::end(kHookNames));
  for (const HookEvent& event : {kReferenceTransaction, kPostCheckout}) {
    names.emplace(event.name);
  }
  for (const std::string& name : NamesIn(directory)) {
    // A name with a dot is not a hook, but a file for one.
    if (!absl::StrContains(name, '.') &&
        IsExecutable(absl::StrCat(directory, "/", name))) {
      names.insert(name);
    }
  }
  return names;
}

// Whether the stand-in `name` of the hook `real` has to call o8lock. A hook
// that is always armed may call it by itself.
bool HasToCallUs(const std::string& name, const std::string& real) {
  for (const HookEvent& event : {kReferenceTransaction, kPostCheckout}) {
    if (event.name == name) {
      return event.armed == Armed::kWhileTaken || !CallsUs(real);
    }
  }
  return false;
}

// Makes `own`/`name`, the stand-in for this hook in `path`.
absl::Status PutHook(const std::string& own, const std::string& name,
                     const std::string& program, const HooksPath& path) {
  const std::string mine = absl::StrCat(own, "/", name);
  const std::string real = absl::StrCat(path.directory, "/", name);
  const bool calls_us = HasToCallUs(name, real);
  // Every worktree may have other hooks.
  const bool relative = !absl::StartsWith(path.value, "/");
  if (name != "push-to-checkout" &&
      (FileExists(real) || name == kPostCheckout.name || relative)) {
    // A script, not a link: a hook may depend on the path in its name.
    return PutFile(mine, ScriptText(calls_us ? program : "", name, path), 0755);
  }
  // The hook does not exist, but may be installed during a run.
  return PutLink(mine, calls_us ? program : real);
}

}  // namespace

absl::Status PutHooks(const std::string& own, const std::string& program,
                      const HooksPath& path) {
  O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(own));
  O8LOCK_RETURN_IF_ERROR(MoveForeignHooks(own, path.directory));
  const std::set<std::string> names = HookNames(path.directory);
  for (const std::string& name : names) {
    O8LOCK_RETURN_IF_ERROR(PutHook(own, name, program, path));
  }
  // Stand-ins that another program's installer has renamed.
  for (const std::string& name : NamesIn(own)) {
    const std::string mine = absl::StrCat(own, "/", name);
    if (names.count(name) == 0 && IsOurHook(mine)) {
      O8LOCK_RETURN_IF_ERROR(RemoveIfThere(mine));
    }
  }
  return absl::OkStatus();
}

absl::Status MoveForeignHooks(const std::string& own,
                              const std::string& directory) {
  for (const std::string& name : NamesIn(own)) {
    const std::string mine = absl::StrCat(own, "/", name);
    std::string real = absl::StrCat(directory, "/", name);
    struct stat info;
    if (lstat(mine.c_str(), &info) != 0 || !S_ISREG(info.st_mode) ||
        absl::StartsWith(name, kFresh) || IsOurHook(mine)) {
      continue;
    }
    if (FileExists(real)) {
      const absl::StatusOr<std::string> text = ReadFile(mine);
      if (text.ok() && *text == ReadFile(real).value_or("")) {
        O8LOCK_RETURN_IF_ERROR(RemoveIfThere(mine));
        continue;
      }
      absl::StrAppend(&real, ".from-o8lock");
    }
    O8LOCK_RETURN_IF_ERROR(RenameFile(mine, real));
  }
  return absl::OkStatus();
}

}  // namespace o8lock
