// SPDX-License-Identifier: Apache-2.0
#include "lock/inspection.h"

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

bool IsDead(const Inspection& inspection) {
  return inspection.pid_reused || HasEnded(inspection.process);
}

bool SameRun(const Inspection& a, const Inspection& b) {
  if (!a.holder.has_value() || !b.holder.has_value()) {
    return a.holder.has_value() == b.holder.has_value() && a.file == b.file;
  }
  return IsSame(*a.holder, *b.holder);
}

const Holder* FindRun(const std::optional<Holder>& record,
                      const Inspection& found) {
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

bool Contains(const std::vector<Inspection>& inspections,
              const Inspection& wanted) {
  return std::any_of(inspections.begin(), inspections.end(),
                     [&wanted](const Inspection& inspection) {
                       return SameRun(inspection, wanted);
                     });
}

}  // namespace o8lock
