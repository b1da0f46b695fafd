// SPDX-License-Identifier: Apache-2.0
//
// Leftovers: processes that the command has started, directly or not, and that
// are alive when it has ended. Those that left its session, as daemons do, do
// not count.
//
// To be used with a ChildRunner alive that has run the command with an
// observer: leftovers are descendants of this process then.
#ifndef O8LOCK_TOOLS_CLI_SURVIVING_PROCESSES_H_
#define O8LOCK_TOOLS_CLI_SURVIVING_PROCESSES_H_

#include <vector>

#include "lock/process.h"
#include "tools/cli/events.h"

namespace o8lock {

// The processes below this one before the command is started, as those of a
// shell that has executed o8lock in its own place: they, and what they start,
// are no leftovers. In the order of their pids. One system call where this
// process has no children; else reads a file for every process on the machine.
std::vector<Descendant> FindBystanders();

// Those that there are, in the order of their pids. Costs as much.
std::vector<Descendant> FindSurvivingProcesses(
    const std::vector<Descendant>& bystanders);

// Waits until there are none, until `give_up` (of NowTicks(); negative: never)
// or until a signal comes that would end this process. Returns that signal, 0
// if there was none. Stops when a signal says so, as on Ctrl-Z.
int AwaitSurvivingProcesses(const std::vector<Descendant>& bystanders,
                            Ticks give_up, Events& events);

// Asks them to end (SIGTERM), and after `patience` ends them (SIGKILL). Returns
// as AwaitSurvivingProcesses.
int EndSurvivingProcesses(const std::vector<Descendant>& bystanders,
                          Ticks patience, Events& events);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_SURVIVING_PROCESSES_H_
