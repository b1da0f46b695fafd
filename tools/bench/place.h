// SPDX-License-Identifier: Apache-2.0
//
// What the benchmark works on: programs and repositories. Not thread-safe.
#ifndef O8LOCK_TOOLS_BENCH_PLACE_H_
#define O8LOCK_TOOLS_BENCH_PLACE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/bench/processes.h"

namespace o8lock {

// Scripts that make a repository of an empty one.

// 100,000 files, and 2,000 linked worktrees as `git worktree add` leaves them,
// in a hundredth of the time; runs start in kDeep.
extern const char kLarge[];
extern const char kDeep[];

// Tags: `start`, and `topic`, which is 100 commits further. Branches: `main`,
// which is one commit further than `start`. Beside it a repository .origin of
// 1,000 branches.
extern const char kWork[];

// Four files. Branches: `main`, and `topic`, which is one commit away from
// where `main` was one commit ago.
extern const char kSmall[];

// Where orchestr8 was never used.
extern const char kElsewhere[];

// o8lock's hooks; a reference-transaction, and a post-checkout, that does
// nothing in their place.
extern const char kHooks[];
extern const char kNoopHook[];
extern const char kNoopCheckout[];

// What is compared: commands under one lock.
struct Side {
  Command start;     // does nothing
  Command refused;   // the same, for somebody has the lock
  Command attempt;   // the same, and somebody may have it
  Command hold;      // stays
  Command wait;      // waits for the lock, then stays
  std::string file;  // that is locked
};

// The programs, and what they work on.
class Place {
 public:
  Place() = default;
  ~Place();
  Place(const Place&) = delete;  // Two owners would remove it twice.
  Place& operator=(const Place&) = delete;

  absl::Status SetUp();

  // A new git repository in which `script` has been run; its path.
  absl::StatusOr<std::string> Repository(absl::string_view script);

  // In the repository that `directory` is in; its root, to wait.
  Side O8lock(const std::string& directory) const;
  Side Flock() const;
  Command Spawn() const;

 private:
  std::string Noop() const { return programs_ + "/noop"; }

  std::string path_;
  std::string programs_;
  int count_ = 0;
};

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_BENCH_PLACE_H_
