// SPDX-License-Identifier: Apache-2.0
//
// Holder: what is known of a run that has the lock, and its two written forms,
// the record (inside the guard) and the lock file (for people, scripts and
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
  int64_t began = -1;  // as a holder's
};

// The environment variable with the tokens of the runs that a process is inside
// of, the outermost first, with colons between.
inline constexpr char kRunVariable[] = "O8LOCK_RUN";

// A process that keeps the lock of a run whose command has ended.
struct SurvivingProcess {
  int pid = 0;
  int64_t since = -1;    // it had this number then: NowNanoseconds()
  int session = 0;       // with what it starts, which keeps the lock after it,
  std::string worktree;  // if that works in this one
};

// A worktree that a run has made and left when it ended.
struct OrphanedWorktree {
  std::string name;   // git's, in the repository's list
  int64_t made = -1;  // nanoseconds since 1970; tells it from a later one
  bool told = false;  // whether a later run has told the user
  std::string token;  // of the run
};

struct Holder {
  // The four fields of the lock file.
  int pid = 0;
  std::string started_at;  // "2026-02-25T10:30:00Z", as it was written
  std::vector<std::string> features;
  std::optional<int> max_concurrency;

  // Only a record has the rest; empty or -1 where it is not known.
  std::vector<std::string> command;
  std::string cwd;
  std::string user;
  std::string host;
  std::string boot_id;
  int64_t pid_namespace = -1;
  int64_t acquired = -1;  // when it took the lock: NowNanoseconds()
  // When it began, in nanoseconds since 1970, by the clock that the kernel
  // stamps files with.
  int64_t began = -1;
  // Since when that was never free; earlier if it was taken by force.
  int64_t taken_since = -1;
  int command_pid = 0;          // the process of `command`, once it runs
  int64_t command_since = -1;   // when it was that; NowNanoseconds()
  int64_t time_namespace = -1;  // of these moments

  // The guard that this was written into.
  std::string guard;
  FileId guard_id;
  bool guard_is_local = false;  // file_system.h

  std::string token;    // 128 random bits in hexadecimal: the run's name
  std::string version;  // of the o8lock that wrote this
  // Why the run writes no lock file, for people; nothing: it writes one.
  std::optional<std::string> unpublished;

  // Whether this run has given the lock up, and one that joined it has not.
  bool released = false;

  // Processes that keep the lock although the run's command has ended.
  std::vector<SurvivingProcess> surviving;

  // Of this run and of earlier ones.
  std::vector<OrphanedWorktree> orphaned;

  // Who took the lock away from this run by force, if anybody did.
  std::optional<Overrider> overridden_by;

  // The runs that this one has taken the lock away from and that have not
  // released since: they may live on. Theirs is empty.
  std::vector<Holder> overridden;
};

// The run `holder` as an overrider.
inline Overrider OverriderOf(const Holder& holder) {
  return {holder.pid, holder.started_at, holder.user, holder.host,
          holder.began};
}

// Where the value of a record's key `mark` is, and its size: a place to write
// to in order to see whether another file is the same. It means nothing.
inline constexpr size_t kMarkOffset = 9;
inline constexpr size_t kMarkSize = 32;

// The lock file of `holder`, to the byte: the four fields, indented by two,
// the features on one line, a newline at the end. Its texts as JsonValue's.
std::string LockFileText(const Holder& holder);

// The record of `holder`: every field, on one line.
std::string RecordText(const Holder& holder);

// Reads a lock file or a record. Liberal: any order of keys, more keys than
// known, the last of a key that comes twice (as JavaScript reads it), unusable
// values of every key but pid taken for missing.
// Errors: kInvalidArgument  no JSON object, or no pid that is a whole number
//                           from 1 to 2147483647, nor a text of its digits;
//                           the message says which.
// Does not block, keeps nothing. Any length and depth of `text` is safe.
absl::StatusOr<Holder> ParseHolder(absl::string_view text);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_HOLDER_H_
