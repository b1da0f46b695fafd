// SPDX-License-Identifier: Apache-2.0
#include "hooks/installation.h"

#include <sys/stat.h>

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/files.h"
#include "hooks/git.h"
#include "hooks/git_settings.h"
#include "hooks/hook_directory.h"
#include "hooks/hook_managers.h"
#include "hooks/hook_scripts.h"
#include "hooks/hooks_state.h"
#include "hooks/layout.h"
#include "hooks/post_checkout.h"
#include "lock/arming.h"
#include "lock/file.h"
#include "lock/inspection.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// The time of the last change of `directory`, for comparison only.
std::string StampOf(const std::string& directory) {
  struct stat info;
  if (stat(directory.c_str(), &info) != 0) return "-";
  return absl::StrCat(info.st_mtim.tv_sec, ".", info.st_mtim.tv_nsec);
}

std::string StampOf(const Location& location, const std::string& directory) {
  return absl::StrCat(StampOf(directory), " ", StampOf(OwnHooks(location)));
}

Basis BasisOf(const Location& location, Mechanism mechanism,
              const HooksPath& path) {
  if (mechanism == Mechanism::kConfig) return {location.common_dir, "", "", ""};
  return {location.common_dir, location.hooks_path.value_or(""), path.directory,
          StampOf(location, path.directory)};
}

// Whether the files still fit `location`. A few system calls.
bool IsUpToDate(const Location& location, Mechanism mechanism,
                const Basis& basis) {
  return basis.common_dir == location.common_dir &&
         (mechanism == Mechanism::kConfig ||
          (basis.local_path == location.hooks_path.value_or("") &&
           basis.changed == StampOf(location, basis.directory)));
}

// Errors: from reading the file. Without hooks it does not exist.
absl::StatusOr<Remembered> ReadLockedFile(const Location& location) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string text,
                          ReadFile(LockedPath(location)));
  return ReadLockedText(text);
}

// Writes all files in <common dir>/o8lock except the link and the program.
absl::Status PutFiles(const Location& location, Mechanism mechanism,
                      const std::string& program, const HooksPath& path) {
  for (const std::string& text : {location.common_dir, program, path.value}) {
    if (text.find_first_of("\t\n") == text.npos) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "': hooks cannot have a path with a tab or a newline"));
  }
  O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(OwnDirectory(location)));
  const std::string hooks = OwnHooks(location);
  if (mechanism == Mechanism::kDirectory) {
    O8LOCK_RETURN_IF_ERROR(PutHooks(hooks, program, path));
  }
  O8LOCK_RETURN_IF_ERROR(
      PutFile(FreePath(location), FreeText(mechanism, program), 0644));
  return PutFile(
      LockedPath(location),
      LockedText(mechanism, program, hooks, BasisOf(location, mechanism, path)),
      0644);
}

// A program that stays: a copy if `program` is in a build tree.
absl::StatusOr<std::string> Settle(const Location& location,
                                   const std::string& program) {
  const std::string copy = OwnCopy(location.common_dir);
  if (!absl::StrContains(program, "/bazel-out/") || program == copy) {
    return program;
  }
  O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(OwnDirectory(location)));
  O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(OwnBin(location.common_dir)));
  O8LOCK_ASSIGN_OR_RETURN(
      const std::string content,
      ReadFile(program, std::numeric_limits<size_t>::max()));
  O8LOCK_RETURN_IF_ERROR(PutFile(copy, content, 0755));
  return copy;
}

std::string AskVersion(const std::string& program) {
  const absl::StatusOr<ProgramResult> result =
      RunProgram({program, "--version"});
  if (!result.ok() || result->exit_code != 0) return "";
  // "o8lock 0.1.0", or "o8lock 0.1.0 (1bfdd47)".
  const absl::string_view version = absl::StripPrefix(result->out, "o8lock ");
  return std::string(version.substr(0, version.find_first_of(" \n")));
}

absl::Status CheckRepository(const Location& location) {
  if (!location.armed.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this is no git repository, which is what the hooks are for");
}

}  // namespace

bool Guards(const HooksState& state) {
  return state.installed && !state.program_version.empty() &&
         state.bypasses.empty();
}

