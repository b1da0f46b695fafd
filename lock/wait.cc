// SPDX-License-Identifier: Apache-2.0
#include "lock/wait.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "lock/file.h"
#include "lock/guard.h"
#include "lock/holder.h"
#include "lock/kernel_lock.h"
#include "lock/location.h"
#include "lock/lock_file_status.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/record_status.h"
#include "lock/status.h"
#include "lock/waiters.h"
#include "lock/watch.h"

namespace o8lock {
namespace {

constexpr Ticks kSecond = kTicksPerSecond;
constexpr absl::Duration kInterruptAgain = absl::Milliseconds(10);

absl::Status StillHeld(const LockStatus& found) {
  return absl::DeadlineExceededError(
      absl::StrCat("'", found.file, "' is still locked"));
}

Ticks SinceOf(const WaitOptions& options) {
  return options.since < 0 ? NowTicks() : options.since;
}

// Reports the runs with the lock.
class Reporter {
 public:
  Reporter(const LockStatus& first, const WaitOptions& options)
      : last_(first), options_(options) {}

  void Report(const LockStatus& now) {
    const bool changed = !SameRun(now, last_);
    last_ = now;
    if (options_.report && (changed || options_.every_second)) {
      options_.report(now);
    }
  }

 private:
  LockStatus last_;
  const WaitOptions& options_;
};

// Why a wait ends without the lock.
enum class Reason { kNone, kTimeIsOver, kTryAgain };

void Nothing(int /*signal*/) {}

// Makes SIGURG interrupt this thread's system calls. Otherwise this signal has
// no effect.
class Interruptible {
 public:
  Interruptible() {
    struct sigaction action = {};
    action.sa_handler = Nothing;
    sigaction(SIGURG, &action, &original_action_);
    // The thread started next has every signal blocked: this thread handles the
    // others.
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
  // A copy would restore the disposition twice, the second time wrongly.
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  struct sigaction original_action_;
  sigset_t original_mask_;
};

// Checks once a second, in a thread of its own, whether waiting for the lock of
// `fd`, the guard `guard`, is still useful. The kernel does not tell a blocked
// process that the guard was replaced, or that the holder was killed and only
// its surviving processes have the lock. All other changes end the wait by
// themselves. Interrupts the waiting thread when there is a reason.
class WaitMonitor {
 public:
  // REQUIRES: all arguments live until End().
  WaitMonitor(const Fd& fd, const std::string& guard, Reporter reporter,
              const WaitOptions& options)
      : fd_(fd),
        guard_(guard),
        reporter_(std::move(reporter)),
        options_(options),
        waiter_(pthread_self()) {}

  // The new thread keeps `monitor` until the thread ends.
  static absl::Status Start(const std::shared_ptr<WaitMonitor>& monitor) {
    auto own = std::make_unique<std::shared_ptr<WaitMonitor>>(monitor);
    pthread_t thread;
    const int error = pthread_create(
        &thread, nullptr,
        [](void* data) -> void* {
          const std::unique_ptr<std::shared_ptr<WaitMonitor>> own(
              static_cast<std::shared_ptr<WaitMonitor>*>(data));
          (*own)->Work();
          return nullptr;
        },
        own.get());
    if (error != 0) return absl::ErrnoToStatus(error, "cannot start a thread");
    static_cast<void>(own.release());
    pthread_detach(thread);
    return absl::OkStatus();
  }

  Reason reason() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return reason_;
  }

  // Stops the thread's checks and reports. Does not wait for the thread or wake
  // it: both would delay the command after the lock.
  void End() {
    const std::lock_guard<std::mutex> lock(mutex_);
    over_ = true;
  }

 private:
  void Work() {
    Ticks next = NowTicks() + kSecond;
    std::unique_lock<std::mutex> lock(mutex_);
    while (!over_) {
      absl::Duration pause = kInterruptAgain;
      if (reason_ == Reason::kNone) {
        const bool ends = options_.give_up >= 0 && options_.give_up <= next;
        pause = absl::Milliseconds(
            MillisecondsUntil(ends ? options_.give_up : next));
      }
      lock.unlock();
      absl::SleepFor(pause);
      lock.lock();
      if (over_) return;
      if (reason_ == Reason::kNone) reason_ = CheckLock(next);
      // More than once: the first signal may come before the wait has begun.
      if (reason_ != Reason::kNone) pthread_kill(waiter_, SIGURG);
    }
  }

  // The time of the last write to the guard if the lock is free; otherwise 0.
  // Each run writes its record.
  int64_t FreeSince() const {
    struct stat info;
    if (IsTaken(fd_, guard_).value_or(true) || fstat(fd_.get(), &info) != 0) {
      return 0;
    }
    return Nanoseconds(info.st_mtim);
  }

  Reason CheckLock(Ticks& next) {
    if (options_.give_up >= 0 && NowTicks() >= options_.give_up) {
      return Reason::kTimeIsOver;
    }
    if (NowTicks() < next) return Reason::kNone;
    // Not `next` += kSecond: if the process was stopped for seconds, this would
    // run once for each of them.
    next = NowTicks() + kSecond;
    const absl::StatusOr<bool> named = IsStillNamed(fd_, guard_);
    if (!named.ok() || !*named) return Reason::kTryAgain;
    // Free for a second: the waiter that has the turn is stopped.
    const int64_t free_since = FreeSince();
    if (free_since > 0 && free_since == free_since_) return Reason::kTryAgain;
    free_since_ = free_since;
    const std::optional<Holder> record = ReadRecord(fd_, guard_);
    if (!record.has_value()) return Reason::kNone;  // being written
    const LockStatus found = DetermineRecordStatus(
        {fd_, guard_, record}, /*kernel_locked=*/true, /*may_mark=*/false);
    if (found.state == LockState::kStale) return Reason::kTryAgain;
    reporter_.Report(found);
    return Reason::kNone;
  }

