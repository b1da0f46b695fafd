// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/hooks_text.h"

#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "hooks/hook_call.h"
#include "hooks/hook_managers.h"
#include "hooks/installation.h"
#include "lock/json.h"
#include "tools/cli/caller.h"
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

// Returns where and how to call o8lock, under the name `program`, if
// post-checkout belongs to another owner. The line works without o8lock,
// because users without it share the files.
std::string OwnerHint(const HooksState& state, const std::string& program) {
  const std::string quoted = ShellQuoted({program});
  const std::string line =
      absl::StrCat("! command -v ", quoted, " >/dev/null || ", quoted,
                   " hooks run post-checkout ");
  const HookManager* manager = FindManager(state.manager);
  if (manager == nullptr) {
    return absl::StrCat(Printable(state.hooks_directory),
                        "/post-checkout:\n    ", line, "\"$@\"");
  }
  return absl::StrCat(
      manager->where, ":\n    ", manager->before,
      Quoted(absl::StrCat(line, manager->arguments), manager->quoting),
      manager->after);
}

std::string PostCheckoutText(const HooksState& state,
                             const std::string& program) {
  std::string hook =
      absl::StrCat(Printable(state.hooks_directory), "/post-checkout");
  switch (state.post_checkout) {
    case PostCheckoutHook::kConfig:
      return "called by a setting";
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
  return absl::StrCat(
      "missing, because o8lock does not change ", Printable(state.manager),
      "; to cover runs without o8lock, add to ", OwnerHint(state, program));
}

std::vector<Row> HooksRows(const HooksState& state,
                           const std::string& program) {
  return {
      {"Git", Printable(state.git_version)},
      {"reference-transaction",
       state.mechanism == Mechanism::kConfig
           ? "called only during a run, by a setting"
           : "called only during a run, by a hooks directory"},
      {"post-checkout", PostCheckoutText(state, program)},
      {"Program",
       absl::StrCat(Printable(state.program),
                    state.program_version.empty()
                        ? ": cannot be started, so the hooks refuse nothing"
                        : absl::StrCat(" (", state.program_version, ")"))},
      {"Limit",
       "git worktree add --no-checkout is not refused during a run without "
       "o8lock"},
  };
}

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

std::string HookHint() {
  return absl::StrCat("to add this worktree anyway: ", kAllowVariable,
                      "=1 git worktree add ...");
}

std::string HooksInstalledText(const HooksState& state,
                               const std::string& program) {
  std::string text;
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
    return absl::StrCat("not installed\nGit: ", Printable(state.git_version),
                        "\n");
  }
  std::vector<Row> rows = HooksRows(state, program);
  rows.emplace_back(
      "Armed", state.armed ? "yes" : "no, hooks are armed only during a run");
  for (const Bypass& bypass : state.bypasses) {
    rows.emplace_back("Bypassed by", Printable(bypass.text));
  }
  for (const std::string& path : state.put_aside) {
    rows.emplace_back("Not called by git", Printable(path));
  }
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
