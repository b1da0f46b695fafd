// SPDX-License-Identifier: Apache-2.0
//
// What a wrapper waits for, in one call: a signal, a descriptor, a moment.
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
  // Has to succeed before the first Next(). Does nothing the second time.
  // Errors: kResourceExhausted  there is no descriptor to be had.
  absl::Status Open();

  // Waits until a signal of `wanted` comes, all of which have to be blocked;
  // until one of `descriptors` is readable (-1 never is); or until `until`, of
  // NowTicks() (negative: never). Takes the signal and returns it; nothing if
  // none has come, which may also be the case before any of these.
  std::optional<signalfd_siginfo> Next(SignalSet wanted,
                                       const std::vector<int>& descriptors,
                                       Ticks until);

 private:
  Fd signals_;
  SignalSet wanted_ = 0;
};

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_EVENTS_H_
