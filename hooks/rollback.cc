// SPDX-License-Identifier: Apache-2.0
#include "hooks/rollback.h"

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/git.h"
#include "hooks/timing.h"
#include "hooks/worktree_add.h"
#include "hooks/worktrees.h"
#include "lock/arming.h"
#include "lock/file.h"
#include "lock/git_directory.h"
#include "lock/location.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// Whether `add` has made the file `path`, according to their times.
bool HasMade(const WorktreeAdd& add, const std::string& path) {
  return add.started >= 0 && MayHaveMade(add, ChangeOf(path));
}

// Why `worktree`, made at `commit`, differs from git's checkout; empty if it
// does not.
absl::StatusOr<std::string> ChangesOf(const std::string& worktree,
                                      const std::string& commit) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string head,
                          AskGit(worktree, {"rev-parse", "HEAD"}));
  if (head != commit) return "its HEAD has moved";
  // Removing the worktree would lose commits that only it refers to.
  O8LOCK_ASSIGN_OR_RETURN(const std::string log,
                          AskGit(worktree, {"rev-list", "-g", "HEAD"}));
  for (const absl::string_view past : absl::StrSplit(log, '\n')) {
    if (!past.empty() && past != commit) {
      return "its HEAD has pointed elsewhere";
    }
  }
  O8LOCK_ASSIGN_OR_RETURN(const std::string refs, OwnReferences(worktree));
  if (!refs.empty()) return "it has references of its own";
  // `git worktree remove` would remove ignored files too.
  O8LOCK_ASSIGN_OR_RETURN(
      const std::string files,
      AskGit(worktree, {"-c", "core.fsmonitor=false", "status", "--porcelain",
                        "--ignored", "--untracked-files=all"}));
  if (!files.empty()) return "it has files that git did not create";
  O8LOCK_ASSIGN_OR_RETURN(const int uncompared, CountUncomparedFiles(worktree));
  if (uncompared > 0) {
    return "it has changed files that git status does not show";
  }
  return "";
}

// Whether `add`, without -b, has made the branch `branch` at `commit`. The
// branch's reflog must have a single entry, written since the add began, with
// git's text for the branch of a new worktree.
bool HasMadeBranch(const WorktreeAdd& add, const std::string& common_dir,
                   absl::string_view branch, const std::string& commit) {
  const std::string log = absl::StrCat(common_dir, "/logs/refs/heads/", branch);
  const std::string text = ReadGitFile(log).value_or("");
  // A branch another command made just before differs only in its time. File
  // times are late, but the add has taken about as long to reach this point.
  const std::optional<int64_t> made = ChangeOf(log);
  if (!made.has_value() || add.started < 0 ||
      *made < StartOf(add) - kNanosecondsPerTick ||
      !absl::StartsWith(text, absl::StrCat(std::string(commit.size(), '0'), " ",
                                           commit, " ")) ||
      text.find('\n') + 1 != text.size()) {
    return false;
  }
  // If the commit argument names a branch, the branch exists already, or git
  // makes it from a remote's branch.
  const bool is_remote =
      absl::StrContains(text, "\tbranch: Created from refs/remotes/");
  return AddedCommit(add.arguments).empty()
             ? is_remote || absl::EndsWith(text, "branch: Created from HEAD\n")
             : is_remote;
}

// Removes `worktree`, made by `add` at `commit`, unless it has changed since.
// Returns its checked-out branch; empty for a detached HEAD.
absl::StatusOr<std::string> RemoveWorktree(const WorktreeAdd& add,
                                           const Location& location,
                                           const std::string& worktree,
                                           const std::string& commit) {
  if (!HasMade(add, worktree + "/.git")) {
    return absl::FailedPreconditionError("it existed before");
  }
  O8LOCK_ASSIGN_OR_RETURN(const std::string changes,
                          ChangesOf(worktree, commit));
  if (!changes.empty()) return absl::FailedPreconditionError(changes);
  O8LOCK_ASSIGN_OR_RETURN(
      const ProgramResult on,
      RunGit(worktree, {"symbolic-ref", "--short", "-q", "HEAD"}));
  // Only the add itself (--lock) can have locked it so soon.
  O8LOCK_RETURN_IF_ERROR(
      RunGit(location, {"worktree", "unlock", worktree}).status());
  O8LOCK_RETURN_IF_ERROR(
      AskGit(location, {"worktree", "remove", worktree}).status());
  return std::string(absl::StripSuffix(on.out, "\n"));
}

