// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "lock/file.h"
#include "lock/process.h"
#include "lock/status.h"
#include "tools/cli/events.h"
#include "tools/cli/find_command.h"
#include "tools/cli/signals.h"
#include "tools/cli/spawn.h"

namespace o8lock {
namespace {

// How often to poll when the kernel sends no notification.
constexpr int kPollIntervalMs = 100;

bool IgnoredByDefault(int signal) {
  return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG ||
         signal == SIGWINCH;
}

bool SentByProcess(const signalfd_siginfo& signal, pid_t pid) {
  return signal.ssi_code <= 0 && static_cast<pid_t>(signal.ssi_pid) == pid;
}

// Returns whether the terminal sent the signal to the whole process group, and
// so to the command. Other signals from the kernel concern this process alone,
// such as SIGALRM of a timer set before exec. This also holds for the hang-up
// if this process leads the session.
bool SentToWholeGroup(const signalfd_siginfo& signal) {
  if (signal.ssi_code != SI_KERNEL) return false;
  switch (signal.ssi_signo) {
    case SIGINT:
    case SIGQUIT:
    case SIGWINCH:
      return true;
    case SIGHUP:
      return getsid(0) != getpid();
    default:
      return false;
  }
}

// Returns whether a shell started this process as a job of its own and waits
// for it on the terminal. Only such a shell must see the job stop.
bool IsForegroundJob() {
  if (getpgrp() != getpid()) return false;
  const Fd tty(open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC));
  return tty.ok() && tcgetpgrp(tty.get()) == getpgrp();
}

// Handles the signals that arrived before the command existed, as the command
// would in its first moment, with default or ignored dispositions. Returns the
// signal that ends it, or 0.
int TakeEarlySignals(SignalSet original_mask, Events& events) {
  if (PendingSignals() == 0) return 0;
  LetThrough(kStopSignals & ~original_mask);
  // If the caller blocks a signal, the command must find it pending, so it is
  // forwarded. A stop signal that arrives now waits for the command.
  const SignalSet wanted = kAllSignals & ~original_mask & ~kStopSignals;
  while (const std::optional<signalfd_siginfo> signal =
             events.Next(wanted, {}, NowTicks())) {
    const int number = static_cast<int>(signal->ssi_signo);
    if (!IgnoredByDefault(number) && !IsIgnored(number)) return number;
  }
  return 0;
}

// Stops this process after the command, and returns when it is continued. Does
// not use SIGSTOP, because that would stop it in an orphaned process group,
// without a shell to continue it. SIGTSTP has no effect there.
void StopToo(pid_t child) {
  kill(getpid(), SIGTSTP);
  // The SIGTSTP discarded a SIGCONT sent to the group just before. From now on
  // SIGCONT discards the SIGTSTP. So check again whether the command is
  // stopped.
  siginfo_t event = {};
  if (waitid(P_PID, static_cast<id_t>(child), &event,
             WEXITED | WCONTINUED | WNOHANG | WNOWAIT) != 0 ||
      event.si_pid != 0) {
    kill(getpid(), SIGCONT);
  }
  LetThrough(Only(SIGTSTP));
}

// Converts the status from waitpid(2) of a command that has ended.
ChildExit ExitOf(int status) {
  if (WIFEXITED(status)) {
    return {/*signaled=*/false, WEXITSTATUS(status)};
  }
  return {/*signaled=*/true, WTERMSIG(status), WCOREDUMP(status) != 0};
}

// Waits for the end of `child` without reaping it.
void AwaitEnd(pid_t child) {
  const Fd process = OpenProcess(child);
  struct pollfd ended = {process.get(), POLLIN, 0};
  while (poll(&ended, 1, kPollIntervalMs) <= 0 &&
         !HasEnded(GetProcess(child))) {
  }
}

// Passes signals on to the command until it ends.
class Follower {
 public:
  // `observer` may be null.
  Follower(pid_t child, Events& events, RunObserver* observer)
      : child_(child),
        events_(events),
        observer_(observer),
        // A watch takes up to 20 milliseconds to close (lock/watch.h). A
        // shorter run does not use one.
        watch_from_(observer == nullptr ? -1 : NowTicks() + kTicksPerSecond) {}

