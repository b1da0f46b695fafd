// SPDX-License-Identifier: Apache-2.0
#include "lock/inspection.h"

#include <algorithm>
#include <vector>

#include "lock/process.h"

namespace o8lock {

bool IsDead(const Inspection& inspection) {
  return inspection.pid_reused || HasEnded(inspection.process);
}

bool SameRun(const Inspection& a, const Inspection& b) {
  if (!a.holder.has_value() || !b.holder.has_value()) {
    return a.holder.has_value() == b.holder.has_value() && a.file == b.file;
  }
  return a.holder->pid == b.holder->pid &&
         a.holder->started_at == b.holder->started_at &&
         a.holder->token == b.holder->token;
}

bool Contains(const std::vector<Inspection>& inspections,
              const Inspection& wanted) {
  return std::any_of(inspections.begin(), inspections.end(),
                     [&wanted](const Inspection& inspection) {
                       return SameRun(inspection, wanted);
                     });
}

}  // namespace o8lock
