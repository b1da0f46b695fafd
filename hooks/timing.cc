// SPDX-License-Identifier: Apache-2.0
#include "hooks/timing.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>

#include "hooks/worktree_add.h"
#include "lock/process.h"

namespace o8lock {
namespace {

// How far the clock of processes is ahead of the clock of files, in
// nanoseconds.
int64_t BootTimeAhead() {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return NowNanoseconds() - Nanoseconds(now);
}

}  // namespace

int64_t ByClockOfFiles(int64_t moment) { return moment - BootTimeAhead(); }

std::optional<int64_t> ChangeOf(const std::string& path) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return std::nullopt;
  return Nanoseconds(info.st_mtim) + BootTimeAhead();
}

int64_t BirthOf(const std::string& path) {
  struct statx info;
  if (statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BTIME, &info) !=
          0 ||
      (info.stx_mask & STATX_BTIME) == 0) {
    return 0;
  }
  return info.stx_btime.tv_sec * 1000000000 + info.stx_btime.tv_nsec;
}

int64_t StartOf(const WorktreeAdd& add) {
  return add.started * kNanosecondsPerTick;
}

bool BeganBefore(const WorktreeAdd& add, std::optional<int64_t> moment) {
  return add.started >= 0 && moment.has_value() &&
         // The time of a file may be arbitrary.
         *moment <= NowNanoseconds() &&
         StartOf(add) + kNanosecondsPerTick <= *moment;
}

bool MayHaveMade(const WorktreeAdd& add, std::optional<int64_t> change) {
  return change.has_value() && *change >= StartOf(add) - kFilesBehind;
}

bool IsBefore(std::optional<int64_t> change, std::optional<int64_t> moment) {
  return change.has_value() && moment.has_value() &&
         *change + kNanosecondsPerTick <= *moment;
}

}  // namespace o8lock
