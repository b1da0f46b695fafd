// SPDX-License-Identifier: Apache-2.0
//
// The texts of the scripts and settings that o8lock writes, and tests for
// these texts.
//
// No function changes a file, blocks or fails: a file that cannot be read is
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

// The names of stand-ins: those of githooks(5), but for push-to-checkout, which
// replaces what git does without it.
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

// The text of a stand-in, the same for every hook: it runs kStandInFile
// (layout.h), where it is beside one.
std::string StandInText();

// The text of kStandInFile. It calls `program`, if the hook is one of o8lock's,
// then asks git where the user's hooks are now, in this worktree and on this
// branch, links all else in that directory beside the stand-in, and runs the
// hook of its name, if there is one. `default_path` is git's own directory.
std::string SharedText(const std::string& program,
                       const std::string& default_path);

// Whether `text` is a stand-in, this o8lock's or an older one's, and nothing
// else.
bool IsStandIn(absl::string_view text);

// `text` without the lines of a stand-in: what a program has inserted into it
// or appended to it. The same as `text` if that is no stand-in.
std::string WithoutStandIn(absl::string_view text);

// --- A line of o8lock's in a user's hook ---

// The whole text, without this line, of a hook that o8lock has created.
inline constexpr absl::string_view kEmptyScript = "#!/bin/sh\n";

// Whether the hook `path` has the line.
bool CallsUs(const std::string& path);

// The script `text` with the line, which calls `program` for the hook `event`,
// before all its commands.
std::string WithOurLine(std::string text, const std::string& program,
                        const HookEvent& event);

// `text` without the line.
std::string WithoutOurLine(absl::string_view text);

// Whether `text` is a shell script that can have the line: it hands its own
// file to no other program, which would read one line more.
bool IsShellScript(absl::string_view text);

// --- The files that the repository's configuration includes ---

// The input of an installation. If it changes, RefreshHooks writes all files
// again.
struct InstallFingerprint {
  bool arms = false;  // whether git can call the hooks here
  std::string common_dir;
  std::string local_path;  // core.hooksPath of the repository's own file
  std::string directory;   // as in HooksPath
  std::string changed;     // times of the directory and of o8lock's own
  std::string started;     // the time of the program, which could be started
};

// The record in locked.inc.
struct InstalledState {
  Mechanism mechanism = Mechanism::kConfig;
  std::string program;
  std::optional<InstallFingerprint>
      fingerprint;  // not there: of an older o8lock
};

// The text of free.inc.
std::string FreeText(Mechanism mechanism, const std::string& program);

// The text of locked.inc. For Mechanism::kDirectory it includes kHereFile if
// git sees the repository where `fingerprint` has it, and nothing under another
// path: moved, copied or in a container, git has the user's hooks. REQUIRES: no
// path has a tab or a newline.
std::string LockedText(Mechanism mechanism, const std::string& program,
                       const InstallFingerprint& fingerprint);

// The text of here.inc, which makes git use the directory `own_hooks`.
std::string HereText(const std::string& own_hooks);

// The record in this text of locked.inc.
InstalledState ParseActiveConfig(absl::string_view text);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOK_SCRIPTS_H_