  // Errors: kInternal, as Run's.
  absl::StatusOr<ChildExit> Follow();

 private:
  // Reaps the children's state changes. Returns how the command ended, if it
  // did.
  absl::StatusOr<std::optional<ChildExit>> Collect();
  // Handles `signal`. Returns false if that needs no further action.
  bool Pass(const signalfd_siginfo& signal);
  // Lets the observer work.
  void Attend();
  // The command has stopped. Stops this process too, if necessary.
  void FollowStop();

  const pid_t child_;
  Events& events_;
  RunObserver* const observer_;
  bool stopped_ = false;  // the command is
  bool stops_ = false;    // the last Collect() found that it had stopped
  Ticks watch_from_;      // when to start watching; -1: it has started
  int watched_ = -1;      // the observer's descriptor
};

absl::StatusOr<ChildExit> Follower::Follow() {
  while (true) {
    // Stop signals stay pending until the command has stopped, indefinitely if
    // it handles them. Between them and SIGCONT the kernel keeps only the later
    // one, so the order is preserved while they wait.
    const std::optional<signalfd_siginfo> signal =
        events_.Next(stopped_ ? kAllSignals : kAllSignals & ~kStopSignals,
                     {watched_}, watch_from_);
    // For every signal: SIGCHLD may arrive after its consequences.
    O8LOCK_ASSIGN_OR_RETURN(const std::optional<ChildExit> exit, Collect());
    if (exit.has_value()) return *exit;
    if (!signal.has_value()) {
      Attend();
    } else if (Pass(*signal) && stops_) {
      FollowStop();
    }
  }
}

absl::StatusOr<std::optional<ChildExit>> Follower::Collect() {
  constexpr int kEverything = WUNTRACED | WCONTINUED | WNOHANG;
  stops_ = false;
  int status = 0;
  while (true) {
    const pid_t found = waitpid(-1, &status, kEverything);
    if (found == 0) return std::nullopt;
    if (found < 0) break;
    if (found != child_) continue;  // a process reparented to this one
    if (WIFEXITED(status) || WIFSIGNALED(status)) return ExitOf(status);
    stops_ = stopped_ = WIFSTOPPED(status);
  }
  // waitpid failed. The command owns the lock as long as it lives.
  AwaitEnd(child_);
  if (waitpid(child_, &status, 0) == child_) return ExitOf(status);
  return absl::InternalError(
      absl::ErrnoToStatus(errno, absl::StrCat("cannot wait for PID ", child_))
          .message());
}

bool Follower::Pass(const signalfd_siginfo& signal) {
  switch (signal.ssi_signo) {
    case SIGCHLD:
      return true;
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
      if (stopped_) StopToo(child_);
      return false;
    case SIGCONT:
      // After a shell's `fg`, which continues the group, there is nothing to
      // do. The same holds if a stop signal has arrived since.
      if (stopped_ && (PendingSignals() & kStopSignals) == 0) {
        kill(child_, SIGCONT);
        return false;
      }
      return true;
    default:
      // A signal from this process itself is SIGPIPE or SIGXFSZ of a write.
      if (!SentToWholeGroup(signal) && !SentByProcess(signal, child_) &&
          !SentByProcess(signal, getpid())) {
        kill(child_, static_cast<int>(signal.ssi_signo));
      }
      return true;
  }
}

void Follower::Attend() {
  if (observer_ == nullptr) return;
  if (watch_from_ >= 0) {
    if (NowTicks() < watch_from_) return;
    watch_from_ = -1;
    watched_ = observer_->StartWatching();
  }
  observer_->OnReadable();
}

void Follower::FollowStop() {
  // A stop signal that arrived here too stops the whole job. For a signal to
  // the command alone, this process stops only if a shell would otherwise wait
  // indefinitely. The sender may continue the command alone as well.
  const SignalSet pending = PendingSignals();
  if ((pending & kStopSignals) != 0) {
    LetThrough(kStopSignals);
  } else if ((pending & Only(SIGCONT)) == 0 && IsForegroundJob()) {
    StopToo(child_);
  }
}

// Handler for the first process of a pid namespace: signals without a handler
// do not end it.
void EndByCode(int signal) { _exit(128 + signal); }

constexpr int kEndingSignals[] = {SIGHUP,  SIGINT,  SIGQUIT,
                                  SIGTERM, SIGUSR1, SIGUSR2};

void SetDispositionOfEnding(void (*from)(int), void (*to)(int)) {
  if (getpid() != 1) return;
  for (const int signal : kEndingSignals) {
    struct sigaction action;
    if (sigaction(signal, nullptr, &action) != 0 || action.sa_handler != from) {
      continue;
    }
    action.sa_handler = to;
    sigaction(signal, &action, nullptr);
  }
}

}  // namespace

