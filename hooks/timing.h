// SPDX-License-Identifier: Apache-2.0
//
// Which came first: a process, a file or a lock? The kernel knows the start of
// a process in ticks since boot; a file has the time of the wall clock, and
// that of the last timer interrupt.
//
// A moment is in nanoseconds of the clock that NowNanoseconds() reads
// (lock/process.h), unless it says otherwise; nothing: it is not known.
// Nothing here fails, blocks or changes anything on disk. Thread-safe.
#ifndef O8LOCK_HOOKS_TIMING_H_
#define O8LOCK_HOOKS_TIMING_H_

#include <cstdint>
#include <optional>
#include <string>

#include "hooks/worktree_add.h"

namespace o8lock {

// How far a file's time may be behind: nanoseconds. Timer interrupts come every
// 1 to 10 ms, and late where a virtual machine has to wait for its processor.
inline constexpr int64_t kFilesBehind = 100000000;

// `moment` by the clock of files.
int64_t ByClockOfFiles(int64_t moment);

// The file `path`, which may be a link, became what it is at this moment or up
// to kFilesBehind later; nothing if there is none.
std::optional<int64_t> ChangeOf(const std::string& path);

// When the file `path`, which may be a link, was created, by the clock of
// files; 0 where the file system does not know.
int64_t BirthOf(const std::string& path);

// The earliest moment at which `add` may have started.
int64_t StartOf(const WorktreeAdd& add);

// Whether `add` had begun before `moment`, for certain.
bool BeganBefore(const WorktreeAdd& add, std::optional<int64_t> moment);

// Whether `add` may have made a file that changed at `change`: whether it had
// started by then, where that is known.
bool MayHaveMade(const WorktreeAdd& add, std::optional<int64_t> change);

// Whether a file that changed at `change` was made before `moment`, or with it:
// a tick is more than the kernel is behind, but for rare times, and an add that
// is taken for earlier then was as good as that.
bool IsBefore(std::optional<int64_t> change, std::optional<int64_t> moment);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_TIMING_H_
