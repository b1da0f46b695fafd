// SPDX-License-Identifier: Apache-2.0
//
// Waits for a signal, a descriptor or a moment in one call.
#ifndef O8LOCK_TOOLS_CLI_EVENTS_H_
#define O8LOCK_TOOLS_CLI_EVENTS_H_

#include <sys/signalfd.h>

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "lock/file.h"
#include "lock/process.h"
#include "tools/cli/signals.h"

namespace o8lock {

// Move-only: owns a descriptor, close-on-exec. Not thread-safe.
class Events {
 public:
  // Must succeed before the first Next(). Does nothing when called again.
  // Errors: kResourceExhausted  no descriptor is available.
  absl::Status Open();

  // Waits until a signal of `wanted` arrives, until one of `descriptors` is
  // readable (-1 never is), or until `until`, of NowTicks() (negative: never).
  // All signals of `wanted` must be blocked. Consumes the signal and returns
  // it. Returns nothing without a signal; it may also return early.
  std::optional<signalfd_siginfo> Next(SignalSet wanted,
                                       const std::vector<int>& descriptors,
                                       Ticks until);

 private:
  Fd signals_;
  SignalSet wanted_ = 0;
};

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_EVENTS_H_
