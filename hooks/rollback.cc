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

// Whether `add` has made the file `path`, determined by their times.
bool HasMade(const WorktreeAdd& add, const std::string& path) {
  return add.started >= 0 && MayHaveMade(add, ChangeOf(path));
}

// Why `worktree`, made at `commit`, is not as git has made it; empty: it is.
absl::StatusOr<std::string> ChangesOf(const std::string& worktree,
                                      const std::string& commit) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string head,
                          AskGit(worktree, {"rev-parse", "HEAD"}));
  if (head != commit) return "its HEAD has moved";
  // Commits that only this worktree refers to would go with it.
  O8LOCK_ASSIGN_OR_RETURN(const std::string log,
                          AskGit(worktree, {"rev-list", "-g", "HEAD"}));
  for (const absl::string_view past : absl::StrSplit(log, '\n')) {
    if (!past.empty() && past != commit) {
      return "its HEAD has pointed elsewhere";
    }
  }
  O8LOCK_ASSIGN_OR_RETURN(const std::string refs,
                          AskGit(worktree, {"for-each-ref", "refs/worktree",
                                            "refs/bisect", "refs/rewritten"}));
  if (!refs.empty()) return "it has references of its own";
  // `git worktree remove` would remove ignored files too.
  O8LOCK_ASSIGN_OR_RETURN(
      const std::string files,
      AskGit(worktree, {"-c", "core.fsmonitor=false", "status", "--porcelain",
                        "--ignored", "--untracked-files=all"}));
  if (!files.empty()) return "it has files that git did not create";
  // `git status` hides changes of files marked assume-unchanged and
  // skip-worktree.
  O8LOCK_ASSIGN_OR_RETURN(const std::string index,
                          AskGit(worktree, {"ls-files", "-v", "-z"}));
  for (const absl::string_view entry : absl::StrSplit(index, '\0')) {
    if (entry.size() < 2 || entry[0] == 'H') continue;
    const std::string path = absl::StrCat(worktree, "/", entry.substr(2));
    if (ChangeOf(path).has_value()) {
      return "it has changed files that git status does not show";
    }
  }
  return "";
}

// Whether `add`, without -b, has made the branch `branch` at `commit`. The
// branch's reflog must have one entry, written since the add began, with git's
// text for the branch of a new worktree.
bool HasMadeBranch(const WorktreeAdd& add, const std::string& common_dir,
                   absl::string_view branch, const std::string& commit) {
  const std::string log = absl::StrCat(common_dir, "/logs/refs/heads/", branch);
  const std::string text = ReadGitFile(log).value_or("");
  // A branch that somebody made just before differs in nothing but its time,
  // which is a file's, and behind; but to come this far the add itself has
  // taken about as long.
  const std::optional<int64_t> made = ChangeOf(log);
  if (!made.has_value() || add.started < 0 ||
      *made < StartOf(add) - kNanosecondsPerTick ||
      !absl::StartsWith(text, absl::StrCat(std::string(commit.size(), '0'), " ",
                                           commit, " ")) ||
      text.find('\n') + 1 != text.size()) {
    return false;
  }
  // A branch given as the commit exists already, or git makes it from a
  // remote's branch.
  const bool is_remote =
      absl::StrContains(text, "\tbranch: Created from refs/remotes/");
  return AddedCommit(add.words).empty()
             ? is_remote || absl::EndsWith(text, "branch: Created from HEAD\n")
             : is_remote;
}

// Removes `worktree`, which `add` made at `commit`, unless it has changed
// since. Returns the branch checked out in it; empty: detached HEAD.
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

// Removes the branch `taken.branch` if it is still where the add has put it, at
// `commit`, and in no other worktree.
absl::Status RemoveBranch(const Location& location, const std::string& commit,
                          TakenBack& taken) {
  const std::string branch = absl::StrCat("refs/heads/", taken.branch);
  O8LOCK_ASSIGN_OR_RETURN(
      const std::string elsewhere,
      AskGit(location, {"for-each-ref", "--format=%(worktreepath)", branch}));
  if (!elsewhere.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("it is checked out in '", elsewhere, "'"));
  }
  O8LOCK_RETURN_IF_ERROR(
      AskGit(location, {"update-ref", "-d", branch, commit}).status());
  taken.branch_removed = true;
  // Git has set these if the branch tracks another one.
  for (const absl::string_view key : {"remote", "merge", "rebase"}) {
    O8LOCK_RETURN_IF_ERROR(
        RunGit(location, {"config", "--local", "--unset",
                          absl::StrCat("branch.", taken.branch, ".", key)})
            .status());
  }
  return absl::OkStatus();
}

// Removes the result of `add`, as RollBackWorktree describes; the error is the
// reason for the first part that stays.
absl::Status Undo(const WorktreeAdd& add, const Location& location,
                  const std::string& commit, TakenBack& taken) {
  O8LOCK_ASSIGN_OR_RETURN(
      const std::string current,
      RemoveWorktree(add, location, taken.worktree, commit));
  taken.removed = true;
  if (taken.branch.empty()) {
    taken.branch = current;
    if (current.empty()) return absl::OkStatus();
    if (!HasMadeBranch(add, location.common_dir, current, commit)) {
      return absl::FailedPreconditionError("it may have existed before");
    }
  }
  if (taken.branch != current) {
    return absl::FailedPreconditionError("the worktree is no longer on it");
  }
  return RemoveBranch(location, commit, taken);
}

}  // namespace

std::vector<std::string> StrayDirectoriesOf(const WorktreeAdd& add,
                                            const Location& location) {
  if (add.step == "branch") return {};  // it has made nothing yet
  const std::string list = location.common_dir + "/worktrees";
  // Git itself removes an empty one, whoever has made it.
  std::vector<std::string> leftovers = {list};
  std::string words_path = AddedPath(add.words);
  while (absl::EndsWith(words_path, "/")) words_path.pop_back();
  // The add first makes its entry in the list. The entry has the path of the
  // worktree; a path on the command line is relative to an unknown directory,
  // since git has changed to the top of its worktree.
  int64_t begun = ByClockOfFiles(StartOf(add)) - kFilesBehind;
  std::string worktree;
  for (const std::string& name : NamesIn(list)) {
    const std::string entry = absl::StrCat(list, "/", name);
    const int64_t birth = BirthOf(entry);
    if (birth <= begun) continue;
    const std::string path = WorktreeOf(entry);
    if (path.empty() || BaseName(path) != BaseName(words_path)) continue;
    begun = birth;
    worktree = path;
  }
  for (std::string path = ParentOf(worktree);
       !path.empty() && BirthOf(path) >= begun; path = ParentOf(path)) {
    leftovers.push_back(path);
  }
  return leftovers;
}

TakenBack RollBackWorktree(const WorktreeAdd& add, const Location& location,
                           const std::string& worktree,
                           const std::string& commit) {
  // Out of the reach of Ctrl-C: half of this is worse than all, or nothing.
  const pid_t group = getpgrp();
  setpgid(0, 0);
  TakenBack taken;
  taken.worktree = worktree;
  taken.branch = CreatedBranch(add.words).value_or("");
  const std::vector<std::string> leftovers = StrayDirectoriesOf(add, location);
  const absl::Status status = Undo(add, location, commit, taken);
  if (!status.ok()) taken.problem = std::string(status.message());
  RecordStrayDirectories(location, leftovers).IgnoreError();
  setpgid(0, group);
  return taken;
}

}  // namespace o8lock