  const Fd& fd_;
  const std::string& guard_;
  Reporter reporter_;
  const WaitOptions& options_;
  const pthread_t waiter_;
  std::mutex mutex_;
  int64_t free_since_ = 0;         // at the last check
  bool over_ = false;              // guarded by mutex_
  Reason reason_ = Reason::kNone;  // guarded by mutex_
};

// Waits for the kernel lock. This thread blocks itself, so there is no delay
// between its wake-up and the command. The waiters queue for kTurn, and only
// the first of them waits for kAll: each time a part of kAll is released, the
// kernel wakes those waiting for it, and their order is lost.
absl::StatusOr<Fd> WaitForGuard(const Location& location,
                                const LockStatus& found,
                                const WaitOptions& options) {
  const std::string& guard = location.guard;
  O8LOCK_ASSIGN_OR_RETURN(Fd fd, OpenGuard(location));
  StartWaiting(fd, SinceOf(options), guard);
  const Interruptible interruptible;
  const auto monitor = std::make_shared<WaitMonitor>(
      fd, guard, Reporter(found, options), options);
  O8LOCK_RETURN_IF_ERROR(WaitMonitor::Start(monitor));
  interruptible.Unblock();
  absl::Status locked;
  for (const Range range : {Range::kTurn, Range::kAll}) {
    do {
      locked = WaitForLock(fd, range, guard);
    } while (absl::IsCancelled(locked) && monitor->reason() == Reason::kNone);
    if (!locked.ok()) break;
  }
  monitor->End();
  if (absl::IsCancelled(locked)) {
    if (monitor->reason() == Reason::kTimeIsOver) return StillHeld(found);
    return Fd();
  }
  if (!locked.ok()) return locked;
  StopWaiting(fd, guard);
  return fd;
}

// The present state of `found`, a run without a visible kernel lock: from a
// lock file or from a record in the guard.
absl::StatusOr<LockStatus> InspectAgain(const LockStatus& found) {
  if (found.is_external) {
    O8LOCK_ASSIGN_OR_RETURN(LockFile file,
                            DetermineLockFileStatus(found.file, std::nullopt));
    return std::move(file.lock_status);
  }
  O8LOCK_ASSIGN_OR_RETURN(const Fd guard, OpenRegular(found.file, O_RDONLY));
  O8LOCK_ASSIGN_OR_RETURN(const bool taken, IsTaken(guard, found.file));
  return DetermineGuardStatus(guard, found.file, taken);
}

// Waits for a run with a file and processes, but without a kernel lock.
absl::StatusOr<Fd> WaitForProcesses(const Location& location,
                                    const LockStatus& found,
                                    const WaitOptions& options) {
  // Makes this process visible as a waiter.
  const absl::StatusOr<Fd> guard = OpenGuard(location);
  if (guard.ok()) StartWaiting(*guard, SinceOf(options), location.guard);
  absl::StatusOr<Watch> watch = Watch::Create();
  if (watch.ok()) {
    watch->Add(ParentOf(found.file), Watch::Report::kWrites);
  }
  std::vector<Fd> processes;
  processes.push_back(OpenProcess(found.holder->pid));
  if (found.holder->command_pid > 0) {
    processes.push_back(OpenProcess(found.holder->command_pid));
  }
  for (const SurvivingProcess& process : found.holder->surviving) {
    processes.push_back(OpenProcess(process.pid));
  }
  Reporter reporter(found, options);
  Ticks next = NowTicks() + kSecond;
  while (true) {
    const absl::StatusOr<LockStatus> now = InspectAgain(found);
    if (absl::IsNotFound(now.status())) return Fd();
    if (!now.ok()) return now.status();
    if (now->state != LockState::kHeld || now->kernel_locked ||
        !SameRun(*now, found)) {
      return Fd();
    }
    if (NowTicks() >= next) {
      reporter.Report(*now);
      next = NowTicks() + kSecond;
    }
    if (options.give_up >= 0 && NowTicks() >= options.give_up) {
      return StillHeld(found);
    }
    // Once a second even without an event: some file systems send none, and the
    // user may have no watch left.
    std::vector<struct pollfd> events = {
        {watch.ok() ? watch->fd() : -1, POLLIN, 0}};
    for (const Fd& process : processes) {
      events.push_back({process.get(), POLLIN, 0});
    }
    poll(events.data(), events.size(),
         MillisecondsUntil(
             options.give_up >= 0 ? std::min(options.give_up, next) : next));
    if (watch.ok()) watch->Drain();
    // A descriptor of an ended process stays readable.
    for (size_t i = 0; i < processes.size(); ++i) {
      if (events[i + 1].revents != 0) processes[i].Close();
    }
  }
}

}  // namespace

absl::StatusOr<Fd> WaitFor(const Location& location, const LockStatus& found,
                           const WaitOptions& options) {
  if (found.kernel_locked) return WaitForGuard(location, found, options);
  return WaitForProcesses(location, found, options);
}

}  // namespace o8lock
