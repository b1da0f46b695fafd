// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/leftovers.h"

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

struct Children {
  int ended = 0;
  bool others = false;
};

// Collects the children that have ended.
Children Collect() {
  Children children;
  pid_t ended;
  while ((ended = waitpid(-1, nullptr, WNOHANG)) > 0) ++children.ended;
  children.others = ended == 0;
  return children;
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

// The descendants in this session that are no bystanders nor below one.
std::vector<Descendant> Others(const std::vector<Descendant>& bystanders) {
  std::vector<Descendant> found = DescendantsOf(getpid());
  std::vector<Descendant> living;
  for (const Descendant& process : found) {
    if (absl::c_any_of(bystanders, [&process](const Descendant& bystander) {
          return process.pid == bystander.pid &&
                 process.started == bystander.started;
        })) {
      living.push_back(process);
    }
  }
  const auto is_bystander = [&living](const Descendant& process) {
    return absl::c_any_of(living, [&process](const Descendant& bystander) {
      return process.pid == bystander.pid ||
             DescendsFrom(process.pid, bystander.pid);
    });
  };
  const pid_t session = getsid(0);
  found.erase(std::remove_if(found.begin(), found.end(),
                             [&](const Descendant& process) {
                               return process.session != session ||
                                      is_bystander(process);
                             }),
              found.end());
  return found;
}

}  // namespace

std::vector<Descendant> FindBystanders() {
  if (!Collect().others) return {};
  return DescendantsOf(getpid());
}

std::vector<Descendant> FindLeftovers(
    const std::vector<Descendant>& bystanders) {
  if (!Collect().others) return {};
  std::vector<Descendant> found;
  do {
    found = Others(bystanders);
    // One that ended meanwhile may have started another before that, which was
    // looked for too early.
  } while (found.empty() && Collect().ended > 0);
  return found;
}

int AwaitLeftovers(const std::vector<Descendant>& bystanders, Ticks give_up) {
  sigset_t wanted = EndingSignals();
  sigaddset(&wanted, SIGCHLD);  // then there is somebody to collect
  const Fd signals(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
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
    if (read(signals.get(), &signal, sizeof(signal)) > 0 &&
        signal.ssi_signo != SIGCHLD) {
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