ChildRunner::ChildRunner() : original_mask_(SetSignalMask(kAllSignals)) {
  for (const int signal : kOwnDispositions) {
    // If SIGCHLD were ignored, the kernel would discard the command's exit
    // status.
    const auto handler =
        std::signal(signal, signal == SIGCHLD ? SIG_DFL : SIG_IGN);
    if (handler == SIG_IGN) originally_ignored_ |= Only(signal);
  }
}

ChildRunner::~ChildRunner() {
  SetSignalMask(original_mask_);
  for (const int signal : kOwnDispositions) {
    std::signal(signal,
                (originally_ignored_ & Only(signal)) != 0 ? SIG_IGN : SIG_DFL);
  }
}

ChildRunner::Interruptible::Interruptible(const ChildRunner& runner) {
  SetDispositionOfEnding(SIG_DFL, EndByCode);
  SetSignalMask(runner.original_mask_);
}

ChildRunner::Interruptible::~Interruptible() {
  SetSignalMask(kAllSignals);
  SetDispositionOfEnding(EndByCode, SIG_DFL);
}

absl::StatusOr<ChildExit> ChildRunner::Run(char* const argv[], int inherit_fd,
                                           RunObserver* observer) {
  O8LOCK_RETURN_IF_ERROR(events_.Open());
  if (const int signal = TakeEarlySignals(original_mask_, events_);
      signal != 0) {
    return ChildExit{/*signaled=*/true, signal};
  }
  if (observer != nullptr) prctl(PR_SET_CHILD_SUBREAPER, 1);
  int exec_error = 0;
  const pid_t child = Spawn(
      argv, {original_mask_, originally_ignored_, inherit_fd}, &exec_error);
  if (child < 0) {
    return absl::ResourceExhaustedError(
        ErrnoStatus(errno, "start a process for", argv[0]).message());
  }
  if (exec_error != 0) {
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return ExecStatus(exec_error, argv[0]);
  }
  if (observer != nullptr) observer->Started(child);
  return Follower(child, events_, observer).Follow();
}

void ExitAs(const ChildExit& exit) {
  if (!exit.signaled) std::exit(exit.code);
  prctl(PR_SET_DUMPABLE, 0);
  std::signal(exit.code, SIG_DFL);
  kill(getpid(), exit.code);
  LetThrough(Only(exit.code));
  _exit(128 + exit.code);
}

absl::Status EnsureStandardDescriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    // open() returns the lowest free number, so `fd`. Not /dev/null: it may not
    // exist, and it would silently swallow the output.
    if (open("/", O_PATH | O_CLOEXEC) < 0) {
      return ErrnoStatus(errno, "open", "/");
    }
  }
  return absl::OkStatus();
}

}  // namespace o8lock
