// SPDX-License-Identifier: Apache-2.0
//
// Whether the run that a lock file describes is alive: one that was not started
// by o8lock, or a dead one that left its file.
#ifndef O8LOCK_LOCK_LOCK_FILE_STATUS_H_
#define O8LOCK_LOCK_LOCK_FILE_STATUS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "lock/holder.h"
#include "lock/lock_status.h"

namespace o8lock {

// Whether `lock_file` is what `run` has published.
bool IsOfRun(const Holder& lock_file, const Holder& run);

// A lock file, with the text that the state is about.
struct LockFile {
  LockStatus lock_status;
  std::string text;
};

// The state of the lock file `path`.
//   kFree     There is no such file.
//   kHeld     Its pid is alive, whatever program that is. Of a living orchestr8
//             the holder has command and cwd; of another program `stranger` is
//             the command line.
//   kStale    Its pid is dead, or another process, no orchestr8, has the number
//             by now (pid_reused): it began more than two seconds after both
//             the file's modification and its startedAt, or both are before
//             this boot. Or the file has the pid and the start of `dead`, a run
//             that is proved dead. Or it is no lock file: then `problem` says
//             why, and there is no holder.
//   kUnknown  It may not be read, and was written since `dead` began.
// Errors: kFailedPrecondition  `path` is no regular file; others from reading.
// Waits up to a second for a text that is none yet: external runs write
// in place, and a reader may come too early. Changes nothing.
absl::StatusOr<LockFile> DetermineLockFileStatus(
    const std::string& path, const std::optional<Holder>& dead);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_LOCK_FILE_STATUS_H_
