// SPDX-License-Identifier: Apache-2.0
#include "hooks/installation.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "hooks/bypasses.h"
#include "hooks/files.h"
#include "hooks/git.h"
#include "hooks/git_settings.h"
#include "hooks/hook_directory.h"
#include "hooks/hook_managers.h"
#include "hooks/hook_scripts.h"
#include "hooks/hooks_state.h"
#include "hooks/layout.h"
#include "hooks/post_checkout.h"
#include "hooks/program.h"
#include "lock/arming.h"
#include "lock/file.h"
#include "lock/git_config.h"
#include "lock/git_directory.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// Reads the repository's own configuration file.
GitConfig ReadLocalConfig(const Location& location) {
  const std::string file = location.common_dir + "/config";
  GitConfig config;
  config.Read(ReadGitFile(file).value_or(""), file).IgnoreError();
  return config;
}

std::string StampsOf(const Location& location, const GitConfig& config,
                     const std::string& directory) {
  std::string stamps =
      absl::StrCat(StampOf(directory), " ", ChangesIn(OwnHooks(location)), " ",
                   StampOf(StandInPath(location)));
  if (!config.worktree_config) return stamps;
  // A program may save the path of o8lock's directory there.
  for (const std::string& file : WorktreeConfigs(location)) {
    absl::StrAppend(&stamps, " ", StampOf(file));
  }
  return stamps;
}

InstallFingerprint FingerprintOf(const Location& location, Mechanism mechanism,
                                 const std::string& program,
                                 const HooksPath& path, bool arms) {
  if (mechanism == Mechanism::kConfig) {
    return {arms, location.common_dir, "", "", "", StampOf(program)};
  }
  const GitConfig config = ReadLocalConfig(location);
  return {arms,
          location.common_dir,
          config.hooks_path.value_or(""),
          path.directory,
          StampsOf(location, config, path.directory),
          StampOf(program)};
}

// Whether the files still match `location`.
bool IsUpToDate(const Location& location, Mechanism mechanism,
                const InstallFingerprint& fingerprint) {
  if (fingerprint.common_dir != location.common_dir) return false;
  if (mechanism == Mechanism::kConfig) return true;
  const GitConfig config = ReadLocalConfig(location);
  return fingerprint.local_path == config.hooks_path.value_or("") &&
         fingerprint.changed ==
             StampsOf(location, config, fingerprint.directory);
}

// Errors: from reading the file. Without an installation it does not exist.
absl::StatusOr<InstalledState> ReadActiveConfig(const Location& location) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string text,
                          ReadFile(LockedPath(location)));
  return ParseActiveConfig(text);
}

// The record in locked.inc and git's configuration cannot store these paths.
absl::Status CheckPaths(const Location& location, const std::string& program,
                        const HooksPath& path) {
  for (const std::string& text : {location.common_dir, program, path.value}) {
    if (text.find_first_of("\t\n") == text.npos) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "': hooks cannot have a path with a tab or a newline"));
  }
  return absl::OkStatus();
}

// Writes all files in <common dir>/o8lock except the link and the program.
absl::Status PutFiles(const Location& location, Mechanism mechanism,
                      const std::string& program, const HooksPath& path,
                      bool arms) {
  O8LOCK_RETURN_IF_ERROR(CheckPaths(location, program, path));
  O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(OwnDirectory(location)));
  if (mechanism == Mechanism::kDirectory) {
    const std::string hooks = OwnHooks(location);
    O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(hooks));
    O8LOCK_RETURN_IF_ERROR(
        PutFile(StandInPath(location),
                SharedText(program, hooks, DefaultHooks(location)), 0644));
    O8LOCK_RETURN_IF_ERROR(PutHooks(hooks, path));
    O8LOCK_RETURN_IF_ERROR(PutFile(HerePath(location), HereText(hooks), 0644));
  }
  O8LOCK_RETURN_IF_ERROR(
      PutFile(FreePath(location), FreeText(mechanism, program), 0644));
  return PutFile(
      LockedPath(location),
      LockedText(mechanism, program,
                 FingerprintOf(location, mechanism, program, path, arms)),
      0644);
}

