// SPDX-License-Identifier: Apache-2.0
#include "tools/leftovers.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
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
  pid_t ended;
  do {
    ended = waitpid(-1, nullptr, WNOHANG);
  } while (ended > 0);
  return ended == 0;
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

std::vector<Descendant> FindBystanders() {
  if (!HasChildren()) return {};
  return DescendantsOf(getpid());
}

std::vector<Descendant> FindLeftovers(
    const std::vector<Descendant>& bystanders) {
  if (!HasChildren()) return {};
  std::vector<Descendant> found = DescendantsOf(getpid());
  const pid_t session = getsid(0);
  std::vector<Descendant> others;
  for (const Descendant& process : found) {
    if (absl::c_any_of(bystanders, [&process](const Descendant& bystander) {
          return process.pid == bystander.pid &&
                 process.started == bystander.started;
        })) {
      others.push_back(process);
    }
  }
  const auto is_other = [&others](const Descendant& process) {
    return absl::c_any_of(others, [&process](const Descendant& other) {
      return process.pid == other.pid || DescendsFrom(process.pid, other.pid);
    });
  };
  found.erase(std::remove_if(found.begin(), found.end(),
                             [&](const Descendant& process) {
                               return process.session != session ||
                                      is_other(process);
                             }),
              found.end());
  return found;
}

int AwaitLeftovers(const std::vector<Descendant>& bystanders, Ticks give_up) {
  const sigset_t ending = EndingSignals();
  const Fd signals(signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK));
  while (true) {
    const std::vector<Descendant> leftovers = FindLeftovers(bystanders);
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

int EndLeftovers(const std::vector<Descendant>& bystanders) {
  for (const Descendant& process : FindLeftovers(bystanders)) {
    SignalProcess(process.pid, process.started, SIGTERM);
  }
  const int signal = AwaitLeftovers(bystanders, NowTicks() + kPatience);
  if (signal != 0) return signal;
  for (const Descendant& process : FindLeftovers(bystanders)) {
    SignalProcess(process.pid, process.started, SIGKILL);
  }
  return AwaitLeftovers(bystanders, NowTicks() + kKilled);
}

}  // namespace o8lock
