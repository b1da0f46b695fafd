// SPDX-License-Identifier: Apache-2.0
#include "hooks/git_settings.h"

#include <fcntl.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "hooks/git.h"
#include "hooks/hooks_state.h"
#include "hooks/layout.h"
#include "lock/access.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// The setting that includes kInclude, and the one used by o8lock 0.1.0. The
// pattern matches the path of every git directory.
constexpr absl::string_view kIncludeKey = "includeif.gitdir:/**.path";
constexpr absl::string_view kOldIncludeKey = "include.path";

// The value `path` of core.hooksPath, expanded as git expands it.
std::string ExpandPath(const Location& location, const std::string& path) {
  // An absolute path has no prefix like "~ann/" or "%(prefix)/".
  if (absl::StartsWith(path, "/")) return path;
  // Git appends the hook's name to it.
  if (path.empty()) return "/";
  return AskGit(location, {"-c", absl::StrCat("o8lock.path=", path), "config",
                           "--type=path", "--get", "o8lock.path"})
      .value_or(path);
}

// Git replaces a configuration file: run by root, with one of root's.
absl::Status InheritOwner(const std::string& file) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string path, Canonical(file));
  O8LOCK_ASSIGN_OR_RETURN(const Fd fd, OpenRegular(path, O_RDONLY));
  return InheritAccess(fd, path, /*mode=*/0);
}

// Runs `git config ARGS...` for `file`. Waits for other processes changing it.
absl::Status ConfigureFile(const Location& location, const std::string& file,
                           std::vector<std::string> args, int also_good = 0) {
  constexpr int kCannotLock = 255;
  constexpr absl::Duration kMostWait = absl::Seconds(2);
  args.insert(args.begin(), {"config", "--file", file});
  const absl::Time end = absl::Now() + kMostWait;
  for (;;) {
    O8LOCK_ASSIGN_OR_RETURN(const ProgramResult result, RunGit(location, args));
    if (result.exit_code == 0) return InheritOwner(file);
    if (result.exit_code == also_good) return absl::OkStatus();
    if (result.exit_code != kCannotLock || absl::Now() > end) {
      return absl::InternalError(
          absl::StrCat("git config: ", absl::StripSuffix(result.err, "\n")));
    }
    absl::SleepFor(absl::Milliseconds(20));
  }
}

// The same for the repository's configuration file.
absl::Status Configure(const Location& location, std::vector<std::string> args,
                       int also_good = 0) {
  return ConfigureFile(location, location.common_dir + "/config",
                       std::move(args), also_good);
}

const std::vector<std::string>& kList = *new std::vector<std::string>{
    "config", "--list", "--show-scope", "--show-origin", "-z"};

std::vector<Setting> SettingsIn(absl::string_view text) {
  const std::vector<absl::string_view> fields = absl::StrSplit(text, '\0');
  std::vector<Setting> settings;
  for (size_t i = 0; i + 2 < fields.size(); i += 3) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(fields[i + 2], absl::MaxSplits('\n', 1));
    // A key without "=" counts as true.
    const bool has_value = absl::StrContains(fields[i + 2], '\n');
    settings.push_back({std::string(fields[i]), std::string(fields[i + 1]),
                        std::string(pair.first),
                        has_value ? std::string(pair.second) : "true"});
  }
  return settings;
}

// Removes the section of kIncludeKey if it is empty. Git keeps it if a comment
// precedes it.
absl::Status RemoveEmptySection(const Location& location) {
  constexpr absl::string_view kHead = "[includeif \"gitdir:/**\"]\n";
  const std::string file =
      Canonical(location.common_dir + "/config").value_or("");
  const std::string text = ReadFile(file).value_or("");
  const size_t head = text.find(kHead.data());
  if (head == text.npos) return absl::OkStatus();
  const absl::string_view rest =
      absl::string_view(text).substr(head + kHead.size());
  if (!rest.empty() && rest[0] != '[') return absl::OkStatus();
  return Configure(location, {"--remove-section", "includeif.gitdir:/**"});
}

