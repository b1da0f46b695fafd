// SPDX-License-Identifier: Apache-2.0
#include "hooks/hook_scripts.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/git_settings.h"
#include "hooks/hook_call.h"
#include "hooks/hooks_state.h"
#include "hooks/layout.h"
#include "lock/file.h"
#include "lock/git_config.h"

namespace o8lock {
namespace {

// The second line of every stand-in, which identifies it.
constexpr absl::string_view kMade = "# o8lock: made by `o8lock hooks install`.";
// The possible ends of an older o8lock's last line. Its stand-ins have more
// than three lines.
constexpr absl::string_view kOldEnds[] = {"exec \"$hook\" \"$@\"",
                                          "exec \"$real\" \"$@\""};
// The end of o8lock's line in a user's hook, which identifies it.
constexpr absl::string_view kLineEnd =
    " # o8lock: until `o8lock hooks uninstall`";
// The settings that record the mechanism.
constexpr absl::string_view kDirectoryLines = "[o8lock]\n\thooks = directory\n";
// The prefixes of the record's lines in locked.inc.
constexpr absl::string_view kProgramLine = "# program: ";
constexpr absl::string_view kFingerprintLine = "# made for: ";

// The third line of a stand-in. It does nothing if a program has moved or
// copied the stand-in.
std::string RunShared() {
  const std::string shared = absl::StrCat("\"${0%/*}/../", kStandInFile, "\"");
  return absl::StrCat("! test -r ", shared, " || . ", shared);
}

// `argument` quoted for sh.
std::string Quoted(absl::string_view argument) {
  return absl::StrCat("'", absl::StrReplaceAll(argument, {{"'", "'\\''"}}),
                      "'");
}

// `value` quoted for a configuration file.
std::string ConfigQuoted(absl::string_view value) {
  return absl::StrCat(
      "\"",
      absl::StrReplaceAll(value,
                          {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}),
      "\"");
}

// A command of sh that runs the hook `event` with the script's arguments, by
// `program`, a word of sh. Only exit code 1 is a refusal. git goes on if the
// program is gone, crashes, or cannot be executed. `before` finds the program.
std::string Call(const std::string& program, absl::string_view event,
                 absl::string_view before = "") {
  std::string call =
      absl::StrCat(before, "! test -x ", program, " || ", program,
                   " hooks run ", event, " \"$@\" || test $? != 1 || exit 1");
  if (event != kPostCheckout) return call;
  // Most calls are for other checkouts. Only a new worktree has no old commit.
  return absl::StrCat("case ${1-} in *[!0]*) ;; *) ", call, " ;; esac");
}

// The same in a script of the directory `scripts`. The script looks for a copy
// in the git directory from its own path first: a container may have another
// path for both.
std::string CallFrom(const std::string& scripts, const std::string& program,
                     absl::string_view event) {
  const std::string around = ParentOf(scripts);
  const bool is_copy =
      program == OwnCopy(around) || program == OwnCopy(ParentOf(around));
  if (!is_copy || !IsBelow(program, around)) {
    return Call(Quoted(program), event);
  }
  return Call(
      "\"$o8lock_program\"", event,
      absl::StrCat("o8lock_program=${0%/*}/..", program.substr(around.size()),
                   "; test -x \"$o8lock_program\" || o8lock_program=",
                   Quoted(program), "; "));
}

std::string FingerprintText(const InstallFingerprint& fingerprint) {
  return absl::StrCat(kFingerprintLine, fingerprint.arms ? "armed" : "unarmed",
                      "\t", fingerprint.changed, "\t", fingerprint.common_dir,
                      "\t", fingerprint.local_path, "\t", fingerprint.directory,
                      "\t", fingerprint.started, "\n");
}

// The setting that includes kHereFile for the git directories of `pattern`.
std::string IncludeHere(absl::string_view pattern) {
  return absl::StrCat("[includeIf ",
                      ConfigQuoted(absl::StrCat("gitdir:", pattern)),
                      "]\n\tpath = ", kHereFile, "\n");
}

// The beginning of free.inc and locked.inc.
std::string SettingsHead(absl::string_view when) {
  return absl::StrCat(
      "# Made by `o8lock hooks install`, which replaces it; included by the "
      "repository's\n# configuration while ",
      when, ".\n");
}

// The settings that make git run `command` for `event`.
std::string HookSetting(absl::string_view name, const std::string& command,
                        absl::string_view event) {
  return absl::StrCat("[hook \"", name,
                      "\"]\n\tcommand = ", ConfigQuoted(command),
                      "\n\tevent = ", event, "\n");
}

// The settings in both free.inc and locked.inc.
std::string CommonSettings(Mechanism mechanism, const std::string& program) {
  if (mechanism == Mechanism::kDirectory) return std::string(kDirectoryLines);
  return absl::StrCat(
      "[o8lock]\n\thooks = config\n",
      HookSetting("o8lock-post-checkout",
                  // Git appends the arguments.
                  absl::StrCat("f() { ", Call(Quoted(program), kPostCheckout),
                               "; }; f"),
                  kPostCheckout));
}

// Whether `line` of a script may read the script: it uses its path, and not
// only the name or the directory, or for a message.
bool ReadsItself(absl::string_view line) {
  line = absl::StripLeadingAsciiWhitespace(line);
  if (absl::StartsWith(line, "#") || absl::StartsWith(line, "echo ") ||
      absl::StartsWith(line, "printf ") || absl::StrContains(line, "dirname") ||
      absl::StrContains(line, "basename")) {
    return false;
  }
  const std::string rest =
      absl::StrReplaceAll(line, {{"${0%/*}", ""}, {"${0##*/}", ""}});
  return absl::StrContains(rest, "$0") || absl::StrContains(rest, "${0") ||
         absl::StrContains(rest, "BASH_SOURCE");
}

}  // namespace

std::string StandInText() {
  return absl::StrCat(kEmptyScript, kMade, "\n", RunShared(), "\n");
}

std::string SharedText(const std::string& program, const std::string& own_hooks,
                       const std::string& default_path) {
  // Every variable has a prefix: a hook must find the user's own unchanged. An
  // installer may have renamed the stand-in, to "pre-commit.orig" for example,
  // for its own hook to call it.
  std::string text = absl::StrCat(
      "# Made by `o8lock hooks install`; each hook in ", kOwnHooksName,
      " reads it.\no8lock_name=${0##*/} o8lock_name=${o8lock_name%%.*}\n"
      "case $o8lock_name in\n",
      kReferenceTransaction, ") case $1 in prepar*) ",
      CallFrom(own_hooks, program, kReferenceTransaction), " ;; esac ;;\n",
      kPostCheckout, ") ", CallFrom(own_hooks, program, kPostCheckout),
      " ;;\nesac\n");
  // The last value of core.hooksPath counts, except for directories of
  // stand-ins: under any name, or by their path before the repository moved
  // (IsOwnHooksPath).
  absl::StrAppend(
      &text, "o8lock_hooks=", Quoted(default_path),
      "\no8lock_values=$(unset GIT_CONFIG; exec git config --type=path "
      "--get-all core.hooksPath) &&\nwhile IFS= read -r o8lock_value; do\n"
      "  case $o8lock_value in /*/",
      kOwnHooksName,
      ") test -d \"$o8lock_value\" || continue ;; esac\n"
      "  test \"$o8lock_value\" -ef \"$o8lock_value/../hooks\" && "
      "test -e \"$o8lock_value/../",
      kHereFile,
      "\" || o8lock_hooks=$o8lock_value\ndone <<EOF\n$o8lock_values\nEOF\n");
  // Git takes an empty path for the root directory. A relative path starts in
  // git's current directory. Hooks run there too, except the post-checkout of a
  // new worktree.
  absl::StrAppend(
      &text, ": \"${o8lock_hooks:=/}\"\ncase $o8lock_name$o8lock_hooks in ",
      kPostCheckout, "/*) ;; ", kPostCheckout,
      "*) case $1 in *[!0]*) ;; *)\n"
      "  o8lock_top=$(readlink \"/proc/$PPID/cwd\") && "
      "o8lock_hooks=$o8lock_top/$o8lock_hooks ;; esac ;; esac\n");
  // The hook's helpers, or this whole directory, may be new since the run
  // began.
  absl::StrAppend(
      &text,
      "case $o8lock_hooks in /*) o8lock_top= ;; *) o8lock_top=$PWD/ ;; esac\n"
      "for o8lock_file in \"$o8lock_hooks\"/* "
      "\"$o8lock_hooks/push-to-checkout\"; do\n"
      "  case ${o8lock_file##*/} in *",
      kOld, "|*", kLegacy, "|", absl::StrJoin(kHookNames, "|"),
      ") continue ;; esac\n"
      "  o8lock_link=${0%/*}/${o8lock_file##*/}\n"
      "  if ! test -e \"$o8lock_file\"; then\n"
      "    ! test -h \"$o8lock_link\" || ! test -e \"$o8lock_link\" || "
      "rm -f \"$o8lock_link\"\n"
      "  elif test -h \"$o8lock_link\" || ! test -e \"$o8lock_link\"; then\n"
      "    test \"$o8lock_link\" -ef \"$o8lock_file\" || "
      "ln -sfn \"$o8lock_top$o8lock_file\" \"$o8lock_link\"\n"
      "  fi 2>/dev/null\n"
      "done\n");
  // Without a setting, uses git's own path of the directory. A link in that
  // directory may lead back to this one.
  absl::StrAppend(
      &text,
      "o8lock_path=${GIT_DIR:-.git}/hooks\n"
      "case $o8lock_hooks in ",
      Quoted(default_path),
      ") ! test \"$o8lock_path\" -ef \"$o8lock_hooks\" || "
      "o8lock_hooks=${o8lock_path#./} ;; esac\n"
      "o8lock_hook=$o8lock_hooks/$o8lock_name\n! test -x \"$o8lock_hook\" || "
      "test \"$o8lock_hook\" -ef \"$0\" || exec \"$o8lock_hook\" \"$@\"\n");
  return text;
}

bool IsStandIn(absl::string_view text) {
  return !text.empty() && WithoutStandIn(text).empty();
}

std::string WithoutStandIn(absl::string_view text) {
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  const auto made = absl::c_find(lines, kMade);
  if (made == lines.end()) return std::string(text);
  const auto run = std::find(made, lines.end(), RunShared());
  const auto old_end =
      std::find_if(made, lines.end(), [](absl::string_view line) {
        return absl::c_any_of(kOldEnds, [line](absl::string_view end) {
          return absl::EndsWith(line, end);
        });
      });
  if (run != lines.end()) {
    lines.erase(run);
    lines.erase(made);
  } else if (old_end != lines.end()) {
    lines.erase(made, old_end + 1);
  } else {
    return std::string(text);
  }
  std::string rest = absl::StrJoin(lines, "\n");
  return rest == kEmptyScript ? "" : rest;
}

bool CallsUs(const std::string& path) {
  return absl::StrContains(ReadFile(path).value_or(""),
                           absl::StrCat(kLineEnd, "\n"));
}

bool IsOnlyOurs(const std::string& path) {
  const std::string text = ReadFile(path).value_or("");
  return text != kEmptyScript && WithoutOurLine(text) == kEmptyScript;
}

std::string WithOurLine(std::string text, const std::string& program,
                        const std::string& directory, absl::string_view event) {
  text.insert(
      text.find('\n') + 1,
      absl::StrCat(CallFrom(directory, program, event), kLineEnd, "\n"));
  return text;
}

std::string WithoutOurLine(absl::string_view text) {
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [](absl::string_view line) {
                               return absl::EndsWith(line, kLineEnd);
                             }),
              lines.end());
  return absl::StrJoin(lines, "\n");
}

