// SPDX-License-Identifier: Apache-2.0
//
// Watch: the kernel tells when the names in a directory change (inotify(7)).
#ifndef O8LOCK_LOCK_WATCH_H_
#define O8LOCK_LOCK_WATCH_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "lock/file.h"

namespace o8lock {

// Move-only: owns a descriptor. Not thread-safe.
// To give up one that watches takes the kernel up to some 20 milliseconds: it
// is nothing for what lasts no longer than that.
class Watch {
 public:
  // Errors: kResourceExhausted  the user has too many of them; others from
  //                             inotify_init1(2).
  static absl::StatusOr<Watch> Create();

  // From now on also tells of what comes to, goes from or is replaced in
  // `directory`, and of its own removal; with `written` also of files in it
  // that somebody has written and closed, with `modified` of each write.
  // Watching what is watched already is harmless; what is no directory is not
  // watched.
  enum Also : uint32_t { kNothing = 0, kWritten = 1, kModified = 2 };
  void Add(const std::string& directory, Also also);

  // OnReadable when there is something new; close-on-exec.
  int fd() const { return fd_.get(); }

  // Forgets what is new. Never blocks.
  void Drain();

 private:
  explicit Watch(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace o8lock

#endif  // O8LOCK_LOCK_WATCH_H_
