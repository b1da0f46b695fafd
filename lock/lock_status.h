// SPDX-License-Identifier: Apache-2.0
//
// LockStatus: the state of a lock, with everything it rests on.
#ifndef O8LOCK_LOCK_LOCK_STATUS_H_
#define O8LOCK_LOCK_LOCK_STATUS_H_

#include <optional>
#include <string>
#include <vector>

#include "lock/holder.h"
#include "lock/process.h"

namespace o8lock {

// In the order of their weight: of two findings on one lock the greater counts.
enum class LockState {
  kFree,     // nobody has it, nobody left anything
  kStale,    // a run had it and is proved dead
  kUnknown,  // a run had it, and from here nobody can tell whether it lives
  kHeld,     // a run has it now
};

// Where a record was written, seen from this process.
enum class Origin {
  kUnknown,         // a lock file does not say, or this machine does not tell
  kHere,            // this boot, this pid namespace
  kOtherNamespace,  // this boot, another pid namespace: a container
  kEarlierBoot,     // this machine before it was started anew
  kOtherHost,       // a machine whose kernel locks may not reach here
};

struct LockStatus {
  LockState state = LockState::kFree;

  // The file the state rests on: the guard, or a lock file that an external run
  // keeps.
  std::string file;

  // What that file says; nothing when the lock is free or the file unreadable.
  std::optional<Holder> holder;

  // The evidence.
  bool kernel_locked = false;  // somebody has the guard's kernel lock
  Origin origin = Origin::kUnknown;
  bool is_external = false;  // it is about a lock file, not about the guard
  ProcessInfo process;       // the holder's pid, when it can be looked at here
  ProcessInfo command;       // its command's, the same

  // The command line of the process that has the number of an external run,
  // where that is alive and no orchestr8: it may have nothing to do with it.
  std::vector<std::string> stranger;

  bool pid_reused = false;  // the pid belongs to another, younger process now
  std::string problem;      // why `file` cannot be read or understood

  // Who has the kernel lock while the holder's process is dead: the command
  // first, where it is known. Processes of other users may be missing.
  std::vector<DescriptorHolder> descriptor_holders;

  // Worktrees that ended runs have left, as the guard has it.
  std::vector<OrphanedWorktree> orphaned;

  // Overridden runs that were killed: the guard has the runs, and not the names
  // of the worktrees they have left.
  std::vector<Holder> killed;

  // Whether the process that asked belongs to the holder's run.
  bool own = false;
};

// Whether the holder's process is known to be dead. Its command may live on.
bool IsDead(const LockStatus& lock_status);

// Whether both are about the same run (or both about one that left no record).
bool SameRun(const LockStatus& a, const LockStatus& b);

// Whether one of `statuses` is about the same run as `wanted`.
bool Contains(const std::vector<LockStatus>& statuses,
              const LockStatus& wanted);

// The run of `found`, a state of a guard, in the guard's present `record`:
// the record's own or an overridden one. Null: the record has changed hands.
const Holder* FindRun(const std::optional<Holder>& record,
                      const LockStatus& found);

// A lock file that was no lock file, and where it was put out of the way.
struct Malformed {
  std::string path;
  std::string kept_as;
  std::string problem;
};

}  // namespace o8lock

#endif  // O8LOCK_LOCK_LOCK_STATUS_H_
