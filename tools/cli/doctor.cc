// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/doctor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/git.h"
#include "hooks/health.h"
#include "hooks/installation.h"
#include "lock/file.h"
#include "lock/file_system.h"
#include "lock/inspection.h"
#include "lock/judge.h"
#include "lock/location.h"
#include "lock/probe.h"
#include "lock/process.h"
#include "lock/version.h"
#include "tools/cli/access_hint.h"
#include "tools/cli/find_command.h"
#include "tools/cli/orchestr8.h"
#include "tools/cli/orchestr8_package.h"
#include "tools/cli/publish.h"
#include "tools/cli/text.h"
#include "tools/cli/text_parts.h"

namespace o8lock {
namespace {

using Findings = std::vector<Finding>;

constexpr char kInstall[] = "o8lock hooks install";

// What orchestr8 leaves in the main worktree: the queues of its versions, and
// what its `init` has git ignore.
constexpr absl::string_view kStateFiles[] = {
    "/.claude/parallel-queue.json", "/.claude/murm-queue.json",
    "/.claude/implement-queue.json", "/.claude/pipeline-history.json"};

bool Exists(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0;
}

void Append(Findings more, Findings& findings) {
  for (Finding& finding : more) findings.push_back(std::move(finding));
}

// --- o8lock ---

Finding OwnProgramFinding() {
  const std::string program = OwnProgram();
  if (program.empty()) {
    return {Finding::kWarn,
            absl::StrCat("o8lock: ", kVersion, ", from no file"),
            "is /proc there? without it the hooks let everything pass"};
  }
  return {Finding::kOk, absl::StrCat("o8lock: ", kVersion, ", ", program), ""};
}

// --- The files of the lock ---

Finding NoFileOfOurs(absl::string_view what, const absl::Status& status) {
  return {Finding::kFail, absl::StrCat(what, ": ", status.message()),
          absl::IsFailedPrecondition(status)
              ? "move that away, and o8lock makes its own"
              : "get permission, or use a lock file of your own: --lock-file "
                "FILE"};
}

Finding GuardFinding(const std::string& path) {
  const absl::StatusOr<Fd> fd = OpenRegular(path, O_RDONLY);
  if (absl::IsNotFound(fd.status())) {
    return {Finding::kOk, absl::StrCat("guard: ", path, ": not there yet"), ""};
  }
  if (!fd.ok()) return NoFileOfOurs("guard", fd.status());
  struct stat info;
  if (fstat(fd->get(), &info) == 0 && info.st_nlink > 1) {
    return NoFileOfOurs(
        "guard", absl::FailedPreconditionError(absl::StrCat(
                     "'", path, "' has another name too (a hard link)")));
  }
  return {Finding::kOk, absl::StrCat("guard: ", path, ": there"), ""};
}

Finding LockFileFinding(const std::string& path) {
  const absl::StatusOr<LockFile> file = JudgeLockFile(path, std::nullopt);
  if (!file.ok()) return NoFileOfOurs("lock file", file.status());
  const Inspection& found = file->inspection;
  const std::string text = absl::StrCat("lock file: ", path, ": ");
  if (found.verdict == Verdict::kFree) {
    return {Finding::kOk, absl::StrCat(text, "not there, as between runs"), ""};
  }
  if (found.problem.empty()) {
    return {Finding::kOk, absl::StrCat(text, "there, see: o8lock status"), ""};
  }
  if (found.verdict == Verdict::kStale) {
    return {Finding::kWarn,
            absl::StrCat(text, "no lock file (", found.problem, ")"),
            "the next run puts it aside"};
  }
  return {Finding::kFail, absl::StrCat(text, found.problem),
          "no run starts before that is settled, see: o8lock status"};
}

// --- The file systems of the lock ---

// The directory of `file`, or, if o8lock would `create` it, the one in which.
std::string DirectoryOf(const std::string& file, bool create) {
  std::string directory = file.substr(0, file.rfind('/'));
  while (create && !directory.empty() && access(directory.c_str(), F_OK) != 0) {
    directory.resize(directory.rfind('/'));
  }
  return directory.empty() ? "/" : directory;
}

// Whether other machines may have the same files: their kernels have locks of
// their own, and need not tell this one.
bool IsShared(absl::string_view file_system) {
  for (const absl::string_view kind :
       {"nfs", "cifs", "smb", "9p", "virtiofs", "vboxsf", "fuse", "ceph",
        "glusterfs", "afs", "lustre", "ocfs2", "gfs2", "prl_fs"}) {
    if (absl::StartsWith(file_system, kind)) return true;
  }
  return false;
}

std::string HintFor(const absl::Status& status, const Location& location) {
  if (absl::IsNotFound(status)) return "make that directory";
  if (absl::IsPermissionDenied(status)) return AccessHint(location);
  return "make room there";
}

Findings DirectoryFindings(absl::string_view what, const std::string& directory,
                           const Location& location) {
  const std::string file_system = FileSystemOf(directory);
  const std::string where =
      absl::StrCat(what, ": ", directory, " (", file_system, "): ");
  const absl::StatusOr<Probe> probe = ProbeDirectory(directory);
  if (!probe.ok()) {
    return {{Finding::kFail, absl::StrCat(where, probe.status().message()),
             HintFor(probe.status(), location)}};
  }
  Findings findings;
  for (const absl::Status& status : {probe->locks, probe->names}) {
    if (status.ok()) continue;
    findings.push_back({Finding::kFail, absl::StrCat(where, status.message()),
                        "keep the lock on another file system: --lock-file "
                        "FILE"});
  }
  if (!findings.empty()) return findings;
  const std::string behaves =
      absl::StrCat(where, "locks exclude, rename and link behave");
  if (!IsShared(file_system)) return {{Finding::kOk, behaves, ""}};
  return {{Finding::kWarn, behaves,
           "on this machine; another one that shares it may not see the lock"}};
}

Findings FileSystemFindings(const Location& location) {
  const bool create = location.create_directories;
  const std::string guard = DirectoryOf(location.guard, create);
  const std::string lock_file = DirectoryOf(location.lock_file, create);
  Findings findings = DirectoryFindings("guard", guard, location);
  if (lock_file != guard && location.outside.empty()) {
    Append(DirectoryFindings("lock file", lock_file, location), findings);
  }
  return findings;
}

// --- The hooks ---

std::string BypassHint(Bypass::Kind kind) {
  switch (kind) {
    case Bypass::kSettingOfOneWorktree:
      return "take the setting out, or let no worktrees be added from that one";
    case Bypass::kOtherPath:
      return kInstall;
    case Bypass::kNoexec:
      return "mount it without noexec, or with git 2.54 and newer: "
             "o8lock hooks install";
    case Bypass::kSetting:
      break;
  }
  return absl::StrCat(kInstall, "; if it stays so, take the setting out");
}

Findings BypassFindings(const HooksState& state) {
  Findings findings;
  for (const Bypass& bypass : state.bypasses) {
    findings.push_back(
        {Finding::kFail,
         absl::StrCat("hooks: git passes them by: ", bypass.text),
         BypassHint(bypass.kind)});
  }
  return findings;
}

Findings HooksFindings(const HooksState& state) {
  if (!state.installed && !state.bypasses.empty()) {
    return {{Finding::kWarn,
             absl::StrCat("hooks: not installed: ", state.bypasses[0].text),
             BypassHint(state.bypasses[0].kind)}};
  }
  if (!state.installed) {
    return {{Finding::kOk, "hooks: not installed",
             absl::StrCat("to have git refuse worktrees during another's run: ",
                          kInstall)}};
  }
  if (!state.bypasses.empty()) return BypassFindings(state);
  if (state.program_version.empty()) {
    return {{Finding::kFail,
             absl::StrCat("hooks: ", state.program,
                          " cannot be run, and git goes on without"),
             kInstall}};
  }
  const std::string calls =
      absl::StrCat("hooks: git ", state.git_version, " calls ", state.program,
                   " (", state.program_version, ")");
  if (state.program_version != kVersion) {
    return {{Finding::kWarn, absl::StrCat(calls, ", and this is ", kVersion),
             kInstall}};
  }
  if (state.second_line == SecondLine::kMissing) {
    return {{Finding::kWarn, absl::StrCat(calls, ", but not as post-checkout"),
             "beside a run outside o8lock worktrees are not refused, see: "
             "o8lock hooks status"}};
  }
  return {{Finding::kOk, calls, ""}};
}

// --- Files in git ---

// A directory in which git knows `file`, and how it is called from there.
std::pair<std::string, std::string> InWorktree(const Location& location,
                                               const std::string& file) {
  const std::string directory = location.main_worktree.empty()
                                    ? file.substr(0, file.rfind('/'))
                                    : location.main_worktree;
  return {directory,
          std::string(absl::StripPrefix(file.substr(directory.size()), "/"))};
}

Finding TrackedFinding(const Location& location, const std::string& file) {
  const auto [directory, name] = InWorktree(location, file);
  return {Finding::kWarn,
          absl::StrCat("git: ", name, " is tracked, and every run changes it"),
          absl::StrCat(
              "take it out, and commit that: ",
              ShellQuoted({"git", "-C", directory, "rm", "--cached", name}))};
}

// About the lock file, which o8lock itself has git ignore.
Finding LockFileInGitFinding(const Location& location,
                             const FileInGit& in_git) {
  const std::string text = absl::StrCat(
      "git: ", InWorktree(location, location.lock_file).second, " is ");
  if (in_git.ignored) {
    return {Finding::kOk, absl::StrCat(text, "ignored"), ""};
  }
  if (in_git.unignored_by.empty()) {
    return {Finding::kOk, absl::StrCat(text, "ignored from the first run on"),
            ""};
  }
  return {Finding::kWarn,
          absl::StrCat(text,
                       "shown as a change during runs: ", in_git.unignored_by),
          "take that pattern out: orchestr8 refuses a tree with changes"};
}

// About a file that orchestr8 leaves behind.
Finding StateFileFinding(const Location& location, const std::string& file) {
  const std::string name = InWorktree(location, file).second;
  return {Finding::kWarn,
          absl::StrCat("git: ", name,
                       " is not ignored: orchestr8's next run refuses a tree "
                       "with changes"),
          absl::StrCat("add to .gitignore, and commit that: /", name)};
}

Finding NoGitFinding(const absl::Status& status) {
  const std::pair<absl::string_view, absl::string_view> lines =
      absl::StrSplit(status.message(), absl::MaxSplits('\n', 1));
  return {
      Finding::kWarn,
      std::string(absl::IsNotFound(status) ? "git: not in PATH" : lines.first),
      "what only git can tell is missing here"};
}

Findings FileFindings(const Location& location) {
  Findings findings;
  std::vector<std::string> files = location.LockFiles();
  if (!location.armed.empty()) {
    for (const absl::string_view file : kStateFiles) {
      files.push_back(absl::StrCat(location.main_worktree, file));
    }
  }
  for (const std::string& file : files) {
    const absl::StatusOr<FileInGit> in_git = LookAtFile(location, file);
    if (!in_git.ok()) return {NoGitFinding(in_git.status())};
    if (in_git->tracked) {
      findings.push_back(TrackedFinding(location, file));
    } else if (file == location.lock_file) {
      findings.push_back(LockFileInGitFinding(location, *in_git));
    } else if (!in_git->ignored && Exists(file)) {
      findings.push_back(StateFileFinding(location, file));
    }
  }
  return findings;
}

// About a lock file of the user's choice.
Findings ChosenFileFindings(const Location& location) {
  const absl::StatusOr<FileInGit> in_git =
      LookAtFile(location, location.lock_file);
  if (!in_git.ok() || !in_git->tracked) return {};
  return {TrackedFinding(location, location.lock_file)};
}

Findings GitFindings(const Location& location, const std::string& directory) {
  const absl::Status git = AskGit(directory, {"rev-parse"}).status();
  if (!git.ok()) return {NoGitFinding(git)};
  Findings findings;
  if (!location.main_worktree.empty()) findings = FileFindings(location);
  if (location.armed.empty()) return findings;
  const absl::StatusOr<HooksState> hooks = LookAtHooks(location, directory);
  Append(hooks.ok() ? HooksFindings(*hooks)
                    : Findings{NoGitFinding(hooks.status())},
         findings);
  return findings;
}

// --- What commands of git have left behind ---

Finding GitLockFinding(const GitLock& lock, const std::vector<int>& commands) {
  const std::string remove = ShellQuoted({"rm", lock.path});
  std::vector<std::string> running;
  running.reserve(commands.size());
  for (const int pid : commands) {
    running.push_back(
        absl::StrCat(ShellQuoted(CommandOf(pid)), " (PID ", pid, ")"));
  }
  return {Finding::kWarn,
          absl::StrCat("git: ", lock.path, " is ", FormatDuration(lock.age),
                       " old, and no process has it open"),
          running.empty()
              ? absl::StrCat("if no git command is at work: ", remove)
              : absl::StrCat("it may be of ", absl::StrJoin(running, ", "),
                             "; after that: ", remove)};
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

// --- orchestr8 ---

// What is known of the lock that the orchestr8 `program` keeps itself.
absl::string_view LocksItselfText(const std::string& program) {
  switch (FindOutWhetherItLocks({program, /*by_package_runner=*/false})) {
    case LocksItself::kYes:
      return ", keeps the lock file itself, so o8lock writes none for it";
    case LocksItself::kNo:
      return ", keeps no lock file, so o8lock writes it";
    case LocksItself::kUnknown:
      break;
  }
  return ", may keep the lock file itself, so o8lock writes none for it";
}

Findings Orchestr8Findings() {
  Findings findings;
  for (const char* name : {"orchestr8", "murmur8"}) {
    const absl::StatusOr<std::string> program = FindCommand(name);
    if (!program.ok()) continue;
    findings.push_back(
        {Finding::kOk,
         absl::StrCat(name, ": ", *program, LocksItselfText(*program)), ""});
  }
  return findings;
}

// About commands that are not orchestr8 and may start it.
Findings ReachFindings(const Location& location) {
  const PublishDecision decision = DecideByItself({}, std::nullopt, location);
  if (decision.publish) return {};
  return {{Finding::kOk,
           absl::StrCat("lock file: not written for commands that may start "
                        "orchestr8 (npm run, make, a shell): ",
                        decision.reason),
           ""}};
}

Finding OutsideFinding(const Location& location) {
  return {Finding::kWarn,
          absl::StrCat("lock file: none: ", LeadsOutText(location)),
          "make it a directory: runs without o8lock are not seen, nor see this "
          "lock"};
}

}  // namespace

std::vector<Finding> Examine(const Location& location,
                             const std::string& directory) {
  Findings findings = {OwnProgramFinding(), GuardFinding(location.guard)};
  for (const std::string& file : location.LockFiles()) {
    if (file == location.lock_file || Exists(file)) {
      findings.push_back(LockFileFinding(file));
    }
  }
  if (!location.outside.empty()) findings.push_back(OutsideFinding(location));
  Append(FileSystemFindings(location), findings);
  if (location.common_dir.empty()) {
    Append(ChosenFileFindings(location), findings);
  } else {
    Append(GitFindings(location, directory), findings);
    Append(GitLockFindings(location), findings);
  }
  Append(Orchestr8Findings(), findings);
  Append(ReachFindings(location), findings);
  return findings;
}

std::string DoctorText(const std::vector<Finding>& findings) {
  constexpr absl::string_view kLevels[] = {"ok    ", "warn  ", "fail  "};
  std::string text;
  for (const Finding& finding : findings) {
    absl::StrAppend(&text, kLevels[finding.level], Printable(finding.text),
                    "\n");
    if (!finding.hint.empty()) {
      absl::StrAppend(&text, "      ", Printable(finding.hint), "\n");
    }
  }
  return text;
}

}  // namespace o8lock
