// SPDX-License-Identifier: Apache-2.0
//
// Publication: the lock file of one run, which other programs may rename,
// remove and replace at any moment.
#ifndef O8LOCK_LOCK_PUBLICATION_H_
#define O8LOCK_LOCK_PUBLICATION_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock_status.h"

namespace o8lock {

// Not thread-safe. All but is_placed() and IsInPlace() REQUIRE the guard's
// Range::kChange, or the whole guard.
class Publication {
 public:
  // `location` has to live as long as this.
  explicit Publication(const Location& location) : location_(location) {}
  // Two would remove one lock file.
  Publication(const Publication&) = delete;
  Publication& operator=(const Publication&) = delete;

  // Writes the lock file of `holder` under a name that nobody looks at. Makes
  // its directory if need be and if that is o8lock's to create.
  // Errors: kInvalidArgument  it is longer than kMaxFileSize; others from the
  // file system.
  absl::Status Write(const Holder& holder);

  // Gives the file that was written its name, in one step: nobody reads half of
  // it.
  // Errors: kAlreadyExists  another is there; others from the file system. The
  // file is as it was.
  absl::Status Place();

  // Both at once, for a lock file that is gone. Nothing is left where that
  // fails. Errors: theirs.
  absl::Status WriteAndPlace(const Holder& holder);

  // Removes the lock file if it is still this run's, what was not placed, and
  // the directory if Write() made it and nobody put anything there. `ended` is
  // RemoveLockFiles' (lock_files.h). Errors: as there.
  absl::Status Remove(std::vector<LockStatus>* ended);

  // Whether it has got its name once, and whether that is this run's file now.
  bool is_placed() const { return is_placed_; }
  bool IsInPlace() const;

  // Whether `path` is this run's file, under whatever name.
  bool IsAt(const std::string& path) const;

 private:
  // Removes the file that was written and has not got its name.
  absl::Status RemoveUnplaced();

  const Location& location_;
  std::string text_;
  std::string unplaced_;  // the path of the file before it gets its name
  bool is_placed_ = false;
  bool made_directory_ = false;
};

}  // namespace o8lock

#endif  // O8LOCK_LOCK_PUBLICATION_H_