// Makes Location::armed a link. A tool that follows links may have copied it as
// a file.
absl::Status EnsureArmingLink(const Location& location) {
  if (IsLink(location.armed)) return absl::OkStatus();
  return PutLink(location.armed, std::string(kFreeFile));
}

// Fails if git cannot call hooks installed for `mechanism` here.
absl::Status CheckPlace(const Location& location, Mechanism mechanism) {
  struct statvfs info;
  if (mechanism == Mechanism::kConfig ||
      statvfs(location.common_dir.c_str(), &info) != 0 ||
      (info.f_flag & ST_NOEXEC) == 0) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("'", location.common_dir,
                   "' is mounted noexec: git cannot start hooks in it"));
}

// Waits until this process may install or remove hooks. Its turn ends when the
// descriptor is closed.
absl::StatusOr<Fd> AwaitTurn(const Location& location) {
  constexpr absl::Duration kMostWait = absl::Minutes(1);
  O8LOCK_ASSIGN_OR_RETURN(
      Fd fd, OpenAwaitingLease(location.common_dir, O_RDONLY | O_DIRECTORY));
  const absl::Time end = absl::Now() + kMostWait;
  while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    // NFS cannot lock directories.
    if (errno != EWOULDBLOCK && errno != EINTR) break;
    if (absl::Now() > end) {
      return absl::UnavailableError(absl::StrCat(
          "another process is installing or removing the hooks of '",
          location.common_dir, "'"));
    }
    absl::SleepFor(absl::Milliseconds(10));
  }
  return fd;
}

// Restores core.hooksPath where its value is a directory of o8lock's.
absl::Status RestoreHooksPath(const Location& location) {
  const absl::StatusOr<InstalledState> installed = ReadActiveConfig(location);
  return RemoveOwnHooksPath(location,
                            installed.ok() && installed->fingerprint.has_value()
                                ? installed->fingerprint->local_path
                                : "");
}

// Removes the worktrees of self-tests that were killed. REQUIRES: it is this
// process's turn.
void RemoveSelfTests(const Location& location) {
  const std::string own = OwnDirectory(location);
  for (const std::string& name : NamesIn(own)) {
    if (!absl::StartsWith(name, kSelfTest)) continue;
    const std::string path = absl::StrCat(own, "/", name);
    // Twice: git may have been killed too, and has left it locked.
    RunGit(location, {"worktree", "remove", "--force", "--force", path})
        .IgnoreError();
    RemoveTree(path).IgnoreError();
  }
}

// Removes everything made by InstallHooks, even after an incomplete
// installation.
absl::Status RemoveAll(const Location& location) {
  O8LOCK_RETURN_IF_ERROR(RestoreHooksPath(location));
  // Includes the settings git reads from o8lock's files.
  O8LOCK_ASSIGN_OR_RETURN(const std::vector<Setting> settings,
                          ReadSettings(location));
  const HooksPath path = FindHooksPath(location, settings);
  // Removes git's reference to the files before the files.
  O8LOCK_RETURN_IF_ERROR(RemoveInclude(location, settings));
  absl::Status result = RemoveArming(location);
  for (const std::string& file :
       {FreePath(location), LockedPath(location), HerePath(location)}) {
    result.Update(RemoveFile(file));
  }
  const absl::Status hooks = RemoveHooks(OwnHooks(location), path.directory);
  result.Update(RemoveFile(StandInPath(location)));
  RemoveSelfTests(location);
  result.Update(RemoveTree(OwnBin(location.common_dir)));
  // This writes a file. A full disk has space now.
  result.Update(RemovePostCheckoutHook(location, path));
  // Fails if the directory contains a lock's files.
  rmdir(OwnDirectory(location).c_str());
  result.Update(hooks);
  return result;
}

