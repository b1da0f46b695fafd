// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "lock/access.h"
#include "lock/arming.h"
#include "lock/exclude.h"
#include "lock/file.h"
#include "lock/file_system.h"
#include "lock/guard.h"
#include "lock/held_lock.h"
#include "lock/holder.h"
#include "lock/inside.h"
#include "lock/inspect.h"
#include "lock/join.h"
#include "lock/kernel_lock.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/lock_files.h"
#include "lock/lock_status.h"
#include "lock/main_worktree.h"
#include "lock/process.h"
#include "lock/put_back.h"
#include "lock/record_status.h"
#include "lock/status.h"
#include "lock/this_run.h"

namespace o8lock {
namespace {

// The number of times another run's lock file may come between.
constexpr int kMaxTries = 100;
// Room for a few names and numbers added to the record later.
constexpr size_t kMaxRecordSize = kMaxFileSize - (16 << 10);

// Null: another process has changed the lock meanwhile; try again.
using Taken = absl::StatusOr<std::unique_ptr<HeldLock>>;

// Adds `found` unless it is in `stale`: one run may leave a record and a lock
// file.
void AddStale(const LockStatus& found, std::vector<LockStatus>& stale) {
  for (const LockStatus& known : stale) {
    if (known.holder->pid == found.holder->pid &&
        known.holder->started_at == found.holder->started_at) {
      return;
    }
  }
  stale.push_back(found);
}

// One call of Lock::Acquire.
class Acquisition {
 public:
  Acquisition(const Location& location, const AcquireOptions& options,
              std::optional<LockStatus>* refused_by)
      : location_(location), options_(options), refused_by_(refused_by) {}

  absl::StatusOr<std::unique_ptr<HeldLock>> Run(Fd turn);

 private:
  // Uses the guard `turn` or, if it is empty, the one in place.
  Taken TryOnce(Fd turn);
  // Handles an `error` from opening the guard for writing.
  Taken TakeUnopened(const absl::Status& error);
  // `guard` is locked whole (TakeLocked), or others have a lock on it
  // (TakeHeld).
  Taken TakeLocked(Fd guard);
  Taken TakeHeld(Fd guard);
  Taken TakeFree(Fd guard);
  // Replaces the free guard, which has another name. Its record `previous` is
  // kept, unless it is of the repository that this one is a copy of.
  // REQUIRES: it is locked whole and has its name.
  absl::Status ReplaceGuard(std::optional<Holder> previous);
  Taken TakeByForce(const Fd& old_guard, const LockStatus& holder);

  void RemoveRemains() const;
  absl::Status Prepare(const Predecessors& predecessors, HeldLock& lock);
  absl::Status Clear(const Predecessors& predecessors, bool displace,
                     HeldLock& lock);
  absl::Status Publish(HeldLock& lock) const;
  absl::Status Record(const Fd& guard, const std::string& path,
                      std::optional<int64_t> taken_since, HeldLock& lock) const;
  absl::Status Place(const Predecessors& predecessors, HeldLock& lock);
  absl::Status Refuse(LockStatus found);

  // Whether this start is a part of the run `found` around it.
  bool MayJoin(const LockStatus& found) const {
    return !options_.is_orchestr8 || !IsBehindOrchestr8(found);
  }
  // Adds to the record of `lock` the runs of the record `previous` that may
  // live on: they no longer have a record of their own.
  void SetOverridden(const Holder& previous, HeldLock& lock) const;

  Ticks Waited() const { return NowTicks() - start_; }
  // The temporary path of a guard replacing the one in place.
  std::string NewGuard() const { return location_.guard + ".new"; }

