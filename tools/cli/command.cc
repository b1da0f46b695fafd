// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/command.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "hooks/installation.h"
#include "hooks/worktrees.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "tools/cli/caller.h"
#include "tools/cli/child.h"
#include "tools/cli/error_text.h"
#include "tools/cli/events.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/hooks_text.h"
#include "tools/cli/lock_observer.h"
#include "tools/cli/options.h"
#include "tools/cli/orphans.h"
#include "tools/cli/output.h"
#include "tools/cli/report.h"
#include "tools/cli/run_text.h"
#include "tools/cli/surviving_processes.h"
#include "tools/cli/text.h"

namespace o8lock {
namespace {

// Time for processes to end by themselves after their parent, as after Ctrl-C,
// which reaches all of them.
constexpr Ticks kGrace = kTicksPerSecond / 10;

// Returns the surviving processes of the command.
std::vector<RunProcess> Surviving(const std::vector<Descendant>& bystanders) {
  std::vector<int> pids;
  for (const Descendant& process : FindSurvivingProcesses(bystanders)) {
    pids.push_back(process.pid);
  }
  return Describe(pids);
}

void WarnAboutSurvivingProcesses(const std::vector<RunProcess>& processes,
                                 SurvivingProcessesAre state,
                                 const Options& options) {
  if (options.quiet || processes.empty()) return;
  PrintError(SurvivingProcessesText(processes, state, options.kill_after));
}

// Leaves the lock to the agents still working in `made`, worktrees of the run.
// Prints warnings about all surviving processes of the command.
void KeepForAgents(Lock& lock, const std::vector<Worktree>& made,
                   const std::vector<Descendant>& bystanders,
                   const Options& options) {
  const std::vector<RunProcess> processes = Surviving(bystanders);
  const std::vector<SurvivingProcess> keeping =
      AgentsAmong(processes, lock, made);
  // Before the user reads about it.
  if (!keeping.empty()) lock.KeepFor(keeping).IgnoreError();
  std::vector<RunProcess> agents;
  std::vector<RunProcess> others;
  for (const RunProcess& process : processes) {
    const bool keeps =
        absl::c_any_of(keeping, [&process](const SurvivingProcess& agent) {
          return agent.pid == process.pid;
        });
    (keeps ? agents : others).push_back(process);
  }
  WarnAboutSurvivingProcesses(agents, SurvivingProcessesAre::kKept, options);
  WarnAboutSurvivingProcesses(others,
                              agents.empty() ? SurvivingProcessesAre::kReleased
                                             : SurvivingProcessesAre::kNotKept,
                              options);
}

// Handles the surviving processes of the command. `made` are its worktrees, if
// it failed. Returns the signal that arrived meanwhile, or 0.
int HandleSurvivingProcesses(const Options& options, Lock& lock,
                             const std::vector<Worktree>& made,
                             const std::vector<Descendant>& bystanders,
                             Events& events) {
  if (FindSurvivingProcesses(bystanders).empty()) return 0;
  int signal = AwaitSurvivingProcesses(bystanders, NowTicks() + kGrace, events);
  const SurvivalPolicy policy =
      options.leftovers.value_or(SurvivalPolicy::kRelease);
  if (policy == SurvivalPolicy::kKeep) {
    KeepForAgents(lock, made, bystanders, options);
  } else if (signal != 0 || policy == SurvivalPolicy::kRelease) {
    WarnAboutSurvivingProcesses(Surviving(bystanders),
                                SurvivingProcessesAre::kReleased, options);
  } else {
    const bool wait = policy == SurvivalPolicy::kWait;
    WarnAboutSurvivingProcesses(Surviving(bystanders),
                                wait ? SurvivingProcessesAre::kWaitedFor
                                     : SurvivingProcessesAre::kEnded,
                                options);
    signal = wait ? AwaitSurvivingProcesses(bystanders, -1, events)
                  : EndSurvivingProcesses(
                        bystanders,
                        TicksOf(absl::ToInt64Nanoseconds(options.kill_after)),
                        events);
    WarnAboutSurvivingProcesses(Surviving(bystanders),
                                SurvivingProcessesAre::kStillThere, options);
  }
  return signal;
}

// Releases `lock` at `location` and prints any warnings. Prints the one about
// an override only if the user has not seen it.
void Release(Lock& lock, const Location& location, const Options& options,
             bool warned_of_override) {
  const Ticks acquired = TicksOf(lock.holder().acquired);
  const absl::StatusOr<Released> released = lock.Release();
  // Hooks may have been installed meanwhile.
  const absl::Status hooks = RefreshHooks(location);
  if (!options.quiet &&
      (absl::IsAborted(hooks) || absl::IsAlreadyExists(hooks))) {
    PrintError(HooksWarning(hooks));
  }
  if (!released.ok()) {
    if (options.quiet) return;
    PrintError(
        absl::StrCat("o8lock: warning: the lock was not released cleanly: ",
                     Printable(released.status().message()), "\n",
                     HintText(absl::StrCat("see: ", OwnCommand("status")))));
    return;
  }
  if (released->overridden) {
    if (!options.quiet && !warned_of_override) {
      PrintError(OverriddenText(*released->by));
    }
  } else if (options.verbose && !lock.joined()) {
    PrintError(absl::StrCat(
        "o8lock: lock released after ",
        FormatDuration((GetNow().ticks - acquired) / kTicksPerSecond), "\n"));
  }
  if (options.quiet) return;
  for (const LockStatus& removed : released->removed_lock_files) {
    PrintError(RemovedLockFileText(removed));
  }
}

}  // namespace

int RunToTheEnd(ChildRunner& runner, const Options& options, Lock* lock,
                const Location& location) {
  std::vector<char*> argv;
  argv.reserve(options.command.size() + 1);
  for (const std::string& argument : options.command) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  // Inside another run, the outer run does all this.
  std::optional<LockObserver> observer;
  std::vector<Descendant> bystanders;
  if (lock != nullptr && !lock->joined()) {
    observer.emplace(*lock, location, options.quiet);
    bystanders = FindBystanders();
  }
  absl::StatusOr<ChildExit> exit =
      runner.Run(argv.data(), lock == nullptr ? -1 : lock->fd(),
                 observer.has_value() ? &*observer : nullptr);
  if (observer.has_value() && exit.ok()) {
    const bool failed = exit->signaled || exit->code != 0;
    std::vector<Worktree> made;
    if (failed) made = WorktreesOfThisRun(*lock, location);
    const int signal = HandleSurvivingProcesses(options, *lock, made,
                                                bystanders, runner.events());
    if (signal != 0) exit = ChildExit{/*signaled=*/true, signal};
    if (!made.empty()) {
      WarnAboutThisRun(*lock, location, made, options.quiet);
    }
  }
  if (lock != nullptr) {
    Release(*lock, location, options,
            observer.has_value() && observer->warned_of_override());
  }
  if (exit.ok()) {
    // ExitAs makes no second dump, so the waiting shell reports no dump.
    if (exit->core_dumped && !options.quiet) {
      PrintError("o8lock: the command dumped core\n");
    }
    ExitAs(*exit);
  }
  return FailToRun(exit.status(), options.command[0]);
}

int FailToRun(const absl::Status& error, const std::string& command) {
  switch (error.code()) {
    case absl::StatusCode::kNotFound:
      return Fail(error.message(),
                  absl::StrContains(command, '/')
                      ? "check the path"
                      : "install it, or add its directory to PATH",
                  kNotFound);
    case absl::StatusCode::kFailedPrecondition:
      return Fail(error.message(),
                  "install that interpreter, or correct the file's first line",
                  kNotFound);
    case absl::StatusCode::kPermissionDenied:
      return Fail(error.message(), "check that it is an executable program",
                  kNotExecutable);
    case absl::StatusCode::kUnknown:
      return Fail(error.message(), NothingRunHint(""), kNotExecutable);
    case absl::StatusCode::kInternal:
      return Fail(
          error.message(),
          "the command ended, but its exit code is unknown; check its results",
          kOsError);
    default:
      // No descriptor or no process is available.
      return Fail(error.message(),
                  NothingRunHint("close files or end processes, and try again"),
                  kOsError);
  }
}

}  // namespace o8lock
