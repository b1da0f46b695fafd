// SPDX-License-Identifier: Apache-2.0
#include "lock/wait.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "lock/file.h"
#include "lock/guard.h"
#include "lock/holder.h"
#include "lock/inspection.h"
#include "lock/judge.h"
#include "lock/kernel_lock.h"
#include "lock/location.h"
#include "lock/process.h"
#include "lock/status.h"
#include "lock/watch.h"

namespace o8lock {
namespace {

constexpr Ticks kSecond = kTicksPerSecond;
constexpr int kInterruptAgainMs = 10;

absl::Status StillHeld(const Inspection& found) {
  return absl::DeadlineExceededError(
      absl::StrCat("'", found.file, "' is still locked"));
}

// Milliseconds until `moment`, for poll(2).
int Until(Ticks moment) {
  const Ticks left = std::max<Ticks>(moment - NowTicks(), 0);
  return static_cast<int>(left * 1000 / kTicksPerSecond);
}

// Tells of those who have the lock.
class Reporter {
 public:
  Reporter(const Inspection& first, const WaitOptions& options)
      : last_(first), options_(options) {}

  void Report(const Inspection& now) {
    const bool changed = !SameRun(now, last_);
    last_ = now;
    if (options_.report && (changed || options_.every_second)) {
      options_.report(now);
    }
  }

 private:
  Inspection last_;
  const WaitOptions& options_;
};

// How a wait ends that the lock itself does not end.
enum class Reason { kNone, kTimeIsOver, kTryAgain };

// Looks once a second, until `wake` is readable, whether it is worthwhile to
// wait for the lock of `fd`, the guard `guard`: nobody tells who is blocked on
// it that the guard was replaced, or that its holder was killed and only what
// that left behind has it. All else the kernel tells.
Reason LookOut(const Fd& fd, const std::string& guard, const Fd& wake,
               Reporter reporter, const WaitOptions& options) {
  Ticks next = NowTicks() + kSecond;
  while (true) {
    const bool ends = options.give_up >= 0 && options.give_up <= next;
    struct pollfd woken = {wake.get(), POLLIN, 0};
    const int ready = poll(&woken, 1, Until(ends ? options.give_up : next));
    if (ready > 0) return Reason::kNone;
    if (ready < 0) continue;
    if (ends && NowTicks() >= options.give_up) return Reason::kTimeIsOver;
    if (NowTicks() < next) continue;
    // Not that many times as it has been stopped for seconds.
    next = NowTicks() + kSecond;
    const absl::StatusOr<bool> named = IsStillNamed(fd, guard);
    if (!named.ok() || !*named) return Reason::kTryAgain;
    const std::optional<Holder> record = ReadRecord(fd, guard);
    if (!record.has_value()) continue;  // being written
    const Inspection found = JudgeRecord(guard, record, /*kernel_locked=*/true);
    if (found.verdict == Verdict::kStale) {
      // Unless another run has joined the dead one.
      const absl::StatusOr<bool> joined = IsLocked(fd, Range::kJoined, guard);
      if (!joined.ok() || !*joined) return Reason::kTryAgain;
    }
    reporter.Report(found);
  }
}

void Nothing(int /*signal*/) {}

// Makes SIGURG, which nothing happens upon else, interrupt this thread's system
// calls.
class Interruptible {
 public:
  Interruptible() {
    struct sigaction action = {};
    action.sa_handler = Nothing;
    sigaction(SIGURG, &action, &original_action_);
    // The thread that is started now has every signal blocked: the others are
    // for this one.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &original_mask_);
  }
  void Unblock() const {
    sigset_t mask = original_mask_;
    sigdelset(&mask, SIGURG);
    pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  }
  ~Interruptible() {
    sigaction(SIGURG, &original_action_, nullptr);
    pthread_sigmask(SIG_SETMASK, &original_mask_, nullptr);
  }
  // A copy would put the disposition back twice, the second time wrongly.
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  struct sigaction original_action_;
  sigset_t original_mask_;
};

// LookOut in a thread of its own, beside one that waits for the lock of `fd`:
// interrupts that when there is a reason.
class LookoutThread {
 public:
  LookoutThread(const Fd& fd, const std::string& guard, Reporter reporter,
                const WaitOptions& options)
      : fd_(fd),
        guard_(guard),
        reporter_(std::move(reporter)),
        options_(options) {}

