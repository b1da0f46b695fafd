// SPDX-License-Identifier: Apache-2.0
//
// Descriptors and regular files, opened so that a name from outside cannot
// harm: no symbolic link is followed, no FIFO or device is waited for, no
// descriptor is inherited by accident or lands on 0, 1 or 2.
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

// Which file a descriptor or a name stands for.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileId& other) const {
    return device == other.device && inode == other.inode;
  }
};

// The kFailedPrecondition for a `path` that is not what is `wanted`: "'p' is a
// FIFO, and o8lock wants a regular file there".
absl::Status WrongKind(const std::string& path, absl::string_view wanted);

// Opens `path` with open(2)'s `flags`, to which O_NONBLOCK, O_NOCTTY and
// O_CLOEXEC are added; `mode` is for O_CREAT.
// On success the descriptor is 3 or higher.
// Errors: from open(2); `error`, unless null, is its errno then.
// Waits for a lease on the file to be given back, at most a minute: the kernel
// ends one after 45 seconds (/proc/sys/fs/lease-break-time).
absl::StatusOr<Fd> OpenAwaitingLease(const std::string& path, int flags,
                                     mode_t mode = 0, int* error = nullptr);

// Opens the regular file `path` with open(2)'s `flags`, to which O_NOFOLLOW,
// O_NONBLOCK, O_NOCTTY and O_CLOEXEC are added; `mode` is for O_CREAT.
// On success the descriptor is 3 or higher and close-on-exec.
// Errors: kFailedPrecondition   `path` is not a regular file, or what it is in
//                               is no directory; as WrongKind has it.
//         kNotFound, kPermissionDenied, kResourceExhausted, ...  from open(2).
// Waits for a lease, as above, and for nothing else. On failure nothing was
// created.
absl::StatusOr<Fd> OpenRegular(const std::string& path, int flags,
                               mode_t mode = 0);

// The identity of an open file; of the file that has the name `path` now
// (kNotFound when there is none; a symbolic link stands for itself).
absl::StatusOr<FileId> IdOf(const Fd& fd, const std::string& path);
absl::StatusOr<FileId> IdOf(const std::string& path);

// What this project reads is a few hundred bytes; anything beyond this is not
// one of its files.
inline constexpr size_t kMaxFileSize = 1 << 20;

// The content of `fd` from its beginning, whatever its offset. `path` is for
// the error text.
// Errors: kOutOfRange  it is longer than `most`; others from read(2).
absl::StatusOr<std::string> ReadWhole(const Fd& fd, const std::string& path,
                                      size_t most = kMaxFileSize);

// Opens and reads `path`; the errors of OpenRegular and ReadWhole.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     size_t most = kMaxFileSize);

// `path` without links, "." and "..".
// Errors: kNotFound  there is nothing; others from realpath(3).
absl::StatusOr<std::string> Canonical(const std::string& path);

// What the absolute `path` is in; empty for what is in the root.
std::string ParentOf(const std::string& path);

// `path`, which may be relative to `directory`.
std::string JoinPath(absl::string_view directory, absl::string_view path);

// Whether `path` is `directory`, or is in it.
bool IsBelow(absl::string_view path, absl::string_view directory);

// The last name in `path`.
absl::string_view BaseName(absl::string_view path);

// The names in the directory `path`, sorted, but for "." and ".."; none if it
// cannot be read.
std::vector<std::string> NamesIn(const std::string& path);

// Removes the file `path`; OK also where there is none.
absl::Status RemoveFile(const std::string& path);

// Gives `from` the name `to`, whatever has that now.
absl::Status RenameFile(const std::string& from, const std::string& to);

// Gives `from` the second name `to`.
// Errors: kAlreadyExists  there is such a name; others from link(2).
absl::Status LinkFile(const std::string& from, const std::string& to);

// Gives `from` the name `to` in one step, if nothing has that. Where the kernel
// or the file system cannot do so, by a link: then it has both names for a
// moment.
// Errors: kAlreadyExists  there is such a name; others from renameat2(2),
// link(2) and unlink(2).
absl::Status RenameToNewName(const std::string& from, const std::string& to);

// Creates `path`, a file that nobody else has open, whatever had the name.
// Errors: as OpenRegular and RemoveFile.
absl::StatusOr<Fd> CreateFresh(const std::string& path, mode_t mode);

// "/r/.claude/parallel.lock" and ".new" -> "/r/.claude/.parallel.lock.new".
std::string HiddenBeside(const std::string& path, absl::string_view suffix);

// Appends `text` to `fd`, which is open with O_APPEND, in one write: another
// process may append its own at the same time.
// Errors: from write(2); a part of it may be there then.
absl::Status Append(const Fd& fd, absl::string_view text,
                    const std::string& path);

// Makes `text` the whole content of `fd`, its beginning first: who reads at the
// same time may find the end of a longer text that was there, which is no JSON
// then, but never nothing.
// Errors: kResourceExhausted and others from pwrite(2), fstat(2) and
// ftruncate(2), which is not called where nothing is to be cut off; what
// the file holds then is not specified.
absl::Status Overwrite(const Fd& fd, absl::string_view text,
                       const std::string& path);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_FILE_H_
