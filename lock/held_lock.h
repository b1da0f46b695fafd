// SPDX-License-Identifier: Apache-2.0
//
// The state of a Lock; for the files of this library only.
#ifndef O8LOCK_LOCK_HELD_LOCK_H_
#define O8LOCK_LOCK_HELD_LOCK_H_

#include <sys/types.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/lock_status.h"
#include "lock/publication.h"

namespace o8lock {

struct HeldLock {
  explicit HeldLock(Location where)
      : location(std::move(where)), publication(location), pid(getpid()) {}

  Location location;  // follows the repository: put_back.h
  Publication publication;
  Fd home;                // OpenHome's
  Fd fd;                  // the guard
  FileId id;              // its identity
  bool put_back = false;  // the guard was gone once
  pid_t pid;              // the process that acquired the lock
  bool joined = false;
  bool withdrawn = false;  // the lock file of the run this one has joined
  absl::Status writable;   // not OK: why a joined run may not write `fd`
  Holder holder;
  std::string record;  // as the guard has it
  std::vector<LockStatus> stale;
  std::vector<Holder> killed;
  std::vector<Malformed> malformed;
  absl::Status excluded;  // ExcludeLockFile's
};

// Lock::Acquire (lock.h).
absl::StatusOr<std::unique_ptr<HeldLock>> AcquireLock(
    const Location& location, const AcquireOptions& options,
    std::optional<LockStatus>* refused_by, Fd turn);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_HELD_LOCK_H_
