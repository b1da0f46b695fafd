// SPDX-License-Identifier: Apache-2.0
#include "hooks/git_settings.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/git.h"
#include "hooks/hooks_state.h"
#include "hooks/layout.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// Whether it comes from a file of o8lock's.
bool IsOurs(const Setting& setting) {
  return absl::EndsWith(setting.origin, absl::StrCat("/", kInclude)) ||
         setting.origin == absl::StrCat("file:", kInclude);
}

bool IsFalse(absl::string_view value) {
  const std::string word = absl::AsciiStrToLower(value);
  return word == "false" || word == "no" || word == "off" || word == "0";
}

// `path`, which begins with "~/", as git has it.
std::string ExpandHome(const Location& location, const std::string& path) {
  return AskGit(location.Home(),
                {"-c", absl::StrCat("o8lock.path=", path), "config",
                 "--type=path", "--get", "o8lock.path"})
      .value_or(path);
}

// Whether kInclude is included, and wins over core.hooksPath.
bool IsIncluded(const std::vector<Setting>& settings) {
  bool included = false;
  for (const Setting& setting : settings) {
    if (setting.key == "include.path" && setting.value == kInclude) {
      included = true;
    } else if (setting.key == "core.hookspath" && setting.scope == "local" &&
               !IsOurs(setting)) {
      included = false;  // in effect: the later setting wins
    }
  }
  return included;
}

}  // namespace

absl::StatusOr<GitVersion> AskGitVersion(const std::string& directory) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string line,
                          AskGit(directory, {"version"}));
  absl::string_view text = line;
  absl::ConsumePrefix(&text, "git version ");
  GitVersion version{std::string(text), {0, 0}};
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  if (parts.size() < 2 || !absl::SimpleAtoi(parts[0], &version.number.first) ||
      !absl::SimpleAtoi(parts[1], &version.number.second)) {
    return absl::InternalError(
        absl::StrCat("git names a version that is none: '", line, "'"));
  }
  return version;
}

absl::Status CheckVersion(const GitVersion& version) {
  if (version.number >= std::make_pair(2, 29)) return absl::OkStatus();
  return absl::UnimplementedError(
      absl::StrCat("git ", version.text,
                   version.number < std::make_pair(2, 28)
                       ? " has no hook that can refuse a worktree"
                       : "'s hook reference-transaction makes other commands "
                         "fail"));
}

Mechanism MechanismOf(const GitVersion& version) {
  return version.number >= std::make_pair(2, 54) ? Mechanism::kConfig
                                                 : Mechanism::kDirectory;
}

absl::StatusOr<std::vector<Setting>> ReadSettings(
    const std::string& directory) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string text,
                          AskGit(directory, {"config", "--list", "--show-scope",
                                             "--show-origin", "-z"}));
  const std::vector<absl::string_view> fields = absl::StrSplit(text, '\0');
  std::vector<Setting> settings;
  for (size_t i = 0; i + 2 < fields.size(); i += 3) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(fields[i + 2], absl::MaxSplits('\n', 1));
    settings.push_back({std::string(fields[i]), std::string(fields[i + 1]),
                        std::string(pair.first), std::string(pair.second)});
  }
  return settings;
}

std::optional<Mechanism> InstalledMechanism(
    const std::vector<Setting>& settings) {
  std::optional<Mechanism> mechanism;
  for (const Setting& setting : settings) {
    if (!IsOurs(setting) || setting.key != "o8lock.hooks") continue;
    mechanism =
        setting.value == "config" ? Mechanism::kConfig : Mechanism::kDirectory;
  }
  return mechanism;
}

std::vector<std::string> FindBypasses(const std::vector<Setting>& settings,
                                      Mechanism mechanism,
                                      const GitVersion& version) {
  std::vector<std::string> bypasses;
  if (mechanism == Mechanism::kConfig &&
      MechanismOf(version) == Mechanism::kDirectory) {
    bypasses.push_back(
        absl::StrCat("git ", version.text,
                     " does not know hooks that are settings; they were "
                     "installed with a newer one"));
  }
  bool ours = false;
  for (const Setting& setting : settings) {
    if (IsOurs(setting)) {
      ours = true;
    } else if ((ours && mechanism == Mechanism::kDirectory &&
                setting.key == "core.hookspath") ||
               (mechanism == Mechanism::kConfig &&
                setting.key == "hook.o8lock.enabled" &&
                IsFalse(setting.value))) {
      bypasses.push_back(absl::StrCat(setting.key, " = ", setting.value, " (",
                                      setting.scope, ", ", setting.origin,
                                      ")"));
    }
  }
  return bypasses;
}

HooksPath FindHooksPath(const Location& location,
                        const std::vector<Setting>& settings) {
  HooksPath path{location.common_dir + "/hooks", ""};
  for (const Setting& setting : settings) {
    // A setting that wins over ours while the lock is taken is a bypass. Our
    // own path may stand here if a program has saved and restored it during a
    // run.
    if (setting.key == "core.hookspath" && !IsOurs(setting) &&
        setting.value != OwnHooks(location) && setting.scope != "worktree" &&
        setting.scope != "command") {
      path.value = setting.value;
    }
  }
  if (absl::StartsWith(path.value, "~/")) {
    path.value = ExpandHome(location, path.value);
  }
  path.directory = JoinPath(location.Home(), path.value);
  return path;
}

absl::Status AddInclude(const Location& location, const std::string& directory,
                        const std::vector<Setting>& settings) {
  if (IsIncluded(settings)) return absl::OkStatus();
  O8LOCK_RETURN_IF_ERROR(RemoveInclude(location, directory));
  return AskGit(directory, {"config", "--file", location.common_dir + "/config",
                            "--add", "include.path", std::string(kInclude)})
      .status();
}

absl::Status RemoveInclude(const Location& location,
                           const std::string& directory) {
  O8LOCK_ASSIGN_OR_RETURN(
      const ProgramResult unset,
      RunGit(directory,
             {"config", "--file", location.common_dir + "/config",
              "--unset-all", "include.path", "^o8lock/armed\\.inc$"}));
  constexpr int kNothingToUnset = 5;
  if (unset.exit_code != 0 && unset.exit_code != kNothingToUnset) {
    return absl::InternalError(
        absl::StrCat("git config --unset-all include.path: ",
                     absl::StripSuffix(unset.err, "\n")));
  }
  return absl::OkStatus();
}

}  // namespace o8lock
