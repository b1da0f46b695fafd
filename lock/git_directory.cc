// SPDX-License-Identifier: Apache-2.0
#include "lock/git_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "lock/file.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// Git's limits for a .git file and for the beginning of HEAD.
constexpr size_t kMaxGitFile = 1 << 20;
constexpr size_t kMaxHead = 255;
// The number of hexadecimal digits of SHA-1 names. SHA-256 names are longer.
constexpr size_t kShortestName = 40;

// Whether git ignores a file after `error`. After any other error the file may
// exist, and o8lock must not use another directory as the repository.
bool IsPassedBy(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES ||
         error == ELOOP || error == ENAMETOOLONG || error == ENXIO;
}

absl::Status Broken(absl::string_view reason, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(reason, what));
}

// `text` without its line end. Git treats it as a C string. A name may end with
// a blank.
std::string FirstLine(const std::string& text) {
  const std::string line = text.substr(0, text.find_last_not_of("\r\n") + 1);
  return line.substr(0, line.find('\0'));
}

absl::StatusOr<std::string> Read(const Fd& fd, const std::string& path,
                                 size_t most) {
  std::string text;
  std::array<char, 4096> buffer;
  while (text.size() < most) {
    const size_t wanted = std::min(buffer.size(), most - text.size());
    const ssize_t got = read(fd.get(), buffer.data(), wanted);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "read", path);
    if (got == 0) break;
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  return text;
}

// Whether `head` is a HEAD: a link to a reference, a reference's name, or an
// object's name.
absl::StatusOr<bool> IsHead(const std::string& head) {
  std::array<char, kMaxHead> target;
  const ssize_t size = readlink(head.c_str(), target.data(), target.size());
  if (size >= 0) {
    return absl::StartsWith(
        absl::string_view(target.data(), static_cast<size_t>(size)), "refs/");
  }
  if (errno != EINVAL) {
    if (IsPassedBy(errno)) return false;
    return ErrnoStatus(errno, "read link", head);
  }
  int error = 0;
  absl::StatusOr<Fd> fd = OpenAwaitingLease(head, O_RDONLY, 0, &error);
  if (!fd.ok() && IsPassedBy(error)) return false;
  if (!fd.ok()) return fd.status();
  struct stat info;
  if (fstat(fd->get(), &info) != 0) return ErrnoStatus(errno, "stat", head);
  if (S_ISDIR(info.st_mode)) return false;
  O8LOCK_ASSIGN_OR_RETURN(const std::string text, Read(*fd, head, kMaxHead));
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "ref:")) {
    rest.remove_prefix(
        std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
    if (absl::StartsWith(rest, "refs/")) return true;
  }
  return text.size() >= kShortestName &&
         std::all_of(text.begin(), text.begin() + kShortestName, [](char c) {
           return absl::ascii_isxdigit(static_cast<unsigned char>(c));
         });
}

// Completes `directory` with its common directory. False if this is missing.
absl::StatusOr<bool> FindCommonDir(GitDirectory& directory) {
  directory.common_dir = directory.path;
  const std::string file = directory.path + "/commondir";
  struct stat info;
  if (lstat(file.c_str(), &info) != 0) {
    if (IsPassedBy(errno)) return true;
    return ErrnoStatus(errno, "stat", file);
  }
  directory.is_linked = true;
  const absl::StatusOr<std::string> text = ReadGitFile(file);
  if (!text.ok() || text->empty()) return Broken("failed to read ", file);
  const std::string path = JoinPath(directory.path, FirstLine(*text));
  absl::StatusOr<std::string> common = RealPath(path);
  if (absl::IsNotFound(common.status())) return false;
  if (!common.ok()) return common.status();
  directory.common_dir = *std::move(common);
  return true;
}

absl::StatusOr<bool> IsSearchable(const std::string& path) {
  if (access(path.c_str(), X_OK) == 0) return true;
  if (IsPassedBy(errno)) return false;
  return ErrnoStatus(errno, "look into", path);
}

// The path in the file `.git`, relative to `directory`.
absl::StatusOr<std::string> ReadDotGit(const std::string& dot_git,
                                       const std::string& directory) {
  const absl::StatusOr<std::string> text =
      ReadGitFile(dot_git, kMaxGitFile + 1);
  if (!text.ok()) return Broken("error opening ", dot_git);
  if (text->size() > kMaxGitFile) {
    return Broken("too large to be a .git file: ", dot_git);
  }
  absl::string_view target = *text;
  if (!absl::ConsumePrefix(&target, "gitdir: ")) {
    return Broken("invalid gitfile format: ", dot_git);
  }
  const std::string path = FirstLine(std::string(target));
  if (path.empty()) return Broken("no path in gitfile: ", dot_git);
  return JoinPath(directory, path);
}

}  // namespace

absl::StatusOr<std::string> RealPath(const std::string& path) {
  absl::StatusOr<std::string> real = Canonical(path);
  if (real.ok()) return real;
  if (absl::IsNotFound(real.status()) && Canonical(ParentOf(path) + "/").ok()) {
    return real;
  }
  return Broken("Invalid path ", absl::StrCat("'", path, "'"));
}

absl::StatusOr<std::string> ReadGitFile(const std::string& path, size_t most) {
  // O_NONBLOCK: do not wait for a FIFO.
  O8LOCK_ASSIGN_OR_RETURN(const Fd fd, OpenAwaitingLease(path, O_RDONLY));
  return Read(fd, path, most);
}

absl::StatusOr<std::optional<GitDirectory>> FindGitDirectory(
    const std::string& path) {
  GitDirectory directory;
  directory.path = path;
  O8LOCK_ASSIGN_OR_RETURN(const bool has_head, IsHead(JoinPath(path, "HEAD")));
  if (!has_head) return std::nullopt;
  O8LOCK_ASSIGN_OR_RETURN(const bool is_complete, FindCommonDir(directory));
  if (!is_complete) return std::nullopt;
  for (const char* part : {"/objects", "/refs"}) {
    O8LOCK_ASSIGN_OR_RETURN(const bool has_part,
                            IsSearchable(directory.common_dir + part));
    if (!has_part) return std::nullopt;
  }
  return directory;
}

absl::StatusOr<std::optional<GitDirectory>> FollowDotGit(
    const std::string& dot_git) {
  struct stat info;
  if (stat(dot_git.c_str(), &info) != 0) {
    if (IsPassedBy(errno)) return std::nullopt;
    return ErrnoStatus(errno, "stat", dot_git);
  }
  std::string path = dot_git;
  if (S_ISREG(info.st_mode)) {
    O8LOCK_ASSIGN_OR_RETURN(path, ReadDotGit(dot_git, ParentOf(dot_git)));
  }
  O8LOCK_ASSIGN_OR_RETURN(std::optional<GitDirectory> found,
                          FindGitDirectory(path));
  if (!found.has_value()) {
    if (!S_ISREG(info.st_mode)) return std::nullopt;
    return Broken("not a git repository: ", path);
  }
  O8LOCK_ASSIGN_OR_RETURN(found->path, Canonical(found->path));
  if (!found->is_linked) found->common_dir = found->path;
  return found;
}

}  // namespace o8lock
