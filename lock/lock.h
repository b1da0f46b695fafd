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
//   absl::StatusOr<o8lock::Lock> lock =
//       o8lock::Lock::Acquire(*location, options);
//   if (absl::IsUnavailable(lock.status())) {
//     std::optional<o8lock::Inspection> found =
//         o8lock::InspectionOf(lock.status());
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
// are inside of another, its fourth one by those that wait (wait.h). Nothing is
// synced to the disk: no lock outlives a reboot.
#ifndef O8LOCK_LOCK_LOCK_H_
#define O8LOCK_LOCK_LOCK_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/inspection.h"
#include "lock/location.h"

namespace o8lock {

struct AcquireOptions {
  // What the lock file and the record say of this run. The number is
  // orchestr8's own, where nothing says otherwise.
  std::vector<std::string> features;
  int max_concurrency = 3;
  std::vector<std::string> command;

  // Whether to put the lock file in place.
  bool publish = true;

  // The tokens of the runs that this process is inside of.
  std::vector<std::string> own_tokens;

  // Verdicts that somebody has seen and wants overridden. A lock that none of
  // them is about is not overridden.
  std::vector<Inspection> overriding;
};

// A lock file that was no lock file, and where it was put out of the way.
struct Malformed {
  std::string path;
  std::string kept_as;
  std::string problem;
};

// How a run's lock ended.
struct Released {
  // Another run took the lock away before; its files were left alone.
  bool overridden = false;
  std::optional<Overrider> by;

  // Lock files that were left by processes that ended during the run, such as
  // an orchestr8 that keeps its own and was killed; they were removed.
  std::vector<Inspection> swept;
};

// What has happened to a lock in its run.
struct Disturbance {
  // Another run has taken the lock away.
  bool overridden = false;
  std::optional<Overrider> by;

  // The lock file was gone, and has been put in place again.
  bool vanished = false;

  // In the lock file's place is another, which was left alone: this is what it
  // says (no holder: it is no lock file).
  std::optional<Inspection> replaced;
};

// Move-only: the lock is one. Not thread-safe; distinct Locks are independent,
// also two on the same file in one process. To take one is to set the process'
// umask to 077 for a moment, to learn what it is. A copy in a forked child is
// inert: only the process that acquired releases.
class Lock {
 public:
  // Takes the lock at `location`; or, where this process is inside the run that
  // has it (options.own_tokens), joins that: the lock stays taken until both
  // have released, and nothing on disk changes.
  // On success the guard's kernel lock is this run's, the guard holds its
  // record, the lock file is in place (options.publish) and, in a repository,
  // in info/exclude; what dead runs left is gone, see stale() and malformed().
  // Errors:
  //   kUnavailable         a run has it; InspectionOf() tells which.
  //   kFailedPrecondition  it cannot be told whether a run has it (with an
  //                        InspectionOf()); or a file's place is taken by
  //                        something that is no regular file (without).
  //   kUnimplemented       the file system has no working locks.
  //   kInvalidArgument     the description is longer than kMaxFileSize.
  //   kDeadlineExceeded    another process is stuck half-way through a change,
  //                        or somebody keeps replacing the guard.
  //   kNotFound, kPermissionDenied, kResourceExhausted, ...  from the file
  //                        system, with operation and path.
  // On failure nothing of a living run was changed, and nothing of this is left
  // but, beside the guard, the file that is to become a lock file; but for the
  // rarest, of an override whose last step, giving the lock file
  // its name, fails: the overridden run has lost its lock then.
  // Never waits for a holder; a second for a record, and for each lock file,
  // that is just being written, five for an override that is under way.
  // `turn`, unless empty, is the guard that WaitFor() (wait.h) has got.
  static absl::StatusOr<Lock> Acquire(const Location& location,
                                      const AcquireOptions& options,
                                      Fd turn = Fd());

  // Movable, but not assignable: what would become of the lock that is there?
  Lock(Lock&& other) noexcept = default;
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