  absl::Status Start() {
    wake_ = Fd(eventfd(0, EFD_CLOEXEC));
    if (!wake_.ok()) return absl::ErrnoToStatus(errno, "make an event");
    waiter_ = pthread_self();
    const int error = pthread_create(
        &thread_, nullptr,
        [](void* self) -> void* {
          static_cast<LookoutThread*>(self)->Work();
          return nullptr;
        },
        this);
    if (error != 0) return absl::ErrnoToStatus(error, "start a thread");
    return absl::OkStatus();
  }
  Reason reason() const { return reason_; }
  // REQUIRES: it was started.
  void Join() {
    const uint64_t one = 1;
    // Cannot fail: the counter has room.
    static_cast<void>(!write(wake_.get(), &one, sizeof(one)));
    pthread_join(thread_, nullptr);
  }

 private:
  void Work() {
    reason_ = LookOut(fd_, guard_, wake_, reporter_, options_);
    if (reason_ == Reason::kNone) return;
    // More than once: the first may come before the wait has begun.
    struct pollfd woken = {wake_.get(), POLLIN, 0};
    do {
      pthread_kill(waiter_, SIGURG);
    } while (poll(&woken, 1, kInterruptAgainMs) == 0);
  }

  const Fd& fd_;
  const std::string& guard_;
  Reporter reporter_;
  const WaitOptions& options_;
  Fd wake_;
  pthread_t waiter_ = {};
  pthread_t thread_ = {};
  std::atomic<Reason> reason_ = Reason::kNone;
};

// For the kernel lock. This thread is the one that blocks: nothing stands
// between its wake-up and the command.
absl::StatusOr<Fd> WaitForGuard(const Location& location,
                                const Inspection& found,
                                const WaitOptions& options) {
  const std::string& guard = location.guard;
  O8LOCK_ASSIGN_OR_RETURN(Fd fd, OpenGuard(location));
  const Interruptible interruptible;
  LookoutThread lookout(fd, guard, Reporter(found, options), options);
  O8LOCK_RETURN_IF_ERROR(lookout.Start());
  interruptible.Unblock();
  absl::Status locked;
  do {
    locked = WaitForLock(fd, Range::kAll, guard);
  } while (absl::IsCancelled(locked) && lookout.reason() == Reason::kNone);
  lookout.Join();
  if (absl::IsCancelled(locked)) {
    if (lookout.reason() == Reason::kTimeIsOver) return StillHeld(found);
    return Fd();
  }
  if (!locked.ok()) return locked;
  O8LOCK_ASSIGN_OR_RETURN(const bool named, IsStillNamed(fd, guard));
  return named ? std::move(fd) : Fd();
}

// For a run outside o8lock, of which there is a lock file and a process.
absl::StatusOr<Fd> WaitForOutsider(const Inspection& found,
                                   const WaitOptions& options) {
  absl::StatusOr<Watch> watch = Watch::Create();
  if (watch.ok()) {
    watch->Add(found.file.substr(0, found.file.rfind('/')), Watch::kWritten);
  }
  Fd process = OpenProcess(found.holder->pid);
  Reporter reporter(found, options);
  Ticks next = NowTicks() + kSecond;
  while (true) {
    O8LOCK_ASSIGN_OR_RETURN(const LockFile file,
                            JudgeLockFile(found.file, std::nullopt));
    if (file.inspection.verdict != Verdict::kHeld ||
        !SameRun(file.inspection, found)) {
      return Fd();
    }
    if (NowTicks() >= next) {
      reporter.Report(file.inspection);
      next = NowTicks() + kSecond;
    }
    if (options.give_up >= 0 && NowTicks() >= options.give_up) {
      return StillHeld(found);
    }
    // Once a second also without an event: not every file system tells, and the
    // user may have no watch left.
    struct pollfd events[] = {{watch.ok() ? watch->fd() : -1, POLLIN, 0},
                              {process.get(), POLLIN, 0}};
    poll(events, 2,
         Until(options.give_up >= 0 ? std::min(options.give_up, next) : next));
    if (watch.ok()) watch->Drain();
    if (events[1].revents != 0) process.Close();  // it stays readable
  }
}

}  // namespace

absl::StatusOr<Fd> WaitFor(const Location& location, const Inspection& found,
                           const WaitOptions& options) {
  if (found.kernel_locked) return WaitForGuard(location, found, options);
  return WaitForOutsider(found, options);
}

}  // namespace o8lock
