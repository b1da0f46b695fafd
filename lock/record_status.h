// SPDX-License-Identifier: Apache-2.0
//
// Whether the run that a record describes is alive. Only proof of death leads
// to kStale; doubt leads to kHeld or kUnknown.
#ifndef O8LOCK_LOCK_RECORD_STATUS_H_
#define O8LOCK_LOCK_RECORD_STATUS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/lock_status.h"
#include "lock/process.h"

namespace o8lock {

// An open guard and its record; nothing: the guard is empty, or its text is not
// a record.
struct OpenGuardFile {
  const Fd& fd;
  const std::string& path;
  std::optional<Holder> record;
};

// The state of the run with the record in `guard`, for a guard with or without
// a kernel lock.
// A locked guard is kHeld. It is kStale if no run has joined, and the run's
// process, its command and the processes in Holder::surviving are dead: then
// only other surviving processes have a duplicate of the descriptor. This may
// be outdated at once; it is certain only with Range::kChange locked.
// A guard without a lock is kStale, unless one of these processes is alive.
// Then the lock is invisible from here or was lost: it is kHeld all the same
// (view.h) or, in doubt, kUnknown. If the record was copied here, or its run
// has released, the state is kFree, with the record's holder.
// If the run is over and has overridden a run still alive, the state is about
// the latter, without kernel_locked. `may_mark` is as in ViewOf.
LockStatus DetermineRecordStatus(const OpenGuardFile& guard, bool kernel_locked,
                                 bool may_mark);

// The time to wait before believing a locked guard without a living holder. A
// run about to write its record, or about to unlock, is done in microseconds,
// on a busy machine a little later. In boot-time ticks: setting the wall clock
// must not turn these into an hour.
inline constexpr Ticks kEmptyRecordFor = kTicksPerSecond;
inline constexpr Ticks kDeadRecordFor = kTicksPerSecond / 20;

// The state of the guard `fd`. `taken` is whether a run has it. Changes
// nothing.
LockStatus DetermineGuardStatus(const Fd& fd, const std::string& guard,
                                bool taken);

// Whether `found`, a state from DetermineGuardStatus, is final after `waited`:
// the guard is free, its holder is alive, or its holder has been missing for
// long enough.
bool IsConclusive(const LockStatus& found, Ticks waited);

// Finds the processes keeping the lock of `found`, a state of `guard`, if its
// own process is not known to be alive. Without a kernel lock, this is the
// surviving command.
void AddDescriptorHolders(const Fd& guard, LockStatus& found);

// Whether a process of the run `record` is, or may be, alive here.
bool MayLive(const Holder& record);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_RECORD_STATUS_H_