// InstallHooks without the test.
absl::StatusOr<HooksState> PutAll(const Location& location,
                                  const std::string& directory,
                                  const std::string& program,
                                  Mechanism mechanism,
                                  const std::vector<Setting>& settings) {
  const HooksPath path = FindHooksPath(location, settings);
  O8LOCK_RETURN_IF_ERROR(CheckPaths(location, program, path));
  O8LOCK_ASSIGN_OR_RETURN(const std::string installed_program,
                          InstallStableCopy(location, program));
  if (mechanism == Mechanism::kDirectory) {
    O8LOCK_RETURN_IF_ERROR(
        InstallPostCheckoutHook(location, path, installed_program));
  } else {
    // Removes the hook of an installation for an older git.
    O8LOCK_RETURN_IF_ERROR(RemovePostCheckoutHook(location, path));
  }
  // An error is visible later, in the state.
  MoveUserHooks(OwnHooks(location), path.directory).IgnoreError();
  O8LOCK_RETURN_IF_ERROR(
      PutFiles(location, mechanism, installed_program, path, /*arms=*/true));
  O8LOCK_RETURN_IF_ERROR(EnsureArmingLink(location));
  O8LOCK_RETURN_IF_ERROR(AddInclude(location, settings));
  O8LOCK_ASSIGN_OR_RETURN(const LockStatus found, Inspect(location, {}));
  O8LOCK_RETURN_IF_ERROR(
      UpdateArming(location, found.state > LockState::kStale));
  O8LOCK_ASSIGN_OR_RETURN(HooksState state, InspectHooks(location, directory));
  for (const Bypass& bypass : state.bypasses) {
    if (bypass.kind == Bypass::kSettingOfOneWorktree) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("git does not call the hooks: ", bypass.text));
  }
  return state;
}

// Adds the bypasses of `state`, according to `settings` and `installed`.
void AddBypasses(const Location& location, const GitVersion& version,
                 const std::vector<Setting>& settings,
                 const InstalledState& installed, HooksState& state) {
  std::vector<Bypass> found = FindBypasses(location, state.mechanism, version);
  if (found.empty() && state.armed &&
      state.mechanism == Mechanism::kDirectory && !UsesOwnHooks(settings)) {
    const std::string place = installed.fingerprint.has_value()
                                  ? installed.fingerprint->common_dir
                                  : "";
    found.push_back(
        {Bypass::kOtherPath,
         place == location.common_dir
             ? "the hooks could not be armed here"
             : absl::StrCat(place.empty()
                                ? "the hooks are not set up for this path"
                                : "the hooks are set up for '" + place + "'",
                            "; the next run here corrects this")});
  }
  state.bypasses.insert(state.bypasses.end(), found.begin(), found.end());
}

absl::Status CheckRepository(const Location& location) {
  if (!location.armed.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError("hooks need a git repository");
}

}  // namespace

bool HooksAreEffective(const HooksState& state) {
  return state.installed && !state.program_version.empty() &&
         state.bypasses.empty();
}

absl::StatusOr<HooksState> InspectHooks(const Location& location,
                                        const std::string& directory) {
  O8LOCK_RETURN_IF_ERROR(CheckRepository(location));
  // If git does not work here, nothing is installed.
  O8LOCK_RETURN_IF_ERROR(AskGit(directory, {"rev-parse"}).status());
  HooksState state;
  O8LOCK_ASSIGN_OR_RETURN(const GitVersion version, AskGitVersion(directory));
  state.git_version = version.text;
  O8LOCK_ASSIGN_OR_RETURN(const std::vector<Setting> settings,
                          ReadSettings(directory));
  const std::optional<Mechanism> mechanism = InstalledMechanism(settings);
  state.mechanism = mechanism.value_or(MechanismOf(version));
  const absl::Status place = CheckPlace(location, state.mechanism);
  if (!place.ok()) {
    state.bypasses.push_back({Bypass::kNoexec, std::string(place.message())});
  }
  const absl::StatusOr<InstalledState> installed = ReadActiveConfig(location);
  state.installed = mechanism.has_value() && installed.ok();
  if (!state.installed) return state;
  state.program = installed->program;
  state.program_version = AskVersion(state.program);
  state.armed = IsArmed(location);
  AddBypasses(location, version, settings, *installed, state);
  if (state.mechanism == Mechanism::kConfig) {
    state.post_checkout = PostCheckoutHook::kConfig;
    return state;
  }
  const HooksPath path = FindHooksPath(location, settings);
  state.hooks_directory = path.directory;
  state.put_aside = PutAside(OwnHooks(location), path.directory);
  state.manager = ManagerOf(location, path);
  state.post_checkout = FindPostCheckoutHook(location, path, state.manager);
  return state;
}

