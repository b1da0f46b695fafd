// SPDX-License-Identifier: Apache-2.0
//
// The display while o8lock waits for a lock.
#ifndef O8LOCK_TOOLS_CLI_WAITING_H_
#define O8LOCK_TOOLS_CLI_WAITING_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/lock_status.h"
#include "lock/process.h"

namespace o8lock {

// One wait, for any number of successive holders. A terminal shows one line
// that is kept up to date. Other outputs get a line at the beginning and one
// for each later holder.
class Waiting {
 public:
  // Waits at most `time` from now on; nothing: indefinitely. With `quiet` it
  // shows nothing.
  Waiting(std::optional<absl::Duration> time, bool quiet);

  // Waits for `found`, as WaitFor in lock/wait.h does; see there.
  absl::StatusOr<Fd> For(const Location& location, const LockStatus& found);

  // Returns how long it has waited.
  int64_t Seconds() const;

 private:
  void Show(const LockStatus& found);
  // The time in seconds, rounded up.
  std::optional<int64_t> Limit() const;

  std::optional<absl::Duration> time_;
  bool quiet_;
  bool terminal_;
  Ticks since_;
  std::optional<LockStatus> shown_;
};

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_WAITING_H_
