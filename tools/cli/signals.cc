// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/signals.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

namespace o8lock {

SignalSet SetSignalMask(SignalSet mask) {
  SignalSet before = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &before, sizeof(mask));
  return before;
}

SignalSet PendingSignals() {
  SignalSet pending = 0;
  syscall(SYS_rt_sigpending, &pending, sizeof(pending));
  return pending;
}

void LetThrough(SignalSet signals) {
  const SignalSet mask = SetSignalMask(kAllSignals);
  SetSignalMask(mask & ~signals);
  SetSignalMask(mask);
}

bool IsIgnored(int signal) {
  struct sigaction action;
  return sigaction(signal, nullptr, &action) == 0 &&
         action.sa_handler == SIG_IGN;
}

}  // namespace o8lock