absl::StatusOr<HooksState> LookAtHooks(const Location& location,
                                       const std::string& directory) {
  O8LOCK_RETURN_IF_ERROR(CheckRepository(location));
  HooksState state;
  O8LOCK_ASSIGN_OR_RETURN(const GitVersion version, AskGitVersion(directory));
  state.git_version = version.text;
  O8LOCK_ASSIGN_OR_RETURN(const std::vector<Setting> settings,
                          ReadSettings(directory));
  const std::optional<Mechanism> mechanism = InstalledMechanism(settings);
  if (!mechanism.has_value()) return state;
  state.mechanism = *mechanism;
  const absl::StatusOr<Remembered> remembered = ReadLockedFile(location);
  state.installed = remembered.ok();
  if (!state.installed) return state;
  state.program = remembered->program;
  state.program_version = AskVersion(state.program);
  state.armed = IsArmed(location);
  state.bypasses = FindBypasses(settings, state.mechanism, version);
  if (state.mechanism == Mechanism::kConfig) {
    state.second_line = SecondLine::kConfig;
    return state;
  }
  const HooksPath path = FindHooksPath(location, settings);
  state.hooks_directory = path.directory;
  state.manager = ManagerOf(location, path);
  state.second_line = FindSecondLine(location, path, state.manager);
  return state;
}

absl::StatusOr<HooksState> InstallHooks(const Location& location,
                                        const std::string& directory,
                                        const std::string& program) {
  O8LOCK_RETURN_IF_ERROR(CheckRepository(location));
  O8LOCK_ASSIGN_OR_RETURN(const GitVersion version, AskGitVersion(directory));
  O8LOCK_RETURN_IF_ERROR(CheckVersion(version));
  const Mechanism mechanism = MechanismOf(version);
  O8LOCK_ASSIGN_OR_RETURN(const std::vector<Setting> settings,
                          ReadSettings(directory));
  const HooksPath path = FindHooksPath(location, settings);
  O8LOCK_ASSIGN_OR_RETURN(const std::string settled, Settle(location, program));
  if (mechanism == Mechanism::kDirectory) {
    O8LOCK_RETURN_IF_ERROR(PutSecondLine(location, path, settled));
  } else {
    // From an installation for an older git.
    O8LOCK_RETURN_IF_ERROR(RemoveSecondLine(location, path));
  }
  O8LOCK_RETURN_IF_ERROR(PutFiles(location, mechanism, settled, path));
  if (!FileExists(location.armed)) {
    O8LOCK_RETURN_IF_ERROR(PutLink(location.armed, std::string(kFreeFile)));
  }
  O8LOCK_RETURN_IF_ERROR(AddInclude(location, directory, settings));
  O8LOCK_ASSIGN_OR_RETURN(const Inspection found, Inspect(location, {}));
  O8LOCK_RETURN_IF_ERROR(
      UpdateArming(location, found.verdict > Verdict::kStale));
  return LookAtHooks(location, directory);
}

absl::Status UninstallHooks(const Location& location,
                            const std::string& directory) {
  O8LOCK_RETURN_IF_ERROR(CheckRepository(location));
  O8LOCK_ASSIGN_OR_RETURN(const std::vector<Setting> settings,
                          ReadSettings(directory));
  const HooksPath path = FindHooksPath(location, settings);
  // First git forgets them: files that it does not read can go.
  O8LOCK_RETURN_IF_ERROR(RemoveInclude(location, directory));
  O8LOCK_RETURN_IF_ERROR(RemoveSecondLine(location, path));
  O8LOCK_RETURN_IF_ERROR(RemoveArming(location));
  O8LOCK_RETURN_IF_ERROR(RemoveIfThere(FreePath(location)));
  O8LOCK_RETURN_IF_ERROR(RemoveIfThere(LockedPath(location)));
  O8LOCK_RETURN_IF_ERROR(MoveForeignHooks(OwnHooks(location), path.directory));
  O8LOCK_RETURN_IF_ERROR(RemoveDirectory(OwnHooks(location)));
  return RemoveDirectory(OwnBin(location.common_dir));
}

absl::Status RefreshHooks(const Location& location) {
  if (location.armed.empty()) return absl::OkStatus();
  const absl::StatusOr<Remembered> remembered = ReadLockedFile(location);
  // Without this file no hooks are installed.
  if (!remembered.ok() || !remembered->basis.has_value()) {
    return absl::OkStatus();
  }
  const Basis& basis = *remembered->basis;
  const Mechanism mechanism =
      basis.directory.empty() ? Mechanism::kConfig : Mechanism::kDirectory;
  if (IsUpToDate(location, mechanism, basis)) return absl::OkStatus();
  std::string program = remembered->program;
  if (program == OwnCopy(basis.common_dir)) {
    program = OwnCopy(location.common_dir);
  }
  HooksPath path;
  if (mechanism == Mechanism::kDirectory) {
    // Only git knows all settings. Without git the hooks have no use.
    const absl::StatusOr<std::vector<Setting>> settings =
        ReadSettings(location.Home());
    if (!settings.ok()) return absl::OkStatus();
    path = FindHooksPath(location, *settings);
    // The program may have moved with the repository.
    if (HasSecondLine(path)) {
      O8LOCK_RETURN_IF_ERROR(PutSecondLine(location, path, program));
    }
  }
  return PutFiles(location, mechanism, program, path);
}

}  // namespace o8lock
