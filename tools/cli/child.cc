// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <initializer_list>

#include "absl/algorithm/container.h"
#include "absl/base/attributes.h"
#include "absl/base/config.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/status.h"
#include "tools/cli/find_command.h"

// ThreadSanitizer turns vfork() into fork(), and the child's errno would stay
// in a copy of the memory. This is the same function by the C library's own
// name.
#ifdef ABSL_HAVE_THREAD_SANITIZER
extern "C" pid_t __vfork();  // NOLINT(bugprone-reserved-identifier)
#define vfork __vfork
#endif

namespace o8lock {
namespace {

constexpr int kLowestInheritedFd = 10;

sigset_t SetOf(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

sigset_t AllSignals() {
  sigset_t set;
  sigfillset(&set);
  return set;
}

// The signals that stop a process unless it minds them.
sigset_t StopSignals() { return SetOf({SIGTSTP, SIGTTIN, SIGTTOU}); }

sigset_t Without(sigset_t set, const sigset_t& signals) {
  for (int signal = 1; signal < NSIG; ++signal) {
    if (sigismember(&signals, signal) == 1) sigdelset(&set, signal);
  }
  return set;
}

bool IsPending(std::initializer_list<int> signals) {
  sigset_t pending;
  sigpending(&pending);
  return absl::c_any_of(
      signals, [&](int signal) { return sigismember(&pending, signal) == 1; });
}

bool IsIgnored(int signal) {
  struct sigaction action;
  return sigaction(signal, nullptr, &action) == 0 &&
         action.sa_handler == SIG_IGN;
}

bool IgnoredByDefault(int signal) {
  return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG ||
         signal == SIGWINCH;
}

bool SentByProcess(const siginfo_t& info, pid_t pid) {
  return info.si_code <= 0 && info.si_pid == pid;
}

// Whether the terminal sent the signal to the process group, and so to the
// command as well. Other signals of the kernel concern this process alone, such
// as SIGALRM of a timer set before it was executed; so does the hang-up when
// this process leads the session.
bool SentToWholeGroup(const siginfo_t& info) {
  if (info.si_code != SI_KERNEL) return false;
  switch (info.si_signo) {
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

// Lets those of `signals` that are pending have their effect on this process.
// Returns if that is to stop it (when it is continued), or nothing.
void LetThrough(const sigset_t& signals) {
  sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
}

// Whether this process is what a shell started as a job of its own and waits
// for on the terminal. Only such a shell must be told that the job stopped.
bool IsForegroundJob() {
  if (getpgrp() != getpid()) return false;
  const int tty = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
  if (tty < 0) return false;
  const bool foreground = tcgetpgrp(tty) == getpgrp();
  close(tty);
  return foreground;
}

// Deals with the signals that came before there was a command: as the command
// would in its first moment, with dispositions that are default or ignored.
// Returns the signal that ends it, or 0.
int TakeEarlySignals(const sigset_t& original_mask) {
  LetThrough(Without(StopSignals(), original_mask));
  // What the caller blocks the command would find pending: it is forwarded. A
  // stop signal that comes only now waits for the command.
  const sigset_t set =
      Without(Without(AllSignals(), original_mask), StopSignals());
  const timespec now = {};
  siginfo_t info;
  for (int signal = sigtimedwait(&set, &info, &now); signal > 0;
       signal = sigtimedwait(&set, &info, &now)) {
    // From itself is SIGPIPE: a message had no reader. The command can run.
    if (!IgnoredByDefault(signal) && !IsIgnored(signal) &&
        !SentByProcess(info, getpid())) {
      return signal;
    }
  }
  return 0;
}

// The errno of what failed in the child, 0 for the rest.
struct SpawnError {
  volatile int duplicate = 0;
  volatile int execute = 0;
};

// Handler of the stop signals between vfork() and execvp().
void Nothing(int /*signal*/) {}

// Starts the command and returns its pid once it is executing; -1 and errno if
// there was no process. If there is a SpawnError the process is about to end.
//
// vfork() because a copy of the page tables would cost more than all the rest.
// The parent sleeps until execvp() or _exit(), so what the child writes is
// there when it wakes. Not inlined, lest the child write over what the caller
// needs.
ABSL_ATTRIBUTE_NOINLINE pid_t Spawn(char* const argv[], int inherit_fd,
                                    const sigset_t& mask, bool ignore_sigchld,
                                    SpawnError& error) {
  int death_signal = 0;
  prctl(PR_GET_PDEATHSIG, &death_signal);
  // NOLINTBEGIN(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
  // POSIX allows the child less than Linux does: to Linux it is a process with
  // its own signals and descriptors, and the parent's memory.
  const pid_t pid = vfork();
  if (pid != 0) return pid;
  // A child that were stopped before execvp() would keep the parent in vfork()
  // and the shell in the dark. A handler is gone with execvp(), and until then
  // makes the signal ineffective.
  for (const int signal : {SIGTSTP, SIGTTIN, SIGTTOU}) {
    struct sigaction action = {};
    struct sigaction original;
    action.sa_handler = Nothing;
    sigaction(signal, &action, &original);
    if (original.sa_handler == SIG_IGN) sigaction(signal, &original, nullptr);
  }
  if (ignore_sigchld) {
    struct sigaction action = {};
    action.sa_handler = SIG_IGN;
    sigaction(SIGCHLD, &action, nullptr);
  }
  // The one thing that execvp() keeps and that no child inherits.
  if (death_signal != 0) prctl(PR_SET_PDEATHSIG, death_signal);
  if (inherit_fd >= 0 && fcntl(inherit_fd, F_DUPFD, kLowestInheritedFd) < 0) {
    error.duplicate = errno;
    _exit(127);
  }
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execvp(argv[0], argv);
  error.execute = errno;
  _exit(127);
  // NOLINTEND(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
}

// waitid(2) for `child`, retried: an interrupted one must not make the command
// look as if it had ended. False if there is no such child.
bool Collect(pid_t child, int options, siginfo_t* event) {
  *event = {};
  while (waitid(P_PID, child, event, options) < 0) {
    if (errno == ECHILD) return false;
  }
  return true;
}

// Stops this process after the command, and returns when it is continued.
// Not by SIGSTOP, which would stop it even where there is nobody to continue
// it: SIGTSTP has no effect in such an orphaned group.
void StopToo(pid_t child) {
  kill(getpid(), SIGTSTP);
  // This discarded a SIGCONT to the group that came just now; from now on
  // SIGCONT discards this. So look again whether the command is stopped.
  siginfo_t event;
  if (!Collect(child, WEXITED | WCONTINUED | WNOHANG | WNOWAIT, &event) ||
      event.si_pid != 0) {
    kill(getpid(), SIGCONT);
  }
  LetThrough(SetOf({SIGTSTP}));
}

// Collects the children that have ended, up to the command `child`: processes
// that have fallen to this one.
void CollectOthers(pid_t child) {
  siginfo_t event = {};
  while (waitid(P_ALL, 0, &event, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         event.si_pid != 0 && event.si_pid != child) {
    Collect(event.si_pid, WEXITED | WNOHANG, &event);
    event = {};
  }
}

// Has the kernel send SIGIO when `fd` becomes readable.
void SendSignalFor(int fd) {
  if (fd < 0) return;
  fcntl(fd, F_SETOWN, getpid());
  fcntl(fd, F_SETSIG, SIGIO);  // with which the descriptor is told
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC);
}

// The time from now to `moment`, both of CLOCK_MONOTONIC, nothing below zero.
timespec TimeUntil(const timespec& moment) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  timespec left = {moment.tv_sec - now.tv_sec, moment.tv_nsec - now.tv_nsec};
  if (left.tv_nsec < 0) {
    --left.tv_sec;
    left.tv_nsec += 1000000000;
  }
  return left.tv_sec < 0 ? timespec{} : left;
}

// Passes signals on to the command until it ends.
class Follower {
 public:
  // `attendant` may be null.
  Follower(pid_t child, Attendant* attendant);
  absl::StatusOr<ChildExit> Follow();

 private:
  // The next signal. False if there is none: look again.
  bool Next(siginfo_t* signal);
  // Does what `signal` asks for. False if nothing else is to be done for it.
  bool Pass(const siginfo_t& signal);
  // The command has stopped: so does this process, if need be.
  void FollowStop();

  const pid_t child_;
  Attendant* const attendant_;
  const sigset_t all_ = AllSignals();
  // Stop signals wait until the command has stopped, or for ever if it minds
  // them. Of them and SIGCONT the kernel keeps the later, so while they wait
  // nothing is done out of order.
  const sigset_t all_but_stop_ = Without(all_, StopSignals());
  bool stopped_ = false;  // the command is
  bool settled_;
  timespec settles_;
  int watched_ = -1;  // the attendant's descriptor
};

Follower::Follower(pid_t child, Attendant* attendant)
    : child_(child), attendant_(attendant), settled_(attendant == nullptr) {
  clock_gettime(CLOCK_MONOTONIC, &settles_);
  settles_.tv_sec += 1;
}

absl::StatusOr<ChildExit> Follower::Follow() {
  for (;;) {
    siginfo_t signal;
    if (!Next(&signal)) continue;
    // Whichever signal it is: SIGCHLD may come later than what follows from it.
    siginfo_t event;
    if (!Collect(child_, WEXITED | WSTOPPED | WCONTINUED | WNOHANG, &event)) {
      return absl::InternalError("the command's exit status is lost");
    }
    const bool stops = event.si_pid != 0 && event.si_code == CLD_STOPPED;
    const bool continues = event.si_pid != 0 && event.si_code == CLD_CONTINUED;
    if (event.si_pid != 0 && !stops && !continues) {
      return ChildExit{/*signaled=*/event.si_code != CLD_EXITED,
                       event.si_status};
    }
    stopped_ = (stopped_ || stops) && !continues;
    if (Pass(signal) && stops) FollowStop();
  }
}

bool Follower::Next(siginfo_t* signal) {
  const sigset_t* wanted = stopped_ ? &all_ : &all_but_stop_;
  // EINTR: was stopped itself.
  if (settled_) return sigwaitinfo(wanted, signal) >= 0;
  const timespec left = TimeUntil(settles_);
  const int got = sigtimedwait(wanted, signal, &left);
  if (got < 0 && errno == EAGAIN) {
    settled_ = true;
    watched_ = attendant_->Settled();
    SendSignalFor(watched_);
    attendant_->Readable();
  }
  return got >= 0;
}

bool Follower::Pass(const siginfo_t& signal) {
  switch (signal.si_signo) {
    case SIGCHLD:
      CollectOthers(child_);
      return true;
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
      if (stopped_) StopToo(child_);
      return false;
    case SIGCONT:
      // After a shell's `fg`, which continues the group, nothing is to do;
      // nor if a stop signal came since.
      if (stopped_ && !IsPending({SIGTSTP, SIGTTIN, SIGTTOU})) {
        kill(child_, SIGCONT);
        return false;
      }
      return true;
    case SIGIO:
      if (signal.si_code > 0 && watched_ >= 0 && signal.si_fd == watched_) {
        attendant_->Readable();
        return false;
      }
      [[fallthrough]];
    default:
      if (!SentToWholeGroup(signal) && !SentByProcess(signal, child_)) {
        kill(child_, signal.si_signo);
      }
      return true;
  }
}

void Follower::FollowStop() {
  // A stop signal that came here too stops the whole job. One to the command
  // alone is followed only where a shell would otherwise wait for ever: who
  // sent it may continue the command alone as well.
  if (IsPending({SIGTSTP, SIGTTIN, SIGTTOU})) {
    LetThrough(StopSignals());
  } else if (!IsPending({SIGCONT}) && IsForegroundJob()) {
    StopToo(child_);
  }
}

}  // namespace

ChildRunner::ChildRunner() {
  const sigset_t all = AllSignals();
  sigprocmask(SIG_SETMASK, &all, &original_mask_);
  // With SIGCHLD ignored the kernel would throw the command's status away.
  struct sigaction by_default = {};
  by_default.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &by_default, &original_sigchld_);
}

ChildRunner::~ChildRunner() {
  sigaction(SIGCHLD, &original_sigchld_, nullptr);
  sigprocmask(SIG_SETMASK, &original_mask_, nullptr);
}

absl::StatusOr<ChildExit> ChildRunner::Run(char* const argv[], int inherit_fd,
                                           Attendant* attendant) {
  if (const int signal = TakeEarlySignals(original_mask_); signal != 0) {
    return ChildExit{/*signaled=*/true, signal};
  }
  if (attendant != nullptr) prctl(PR_SET_CHILD_SUBREAPER, 1);
  SpawnError error;
  const pid_t child = Spawn(argv, inherit_fd, original_mask_,
                            original_sigchld_.sa_handler == SIG_IGN, error);
  if (child < 0) {
    return absl::ResourceExhaustedError(
        ErrnoStatus(errno, "start a process for", argv[0]).message());
  }
  if (error.duplicate != 0 || error.execute != 0) {
    siginfo_t ignored;
    Collect(child, WEXITED, &ignored);
    if (error.execute != 0) return ExecStatus(error.execute, argv[0]);
    return absl::ResourceExhaustedError(
        ErrnoStatus(error.duplicate, "duplicate a descriptor for", argv[0])
            .message());
  }
  if (attendant != nullptr) attendant->Started(child);
  return Follower(child, attendant).Follow();
}

void ExitAs(const ChildExit& exit) {
  if (!exit.signaled) std::exit(exit.code);
  prctl(PR_SET_DUMPABLE, 0);
  std::signal(exit.code, SIG_DFL);
  kill(getpid(), exit.code);
  LetThrough(SetOf({exit.code}));
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
