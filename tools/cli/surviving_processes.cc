// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/surviving_processes.h"

#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <initializer_list>
#include <optional>
#include <vector>

#include "absl/algorithm/container.h"
#include "lock/file.h"
#include "lock/process.h"
#include "tools/cli/events.h"
#include "tools/cli/signals.h"

namespace o8lock {
namespace {

// The kernel may need a moment to end a killed process.
constexpr Ticks kKilled = kTicksPerSecond;
// How often to poll if the kernel does not notify (OpenProcess).
constexpr Ticks kPollInterval = kTicksPerSecond / 10;

struct Children {
  int ended = 0;
  bool others = false;
};

// Reaps the children that have ended.
Children Collect() {
  Children children;
  pid_t ended;
  while ((ended = waitpid(-1, nullptr, WNOHANG)) > 0) ++children.ended;
  children.others = ended == 0;
  return children;
}

// Returns the signals a user may send to this waiting process. If they were not
// blocked, they would end or stop it.
SignalSet SignalsToHeed() {
  SignalSet heeded = 0;
  for (const int signal :
       {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU}) {
    if (!IsIgnored(signal)) heeded |= Only(signal);
  }
  return heeded;
}

// Returns the descendants in this session except bystanders and their
// descendants.
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

std::vector<Descendant> FindSurvivingProcesses(
    const std::vector<Descendant>& bystanders) {
  if (!Collect().others) return {};
  std::vector<Descendant> found;
  do {
    found = Others(bystanders);
    // A process that ended meanwhile may have started another one first, and
    // the search missed that.
  } while (found.empty() && Collect().ended > 0);
  return found;
}

int AwaitSurvivingProcesses(const std::vector<Descendant>& bystanders,
                            Ticks give_up, Events& events) {
  // SIGCHLD means there is a child to reap.
  const SignalSet wanted = SignalsToHeed() | Only(SIGCHLD);
  while (true) {
    const std::vector<Descendant> surviving =
        FindSurvivingProcesses(bystanders);
    if (surviving.empty() || (give_up >= 0 && NowTicks() >= give_up)) return 0;
    std::vector<Fd> processes;
    std::vector<int> descriptors;
    for (const Descendant& process : surviving) {
      processes.push_back(OpenProcess(process.pid));
      descriptors.push_back(processes.back().get());
    }
    Ticks until = give_up;
    // The process has ended since, or the kernel does not notify.
    if (!absl::c_all_of(processes, [](const Fd& fd) { return fd.ok(); })) {
      until = NowTicks() + kPollInterval;
    }
    const std::optional<signalfd_siginfo> got =
        events.Next(wanted, descriptors, until);
    if (!got.has_value() || got->ssi_signo == SIGCHLD) continue;
    const int signal = static_cast<int>(got->ssi_signo);
    if ((Only(signal) & kStopSignals) == 0) return signal;
    kill(getpid(), signal);
    LetThrough(Only(signal));
  }
}

int EndSurvivingProcesses(const std::vector<Descendant>& bystanders,
                          Ticks patience, Events& events) {
  for (const Descendant& process : FindSurvivingProcesses(bystanders)) {
    SignalProcess(process.pid, process.started, SIGTERM);
  }
  const int signal =
      AwaitSurvivingProcesses(bystanders, NowTicks() + patience, events);
  if (signal != 0) return signal;
  for (const Descendant& process : FindSurvivingProcesses(bystanders)) {
    SignalProcess(process.pid, process.started, SIGKILL);
  }
  return AwaitSurvivingProcesses(bystanders, NowTicks() + kKilled, events);
}

}  // namespace o8lock
