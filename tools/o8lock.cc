// SPDX-License-Identifier: Apache-2.0
//
// o8lock: runs a command while nobody else runs under the same lock.
#include <fcntl.h>
#include <poll.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "hooks/hook_call.h"
#include "hooks/installation.h"
#include "hooks/worktrees.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/inspection.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/process.h"
#include "lock/version.h"
#include "lock/watch.h"
#include "tools/child.h"
#include "tools/doctor.h"
#include "tools/exit_code.h"
#include "tools/hooks_command.h"
#include "tools/leftovers.h"
#include "tools/messages.h"
#include "tools/options.h"
#include "tools/orchestr8.h"
#include "tools/orchestr8_package.h"
#include "tools/output.h"
#include "tools/stamp.h"
#include "tools/survey.h"
#include "tools/text.h"
#include "tools/waiting.h"

namespace o8lock {
namespace {

int FailToLock(const absl::Status& error) {
  int exit_code = kCannotCreate;
  // No locks; no thread to wait with.
  if (absl::IsUnimplemented(error) || absl::IsUnavailable(error)) {
    exit_code = kOsError;
  }
  if (absl::IsInvalidArgument(error)) exit_code = kUsage;
  return Fail(error.message(), LockHint(error), exit_code);
}

absl::StatusOr<Location> LocateLock(const Options& options) {
  LocateOptions locate;
  locate.name = options.name;
  locate.lock_file = options.lock_file;
  return Locate(locate);
}

int FailToLocate(const absl::Status& error) {
  if (!absl::IsFailedPrecondition(error)) return FailToLock(error);
  return Fail(error.message(), "nothing was run; git cannot use that either",
              kCannotCreate);
}

int FailToRun(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kNotFound:
      return Fail(error.message(),
                  "is it installed, and in a directory of PATH?", kNotFound);
    case absl::StatusCode::kPermissionDenied:
      return Fail(error.message(), "is it an executable program?",
                  kNotExecutable);
    default:
      return Fail(error.message(), "the command was not run", kOsError);
  }
}

std::vector<std::string> OwnTokens() {
  const char* tokens = getenv(kTokenVariable);
  if (tokens == nullptr) return {};
  return absl::StrSplit(tokens, ':', absl::SkipEmpty());
}

// A line of `fd`, without blanks around it. Byte by byte: what is behind it is
// the command's. Gives up after `milliseconds`; negative: never.
std::string ReadAnswer(int fd, int milliseconds) {
  std::string answer;
  char c = '\0';
  while (c != '\n') {
    struct pollfd readable = {fd, POLLIN, 0};
    const int ready = poll(&readable, 1, milliseconds);
    const ssize_t got = ready > 0 ? read(fd, &c, 1) : ready;
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    answer += c;
  }
  return answer;
}

bool IsYes(absl::string_view answer) {
  const std::string word =
      absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer));
  return word == "y" || word == "yes";
}

struct Answer {
  bool yes = false;
  bool asked = true;  // there was somebody to ask
  bool on_terminal = true;
};

// Asks on standard input, where that is a pipe or a file with an answer in it.
Answer ConfirmByInput() {
  struct stat info;
  if (fstat(STDIN_FILENO, &info) != 0 ||
      !(S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode) ||
        S_ISREG(info.st_mode))) {
    return {/*yes=*/false, /*asked=*/false};
  }
  const std::string answer = ReadAnswer(STDIN_FILENO, /*milliseconds=*/1000);
  if (answer.empty()) return {/*yes=*/false, /*asked=*/false};
  // As it would look on a terminal.
  Tell(absl::StrCat(kPrompt, Printable(absl::StripAsciiWhitespace(answer)),
                    "\n"));
  return {IsYes(answer), /*asked=*/true, /*on_terminal=*/false};
}

// Asks on the terminal, whatever standard input is; without a terminal, there.
Answer Confirm(absl::string_view warning) {
  const Fd terminal(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.ok()) return ConfirmByInput();
  // Who redirected standard error has to know what is asked all the same.
  if (isatty(STDERR_FILENO) == 0) Print(terminal.get(), warning);
  // What was typed before was typed to something else.
  tcflush(terminal.get(), TCIFLUSH);
  Print(terminal.get(), kPrompt);
  const std::string answer = ReadAnswer(terminal.get(), /*milliseconds=*/-1);
  // The user has typed none.
  if (!absl::EndsWith(answer, "\n")) Print(terminal.get(), "\n");
  return {IsYes(answer)};
}