  const Location& location_;
  const AcquireOptions& options_;
  std::optional<LockStatus>* const refused_by_;
  const Ticks start_ = NowTicks();
  bool replaced_ = false;  // ReplaceGuard was called
};

absl::StatusOr<std::unique_ptr<HeldLock>> Acquisition::Run(Fd turn) {
  if (refused_by_ != nullptr) refused_by_->reset();
  while (true) {
    Taken taken = TryOnce(std::exchange(turn, Fd()));
    if (taken.ok() && *taken == nullptr) continue;
    if (taken.ok() && !(*taken)->joined) (*taken)->home = OpenHome(location_);
    return taken;
  }
}

Taken Acquisition::TryOnce(Fd turn) {
  absl::StatusOr<Fd> guard = turn.ok() ? std::move(turn) : OpenGuard(location_);
  if (!guard.ok()) return TakeUnopened(guard.status());
  const absl::Status locked = TryLock(*guard, Range::kAll, location_.guard);
  if (!locked.ok() && !absl::IsUnavailable(locked)) return locked;
  return locked.ok() ? TakeLocked(*std::move(guard))
                     : TakeHeld(*std::move(guard));
}

Taken Acquisition::TakeUnopened(const absl::Status& error) {
  // Even without permission to take the lock, this process may be inside the
  // run with it, or be refused because of it.
  absl::StatusOr<LockStatus> found = Inspect(location_, options_.own_tokens);
  if (!found.ok() || found->state != LockState::kHeld ||
      Contains(options_.overriding, *found)) {
    return error;
  }
  if (!found->own || !MayJoin(*found)) return Refuse(*std::move(found));
  // Joining shares the kernel lock, so there must be one.
  if (!found->kernel_locked) return error;
  O8LOCK_ASSIGN_OR_RETURN(Fd guard, OpenRegular(location_.guard, O_RDONLY));
  return Join(location_, std::move(guard), *found, error);
}

Taken Acquisition::TakeLocked(Fd guard) {
  O8LOCK_ASSIGN_OR_RETURN(const bool named,
                          IsStillNamed(guard, location_.guard));
  if (named) return TakeFree(std::move(guard));
  if (Waited() < kChangeFor) return nullptr;
  return absl::AbortedError(
      absl::StrCat("cannot lock '", location_.guard,
                   "': another process keeps replacing it"));
}

Taken Acquisition::TakeHeld(Fd guard) {
  LockStatus found =
      DetermineGuardStatus(guard, location_.guard, /*taken=*/true);
  const bool overrides = Contains(options_.overriding, found);
  if (!overrides && IsInside(found, guard, options_.own_tokens)) {
    if (MayJoin(found)) return Join(location_, std::move(guard), found);
    // A process inside a run cannot wait for this run's end.
    found.own = true;
    return Refuse(std::move(found));
  }
  const bool is_stale = found.state == LockState::kStale;
  if (!is_stale && !IsConclusive(found, Waited())) {
    absl::SleepFor(kRetryEvery);
    return nullptr;
  }
  if (is_stale || overrides) {
    Taken taken = TakeByForce(guard, found);
    if (!is_stale || !absl::IsDeadlineExceeded(taken.status())) return taken;
    // Another process was stopped while taking the lock over or joining it.
    found.state = LockState::kHeld;
  }
  AddDescriptorHolders(guard, found);
  return Refuse(std::move(found));
}

// REQUIRES: `guard` is locked whole and has its name.
Taken Acquisition::TakeFree(Fd guard) {
  RemoveRemains();
  if (location_.is_news) {
    // On failure a start in a linked worktree does not see this worktree's
    // external runs. The lock is the same.
    RememberMainWorktree(location_.common_dir, location_.main_worktree)
        .IgnoreError();
  }
  const std::optional<Holder> previous = ReadRecord(guard, location_.guard);
  LockStatus left =
      DetermineRecordStatus({guard, location_.guard, previous},
                            /*kernel_locked=*/false, /*may_mark=*/true);
  const bool lives = left.state > LockState::kStale;
  if (lives && !Contains(options_.overriding, left)) {
    AddDescriptorHolders(guard, left);
    left.own = left.state == LockState::kHeld &&
               IsInside(left, guard, options_.own_tokens);
    if (left.own && MayJoin(left)) {
      return JoinRun(location_, std::move(guard), *std::move(left.holder));
    }
    return Refuse(std::move(left));
  }
  O8LOCK_ASSIGN_OR_RETURN(const bool has_other_name,
                          HasOtherName(guard, location_.guard));
  if (has_other_name) {
    O8LOCK_RETURN_IF_ERROR(ReplaceGuard(previous));
    return nullptr;
  }
  auto lock = std::make_unique<HeldLock>(location_);
  if (left.state == LockState::kStale) AddStale(left, lock->stale);
  const Predecessors predecessors{previous, previous.has_value() && !lives,
                                  options_.overriding};
  O8LOCK_RETURN_IF_ERROR(Prepare(predecessors, *lock));
  if (lives) SetOverridden(*previous, *lock);
  lock->holder.orphaned = std::move(left.orphaned);
  lock->killed = std::move(left.killed);
  const std::string left_text =
      previous.has_value() ? RecordText(*previous) : "";
  absl::Cleanup undo = [this, &lock, &guard, &left_text] {
    lock->publication.Remove(nullptr).IgnoreError();
    SetArmed(location_, false).IgnoreError();
    Overwrite(guard, left_text, location_.guard).IgnoreError();
  };
  O8LOCK_RETURN_IF_ERROR(Publish(*lock));
  O8LOCK_RETURN_IF_ERROR(
      Record(guard, location_.guard, /*taken_since=*/std::nullopt, *lock));
  O8LOCK_RETURN_IF_ERROR(Place(predecessors, *lock));
  O8LOCK_RETURN_IF_ERROR(DowngradeToRunLock(guard, location_.guard));
  std::move(undo).Cancel();
  lock->fd = std::move(guard);
  return lock;
}

absl::Status Acquisition::ReplaceGuard(std::optional<Holder> previous) {
  const std::string& place = location_.guard;
  if (std::exchange(replaced_, true)) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", place,
                     "' has other hard links, but o8lock needs a file of its "
                     "own there"));
  }
  const std::string path = NewGuard();
  O8LOCK_ASSIGN_OR_RETURN(const Fd guard, CreateFresh(path, 0666));
  O8LOCK_RETURN_IF_ERROR(InheritAccess(guard, path, 0666));
  if (previous.has_value() && previous->guard == place) {
    O8LOCK_ASSIGN_OR_RETURN(previous->guard_id, IdOf(guard, path));
    O8LOCK_RETURN_IF_ERROR(Overwrite(guard, RecordText(*previous), path));
  }
  return RenameFile(path, place);
}

