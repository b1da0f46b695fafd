// SPDX-License-Identifier: Apache-2.0
#include "lock/lock_status.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "lock/holder.h"
#include "lock/process.h"

namespace o8lock {

namespace {

bool IsSame(const Holder& a, const Holder& b) {
  return a.pid == b.pid && a.started_at == b.started_at && a.token == b.token;
}

}  // namespace

bool IsDead(const LockStatus& lock_status) {
  return lock_status.pid_reused || HasEnded(lock_status.process);
}

bool SameRun(const LockStatus& a, const LockStatus& b) {
  if (!a.holder.has_value() || !b.holder.has_value()) {
    return a.holder.has_value() == b.holder.has_value() && a.file == b.file;
  }
  return IsSame(*a.holder, *b.holder);
}

const Holder* FindRun(const std::optional<Holder>& record,
                      const LockStatus& found) {
  if (!record.has_value() || !found.holder.has_value()) return nullptr;
  if (IsSame(*record, *found.holder)) return &*record;
  const std::optional<Overrider>& by = found.holder->overridden_by;
  if (!by.has_value() || by->pid != record->pid ||
      by->at != record->started_at) {
    return nullptr;
  }
  const auto run =
      std::find_if(record->overridden.begin(), record->overridden.end(),
                   [&found](const Holder& overridden) {
                     return IsSame(overridden, *found.holder);
                   });
  return run == record->overridden.end() ? nullptr : &*run;
}

bool Contains(const std::vector<LockStatus>& statuses,
              const LockStatus& wanted) {
  return std::any_of(statuses.begin(), statuses.end(),
                     [&wanted](const LockStatus& lock_status) {
                       return SameRun(lock_status, wanted);
                     });
}

}  // namespace o8lock
