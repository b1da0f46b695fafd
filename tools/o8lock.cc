// SPDX-License-Identifier: Apache-2.0
//
// o8lock: runs a command while nobody else runs under the same lock.
#include <fcntl.h>
#include <sys/auxv.h>
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
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "hooks/installation.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/inspection.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/process.h"
#include "lock/version.h"
#include "tools/child.h"
#include "tools/doctor.h"
#include "tools/exit_code.h"
#include "tools/hooks_command.h"
#include "tools/messages.h"
#include "tools/options.h"
#include "tools/orchestr8.h"
#include "tools/output.h"
#include "tools/text.h"

namespace o8lock {
namespace {

// The tokens of the runs that a process is inside of, the outermost first,
// with colons between.
constexpr char kTokenVariable[] = "O8LOCK_TOKEN";

// orchestr8's own, where nothing is configured.
constexpr int kDefaultMaxConcurrency = 3;

int FailToLock(const absl::Status& error) {
  int exit_code = kCannotCreate;
  if (absl::IsUnimplemented(error)) exit_code = kOsError;
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

// Asks on the terminal, whatever standard input is. nullopt: there is none.
std::optional<bool> Confirm(absl::string_view warning) {
  const Fd terminal(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.ok()) return std::nullopt;
  // Who redirected standard error has to know what is asked all the same.
  if (isatty(STDERR_FILENO) == 0) Print(terminal.get(), warning);
  // What was typed before was typed to something else.
  tcflush(terminal.get(), TCIFLUSH);
  Print(terminal.get(), kPrompt);
  std::string answer;
  char c = '\0';
  while (c != '\n') {
    const ssize_t got = read(terminal.get(), &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      Print(terminal.get(), "\n");  // the user typed none
      break;
    }
    answer += c;
  }
  answer = absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer));
  return answer == "y" || answer == "yes";
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
  const std::optional<bool> confirmed = Confirm(warning);
  if (!confirmed.has_value()) {
    return Fail("--force has no terminal to ask on",
                "add --yes to override without being asked",
                options.conflict_exit_code);
  }
  if (*confirmed) return std::nullopt;
  Tell("Aborted.\n");
  return options.conflict_exit_code;
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
  const absl::StatusOr<ChildExit> exit = runner.Run(
      argv.data(), lock == nullptr ? -1 : lock->fd(), [lock](pid_t command) {
        // Of use only if this process is killed; without it the run is as good.
        if (lock != nullptr) lock->NameCommand(command).IgnoreError();
      });
  if (lock != nullptr) {
    const Ticks acquired = TicksOf(lock->holder().acquired);
    const absl::StatusOr<Released> released = lock->Release();
    // Hooks may have been installed meanwhile.
    RefreshHooks(location).IgnoreError();
    if (!released.ok()) {
      Tell(absl::StrCat(
          "o8lock: warning: ", Printable(released.status().message()), "\n"));
    } else if (released->overridden) {
      Tell(OverriddenText(*released));
    } else if (options.verbose && !lock->joined()) {
      Tell(absl::StrCat(
          "o8lock: lock released after ",
          FormatDuration((GetNow().ticks - acquired) / kTicksPerSecond), "\n"));
    }
  }
  if (exit.ok()) ExitAs(*exit);
  return FailToRun(exit.status());
}

// The setting of orchestr8 in the directory it is started in: version 4's file
// or, where that is not there, version 3's. What is no positive number means
// the default to orchestr8.
int ConfiguredMaxConcurrency() {
  for (const char* path :
       {".claude/murm-config.json", ".claude/parallel-config.json"}) {
    const absl::StatusOr<std::string> text = ReadFile(path);
    if (!text.ok()) continue;
    const int number = ParseMaxConcurrency(*text).value_or(0);
    return number > 0 ? number : kDefaultMaxConcurrency;
  }
  return kDefaultMaxConcurrency;
}

// What the lock file is to say of the command.
void DescribeRun(const Options& options,
                 const std::optional<Orchestr8Command>& orchestr8,
                 AcquireOptions& acquire) {
  acquire.command = options.command;
  acquire.features = options.features;
  acquire.max_concurrency = 1;
  if (orchestr8.has_value()) {
    acquire.features.insert(acquire.features.end(), orchestr8->features.begin(),
                            orchestr8->features.end());
    acquire.max_concurrency = orchestr8->max_concurrency.has_value()
                                  ? *orchestr8->max_concurrency
                                  : ConfiguredMaxConcurrency();
  }
  if (options.max_concurrency.has_value()) {
    acquire.max_concurrency = *options.max_concurrency;
  }
}

int Run(Options options, const std::string& program, int64_t started) {
  const std::optional<Orchestr8Command> orchestr8 =
      ReadOrchestr8Command(options.command);
  if (orchestr8.has_value() && !orchestr8->needs_lock) {
    ChildRunner runner;
    return RunToTheEnd(runner, options, nullptr, {});
  }
  if (orchestr8.has_value() && orchestr8->force) {
    options.force = true;
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
  acquire.publish = options.publish;
  acquire.own_tokens = OwnTokens();
  Invocation invocation{{program}, options.description, options.command};
  invocation.o8lock.insert(invocation.o8lock.end(), options.selection.begin(),
                           options.selection.end());
  while (true) {
    // Before the lock: no signal may end this process and leave the lock file.
    std::optional<ChildRunner> runner(std::in_place);
    absl::StatusOr<Lock> lock = Lock::Acquire(*location, acquire);
    if (lock.ok() && lock->joined()) {
      return RunToTheEnd(*runner, options, &*lock, *location);
    }
    if (lock.ok()) {
      if (!options.quiet) {
        for (const Inspection& stale : lock->stale()) Tell(StaleText(stale));
        for (const Malformed& malformed : lock->malformed()) {
          Tell(MalformedText(malformed));
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
    // --yes is for a holder that was there when it was said, not for one that
    // came while that was overridden: two of these at once would both run.
    if (options.yes && IsSince(*found, started)) options.force = false;
    if (options.force) {
      // Nobody is to lose a lock to a misspelt command.
      const absl::Status command = FindCommand(options.command[0]);
      if (!command.ok()) return FailToRun(command);
    }
    const std::optional<int> refused = Refuse(*found, options, invocation);
    if (refused.has_value()) return *refused;
    acquire.overriding.push_back(*found);
  }
}

int Status(const Options& options) {
  const absl::StatusOr<Location> location = LocateLock(options);
  if (!location.ok()) return FailToLocate(location.status());
  const absl::StatusOr<Inspection> found = Inspect(*location, OwnTokens());
  if (!found.ok()) return FailToLock(found.status());
  Print(STDOUT_FILENO, StatusText(*found, *location, GetNow()));
  return found->verdict > Verdict::kStale ? options.conflict_exit_code
                                          : kSuccess;
}

int Doctor(const Options& options) {
  const absl::StatusOr<Location> location = LocateLock(options);
  if (!location.ok()) return FailToLocate(location.status());
  const std::vector<Finding> findings = Examine(*location);
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
  return program == "reference-transaction" ? std::string(program) : "";
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
      Print(STDOUT_FILENO, absl::StrCat("o8lock ", kVersion, "\n"));
      return kSuccess;
    case Action::kStatus:
      return Status(*options);
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
