// SPDX-License-Identifier: Apache-2.0
//
// Lock: while one exists, no other run has the same lock.
//
// Calling sequence: Locate(), Lock::Acquire(), do the work, Release(). A
// process that dies in any way frees the lock: the kernel does it. A child
// process that was given fd() keeps it taken until Release(), or, if nobody is
// left to call that, until it ends. Children of its own that live on keep it
// too, unless NameCommand() has said which process it is.
//
//   absl::StatusOr<o8lock::Location> location = o8lock::Locate({});
//   if (!location.ok()) return location.status();
//   o8lock::AcquireOptions options;
//   options.features = {"feat-a"};
//   std::optional<o8lock::LockStatus> found;
//   absl::StatusOr<o8lock::Lock> lock =
//       o8lock::Lock::Acquire(*location, options, &found);
//   if (absl::IsUnavailable(lock.status())) {
//     ...                            // found->holder->pid has it
//   }
//   if (!lock.ok()) return lock.status();
//   ...                              // alone
//   return lock->Release().status();
//
// What is on disk, and why there are two files, is said in holder.h and
// location.h. The protocol: the kernel lock on the guard (kernel_lock.h)
// decides; its second byte is held for the microseconds in which the record,
// the lock file or the guard's name change, so that a release and an override,
// or two overrides, never interleave; its third byte is shared by the runs that
// are inside of another, its fifth one by those inside that have withdrawn the
// lock file. Each process that waits has a byte far behind them (waiters.h).
// Nothing is synced to the disk: no lock outlives a reboot.
#ifndef O8LOCK_LOCK_LOCK_H_
#define O8LOCK_LOCK_LOCK_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/inspect.h"
#include "lock/location.h"
#include "lock/lock_status.h"

namespace o8lock {

struct HeldLock;

struct AcquireOptions {
  // What the lock file and the record say of this run. The number is
  // orchestr8's own, where nothing says otherwise.
  std::vector<std::string> features;
  int max_concurrency = 3;
  std::vector<std::string> command;

  // Why no lock file is put in place, for people; nothing: it is.
  std::optional<std::string> unpublished;

  // The tokens of the runs that this process is inside of (inside.h).
  std::vector<std::string> own_tokens;

  // Whether the command is an orchestr8: inside of another's run it is refused
  // (then `refused_by` is own), where other commands join.
  bool is_orchestr8 = false;

  // LockStates that somebody has seen and wants overridden. A lock that none of
  // them is about is not overridden.
  std::vector<LockStatus> overriding;

  // Whether the record is to say nothing of overridden runs that live on. It
  // has the next start refused by them after this one's end.
  bool forget_overridden = false;
};

// How a run's lock ended.
struct Released {
  // Another run took the lock away before; its files were left alone.
  bool overridden = false;
  std::optional<Overrider> by;

  // Lock files that were left by processes that ended during the run, such as
  // an orchestr8 that keeps its own and was killed; they were removed.
  std::vector<LockStatus> removed_lock_files;
};

// What has happened to a lock in its run.
struct Interference {
  // Another run has taken the lock away.
  bool overridden = false;
  std::optional<Overrider> by;

  // The lock file, or the guard, was gone, and has been put in place again.
  bool vanished = false;
  bool guard_vanished = false;

  // The guard was gone, and another run had made one before that: both are on.
  bool guard_lost = false;

  // In the lock file's place is another, which was left alone: this is what it
  // says (no holder: it is no lock file).
  std::optional<LockStatus> replaced;
};

// Move-only: the lock is one. Not thread-safe; distinct Locks are independent,
// also two on the same file in one process. A copy in a forked child is inert:
// only the process that acquired releases.
class Lock {
 public:
  // Takes the lock at `location`; or, where this process is inside the run that
  // has it (inside.h), joins that: the lock stays taken until both
  // have released, and nothing on disk changes.
  // On success the guard's kernel lock is this run's, the guard holds its
  // record, the lock file is in place (unless options.unpublished) and, in a
  // repository, in info/exclude if that can be written, see excluded(); what
  // dead runs left is gone, see stale() and malformed(). Errors:
  //   kUnavailable         a run has it; `refused_by`, unless null, tells
  //   which. kFailedPrecondition  it cannot be told whether a run has it (then
  //   too);
  //                        or a file's place is taken by something that is no
  //                        regular file (then `refused_by` is nothing).
  //   kUnimplemented       the file system has no working locks.
  //   kInvalidArgument     the description is longer than kMaxFileSize.
  //   kDeadlineExceeded    another process is stuck half-way through a change,
  //                        or somebody keeps replacing the guard.
  //   kNotFound, kPermissionDenied, kResourceExhausted, ...  from the file
  //                        system, with operation and path.
  // On failure nothing of a living run was changed, and nothing of this is
  // left; but for an override whose last step, giving the lock file its name,
  // fails: the overridden run has lost its lock then.
  // Never waits for a holder; a second for a record, and for each lock file,
  // that is just being written, five for an override that is under way.
  // `turn`, unless empty, is the guard that WaitFor() (wait.h) has got.
  static absl::StatusOr<Lock> Acquire(
      const Location& location, const AcquireOptions& options,
      std::optional<LockStatus>* refused_by = nullptr, Fd turn = Fd());