// Asks whether to go on after `warning`, for `asker`; the exit code if not.
std::optional<int> AskToGoOn(absl::string_view warning, absl::string_view asker,
                             const Options& options) {
  const Answer answer = Confirm(warning);
  if (answer.yes) return std::nullopt;
  constexpr absl::string_view kHint = "add --yes to go on without being asked";
  if (!answer.asked) {
    return Fail(absl::StrCat(asker, " needs a terminal for its confirmation"),
                kHint, options.conflict_exit_code);
  }
  Tell("Aborted.\n");
  if (!answer.on_terminal) Tell(HintText(kHint));
  return options.conflict_exit_code;
}

// Whether the external run `found` has started this process, directly or not:
// to wait for its end is to wait forever.
bool IsHeldByAncestor(const Inspection& found) {
  return found.verdict == Verdict::kHeld && !found.kernel_locked &&
         DescendsFrom(getpid(), found.holder->pid);
}

// Whether `found` has had the lock since `moment`, of NowNanoseconds(), or
// later.
bool IsSince(const Inspection& found, int64_t moment) {
  return (found.origin == Origin::kHere ||
          found.origin == Origin::kOtherNamespace) &&
         found.holder->acquired >= moment;
}

// Whether to override `found`; the exit code if not.
std::optional<int> Refuse(const Inspection& found, const Options& options,
                          const Invocation& invocation) {
  if (!options.force) {
    if (!options.quiet) Tell(RefusalText(found, invocation, GetNow()));
    return options.conflict_exit_code;
  }
  const std::string warning = OverrideText(found, GetNow());
  if (!options.yes || !options.quiet) Tell(warning);
  if (options.yes) return std::nullopt;
  return AskToGoOn(warning, "--force", options);
}

// Looks after a run's lock while its command runs.
class LockAttendant : public Attendant {
 public:
  LockAttendant(Lock& lock, const Location& location, bool quiet)
      : lock_(lock), location_(location), quiet_(quiet) {}

  void Started(pid_t command) override {
    // Of use only if this process is killed; without it the run is as good.
    lock_.NameCommand(command).IgnoreError();
  }

  int Settled() override {
    absl::StatusOr<Watch> watch = Watch::Create();
    // Then the user is told at the end.
    if (!watch.ok()) return -1;
    watch_.emplace(*std::move(watch));
    return watch_->fd();
  }

  void Readable() override {
    if (!watch_.has_value()) return;
    // Again where the lock file was gone: so may have been its directory, and
    // the new one is not watched.
    bool vanished = true;
    while (vanished) {
      watch_->Drain();
      // First watched, then looked at: nothing comes in between. Not of what is
      // written beside the guard: this process writes there itself.
      const std::vector<std::string> directories = lock_.Directories();
      for (const std::string& directory : directories) {
        watch_->Add(directory, directory == directories[0] ? Watch::kNothing
                                                           : Watch::kWritten);
      }
      const absl::StatusOr<Disturbance> found = lock_.LookAfter();
      if (!found.ok()) return;  // the same again at the end, if it is of weight
      vanished = found->vanished;
      TellOf(*found);
    }
  }

  // Whether the user has been told that the lock was overridden.
  bool told_overridden() const { return overridden_; }

 private:
  void TellOf(const Disturbance& found) {
    if (found.overridden) {
      if (!overridden_ && !quiet_) Tell(OverriddenText(found.by));
      overridden_ = true;
    } else if (found.vanished || found.replaced.has_value()) {
      if (!disturbed_ && !quiet_) {
        Tell(DisturbedText(found, location_.lock_file));
      }
      disturbed_ = true;
    }
  }

  Lock& lock_;
  const Location& location_;
  const bool quiet_;
  std::optional<Watch> watch_;
  bool overridden_ = false;
  bool disturbed_ = false;
};

// What those are that ought to end by themselves when their parent has, as
// after Ctrl-C, which reaches all of them.
constexpr Ticks kGrace = kTicksPerSecond / 10;

