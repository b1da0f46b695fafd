// SPDX-License-Identifier: Apache-2.0
//
// Lock: while one exists, no other run has the same lock.
//
// Calling sequence: Locate(), Lock::Acquire(), do the work, Release(). When a
// process dies in any way, the kernel frees its lock. A child process with a
// duplicate of fd() keeps the lock until Release() or, if this process dies
// before Release(), until the child ends. The child's own children keep the
// lock too, unless NameCommand() has named the child.
//
//   absl::StatusOr<o8lock::Location> location = o8lock::Locate({});
//   if (!location.ok()) return location.status();
//   o8lock::AcquireOptions options;
//   options.features = {"feat-a"};
//   std::optional<o8lock::LockStatus> found;
//   absl::StatusOr<o8lock::Lock> lock =
//       o8lock::Lock::Acquire(*location, options, &found);
//   if (absl::IsUnavailable(lock.status())) {
//     ...                            // found->holder->pid has the lock
//   }
//   if (!lock.ok()) return lock.status();
//   ...                              // exclusive
//   return lock->Release().status();
//
// holder.h, location.h and kernel_lock.h describe the files on disk and the
// locks on them.
// Nothing is synced to the disk: no lock outlives a reboot.
#ifndef O8LOCK_LOCK_LOCK_H_
#define O8LOCK_LOCK_LOCK_H_

#include <sys/types.h>

#include <functional>
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
  // This run's description for the lock file and the record. The default of
  // max_concurrency is orchestr8's own.
  std::vector<std::string> features;
  int max_concurrency = 3;
  std::vector<std::string> command;

  // Returns why this run places no lock file, for people, or nothing: it places
  // one. Null: it places one. A refused or joining run does not call this.
  std::function<std::optional<std::string>()> unpublished;

  // The tokens of the runs around this process (inside.h).
  std::vector<std::string> own_tokens;

  // Whether the command is an orchestr8. Inside another orchestr8's run it is
  // refused, with `refused_by->own` set. Other commands join the run.
  bool is_orchestr8 = false;

  // The lock states the user has seen and wants overridden, even if this
  // process is inside such a run. No other lock is overridden.
  std::vector<LockStatus> overriding;

  // Whether the record omits overridden runs still alive. Listed there, they
  // refuse the next start after this run's end.
  bool forget_overridden = false;
};

// The circumstances of a lock's release.
struct Released {
  // Another run took the lock away before. Its files were not touched.
  bool overridden = false;
  std::optional<Overrider> by;

  // The removed lock files of processes that ended during the run, such as a
  // killed orchestr8 with a lock file of its own.
  std::vector<LockStatus> removed_lock_files;
};

// Changes made to a lock's files by others during its run.
struct Interference {
  // Another run has taken the lock away.
  bool overridden = false;
  std::optional<Overrider> by;

  // The lock file, or the guard, was gone and has been put back.
  bool vanished = false;
  bool guard_vanished = false;

  // The guard was gone, and another run made a new one first: now both runs are
  // working.
  bool guard_lost = false;

  // Another file has replaced the lock file, and was not touched. This is its
  // content (no holder: it is malformed, or unreadable).
  std::optional<LockStatus> replaced;
};

// Move-only: there is one owner. Not thread-safe. Distinct Locks are
// independent, even two on the same file in one process. A copy in a forked
// child does nothing: only the acquiring process releases.
class Lock {
 public:
  // Takes the lock at `location`. If this process is inside the run with the
  // lock (inside.h), joins this run instead, unless it is to be overridden: the
  // lock stays taken until both have released it, and nothing on disk changes.
  // On success this run has the guard's kernel lock, and the guard contains its
  // record. The lock file is in place, unless holder().unpublished. In a
  // repository, info/exclude lists the lock file if o8lock can write it, see
  // excluded(). The remains of dead runs are gone, see stale() and malformed().
  // Errors:
  //   kUnavailable         a run has the lock; `refused_by`, unless null,
  //                        describes it.
  //   kFailedPrecondition  it is unknown whether a run has the lock:
  //                        `refused_by` describes it. Or a file in the way is
  //                        not a regular file: `refused_by` is nothing.
  //   kAlreadyExists       the lock file given by its path is a file of another
  //                        kind.
  //   kUnimplemented       the file system has no working locks.
  //   kInvalidArgument     the description is longer than kMaxFileSize.
  //   kDeadlineExceeded    another process is stuck in a change.
  //   kAborted             others keep replacing the guard.
  //   kNotFound, kPermissionDenied, kResourceExhausted, ...  from the file
  //                        system, with operation and path.
  // On failure no living run is changed, and no file of this run remains. There
  // is one exception: if the last step of an override, naming the lock file,
  // fails, the overridden run has already lost its lock.
  // Never waits for a holder. Waits a second for a record and for each lock
  // file being written, and five seconds for an override in progress.
  // `turn`, unless empty, is the guard returned by WaitFor() (wait.h).
  static absl::StatusOr<Lock> Acquire(
      const Location& location, const AcquireOptions& options,
      std::optional<LockStatus>* refused_by = nullptr, Fd turn = Fd());

