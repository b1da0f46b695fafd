// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/hooks_text.h"

#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "hooks/hook_call.h"
#include "hooks/hook_managers.h"
#include "hooks/installation.h"
#include "lock/json.h"
#include "tools/cli/caller.h"
#include "tools/cli/error_text.h"
#include "tools/cli/text.h"
#include "tools/cli/text_parts.h"

namespace o8lock {
namespace {

// Returns `command`, of sh, as a manager's file needs it.
std::string Quoted(const std::string& command, Quoting quoting) {
  switch (quoting) {
    case Quoting::kNone:
      break;
    case Quoting::kShellWord:
      return ShellQuoted({"sh", "-c", command});
    case Quoting::kJsonString:
      return absl::StrReplaceAll(command, {{"\\", "\\\\"}, {"\"", "\\\""}});
  }
  return command;
}

std::string PostCheckoutPath(const HooksState& state) {
  return absl::StrCat(state.hooks_directory, "/post-checkout");
}

// Returns why o8lock does not write post-checkout, and where and how to call
// `program` instead. The lines of sh work without o8lock, because users without
// it share the files.
std::string MissingText(const HooksState& state, const std::string& program) {
  const std::string quoted = ShellQuoted({program});
  const std::string hook = Printable(PostCheckoutPath(state));
  const std::string call = absl::StrCat(quoted, " hooks run post-checkout ");
  if (state.manager == PostCheckoutPath(state)) {
    return absl::StrCat(
        "missing, because ", hook,
        " is not a plain executable shell script; to cover runs without "
        "o8lock, make it run this with its three arguments, and exit with the "
        "same code:\n    ",
        call, "OLD NEW FLAG");
  }
  const std::string missing = absl::StrCat(
      "missing, because o8lock does not change ", Printable(state.manager),
      "; to cover runs without o8lock, ");
  const std::string line =
      absl::StrCat("! command -v ", quoted, " >/dev/null || ", call);
  const HookManager* manager = FindManager(state.manager);
  if (manager == nullptr) {
    return absl::StrCat(missing, "add as the last line of ", hook,
                        " (create it as an executable sh script if it is "
                        "missing):\n    ",
                        line, "\"$@\"");
  }
  return absl::StrCat(
      missing, "add ", manager->where, ":\n    ", manager->before,
      Quoted(absl::StrCat(line, manager->arguments), manager->quoting),
      manager->after);
}

std::string PostCheckoutText(const HooksState& state,
                             const std::string& program) {
  std::string hook = Printable(PostCheckoutPath(state));
  switch (state.post_checkout) {
    case PostCheckoutHook::kConfig:
      return "git calls it through a hook setting";
    case PostCheckoutHook::kAlone:
      return hook;
    case PostCheckoutHook::kChained:
      return absl::StrCat(hook, ", before your own hook's commands");
    case PostCheckoutHook::kByOwner:
      return absl::StrCat("called by ", Printable(state.manager));
    case PostCheckoutHook::kMissing:
      break;
  }
  if (state.manager.empty()) {
    return absl::StrCat("missing; run: ", OwnCommand("hooks install"));
  }
  return MissingText(state, program);
}

std::vector<Row> HooksRows(const HooksState& state,
                           const std::string& program) {
  return {
      {"Git", Printable(state.git_version)},
      {"reference-transaction",
       state.mechanism == Mechanism::kConfig
           ? "git calls it only during a run, through hook settings"
           : "git calls it only during a run, through core.hooksPath"},
      {"post-checkout", PostCheckoutText(state, program)},
      {"Program",
       absl::StrCat(
           Printable(state.program),
           state.program_version.empty()
               ? ": cannot be started, so the hooks refuse nothing"
               : absl::StrCat(" (", Printable(state.program_version), ")"))},
      {"Limit",
       "git worktree add --no-checkout is not refused during a run without "
       "o8lock"},
  };
}

Row RemedyRow() { return {"Remedy", OwnCommand("doctor")}; }

absl::string_view HeadOf(const HooksState& state) {
  if (HooksAreEffective(state)) return "installed\n";
  const bool elsewhere =
      !state.program_version.empty() &&
      absl::c_all_of(state.bypasses, [](const Bypass& bypass) {
        return bypass.kind == Bypass::kSettingOfOneWorktree;
      });
  return elsewhere ? "installed, but not effective in every worktree\n"
                   : "installed, but not effective\n";
}

}  // namespace

std::string UndecidedText(absl::string_view hook, absl::string_view problem,
                          const std::string& program, bool person) {
  const std::string doctor =
      absl::StrCat("see: ", ShellQuoted({program, "doctor"}));
  if (hook == kPostCheckout) {
    // git has already added it.
    return ErrorText(
        absl::StrCat("git added the worktree, but the state of the lock is "
                     "unknown: ",
                     problem),
        doctor);
  }
  return ErrorText(
      absl::StrCat("git worktree add refused, because the state of the lock "
                   "is unknown: ",
                   problem),
      person ? absl::StrCat(doctor, "; to allow it anyway, put ",
                            kAllowVariable, "=1 before the command")
             : doctor);
}

std::string HooksWarning(const absl::Status& error) {
  return absl::StrCat(
      "o8lock: warning: git hooks need attention: ", Printable(error.message()),
      "\n", HintText(absl::StrCat("see: ", OwnCommand("doctor"))));
}

std::string HooksInstalledText(const HooksState& state,
                               const std::string& program) {
  std::string text = absl::StrCat("o8lock: hooks ", HeadOf(state));
  for (const Row& row : HooksRows(state, program)) {
    absl::StrAppend(&text, "o8lock: hooks: ", row.first, ": ", row.second,
                    "\n");
  }
  for (const Bypass& bypass : state.bypasses) {
    absl::StrAppend(
        &text,
        "o8lock: hooks: not effective in one worktree, because of its setting ",
        Printable(bypass.text), "\n");
  }
  for (const std::string& path : state.put_aside) {
    absl::StrAppend(
        &text, "o8lock: hooks: not called by git: ", Printable(path), "\n");
  }
  return text;
}

std::string HooksStatusText(const HooksState& state,
                            const std::string& program) {
  if (!state.installed) {
    const bool possible = state.bypasses.empty();
    return absl::StrCat(
        "not installed",
        possible ? "; to install the hooks: " + OwnCommand("hooks install")
                 : "",
        "\nGit: ", Printable(state.git_version), "\n",
        possible ? "" : Lines({RemedyRow()}));
  }
  std::vector<Row> rows = HooksRows(state, program);
  rows.emplace_back(
      "Armed", state.armed ? "yes" : "no; hooks are armed only during a run");
  for (const Bypass& bypass : state.bypasses) {
    rows.emplace_back("Bypassed by", Printable(bypass.text));
  }
  for (const std::string& path : state.put_aside) {
    rows.emplace_back("Not called by git", Printable(path));
  }
  if (!HooksAreEffective(state)) rows.push_back(RemedyRow());
  return absl::StrCat(HeadOf(state), Lines(rows));
}

std::string HooksStatusJson(const HooksState& state) {
  constexpr const char* kPostCheckoutHooks[] = {"setting", "alone", "chained",
                                                "byOwner", "missing"};
  const bool is_config = state.mechanism == Mechanism::kConfig;
  std::vector<std::string> bypasses;
  bypasses.reserve(state.bypasses.size());
  for (const Bypass& bypass : state.bypasses) bypasses.push_back(bypass.text);
  return JsonValue(
             JsonMembers{
                 {"installed", state.installed},
                 {"guards", HooksAreEffective(state)},
                 {"armed", state.armed},
                 {"git", state.git_version},
                 {"mechanism", is_config ? "setting" : "directory"},
                 {"program", state.program},
                 {"programVersion", state.program_version},
                 {"postCheckout",
                  kPostCheckoutHooks[static_cast<int>(state.post_checkout)]},
                 {"hooksDirectory", state.hooks_directory},
                 {"manager", state.manager},
                 {"bypassedBy", bypasses},
                 {"putAside", state.put_aside}})
      .Text();
}

}  // namespace o8lock
