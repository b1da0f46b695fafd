// SPDX-License-Identifier: Apache-2.0
//
// The programs and repositories the benchmark works on. Not thread-safe.
#ifndef O8LOCK_TOOLS_BENCH_PLACE_H_
#define O8LOCK_TOOLS_BENCH_PLACE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/bench/processes.h"

namespace o8lock {

// The LANG of the programs.
inline constexpr char kLanguage[] = "C.UTF-8";

// The following scripts run in an empty repository.

// 100,000 files.
extern const char kFiles[];

// 2,000 linked worktrees. Writes the files of `git worktree add` directly, in a
// hundredth of the time.
extern const char kWorktrees[];

// 10,000 branches.
extern const char kRefs[];

// The guards of 1,000 lock names used once.
extern const char kNames[];

// A directory twenty levels deep.
extern const char kDeep[];

// Tags: `start`, and `topic`, 100 commits ahead of it. Branches: `main`, one
// commit ahead of `start`. Beside it a repository .origin with 1,000 branches.
extern const char kWork[];

// Four files. Branches: `main`, and `topic`, one commit ahead of the parent of
// `main`.
extern const char kSmall[];

// A repository without any trace of orchestr8.
extern const char kElsewhere[];

// o8lock's hooks; in their place a reference-transaction, and a post-checkout,
// that does nothing.
extern const char kHooks[];
extern const char kNoopHook[];
extern const char kNoopCheckout[];

// One side of a comparison: commands under one lock.
struct Side {
  Command start;     // does nothing
  Command refused;   // the same, while the lock is held
  Command attempt;   // the same, whether the lock is held or not
  Command hold;      // runs until told to end
  Command wait;      // waits for the lock, then runs until told to end
  std::string file;  // the locked file
  Command bare;      // what `start` runs, without a lock
};

// The programs and repositories of one benchmark.
class Place {
 public:
  Place() = default;
  ~Place();
  Place(const Place&) = delete;  // Two owners would remove it twice.
  Place& operator=(const Place&) = delete;

  absl::Status SetUp();

  // Creates a git repository and runs `script` in it. Returns its path.
  absl::StatusOr<std::string> Repository(absl::string_view script);

  // o8lock in the repository of `directory`. To wait, `directory` must be its
  // root.
  Side O8lock(const std::string& directory) const;
  Side Flock() const;
  // The least a lock can do; only to start.
  Side Floor() const;
  // No lock: a static program that does nothing.
  Side Noop() const;

 private:
  Command Bare() const { return {{programs_ + "/noop"}, path_}; }

  std::string path_;
  std::string programs_;
  int count_ = 0;
};

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_BENCH_PLACE_H_
