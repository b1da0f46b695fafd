// SPDX-License-Identifier: Apache-2.0
//
// Watch: the kernel reports changes of the names in a directory (inotify(7)).
#ifndef O8LOCK_LOCK_WATCH_H_
#define O8LOCK_LOCK_WATCH_H_

#include <string>

#include "absl/status/statusor.h"
#include "lock/file.h"

namespace o8lock {

// Move-only: owns a descriptor. Not thread-safe.
// Closing an active Watch takes the kernel up to about 20 milliseconds. Do not
// use one for shorter operations.
class Watch {
 public:
  // Errors: kResourceExhausted  the user has too many of them;
  //         others              from inotify_init1(2).
  static absl::StatusOr<Watch> Create();

  // Reports names created in, removed from or replaced in `directory`, and its
  // own removal; with kWrites also files in it written and closed. Watching a
  // directory again does no harm. A file other than a directory is not watched.
  enum class Report { kNames, kWrites };
  void Add(const std::string& directory, Report report);

  // Readable when there are new events; close-on-exec.
  int fd() const { return fd_.get(); }

  // Discards the new events. Never blocks.
  void Drain();

 private:
  explicit Watch(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace o8lock

#endif  // O8LOCK_LOCK_WATCH_H_
