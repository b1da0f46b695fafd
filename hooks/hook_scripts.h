// SPDX-License-Identifier: Apache-2.0
//
// The texts of the scripts and settings that o8lock writes for git, and how
// they are known again.
//
// Nothing here changes a file, blocks or fails. Thread-safe.
#ifndef O8LOCK_HOOKS_HOOK_SCRIPTS_H_
#define O8LOCK_HOOKS_HOOK_SCRIPTS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "hooks/git_settings.h"
#include "hooks/hooks_state.h"

namespace o8lock {

// --- A hook that stands for another: made anew whenever that changes ---

// A script that stands for the hook `name`: o8lock's, unless `program` is
// empty, then the one that is effective without o8lock, unless that is not
// there.
std::string ScriptText(const std::string& program, absl::string_view name,
                       const HooksPath& path);

// Whether the file `path` has such a text.
bool IsOurHook(const std::string& path);

// --- A line in a hook that is the user's ---

// What a hook begins with, and all that it has, that is there for our line
// only.
inline constexpr absl::string_view kEmptyScript = "#!/bin/sh\n";

// Whether the hook `path` has a line of ours.
bool CallsUs(const std::string& path);

// The script `text` with a first line that calls `program` as the hook `name`.
std::string WithOurLine(std::string text, const std::string& program,
                        absl::string_view name);

// `text` without the line of ours.
std::string WithoutOurLine(absl::string_view text);

// Whether `text` is a script of a shell, in which there can be such a line.
bool IsShellScript(absl::string_view text);

// --- The files that the repository's configuration includes ---

// What the files of the hooks rest on: if it changes they are made anew.
struct Basis {
  std::string common_dir;
  std::string local_path;  // core.hooksPath of the repository's own file
  std::string directory;   // as in HooksPath
  std::string changed;     // when the directory was, and the one of ours
};

// What locked.inc remembers.
struct Remembered {
  std::string program;
  std::optional<Basis> basis;
};

// The text of free.inc.
std::string FreeText(Mechanism mechanism, const std::string& program);

// The text of locked.inc. `own_hooks` is the directory that git is to use.
// REQUIRES: no path in `remembered` has a tab or a newline.
std::string LockedText(Mechanism mechanism, const std::string& program,
                       const std::string& own_hooks, const Basis& basis);

// What the text of locked.inc remembers.
Remembered ReadLockedText(absl::string_view text);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOK_SCRIPTS_H_
