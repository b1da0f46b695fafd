// SPDX-License-Identifier: Apache-2.0
//
// Whether the run that a lock file describes is alive. It may be an external
// run, or a dead run with its file still there.
#ifndef O8LOCK_LOCK_LOCK_FILE_STATUS_H_
#define O8LOCK_LOCK_LOCK_FILE_STATUS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "lock/holder.h"
#include "lock/lock_status.h"

namespace o8lock {

// Whether `run` has published `lock_file`.
bool IsOfRun(const Holder& lock_file, const Holder& run);

// Whether `text` is the lock file `own`, possibly rewritten in another form.
bool IsSameLockFile(absl::string_view text, absl::string_view own);

// A lock file's state and the text it is based on.
struct LockFile {
  LockStatus lock_status;
  std::string text;
};

// The state of the lock file `path`.
//   kFree     There is no such file.
//   kHeld     Its pid is alive, with any program. For a living orchestr8 the
//             holder has command and cwd. For another program `stranger` is the
//             command line.
//   kStale    Its pid is dead. Or another process, not an orchestr8, has the
//             pid now (pid_reused): it began more than two seconds after both
//             the file's modification and its startedAt, or both are before
//             this boot. Or the file has the pid and the start of `dead`, a run
//             proved dead. Or its content is invalid: then `problem` says why,
//             and there is no holder.
//   kUnknown  This process may not read it, and it was written after the
//             beginning of `dead`, or `dead` is nothing. An older one is
//             kStale, with `dead` as its holder.
// Errors: kFailedPrecondition  `path` is not a regular file; others from
//                              reading.
// Waits up to a second for an incomplete text: external runs write in place,
// and a reader may come too early. Changes nothing.
absl::StatusOr<LockFile> DetermineLockFileStatus(
    const std::string& path, const std::optional<Holder>& dead);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_LOCK_FILE_STATUS_H_