  // Looks whether the lock is as this run has made it. A lock file that is
  // gone, or has another name (orchestr8 4 gives it one), is put in place
  // again.
  // Errors: kDeadlineExceeded, and those of writing.
  // A few system calls when all is well; else waits up to five seconds for an
  // override that is under way, and a second for a lock file that is being
  // written.
  // REQUIRES: not released yet.
  absl::StatusOr<Disturbance> LookAfter();

  // What LookAfter() is about: directories of which watch.h can tell.
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
  int fd() const { return fd_.get(); }

  // Whether this is inside the run holder(), and has joined it.
  bool joined() const { return joined_; }

  // This run, as its record has it.
  const Holder& holder() const { return holder_; }

  // What was there: the dead runs whose lock this one took over, each once, and
  // lock files that were none.
  const std::vector<Inspection>& stale() const { return stale_; }
  const std::vector<Malformed>& malformed() const { return malformed_; }

 private:
  Lock(Location location, Fd fd);

  static absl::StatusOr<Lock> TakeFree(const Location& location,
                                       const AcquireOptions& options, Fd guard);
  static absl::StatusOr<std::optional<Lock>> TakeByForce(
      const Location& location, const AcquireOptions& options,
      const Fd& old_guard, const Inspection& holder);
  static absl::StatusOr<std::optional<Lock>> Join(const Location& location,
                                                  const AcquireOptions& options,
                                                  Fd guard);
  struct OwnChange;
  absl::StatusOr<OwnChange> LockOwnChange() const;
  std::optional<Overrider> OverriddenBy() const;
  absl::Status Describe(const AcquireOptions& options);
  absl::Status WriteRecord(const Fd& guard, const std::string& path);
  absl::Status ClearLockFiles(const AcquireOptions& options,
                              const std::optional<Holder>& previous,
                              bool previous_is_dead, bool displace);
  absl::Status WriteLockFile();
  absl::Status PlaceLockFile(const AcquireOptions& options,
                             const std::optional<Holder>& previous,
                             bool previous_is_dead);
  absl::Status RemoveLockFiles(std::vector<Inspection>* swept);
  void ClearLeftovers() const;
  void AddStale(const Inspection& inspection);

  Location location_;
  Fd fd_;
  pid_t pid_;
  bool joined_ = false;
  Holder holder_;
  std::string record_;      // as it is in the guard
  std::string text_;        // the lock file's
  std::string written_;     // the lock file before it gets its name: its path
  bool published_ = false;  // whether it has got that
  bool created_directory_ = false;  // the lock file's
  std::vector<Inspection> stale_;
  std::vector<Malformed> malformed_;
};

// The verdict on the lock at `location`, for a process inside the runs
// `own_tokens`. Takes nothing and changes nothing.
// Errors: as Lock::Acquire's for files that are none, kUnimplemented, and from
// the file system. May wait as Acquire does for what is being written.
absl::StatusOr<Inspection> Inspect(const Location& location,
                                   const std::vector<std::string>& own_tokens);

// Whether a run has the kernel lock at `location`, and nothing more: some five
// system calls. Runs outside o8lock have none.
// Errors: as Inspect's for the guard's file.
absl::StatusOr<bool> IsTaken(const Location& location);

// Arms the repository's hooks (arming.h) if a run has the lock or, as somebody
// has just found, a lock file of a run outside o8lock is there
// (`held_outside`); disarms them if not. Lock does this by itself; this is for
// when it could not: hooks are being installed, a run was killed, a run is
// outside o8lock. Errors: as Lock::Acquire's for the guard's file and from the
// file system;
//         kDeadlineExceeded  the record is being changed, for longer than that
//                            takes; nothing was done.
// Waits up to a twentieth of a second.
absl::Status UpdateArming(const Location& location, bool held_outside);

// What an error of Acquire tells of the lock; nothing when it is not about one.
std::optional<Inspection> InspectionOf(const absl::Status& status);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_LOCK_H_