// Takes the lock of `holder`, found in the open `old_guard`: a run to be
// overridden or, kStale, a dead run with surviving processes keeping its lock.
Taken Acquisition::TakeByForce(const Fd& old_guard, const LockStatus& holder) {
  O8LOCK_RETURN_IF_ERROR(LockChange(old_guard, location_.guard));
  O8LOCK_ASSIGN_OR_RETURN(const bool named,
                          IsStillNamed(old_guard, location_.guard));
  O8LOCK_ASSIGN_OR_RETURN(const bool held,
                          IsLocked(old_guard, Range::kRun, location_.guard));
  O8LOCK_ASSIGN_OR_RETURN(const bool joined,
                          IsLocked(old_guard, Range::kJoined, location_.guard));
  std::optional<Holder> previous = ReadRecord(old_guard, location_.guard);
  const bool is_same = holder.holder.has_value()
                           ? FindRun(previous, holder) != nullptr
                           : !previous.has_value();
  const bool is_dead = holder.state == LockState::kStale;
  if (!named || !(held || joined) || !is_same || (is_dead && joined)) {
    return nullptr;
  }
  auto lock = std::make_unique<HeldLock>(location_);
  if (is_dead) AddStale(holder, lock->stale);
  const std::string new_path = NewGuard();
  absl::Cleanup undo = [&lock, &new_path] {
    lock->publication.Remove(nullptr).IgnoreError();
    unlink(new_path.c_str());
  };
  RemoveRemains();
  const Predecessors predecessors{previous, is_dead, options_.overriding};
  O8LOCK_RETURN_IF_ERROR(Prepare(predecessors, *lock));
  O8LOCK_RETURN_IF_ERROR(Publish(*lock));
  O8LOCK_ASSIGN_OR_RETURN(Fd guard, CreateFresh(new_path, 0666));
  O8LOCK_RETURN_IF_ERROR(InheritAccess(guard, new_path, 0666));
  O8LOCK_RETURN_IF_ERROR(TryLock(guard, Range::kAll, new_path));
  const bool overrides = previous.has_value() && !is_dead;
  if (overrides) SetOverridden(*previous, *lock);
  lock->holder.orphaned = holder.orphaned;
  lock->killed = holder.killed;
  O8LOCK_RETURN_IF_ERROR(Record(
      guard, new_path,
      overrides ? std::make_optional(previous->taken_since) : std::nullopt,
      *lock));
  if (overrides) {
    // Tells the holder. It keeps this file open after the file has lost its
    // name.
    const std::string record = RecordText(*previous);
    previous->overridden_by = OverriderOf(lock->holder);
    O8LOCK_RETURN_IF_ERROR(ReplaceRecord(old_guard, RecordText(*previous),
                                         record, location_.guard));
  }
  // Up to here the holder has the lock, from here on this run has it. Place the
  // lock file only afterwards: otherwise the holder has no lock file if this
  // process dies in between.
  O8LOCK_RETURN_IF_ERROR(RenameFile(new_path, location_.guard));
  std::move(undo).Cancel();
  lock->fd = std::move(guard);
  const absl::Status placed = Place(predecessors, *lock);
  O8LOCK_RETURN_IF_ERROR(DowngradeToRunLock(lock->fd, location_.guard));
  if (!placed.ok()) return placed;
  return lock;
}

void Acquisition::SetOverridden(const Holder& previous, HeldLock& lock) const {
  if (options_.forget_overridden) return;
  std::vector<Holder> runs = previous.overridden;
  runs.push_back(previous);
  for (Holder& run : runs) {
    if (run.released || !MayLive(run)) continue;
    // Keep the first overrider: from then on other runs have made worktrees.
    if (!run.overridden_by.has_value()) {
      run.overridden_by = OverriderOf(lock.holder);
    }
    lock.holder.overridden.push_back(std::move(run));
  }
}

