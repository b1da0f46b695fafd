// SPDX-License-Identifier: Apache-2.0
#include "lock/inside.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lock/file.h"
#include "lock/guard.h"
#include "lock/holder.h"
#include "lock/kernel_lock.h"
#include "lock/lock_status.h"
#include "lock/orchestr8_process.h"
#include "lock/process.h"

namespace o8lock {
namespace {

bool HasToken(const LockStatus& found,
              const std::vector<std::string>& own_tokens) {
  return found.holder.has_value() && !found.holder->token.empty() &&
         std::find(own_tokens.begin(), own_tokens.end(), found.holder->token) !=
             own_tokens.end();
}

// The processes whose descendants are inside the run.
std::vector<int> Roots(const LockStatus& found) {
  std::vector<int> roots;
  if (found.holder.has_value() && found.origin == Origin::kHere &&
      !found.pid_reused) {
    roots = {found.holder->pid};
    if (found.holder->command_pid > 0) {
      roots.push_back(found.holder->command_pid);
    }
  }
  for (const DescriptorHolder& holder : found.descriptor_holders) {
    roots.push_back(holder.pid);
  }
  return roots;
}

bool Has(const std::vector<int>& pids, int pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

bool IsStartedBy(const std::vector<int>& roots, Ticks since) {
  if (roots.empty()) return false;
  const std::vector<int> ancestors = AncestorsOf(getpid(), since);
  return std::any_of(ancestors.begin(), ancestors.end(),
                     [&roots](int pid) { return Has(roots, pid); });
}

// A descriptor left open by exec was not opened by this program.
bool HasInherited(const Fd& guard, const std::string& path) {
  const absl::StatusOr<FileId> file = IdOf(guard, path);
  if (!file.ok() || !IsLocked(guard, Range::kRun, path).value_or(false)) {
    return false;
  }
  const std::vector<int> inherited = InheritedDescriptors(*file);
  return std::any_of(inherited.begin(), inherited.end(), [&path](int number) {
    // Use a duplicate: closing it releases no lock of this kind.
    const Fd fd(fcntl(number, F_DUPFD_CLOEXEC, 0));
    return fd.ok() && !IsLocked(fd, Range::kRun, path).value_or(true);
  });
}

}  // namespace

bool IsInside(const LockStatus& found, const Fd& guard,
              const std::vector<std::string>& own_tokens) {
  return HasToken(found, own_tokens) ||
         IsStartedBy(Roots(found), found.process.started) ||
         HasInherited(guard, found.file);
}

bool IsBehindOrchestr8(const LockStatus& found) {
  const std::vector<int> roots = Roots(found);
  if (found.holder.has_value() && found.holder->command_pid == getpid()) {
    return false;
  }
  // After a run's end only processes started by an orchestr8 remain.
  if (found.holder.has_value() && !found.holder->surviving.empty()) return true;
  for (const int pid : AncestorsOf(getpid(), found.process.started)) {
    if (IsOrchestr8Process(pid) && !StartsO8lock(pid)) return true;
    if (Has(roots, pid)) return false;
  }
  // The processes in between are not visible.
  return found.holder.has_value() &&
         std::any_of(found.holder->command.begin(), found.holder->command.end(),
                     NamesOrchestr8);
}

}  // namespace o8lock
