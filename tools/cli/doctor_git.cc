// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/doctor_git.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/git.h"
#include "hooks/health.h"
#include "hooks/installation.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/process.h"
#include "lock/version.h"
#include "tools/cli/caller.h"
#include "tools/cli/doctor_orchestr8.h"
#include "tools/cli/finding.h"
#include "tools/cli/text.h"

namespace o8lock {
namespace {

std::string InstallCommand() { return OwnCommand("hooks install"); }

std::string InstallHint() { return absl::StrCat("run: ", InstallCommand()); }

// --- The hooks ---

Finding HooksFinding(Finding::Level level, absl::string_view text,
                     absl::string_view hint) {
  return {level, "hooks", std::string(text), std::string(hint), {}};
}

std::string BypassHint(Bypass::Kind kind) {
  switch (kind) {
    case Bypass::kSettingOfOneWorktree:
      return "o8lock's hooks do not work in that worktree: remove the setting "
             "unless your own hooks need it, or do not add worktrees from "
             "there";
    case Bypass::kOtherPath:
      return InstallHint();
    case Bypass::kNoexec:
      return absl::StrCat(
          "mount it without noexec, or use git 2.54 or newer and run: ",
          InstallCommand());
    case Bypass::kSetting:
      break;
  }
  return absl::StrCat(InstallHint(),
                      "; if that does not help, remove the setting unless "
                      "your own hooks need it");
}

Findings BypassFindings(const HooksState& state) {
  Findings findings;
  for (const Bypass& bypass : state.bypasses) {
    findings.push_back(HooksFinding(
        Finding::kFail, absl::StrCat("git does not call them: ", bypass.text),
        BypassHint(bypass.kind)));
  }
  return findings;
}

Findings HooksFindings(const HooksState& state) {
  if (!state.installed && !state.bypasses.empty()) {
    return {HooksFinding(
        Finding::kWarn, absl::StrCat("not installed: ", state.bypasses[0].text),
        BypassHint(state.bypasses[0].kind))};
  }
  if (!state.installed) {
    return {
        HooksFinding(Finding::kOk, "not installed",
                     absl::StrCat("to refuse worktrees during another run: ",
                                  InstallCommand()))};
  }
  if (!state.bypasses.empty()) return BypassFindings(state);
  if (state.program_version.empty()) {
    return {HooksFinding(
        Finding::kFail,
        absl::StrCat(state.program,
                     " cannot be started, so the hooks refuse nothing"),
        InstallHint())};
  }
  const std::string calls =
      absl::StrCat("git ", state.git_version, " calls ", state.program, " (",
                   state.program_version, ")");
  if (state.program_version != kVersion) {
    return {HooksFinding(Finding::kWarn,
                         absl::StrCat(calls, ", but this is o8lock ", kVersion),
                         InstallHint())};
  }
  if (state.post_checkout == PostCheckoutHook::kMissing) {
    return {HooksFinding(
        Finding::kWarn, absl::StrCat(calls, ", but not from post-checkout"),
        absl::StrCat(
            "worktrees are not refused during a run without o8lock; see: ",
            OwnCommand("hooks status")))};
  }
  Findings findings;
  for (const std::string& path : state.put_aside) {
    findings.push_back(HooksFinding(
        Finding::kWarn,
        absl::StrCat(path, " was added during a run, and git does not call it"),
        "move it to your hooks, or remove it"));
  }
  if (findings.empty()) {
    findings.push_back(HooksFinding(Finding::kOk, calls, ""));
  }
  return findings;
}

// --- Files in git ---

Finding GitFinding(Finding::Level level, absl::string_view text,
                   absl::string_view hint) {
  return {level, "git", std::string(text), std::string(hint), {}};
}

// Returns a directory of `file` as git sees it, and the file's name from there.
std::pair<std::string, std::string> InWorktree(const Location& location,
                                               const std::string& file) {
  const std::string directory =
      location.main_worktree.empty() ? ParentOf(file) : location.main_worktree;
  return {directory,
          std::string(absl::StripPrefix(file.substr(directory.size()), "/"))};
}

Finding TrackedFinding(const Location& location, const std::string& file) {
  const auto [directory, name] = InWorktree(location, file);
  std::vector<std::string> remove = {"git", "-C",       directory,
                                     "rm",  "--cached", name};
  // git would take the name for a pattern.
  if (name.find_first_of(":*?[\\") != name.npos) {
    remove.insert(remove.begin() + 1, "--literal-pathspecs");
  }
  return GitFinding(Finding::kWarn,
                    absl::StrCat(name, " is tracked, but every run changes it"),
                    absl::StrCat("remove it from the index, and commit: ",
                                 ShellQuoted(remove)));
}

// Returns a finding about the lock file. o8lock itself makes git ignore it.
Finding LockFileInGitFinding(const Location& location,
                             const FileInGit& in_git) {
  const std::string name = InWorktree(location, location.lock_file).second;
  if (in_git.ignored) {
    return GitFinding(Finding::kOk, absl::StrCat(name, " is ignored"), "");
  }
  if (in_git.unignored_by.empty()) {
    return GitFinding(Finding::kOk,
                      absl::StrCat(name, ": the first run makes git ignore it"),
                      "");
  }
  return GitFinding(
      Finding::kWarn,
      absl::StrCat(name, " is shown as a change during runs, because of ",
                   in_git.unignored_by),
      "remove that pattern: orchestr8 does not start with uncommitted changes");
}

// Returns a finding about the files orchestr8 leaves, by their names in git.
Finding UnignoredFinding(const std::vector<std::string>& names) {
  Finding finding = GitFinding(
      Finding::kWarn,
      absl::StrCat(
          names.size() == 1
              ? absl::StrCat(names[0], " is")
              : absl::StrCat(names.size(), " files of orchestr8 are"),
          " not ignored, and orchestr8 does not start with uncommitted "
          "changes"),
      "add to .gitignore, and commit:");
  for (const std::string& name : names) {
    finding.lines.push_back(absl::StrCat("/", name));
  }
  return finding;
}

Finding NoGitFinding(const absl::Status& status) {
  constexpr absl::string_view kHint = "the checks that need git are skipped";
  if (absl::IsNotFound(status)) {
    return GitFinding(Finding::kWarn, "not in PATH", kHint);
  }
  const std::pair<absl::string_view, absl::string_view> lines =
      absl::StrSplit(status.message(), absl::MaxSplits('\n', 1));
  return GitFinding(Finding::kWarn, absl::StripPrefix(lines.first, "git "),
                    kHint);
}

Findings FilesInGitFindings(const Location& location, bool uses_orchestr8) {
  Findings findings;
  std::vector<std::string> files;
  for (const std::string& file : location.LockFiles()) {
    // The caller's linked worktree has an index of its own.
    if (ParentOf(file) == ParentOf(location.lock_file)) files.push_back(file);
  }
  const std::vector<std::string> orchestr8 = Orchestr8Files(location);
  const size_t lock_files = files.size();
  files.insert(files.end(), orchestr8.begin(), orchestr8.end());
  const absl::StatusOr<std::vector<FileInGit>> in_git =
      InspectFiles(location, files);
  if (!in_git.ok()) return {NoGitFinding(in_git.status())};
  std::vector<std::string> unignored;
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string& file = files[i];
    if ((*in_git)[i].tracked) {
      findings.push_back(TrackedFinding(location, file));
    } else if (file == location.lock_file) {
      findings.push_back(LockFileInGitFinding(location, (*in_git)[i]));
    } else if (!(*in_git)[i].ignored &&
               (IdOf(file).ok() || (uses_orchestr8 && i >= lock_files))) {
      unignored.push_back(InWorktree(location, file).second);
    }
  }
  if (!unignored.empty()) findings.push_back(UnignoredFinding(unignored));
  return findings;
}

// --- Stale locks of git commands ---

Finding GitLockFinding(const GitLock& lock, const std::vector<int>& commands) {
  const std::string remove = ShellQuoted({"rm", lock.path});
  std::vector<std::string> running;
  running.reserve(commands.size());
  for (const int pid : commands) {
    running.push_back(
        absl::StrCat(ShellQuoted(CommandOf(pid)), " (PID ", pid, ")"));
  }
  return GitFinding(
      Finding::kWarn,
      absl::StrCat(lock.path, " is ", FormatDuration(lock.age),
                   " old, and no process has it open"),
      running.empty()
          ? absl::StrCat("if no git command is running: ", remove)
          : absl::StrCat("it may belong to ", absl::StrJoin(running, ", "),
                         "; if the file is still there after ",
                         running.size() == 1 ? "it has" : "they have",
                         " ended: ", remove));
}

Findings GitLockFindings(const Location& location) {
  const std::vector<GitLock> locks = OldGitLocks(location);
  if (locks.empty()) return {};
  const std::vector<int> commands = GitCommands(location);
  Findings findings;
  for (const GitLock& lock : locks) {
    findings.push_back(GitLockFinding(lock, commands));
  }
  return findings;
}

}  // namespace

Findings ChosenFileFindings(const Location& location) {
  const absl::StatusOr<std::vector<FileInGit>> in_git =
      InspectFiles(location, {location.lock_file});
  if (!in_git.ok() || !in_git->front().tracked) return {};
  return {TrackedFinding(location, location.lock_file)};
}

Findings GitFindings(const Location& location, const std::string& directory,
                     bool uses_orchestr8) {
  Findings findings;
  absl::StatusOr<HooksState> hooks = HooksState();
  const bool guards_worktrees = !location.armed.empty();
  if (guards_worktrees) hooks = InspectHooks(location, directory);
  const absl::Status git = guards_worktrees
                               ? hooks.status()
                               : AskGit(directory, {"rev-parse"}).status();
  if (!git.ok()) {
    findings = {NoGitFinding(git)};
  } else {
    if (!location.main_worktree.empty()) {
      findings = FilesInGitFindings(location, uses_orchestr8);
    }
    if (guards_worktrees) Append(HooksFindings(*hooks), findings);
  }
  Append(GitLockFindings(location), findings);
  return findings;
}

}  // namespace o8lock