// Whether kInclude is included, and wins over core.hooksPath.
bool IsIncluded(const std::vector<Setting>& settings) {
  bool included = false;
  for (const Setting& setting : settings) {
    if (setting.key == kIncludeKey && setting.value == kInclude) {
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
        absl::StrCat("git reports an invalid version: '", line, "'"));
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
  O8LOCK_ASSIGN_OR_RETURN(const std::string text, AskGit(directory, kList));
  return SettingsIn(text);
}

absl::StatusOr<std::vector<Setting>> ReadSettings(const Location& location) {
  return ReadSettings(location, location.common_dir);
}

absl::StatusOr<std::vector<Setting>> ReadSettings(const Location& location,
                                                  const std::string& git_dir) {
  std::vector<std::string> args = {"--git-dir", git_dir};
  args.insert(args.end(), kList.begin(), kList.end());
  O8LOCK_ASSIGN_OR_RETURN(const std::string text,
                          AskGit(location.Home(), args));
  return SettingsIn(text);
}

bool IsOurs(const Setting& setting) {
  const absl::string_view file = absl::StripPrefix(setting.origin, "file:");
  for (const absl::string_view name :
       {kInclude, absl::string_view("o8lock/here.inc")}) {
    if (file == name || absl::EndsWith(file, absl::StrCat("/", name))) {
      return true;
    }
  }
  return false;
}

bool IsOwnHooksPath(const Location& location, const std::string& value) {
  const std::string path =
      JoinPath(location.Home(), ExpandPath(location, value));
  const std::string end = absl::StrCat("/", kOwnHooksName);
  const absl::StatusOr<std::string> real = Canonical(path);
  if (real.ok()) {
    return absl::EndsWith(*real, end) &&
           access(absl::StrCat(*real, "/../", kHereFile).c_str(), F_OK) == 0;
  }
  // The repository may have moved. o8lock's own value is absolute, so a
  // relative one is the user's.
  return absl::EndsWith(value, end) && absl::StartsWith(value, "/");
}

std::vector<std::string> GitDirectories(const Location& location) {
  std::vector<std::string> directories = {location.common_dir};
  const std::string worktrees = location.common_dir + "/worktrees";
  for (const std::string& name : NamesIn(worktrees)) {
    directories.push_back(absl::StrCat(worktrees, "/", name));
  }
  return directories;
}

std::string WorktreeConfig(const std::string& directory) {
  return directory + "/config.worktree";
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

std::vector<std::string> WorktreeConfigs(const Location& location) {
  std::vector<std::string> files;
  for (const std::string& directory : GitDirectories(location)) {
    std::string file = WorktreeConfig(directory);
    if (access(file.c_str(), F_OK) == 0) files.push_back(std::move(file));
  }
  return files;
}

bool UsesOwnHooks(const std::vector<Setting>& settings) {
  return absl::c_any_of(settings, [](const Setting& setting) {
    return IsOurs(setting) && setting.key == "core.hookspath";
  });
}

HooksPath FindHooksPath(const Location& location,
                        const std::vector<Setting>& settings) {
  HooksPath path{DefaultHooks(location), ""};
  for (const Setting& setting : settings) {
    // A setting that overrides o8lock's while the lock is taken is a bypass.
    // o8lock's own path may appear here if a program has saved and restored it
    // during a run.
    if (setting.key == "core.hookspath" && !IsOurs(setting) &&
        setting.scope != "worktree" && setting.scope != "command" &&
        !IsOwnHooksPath(location, setting.value)) {
      path.value = setting.value;
    }
  }
  path.value = ExpandPath(location, path.value);
  path.directory = JoinPath(location.Home(), path.value);
  return path;
}

absl::Status AddInclude(const Location& location,
                        const std::vector<Setting>& settings) {
  if (IsIncluded(settings)) return absl::OkStatus();
  O8LOCK_RETURN_IF_ERROR(RemoveInclude(location, settings));
  return Configure(location,
                   {"--add", std::string(kIncludeKey), std::string(kInclude)});
}

absl::Status RemoveInclude(const Location& location,
                           const std::vector<Setting>& settings) {
  constexpr int kNothingToUnset = 5;
  for (const absl::string_view key : {kIncludeKey, kOldIncludeKey}) {
    if (!absl::c_any_of(settings, [key](const Setting& setting) {
          return setting.key == key && setting.value == kInclude;
        })) {
      continue;
    }
    O8LOCK_RETURN_IF_ERROR(Configure(
        location, {"--unset-all", std::string(key), "^o8lock/armed\\.inc$"},
        kNothingToUnset));
  }
  return RemoveEmptySection(location);
}

absl::Status RemoveOwnHooksPath(const Location& location,
                                const std::string& before) {
  constexpr int kNothingToUnset = 5;
  constexpr char kKey[] = "core.hooksPath";
  std::vector<std::string> files = WorktreeConfigs(location);
  files.insert(files.begin(), location.common_dir + "/config");
  for (const std::string& file : files) {
    O8LOCK_ASSIGN_OR_RETURN(
        const ProgramResult result,
        RunGit(location, {"config", "--file", file, "-z", "--get-all", kKey}));
    const std::vector<std::string> values =
        absl::StrSplit(result.out, '\0', absl::SkipEmpty());
    for (const std::string& value : values) {
      if (!IsOwnHooksPath(location, value)) continue;
      const bool restores = file == files[0] && !before.empty();
      O8LOCK_RETURN_IF_ERROR(ConfigureFile(
          location, file,
          restores ? std::vector<std::string>{"--fixed-value", "--replace-all",
                                              kKey, before, value}
                   : std::vector<std::string>{"--fixed-value", "--unset-all",
                                              kKey, value},
          kNothingToUnset));
    }
  }
  return absl::OkStatus();
}

}  // namespace o8lock
