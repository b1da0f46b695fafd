// SPDX-License-Identifier: Apache-2.0
#include "lock/waiters.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/file.h"
#include "lock/kernel_lock.h"
#include "lock/location.h"
#include "lock/process.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// Linux pids have at most 22 bits.
constexpr int64_t kPids = int64_t{1} << 22;

Waiter WaiterOf(int64_t byte, const FileId& guard) {
  Waiter waiter;
  waiter.pid = static_cast<int>(byte % kPids);
  waiter.since = byte / kPids;
  waiter.is_visible = HasLocked(waiter.pid, guard, byte);
  if (waiter.is_visible) {
    waiter.command = CommandOf(waiter.pid);
    waiter.directory = DirectoryOf(waiter.pid);
  }
  return waiter;
}

// The bytes of Range::kWaiting locked by others, in ascending order.
absl::StatusOr<std::vector<int64_t>> LockedBytes(const Fd& fd,
                                                 const std::string& guard) {
  std::vector<int64_t> bytes;
  std::vector<Range> unknown = {Range::kWaiting};
  while (!unknown.empty()) {
    const Range part = unknown.back();
    unknown.pop_back();
    O8LOCK_ASSIGN_OR_RETURN(const std::optional<Range> lock,
                            FindLock(fd, part, guard));
    // Another program may have locked the whole file.
    if (!lock.has_value() || lock->count != 1) continue;
    const int64_t byte = lock->first;
    bytes.push_back(byte);
    if (byte > part.first) unknown.push_back({part.first, byte - part.first});
    if (part.count == 0) {
      unknown.push_back({byte + 1, 0});
    } else if (byte + 1 < part.first + part.count) {
      unknown.push_back({byte + 1, part.first + part.count - byte - 1});
    }
  }
  std::sort(bytes.begin(), bytes.end());
  return bytes;
}

}  // namespace

void StartWaiting(const Fd& fd, Ticks since, const std::string& guard) {
  TryShare(fd, {std::max<Ticks>(since, 1) * kPids + getpid(), 1}, guard)
      .IgnoreError();
}

void StopWaiting(const Fd& fd, const std::string& guard) {
  Unlock(fd, Range::kWaiting, guard).IgnoreError();
}

absl::StatusOr<std::vector<Waiter>> FindWaiters(const Location& location) {
  std::vector<Waiter> waiters;
  const absl::StatusOr<Fd> fd = OpenRegular(location.guard, O_RDONLY);
  if (absl::IsNotFound(fd.status())) return waiters;
  if (!fd.ok()) return fd.status();
  O8LOCK_ASSIGN_OR_RETURN(const FileId guard, IdOf(*fd, location.guard));
  O8LOCK_ASSIGN_OR_RETURN(const std::vector<int64_t> bytes,
                          LockedBytes(*fd, location.guard));
  for (const int64_t byte : bytes) waiters.push_back(WaiterOf(byte, guard));
  return waiters;
}

}  // namespace o8lock
