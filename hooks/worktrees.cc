// SPDX-License-Identifier: Apache-2.0
#include "hooks/worktrees.h"

#include <sys/stat.h>

#include <cstdint>
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
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/files.h"
#include "hooks/git.h"
#include "lock/file.h"
#include "lock/git_directory.h"
#include "lock/holder.h"
#include "lock/process.h"
#include "lock/status.h"

namespace o8lock {
namespace {

constexpr absl::string_view kMark = "/o8lock";

// What a file of git's says without the end of its line; empty if it cannot be
// read.
std::string Line(const std::string& path) {
  std::string text = ReadGitFile(path).value_or("");
  return std::string(absl::StripSuffix(text, "\n"));
}

std::string GitDirOf(const std::string& common_dir, absl::string_view name) {
  return absl::StrCat(common_dir, "/worktrees/", name);
}

// When the worktree was added whose own directory in git's list is `git_dir`.
std::optional<int64_t> MadeAt(const std::string& git_dir) {
  // Written once, when the worktree is made.
  struct stat info;
  if (stat((git_dir + "/commondir").c_str(), &info) != 0) return std::nullopt;
  return Nanoseconds(info.st_mtim);
}

// The worktree called `name`, made at `made`.
std::optional<Worktree> Describe(const std::string& git_dir,
                                 const std::string& name, int64_t made) {
  Worktree worktree;
  worktree.path = WorktreeOf(git_dir);
  if (worktree.path.empty()) return std::nullopt;
  const std::string head = Line(git_dir + "/HEAD");
  absl::string_view branch = head;
  if (absl::ConsumePrefix(&branch, "ref: refs/heads/")) {
    worktree.branch = std::string(branch);
  }
  worktree.name = name;
  worktree.made = made;
  return worktree;
}

bool IsBelow(absl::string_view path,
             const std::vector<std::string>& directories) {
  return absl::c_any_of(directories, [path](const std::string& directory) {
    return absl::StartsWith(path, directory + "/");
  });
}

// How many `git ARGS...` counts in `worktree`, or the problem in `state`.
int CountIn(const Worktree& worktree, const std::vector<std::string>& args,
            bool lines, WorktreeState& state) {
  const absl::StatusOr<std::string> out = AskGit(worktree.path, args);
  if (!out.ok()) {
    state.problem = std::string(out.status().message());
    return 0;
  }
  int count = 0;
  if (!lines) {
    static_cast<void>(absl::SimpleAtoi(*out, &count));
    return count;
  }
  if (out->empty()) return 0;
  return static_cast<int>(absl::c_count(*out, '\n')) + 1;
}

}  // namespace

std::string WorktreeOf(const std::string& git_dir) {
  const std::string line = Line(git_dir + "/gitdir");
  if (line.empty()) return "";
  // Git 2.48 and newer can write it relative to the directory.
  const std::string link = JoinPath(git_dir, line);
  return Canonical(std::string(absl::StripSuffix(link, "/.git"))).value_or("");
}

absl::Status MarkWorktree(const std::string& directory,
                          const std::string& token) {
  O8LOCK_ASSIGN_OR_RETURN(const std::optional<GitDirectory> git,
                          FollowDotGit(directory + "/.git"));
  if (!git.has_value() || !git->is_linked) {
    return absl::NotFoundError(
        absl::StrCat("'", directory, "' is no linked worktree"));
  }
  return PutFile(absl::StrCat(git->path, kMark), token + "\n", 0666);
}

std::vector<Worktree> WorktreesBy(const std::string& common_dir,
                                  const WorktreeMaker& maker) {
  std::vector<Worktree> found;
  for (const std::string& name : NamesIn(common_dir + "/worktrees")) {
    const std::string git_dir = GitDirOf(common_dir, name);
    const std::optional<int64_t> made = MadeAt(git_dir);
    // A mark of an older worktree is not this run's either.
    if (!made.has_value() || *made < maker.since) continue;
    const std::string mark = Line(absl::StrCat(git_dir, kMark));
    if (!mark.empty() && mark != maker.token) continue;
    std::optional<Worktree> worktree = Describe(git_dir, name, *made);
    if (worktree.has_value() &&
        (!mark.empty() || IsBelow(worktree->path, maker.directories))) {
      found.push_back(*std::move(worktree));
    }
  }
  return found;
}

std::vector<Worktree> FindWorktrees(
    const std::string& common_dir,
    const std::vector<OrphanedWorktree>& worktrees) {
  std::vector<Worktree> found;
  for (const OrphanedWorktree& wanted : worktrees) {
    const std::string git_dir = GitDirOf(common_dir, wanted.name);
    const std::optional<int64_t> made = MadeAt(git_dir);
    if (made != wanted.made) continue;
    std::optional<Worktree> worktree = Describe(git_dir, wanted.name, *made);
    if (worktree.has_value()) found.push_back(*std::move(worktree));
  }
  return found;
}

WorktreeState StateOf(const Worktree& worktree) {
  WorktreeState state;
  state.uncommitted_files =
      CountIn(worktree,
              {"--no-optional-locks", "-c", "core.fsmonitor=false", "status",
               "--porcelain"},
              /*lines=*/true, state);
  std::vector<std::string> elsewhere = {"rev-list", "--count", "HEAD", "--not"};
  if (!worktree.branch.empty()) {
    elsewhere.push_back("--exclude=" + worktree.branch);
  }
  for (const char* refs : {"--branches", "--tags", "--remotes"}) {
    elsewhere.emplace_back(refs);
  }
  state.own_commits = CountIn(worktree, elsewhere, /*lines=*/false, state);
  return state;
}

}  // namespace o8lock
