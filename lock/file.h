// SPDX-License-Identifier: Apache-2.0
//
// Descriptors and regular files, opened safely under names other programs may
// control. Opening follows no symbolic link, waits for no FIFO or device, and
// returns no descriptor 0, 1 or 2. No descriptor is inherited by accident.
#ifndef O8LOCK_LOCK_FILE_H_
#define O8LOCK_LOCK_FILE_H_

#include <sys/stat.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace o8lock {

// Owns one descriptor and closes it. Move-only: two owners would close twice.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.Leave()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = other.Leave();
    }
    return *this;
  }
  ~Fd() { Close(); }

  bool ok() const { return fd_ >= 0; }
  int get() const { return fd_; }
  void Close();

 private:
  int Leave() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  int fd_ = -1;
};

// Both ends of a pipe, close-on-exec.
struct Pipe {
  Fd read;
  Fd write;
};

// Errors: from pipe2(2).
absl::StatusOr<Pipe> MakePipe();

// The identity of a file, for comparing descriptors and names.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileId& other) const {
    return device == other.device && inode == other.inode;
  }
};

// Returns kFailedPrecondition: the file `path` is not of the `wanted` kind. The
// message is "'p' is a FIFO, but o8lock needs a regular file there".
absl::Status WrongKind(const std::string& path, absl::string_view wanted);

// Opens `path` with open(2)'s `flags`, plus O_NONBLOCK, O_NOCTTY and O_CLOEXEC.
// `mode` is for O_CREAT.
// On success the descriptor is 3 or higher.
// Errors: from open(2); then `error`, unless null, is its errno.
// Waits until the owner of a lease on the file gives it back, at most a minute:
// the kernel breaks a lease after 45 seconds (/proc/sys/fs/lease-break-time).
absl::StatusOr<Fd> OpenAwaitingLease(const std::string& path, int flags,
                                     mode_t mode = 0, int* error = nullptr);

// Opens the regular file `path` with open(2)'s `flags`, plus O_NOFOLLOW,
// O_NONBLOCK, O_NOCTTY and O_CLOEXEC. `mode` is for O_CREAT.
// On success the descriptor is 3 or higher and close-on-exec.
// Errors: kFailedPrecondition  `path` is not a regular file, or its parent is
//                              not a directory; the message is WrongKind's;
//         kNotFound, kPermissionDenied, kResourceExhausted, ...  from open(2).
// On failure no file was created.
// Waits for a lease, as above, and for nothing more.
absl::StatusOr<Fd> OpenRegular(const std::string& path, int flags,
                               mode_t mode = 0);

// The identity of an open file, and of the file now named `path`. A symbolic
// link is not followed.
// Errors: kNotFound  no file is named `path`;
//         others     from fstat(2) and lstat(2).
absl::StatusOr<FileId> IdOf(const Fd& fd, const std::string& path);
absl::StatusOr<FileId> IdOf(const std::string& path);

// This project's files have a few hundred bytes. A longer file is not one of
// them.
inline constexpr size_t kMaxFileSize = 1 << 20;

// The content of `fd` from its beginning, whatever its offset. `path` is for
// the error text.
// Errors: kOutOfRange  the content is longer than `most`;
//         others       from read(2).
absl::StatusOr<std::string> ReadWhole(const Fd& fd, const std::string& path,
                                      size_t most = kMaxFileSize);

// Opens and reads `path`. Errors: as OpenRegular and ReadWhole.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     size_t most = kMaxFileSize);

// `path` without links, "." and "..".
// Errors: kNotFound  `path` does not exist; others from realpath(3).
absl::StatusOr<std::string> Canonical(const std::string& path);

// The directory of the absolute `path`; empty if this is the root.
std::string ParentOf(const std::string& path);

// `path`, which may be relative to `directory`.
std::string JoinPath(absl::string_view directory, absl::string_view path);

// Whether `path` is `directory` or is below it.
bool IsBelow(absl::string_view path, absl::string_view directory);

// The last name in `path`.
absl::string_view BaseName(absl::string_view path);

// The names in the directory `path`, sorted, without "." and "..". Empty if the
// directory cannot be read.
std::vector<std::string> NamesIn(const std::string& path);

// Removes the file `path`. OK if there is no such file, or no such directory.
absl::Status RemoveFile(const std::string& path);

// Renames `from` to `to` and replaces any file of this name.
absl::Status RenameFile(const std::string& from, const std::string& to);

// Renames `from` to `to` in one step, if `to` does not exist. If the kernel or
// the file system cannot do so, uses a link: then the file has both names for a
// moment.
// Errors: kAlreadyExists  `to` exists;
//         others          from renameat2(2), link(2) and unlink(2).
absl::Status RenameToNewName(const std::string& from, const std::string& to);

// Creates the new file `path`, open only here, and replaces any file of this
// name.
// Errors: as OpenRegular and RemoveFile.
absl::StatusOr<Fd> CreateFresh(const std::string& path, mode_t mode);

// "/r/.claude/parallel.lock" and ".new" -> "/r/.claude/.parallel.lock.new".
std::string HiddenBeside(const std::string& path, absl::string_view suffix);

// Appends `text` to `fd` in one write: another process may append at the same
// time.
// Errors: from write(2); then a part of `text` may be in the file.
// REQUIRES: `fd` is open with O_APPEND.
absl::Status Append(const Fd& fd, absl::string_view text,
                    const std::string& path);

// Makes `text` the whole content of `fd`, from its beginning. A concurrent
// reader never sees an empty file, but may see the end of a longer old text
// after `text`. Such a content is not JSON.
// Errors: kResourceExhausted and others from pwrite(2), fstat(2) and
//         ftruncate(2); then the file's content is unspecified.
// Calls ftruncate(2) only if the old text was longer.
absl::Status Overwrite(const Fd& fd, absl::string_view text,
                       const std::string& path);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_FILE_H_
