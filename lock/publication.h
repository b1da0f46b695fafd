// SPDX-License-Identifier: Apache-2.0
//
// Publication: the lock file of one run. Other programs may rename, remove or
// replace it at any moment.
#ifndef O8LOCK_LOCK_PUBLICATION_H_
#define O8LOCK_LOCK_PUBLICATION_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock_status.h"

namespace o8lock {

// Not thread-safe. All functions except is_placed() and IsInPlace() REQUIRE the
// guard's Range::kChange or Range::kAll.
class Publication {
 public:
  // REQUIRES: `location` outlives this object.
  explicit Publication(const Location& location) : location_(location) {}
  // A copy would remove the same lock file again.
  Publication(const Publication&) = delete;
  Publication& operator=(const Publication&) = delete;

  // Writes the lock file of `holder` under a temporary name. Creates its
  // directory if necessary and if o8lock may create it.
  // Errors: kInvalidArgument  the text is longer than kMaxFileSize;
  //         others            from the file system.
  absl::Status Write(const Holder& holder);

  // Gives the written file its name, in one step: no program reads an
  // incomplete file.
  // Errors: kAlreadyExists  another file has this name;
  //         others          from the file system.
  // On failure the written file is unchanged.
  absl::Status Place();

  // Both at once, for a missing lock file. On failure no file remains. Errors:
  // as both.
  absl::Status WriteAndPlace(const Holder& holder);

  // Removes the lock file if it is still this run's, and the file Place() has
  // not renamed. Removes the directory if Write() created it and it is empty.
  // `ended` is as in RemoveLockFiles (lock_files.h).
  // Errors: as RemoveLockFiles.
  absl::Status Remove(std::vector<LockStatus>* ended);

  // Whether the lock file was placed once, and whether it is in place now.
  bool is_placed() const { return is_placed_; }
  bool IsInPlace() const;

  // Whether `path` is this run's file, under any name.
  bool IsAt(const std::string& path) const;

 private:
  // Removes the written file if it was not placed.
  absl::Status RemoveUnplaced();

  const Location& location_;
  std::string text_;
  std::string unplaced_;  // the path of the file before it gets its name
  bool is_placed_ = false;
  bool made_directory_ = false;
};

}  // namespace o8lock

#endif  // O8LOCK_LOCK_PUBLICATION_H_
