// SPDX-License-Identifier: Apache-2.0
#include "lock/lock.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/arming.h"
#include "lock/file.h"
#include "lock/guard.h"
#include "lock/held_lock.h"
#include "lock/holder.h"
#include "lock/inspection.h"
#include "lock/judge.h"
#include "lock/kernel_lock.h"
#include "lock/location.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// A run's right to change its record and its lock file.
struct OwnChange {
  Fd fd;  // has kChange; none where the guard has no name any more
  bool overridden = false;  // and no such right
};

// Of a description of its own: a lock on lock.fd would outlive this process, if
// it were killed here, in every duplicate that its command has.
absl::StatusOr<OwnChange> LockOwnChange(const HeldLock& lock) {
  const std::string& guard = lock.location.guard;
  OwnChange change;
  absl::StatusOr<Fd> fd = OpenRegular(guard, O_RDWR);
  if (absl::IsNotFound(fd.status())) return change;
  if (!fd.ok()) return fd.status();
  O8LOCK_ASSIGN_OR_RETURN(const FileId named, IdOf(*fd, guard));
  O8LOCK_ASSIGN_OR_RETURN(const FileId mine, IdOf(lock.fd, guard));
  change.overridden = !(named == mine);
  if (!change.overridden) {
    O8LOCK_RETURN_IF_ERROR(LockChange(*fd, guard));
    O8LOCK_ASSIGN_OR_RETURN(const bool still, IsStillNamed(lock.fd, guard));
    change.overridden = !still;
  }
  change.fd = *std::move(fd);
  return change;
}

// Who has overridden this run, as its own guard has it.
std::optional<Overrider> OverriddenBy(const HeldLock& lock) {
  const std::optional<Holder> record = ReadRecord(lock.fd, lock.location.guard);
  if (!record.has_value()) return std::nullopt;
  return record->overridden_by;
}

// Puts the lock file in place again where it is gone; false: another program
// was faster. What another program has renamed was not lost.
absl::StatusOr<bool> RestoreLockFile(HeldLock& lock, Disturbance& disturbance) {
  const std::vector<std::string>& others = lock.location.foreign_lock_files;
  const bool renamed = std::any_of(
      others.begin(), others.end(),
      [&lock](const auto& path) { return lock.publication.IsAt(path); });
  // Not into a repository that is gone, or is being removed.
  const std::string& common_dir = lock.location.common_dir;
  if (!common_dir.empty()) {
    O8LOCK_RETURN_IF_ERROR(IdOf(common_dir).status());
  }
  O8LOCK_RETURN_IF_ERROR(lock.publication.Write(lock.holder));
  const absl::Status placed = lock.publication.Place();
  O8LOCK_RETURN_IF_ERROR(lock.publication.RemoveUnplaced());
  if (absl::IsAlreadyExists(placed)) return false;
  O8LOCK_RETURN_IF_ERROR(placed);
  disturbance.vanished = !renamed;
  return true;
}

}  // namespace

Lock::Lock(std::unique_ptr<HeldLock> held) : held_(std::move(held)) {}

Lock::Lock(Lock&& other) noexcept = default;

Lock::~Lock() {
  if (held_ != nullptr && held_->fd.ok() && getpid() == held_->pid) {
    Release().status().IgnoreError();
  }
}

absl::StatusOr<Lock> Lock::Acquire(const Location& location,
                                   const AcquireOptions& options,
                                   std::optional<Inspection>* refused_by,
                                   Fd turn) {
  O8LOCK_ASSIGN_OR_RETURN(
      std::unique_ptr<HeldLock> held,
      AcquireLock(location, options, refused_by, std::move(turn)));
  return Lock(std::move(held));
}

absl::Status Lock::NameCommand(pid_t command) {
  HeldLock& lock = *held_;
  if (lock.joined) return absl::OkStatus();
  O8LOCK_ASSIGN_OR_RETURN(const OwnChange change, LockOwnChange(lock));
  if (change.overridden) return absl::OkStatus();
  lock.holder.command_pid = command;
  std::string record = RecordText(lock.holder);
  O8LOCK_RETURN_IF_ERROR(
      ReplaceRecord(lock.fd, record, lock.record, lock.location.guard));
  lock.record = std::move(record);
  return absl::OkStatus();
}

