// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/run.h"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "hooks/git.h"
#include "hooks/installation.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/inspect.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "tools/cli/access_hint.h"
#include "tools/cli/caller.h"
#include "tools/cli/child.h"
#include "tools/cli/command.h"
#include "tools/cli/confirm.h"
#include "tools/cli/error_text.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/find_command.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/hooks_text.h"
#include "tools/cli/locate.h"
#include "tools/cli/options.h"
#include "tools/cli/orchestr8.h"
#include "tools/cli/orchestr8_config.h"
#include "tools/cli/orchestr8_package.h"
#include "tools/cli/orphans.h"
#include "tools/cli/output.h"
#include "tools/cli/publish.h"
#include "tools/cli/refusal_text.h"
#include "tools/cli/report.h"
#include "tools/cli/run_text.h"
#include "tools/cli/text.h"
#include "tools/cli/waiting.h"

namespace o8lock {
namespace {

// Returns whether this process descends from the run `found`, or from the
// external run: a wait for its end would never finish.
bool IsHeldByAncestor(const LockStatus& found) {
  return found.own || (found.state == LockState::kHeld && found.is_external &&
                       DescendsFrom(getpid(), found.holder->pid));
}

// Decides whether to override `found`, and asks the user if necessary. Returns
// the exit code if not. `by_ancestor` is IsHeldByAncestor().
std::optional<int> Refuse(const LockStatus& found, const Options& options,
                          const Invocation& invocation, bool by_ancestor) {
  if (!options.force) {
    if (!options.quiet) {
      PrintError(RefusalText(found, invocation, GetNow(),
                             InColor(STDERR_FILENO), by_ancestor));
    }
    return options.conflict_exit_code;
  }
  const std::string warning =
      OverrideText(found, GetNow(), InColor(STDERR_FILENO));
  if (!options.yes || !options.quiet) PrintError(warning);
  if (options.yes) return std::nullopt;
  const std::optional<int> declined = AskToGoOn(warning, "--force", options);
  // orchestr8's question looks the same.
  if (!declined.has_value() && !invocation.status_command.empty()) {
    PrintError(
        "o8lock: that question was o8lock's; orchestr8 may now ask its own\n");
  }
  return declined;
}

// Fills in the lock file's details about the command.
void DescribeRun(const Options& options,
                 const std::optional<Orchestr8Command>& orchestr8,
                 AcquireOptions& acquire) {
  acquire.command = options.command;
  acquire.is_orchestr8 = orchestr8.has_value();
  acquire.features = options.features;
  std::optional<int> max_concurrency = options.max_concurrency;
  if (orchestr8.has_value()) {
    acquire.features.insert(acquire.features.end(), orchestr8->features.begin(),
                            orchestr8->features.end());
    if (!max_concurrency.has_value()) {
      max_concurrency = orchestr8->max_concurrency;
    }
    if (!max_concurrency.has_value()) {
      max_concurrency = ReadOrchestr8Config(".").max_concurrency;
    }
  }
  acquire.max_concurrency = max_concurrency.value_or(acquire.max_concurrency);
}

// Returns whether the orchestr8 `command` will ask without getting an answer.
bool AsksWithoutAnswer(const Orchestr8Command& command) {
  return !command.features.empty() && !command.yes &&
         isatty(STDIN_FILENO) == 0 && AsksBeforeARun(command.program);
}

// Prints warnings about the lock file if it is missing or git may show it.
void WarnAboutLockFile(const Lock& lock, const Location& location,
                       bool publish) {
  if (publish && !location.outside.empty()) PrintError(OutsideText(location));
  if (lock.excluded().ok()) return;
  // A .gitignore may list it. Git blocks on a FIFO in the file's place.
  if (absl::IsPermissionDenied(lock.excluded())) {
    const absl::StatusOr<ProgramResult> ignored = RunGit(
        location.main_worktree,
        {"check-ignore", "--quiet", "--no-index", "--", location.lock_file});
    if (ignored.ok() && ignored->exit_code == 0) return;
  }
  PrintError(NotExcludedText(location, lock.excluded()));
}

// Returns how o8lock was called as `program`, for the lines to paste.
Invocation InvocationOf(const Options& options,
                        const std::optional<Orchestr8Command>& orchestr8,
                        const std::string& program) {
  Invocation invocation{OwnArguments(program),
                        options.description,
                        options.command,
                        {},
                        BazelRunAgain(options.command)};
  if (orchestr8.has_value()) {
    invocation.status_command = orchestr8->status_command;
  }
  invocation.o8lock.insert(invocation.o8lock.end(), options.selection.begin(),
                           options.selection.end());
  return invocation;
}

// A start, until the command has the lock or is refused.
class LockedRun {
 public:
  // `started` is the time of the start, of NowNanoseconds(). All references
  // must outlive this object.
  LockedRun(Options& options, const std::optional<Orchestr8Command>& orchestr8,
            const Location& location, const PublishChoice& publish,
            AcquireOptions acquire, Invocation invocation, int64_t started)
      : options_(options),
        orchestr8_(orchestr8),
        location_(location),
        choice_(publish),
        acquire_(std::move(acquire)),
        invocation_(std::move(invocation)),
        started_(started) {
    acquire_.unpublished = [this]() -> std::optional<std::string> {
      if (Decision().publish) return std::nullopt;
      return Decision().reason;
    };
  }

