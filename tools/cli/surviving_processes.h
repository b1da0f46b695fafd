// SPDX-License-Identifier: Apache-2.0
//
// Surviving processes: the command started them, directly or not, and they are
// alive after its end. Processes outside its session, such as daemons, do not
// count.
//
// Use this with a live ChildRunner that has run the command with an observer:
// surviving processes are then descendants of this process.
#ifndef O8LOCK_TOOLS_CLI_SURVIVING_PROCESSES_H_
#define O8LOCK_TOOLS_CLI_SURVIVING_PROCESSES_H_

#include <vector>

#include "lock/process.h"
#include "tools/cli/events.h"

namespace o8lock {

// Returns the descendants of this process before the command starts, such as
// those of a shell that executed o8lock in its own place. They and their
// descendants are not surviving processes. Sorted by pid. Costs one system call
// if this process has no children; otherwise reads a file for every process on
// the machine.
std::vector<Descendant> FindBystanders();

// Returns the surviving processes, sorted by pid. Costs as much as
// FindBystanders.
std::vector<Descendant> FindSurvivingProcesses(
    const std::vector<Descendant>& bystanders);

// Waits until all have ended, until `give_up` (of NowTicks(); negative: never),
// or until a signal arrives that would end this process. Returns that signal,
// or 0. Stops this process on a stop signal, as on Ctrl-Z.
int AwaitSurvivingProcesses(const std::vector<Descendant>& bystanders,
                            Ticks give_up, Events& events);

// Asks them to end (SIGTERM), and after `patience` kills them (SIGKILL).
// Returns as AwaitSurvivingProcesses.
int EndSurvivingProcesses(const std::vector<Descendant>& bystanders,
                          Ticks patience, Events& events);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_SURVIVING_PROCESSES_H_