// Sees to what the command has left behind. Returns the signal that came
// meanwhile, or 0.
int SeeToLeftovers(const Options& options,
                   const std::vector<Descendant>& bystanders) {
  const auto leftovers = [&bystanders] {
    std::vector<int> pids;
    for (const Descendant& process : FindLeftovers(bystanders)) {
      pids.push_back(process.pid);
    }
    return Describe(pids);
  };
  const auto tell = [&options](const std::vector<RunProcess>& processes,
                               LeftoversAre state) {
    if (!options.quiet && !processes.empty()) {
      Tell(LeftoversText(processes, state));
    }
  };
  if (FindLeftovers(bystanders).empty()) return 0;
  int signal = AwaitLeftovers(bystanders, NowTicks() + kGrace);
  if (signal == 0 && options.leftovers != Leftovers::kRelease) {
    const bool wait = options.leftovers == Leftovers::kWait;
    tell(leftovers(), wait ? LeftoversAre::kWaitedFor : LeftoversAre::kEnded);
    signal = wait ? AwaitLeftovers(bystanders, -1) : EndLeftovers(bystanders);
    tell(leftovers(), LeftoversAre::kStillThere);
    return signal;
  }
  tell(leftovers(), LeftoversAre::kReleased);
  return signal;
}

// Runs the command of `options` to its end and ends this process as it ended;
// returns an exit code only if the command could not be run. `lock`, of
// `location`, may be null: nothing is to be locked.
int RunToTheEnd(ChildRunner& runner, const Options& options, Lock* lock,
                const Location& location) {
  std::vector<char*> argv;
  for (const std::string& word : options.command) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  // Inside of another run all this is the outer one's.
  std::optional<LockAttendant> attendant;
  std::vector<Descendant> bystanders;
  if (lock != nullptr && !lock->joined()) {
    attendant.emplace(*lock, location, options.quiet);
    bystanders = FindBystanders();
  }
  absl::StatusOr<ChildExit> exit =
      runner.Run(argv.data(), lock == nullptr ? -1 : lock->fd(),
                 attendant.has_value() ? &*attendant : nullptr);
  if (lock != nullptr) {
    const Ticks acquired = TicksOf(lock->holder().acquired);
    if (attendant.has_value() && exit.ok()) {
      const int signal = SeeToLeftovers(options, bystanders);
      if (signal != 0) exit = ChildExit{/*signaled=*/true, signal};
    }
    const absl::StatusOr<Released> released = lock->Release();
    // Hooks may have been installed meanwhile.
    RefreshHooks(location).IgnoreError();
    if (!released.ok()) {
      Tell(absl::StrCat(
          "o8lock: warning: ", Printable(released.status().message()), "\n"));
    } else if (released->overridden) {
      if (!options.quiet &&
          (!attendant.has_value() || !attendant->told_overridden())) {
        Tell(OverriddenText(released->by));
      }
    } else if (options.verbose && !lock->joined()) {
      Tell(absl::StrCat(
          "o8lock: lock released after ",
          FormatDuration((GetNow().ticks - acquired) / kTicksPerSecond), "\n"));
    }
    if (released.ok() && !options.quiet) {
      for (const Inspection& swept : released->swept) Tell(SweptText(swept));
    }
  }
  if (exit.ok()) ExitAs(*exit);
  return FailToRun(exit.status());
}

// The setting of orchestr8 in the directory it is started in: version 4's file
// or, where that is not there, version 3's. Nothing: it is the default, which
// what is no positive number means to orchestr8 too.
std::optional<int> ConfiguredMaxConcurrency() {
  for (const char* path :
       {".claude/murm-config.json", ".claude/parallel-config.json"}) {
    const absl::StatusOr<std::string> text = ReadFile(path);
    if (!text.ok()) continue;
    const std::optional<int> number = ParseMaxConcurrency(*text);
    return number.value_or(0) > 0 ? number : std::nullopt;
  }
  return std::nullopt;
}

// What the lock file is to say of the command.
void DescribeRun(const Options& options,
                 const std::optional<Orchestr8Command>& orchestr8,
                 AcquireOptions& acquire) {
  acquire.command = options.command;
  acquire.features = options.features;
  std::optional<int> max_concurrency = options.max_concurrency;
  if (orchestr8.has_value()) {
    acquire.features.insert(acquire.features.end(), orchestr8->features.begin(),
                            orchestr8->features.end());
    if (!max_concurrency.has_value()) {
      max_concurrency = orchestr8->max_concurrency;
    }
    if (!max_concurrency.has_value()) {
      max_concurrency = ConfiguredMaxConcurrency();
    }
  }
  acquire.max_concurrency = max_concurrency.value_or(acquire.max_concurrency);
}