// Removes the branch `rolled_back.branch` if it is still at `commit`, as made
// by the add, and checked out in no other worktree.
absl::Status RemoveBranch(const Location& location, const std::string& commit,
                          RolledBack& rolled_back) {
  const std::string branch = absl::StrCat("refs/heads/", rolled_back.branch);
  O8LOCK_ASSIGN_OR_RETURN(
      const std::string elsewhere,
      AskGit(location, {"for-each-ref", "--format=%(worktreepath)", branch}));
  if (!elsewhere.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("it is checked out in '", elsewhere, "'"));
  }
  O8LOCK_RETURN_IF_ERROR(
      AskGit(location, {"update-ref", "-d", branch, commit}).status());
  rolled_back.branch_removed = true;
  // Git has set these keys if the branch tracks another one.
  for (const absl::string_view key : {"remote", "merge", "rebase"}) {
    O8LOCK_RETURN_IF_ERROR(
        RunGit(location,
               {"config", "--local", "--unset",
                absl::StrCat("branch.", rolled_back.branch, ".", key)})
            .status());
  }
  return absl::OkStatus();
}

// Removes the results of `add` as RollBackWorktree describes. The error is the
// reason for the first part that stays.
absl::Status Undo(const WorktreeAdd& add, const Location& location,
                  const std::string& commit, RolledBack& rolled_back) {
  O8LOCK_ASSIGN_OR_RETURN(
      const std::string current,
      RemoveWorktree(add, location, rolled_back.worktree, commit));
  rolled_back.removed = true;
  if (rolled_back.branch.empty()) {
    rolled_back.branch = current;
    if (current.empty()) return absl::OkStatus();
    if (!HasMadeBranch(add, location.common_dir, current, commit)) {
      return absl::FailedPreconditionError(
          "it may have existed before; git reflog shows its past");
    }
  }
  if (rolled_back.branch != current) {
    return absl::FailedPreconditionError("the worktree is no longer on it");
  }
  return RemoveBranch(location, commit, rolled_back);
}

}  // namespace

std::vector<std::string> StrayDirectoriesOf(const WorktreeAdd& add,
                                            const Location& location) {
  if (add.step == "branch") return {};  // it has made nothing yet
  const std::string list = location.common_dir + "/worktrees";
  // Git itself removes this directory if it is empty, whichever command made
  // it.
  std::vector<std::string> stray_directories = {list};
  std::string given_path = AddedPath(add.arguments);
  while (absl::EndsWith(given_path, "/")) given_path.pop_back();
  // The add first makes its entry in the list, with the path of the worktree. A
  // path on the command line is not enough: git has changed to the top of its
  // worktree, so the directory it is relative to is unknown.
  int64_t begun = ByClockOfFiles(StartOf(add)) - kFilesBehind;
  std::string worktree;
  for (const std::string& name : NamesIn(list)) {
    const std::string entry = absl::StrCat(list, "/", name);
    const int64_t birth = BirthOf(entry);
    if (birth <= begun) continue;
    const std::string path = WorktreeOf(entry);
    if (path.empty() || BaseName(path) != BaseName(given_path)) continue;
    begun = birth;
    worktree = path;
  }
  for (std::string path = ParentOf(worktree);
       !path.empty() && BirthOf(path) >= begun; path = ParentOf(path)) {
    stray_directories.push_back(path);
  }
  return stray_directories;
}

RolledBack RollBackWorktree(const WorktreeAdd& add, const Location& location,
                            const std::string& worktree,
                            const std::string& commit) {
  // Protects this process from Ctrl-C: half a rollback is worse than a complete
  // one, or than no rollback.
  const pid_t group = getpgrp();
  setpgid(0, 0);
  RolledBack rolled_back;
  rolled_back.worktree = worktree;
  rolled_back.branch = CreatedBranch(add.arguments).value_or("");
  const std::vector<std::string> stray_directories =
      StrayDirectoriesOf(add, location);
  const absl::Status status = Undo(add, location, commit, rolled_back);
  if (!status.ok()) rolled_back.problem = std::string(status.message());
  RecordStrayDirectories(location, stray_directories).IgnoreError();
  setpgid(0, group);
  return rolled_back;
}

}  // namespace o8lock
