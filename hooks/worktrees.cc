// SPDX-License-Identifier: Apache-2.0
#include "hooks/worktrees.h"

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <set>
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
#include "hooks/files.h"
#include "hooks/git.h"
#include "lock/file.h"
#include "lock/git_directory.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/process.h"
#include "lock/status.h"

namespace o8lock {
namespace {

constexpr absl::string_view kMark = "/o8lock";

// The content of a file of git's without its final newline; empty if it is
// unreadable.
std::string Line(const std::string& path) {
  std::string text = ReadGitFile(path).value_or("");
  return std::string(absl::StripSuffix(text, "\n"));
}

// The last path git knew for the worktree of `git_dir`.
std::string LinkOf(const std::string& git_dir) {
  const std::string line = Line(git_dir + "/gitdir");
  if (line.empty()) return "";
  // Git 2.48 and newer can write a path relative to the directory.
  return std::string(absl::StripSuffix(JoinPath(git_dir, line), "/.git"));
}

std::string GitDirOf(const std::string& common_dir, absl::string_view name) {
  return absl::StrCat(common_dir, "/worktrees/", name);
}

// When git added the worktree with the entry `git_dir` in its list.
std::optional<int64_t> MadeAt(const std::string& git_dir) {
  // git writes this file once, when it makes the worktree.
  struct stat info;
  if (stat((git_dir + "/commondir").c_str(), &info) != 0) return std::nullopt;
  return Nanoseconds(info.st_mtim);
}

// The worktree with the entry `name`, made at `made`.
std::optional<Worktree> Describe(const std::string& git_dir,
                                 const std::string& name, int64_t made) {
  Worktree worktree;
  worktree.path = WorktreeOf(git_dir);
  if (worktree.path.empty()) {
    worktree.path = LinkOf(git_dir);
    worktree.is_gone = true;
  }
  if (worktree.path.empty()) return std::nullopt;
  const std::string head = Line(git_dir + "/HEAD");
  absl::string_view branch = head;
  if (absl::ConsumePrefix(&branch, "ref: refs/heads/")) {
    worktree.branch = std::string(branch);
  }
  worktree.name = name;
  worktree.is_locked = FileExists(git_dir + "/locked");
  worktree.made = made;
  return worktree;
}

bool IsBelowAny(absl::string_view path,
                const std::vector<std::string>& directories) {
  return absl::c_any_of(directories, [path](const std::string& directory) {
    return path != directory && IsBelow(path, directory);
  });
}

}  // namespace

std::string WorktreeOf(const std::string& git_dir) {
  return Canonical(LinkOf(git_dir)).value_or("");
}

absl::Status MarkWorktree(const std::string& directory,
                          const std::string& token) {
  O8LOCK_ASSIGN_OR_RETURN(const std::optional<GitDirectory> git,
                          FollowDotGit(directory + "/.git"));
  if (!git.has_value() || !git->is_linked) {
    return absl::NotFoundError(
        absl::StrCat("'", directory, "' is not a linked worktree"));
  }
  return PutFile(absl::StrCat(git->path, kMark), token + "\n", 0644);
}

std::vector<Worktree> WorktreesBy(const std::string& common_dir,
                                  const WorktreeMaker& maker) {
  std::vector<Worktree> marked;
  std::vector<Worktree> unmarked;
  for (const std::string& name : NamesIn(common_dir + "/worktrees")) {
    const std::string git_dir = GitDirOf(common_dir, name);
    const std::optional<int64_t> made = MadeAt(git_dir);
    // A mark of an older worktree is not this run's either.
    if (!made.has_value() || *made < maker.since) continue;
    const std::string mark = Line(absl::StrCat(git_dir, kMark));
    if (!mark.empty() && mark != maker.token) continue;
    std::optional<Worktree> worktree = Describe(git_dir, name, *made);
    if (!worktree.has_value()) continue;
    worktree->token = maker.token;
    if (!mark.empty()) {
      marked.push_back(*std::move(worktree));
    } else if (*made < maker.until &&
               IsBelowAny(worktree->path, maker.directories)) {
      unmarked.push_back(*std::move(worktree));
    }
  }
  // With hooks, a worktree without a mark belongs to another program.
  return marked.empty() ? unmarked : marked;
}

std::optional<Worktree> FindWorktree(const std::string& common_dir,
                                     const OrphanedWorktree& worktree) {
  const std::string git_dir = GitDirOf(common_dir, worktree.name);
  const std::optional<int64_t> made = MadeAt(git_dir);
  if (made != worktree.made) return std::nullopt;
  std::optional<Worktree> found = Describe(git_dir, worktree.name, *made);
  if (found.has_value()) found->token = worktree.token;
  return found;
}

absl::StatusOr<int> CountUncomparedFiles(const std::string& directory,
                                         Ticks give_up) {
  O8LOCK_ASSIGN_OR_RETURN(
      const std::string index,
      AskGit(directory, {"-c", "core.fsmonitor=false", "ls-files", "-v", "-z"},
             give_up));
  int count = 0;
  for (const absl::string_view entry : absl::StrSplit(index, '\0')) {
    if (entry.size() < 2 || entry[0] == 'H') continue;
    if (IdOf(absl::StrCat(directory, "/", entry.substr(2))).ok()) ++count;
  }
  return count;
}

absl::StatusOr<std::string> OwnReferences(const std::string& directory,
                                          Ticks give_up) {
  return AskGit(directory,
                {"for-each-ref", "--format=%(objectname)", "refs/worktree",
                 "refs/bisect", "refs/rewritten"},
                give_up);
}

namespace {

// The HEAD of `worktree`, for git in any worktree.
std::string HeadOf(const Worktree& worktree) {
  return absl::StrCat("worktrees/", worktree.name, "/HEAD");
}

// The past commits of the HEAD of `worktree`, and those of its own references.
absl::StatusOr<std::set<std::string>> PastCommits(const Location& location,
                                                  const Worktree& worktree,
                                                  Ticks give_up) {
  O8LOCK_ASSIGN_OR_RETURN(
      std::string past,
      AskGit(location, {"rev-list", "-g", HeadOf(worktree)}, give_up));
  if (!worktree.is_gone) {
    O8LOCK_ASSIGN_OR_RETURN(const std::string refs,
                            OwnReferences(worktree.path, give_up));
    absl::StrAppend(&past, "\n", refs);
  }
  return std::set<std::string>(absl::StrSplit(past, '\n', absl::SkipEmpty()));
}

// Counts the commits of the HEAD of `worktree` and of `commits` that would be
// lost with `worktree` and its branch.
absl::StatusOr<int> CountOwn(const Location& location, const Worktree& worktree,
                             const std::set<std::string>& commits,
                             Ticks give_up) {
  std::vector<std::string> count = {"rev-list", "--count", HeadOf(worktree)};
  count.insert(count.end(), commits.begin(), commits.end());
  count.emplace_back("--not");
  if (!worktree.branch.empty()) {
    count.push_back("--exclude=" + worktree.branch);
  }
  for (const char* refs : {"--branches", "--tags", "--remotes"}) {
    count.emplace_back(refs);
  }
  O8LOCK_ASSIGN_OR_RETURN(const std::string text,
                          AskGit(location, count, give_up));
  int own = 0;
  if (absl::SimpleAtoi(text, &own)) return own;
  return absl::InternalError(absl::StrCat("git rev-list --count: ", text));
}

// Sets the commits in `state`.
absl::Status CountCommits(const Location& location, const Worktree& worktree,
                          Ticks give_up, WorktreeState& state) {
  O8LOCK_ASSIGN_OR_RETURN(state.own_commits,
                          CountOwn(location, worktree, {}, give_up));
  O8LOCK_ASSIGN_OR_RETURN(const std::set<std::string> past,
                          PastCommits(location, worktree, give_up));
  O8LOCK_ASSIGN_OR_RETURN(const int all,
                          CountOwn(location, worktree, past, give_up));
  state.past_commits = all - state.own_commits;
  return absl::OkStatus();
}

}  // namespace

WorktreeState StateOf(const Location& location, const Worktree& worktree,
                      Ticks give_up) {
  WorktreeState state;
  absl::StatusOr<std::string> files = "";
  absl::StatusOr<int> uncompared = 0;
  if (!worktree.is_gone) {
    uncompared = CountUncomparedFiles(worktree.path, give_up);
    files =
        AskGit(worktree.path,
               {"--no-optional-locks", "-c", "core.fsmonitor=false", "status",
                "--porcelain", "--untracked-files=all", "--ignored=matching"},
               give_up);
  }
  const absl::Status commits = CountCommits(location, worktree, give_up, state);
  for (const absl::Status& status :
       {files.status(), uncompared.status(), commits}) {
    if (status.ok()) continue;
    state.problem = std::string(status.message());
    return state;
  }
  state.uncommitted_files = *uncompared;
  for (const absl::string_view line :
       absl::StrSplit(*files, '\n', absl::SkipEmpty())) {
    ++(absl::StartsWith(line, "!!") ? state.ignored_files
                                    : state.uncommitted_files);
  }
  return state;
}

}  // namespace o8lock