  // Takes the lock and runs the command. Waits for the lock or overrides it, if
  // the options say so. Returns the exit code.
  int Start();

 private:
  // Does all that should precede the lock: the search for an orchestr8 may take
  // long, and other starts would find a run without a record; and the lock arms
  // the hooks. Does nothing if a run has the lock: this start may be refused,
  // and that run's hooks are armed for the place where it began.
  void Prepare();
  // Decides at the first call.
  const PublishDecision& Decision();
  // Makes sure the lock file of the joined run does not stop the command.
  void WithdrawLockFile(Lock& lock);
  // Runs the command with `lock`, which was taken or joined.
  int RunUnder(Lock& lock);
  // Waits for `found` to end. Returns the exit code if the start ends here.
  std::optional<int> Wait(const LockStatus& found);
  // Makes the next attempt override `found`. Returns the exit code if it must
  // not.
  std::optional<int> Override(const LockStatus& found, bool by_ancestor);

  Options& options_;
  const std::optional<Orchestr8Command>& orchestr8_;
  const Location& location_;
  const PublishChoice& choice_;
  std::optional<PublishDecision> decision_;
  std::optional<absl::Status> hooks_;  // of RefreshHooks for this attempt
  AcquireOptions acquire_;
  const Invocation invocation_;
  const int64_t started_;
  std::optional<Waiting> waiting_;
  bool waited_ = false;  // for the whole time of --wait
  Fd turn_;
  // Constructed before the lock: no signal may end this process and leave a
  // lock file.
  ChildRunner runner_;
};

int LockedRun::Start() {
  while (true) {
    Prepare();
    std::optional<LockStatus> found;
    absl::StatusOr<Lock> lock =
        Lock::Acquire(location_, acquire_, &found, std::exchange(turn_, Fd()));
    if (lock.ok()) return RunUnder(*lock);
    const ChildRunner::Interruptible interruptible(runner_);
    if (!found.has_value()) {
      return FailToLock(lock.status(), location_, Purpose::kCommand);
    }
    const bool by_ancestor = IsHeldByAncestor(*found);
    const bool waits = options_.wait != absl::ZeroDuration() &&
                       found->state == LockState::kHeld && !by_ancestor;
    const std::optional<int> exit_code =
        waits ? Wait(*found) : Override(*found, by_ancestor);
    if (exit_code.has_value()) return *exit_code;
  }
}

void LockedRun::Prepare() {
  hooks_.reset();
  if (turn_.ok() ||
      (acquire_.overriding.empty() && IsTaken(location_).value_or(false))) {
    return;
  }
  const ChildRunner::Interruptible interruptible(runner_);
  Decision();
  hooks_ = RefreshHooks(location_);
}

const PublishDecision& LockedRun::Decision() {
  if (!decision_.has_value()) {
    decision_ =
        DecideToPublish(choice_, options_.command, orchestr8_, location_);
  }
  return *decision_;
}

void LockedRun::WithdrawLockFile(Lock& lock) {
  if (!Decision().starts_orchestr8) return;
  const absl::Status withdrawn = lock.WithdrawLockFile();
  if (withdrawn.ok() || options_.quiet) return;
  PrintError(
      absl::StrCat("o8lock: warning: the outer run's lock file remains: ",
                   Printable(withdrawn.message()),
                   "\no8lock: hint: orchestr8 may mistake it for another run's "
                   "lock file, and refuse to start\n"));
}

int LockedRun::RunUnder(Lock& lock) {
  if (!options_.leftovers.has_value() &&
      (orchestr8_.has_value() || Decision().starts_orchestr8)) {
    options_.leftovers = SurvivalPolicy::kKeep;
  }
  if (lock.joined()) {
    WithdrawLockFile(lock);
    return RunToTheEnd(runner_, options_, &lock, location_);
  }
  WarnAboutEarlierRuns(lock, location_, orchestr8_.has_value(), options_.quiet);
  if (!hooks_.has_value()) hooks_ = RefreshHooks(location_);
  if (!options_.quiet) {
    if (!hooks_->ok()) PrintError(HooksWarning(*hooks_));
    for (const Malformed& malformed : lock.malformed()) {
      PrintError(MalformedText(malformed));
    }
    WarnAboutLockFile(lock, location_, Decision().publish);
    if (orchestr8_.has_value() && AsksWithoutAnswer(*orchestr8_)) {
      PrintError(NoAnswerText());
    }
  }
  if (options_.verbose) {
    PrintError(absl::StrCat("o8lock: lock taken: ", Printable(location_.guard),
                            " (PID ", lock.holder().pid, ")\n"));
    PrintError(PublishText(location_.lock_file, Decision().publish,
                           Decision().reason));
  }
  std::vector<std::string> tokens = acquire_.own_tokens;
  tokens.push_back(lock.holder().token);
  setenv(kRunVariable, absl::StrJoin(tokens, ":").c_str(), 1);
  return RunToTheEnd(runner_, options_, &lock, location_);
}

std::optional<int> LockedRun::Wait(const LockStatus& found) {
  if (waited_) {
    if (!options_.quiet) {
      PrintError(TimedOutText(found, invocation_, GetNow(), waiting_->Seconds(),
                              InColor(STDERR_FILENO)));
    }
    return options_.conflict_exit_code;
  }
  if (!waiting_.has_value()) {
    waiting_.emplace(options_.wait, options_.quiet);
  }
  Decision();  // not between the turn and the command
  absl::StatusOr<Fd> got = waiting_->For(location_, found);
  // Then try once more: the lock may have a new holder by now.
  waited_ = absl::IsDeadlineExceeded(got.status());
  if (!got.ok() && !waited_) {
    return FailToLock(got.status(), location_, Purpose::kCommand);
  }
  if (got.ok()) turn_ = *std::move(got);
  return std::nullopt;
}

std::optional<int> LockedRun::Override(const LockStatus& found,
                                       bool by_ancestor) {
  // --yes applies to the holder at the time of the command. It does not apply
  // to a later one that arrived during an override: two such commands at once
  // would both run.
  if (options_.yes && IsSince(found, started_)) options_.force = false;
  if (options_.force) {
    // A misspelt command must not cost another run its lock.
    const absl::Status command = FindCommand(options_.command[0]).status();
    if (!command.ok()) return FailToRun(command, options_.command[0]);
  }
  const std::optional<int> refused =
      Refuse(found, options_, invocation_, by_ancestor);
  if (refused.has_value()) {
    if (IsClosed(found) && !options_.quiet) {
      PrintError(HintText(AccessHint(location_)));
    }
    return refused;
  }
  acquire_.overriding.push_back(found);
  return std::nullopt;
}

}  // namespace

int Run(Options options, const std::string& program, int64_t started) {
  const std::optional<Orchestr8Command> orchestr8 =
      ReadOrchestr8Command(options.command, BelongsToOrchestr8);
  if (orchestr8.has_value() && !orchestr8->needs_lock) {
    if (options.verbose) PrintError(NoLockNeededText(options.command));
    ChildRunner runner;
    return RunToTheEnd(runner, options, nullptr, {});
  }
  if (orchestr8.has_value() && orchestr8->force) {
    options.force = true;
    options.wait = absl::ZeroDuration();
    options.yes = options.yes || orchestr8->yes;
  }
  const absl::StatusOr<Location> location = LocateLock(options);
  if (!location.ok()) return FailToLocate(location.status(), Purpose::kCommand);
  AcquireOptions acquire;
  DescribeRun(options, orchestr8, acquire);
  const absl::StatusOr<PublishChoice> publish =
      ReadPublishChoice(options, *location);
  if (!publish.ok()) {
    return Fail(publish.status().message(),
                "nothing was run; correct it: git config o8lock.publish auto",
                kUsage);
  }
  if (!options.leftovers.has_value() && location->leftovers.has_value()) {
    options.leftovers = ParseSurvivalPolicy(*location->leftovers);
    if (!options.leftovers.has_value()) {
      return Fail(absl::StrCat("the setting o8lock.leftovers must be "
                               "'release', 'wait', 'kill' or 'keep', not '",
                               *location->leftovers, "'"),
                  "nothing was run; correct it: git config o8lock.leftovers "
                  "release",
                  kUsage);
    }
  }
  acquire.own_tokens = OwnTokens();
  return LockedRun(options, orchestr8, *location, *publish, std::move(acquire),
                   InvocationOf(options, orchestr8, program), started)
      .Start();
}

}  // namespace o8lock
