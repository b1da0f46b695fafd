// SPDX-License-Identifier: Apache-2.0
#include "lock/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "lock/status.h"

namespace o8lock {
namespace {

constexpr absl::string_view kRegularFile = "a regular file";

// One minute in total.
constexpr absl::Duration kLeaseRetry = absl::Milliseconds(1);
constexpr int kLeaseTries = 60000;

absl::string_view KindOf(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "a file";
    case S_IFDIR:
      return "a directory";
    case S_IFLNK:
      return "a symbolic link";
    case S_IFIFO:
      return "a FIFO";
    case S_IFSOCK:
      return "a socket";
    case S_IFCHR:
    case S_IFBLK:
      return "a device";
    default:
      return "of an unknown kind";
  }
}

}  // namespace

absl::Status WrongKind(const std::string& path, absl::string_view wanted) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return ErrnoStatus(errno, "stat", path);
  return absl::FailedPreconditionError(
      absl::StrCat("'", path, "' is ", KindOf(info.st_mode),
                   ", but o8lock needs ", wanted, " there"));
}

void Fd::Close() {
  // After EINTR Linux has closed the descriptor: never close(2) twice.
  if (fd_ >= 0) close(Leave());
}

absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return absl::ErrnoToStatus(errno, "cannot make a pipe");
  }
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

absl::StatusOr<Fd> OpenAwaitingLease(const std::string& path, int flags,
                                     mode_t mode, int* error) {
  int raw;
  int refused = 0;
  for (int i = 0;; ++i) {
    raw = open(path.c_str(), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode);
    refused = raw < 0 ? errno : 0;
    if (refused == EINTR) continue;
    // The first attempt has asked the lease's owner to release it.
    if (refused != EWOULDBLOCK || i == kLeaseTries) break;
    absl::SleepFor(kLeaseRetry);
  }
  if (error != nullptr) *error = refused;
  if (raw < 0) return ErrnoStatus(refused, "open", path);
  Fd fd(raw);
  if (raw <= STDERR_FILENO) {
    const int higher = fcntl(raw, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (higher < 0) return ErrnoStatus(errno, "duplicate descriptor of", path);
    fd = Fd(higher);
  }
  return fd;
}

absl::StatusOr<Fd> OpenRegular(const std::string& path, int flags,
                               mode_t mode) {
  int error = 0;
  absl::StatusOr<Fd> fd =
      OpenAwaitingLease(path, flags | O_NOFOLLOW, mode, &error);
  struct stat info;
  if (!fd.ok()) {
    // These errors mean: the name exists, but is not a regular file. Say its
    // kind.
    if ((error == ELOOP || error == EISDIR || error == ENXIO) &&
        lstat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
      return WrongKind(path, kRegularFile);
    }
    const std::string parent = ParentOf(path);
    if (error == ENOTDIR && stat(parent.c_str(), &info) == 0 &&
        !S_ISDIR(info.st_mode)) {
      return WrongKind(parent, "a directory");
    }
    return fd;
  }
  if (fstat(fd->get(), &info) != 0) return ErrnoStatus(errno, "stat", path);
  if (!S_ISREG(info.st_mode)) return WrongKind(path, kRegularFile);
  return fd;
}

absl::StatusOr<FileId> IdOf(const Fd& fd, const std::string& path) {
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, "stat", path);
  return FileId{info.st_dev, info.st_ino};
}

absl::StatusOr<FileId> IdOf(const std::string& path) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return ErrnoStatus(errno, "stat", path);
  return FileId{info.st_dev, info.st_ino};
}

absl::StatusOr<std::string> ReadWhole(const Fd& fd, const std::string& path,
                                      size_t most) {
  // FUSE and network file systems read up to their cached size. This updates
  // it.
  struct statx info;
  const bool has_size = statx(fd.get(), "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC,
                              STATX_SIZE, &info) == 0;
  // The file may grow meanwhile, so the size only saves the read that would
  // find the end. One buffer fits every expected file.
  std::array<char, 4096> buffer;
  std::string text;
  while (true) {
    const ssize_t got = pread(fd.get(), buffer.data(), buffer.size(),
                              static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "read", path);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(got));
    if (text.size() > most) {
      return absl::OutOfRangeError(absl::StrCat(
          "cannot read '", path, "': it is larger than ", most, " bytes"));
    }
    const bool is_short = static_cast<size_t>(got) < buffer.size();
    if (is_short && has_size && text.size() == info.stx_size) return text;
  }
}

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t most) {
  O8LOCK_ASSIGN_OR_RETURN(const Fd fd, OpenRegular(path, O_RDONLY));
  return ReadWhole(fd, path, most);
}

absl::StatusOr<std::string> Canonical(const std::string& path) {
  char* resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return ErrnoStatus(errno, "resolve", path);
  std::string result = resolved;
  free(resolved);  // NOLINT(cppcoreguidelines-no-malloc): realpath(3)'s way
  return result;
}

std::string ParentOf(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

std::string JoinPath(absl::string_view directory, absl::string_view path) {
  if (absl::StartsWith(path, "/")) return std::string(path);
  return absl::StrCat(absl::StripSuffix(directory, "/"), "/", path);
}

bool IsBelow(absl::string_view path, absl::string_view directory) {
  return absl::ConsumePrefix(&path, directory) &&
         (path.empty() || path[0] == '/');
}

absl::string_view BaseName(absl::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0.
}

std::vector<std::string> NamesIn(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()),
                                                      closedir);
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory.get())) {
    const absl::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) {
    return absl::OkStatus();
  }
  return ErrnoStatus(errno, "remove", path);
}

absl::Status RenameFile(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("rename '", from, "' to"), to);
}

absl::Status RenameToNewName(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(),
                RENAME_NOREPLACE) == 0) {
    return absl::OkStatus();
  }
  const int error = errno;
  if (error != ENOSYS && error != EINVAL && error != EOPNOTSUPP) {
    return ErrnoStatus(error, absl::StrCat("rename '", from, "' to"), to);
  }
  if (link(from.c_str(), to.c_str()) == 0) return RemoveFile(from);
  return ErrnoStatus(errno, absl::StrCat("link '", from, "' to"), to);
}

absl::StatusOr<Fd> CreateFresh(const std::string& path, mode_t mode) {
  absl::StatusOr<Fd> fd = OpenRegular(path, O_RDWR | O_CREAT | O_EXCL, mode);
  if (!absl::IsAlreadyExists(fd.status())) return fd;
  O8LOCK_RETURN_IF_ERROR(RemoveFile(path));
  return OpenRegular(path, O_RDWR | O_CREAT | O_EXCL, mode);
}

std::string HiddenBeside(const std::string& path, absl::string_view suffix) {
  return absl::StrCat(ParentOf(path), "/.", BaseName(path), suffix);
}

absl::Status Append(const Fd& fd, absl::string_view text,
                    const std::string& path) {
  const ssize_t put = write(fd.get(), text.data(), text.size());
  if (put == static_cast<ssize_t>(text.size())) return absl::OkStatus();
  return ErrnoStatus(put < 0 ? errno : ENOSPC, "write", path);
}

absl::Status Overwrite(const Fd& fd, absl::string_view text,
                       const std::string& path) {
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t put = pwrite(fd.get(), text.data() + size, text.size() - size,
                               static_cast<off_t>(size));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoStatus(errno, "write", path);
    size += static_cast<size_t>(put);
  }
  // Many file systems treat cutting off nothing as a change.
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, "stat", path);
  if (info.st_size > static_cast<off_t>(size) &&
      ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return ErrnoStatus(errno, "truncate", path);
  }
  return absl::OkStatus();
}

}  // namespace o8lock
