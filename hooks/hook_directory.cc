// SPDX-License-Identifier: Apache-2.0
#include "hooks/hook_directory.h"

#include <sys/stat.h>

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hooks/files.h"
#include "hooks/git_settings.h"
#include "hooks/hook_scripts.h"
#include "lock/file.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// Those of githooks(5), but for push-to-checkout: that replaces what git does
// without it.
constexpr absl::string_view kHookNames[] = {"reference-transaction",
                                            "post-checkout",
                                            "applypatch-msg",
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
                                            "pre-auto-gc",
                                            "post-rewrite",
                                            "sendemail-validate",
                                            "post-index-change",
                                            "p4-changelist",
                                            "p4-prepare-changelist",
                                            "p4-post-changelist",
                                            "p4-pre-submit"};

}  // namespace

absl::Status PutHooks(const std::string& own, const std::string& program,
                      const HooksPath& path, const std::string& default_path) {
  O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(own));
  O8LOCK_RETURN_IF_ERROR(MoveForeignHooks(own, path.directory));
  std::set<std::string> names;
  for (const absl::string_view name : kHookNames) {
    names.emplace(name);
    O8LOCK_RETURN_IF_ERROR(PutFile(absl::StrCat(own, "/", name),
                                   ScriptText(program, name, default_path),
                                   0755));
  }
  std::vector<std::string> others = NamesIn(path.directory);
  // May be installed during a run.
  others.emplace_back("push-to-checkout");
  for (const std::string& name : others) {
    if (!names.insert(name).second) continue;
    O8LOCK_RETURN_IF_ERROR(PutLink(absl::StrCat(own, "/", name),
                                   absl::StrCat(path.directory, "/", name)));
  }
  // What is gone there, and what another program's installer has renamed.
  for (const std::string& name : NamesIn(own)) {
    if (names.count(name) == 0 && !absl::StartsWith(name, kFresh)) {
      O8LOCK_RETURN_IF_ERROR(RemoveIfThere(absl::StrCat(own, "/", name)));
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
    if (lstat(mine.c_str(), &info) != 0 || S_ISLNK(info.st_mode) ||
        absl::StartsWith(name, kFresh) || IsOurHook(mine)) {
      continue;
    }
    if (FileExists(real)) {
      if (IsSame(mine, real)) {
        O8LOCK_RETURN_IF_ERROR(RemoveTree(mine));
        continue;
      }
      absl::StrAppend(&real, ".from-o8lock");
    }
    O8LOCK_RETURN_IF_ERROR(RenameFile(mine, real));
  }
  return absl::OkStatus();
}

}  // namespace o8lock
