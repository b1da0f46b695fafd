// SPDX-License-Identifier: Apache-2.0
#include "lock/lock.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
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
#include "lock/kernel_lock.h"
#include "lock/location.h"
#include "lock/lock_file_status.h"
#include "lock/lock_status.h"
#include "lock/put_back.h"
#include "lock/record_status.h"
#include "lock/status.h"
#include "lock/withdrawal.h"

namespace o8lock {
namespace {

// The limit for a record. A parallel run makes a few worktrees.
constexpr size_t kMaxOrphaned = 100;

// Adds the worktrees of `from` missing in `to`.
void Merge(const std::vector<OrphanedWorktree>& from,
           std::vector<OrphanedWorktree>& to) {
  for (const OrphanedWorktree& worktree : from) {
    const bool known =
        std::any_of(to.begin(), to.end(), [&worktree](const auto& other) {
          return other.name == worktree.name && other.made == worktree.made;
        });
    if (!known && to.size() < kMaxOrphaned) to.push_back(worktree);
  }
}

// A run's right to change its record and its lock file.
struct OwnChange {
  Fd fd;  // has kChange; empty if the guard no longer has a name
  bool overridden = false;  // then there is no such right
};

// Uses its own open file description. A lock on lock.fd would survive in every
// duplicate of the command if this process were killed here.
absl::StatusOr<OwnChange> LockOwnChange(const HeldLock& lock) {
  const std::string& guard = lock.location.guard;
  OwnChange change;
  absl::StatusOr<Fd> fd = OpenRegular(guard, O_RDWR);
  if (absl::IsNotFound(fd.status())) return change;
  if (!fd.ok()) return fd.status();
  O8LOCK_ASSIGN_OR_RETURN(const FileId named, IdOf(*fd, guard));
  change.overridden = !(named == lock.id);
  if (!change.overridden) {
    O8LOCK_RETURN_IF_ERROR(LockChange(*fd, guard));
    O8LOCK_ASSIGN_OR_RETURN(const bool still, IsStillNamed(lock.id, guard));
    change.overridden = !still;
  }
  change.fd = *std::move(fd);
  return change;
}

// Writes this run's current description, unless it was overridden.
absl::Status UpdateRecord(HeldLock& lock) {
  O8LOCK_ASSIGN_OR_RETURN(const OwnChange change, LockOwnChange(lock));
  if (change.overridden) return absl::OkStatus();
  if (!lock.holder.overridden.empty()) {
    // Overridden runs remove themselves from it when they release.
    const std::optional<Holder> now = ReadRecord(lock.fd, lock.location.guard);
    if (now.has_value()) lock.holder.overridden = now->overridden;
  }
  std::string record = RecordText(lock.holder);
  O8LOCK_RETURN_IF_ERROR(
      ReplaceRecord(lock.fd, record, lock.record, lock.location.guard));
  lock.record = std::move(record);
  return absl::OkStatus();
}

// The run that has overridden this one, according to this run's own guard.
std::optional<Overrider> OverriddenBy(const HeldLock& lock) {
  const std::optional<Holder> record = ReadRecord(lock.fd, lock.location.guard);
  if (!record.has_value()) return std::nullopt;
  return record->overridden_by;
}

// The part of a finished run's `record` needed by later runs: orphaned
// worktrees and killed overridden runs.
std::optional<Holder> Over(Holder record) {
  if (record.orphaned.empty() && record.overridden.empty()) {
    return std::nullopt;
  }
  record.released = true;
  record.surviving.clear();
  return record;
}

// The guard's record after the end of the run `record`: the record of its last
// overridden run still working.
std::optional<Holder> LastOverridden(const Holder& record) {
  std::vector<Holder> runs = record.overridden;
  const auto found = std::find_if(runs.rbegin(), runs.rend(), MayLive);
  if (found == runs.rend()) return Over(record);
  Holder last = std::move(*found);
  runs.erase(std::next(found).base());
  last.overridden = std::move(runs);
  if (!last.overridden_by.has_value()) {
    last.overridden_by = OverriderOf(record);
  }
  last.guard = record.guard;
  last.guard_id = record.guard_id;
  last.guard_is_local = record.guard_is_local;
  last.orphaned = record.orphaned;
  return last;
}

// The record in the guard of `lock`. Other runs rarely change it, and parsing
// it would be a seventh of the work of a start.
Holder CurrentRecord(const HeldLock& lock) {
  const std::string& guard = lock.location.guard;
  if (ReadWhole(lock.fd, guard).value_or("") == lock.record) return lock.holder;
  return ReadRecord(lock.fd, guard).value_or(lock.holder);
}

// The record in the guard of `lock` after this run's release. `others`: joined
// runs have not released yet.
std::optional<Holder> Remaining(const HeldLock& lock, bool others) {
  Holder record = CurrentRecord(lock);
  if (!lock.joined) {
    record.surviving = lock.holder.surviving;
    Merge(lock.holder.orphaned, record.orphaned);
    if (!record.surviving.empty()) return record;
  }
  if (others) {
    record.released = record.released || !lock.joined;
    return record;
  }
  if (lock.joined) {
    const LockStatus found = DetermineRecordStatus(
        {lock.fd, lock.location.guard, record}, /*kernel_locked=*/false,
        /*may_mark=*/false);
    return found.state > LockState::kStale ? record : Over(std::move(record));
  }
  return LastOverridden(record);
}

// Whether the run `remaining` continues.
bool WorksOn(const std::optional<Holder>& remaining) {
  return remaining.has_value() && !remaining->released;
}

std::string TextOf(const std::optional<Holder>& record) {
  return record.has_value() ? RecordText(*record) : "";
}

// Removes the finished, overridden run of `lock` from the record in the present
// guard.
absl::Status RemoveFromRecord(const HeldLock& lock) {
  const std::string& path = lock.location.guard;
  O8LOCK_ASSIGN_OR_RETURN(const Fd guard, OpenRegular(path, O_RDWR));
  O8LOCK_RETURN_IF_ERROR(LockChange(guard, path));
  std::optional<Holder> record = ReadRecord(guard, path);
  if (!record.has_value()) return absl::OkStatus();
  const auto is_mine = [&lock](const Holder& run) {
    return run.token == lock.holder.token;
  };
  if (is_mine(*record)) {
    O8LOCK_ASSIGN_OR_RETURN(const bool taken, IsTaken(guard, path));
    if (taken) return absl::OkStatus();
    const std::optional<Holder> remaining = LastOverridden(*record);
    if (!WorksOn(remaining)) SetArmed(lock.location, false).IgnoreError();
    return Overwrite(guard, TextOf(remaining), path);
  }
  const std::string before = RecordText(*record);
  std::vector<Holder>& runs = record->overridden;
  runs.erase(std::remove_if(runs.begin(), runs.end(), is_mine), runs.end());
  // The overrider has already copied the worktrees known at the override.
  Merge(lock.holder.orphaned, record->orphaned);
  return ReplaceRecord(guard, RecordText(*record), before, path);
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
                                   std::optional<LockStatus>* refused_by,
                                   Fd turn) {
  O8LOCK_ASSIGN_OR_RETURN(
      std::unique_ptr<HeldLock> held,
      AcquireLock(location, options, refused_by, std::move(turn)));
  return Lock(std::move(held));
}

absl::Status Lock::NameCommand(pid_t command) {
  HeldLock& lock = *held_;
  if (lock.joined) return absl::OkStatus();
  // Set them first: PutGuardBack may have to write them later.
  lock.holder.command_pid = command;
  lock.holder.command_since = NowNanoseconds();
  return UpdateRecord(lock);
}

absl::Status Lock::SetOrphaned(const std::vector<OrphanedWorktree>& worktrees) {
  HeldLock& lock = *held_;
  if (lock.joined) return absl::OkStatus();
  lock.holder.orphaned.clear();
  Merge(worktrees, lock.holder.orphaned);
  return UpdateRecord(lock);
}

absl::Status Lock::AddOrphaned(const std::vector<OrphanedWorktree>& worktrees) {
  HeldLock& lock = *held_;
  if (lock.joined) return absl::OkStatus();
  // Overridden runs' worktrees are in the record alone.
  const std::optional<Holder> record = ReadRecord(lock.fd, lock.location.guard);
  if (record.has_value()) Merge(record->orphaned, lock.holder.orphaned);
  Merge(worktrees, lock.holder.orphaned);
  return UpdateRecord(lock);
}

absl::Status Lock::KeepFor(std::vector<SurvivingProcess> processes) {
  held_->holder.surviving = std::move(processes);
  return UpdateRecord(*held_);
}

absl::Status Lock::WithdrawLockFile() { return Withdraw(*held_); }

absl::StatusOr<Interference> Lock::CheckIntegrity() {
  HeldLock& lock = *held_;
  Interference interference;
  if (lock.joined) return interference;
  const std::string& lock_file = lock.location.lock_file;
  const auto is_intact = [&lock] {
    return !lock.publication.is_placed() || lock.publication.IsInPlace() ||
           IsWithdrawn(lock);
  };
  if (!FollowHome(lock)) return interference;
  O8LOCK_ASSIGN_OR_RETURN(const bool named,
                          IsStillNamed(lock.id, lock.location.guard));
  if ((!named || lock.put_back) && LeaveDeletedRepository(lock)) {
    return interference;
  }
  if (named && is_intact()) return interference;
  if (!named) {
    // An overridden run has lost the lock even if the new guard is gone.
    interference.by = OverriddenBy(lock);
    interference.overridden = interference.by.has_value();
    if (interference.overridden) return interference;
    const absl::Status put_back = PutGuardBack(lock);
    interference.guard_vanished = put_back.ok();
    if (!put_back.ok() && !absl::IsAlreadyExists(put_back)) return put_back;
  }
  O8LOCK_ASSIGN_OR_RETURN(const OwnChange change, LockOwnChange(lock));
  if (change.overridden) {
    interference.by = OverriddenBy(lock);
    interference.overridden = interference.by.has_value();
    interference.guard_lost = !interference.overridden;
    return interference;
  }
  if (is_intact()) return interference;
  if (absl::IsNotFound(IdOf(lock_file).status())) {
    const absl::StatusOr<bool> lost = PutLockFileBack(lock);
    interference.vanished = lost.ok() && *lost;
    if (lost.ok()) return interference;
    // Another program was faster.
    if (!absl::IsAlreadyExists(lost.status())) return lost.status();
  }
  O8LOCK_ASSIGN_OR_RETURN(LockFile file,
                          DetermineLockFileStatus(lock_file, std::nullopt));
  if (file.lock_status.state != LockState::kFree) {
    interference.replaced = std::move(file.lock_status);
  }
  return interference;
}

std::vector<std::string> Lock::Directories() const {
  std::vector<std::string> directories = {ParentOf(held_->location.guard)};
  if (held_->publication.is_placed()) {
    directories.push_back(ParentOf(held_->location.lock_file));
  }
  // Whoever removed the guard may be deleting the repository.
  const std::string& repository = held_->location.common_dir;
  if (held_->put_back && !repository.empty()) directories.push_back(repository);
  return directories;
}

absl::StatusOr<Released> Lock::Release() {
  HeldLock& lock = *held_;
  const std::string& guard = lock.location.guard;
  Released released;
  if (!lock.writable.ok()) {
    // Keep the record: it is the outer run's, or says that this run has ended.
    const absl::Status unlocked = Unlock(lock.fd, Range::kJoined, guard);
    lock.fd.Close();
    if (!unlocked.ok()) return unlocked;
    return released;
  }
  absl::StatusOr<OwnChange> change = OwnChange();
  // A repository in the old one's place is not this run's to change.
  const bool is_home = FollowHome(lock);
  if (is_home && lock.put_back) LeaveDeletedRepository(lock);
  if (is_home) change = LockOwnChange(lock);
  absl::Status status = change.status();
  released.overridden = change.ok() && change->overridden;
  const bool is_mine = is_home && change.ok() && !change->overridden;
  if (released.overridden) {
    released.by = OverriddenBy(lock);
    released.overridden = released.by.has_value();
    // If this fails, the end of this process shows the end of the run.
    if (!lock.joined) RemoveFromRecord(lock).IgnoreError();
  }
  if (is_mine && !lock.joined) {
    status = lock.publication.Remove(&released.removed_lock_files);
  }
  if (is_mine && lock.withdrawn && change->fd.ok()) status = PutBack(lock);
  // Joined runs keep the record until the last of them ends. And as long as the
  // lock file exists, the record must prove that its run is dead.
  std::optional<std::string> text;
  if (is_mine && status.ok() && change->fd.ok()) {
    const absl::StatusOr<bool> others = IsTaken(lock.fd, guard);
    status.Update(others.status());
    if (others.ok()) {
      const std::optional<Holder> remaining = Remaining(lock, *others);
      text = TextOf(remaining);
      // If this fails, the hooks do it.
      if (!*others && !WorksOn(remaining)) {
        SetArmed(lock.location, false).IgnoreError();
      }
    }
  }
  const bool somebody_waits =
      IsLocked(lock.fd, Range::kWaiting, guard).value_or(false);
  // Unlock first, then empty the record, both under kChange: a run killed in
  // between leaves a record proving its death. Do nothing more in between: the
  // first step wakes a waiting process, and this process can do nothing before
  // the second step.
  status.Update(
      Unlock(lock.fd, lock.joined ? Range::kJoined : Range::kHolder, guard));
  if (text.has_value()) status.Update(Overwrite(lock.fd, *text, guard));
  if (change.ok()) change->fd.Close();
  // The kernel has most likely queued the waiting process on this processor,
  // behind this process.
  if (somebody_waits) sched_yield();
  lock.fd.Close();
  if (!status.ok()) return status;
  return released;
}

int Lock::fd() const { return held_->fd.get(); }
bool Lock::joined() const { return held_->joined; }
const Holder& Lock::holder() const { return held_->holder; }
const std::vector<LockStatus>& Lock::stale() const { return held_->stale; }
const std::vector<Holder>& Lock::killed() const { return held_->killed; }
std::optional<Overrider> Lock::overridden_by() const {
  return OverriddenBy(*held_);
}
const std::vector<Malformed>& Lock::malformed() const {
  return held_->malformed;
}
const absl::Status& Lock::excluded() const { return held_->excluded; }

}  // namespace o8lock