absl::StatusOr<HooksState> InstallHooks(
    const Location& location, const std::string& directory,
    const std::string& program,
    absl::FunctionRef<absl::Status(const HooksState&)> test) {
  O8LOCK_RETURN_IF_ERROR(CheckRepository(location));
  // If git does not work here, reports git's own reason.
  O8LOCK_RETURN_IF_ERROR(AskGit(directory, {"rev-parse"}).status());
  O8LOCK_ASSIGN_OR_RETURN(const GitVersion version, AskGitVersion(directory));
  O8LOCK_RETURN_IF_ERROR(CheckVersion(version));
  const Mechanism mechanism = MechanismOf(version);
  O8LOCK_RETURN_IF_ERROR(CheckPlace(location, mechanism));
  O8LOCK_ASSIGN_OR_RETURN(const Fd turn, AwaitTurn(location));
  RemoveSelfTests(location);
  O8LOCK_RETURN_IF_ERROR(RestoreHooksPath(location));
  O8LOCK_ASSIGN_OR_RETURN(const std::vector<Setting> settings,
                          ReadSettings(directory));
  absl::StatusOr<HooksState> state =
      PutAll(location, directory, program, mechanism, settings);
  const absl::Status status = state.ok() ? test(*state) : state.status();
  if (status.ok()) return state;
  if (!InstalledMechanism(settings).has_value()) {
    RemoveAll(location).IgnoreError();
  }
  return status;
}

absl::Status UninstallHooks(const Location& location) {
  O8LOCK_RETURN_IF_ERROR(CheckRepository(location));
  O8LOCK_ASSIGN_OR_RETURN(const Fd turn, AwaitTurn(location));
  return RemoveAll(location);
}

absl::Status RefreshHooks(const Location& location) {
  if (location.armed.empty()) return absl::OkStatus();
  const absl::StatusOr<InstalledState> installed = ReadActiveConfig(location);
  // Without this file no hooks are installed.
  if (!installed.ok()) return absl::OkStatus();
  O8LOCK_RETURN_IF_ERROR(EnsureArmingLink(location));
  const std::optional<InstallFingerprint>& fingerprint = installed->fingerprint;
  std::string program = installed->program;
  if (fingerprint.has_value() && program == OwnCopy(fingerprint->common_dir)) {
    program = OwnCopy(location.common_dir);
  }
  const Mechanism mechanism = installed->mechanism;
  absl::Status place = CheckPlace(location, mechanism);
  if (!Starts(program, fingerprint.has_value() ? fingerprint->started : "")) {
    const std::string own = OwnProgram();
    if (own.empty()) {
      place = absl::FailedPreconditionError(
          absl::StrCat("'", program, "' cannot be started here"));
    } else {
      // Where `program` is, this one may not be: in another container.
      O8LOCK_ASSIGN_OR_RETURN(program, InstallCopy(location, own));
      if (!IsExecutable(program)) program = own;  // mounted noexec
    }
  } else if (program == OwnCopy(location.common_dir) && IsOlder(program)) {
    O8LOCK_ASSIGN_OR_RETURN(program, InstallCopy(location, OwnProgram()));
  }
  if (fingerprint.has_value() && program == installed->program &&
      fingerprint->started == StampOf(program) &&
      fingerprint->arms == place.ok() &&
      IsUpToDate(location, mechanism, *fingerprint)) {
    return place;
  }
  HooksPath path;
  absl::Status moved;
  if (mechanism == Mechanism::kDirectory) {
    // The hooks work without this too.
    RestoreHooksPath(location).IgnoreError();
    // Only git knows all settings. Without git the hooks have no use.
    const absl::StatusOr<std::vector<Setting>> settings =
        ReadSettings(location);
    if (!settings.ok()) return absl::OkStatus();
    path = FindHooksPath(location, *settings);
    // The program may have moved with the repository.
    if (HasPostCheckoutHook(path)) {
      O8LOCK_RETURN_IF_ERROR(InstallPostCheckoutHook(location, path, program));
    }
    moved = MoveUserHooks(OwnHooks(location), path.directory);
  }
  O8LOCK_RETURN_IF_ERROR(
      PutFiles(location, mechanism, program, path, place.ok()));
  return place.ok() ? moved : place;
}

}  // namespace o8lock
