// SPDX-License-Identifier: Apache-2.0
#include "lock/record_status.h"

#include <fcntl.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "lock/file.h"
#include "lock/file_system.h"
#include "lock/guard.h"
#include "lock/holder.h"
#include "lock/kernel_lock.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/view.h"

namespace o8lock {
namespace {

Origin OriginOf(const Holder& record, const Fd& guard) {
  const Here here = ThisProcess();
  if (record.boot_id.empty() || here.boot_id.empty()) return Origin::kUnknown;
  if (record.boot_id != here.boot_id) {
    // Only this machine can reach a local file system, so it wrote the record,
    // whatever its host name was.
    return record.host == here.host || IsLocal(guard) ? Origin::kEarlierBoot
                                                      : Origin::kOtherHost;
  }
  if (record.pid_namespace < 0 || here.pid_namespace < 0) {
    return Origin::kUnknown;
  }
  return record.pid_namespace == here.pid_namespace ? Origin::kHere
                                                    : Origin::kOtherNamespace;
}

enum class Life { kDead, kUnknown, kAlive };

// The life of the process with the pid of `process` at the moment `since`.
Life LifeOf(const ProcessInfo& process, int64_t since, const Holder& record) {
  if (HasEnded(process)) return Life::kDead;
  // Moments of different time namespaces cannot be compared.
  if (process.started < 0 || since < 0 ||
      record.time_namespace != ThisProcess().time_namespace) {
    return Life::kUnknown;
  }
  return process.started <= TicksOf(since) ? Life::kAlive : Life::kDead;
}

// The living processes keeping the lock of `record`, a run of this pid
// namespace: those named in it or, after their end, their descendants.
std::vector<int> Survivors(const Holder& record) {
  std::vector<int> living;
  for (const SurvivingProcess& process : record.surviving) {
    if (LifeOf(GetProcess(process.pid), process.since, record) != Life::kDead) {
      living.push_back(process.pid);
    }
  }
  if (!living.empty() || record.surviving.empty()) return living;
  for (const int pid : ProcessesWith(kRunVariable, record.token)) {
    if (std::any_of(record.surviving.begin(), record.surviving.end(),
                    [pid](const SurvivingProcess& process) {
                      return SessionOf(pid) == process.session &&
                             IsBelow(DirectoryOf(pid), process.worktree);
                    })) {
      living.push_back(pid);
    }
  }
  return living;
}

// Queries the processes of `found`, a run of this pid namespace.
Life InspectProcesses(LockStatus& found) {
  const Holder& record = *found.holder;
  found.process = GetProcess(record.pid);
  Life life = LifeOf(found.process, record.acquired, record);
  found.pid_reused = life == Life::kDead && !HasEnded(found.process);
  if (record.command_pid > 0) {
    found.command = GetProcess(record.command_pid);
    life = std::max(life, LifeOf(found.command, record.command_since, record));
  }
  if (life != Life::kAlive && !Survivors(record).empty()) life = Life::kAlive;
  return life;
}

// The life of `record`, a run of another pid namespace.
Life LifeElsewhere(const Holder& record) {
  const auto is_alive = [&record](int pid, int64_t since) {
    const int number = pid > 0 ? NumberHere(pid, record.pid_namespace) : 0;
    return number > 0 &&
           LifeOf(GetProcess(number), since, record) != Life::kDead;
  };
  if (is_alive(record.pid, record.acquired) ||
      is_alive(record.command_pid, record.command_since) ||
      std::any_of(record.surviving.begin(), record.surviving.end(),
                  [&is_alive](const SurvivingProcess& process) {
                    return is_alive(process.pid, process.since);
                  })) {
    return Life::kAlive;
  }
  return SeesAllNamespaces() ? Life::kDead : Life::kUnknown;
}

// The life of a run without proof of where it is: any process may have one of
// its pids.
Life LifeSomewhere(const Holder& record) {
  const auto has_ended = [](int pid) { return HasEnded(GetProcess(pid)); };
  return has_ended(record.pid) &&
                 (record.command_pid <= 0 || has_ended(record.command_pid)) &&
                 std::all_of(record.surviving.begin(), record.surviving.end(),
                             [&has_ended](const SurvivingProcess& process) {
                               return has_ended(process.pid);
                             })
             ? Life::kDead
             : Life::kUnknown;
}

// The life of a run, if its processes may be visible. Of other runs nothing is
// known here.
Life LifeOfRun(LockStatus& found) {
  switch (found.origin) {
    case Origin::kHere:
      return InspectProcesses(found);
    case Origin::kOtherNamespace:
      return LifeElsewhere(*found.holder);
    case Origin::kUnknown:
      // Without the boot in its record no place can ever prove its death.
      if (found.holder->boot_id.empty()) break;
      return LifeSomewhere(*found.holder);
    case Origin::kEarlierBoot:
    case Origin::kOtherHost:
      break;
  }
  return Life::kDead;
}

// The living processes of `found`, a run of this pid namespace, the holder
// first. REQUIRES: InspectProcesses(found) was called.
std::vector<int> LivingOf(const LockStatus& found) {
  const Holder& record = *found.holder;
  std::vector<int> living = Survivors(record);
  if (record.command_pid > 0 &&
      LifeOf(found.command, record.command_since, record) != Life::kDead) {
    living.insert(living.begin(), record.command_pid);
  }
  if (!IsDead(found)) living.insert(living.begin(), record.pid);
  return living;
}

// ViewOf() for the run `found` of `record`.
View ViewOfRun(const LockStatus& found, const Holder& record, const Fd& guard,
               bool may_mark) {
  std::vector<int> living;
  if (found.origin == Origin::kHere) living = LivingOf(found);
  return ViewOf(record, guard, living.empty() ? 0 : living[0], may_mark);
}

// The state of a run without a visible kernel lock, from the other evidence.
LockState DetermineUnlockedState(const Fd& guard, LockStatus& found,
                                 bool may_mark) {
  const Holder& record = *found.holder;
  switch (found.origin) {
    case Origin::kOtherHost:
      return LockState::kUnknown;
    case Origin::kEarlierBoot:
      found.pid_reused = !HasEnded(GetProcess(record.pid));
      return LockState::kStale;
    case Origin::kUnknown:
      return LifeSomewhere(record) == Life::kDead ? LockState::kStale
                                                  : LockState::kUnknown;
    case Origin::kOtherNamespace:
      switch (ViewOfRun(found, record, guard, may_mark)) {
        case View::kSame:
          switch (LifeElsewhere(record)) {
            case Life::kAlive:
              return LockState::kHeld;
            case Life::kUnknown:
              // On a local file system an invisible lock is free, because no
              // other kernel is involved. But processes surviving their run
              // have no lock.
              return IsLocal(guard) && record.surviving.empty()
                         ? LockState::kStale
                         : LockState::kUnknown;
            case Life::kDead:
              return LockState::kStale;
          }
          return LockState::kUnknown;
        case View::kCopy:
          return LockState::kFree;
        case View::kUnknown:
          break;
      }
      return LockState::kUnknown;
    case Origin::kHere:
      break;
  }
  const Life life = InspectProcesses(found);
  if (life == Life::kDead) return LockState::kStale;
  switch (ViewOfRun(found, record, guard, may_mark)) {
    case View::kSame:
      return life == Life::kAlive ? LockState::kHeld : LockState::kUnknown;
    case View::kCopy:
      return LockState::kFree;
    case View::kUnknown:
      break;
  }
  return LockState::kUnknown;
}

// Whether `run` is known to have ended.
bool HasRunEnded(const Holder& run, const Fd& guard) {
  LockStatus found;
  found.holder = run;
  found.origin = OriginOf(run, guard);
  return found.origin != Origin::kUnknown &&
         found.origin != Origin::kOtherHost && LifeOfRun(found) == Life::kDead;
}

// Adds the remains of ended runs from `guard`'s record; nothing if the record
// is a copy.
void AddRemains(const OpenGuardFile& guard, LockStatus& found) {
  if (!guard.record.has_value()) return;
  const Holder& record = *guard.record;
  std::vector<Holder> killed;
  for (const Holder& run : record.overridden) {
    if (HasRunEnded(run, guard.fd)) killed.push_back(run);
  }
  if (record.overridden_by.has_value() && !record.released &&
      HasRunEnded(record, guard.fd)) {
    killed.push_back(record);
  }
  if ((record.orphaned.empty() && killed.empty()) ||
      ViewOf(record, guard.fd, /*pid=*/0, /*may_mark=*/false) == View::kCopy) {
    return;
  }
  found.orphaned = record.orphaned;
  found.killed = std::move(killed);
}

// The state of a living run among the overridden runs of `guard`'s record.
// kFree: the record is a copy. Nothing: all these runs have ended.
std::optional<LockStatus> FindOverridden(const OpenGuardFile& guard,
                                         bool may_mark) {
  for (const Holder& run : guard.record->overridden) {
    LockStatus other;
    other.file = guard.path;
    AddRemains(guard, other);
    other.holder = run;
    other.holder->overridden_by = OverriderOf(*guard.record);
    other.origin = OriginOf(run, guard.fd);
    const Life life = LifeOfRun(other);
    if (life == Life::kDead) continue;
    const View view = ViewOfRun(other, *guard.record, guard.fd, may_mark);
    if (view == View::kSame && life == Life::kAlive) {
      other.state = LockState::kHeld;
    } else if (view != View::kCopy) {
      other.state = LockState::kUnknown;
    }
    return other;
  }
  return std::nullopt;
}

}  // namespace

LockStatus DetermineRecordStatus(const OpenGuardFile& guard, bool kernel_locked,
                                 bool may_mark) {
  LockStatus found;
  found.file = guard.path;
  found.holder = guard.record;
  found.kernel_locked = kernel_locked;
  AddRemains(guard, found);
  if (!guard.record.has_value()) {
    found.state = kernel_locked ? LockState::kHeld : LockState::kFree;
    return found;
  }
  found.origin = OriginOf(*guard.record, guard.fd);
  // This process's own record is from a failed attempt, unless an overrider has
  // left it here.
  const bool is_own_attempt = found.origin == Origin::kHere &&
                              guard.record->pid == ThisProcess().pid &&
                              !guard.record->overridden_by.has_value();
  const bool released =
      !kernel_locked && (guard.record->released || is_own_attempt);
  if (kernel_locked) {
    if (found.origin == Origin::kHere) InspectProcesses(found);
    // Only the kernel's answers about process and command count here, not their
    // start times: all other evidence shows the lock in use.
    const bool is_stale =
        found.origin == Origin::kHere && HasEnded(found.process) &&
        HasEnded(found.command) && Survivors(*found.holder).empty() &&
        !IsLocked(guard.fd, Range::kJoined, guard.path).value_or(true);
    found.state = is_stale ? LockState::kStale : LockState::kHeld;
  } else {
    found.state = released ? LockState::kStale
                           : DetermineUnlockedState(guard.fd, found, may_mark);
  }
  if (found.state != LockState::kStale) return found;
  if (const auto other = FindOverridden(guard, may_mark)) {
    if (other->state > LockState::kStale) return *other;
    if (!kernel_locked) found.state = LockState::kFree;
    return found;
  }
  // Another run has overridden this one, left it here, and ended. Or the
  // processes keeping an ended run's lock have ended too.
  if (released || (!kernel_locked && (guard.record->overridden_by.has_value() ||
                                      !guard.record->surviving.empty()))) {
    found.state = LockState::kFree;
  }
  return found;
}

LockStatus DetermineGuardStatus(const Fd& fd, const std::string& guard,
                                bool taken) {
  return DetermineRecordStatus({fd, guard, ReadRecord(fd, guard)}, taken,
                               /*may_mark=*/false);
}

bool IsConclusive(const LockStatus& found, Ticks waited) {
  if (!found.kernel_locked) return true;
  if (!found.holder.has_value()) return waited > kEmptyRecordFor;
  return !IsDead(found) || waited > kDeadRecordFor;
}

void AddDescriptorHolders(const Fd& guard, LockStatus& found) {
  if (!found.kernel_locked && found.state == LockState::kHeld &&
      found.origin == Origin::kHere && IsDead(found)) {
    for (const int pid : LivingOf(found)) {
      found.descriptor_holders.push_back({pid, CommandOf(pid)});
    }
    return;
  }
  if (!found.kernel_locked || (found.holder.has_value() && !IsDead(found))) {
    return;
  }
  const absl::StatusOr<FileId> file = IdOf(guard, found.file);
  if (!file.ok()) return;
  found.descriptor_holders = DescriptorHoldersOf(*file);
  if (!found.holder.has_value()) return;
  std::stable_partition(
      found.descriptor_holders.begin(), found.descriptor_holders.end(),
      [&found](const DescriptorHolder& descriptor_holder) {
        return descriptor_holder.pid == found.holder->command_pid;
      });
}

bool MayLive(const Holder& record) {
  LockStatus run;
  run.holder = record;
  run.origin = OriginOf(record, Fd());
  return LifeOfRun(run) != Life::kDead;
}

}  // namespace o8lock
