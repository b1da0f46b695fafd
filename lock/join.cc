// SPDX-License-Identifier: Apache-2.0
#include "lock/join.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/file.h"
#include "lock/guard.h"
#include "lock/held_lock.h"
#include "lock/holder.h"
#include "lock/kernel_lock.h"
#include "lock/location.h"
#include "lock/lock_status.h"
#include "lock/status.h"

namespace o8lock {

absl::StatusOr<std::unique_ptr<HeldLock>> Join(const Location& location,
                                               Fd guard,
                                               const LockStatus& found,
                                               absl::Status writable) {
  O8LOCK_RETURN_IF_ERROR(ShareChange(guard, location.guard));
  O8LOCK_ASSIGN_OR_RETURN(const bool named,
                          IsStillNamed(guard, location.guard));
  const std::optional<Holder> record = ReadRecord(guard, location.guard);
  const Holder* const run = FindRun(record, found);
  if (!named || run == nullptr) return nullptr;
  O8LOCK_ASSIGN_OR_RETURN(std::unique_ptr<HeldLock> lock,
                          JoinRun(location, std::move(guard), *run));
  lock->writable = std::move(writable);
  return lock;
}

absl::StatusOr<std::unique_ptr<HeldLock>> JoinRun(const Location& location,
                                                  Fd guard, Holder run) {
  O8LOCK_ASSIGN_OR_RETURN(const FileId id, IdOf(guard, location.guard));
  O8LOCK_RETURN_IF_ERROR(TryShare(guard, Range::kJoined, location.guard));
  O8LOCK_RETURN_IF_ERROR(Unlock(guard, Range::kRun, location.guard));
  O8LOCK_RETURN_IF_ERROR(Unlock(guard, Range::kChange, location.guard));
  // If this process waited, it has the turn. Joined runs do not queue.
  O8LOCK_RETURN_IF_ERROR(Unlock(guard, Range::kTurn, location.guard));
  auto lock = std::make_unique<HeldLock>(location);
  lock->joined = true;
  lock->holder = std::move(run);
  lock->fd = std::move(guard);
  lock->id = id;
  return lock;
}

}  // namespace o8lock
