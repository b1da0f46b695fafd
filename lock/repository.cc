// SPDX-License-Identifier: Apache-2.0
#include "lock/repository.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "lock/file.h"
#include "lock/git_config.h"
#include "lock/status.h"

namespace o8lock {
namespace {

absl::string_view Parent(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

// What lstat(2) says of `path`; nothing if there is no such name. Any other
// failure is an error: taken for "not there" it would make another lock of
// this.
absl::StatusOr<std::optional<struct stat>> Look(const std::string& path) {
  struct stat info;
  if (lstat(path.c_str(), &info) == 0) return info;
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  return ErrnoStatus(errno, "stat", path);
}

absl::StatusOr<bool> Exists(const std::string& path) {
  O8LOCK_ASSIGN_OR_RETURN(const std::optional<struct stat> info, Look(path));
  return info.has_value();
}

// What a file of git's says without the end of its line. A name may end with a
// blank.
absl::string_view WithoutLineEnd(absl::string_view text) {
  return text.substr(0, text.find_last_not_of("\r\n") + 1);  // npos + 1 is 0.
}

// What git looks at to know a git directory; that of a linked worktree has its
// objects elsewhere.
absl::StatusOr<bool> IsGitDirectory(const std::string& path) {
  O8LOCK_ASSIGN_OR_RETURN(const bool has_head, Exists(path + "/HEAD"));
  if (!has_head) return false;
  O8LOCK_ASSIGN_OR_RETURN(const bool has_objects, Exists(path + "/objects"));
  if (has_objects) return true;
  return Exists(path + "/commondir");
}

absl::StatusOr<bool> HasObjects(const std::string& path) {
  return Exists(path + "/objects");
}

// The git directory that `file` names as `target`, relative to `directory`;
// kFailedPrecondition where `is_one` says that it is none.
absl::StatusOr<std::string> LeadsTo(
    const std::string& file, const std::string& directory,
    absl::string_view target,
    absl::StatusOr<bool> (*is_one)(const std::string&)) {
  absl::StatusOr<std::string> path = Canonical(JoinPath(directory, target));
  bool leads = false;
  if (path.ok()) {
    O8LOCK_ASSIGN_OR_RETURN(leads, is_one(*path));
  } else if (!absl::IsNotFound(path.status()) &&
             !absl::IsFailedPrecondition(path.status())) {
    return path.status();
  }
  if (leads) return path;
  return absl::FailedPreconditionError(absl::StrCat(
      "'", file, "' names a git directory that is none: '", target, "'"));
}

// The content of `path`; empty if there is no such file.
absl::StatusOr<std::string> ReadIfThere(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (absl::IsNotFound(text.status())) return "";
  return text;
}

// `git_dir` was found in the worktree `worktree` (empty: the search began
// inside of it).
absl::StatusOr<Repository> Describe(std::string git_dir,
                                    absl::string_view worktree) {
  Repository repository;
  const absl::StatusOr<std::string> common = ReadFile(git_dir + "/commondir");
  const bool linked = common.ok();
  if (linked) {
    O8LOCK_ASSIGN_OR_RETURN(repository.common_dir,
                            LeadsTo(git_dir + "/commondir", git_dir,
                                    WithoutLineEnd(*common), HasObjects));
  } else if (absl::IsNotFound(common.status())) {
    repository.common_dir = std::move(git_dir);
  } else {
    return common.status();
  }
  const std::string& common_dir = repository.common_dir;
  GitConfig config;
  O8LOCK_ASSIGN_OR_RETURN(const std::string text,
                          ReadIfThere(common_dir + "/config"));
  config.Read(text);
  repository.hooks_path = config.hooks_path;
  repository.publish = config.publish;
  if (config.worktree_config) {
    O8LOCK_ASSIGN_OR_RETURN(const std::string more,
                            ReadIfThere(common_dir + "/config.worktree"));
    config.Read(more);
  }
  if (config.bare) return repository;
  if (config.worktree.has_value()) {
    absl::StatusOr<std::string> configured =
        Canonical(JoinPath(common_dir, *config.worktree));
    if (configured.ok()) {
      repository.main_worktree = *std::move(configured);
    } else if (!absl::IsNotFound(configured.status())) {
      return configured.status();
    }
  } else if (!linked && !worktree.empty()) {
    repository.main_worktree = std::string(worktree);
  } else if (BaseName(common_dir) == ".git") {
    repository.main_worktree = std::string(Parent(common_dir));
  }
  return repository;
}

// The git directory that the entry `dot_git`, known to exist, leads to;
// nothing if it is a directory but none of git's, which git passes by too.
absl::StatusOr<std::optional<std::string>> Follow(const std::string& dot_git,
                                                  mode_t mode) {
  std::string path = dot_git;
  if (S_ISLNK(mode)) {
    O8LOCK_ASSIGN_OR_RETURN(path, Canonical(dot_git));
    struct stat target;
    if (stat(path.c_str(), &target) != 0) {
      return ErrnoStatus(errno, "stat", path);
    }
    mode = target.st_mode;
  }
  if (S_ISDIR(mode)) {
    O8LOCK_ASSIGN_OR_RETURN(const bool is_git_directory, IsGitDirectory(path));
    if (!is_git_directory) return std::nullopt;
    return path;
  }
  O8LOCK_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  absl::string_view target = WithoutLineEnd(text);
  if (!absl::ConsumePrefix(&target, "gitdir: ")) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", path, "' does not name a git directory"));
  }
  O8LOCK_ASSIGN_OR_RETURN(
      std::string git_dir,
      LeadsTo(path, std::string(Parent(path)), target, IsGitDirectory));
  return git_dir;
}

// Whether between two directories, one of them in the other, there is for
// certain no border of a file system: a mount is in one place, so that what is
// above and below another one is not the same. Subvolumes differ by their
// devices.
bool IsOneMount(const struct statx& a, const struct statx& b) {
  return (a.stx_mask & b.stx_mask & STATX_MNT_ID) != 0 &&
         a.stx_mnt_id == b.stx_mnt_id && a.stx_dev_major == b.stx_dev_major &&
         a.stx_dev_minor == b.stx_dev_minor;
}

// A directory above `directory`, and so above the current one, that is on the
// current one's mount: the root, or half the way to it, or half of that...;
// empty if not even the next one is for certain.
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

// The nearest directory above `directory` that may be a repository or have one,
// at most `last`. `start` is the current directory, and in `directory`: the
// kernel is quicker with "../../.git" than with the whole of a name.
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

}  // namespace

absl::StatusOr<std::optional<Repository>> FindRepository(
    const std::string& start, bool is_current) {
  struct stat info;
  if (stat(start.c_str(), &info) != 0) return ErrnoStatus(errno, "stat", start);
  const dev_t device = info.st_dev;
  for (std::string directory = start;;) {
    const std::string dot_git = JoinPath(directory, ".git");
    O8LOCK_ASSIGN_OR_RETURN(const std::optional<struct stat> entry,
                            Look(dot_git));
    if (entry.has_value()) {
      O8LOCK_ASSIGN_OR_RETURN(std::optional<std::string> git_dir,
                              Follow(dot_git, entry->st_mode));
      if (git_dir.has_value()) {
        return Describe(*std::move(git_dir), directory);
      }
    }
    O8LOCK_ASSIGN_OR_RETURN(const bool is_git_directory,
                            IsGitDirectory(directory));
    if (is_git_directory) return Describe(directory, "");
    if (directory == "/") return std::nullopt;
    // Beyond a border nothing must be looked for.
    const std::string last = is_current ? AboveOnThisMount(directory) : "";
    if (!last.empty()) {
      directory = NextCandidate(start, directory, last);
      continue;
    }
    const std::string parent = JoinPath(directory, "..");
    if (stat(parent.c_str(), &info) != 0) {
      return ErrnoStatus(errno, "stat", parent);
    }
    if (info.st_dev != device) return std::nullopt;
    directory = std::string(Parent(directory));
  }
}

absl::StatusOr<std::optional<Repository>> FindRepositoryByGitDir(
    const std::string& git_dir, const std::string& directory) {
  O8LOCK_ASSIGN_OR_RETURN(
      const std::string canonical,
      LeadsTo("GIT_DIR", directory, git_dir, IsGitDirectory));
  // Where .git is a file its directory does not tell the worktree; a hook is
  // mostly started in it.
  const std::string dot_git = JoinPath(directory, ".git");
  O8LOCK_ASSIGN_OR_RETURN(const std::optional<struct stat> entry,
                          Look(dot_git));
  if (entry.has_value()) {
    O8LOCK_ASSIGN_OR_RETURN(const std::optional<std::string> found,
                            Follow(dot_git, entry->st_mode));
    if (found == canonical) return Describe(canonical, directory);
  }
  return Describe(canonical, "");
}

}  // namespace o8lock
