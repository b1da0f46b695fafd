// SPDX-License-Identifier: Apache-2.0
//
// Whether the run that a record describes is alive. Only proof of death makes
// kStale; doubt is kHeld or kUnknown.
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

// A guard that is open, and the record in it; nothing: it is empty, or its text
// is no record.
struct OpenGuardFile {
  const Fd& fd;
  const std::string& path;
  std::optional<Holder> record;
};

// The state of the run whose record `guard` holds, while the guard's kernel
// lock is taken or not.
// A taken lock is kHeld; kStale where the run's process and its command are
// both dead and no run has joined: then only what that left behind has a
// duplicate. That may be a moment old; it is certain only with Range::kChange
// locked.
// A free one is kStale, unless the run's process or its command is alive: then
// the lock cannot be seen from here, or was lost, and it is kHeld all the same
// (view.h) or, in doubt, kUnknown. A record that was copied here, or of a run
// that has released, is nobody's: kFree, with its holder.
// If the run is over and has overridden a living one, the state is about the
// living one, without kernel_locked. `may_mark` as in ViewOf.
LockStatus DetermineRecordStatus(const OpenGuardFile& guard, bool kernel_locked,
                                 bool may_mark);

// How long a guard may be locked and yet name no living holder before that is
// taken for the truth: a run that is about to write its record, or about to
// unlock, is through in microseconds, on a crowded machine a little later.
// In boot-time ticks: setting the wall clock must not make these an hour.
inline constexpr Ticks kEmptyRecordFor = kTicksPerSecond;
inline constexpr Ticks kDeadRecordFor = kTicksPerSecond / 20;

// The state of the guard `fd`, which a run has (`taken`) or not. Changes
// nothing.
LockStatus DetermineGuardStatus(const Fd& fd, const std::string& guard,
                                bool taken);

// Whether `found`, a state of DetermineGuardStatus, need not be looked at again
// after `waited`: the guard is free, its holder lives, or has been missing for
// long enough.
bool IsConclusive(const LockStatus& found, Ticks waited);

// Finds out who keeps the lock of `found`, a state of `guard`, where its own
// process is not known to be alive: where nobody has the kernel lock, the
// command that lives on.
void AddDescriptorHolders(const Fd& guard, LockStatus& found);

// Whether a process of the run `record` is alive here, or may be.
bool MayLive(const Holder& record);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_RECORD_STATUS_H_
