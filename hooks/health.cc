// SPDX-License-Identifier: Apache-2.0
#include "hooks/health.h"

#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "hooks/git.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/process.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// A younger lock file most likely belongs to a running command.
constexpr int64_t kOldSeconds = 60;

constexpr int kIsIgnored = 0;
constexpr int kIsNotIgnored = 1;

// Runs `git check-ignore` with `flag`. Exit codes other than the two above are
// errors.
absl::StatusOr<ProgramResult> CheckIgnore(const std::string& directory,
                                          std::vector<std::string> args,
                                          const std::string& flag,
                                          const std::string& name) {
  args.insert(args.end(), {"check-ignore", flag, "--", name});
  O8LOCK_ASSIGN_OR_RETURN(ProgramResult result, RunGit(directory, args));
  if (result.exit_code == kIsIgnored || result.exit_code == kIsNotIgnored) {
    return result;
  }
  return absl::InternalError(absl::StrCat("git check-ignore: ", result.err));
}

bool IsLink(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

// The git directories of the linked worktrees.
std::vector<std::string> LinkedGitDirs(const std::string& common_dir) {
  std::vector<std::string> directories;
  const std::string worktrees = common_dir + "/worktrees";
  for (const std::string& name : NamesIn(worktrees)) {
    directories.push_back(absl::StrCat(worktrees, "/", name));
  }
  return directories;
}

bool IsOpen(const FileId& file) {
  return absl::c_any_of(Processes(),
                        [&file](int pid) { return HasOpen(pid, file); });
}

}  // namespace

absl::StatusOr<FileInGit> InspectFile(const Location& location,
                                      const std::string& file) {
  const std::string& worktree = location.main_worktree;
  std::string directory = file.substr(0, file.rfind('/') + 1);
  std::vector<std::string> args;
  if (!worktree.empty()) {
    directory = worktree;
    // For core.worktree: that worktree has no .git.
    args = {"--git-dir", location.common_dir, "--work-tree", worktree};
  }
  // The leading dot keeps git from giving the name a special meaning.
  const std::string name = absl::StrCat(
      ".", absl::StartsWith(file.substr(directory.size()), "/") ? "" : "/",
      file.substr(directory.size()));
  std::vector<std::string> list = args;
  list.insert(list.end(), {"ls-files", "-z", "--", name});
  O8LOCK_ASSIGN_OR_RETURN(const std::string listed, AskGit(directory, list));
  const std::vector<absl::string_view> tracked = absl::StrSplit(listed, '\0');
  FileInGit found;
  // There may be other results: git also reads the name as a pattern.
  found.tracked = absl::c_linear_search(tracked, name.substr(2));
  // Git sees no file beyond a link.
  if (!worktree.empty() && IsLink(file.substr(0, file.rfind('/')))) {
    found.ignored = true;
    return found;
  }
  O8LOCK_ASSIGN_OR_RETURN(const ProgramResult ignored,
                          CheckIgnore(directory, args, "--quiet", name));
  found.ignored = ignored.exit_code == kIsIgnored;
  if (found.ignored) return found;
  O8LOCK_ASSIGN_OR_RETURN(const ProgramResult pattern,
                          CheckIgnore(directory, args, "--verbose", name));
  found.unignored_by = pattern.out.substr(0, pattern.out.rfind('\t'));
  return found;
}

std::vector<GitLock> OldGitLocks(const Location& location) {
  std::vector<std::string> directories = LinkedGitDirs(location.common_dir);
  directories.insert(directories.begin(), location.common_dir);
  std::vector<GitLock> locks;
  for (const std::string& directory : directories) {
    for (const absl::string_view name :
         {"index.lock", "config.lock", "HEAD.lock", "packed-refs.lock"}) {
      const std::string path = absl::StrCat(directory, "/", name);
      struct stat info;
      if (lstat(path.c_str(), &info) != 0) continue;
      const int64_t age = time(nullptr) - info.st_mtim.tv_sec;
      if (age > kOldSeconds && !IsOpen({info.st_dev, info.st_ino})) {
        locks.push_back({path, age});
      }
    }
  }
  return locks;
}

std::vector<int> GitCommands(const Location& location) {
  std::vector<int> commands;
  for (const int pid : Processes()) {
    if (ProgramOf(pid) != "git") continue;
    LocateOptions options;
    options.directory = DirectoryOf(pid);
    if (options.directory.empty()) continue;
    const absl::StatusOr<Location> its = Locate(options);
    if (its.ok() && its->common_dir == location.common_dir) {
      commands.push_back(pid);
    }
  }
  return commands;
}

}  // namespace o8lock