// Whether to write the lock file; the exit code if that cannot be told.
absl::StatusOr<bool> ShouldPublish(
    const Options& options, const std::optional<Orchestr8Command>& orchestr8,
    const Location& location) {
  std::optional<Publish> publish = options.publish;
  if (!publish.has_value() && location.publish.has_value()) {
    publish = ParsePublish(*location.publish);
    if (!publish.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the setting o8lock.publish is '", *location.publish,
                       "', not 'auto', 'always' or 'never'"));
    }
  }
  switch (publish.value_or(Publish::kAuto)) {
    case Publish::kAlways:
      return true;
    case Publish::kNever:
      return false;
    case Publish::kAuto:
      break;
  }
  // One that finds a lock file, and the process alive, refuses itself.
  return !orchestr8.has_value() ||
         FindOutWhetherItLocks(orchestr8->program) == LocksItself::kNo;
}

// Whether the orchestr8 `command` is going to ask, and nobody to answer.
bool AsksNobody(const Orchestr8Command& command) {
  return !command.features.empty() && !command.yes &&
         isatty(STDIN_FILENO) == 0 && AsksBeforeARun(command.program);
}

// Tells of the dead runs whose lock was taken over, and of what they have left.
void TellOfStale(const Lock& lock, const Location& location) {
  for (const Inspection& stale : lock.stale()) {
    Tell(StaleText(stale));
    Tell(LeftBehindText(OrphansOf(stale), WorktreesOf(stale, location)));
  }
  for (const Malformed& malformed : lock.malformed()) {
    Tell(MalformedText(malformed));
  }
}

int Run(Options options, const std::string& program, int64_t started) {
  const std::optional<Orchestr8Command> orchestr8 =
      ReadOrchestr8Command(options.command);
  if (orchestr8.has_value() && !orchestr8->needs_lock) {
    if (options.verbose) Tell(NoLockNeededText(options.command));
    ChildRunner runner;
    return RunToTheEnd(runner, options, nullptr, {});
  }
  if (orchestr8.has_value() && orchestr8->force) {
    options.force = true;
    options.wait_seconds = 0;
    options.yes = options.yes || orchestr8->yes;
  }
  const absl::StatusOr<Location> location = LocateLock(options);
  if (!location.ok()) return FailToLocate(location.status());
  // Before the lock, which arms them.
  const absl::Status hooks = RefreshHooks(*location);
  if (!hooks.ok() && !options.quiet) {
    Tell(absl::StrCat("o8lock: warning: the git hooks were not made anew: ",
                      Printable(hooks.message()), "\n"));
  }
  AcquireOptions acquire;
  DescribeRun(options, orchestr8, acquire);
  const absl::StatusOr<bool> publish =
      ShouldPublish(options, orchestr8, *location);
  if (!publish.ok()) {
    return Fail(publish.status().message(),
                "nothing was run; set it anew: git config o8lock.publish auto",
                kUsage);
  }
  acquire.publish = *publish;
  acquire.own_tokens = OwnTokens();
  Invocation invocation{{program}, options.description, options.command, {}};
  if (orchestr8.has_value()) {
    invocation.status_command = orchestr8->status_command;
  }
  invocation.o8lock.insert(invocation.o8lock.end(), options.selection.begin(),
                           options.selection.end());
  std::optional<Waiting> waiting;
  bool waited = false;  // as long as was said
  Fd turn;
  while (true) {
    // Before the lock: no signal may end this process and leave the lock file.
    std::optional<ChildRunner> runner(std::in_place);
    absl::StatusOr<Lock> lock =
        Lock::Acquire(*location, acquire, std::exchange(turn, Fd()));
    if (lock.ok() && lock->joined()) {
      return RunToTheEnd(*runner, options, &*lock, *location);
    }
    if (lock.ok()) {
      if (!options.quiet) {
        TellOfStale(*lock, *location);
        if (orchestr8.has_value() && AsksNobody(*orchestr8)) {
          Tell(NoAnswerText());
        }
      }
      if (options.verbose) {
        Tell(absl::StrCat("o8lock: lock taken: ", Printable(location->guard),
                          " (PID ", lock->holder().pid, ")\n"));
      }
      std::vector<std::string> tokens = acquire.own_tokens;
      tokens.push_back(lock->holder().token);
      setenv(kTokenVariable, absl::StrJoin(tokens, ":").c_str(), 1);
      return RunToTheEnd(*runner, options, &*lock, *location);
    }
    runner.reset();  // Ctrl-C ends the question
    const std::optional<Inspection> found = InspectionOf(lock.status());
    if (!found.has_value()) return FailToLock(lock.status());
    const bool by_ancestor = IsHeldByAncestor(*found);
    if (options.wait_seconds != 0 && found->verdict == Verdict::kHeld &&
        !by_ancestor) {
      if (waited) {
        if (!options.quiet) {
          Tell(TimedOutText(*found, invocation, GetNow(), waiting->Seconds()));
        }
        return options.conflict_exit_code;
      }
      if (!waiting.has_value()) {
        waiting.emplace(options.wait_seconds, options.quiet);
      }
      absl::StatusOr<Fd> got = waiting->For(*location, *found);
      // Once more then: who has it now need not be who had it before.
      waited = absl::IsDeadlineExceeded(got.status());
      if (!got.ok() && !waited) return FailToLock(got.status());
      if (got.ok()) turn = *std::move(got);
      continue;
    }
    // --yes is for a holder that was there when it was said, not for one that
    // came while that was overridden: two of these at once would both run.
    if (options.yes && IsSince(*found, started)) options.force = false;
    if (options.force) {
      // Nobody is to lose a lock to a misspelt command.
      const absl::Status command = FindCommand(options.command[0]).status();
      if (!command.ok()) return FailToRun(command);
    }
    const std::optional<int> refused = Refuse(*found, options, invocation);
    if (refused.has_value()) {
      if (by_ancestor && options.wait_seconds != 0 && !options.quiet) {
        Tell(AncestorText(*found));
      }
      return *refused;
    }
    acquire.overriding.push_back(*found);
  }
}

