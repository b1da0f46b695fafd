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
#include "absl/strings/strip.h"
#include "hooks/files.h"
#include "hooks/git.h"
#include "hooks/git_settings.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/process.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// A younger lock file most likely belongs to a running command.
constexpr int64_t kOldSeconds = 60;

bool IsOpen(const FileId& file) {
  return absl::c_any_of(Processes(),
                        [&file](int pid) { return HasOpen(pid, file); });
}

// The pattern in FILE:LINE:PATTERN; empty in "::". FILE may contain colons.
absl::string_view PatternIn(absl::string_view rule) {
  size_t colon = rule.find(':');
  while (colon != rule.npos) {
    const size_t end = rule.find_first_not_of("0123456789", colon + 1);
    if (end == rule.npos) break;
    if (end > colon + 1 && rule[end] == ':') return rule.substr(end + 1);
    colon = rule.find(':', colon + 1);
  }
  return "";
}

// Fills in how the files `names` are ignored in `directory`. `args` are for
// git.
absl::Status CheckIgnore(const std::string& directory,
                         std::vector<std::string> args,
                         const std::vector<std::string>& names,
                         const std::vector<FileInGit*>& files) {
  if (names.empty()) return absl::OkStatus();
  args.insert(args.end(),
              {"check-ignore", "--verbose", "--non-matching", "--"});
  args.insert(args.end(), names.begin(), names.end());
  O8LOCK_ASSIGN_OR_RETURN(const ProgramResult result, RunGit(directory, args));
  // For each name FILE:LINE:PATTERN, a tab, and the name.
  const std::vector<std::string> lines =
      absl::StrSplit(result.out, '\n', absl::SkipEmpty());
  if (lines.size() != names.size()) {
    return absl::InternalError(absl::StrCat("git check-ignore: ", result.err));
  }
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string rule = lines[i].substr(0, lines[i].rfind('\t'));
    const absl::string_view pattern = PatternIn(rule);
    if (absl::StartsWith(pattern, "!")) {
      files[i]->unignored_by = rule;
    } else {
      files[i]->ignored = !pattern.empty();
    }
  }
  return absl::OkStatus();
}

// Inspects `files`, all below `directory`. `args` are for git.
absl::StatusOr<std::vector<FileInGit>> InspectIn(
    const std::string& directory, const std::vector<std::string>& args,
    const std::vector<std::string>& files) {
  // Without names git would list all files.
  if (files.empty()) return std::vector<FileInGit>();
  std::vector<std::string> names;
  names.reserve(files.size());
  for (const std::string& file : files) {
    // The leading dot keeps git from giving the name a special meaning.
    names.push_back(absl::StrCat(
        "./", absl::StripPrefix(file.substr(directory.size()), "/")));
  }
  std::vector<std::string> list = args;
  list.insert(list.end(), {"ls-files", "-z", "--"});
  list.insert(list.end(), names.begin(), names.end());
  O8LOCK_ASSIGN_OR_RETURN(const std::string listed, AskGit(directory, list));
  // There may be other results: git also reads a name as a pattern.
  const std::vector<absl::string_view> tracked = absl::StrSplit(listed, '\0');
  std::vector<FileInGit> found(files.size());
  std::vector<std::string> visible;
  std::vector<FileInGit*> visible_files;
  for (size_t i = 0; i < files.size(); ++i) {
    found[i].tracked = absl::c_linear_search(tracked, names[i].substr(2));
    const std::string parent = ParentOf(files[i]);
    // Git sees no file beyond a link.
    if (parent != directory && IsLink(parent)) {
      found[i].ignored = true;
    } else {
      visible.push_back(names[i]);
      visible_files.push_back(&found[i]);
    }
  }
  O8LOCK_RETURN_IF_ERROR(CheckIgnore(directory, args, visible, visible_files));
  return found;
}

}  // namespace

absl::StatusOr<std::vector<FileInGit>> InspectFiles(
    const Location& location, const std::vector<std::string>& files) {
  const std::string& worktree = location.main_worktree;
  if (!worktree.empty()) {
    // For core.worktree: that worktree has no .git.
    return InspectIn(
        worktree, {"--git-dir", location.common_dir, "--work-tree", worktree},
        files);
  }
  std::vector<FileInGit> found;
  for (const std::string& file : files) {
    const std::string parent = ParentOf(file);
    O8LOCK_ASSIGN_OR_RETURN(
        const std::vector<FileInGit> one,
        InspectIn(parent.empty() ? "/" : parent, {}, {file}));
    found.push_back(one[0]);
  }
  return found;
}

std::vector<GitLock> OldGitLocks(const Location& location) {
  std::vector<std::string> paths;
  for (const char* name : {"/config.lock", "/packed-refs.lock"}) {
    paths.push_back(location.common_dir + name);
  }
  for (const std::string& directory : GitDirectories(location)) {
    paths.push_back(directory + "/index.lock");
    paths.push_back(directory + "/HEAD.lock");
  }
  std::vector<GitLock> locks;
  for (const std::string& path : paths) {
    struct stat info;
    if (lstat(path.c_str(), &info) != 0) continue;
    const int64_t age = time(nullptr) - info.st_mtim.tv_sec;
    if (age > kOldSeconds && !IsOpen({info.st_dev, info.st_ino})) {
      locks.push_back({path, age});
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
