// SPDX-License-Identifier: Apache-2.0
//
// The lock files at a location that are not this run's: dead runs' and external
// runs' lock files, and malformed ones. An external run may replace a lock file
// at any moment. So each file is moved aside and compared before its removal.
//
// All functions REQUIRE the guard's Range::kChange or Range::kAll: the
// temporary names are fixed.
#ifndef O8LOCK_LOCK_LOCK_FILES_H_
#define O8LOCK_LOCK_LOCK_FILES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock_status.h"

namespace o8lock {

// Puts back the lock files moved aside by a run killed half-way, if their names
// are free: a living run may own them.
void RestoreLockFiles(const Location& location);

// The facts a new run knows about earlier runs.
struct Predecessors {
  // The run with the guard before, and whether it is proved dead. If it is
  // alive, this run is overriding it.
  std::optional<Holder> previous;
  bool previous_is_dead = false;
  // The runs the user has seen and wants overridden.
  std::vector<LockStatus> overriding;
};

struct ClearedLockFiles {
  // The runs of the removed lock files, and the malformed files put aside.
  std::vector<LockStatus> stale;
  std::vector<Malformed> malformed;
  // A lock file not to be removed. The files after it were not read.
  std::optional<LockStatus> in_the_way;
};

// Removes dead runs' lock files. Reports each of them, except those of runs
// that were a part of the dead `previous`. Removes the lock files of `previous`
// and of overridden runs only if `displace`. Keeps malformed files in the
// guard's directory, under names with `time`.
// Errors: kAlreadyExists  the user has named this lock file, and it is another
//                         kind of file;
//         others          as DetermineLockFileStatus (lock_file_status.h), and
//                         from renaming and removing.
// Blocks as DetermineLockFileStatus.
absl::StatusOr<ClearedLockFiles> ClearLockFiles(
    const Location& location, const Predecessors& predecessors, bool displace,
    absl::string_view time);

// Removes this run's lock file `own`, even if another program has renamed it or
// rewritten it in another form. If `own` is empty, this run has no lock
// file. Unless `ended` is null, also removes the lock files of processes that
// ended during the run, and adds them to `ended`. Errors: as above.
absl::Status RemoveLockFiles(const Location& location, absl::string_view own,
                             std::vector<LockStatus>* ended);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_LOCK_FILES_H_