// The name of the lock that is meant; empty if a file says which.
std::string NameOf(const Options& options) {
  return options.lock_file.empty() ? options.name : "";
}

// https://no-color.org
bool InColor() {
  const char* no_color = getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') &&
         IsTerminal(STDOUT_FILENO);
}

int Status(const Options& options) {
  const absl::StatusOr<Location> location = LocateLock(options);
  if (!location.ok()) return FailToLocate(location.status());
  const absl::StatusOr<Survey> survey =
      LookAround(*location, NameOf(options), OwnTokens());
  if (!survey.ok()) return FailToLock(survey.status());
  Print(STDOUT_FILENO, options.json ? StatusJson(*survey, GetNow())
                                    : StatusText(*survey, GetNow(), InColor()));
  return survey->lock.found.verdict > Verdict::kStale
             ? options.conflict_exit_code
             : kSuccess;
}

// Takes the lock away from whoever has it, and gives it up.
int Unlock(const Options& options, int64_t started) {
  const absl::StatusOr<Location> location = LocateLock(options);
  if (!location.ok()) return FailToLocate(location.status());
  absl::StatusOr<Survey> survey =
      LookAround(*location, NameOf(options), OwnTokens());
  if (!survey.ok()) return FailToLock(survey.status());
  const Inspection& found = survey->lock.found;
  const std::string status = StatusText(*survey, GetNow(), InColor());
  if (!options.quiet || !options.yes) Print(STDOUT_FILENO, status);
  if (found.verdict == Verdict::kFree) return kSuccess;
  AcquireOptions acquire;
  acquire.command = {"o8lock", "unlock"};
  // What is stale goes without being asked for, as at the start of a run.
  if (found.verdict > Verdict::kStale) {
    const std::string warning = UnlockText(found);
    if (!options.quiet || !options.yes) Tell(warning);
    if (options.yes && IsSince(found, started)) {
      return Fail("the holder has changed", "see: o8lock status",
                  options.conflict_exit_code);
    }
    if (!options.yes) {
      const std::optional<int> declined =
          AskToGoOn(absl::StrCat(status, warning), "unlock", options);
      if (declined.has_value()) return *declined;
    }
    acquire.overriding.push_back(found);
  }
  ChildRunner no_signals;
  absl::StatusOr<Lock> lock = Lock::Acquire(*location, acquire);
  if (!lock.ok()) {
    const std::optional<Inspection> now = InspectionOf(lock.status());
    if (!now.has_value()) return FailToLock(lock.status());
    return Fail("the holder has changed", "see: o8lock status",
                options.conflict_exit_code);
  }
  const absl::StatusOr<Released> released = lock->Release();
  if (!released.ok()) return FailToLock(released.status());
  if (!options.quiet && found.verdict > Verdict::kStale) {
    Tell(UnlockedText(found));
  }
  return kSuccess;
}

