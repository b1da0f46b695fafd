// SPDX-License-Identifier: Apache-2.0
#include "lock/repository.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "lock/file.h"
#include "lock/git_config.h"
#include "lock/git_directory.h"
#include "lock/status.h"

namespace o8lock {
namespace {

absl::string_view Parent(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

// A git directory and the worktree around it; empty: found from inside the git
// directory.
struct Found {
  GitDirectory git;
  std::string worktree;
};

absl::Status ReadConfig(const std::string& path, GitConfig& config) {
  const absl::StatusOr<std::string> text = ReadGitFile(path);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  if (!text.ok()) return text.status();
  return config.Read(*text, path);
}

// Fails unless every version of git accepts the format of `config`.
absl::Status CheckFormat(const GitConfig& config, bool any_extensions) {
  if (config.format_version > 1) {
    return absl::FailedPreconditionError(absl::StrCat(
        "Expected git repo version <= 1, found ", config.format_version));
  }
  if (config.format_version == 0 && !config.v1_extensions.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("repo version is 0, but v1-only extension found: ",
                     config.v1_extensions[0]));
  }
  if (config.format_version == 1 && !config.new_extensions.empty() &&
      !any_extensions) {
    return absl::FailedPreconditionError(absl::StrCat(
        "unknown repository extension found: ", config.new_extensions[0]));
  }
  return absl::OkStatus();
}

// The directory of core.worktree; empty if it does not exist.
absl::StatusOr<std::string> ConfiguredWorktree(const GitDirectory& git,
                                               const std::string& configured) {
  absl::StatusOr<std::string> path =
      RealPath(JoinPath(git.common_dir, configured));
  if (path.ok() || git.is_linked) return path.value_or("");
  if (!absl::StartsWith(configured, "/")) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot chdir to '", configured, "'"));
  }
  if (absl::IsNotFound(path.status())) return "";
  return path;
}

absl::StatusOr<Repository> Describe(const Found& found, bool any_extensions) {
  const std::string& common_dir = found.git.common_dir;
  GitConfig config;
  O8LOCK_RETURN_IF_ERROR(ReadConfig(common_dir + "/config", config));
  Repository repository;
  repository.publish = config.publish;
  repository.leftovers = config.leftovers;
  if (config.format_version < 0) {
    config = GitConfig();
  } else {
    O8LOCK_RETURN_IF_ERROR(CheckFormat(config, any_extensions));
    if (config.worktree_config) {
      const absl::Status main =
          ReadConfig(common_dir + "/config.worktree", config);
      // A linked worktree has its own file, and git does not read this one.
      GitConfig own;
      O8LOCK_RETURN_IF_ERROR(
          found.git.is_linked
              ? ReadConfig(found.git.path + "/config.worktree", own)
              : main);
    }
  }
  repository.common_dir = common_dir;
  repository.worktree = found.worktree;
  repository.is_bare = config.bare.value_or(false);
  if (repository.is_bare) return repository;
  repository.is_in_main_worktree =
      !found.git.is_linked && !found.worktree.empty();
  if (config.worktree.has_value()) {
    O8LOCK_ASSIGN_OR_RETURN(repository.main_worktree,
                            ConfiguredWorktree(found.git, *config.worktree));
    if (!found.git.is_linked) repository.worktree = repository.main_worktree;
  } else if (BaseName(common_dir) == ".git") {
    repository.main_worktree = JoinPath("/", Parent(common_dir));
  }
  return repository;
}

// The git directory git finds in `directory` itself.
absl::StatusOr<std::optional<Found>> FindIn(const std::string& directory) {
  O8LOCK_ASSIGN_OR_RETURN(std::optional<GitDirectory> git,
                          FollowDotGit(JoinPath(directory, ".git")));
  if (git.has_value()) return Found{*std::move(git), directory};
  O8LOCK_ASSIGN_OR_RETURN(git, FindGitDirectory(directory));
  if (!git.has_value()) return std::nullopt;
  return Found{*std::move(git), ""};
}

// The length of the path of the directory ending the search from `start`; -1:
// there is no such directory.
int CeilingLength(absl::string_view start, const std::string& directories) {
  if (start == "/" || directories.empty()) return -1;
  int longest = -1;
  bool resolve = true;  // up to an empty entry
  for (const absl::string_view entry : absl::StrSplit(directories, ':')) {
    if (entry.empty()) resolve = false;
    if (!absl::StartsWith(entry, "/")) continue;
    std::string ceiling(entry);
    if (resolve) ceiling = Canonical(ceiling).value_or("");
    if (ceiling == "/") {
      longest = std::max(longest, 0);
    } else if (!ceiling.empty() &&
               absl::StartsWith(start, absl::StrCat(ceiling, "/"))) {
      longest = std::max(longest, static_cast<int>(ceiling.size()));
    }
  }
  return longest;
}

// Whether there is certainly no file-system boundary between two directories,
// one of them in the other. A mount is in one place: the directories above and
// below another mount are on different mounts. Subvolumes have different
// devices.
bool IsOneMount(const struct statx& a, const struct statx& b) {
  return (a.stx_mask & b.stx_mask & STATX_MNT_ID) != 0 &&
         a.stx_mnt_id == b.stx_mnt_id && a.stx_dev_major == b.stx_dev_major &&
         a.stx_dev_minor == b.stx_dev_minor;
}

// A directory above `directory`, so above the current one, on the current one's
// mount: the root, or half the way up to it, or half of this...; empty if even
// the parent is uncertain.
std::string AboveOnThisMount(absl::string_view directory) {
  struct statx here;
  if (statx(AT_FDCWD, ".", 0, STATX_MNT_ID, &here) != 0) return "";
  for (auto levels = absl::c_count(directory, '/'); levels > 0; levels /= 2) {
    absl::string_view above = directory;
    for (auto i = levels; i > 0; --i) above = Parent(above);
    std::string path(above);
    struct statx there;
    if (statx(AT_FDCWD, path.c_str(), 0, STATX_MNT_ID, &there) == 0 &&
        IsOneMount(here, there)) {
      return path;
    }
  }
  return "";
}

// The nearest directory above `directory`, at most `last`, that may be or
// contain a repository. `start` is the current directory and is below
// `directory`: the kernel resolves "../../.git" faster than a full path.
std::string NextCandidate(absl::string_view start, absl::string_view directory,
                          absl::string_view last) {
  std::string up;
  for (const char c : start.substr(directory.size())) {
    if (c == '/') up += "../";
  }
  const auto is_missing = [&up](const char* name) {
    struct stat info;
    return lstat((up + name).c_str(), &info) != 0 &&
           (errno == ENOENT || errno == ENOTDIR);
  };
  do {
    directory = Parent(directory);
    up += "../";
  } while (directory != last && is_missing(".git") && is_missing("HEAD"));
  return std::string(directory);
}

// The directory to search after `directory`; nothing: git stops before it.
// `device` is the device of `start`.
absl::StatusOr<std::optional<std::string>> NextDirectory(
    const std::string& start, const std::string& directory, bool is_current,
    const Discovery& discovery, dev_t device) {
  const std::string last = !is_current ? ""
                           : discovery.across_filesystems
                               ? "/"
                               : AboveOnThisMount(directory);
  if (!last.empty()) return NextCandidate(start, directory, last);
  std::string parent(Parent(directory));
  if (discovery.across_filesystems) return parent;
  struct stat info;
  if (stat(parent.c_str(), &info) != 0) {
    return ErrnoStatus(errno, "stat", parent);
  }
  if (info.st_dev != device) return std::nullopt;
  return parent;
}

}  // namespace