bool IsShellScript(absl::string_view text) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (ReadsItself(line)) return false;
  }
  const size_t end = text.find('\n');
  if (end == text.npos || !absl::ConsumePrefix(&text, "#!")) return false;
  const std::vector<absl::string_view> arguments =
      absl::StrSplit(text.substr(0, end - 2), ' ', absl::SkipEmpty());
  for (const absl::string_view argument : arguments) {
    const absl::string_view name = BaseName(argument);
    if (name != "env") {
      return name == "sh" || name == "bash" || name == "dash" ||
             name == "ksh" || name == "zsh";
    }
  }
  return false;
}

std::string FreeText(Mechanism mechanism, const std::string& program) {
  return absl::StrCat(SettingsHead("the lock is free"),
                      CommonSettings(mechanism, program));
}

std::string LockedText(Mechanism mechanism, const std::string& program,
                       const InstallFingerprint& fingerprint) {
  std::string text = absl::StrCat(
      SettingsHead("a run holds the lock"), kProgramLine, program, "\n",
      FingerprintText(fingerprint), CommonSettings(mechanism, program));
  if (!fingerprint.arms) return text;
  if (mechanism == Mechanism::kDirectory) {
    const std::string pattern = GitPatternOf(fingerprint.common_dir);
    return absl::StrCat(text, IncludeHere(pattern),
                        IncludeHere(pattern + "/worktrees/*"));
  }
  // Git calls the hook three times for each change; only "preparing" is early
  // enough. Git appends the arguments; ":" absorbs them.
  absl::StrAppend(
      &text,
      HookSetting("o8lock",
                  absl::StrCat("case $1 in preparing) ",
                               Call(Quoted(program), kReferenceTransaction),
                               ";; esac; :"),
                  kReferenceTransaction));
  return text;
}

std::string HereText(const std::string& own_hooks) {
  return absl::StrCat(
      SettingsHead("a run holds the lock, in the place where it was made"),
      "[core]\n\thooksPath = ", ConfigQuoted(own_hooks), "\n");
}

InstalledState ParseActiveConfig(absl::string_view text) {
  InstalledState installed;
  if (absl::StrContains(text, kDirectoryLines)) {
    installed.mechanism = Mechanism::kDirectory;
  }
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::ConsumePrefix(&line, kProgramLine)) {
      installed.program = std::string(line);
    } else if (absl::ConsumePrefix(&line, kFingerprintLine)) {
      const std::vector<std::string> fields = absl::StrSplit(line, '\t');
      if (fields.size() == 6) {
        installed.fingerprint = InstallFingerprint{fields[0] == "armed",
                                                   fields[2],
                                                   fields[3],
                                                   fields[4],
                                                   fields[1],
                                                   fields[5]};
      }
    }
  }
  return installed;
}

}  // namespace o8lock
