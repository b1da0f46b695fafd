// SPDX-License-Identifier: Apache-2.0
//
// The texts of o8lock's scripts and settings, and tests for these texts.
//
// No function changes a file, blocks or fails. An unreadable file counts as
// empty. Thread-safe.
#ifndef O8LOCK_HOOKS_HOOK_SCRIPTS_H_
#define O8LOCK_HOOKS_HOOK_SCRIPTS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "hooks/git_settings.h"
#include "hooks/hook_call.h"
#include "hooks/hooks_state.h"

namespace o8lock {

// --- Stand-ins: hooks in o8lock's directory that run the user's hooks ---

// The names of stand-ins: the hooks of githooks(5) except push-to-checkout,
// which replaces git's own behavior.
inline constexpr absl::string_view kHookNames[] = {"reference-transaction",
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

// The text of a stand-in, the same for every hook. It runs kStandInFile
// (layout.h), unless the stand-in is no longer beside this file.
std::string StandInText();

// The text of kStandInFile:
//   1. It calls `program`, if the hook is one of o8lock's.
//   2. It asks git for the current hooks directory of the user, in this
//      worktree and on this branch. `default_path` is git's own directory.
//   3. It links the other files of this directory beside the stand-in.
//   4. It runs the user's hook of the stand-in's name, if there is one.
std::string SharedText(const std::string& program, const std::string& own_hooks,
                       const std::string& default_path);

// Whether `text` is exactly a stand-in, of this o8lock or an older one.
bool IsStandIn(absl::string_view text);

// `text` without the lines of a stand-in: the lines a program has inserted or
// appended. Returns `text` unchanged if it contains no stand-in.
std::string WithoutStandIn(absl::string_view text);

// --- o8lock's line in a user's hook ---

// The text of a hook created by o8lock, without o8lock's line.
inline constexpr absl::string_view kEmptyScript = "#!/bin/sh\n";

// Whether the hook `path` has the line.
bool CallsUs(const std::string& path);

// Whether the hook `path` has the line and no other command.
bool IsOnlyOurs(const std::string& path);

// The script `text`, in `directory`, with the line inserted before all its
// commands. The line calls `program` for the hook `event`.
std::string WithOurLine(std::string text, const std::string& program,
                        const std::string& directory, absl::string_view event);

// `text` without the line.
std::string WithoutOurLine(absl::string_view text);

// Whether `text` is a shell script that can have the line. It must not pass its
// own file to another program: that program would read an extra line.
bool IsShellScript(absl::string_view text);

// --- The files included by the repository's configuration ---

// The input of an installation. If it changes, RefreshHooks rewrites all files.
struct InstallFingerprint {
  bool arms = false;  // whether git can call the hooks here
  std::string common_dir;
  std::string local_path;  // core.hooksPath in the repository's own file
  std::string directory;   // as in HooksPath
  std::string changed;     // times of the directory and of o8lock's own
  std::string started;     // the time of the program when it last started
};

// The record read from locked.inc.
struct InstalledState {
  Mechanism mechanism = Mechanism::kConfig;
  std::string program;
  std::optional<InstallFingerprint>
      fingerprint;  // empty: recorded by an older o8lock
};

// The text of free.inc.
std::string FreeText(Mechanism mechanism, const std::string& program);

// The text of locked.inc. For Mechanism::kDirectory it includes kHereFile only
// if git sees the repository under the path in `fingerprint`. Under another
// path (moved, copied or in a container) git uses the user's hooks.
// REQUIRES: no path has a tab or a newline.
std::string LockedText(Mechanism mechanism, const std::string& program,
                       const InstallFingerprint& fingerprint);

// The text of here.inc. It makes git use the directory `own_hooks`.
std::string HereText(const std::string& own_hooks);

// Parses the record in `text`, the text of locked.inc.
InstalledState ParseActiveConfig(absl::string_view text);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOK_SCRIPTS_H_