// Removes the remains of runs killed during an override or a takeover. Only the
// owner of the kernel lock uses these names.
void Acquisition::RemoveRemains() const {
  unlink(NewGuard().c_str());
  RestoreLockFiles(location_);
}

// Describes this run, and removes dead runs' lock files.
absl::Status Acquisition::Prepare(const Predecessors& predecessors,
                                  HeldLock& lock) {
  O8LOCK_ASSIGN_OR_RETURN(
      lock.holder, DescribeThisRun(options_.features, options_.max_concurrency,
                                   options_.command));
  O8LOCK_RETURN_IF_ERROR(Clear(predecessors, /*displace=*/false, lock));
  if (!location_.outside.empty()) {
    lock.holder.unpublished = "its directory is outside the repository";
  } else if (options_.unpublished != nullptr) {
    lock.holder.unpublished = options_.unpublished();
  }
  return absl::OkStatus();
}

absl::Status Acquisition::Clear(const Predecessors& predecessors, bool displace,
                                HeldLock& lock) {
  O8LOCK_ASSIGN_OR_RETURN(ClearedLockFiles cleared,
                          ClearLockFiles(location_, predecessors, displace,
                                         lock.holder.started_at));
  for (const LockStatus& found : cleared.stale) AddStale(found, lock.stale);
  for (Malformed& malformed : cleared.malformed) {
    lock.malformed.push_back(std::move(malformed));
  }
  if (!cleared.in_the_way.has_value()) return absl::OkStatus();
  return Refuse(*std::move(cleared.in_the_way));
}

absl::Status Acquisition::Publish(HeldLock& lock) const {
  if (lock.holder.unpublished.has_value()) return absl::OkStatus();
  lock.excluded = ExcludeLockFile(location_);
  return lock.publication.Write(lock.holder);
}

// Arms the hooks and writes this run's record into `guard` at `path`.
absl::Status Acquisition::Record(const Fd& guard, const std::string& path,
                                 std::optional<int64_t> taken_since,
                                 HeldLock& lock) const {
  // Arm before the moment of the acquisition: any git started after this moment
  // calls the hooks from its first step on.
  O8LOCK_RETURN_IF_ERROR(SetArmed(location_, true));
  O8LOCK_ASSIGN_OR_RETURN(lock.id, IdOf(guard, path));
  lock.holder.guard_id = lock.id;
  lock.holder.guard = location_.guard;
  lock.holder.guard_is_local = IsLocal(guard);
  lock.holder.acquired = NowNanoseconds();
  lock.holder.taken_since = taken_since.value_or(lock.holder.acquired);
  lock.record = RecordText(lock.holder);
  if (lock.record.size() > kMaxRecordSize) {
    return FeaturesTooLong();
  }
  return Overwrite(guard, lock.record, path);
}

// Gives the lock file its name.
absl::Status Acquisition::Place(const Predecessors& predecessors,
                                HeldLock& lock) {
  // An overridden run's lock file must refuse no more starts: an orchestr8 with
  // its own lock file would be refused.
  if (!options_.overriding.empty()) {
    O8LOCK_RETURN_IF_ERROR(Clear(predecessors, /*displace=*/true, lock));
  }
  if (lock.holder.unpublished.has_value()) return absl::OkStatus();
  absl::Status status = lock.publication.Place();
  // The existing file is the overridden run's, or a faster external run's.
  for (int i = 0; i < kMaxTries && absl::IsAlreadyExists(status); ++i) {
    O8LOCK_RETURN_IF_ERROR(Clear(predecessors, /*displace=*/true, lock));
    status = lock.publication.Place();
  }
  return status;
}

// Reports `found` and returns its error for the caller.
absl::Status Acquisition::Refuse(LockStatus found) {
  const std::string about = absl::StrCat(
      " (", found.file, ", ",
      found.holder.has_value() ? absl::StrCat("process ", found.holder->pid)
                               : "unknown process",
      ")");
  const bool held = found.state == LockState::kHeld;
  if (refused_by_ != nullptr) *refused_by_ = std::move(found);
  return held ? absl::UnavailableError(absl::StrCat("the lock is held", about))
              : absl::FailedPreconditionError(
                    absl::StrCat("the state of the lock is unknown", about));
}

}  // namespace

absl::StatusOr<std::unique_ptr<HeldLock>> AcquireLock(
    const Location& location, const AcquireOptions& options,
    std::optional<LockStatus>* refused_by, Fd turn) {
  return Acquisition(location, options, refused_by).Run(std::move(turn));
}

}  // namespace o8lock
