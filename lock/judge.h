// SPDX-License-Identifier: Apache-2.0
//
// Whether the run that a record or a lock file describes is alive. Only proof
// of death makes kStale; doubt is kHeld or kUnknown.
#ifndef O8LOCK_LOCK_JUDGE_H_
#define O8LOCK_LOCK_JUDGE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "lock/holder.h"
#include "lock/inspection.h"

namespace o8lock {

// The verdict on the run whose record the guard `guard` holds (nothing: the
// guard is empty or its text is no record), while the guard's kernel lock is
// taken or not. The kernel lock decides; of a free one only a record of another
// machine leaves doubt. A taken one is kStale where the run's process and its
// command are both dead: then only what that left behind has a duplicate. That
// may be a moment old; it is certain only with Range::kChange locked.
Inspection JudgeRecord(const std::string& guard,
                       const std::optional<Holder>& record, bool kernel_locked);

// A lock file, with the text that the verdict is about.
struct LockFile {
  Inspection inspection;
  std::string text;
};

// The verdict on the lock file `path`: kFree when there is none; kStale also
// for a file that is no lock file (then `problem` says why and there is no
// holder); kUnknown for one that may not be read. A living pid is kHeld
// whatever program it is, unless its process began more than two seconds after
// both the file's modification and its startedAt, or both are before this boot:
// then it is another process, no orchestr8, that was given the number
// (pid_reused). `dead` is a run that is proved dead: a lock file of the same
// pid and start is its. Errors: kFailedPrecondition  `path` is no regular file;
// others from reading. Waits up to a second for a text that is none yet: runs
// outside o8lock write in place, and a reader may come too early.
absl::StatusOr<LockFile> JudgeLockFile(const std::string& path,
                                       const std::optional<Holder>& dead);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_JUDGE_H_