  // Move-constructible only: assignment would have to release the current lock.
  Lock(Lock&& other) noexcept;
  // Releases, if Release() was not called.
  ~Lock();

  // Writes `command` into the record: the process of the command, which was
  // given a duplicate of fd(). If this process is killed, the next run can
  // distinguish the command from its surviving processes, and takes the lock
  // from the latter.
  // Errors: kDeadlineExceeded  another process is stuck in a change;
  //         others             from writing.
  // On failure the record stays as before, and this run keeps the lock. If the
  // lock was overridden, or is joined(), does nothing and returns OK.
  // Waits up to five seconds for an override in progress.
  // REQUIRES: not released yet.
  absl::Status NameCommand(pid_t command);

  // Writes the orphaned worktrees of ended runs into the record. SetOrphaned()
  // replaces the list in holder(), AddOrphaned() extends it. The record keeps
  // the list until the next such call, even after this run; at most a hundred.
  // If this run was overridden, Release() adds its list to the record of the
  // run with the lock.
  // Errors, blocking and requirements as NameCommand's.
  absl::Status SetOrphaned(const std::vector<OrphanedWorktree>& worktrees);
  absl::Status AddOrphaned(const std::vector<OrphanedWorktree>& worktrees);

  // Leaves the lock, from Release() on, to `processes` of this run. The next
  // start is refused until the last of them has ended, with their descendants
  // in their worktrees and sessions.
  // Errors and blocking as NameCommand's. On failure they keep the lock all the
  // same, unless this process is killed.
  // REQUIRES: not joined(), and not released yet.
  absl::Status KeepFor(std::vector<SurvivingProcess> processes);

  // Withdraws the lock file of the outer run until Release(), because it would
  // stop an orchestr8 with a lock file of its own. Does nothing if the outer
  // run has no lock file or the lock is not joined().
  // Errors: kDeadlineExceeded  another process is stuck in a change;
  //         others             from removing the lock file, or why this process
  //                            may not write the guard.
  // On failure the lock stays joined.
  // If this process is killed, the lock file is missing until the outer run
  // notices a change beside it.
  // Waits up to five seconds for an override in progress.
  // REQUIRES: this process has given away no duplicate of fd(), and not
  // released yet.
  absl::Status WithdrawLockFile();

  // Checks whether the lock's files are as this run has made them. Puts a
  // missing or renamed guard or lock file back (orchestr8 4 renames the
  // latter). If the repository was moved, puts them back there; if it is being
  // deleted, removes them. Writes nothing after an override, or if another
  // run's file is in the place. Does not put back a lock file withdrawn by an
  // inner run.
  // Errors: kDeadlineExceeded  another process is stuck in a change;
  //         others             from writing.
  // Makes a few system calls if all is well. Otherwise waits up to five seconds
  // for an override in progress, and a second for a lock file being written.
  // REQUIRES: not released yet.
  absl::StatusOr<Interference> CheckIntegrity();

  // The directories to watch (watch.h) for changes CheckIntegrity() handles.
  std::vector<std::string> Directories() const;

  // Removes the lock file if it is still this run's, and the lock files of
  // processes that ended during the run. Frees the lock for every process with
  // a duplicate of fd(). Empties the record, unless a joined run continues. If
  // the lock was overridden, only releases the orphaned guard.
  // Errors: kDeadlineExceeded  another process is stuck in a change;
  //         others             from removing the lock file, and from writing
  //                            the record.
  // On failure the lock is free all the same. The next run removes the
  // remaining lock file and record.
  // Waits up to five seconds for an override in progress.
  // REQUIRES: not released yet.
  absl::StatusOr<Released> Release();

  // The guard's descriptor, 3 or higher, close-on-exec. Owned by this Lock. A
  // process with an inherited duplicate keeps the lock taken if this process is
  // killed.
  int fd() const;

  // Whether this process is inside the run holder() and has joined it.
  bool joined() const;

  // This run or, if joined(), the outer run, as in its record.
  const Holder& holder() const;

  // The dead runs that had the lock before this one, each once. Acquire() has
  // removed their remains. It has put malformed() lock files aside.
  const std::vector<LockStatus>& stale() const;

  // Killed overridden runs not yet reported by any start.
  const std::vector<Holder>& killed() const;

  // The run that took the lock away from this one, according to this run's own
  // guard; nothing: there is no such run. Reads the guard.
  // REQUIRES: not released yet.
  std::optional<Overrider> overridden_by() const;

  const std::vector<Malformed>& malformed() const;

  // Why a published lock file is not in info/exclude.
  const absl::Status& excluded() const;

 private:
  explicit Lock(std::unique_ptr<HeldLock> held);

  std::unique_ptr<HeldLock> held_;
};

}  // namespace o8lock

#endif  // O8LOCK_LOCK_LOCK_H_
