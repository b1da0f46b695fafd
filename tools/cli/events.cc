// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/events.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "lock/file.h"
#include "lock/process.h"
#include "tools/cli/signals.h"

namespace o8lock {
namespace {

// Calls signalfd(2) directly: the C library does not permit signals 32 and 33.
int SignalDescriptor(int fd, SignalSet wanted) {
  return static_cast<int>(syscall(SYS_signalfd4, fd, &wanted, sizeof(wanted),
                                  SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

absl::Status Events::Open() {
  if (signals_.ok()) return absl::OkStatus();
  signals_ = Fd(SignalDescriptor(-1, wanted_));
  if (signals_.ok()) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::ErrnoToStatus(errno, "cannot make a descriptor for signals")
          .message());
}

std::optional<signalfd_siginfo> Events::Next(
    SignalSet wanted, const std::vector<int>& descriptors, Ticks until) {
  if (wanted != wanted_) {
    SignalDescriptor(signals_.get(), wanted);
    wanted_ = wanted;
  }
  std::vector<struct pollfd> polled = {{signals_.get(), POLLIN, 0}};
  for (const int descriptor : descriptors) {
    polled.push_back({descriptor, POLLIN, 0});
  }
  poll(polled.data(), polled.size(), MillisecondsUntil(until));
  signalfd_siginfo signal;
  if (read(signals_.get(), &signal, sizeof(signal)) == sizeof(signal)) {
    return signal;
  }
  return std::nullopt;
}

}  // namespace o8lock
