// SPDX-License-Identifier: Apache-2.0
//
// LockStatus: the state of a lock, with its evidence.
#ifndef O8LOCK_LOCK_LOCK_STATUS_H_
#define O8LOCK_LOCK_LOCK_STATUS_H_

#include <optional>
#include <string>
#include <vector>

#include "lock/holder.h"
#include "lock/process.h"

namespace o8lock {

// In the order of their weight: the greatest of a lock's findings counts.
enum class LockState {
  kFree,     // no run has it, and no run left anything
  kStale,    // a run had it and is proved dead
  kUnknown,  // a run had it, and from here it is unknown whether it is alive
  kHeld,     // a run has it now
};

// The place where a record was written, seen from this process.
enum class Origin {
  kUnknown,         // a lock file or this machine does not say
  kHere,            // this boot, this pid namespace
  kOtherNamespace,  // this boot, another pid namespace: a container
  kEarlierBoot,     // this machine before its last boot
  kOtherHost,       // a machine whose kernel locks may not reach here
};

struct LockStatus {
  LockState state = LockState::kFree;

  // The file with the evidence for the state: the guard, or an external run's
  // lock file.
  std::string file;

  // This file's content; nothing if the lock is free or the file unreadable.
  std::optional<Holder> holder;

  // The evidence.
  bool kernel_locked = false;  // a process has the guard's kernel lock
  Origin origin = Origin::kUnknown;
  bool is_external = false;  // `file` is a lock file, not the guard
  ProcessInfo process;       // the holder's pid, if visible here
  ProcessInfo command;       // its command's pid, if visible here

  // The command line of the process with an external run's pid, if this process
  // is alive and is not an orchestr8. It may be unrelated to the run.
  std::vector<std::string> stranger;

  bool pid_reused = false;  // another, younger process has the pid now
  std::string problem;      // why `file` cannot be read or parsed

  // The processes with the kernel lock while the holder's process is dead or,
  // without a record, unknown: the command first, if known. Processes of other
  // users may be missing.
  std::vector<DescriptorHolder> descriptor_holders;

  // Orphaned worktrees of ended runs, from the guard.
  std::vector<OrphanedWorktree> orphaned;

  // Killed overridden runs. The guard lists these runs, but not the names of
  // their orphaned worktrees.
  std::vector<Holder> killed;

  // Whether the calling process belongs to the holder's run.
  bool own = false;
};

// Whether the holder's process is known to be dead. Its command may be alive.
bool IsDead(const LockStatus& lock_status);

// Whether both are about the same run, or both about a run without a record.
bool SameRun(const LockStatus& a, const LockStatus& b);

// Whether one of `statuses` is about the same run as `wanted`.
bool Contains(const std::vector<LockStatus>& statuses,
              const LockStatus& wanted);

// Finds the run of `found`, a state of a guard, in the guard's present
// `record`: the record's own run or an overridden one. Null: another run has
// the record now.
const Holder* FindRun(const std::optional<Holder>& record,
                      const LockStatus& found);

// A file that has a lock file's name but not its content, and its new path.
struct Malformed {
  std::string path;
  std::string kept_as;
  std::string problem;
};

}  // namespace o8lock

#endif  // O8LOCK_LOCK_LOCK_STATUS_H_
