// SPDX-License-Identifier: Apache-2.0
//
// Order of events: compares the start of a process with the time of a file and
// with the start of a lock. The kernel counts the start of a process in ticks
// since boot. It stamps a file with the wall clock at the last timer interrupt.
//
// Moments are nanoseconds of NowNanoseconds() (lock/process.h) unless a comment
// says otherwise. An empty optional is an unknown moment.
// No function fails, blocks, or changes a file. Thread-safe.
#ifndef O8LOCK_HOOKS_TIMING_H_
#define O8LOCK_HOOKS_TIMING_H_

#include <cstdint>
#include <optional>
#include <string>

#include "hooks/worktree_add.h"

namespace o8lock {

// How far a file's time may be behind, in nanoseconds. Timer interrupts come
// every 1 to 10 ms, and later if a virtual machine waits for its processor.
inline constexpr int64_t kFilesBehind = 100000000;

// `moment` by the clock of files.
int64_t ByClockOfFiles(int64_t moment);

// When the content of `path` was last written: at this moment, or up to
// kFilesBehind later. Does not follow a link. Empty if there is no such file.
std::optional<int64_t> ChangeOf(const std::string& path);

// When `path` was created, by the clock of files; 0 if the file system does not
// record it. Does not follow a link.
int64_t BirthOf(const std::string& path);

// The earliest possible start of `add`.
int64_t StartOf(const WorktreeAdd& add);

// Whether `add` certainly began before `moment`.
bool BeganBefore(const WorktreeAdd& add, std::optional<int64_t> moment);

// Whether `add` may have written a file at `change`: true if it had started by
// then, or if its start is unknown.
bool MayHaveMade(const WorktreeAdd& add, std::optional<int64_t> change);

// Whether a file written at `change` existed at `moment`. Allows one tick for
// the delay of file times. A longer delay is rare and harmless: the file is
// then a few milliseconds younger than `moment`.
bool IsBefore(std::optional<int64_t> change, std::optional<int64_t> moment);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_TIMING_H_
