// SPDX-License-Identifier: Apache-2.0
//
// Holder: a description of a run with the lock. It has two written forms: the
// record (inside the guard) and the lock file (for people, scripts and
// orchestr8).
#ifndef O8LOCK_LOCK_HOLDER_H_
#define O8LOCK_LOCK_HOLDER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "lock/file.h"
#include "lock/process.h"

namespace o8lock {

// The run that took a lock by force.
struct Overrider {
  int pid = 0;
  std::string at;  // a time as in started_at
  std::string user;
  std::string host;
  int64_t began = -1;  // as Holder::began
};

// The environment variable with the tokens of the runs around a process, the
// outermost first, separated by colons.
inline constexpr char kRunVariable[] = "O8LOCK_RUN";

// A process keeping the lock of a run after the run's command has ended.
struct SurvivingProcess {
  int pid = 0;
  int64_t since = -1;  // a moment when it had this pid: NowNanoseconds()
  // Its descendants in this session keep the lock after it, if they work in
  // `worktree`.
  int session = 0;
  std::string worktree;
};

// A worktree made by a run and not removed before the run's end.
struct OrphanedWorktree {
  std::string name;   // git's, in the repository's list
  int64_t made = -1;  // nanoseconds since 1970; distinguishes later ones
  bool told = false;  // whether a later run has told the user
  std::string token;  // the run's
};

struct Holder {
  // The four fields of the lock file.
  int pid = 0;
  std::string started_at;  // "2026-02-25T10:30:00Z", as it was written
  std::vector<std::string> features;
  std::optional<int> max_concurrency;

  // Only a record has the members below; empty or -1: unknown.
  std::vector<std::string> command;
  std::string cwd;
  std::string user;
  std::string host;
  std::string boot_id;
  int64_t pid_namespace = -1;
  int64_t acquired = -1;  // when it took the lock: NowNanoseconds()
  // When it began, in nanoseconds since 1970, by the clock of the kernel's file
  // timestamps.
  int64_t began = -1;
  // Since when the lock has been taken without a break. Earlier than `acquired`
  // after an override.
  int64_t taken_since = -1;
  int command_pid = 0;          // the process of `command`, once it runs
  int64_t command_since = -1;   // a moment when it had this pid
  int64_t time_namespace = -1;  // of these moments

  // The guard containing this record.
  std::string guard;
  FileId guard_id;
  bool guard_is_local = false;  // file_system.h

  std::string token;    // 128 random bits in hexadecimal: the run's name
  std::string version;  // the version of the o8lock writing this
  // Why the run writes no lock file, for people; nothing: it writes one.
  std::optional<std::string> unpublished;

  // Whether this run has released the lock while a joined run still has it.
  bool released = false;

  // Processes keeping the lock after the end of the run's command.
  std::vector<SurvivingProcess> surviving;

  // The orphaned worktrees of this run and of earlier ones.
  std::vector<OrphanedWorktree> orphaned;

  // The run that took the lock from this one by force, if there is one.
  std::optional<Overrider> overridden_by;

  // The runs this one has overridden, except those that have released since.
  // They may still be running. Their own `overridden` is empty.
  std::vector<Holder> overridden;
};

// The run `holder` as an overrider.
inline Overrider OverriderOf(const Holder& holder) {
  return {holder.pid, holder.started_at, holder.user, holder.host,
          holder.began};
}

// The offset and the size of the value of a record's key `mark`. A process
// writes to it to find out whether another file is the same file. The value has
// no meaning.
inline constexpr size_t kMarkOffset = 9;
inline constexpr size_t kMarkSize = 32;

// The lock file of `holder`, byte for byte: the four fields, indented by two,
// the features on one line, a newline at the end. Strings as JsonValue's.
std::string LockFileText(const Holder& holder);

// The record of `holder`: every field, on one line.
std::string RecordText(const Holder& holder);

// Reads a lock file or a record. Accepts any order of keys and unknown keys. Of
// a repeated key the last one counts, as in JavaScript. Treats an unusable
// value as missing, except for pid.
// Errors: kInvalidArgument  not a JSON object, or its pid is neither a whole
//                           number from 1 to 2147483647 nor a string of such
//                           digits; the message says which.
// Does not block and keeps no reference to `text`. Any length and depth of
// `text` is safe.
absl::StatusOr<Holder> ParseHolder(absl::string_view text);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_HOLDER_H_
