// SPDX-License-Identifier: Apache-2.0
//
// The lock files at a location that are not this run's: of dead runs, of
// external ones, and files that are no lock files. What is removed is first
// moved aside and compared: an external run may replace it at any moment.
//
// All of this REQUIRES the guard's Range::kChange, or the whole guard: the
// names that files have in between are fixed.
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

// Puts lock files back that a run which was killed half-way had moved aside,
// where their names are free: they may be a living run's.
void RestoreLockFiles(const Location& location);

// What a run that begins knows of those that were there before it.
struct Predecessors {
  // The run that had the guard before, and whether it is proved dead; alive, it
  // is being overridden.
  std::optional<Holder> previous;
  bool previous_is_dead = false;
  // The runs that somebody has seen and wants overridden.
  std::vector<LockStatus> overriding;
};

struct ClearedLockFiles {
  // Whose lock files were removed, and files that were none and were put
  // aside.
  std::vector<LockStatus> stale;
  std::vector<Malformed> malformed;
  // A lock file that has to stay; those behind it were not looked at.
  std::optional<LockStatus> in_the_way;
};

// Removes dead runs' lock files, but for telling of those that were a part of
// the dead `previous`. Those of `previous` and of the overridden are removed
// only if `displace`. `time` is for the names of what is no lock file, which is
// kept in the guard's directory.
// Errors: as DetermineLockFileStatus (determine.h), and from renaming and
// removing. Blocks as DetermineLockFileStatus.
absl::StatusOr<ClearedLockFiles> ClearLockFiles(
    const Location& location, const Predecessors& predecessors, bool displace,
    absl::string_view time);

// Removes the lock file `own` of this run, whatever name another program has
// given it (empty: it has none). Unless `ended` is null also those that
// processes which have ended left during the run, and tells of them there.
// Errors: as above.
absl::Status RemoveLockFiles(const Location& location, absl::string_view own,
                             std::vector<LockStatus>* ended);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_LOCK_FILES_H_