int Doctor(const Options& options) {
  const absl::StatusOr<Location> location = LocateLock(options);
  if (!location.ok()) return FailToLocate(location.status());
  const std::vector<Finding> findings =
      Examine(*location, options.lock_file.empty() ? "." : location->Home());
  Print(STDOUT_FILENO, DoctorText(findings));
  for (const Finding& finding : findings) {
    if (finding.level == Finding::kFail) return kOsError;
  }
  return kSuccess;
}

// `o8lock hooks ...`, but for the hooks themselves.
int Hooks(const Options& options) {
  const absl::StatusOr<Location> location = LocateLock(options);
  if (!location.ok()) return FailToLocate(location.status());
  if (location->armed.empty()) {
    return Fail("the hooks are a git repository's, for the lock 'parallel'",
                "go to a repository first; --name and --lock-file are not for "
                "hooks",
                kUsage);
  }
  switch (options.action) {
    case Action::kHooksInstall:
      return InstallHooksCommand(*location, OwnTokens());
    case Action::kHooksUninstall:
      return UninstallHooksCommand(*location);
    default:
      return HooksStatusCommand(*location, options.json);
  }
}

// The hook that this program is called as, by a link of that name; empty: none.
std::string HookName(absl::string_view program) {
  program.remove_prefix(program.rfind('/') + 1);  // npos + 1 is 0.
  return program == kReferenceTransaction.name ? std::string(program) : "";
}

// " (1bfdd47)"; nothing where that was not told to the build.
std::string CommitText() {
  const absl::string_view commit = kCommit;
  return commit.empty() || commit == "0" ? "" : absl::StrCat(" (", commit, ")");
}

int Main(char* const argv[]) {
  const int64_t started = NowNanoseconds();
  const std::string hook = HookName(argv[0]);
  if (getauxval(AT_SECURE) != 0) {
    if (!hook.empty()) return kSuccess;  // git has to go on
    return Fail("o8lock does not run with privileges that its caller has not",
                "take the set-user-ID or set-group-ID bit or the capabilities "
                "from the file",
                kOsError);
  }
  // Without them the lock's own file could become the command's input.
  const absl::Status descriptors = EnsureStandardDescriptors();
  if (!descriptors.ok()) return Fail(descriptors.message(), "", kOsError);
  if (!hook.empty()) {
    std::vector<std::string> args;
    for (int i = 1; argv[i] != nullptr; ++i) args.emplace_back(argv[i]);
    return RunHook(hook, args, OwnTokens());
  }
  absl::StatusOr<Options> options = ParseOptions(argv);
  if (!options.ok()) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(options.status().message(), absl::MaxSplits('\n', 1));
    return Fail(parts.first, parts.second, kUsage);
  }
  switch (options->action) {
    case Action::kHelp:
      Print(STDOUT_FILENO, HelpText());
      return kSuccess;
    case Action::kVersion:
      Print(STDOUT_FILENO,
            absl::StrCat("o8lock ", kVersion, CommitText(), "\n"));
      return kSuccess;
    case Action::kStatus:
      return Status(*options);
    case Action::kUnlock:
      return Unlock(*options, started);
    case Action::kDoctor:
      return Doctor(*options);
    case Action::kHooksInstall:
    case Action::kHooksUninstall:
    case Action::kHooksStatus:
      return Hooks(*options);
    case Action::kHooksRun:
      return RunHook(options->command[0],
                     {options->command.begin() + 1, options->command.end()},
                     OwnTokens());
    case Action::kRun:
      return Run(*std::move(options), argv[0], started);
  }
  return kUsage;
}

}  // namespace
}  // namespace o8lock

int main(int, char* argv[]) { return o8lock::Main(argv); }