absl::StatusOr<Disturbance> Lock::LookAfter() {
  HeldLock& lock = *held_;
  Disturbance disturbance;
  if (lock.joined) return disturbance;
  const std::string& lock_file = lock.location.lock_file;
  const auto is_intact = [&lock] {
    return !lock.publication.is_placed() || lock.publication.IsInPlace();
  };
  O8LOCK_ASSIGN_OR_RETURN(const bool named,
                          IsStillNamed(lock.fd, lock.location.guard));
  if (named && is_intact()) return disturbance;
  O8LOCK_ASSIGN_OR_RETURN(const OwnChange change, LockOwnChange(lock));
  if (change.overridden) {
    disturbance.overridden = true;
    disturbance.by = OverriddenBy(lock);
    return disturbance;
  }
  if (is_intact()) return disturbance;
  if (absl::IsNotFound(IdOf(lock_file).status())) {
    O8LOCK_ASSIGN_OR_RETURN(const bool restored,
                            RestoreLockFile(lock, disturbance));
    if (restored) return disturbance;
  }
  O8LOCK_ASSIGN_OR_RETURN(LockFile file,
                          JudgeLockFile(lock_file, std::nullopt));
  if (file.inspection.verdict != Verdict::kFree) {
    disturbance.replaced = std::move(file.inspection);
  }
  return disturbance;
}

std::vector<std::string> Lock::Directories() const {
  std::vector<std::string> directories = {ParentOf(held_->location.guard)};
  if (held_->publication.is_placed()) {
    directories.push_back(ParentOf(held_->location.lock_file));
  }
  return directories;
}

absl::StatusOr<Released> Lock::Release() {
  HeldLock& lock = *held_;
  const std::string& guard = lock.location.guard;
  Released released;
  absl::StatusOr<OwnChange> change = LockOwnChange(lock);
  absl::Status status = change.status();
  released.overridden = change.ok() && change->overridden;
  const bool is_mine = change.ok() && !change->overridden;
  if (released.overridden) released.by = OverriddenBy(lock);
  if (is_mine && !lock.joined) {
    status = lock.publication.Remove(&released.swept);
  }
  // Runs that have joined keep the record until the last of them ends, and
  // while the lock file is there so is the proof that it is a dead run's.
  bool empty = false;
  if (is_mine && status.ok() && change->fd.ok()) {
    const absl::StatusOr<bool> others = IsTaken(lock.fd, guard);
    status.Update(others.status());
    empty = others.ok() && !*others;
    // Where this fails the hooks do it.
    if (empty) SetArmed(lock.location, false).IgnoreError();
  }
  const bool somebody_waits =
      IsLocked(lock.fd, Range::kWaiting, guard).value_or(false);
  // First unlocked, then emptied, both under kChange: who is killed in between
  // leaves a record that proves the death. Nothing else in between: whoever
  // waits is woken by the one and can do nothing before the other.
  status.Update(
      Unlock(lock.fd, lock.joined ? Range::kJoined : Range::kRun, guard));
  if (empty && ftruncate(lock.fd.get(), 0) != 0) {
    status.Update(ErrnoStatus(errno, "truncate", guard));
  }
  if (change.ok()) change->fd.Close();
  // The kernel has most likely put who waits on this processor, behind this
  // process.
  if (somebody_waits) sched_yield();
  lock.fd.Close();
  if (!status.ok()) return status;
  return released;
}

int Lock::fd() const { return held_->fd.get(); }
bool Lock::joined() const { return held_->joined; }
const Holder& Lock::holder() const { return held_->holder; }
const std::vector<Inspection>& Lock::stale() const { return held_->stale; }
const std::vector<Malformed>& Lock::malformed() const {
  return held_->malformed;
}
const absl::Status& Lock::excluded() const { return held_->excluded; }

}  // namespace o8lock
