// SPDX-License-Identifier: Apache-2.0
#include "tools/leftovers.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <vector>

#include "absl/algorithm/container.h"
#include "lock/file.h"
#include "lock/process.h"

namespace o8lock {
namespace {

constexpr Ticks kPatience = 10 * kTicksPerSecond;
// To a killed process the kernel may have to attend for a moment.
constexpr Ticks kKilled = kTicksPerSecond;
// How often to look where the kernel does not tell (OpenProcess).
constexpr int kLookAgainMs = 100;

// Collects the children that have ended; whether others are left.
bool HasChildren() {
  siginfo_t ended;
  do {
    ended = {};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG) != 0 && errno == ECHILD) {
      return false;
    }
  } while (ended.si_pid != 0);
  return true;
}

// The signals that would end this process, were they not blocked, and that
// somebody may send to it while it waits.
sigset_t EndingSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction action;
    if (sigaction(signal, nullptr, &action) == 0 &&
        action.sa_handler != SIG_IGN) {
      sigaddset(&set, signal);
    }
  }
  return set;
}

}  // namespace

std::vector<Descendant> FindLeftovers(Ticks since) {
  if (!HasChildren()) return {};
  std::vector<Descendant> found = DescendantsOf(getpid());
  const pid_t session = getsid(0);
  found.erase(std::remove_if(found.begin(), found.end(),
                             [&](const Descendant& process) {
                               return process.session != session ||
                                      process.started < since;
                             }),
              found.end());
  return found;
}

int AwaitLeftovers(Ticks since, Ticks give_up) {
  const sigset_t ending = EndingSignals();
  const Fd signals(signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK));
  while (true) {
    const std::vector<Descendant> leftovers = FindLeftovers(since);
    const Ticks left = give_up < 0 ? kTicksPerSecond : give_up - NowTicks();
    if (leftovers.empty() || left <= 0) return 0;
    std::vector<Fd> processes;
    std::vector<struct pollfd> events = {{signals.get(), POLLIN, 0}};
    for (const Descendant& process : leftovers) {
      processes.push_back(OpenProcess(process.pid));
      events.push_back({processes.back().get(), POLLIN, 0});
    }
    int timeout =
        give_up < 0 ? -1 : static_cast<int>(left * 1000 / kTicksPerSecond);
    // Gone since, or a kernel that does not tell.
    if (!absl::c_all_of(processes, [](const Fd& fd) { return fd.ok(); })) {
      timeout = kLookAgainMs;
    }
    poll(events.data(), events.size(), timeout);
    signalfd_siginfo signal;
    if (read(signals.get(), &signal, sizeof(signal)) > 0) {
      return static_cast<int>(signal.ssi_signo);
    }
  }
}

int EndLeftovers(Ticks since) {
  for (const Descendant& process : FindLeftovers(since)) {
    SignalProcess(process.pid, process.started, SIGTERM);
  }
  const int signal = AwaitLeftovers(since, NowTicks() + kPatience);
  if (signal != 0) return signal;
  for (const Descendant& process : FindLeftovers(since)) {
    SignalProcess(process.pid, process.started, SIGKILL);
  }
  return AwaitLeftovers(since, NowTicks() + kKilled);
}

}  // namespace o8lock