absl::StatusOr<std::optional<Repository>> FindRepository(
    const std::string& start, bool is_current, const Discovery& discovery) {
  struct stat info;
  if (stat(start.c_str(), &info) != 0) return ErrnoStatus(errno, "stat", start);
  const int ceiling = CeilingLength(start, discovery.ceiling_directories);
  for (std::string directory = start;;) {
    O8LOCK_ASSIGN_OR_RETURN(const std::optional<Found> found,
                            FindIn(directory));
    if (found.has_value()) return Describe(*found, discovery.any_extensions);
    if (directory == "/") return std::nullopt;
    O8LOCK_ASSIGN_OR_RETURN(
        std::optional<std::string> next,
        NextDirectory(start, directory, is_current, discovery, info.st_dev));
    if (!next.has_value()) return std::nullopt;
    directory = *std::move(next);
    const int length =
        directory == "/" ? 0 : static_cast<int>(directory.size());
    if (length <= ceiling) return std::nullopt;
  }
}

absl::StatusOr<std::optional<Repository>> FindRepositoryByGitDir(
    const std::string& git_dir, const std::string& directory) {
  const std::string path = JoinPath(directory, git_dir);
  const absl::StatusOr<std::string> canonical = Canonical(path);
  std::optional<GitDirectory> git;
  if (canonical.ok()) {
    O8LOCK_ASSIGN_OR_RETURN(git, FindGitDirectory(*canonical));
  }
  if (!git.has_value()) {
    return absl::FailedPreconditionError(
        absl::StrCat("not a git repository: ", path));
  }
  // If .git is a file, its directory does not know the worktree. A hook is
  // usually started in the worktree.
  const absl::StatusOr<std::optional<GitDirectory>> here =
      FollowDotGit(JoinPath(directory, ".git"));
  const bool is_here =
      here.ok() && here->has_value() && (*here)->path == git->path;
  return Describe({*std::move(git), is_here ? directory : ""},
                  /*any_extensions=*/true);
}

bool IsMainWorktree(const std::string& directory,
                    const std::string& common_dir) {
  const absl::StatusOr<std::optional<GitDirectory>> git =
      FollowDotGit(JoinPath(directory, ".git"));
  return git.ok() && git->has_value() && (*git)->path == common_dir;
}

}  // namespace o8lock