  // Move-constructible only: assignment would have to release the lock that is
  // there.
  Lock(Lock&& other) noexcept;
  // Releases, if Release() was not called.
  ~Lock();

  // Writes into the record which process the command is that was given fd().
  // Should this process be killed, the next run can tell the command from what
  // that leaves behind, and takes the lock from the latter.
  // Errors: kDeadlineExceeded, and those of writing; the record is as before,
  // and the lock is held all the same. Nothing is done, and that is no error,
  // when the lock was overridden, or is joined().
  // Waits up to five seconds for an override that is under way.
  // REQUIRES: not released yet.
  absl::Status NameCommand(pid_t command);

  // Writes into the record which worktrees ended runs have left, in place of
  // what holder() says of that, or besides. The record names them until it is
  // told otherwise, also after this run; a hundred at most. Of an overridden
  // run, Release() adds them to the record of the run that has the lock.
  // Errors, blocking and requirements as NameCommand's.
  absl::Status SetOrphaned(const std::vector<OrphanedWorktree>& worktrees);
  absl::Status AddOrphaned(const std::vector<OrphanedWorktree>& worktrees);

  // Leaves the lock, from Release() on, to `processes` of this run: the next
  // start is refused until the last has ended, and what they have started in
  // their worktrees and sessions. Errors and blocking as NameCommand's: the
  // lock is left to them all the same, unless this process is killed.
  // REQUIRES: not joined(), and not released yet.
  absl::Status KeepFor(std::vector<SurvivingProcess> processes);

  // Removes the lock file of the run joined by this until Release(): it would
  // stop an orchestr8 with a lock file of its own. Does nothing where that run
  // has no lock file or the lock is not joined().
  // Errors: kDeadlineExceeded, and those of removing; the lock is joined all
  // the same.
  // If this process is killed, the lock file stays away until the outer run
  // notices a change beside it.
  // Waits up to five seconds for an override that is under way.
  // REQUIRES: no duplicate of fd() was given away, and not released yet.
  absl::Status WithdrawLockFile();

  // Looks whether the lock is as this run has made it. A guard or a lock file
  // that is gone, or has another name (orchestr8 4 gives the latter one), is
  // put in place again; where the repository was moved, there. Nothing is
  // written after an override, where another run's is in its place, and no lock
  // file that a run inside has withdrawn.
  // Errors: kDeadlineExceeded, and those of writing.
  // A few system calls when all is well; else waits up to five seconds for an
  // override that is under way, and a second for a lock file that is being
  // written.
  // REQUIRES: not released yet.
  absl::StatusOr<Interference> CheckIntegrity();

  // What CheckIntegrity() is about: directories of which watch.h can tell.
  std::vector<std::string> Directories() const;

  // Removes the lock file if it is still this run's, and those that processes
  // which have ended left during the run, frees the lock for every
  // process that has a duplicate of fd(), and empties the record, unless
  // another run has joined and goes on. If the lock was overridden, only the
  // orphaned guard is given up.
  // Errors: from removing the lock file; the lock is free all the same.
  // Waits up to five seconds for an override that is under way.
  // REQUIRES: not released yet.
  absl::StatusOr<Released> Release();

  // The guard's descriptor, 3 or higher, close-on-exec. Who inherits a
  // duplicate keeps the lock taken if this process is killed. Owned by this.
  int fd() const;

  // Whether this is inside the run holder(), and has joined it.
  bool joined() const;

  // This run, as its record has it.
  const Holder& holder() const;

  // What was there: the dead runs whose lock this one took over, each once, and
  // lock files that were none.
  const std::vector<LockStatus>& stale() const;

  // Overridden runs that were killed, of which no start has told.
  const std::vector<Holder>& killed() const;

  // Who has taken the lock away from this run, as its own guard says; nothing:
  // no run has. Reads that file. REQUIRES: not released yet.
  std::optional<Overrider> overridden_by() const;

  const std::vector<Malformed>& malformed() const;

  // Why the lock file, if it is published, is not in info/exclude.
  const absl::Status& excluded() const;

 private:
  explicit Lock(std::unique_ptr<HeldLock> held);

  std::unique_ptr<HeldLock> held_;
};

}  // namespace o8lock

#endif  // O8LOCK_LOCK_LOCK_H_
