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

// How often to look where the kernel does not tell.
constexpr int kLookAgainMs = 100;

bool IgnoredByDefault(int signal) {
  return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG ||
         signal == SIGWINCH;
}

bool SentByProcess(const signalfd_siginfo& signal, pid_t pid) {
  return signal.ssi_code <= 0 && static_cast<pid_t>(signal.ssi_pid) == pid;
}

// Whether the terminal sent the signal to the process group, and so to the
// command as well. Other signals of the kernel concern this process alone, such
// as SIGALRM of a timer set before it was executed; so does the hang-up when
// this process leads the session.
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

// Whether this process is what a shell started as a job of its own and waits
// for on the terminal. Only such a shell must be told that the job stopped.
bool IsForegroundJob() {
  if (getpgrp() != getpid()) return false;
  const Fd tty(open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC));
  return tty.ok() && tcgetpgrp(tty.get()) == getpgrp();
}

// Deals with the signals that came before there was a command: as the command
// would in its first moment, with dispositions that are default or ignored.
// Returns the signal that ends it, or 0.
int TakeEarlySignals(SignalSet original_mask, Events& events) {
  LetThrough(kStopSignals & ~original_mask);
  // What the caller blocks the command would find pending: it is forwarded. A
  // stop signal that comes only now waits for the command.
  const SignalSet wanted = kAllSignals & ~original_mask & ~kStopSignals;
  while (const std::optional<signalfd_siginfo> signal =
             events.Next(wanted, {}, NowTicks())) {
    const int number = static_cast<int>(signal->ssi_signo);
    if (!IgnoredByDefault(number) && !IsIgnored(number)) return number;
  }
  return 0;
}

// Stops this process after the command, and returns when it is continued.
// Not by SIGSTOP, which would stop it even where there is nobody to continue
// it: SIGTSTP has no effect in such an orphaned group.
void StopToo(pid_t child) {
  kill(getpid(), SIGTSTP);
  // This discarded a SIGCONT to the group that came just now; from now on
  // SIGCONT discards this. So look again whether the command is stopped.
  siginfo_t event = {};
  if (waitid(P_PID, static_cast<id_t>(child), &event,
             WEXITED | WCONTINUED | WNOHANG | WNOWAIT) != 0 ||
      event.si_pid != 0) {
    kill(getpid(), SIGCONT);
  }
  LetThrough(Only(SIGTSTP));
}

// Of a command that has ended, by what waitpid(2) says.
ChildExit ExitOf(int status) {
  if (WIFEXITED(status)) {
    return {/*signaled=*/false, WEXITSTATUS(status)};
  }
  return {/*signaled=*/true, WTERMSIG(status), WCOREDUMP(status) != 0};
}

// Waits for the end of `child` without collecting it.
void AwaitEnd(pid_t child) {
  const Fd process = OpenProcess(child);
  struct pollfd ended = {process.get(), POLLIN, 0};
  while (poll(&ended, 1, kLookAgainMs) <= 0 && !HasEnded(GetProcess(child))) {
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
        // A watch takes up to 20 milliseconds to give up (lock/watch.h). A
        // shorter run does without one.
        settles_(observer == nullptr ? -1 : NowTicks() + kTicksPerSecond) {}

  // Errors: kInternal, as Run's.
  absl::StatusOr<ChildExit> Follow();

 private:
  // Takes what the kernel has to tell of the children. The command's end, if
  // that is among it.
  absl::StatusOr<std::optional<ChildExit>> Collect();
  // Does what `signal` asks for. False if nothing else is to be done for it.
  bool Pass(const signalfd_siginfo& signal);
  // Has the observer do its part.
  void Attend();
  // The command has stopped: so does this process, if need be.
  void FollowStop();

  const pid_t child_;
  Events& events_;
  RunObserver* const observer_;
  bool stopped_ = false;  // the command is
  bool stops_ = false;    // the last Collect() found that it had stopped
  Ticks settles_;         // when the run does; -1: it has
  int watched_ = -1;      // the observer's descriptor
};

absl::StatusOr<ChildExit> Follower::Follow() {
  while (true) {
    // Stop signals wait until the command has stopped, or for ever if it minds
    // them. Of them and SIGCONT the kernel keeps the later, so while they wait
    // nothing is done out of order.
    const std::optional<signalfd_siginfo> signal =
        events_.Next(stopped_ ? kAllSignals : kAllSignals & ~kStopSignals,
                     {watched_}, settles_);
    // Whichever signal it is: SIGCHLD may come later than what follows from it.
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
    if (found != child_) continue;  // a process that has fallen to this one
    if (WIFEXITED(status) || WIFSIGNALED(status)) return ExitOf(status);
    stops_ = stopped_ = WIFSTOPPED(status);
  }
  // The kernel refuses. The lock is the command's as long as that lives.
  AwaitEnd(child_);
  if (waitpid(child_, &status, 0) == child_) return ExitOf(status);
  return absl::InternalError(
      absl::ErrnoToStatus(errno, absl::StrCat("wait for PID ", child_))
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
      // After a shell's `fg`, which continues the group, nothing is to do;
      // nor if a stop signal came since.
      if (stopped_ && (PendingSignals() & kStopSignals) == 0) {
        kill(child_, SIGCONT);
        return false;
      }
      return true;
    default:
      // What this process sent itself is SIGPIPE or SIGXFSZ of a write.
      if (!SentToWholeGroup(signal) && !SentByProcess(signal, child_) &&
          !SentByProcess(signal, getpid())) {
        kill(child_, static_cast<int>(signal.ssi_signo));
      }
      return true;
  }
}

void Follower::Attend() {
  if (observer_ == nullptr) return;
  if (settles_ >= 0) {
    if (NowTicks() < settles_) return;
    settles_ = -1;
    watched_ = observer_->StartWatching();
  }
  observer_->OnReadable();
}

void Follower::FollowStop() {
  // A stop signal that came here too stops the whole job. One to the command
  // alone is followed only where a shell would otherwise wait for ever: who
  // sent it may continue the command alone as well.
  const SignalSet pending = PendingSignals();
  if ((pending & kStopSignals) != 0) {
    LetThrough(kStopSignals);
  } else if ((pending & Only(SIGCONT)) == 0 && IsForegroundJob()) {
    StopToo(child_);
  }
}

// Of a signal, in the first process of a pid namespace, which signals that have
// no handler do not end.
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
    // With SIGCHLD ignored the kernel would throw the command's status away.
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
    // The lowest number that is free, so `fd`. Not /dev/null, which need not be
    // there, and which would swallow in silence what is printed.
    if (open("/", O_PATH | O_CLOEXEC) < 0) {
      return ErrnoStatus(errno, "open", "/");
    }
  }
  return absl::OkStatus();
}

}  // namespace o8lock
