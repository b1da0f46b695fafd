// SPDX-License-Identifier: Apache-2.0
#include "lock/lock.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "lock/arming.h"
#include "lock/file.h"
#include "lock/guard.h"
#include "lock/holder.h"
#include "lock/inspection.h"
#include "lock/judge.h"
#include "lock/kernel_lock.h"
#include "lock/location.h"
#include "lock/process.h"
#include "lock/status.h"
#include "lock/version.h"

namespace o8lock {
namespace {

constexpr absl::string_view kInspectionUrl =
    "type.googleapis.com/o8lock.Inspection";

// How long a guard may be locked and yet name no living holder before that is
// taken for the truth: a run that is about to write its record, or is about to
// unlock, is through in microseconds, on a crowded machine a little later.
// In boot-time ticks: setting the wall clock must not make these an hour.
constexpr Ticks kEmptyRecordFor = kTicksPerSecond;
constexpr Ticks kDeadRecordFor = kTicksPerSecond / 20;
// How long to wait for somebody who changes the record or the lock file; who
// overrides may wait himself, for two lock files that are none.
constexpr Ticks kChangeFor = 5 * kTicksPerSecond;
constexpr absl::Duration kRetryEvery = absl::Milliseconds(1);
constexpr int kMaxTries = 100;

constexpr mode_t kLockFileMode = 0644;

// Of a command line this much is kept in the record. It is there to be read by
// people.
constexpr size_t kMaxCommandSize = 16 << 10;

// "/r/.claude/parallel.lock" -> "/r/.claude/.parallel.lock" + suffix. The names
// are fixed: only who has the kernel lock uses them, so what a crash leaves
// behind is used again.
std::string Beside(const std::string& path, absl::string_view suffix) {
  return absl::StrCat(ParentOf(path), "/.", BaseName(path), suffix);
}

absl::Status Unlink(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return ErrnoStatus(errno, "remove", path);
}

absl::Status Rename(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("rename '", from, "' to"), to);
}

absl::Status Link(const std::string& from, const std::string& to) {
  if (link(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("link '", from, "' to"), to);
}

// A new file that nobody else has open, whatever a crash left of that name.
absl::StatusOr<Fd> CreateFresh(const std::string& path, mode_t mode) {
  absl::StatusOr<Fd> fd = OpenRegular(path, O_RDWR | O_CREAT | O_EXCL, mode);
  if (!absl::IsAlreadyExists(fd.status())) return fd;
  O8LOCK_RETURN_IF_ERROR(Unlink(path));
  return OpenRegular(path, O_RDWR | O_CREAT | O_EXCL, mode);
}

// The mode of a file that is created with the mode `mode`.
mode_t LessTheUmask(mode_t mode) {
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  const mode_t mask = umask(077);
  umask(mask);
  return mode & ~mask;
}

// Whether nobody else has the file of `fd` open; false where that cannot be
// told.
bool IsAlone(const Fd& fd) {
  // A lease is only granted then. Should somebody open the file before it is
  // given back, the kernel says so by a signal that does nothing.
  return fcntl(fd.get(), F_SETSIG, SIGURG) == 0 &&
         fcntl(fd.get(), F_SETLEASE, F_WRLCK) == 0 &&
         fcntl(fd.get(), F_SETLEASE, F_UNLCK) == 0;
}

// Makes `path`, the file that becomes the lock file, say `text`. It is kept
// from run to run, since to make an inode and to free it costs more than all
// else that happens to the lock file. Not where it has another name, as that of
// a lock file that is still there, or is open: who opened an earlier run's lock
// file reads that one's text. Returns the file, open.
absl::StatusOr<Fd> WriteSpare(const std::string& path,
                              const std::string& text) {
  absl::StatusOr<Fd> fd = OpenRegular(path, O_RDWR | O_CREAT, kLockFileMode);
  struct stat info;
  if (!fd.ok() || fstat(fd->get(), &info) != 0 || info.st_nlink != 1 ||
      info.st_uid != geteuid() ||
      (info.st_mode & 07777) != LessTheUmask(kLockFileMode) || !IsAlone(*fd)) {
    fd = CreateFresh(path, kLockFileMode);
  }
  if (fd.ok()) O8LOCK_RETURN_IF_ERROR(Overwrite(*fd, text, path));
  return fd;
}

// Whether the file of `fd` is known to have several names: not every file
// system counts.
bool HasSeveralNames(const Fd& fd) {
  struct stat info;
  return fstat(fd.get(), &info) == 0 && info.st_nlink > 1;
}

bool IsOwn(const std::optional<Holder>& holder,
           const std::vector<std::string>& own_tokens) {
  return holder.has_value() && !holder->token.empty() &&
         std::find(own_tokens.begin(), own_tokens.end(), holder->token) !=
             own_tokens.end();
}

bool Contains(const std::vector<Inspection>& inspections,
              const Inspection& wanted) {
  return std::any_of(inspections.begin(), inspections.end(),
                     [&wanted](const Inspection& inspection) {
                       return SameRun(inspection, wanted);
                     });
}

// The error that `inspection` means for who wants the lock.
absl::Status Refusal(const Inspection& inspection) {
  const std::string who = inspection.holder.has_value()
                              ? absl::StrCat("process ", inspection.holder->pid)
                              : std::string("a run that left no record");
  absl::Status status;
  if (inspection.verdict == Verdict::kHeld) {
    status = absl::UnavailableError(
        absl::StrCat("the lock is held (", inspection.file, ", ", who, ")"));
  } else {
    status = absl::FailedPreconditionError(
        absl::StrCat("it cannot be told whether the lock is held (",
                     inspection.file, ", ", who, ")"));
  }
  status.SetPayload(kInspectionUrl, absl::Cord(InspectionText(inspection)));
  return status;
}

// Locks Range::kChange of `fd`, waiting a little for who has it.
absl::Status LockChange(const Fd& fd, const std::string& guard,
                        Ticks patience = kChangeFor) {
  const Ticks give_up = NowTicks() + patience;
  while (true) {
    absl::Status status = TryLock(fd, Range::kChange, guard);
    if (!absl::IsUnavailable(status)) return status;
    if (NowTicks() > give_up) {
      return absl::DeadlineExceededError(absl::StrCat(
          "lock '", guard, "': another o8lock that changes it is stuck"));
    }
    absl::SleepFor(kRetryEvery);
  }
}

// Of `fd`, locked whole, keeps what a run has.
absl::Status LeaveToRun(const Fd& fd, const std::string& guard) {
  O8LOCK_RETURN_IF_ERROR(Unlock(fd, Range::kChange, guard));
  return Unlock(fd, Range::kJoined, guard);
}

// Whether a run has `fd`, or one that has joined it, by another description.
absl::StatusOr<bool> IsTaken(const Fd& fd, const std::string& guard) {
  O8LOCK_ASSIGN_OR_RETURN(const bool run, IsLocked(fd, Range::kRun, guard));
  if (run) return true;
  return IsLocked(fd, Range::kJoined, guard);
}

// The verdict on the guard `fd`, which somebody has or not.
absl::StatusOr<Inspection> JudgeGuard(const Fd& fd, const std::string& guard,
                                      bool taken) {
  Inspection found = JudgeRecord(guard, ReadRecord(fd, guard), taken);
  if (taken && found.verdict == Verdict::kStale) {
    // What has joined the dead run is a run, and not only left behind.
    O8LOCK_ASSIGN_OR_RETURN(const bool joined,
                            IsLocked(fd, Range::kJoined, guard));
    if (joined) found.verdict = Verdict::kHeld;
  }
  return found;
}

// Makes `text` the content of `fd`, or, where that fails, `previous` again: as
// the shorter one it still has its place.
absl::Status Replace(const Fd& fd, const std::string& text,
                     const std::string& previous, const std::string& guard) {
  absl::Status status = Overwrite(fd, text, guard);
  if (!status.ok()) Overwrite(fd, previous, guard).IgnoreError();
  return status;
}

// Finds out who keeps the lock of `found`, whose own process is dead.
void AddKeepers(const Fd& guard, Inspection& found) {
  const absl::StatusOr<FileId> file = IdOf(guard, found.file);
  if (!file.ok()) return;
  found.keepers = KeepersOf(*file);
  if (!found.holder.has_value()) return;
  std::stable_partition(found.keepers.begin(), found.keepers.end(),
                        [&found](const Keeper& keeper) {
                          return keeper.pid == found.holder->command_pid;
                        });
}

// Where a guard is made that is to replace the one in place.
std::string NewGuard(const Location& location) {
  return location.guard + ".new";
}

std::string Aside(const std::string& path) { return Beside(path, ".old"); }

// Renames `path` to Aside(path) if it is still `text`. false: it is another
// file by now and was left alone. A run outside o8lock may replace it at any
// moment, hence first aside, then the comparison.
absl::StatusOr<bool> MoveAsideIfStill(const std::string& path,
                                      const std::string& text) {
  const std::string aside = Aside(path);
  const absl::Status moved = Rename(path, aside);
  if (absl::IsNotFound(moved)) return false;
  if (!moved.ok()) return moved;
  // A text too long to be read is "" both times.
  if (ReadFile(aside).value_or("") == text) return true;
  const absl::Status back = Link(aside, path);
  if (!back.ok() && !absl::IsAlreadyExists(back)) return back;
  O8LOCK_RETURN_IF_ERROR(Unlink(aside));
  return false;
}

// Gives Aside(path) a name under which it stays, in `directory` or, where that
// is on another file system, beside `path`; returns the name.
absl::StatusOr<std::string> Keep(const std::string& path,
                                 const std::string& directory,
                                 absl::string_view time) {
  const std::string aside = Aside(path);
  absl::Status status;
  for (const std::string& place :
       {absl::StrCat(directory, "/", BaseName(path)), Beside(path, "")}) {
    for (int i = 1; i <= kMaxTries; ++i) {
      const std::string name = absl::StrCat(place, ".malformed-", time,
                                            i == 1 ? "" : absl::StrCat("-", i));
      status = Link(aside, name);
      if (status.ok()) {
        O8LOCK_RETURN_IF_ERROR(Unlink(aside));
        return name;
      }
      if (!absl::IsAlreadyExists(status)) break;
    }
  }
  // Back to where it was: nothing of anybody gets lost.
  Link(aside, path).IgnoreError();
  Unlink(aside).IgnoreError();
  return status;
}

// Sees to it that git does not show the lock file as a change of the worktree.
absl::Status Exclude(const Location& location) {
  if (location.main_worktree.empty()) return absl::OkStatus();
  const std::string info = location.common_dir + "/info";
  const std::string path = info + "/exclude";
  const std::string lock_file =
      location.lock_file.substr(location.main_worktree.size());
  const std::string patterns[] = {lock_file, Beside(lock_file, ".*")};
  const auto open_it = [&path] {
    return OpenRegular(path, O_RDWR | O_CREAT | O_APPEND, 0666);
  };
  absl::StatusOr<std::string> text = ReadFile(path);
  if (absl::IsNotFound(text.status())) text = "";
  if (!text.ok()) return text.status();
  std::string missing;
  const std::vector<absl::string_view> lines = absl::StrSplit(*text, '\n');
  for (const std::string& pattern : patterns) {
    if (std::find(lines.begin(), lines.end(), pattern) == lines.end()) {
      absl::StrAppend(&missing, pattern, "\n");
    }
  }
  if (missing.empty()) return absl::OkStatus();
  if (!text->empty() && text->back() != '\n') missing.insert(0, "\n");
  absl::StatusOr<Fd> fd = open_it();
  if (absl::IsNotFound(fd.status())) {
    O8LOCK_RETURN_IF_ERROR(MakeDirectory(info, nullptr));
    fd = open_it();
  }
  if (!fd.ok()) return fd.status();
  // One write: another run may append its own at the same time.
  const ssize_t put = write(fd->get(), missing.data(), missing.size());
  if (put == static_cast<ssize_t>(missing.size())) return absl::OkStatus();
  return ErrnoStatus(put < 0 ? errno : ENOSPC, "write", path);
}

absl::StatusOr<std::string> NewToken() {
  uint64_t random[2];
  if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
    return absl::ErrnoToStatus(errno, "get random bytes");
  }
  return absl::StrCat(absl::Hex(random[0], absl::kZeroPad16),
                      absl::Hex(random[1], absl::kZeroPad16));
}

std::string UserName() {
  // Not getpwuid(3): it reads files and may ask the network, at every start.
  for (const char* variable : {"LOGNAME", "USER"}) {
    const char* name = getenv(variable);
    if (name != nullptr && *name != '\0') return name;
  }
  return absl::StrCat("uid ", geteuid());
}

// Whether the run of a lock file began during the dead `run`, or after it: most
// likely it was a part of that.
bool IsWithin(const Holder& lock_file, const Holder& run) {
  const std::optional<int64_t> began = ParseTime(lock_file.started_at);
  const std::optional<int64_t> since = ParseTime(run.started_at);
  return began.has_value() && since.has_value() && *began >= *since;
}

absl::Status TooLong() {
  return absl::InvalidArgumentError(
      absl::StrCat("the features are longer than ", kMaxFileSize, " bytes"));
}

std::vector<std::string> Shortened(const std::vector<std::string>& command) {
  std::vector<std::string> kept;
  size_t size = 0;
  for (const std::string& argument : command) {
    size += argument.size();
    if (size > kMaxCommandSize) {
      kept.push_back("...");
      break;
    }
    kept.push_back(argument);
  }
  return kept;
}

}  // namespace

Lock::Lock(Location location, Fd fd)
    : location_(std::move(location)), fd_(std::move(fd)), pid_(getpid()) {}

Lock::~Lock() {
  if (fd_.ok() && getpid() == pid_) Release().status().IgnoreError();
}

absl::StatusOr<Lock> Lock::Acquire(const Location& location,
                                   const AcquireOptions& options, Fd turn) {
  const Ticks start = NowTicks();
  while (true) {
    absl::StatusOr<Fd> guard = std::exchange(turn, Fd());
    if (!guard->ok()) guard = OpenGuard(location);
    if (!guard.ok()) {
      // Who may not take the lock may still be told who has it.
      const absl::StatusOr<Inspection> found =
          Inspect(location, options.own_tokens);
      if (found.ok() && found->verdict == Verdict::kHeld &&
          !Contains(options.overriding, *found)) {
        return Refusal(*found);
      }
      return guard.status();
    }
    const absl::Status locked = TryLock(*guard, Range::kAll, location.guard);
    const Ticks waited = NowTicks() - start;
    if (locked.ok()) {
      O8LOCK_ASSIGN_OR_RETURN(const bool named,
                              IsStillNamed(*guard, location.guard));
      if (named) return TakeFree(location, options, *std::move(guard));
      if (waited < kChangeFor) continue;
      return absl::DeadlineExceededError(absl::StrCat(
          "lock '", location.guard, "': somebody keeps replacing it"));
    }
    if (!absl::IsUnavailable(locked)) return locked;

    O8LOCK_ASSIGN_OR_RETURN(Inspection found,
                            JudgeGuard(*guard, location.guard, /*taken=*/true));
    if (IsOwn(found.holder, options.own_tokens)) {
      O8LOCK_ASSIGN_OR_RETURN(std::optional<Lock> lock,
                              Join(location, options, *std::move(guard)));
      if (lock.has_value()) return *std::move(lock);
      continue;
    }
    const bool left_behind = found.verdict == Verdict::kStale;
    if ((!found.holder.has_value() && waited < kEmptyRecordFor) ||
        (IsDead(found) && !left_behind && waited < kDeadRecordFor)) {
      absl::SleepFor(kRetryEvery);
      continue;
    }
    if (left_behind || Contains(options.overriding, found)) {
      absl::StatusOr<std::optional<Lock>> lock =
          TakeByForce(location, options, *guard, found);
      if (lock.ok() && lock->has_value()) return **std::move(lock);
      if (lock.ok()) continue;
      if (!left_behind || !absl::IsDeadlineExceeded(lock.status())) {
        return lock.status();
      }
      // Somebody else takes it over, or joins it, and was stopped in that.
      found.verdict = Verdict::kHeld;
    }
    if (!found.holder.has_value() || IsDead(found)) AddKeepers(*guard, found);
    return Refusal(found);
  }
}

// `guard` was found to be this process's own run's. Nothing: it is not any
// more; look again.
absl::StatusOr<std::optional<Lock>> Lock::Join(const Location& location,
                                               const AcquireOptions& options,
                                               Fd guard) {
  O8LOCK_RETURN_IF_ERROR(LockChange(guard, location.guard));
  O8LOCK_ASSIGN_OR_RETURN(const bool named,
                          IsStillNamed(guard, location.guard));
  std::optional<Holder> holder = ReadRecord(guard, location.guard);
  if (!named || !IsOwn(holder, options.own_tokens)) return std::nullopt;
  O8LOCK_RETURN_IF_ERROR(TryShare(guard, Range::kJoined, location.guard));
  O8LOCK_RETURN_IF_ERROR(Unlock(guard, Range::kChange, location.guard));
  Lock lock(location, std::move(guard));
  lock.joined_ = true;
  lock.holder_ = *std::move(holder);
  return lock;
}

// `guard` is locked whole and has its name.
absl::StatusOr<Lock> Lock::TakeFree(const Location& location,
                                    const AcquireOptions& options, Fd guard) {
  Lock lock(location, Fd());
  O8LOCK_RETURN_IF_ERROR(lock.Describe(options));
  lock.ClearLeftovers();
  const std::optional<Holder> previous = ReadRecord(guard, location.guard);
  const Inspection left = JudgeRecord(location.guard, previous, false);
  if (left.verdict == Verdict::kUnknown &&
      !Contains(options.overriding, left)) {
    return Refusal(left);
  }
  const bool is_dead = left.verdict == Verdict::kStale;
  if (is_dead) lock.AddStale(left);
  O8LOCK_RETURN_IF_ERROR(
      lock.ClearLockFiles(options, previous, is_dead, /*displace=*/false));
  const std::string left_text =
      previous.has_value() ? RecordText(*previous) : "";
  absl::Cleanup undo = [&lock, &guard, &left_text] {
    lock.RemoveLockFiles(nullptr).IgnoreError();
    SetArmed(lock.location_, false).IgnoreError();
    Overwrite(guard, left_text, lock.location_.guard).IgnoreError();
  };
  if (options.publish) O8LOCK_RETURN_IF_ERROR(lock.WriteLockFile());
  // Before the moment of the acquisition: a git that starts after that calls
  // the hooks from its first step on.
  O8LOCK_RETURN_IF_ERROR(SetArmed(location, true));
  lock.holder_.acquired = NowNanoseconds();
  lock.holder_.taken_since = lock.holder_.acquired;
  O8LOCK_RETURN_IF_ERROR(lock.WriteRecord(guard, location.guard));
  O8LOCK_RETURN_IF_ERROR(lock.PlaceLockFile(options, previous, is_dead));
  O8LOCK_RETURN_IF_ERROR(LeaveToRun(guard, location.guard));
  std::move(undo).Cancel();
  lock.fd_ = std::move(guard);
  return lock;
}

// `old_guard` is open, `holder` was found in it: a run that is to be
// overridden, or, kStale, a dead one whose lock something that it left behind
// still has. Nothing: it is another holder's by now, or nobody's; look again.
absl::StatusOr<std::optional<Lock>> Lock::TakeByForce(
    const Location& location, const AcquireOptions& options,
    const Fd& old_guard, const Inspection& holder) {
  O8LOCK_RETURN_IF_ERROR(LockChange(old_guard, location.guard));
  O8LOCK_ASSIGN_OR_RETURN(const bool named,
                          IsStillNamed(old_guard, location.guard));
  O8LOCK_ASSIGN_OR_RETURN(const bool held,
                          IsLocked(old_guard, Range::kRun, location.guard));
  O8LOCK_ASSIGN_OR_RETURN(const bool joined,
                          IsLocked(old_guard, Range::kJoined, location.guard));
  std::optional<Holder> previous = ReadRecord(old_guard, location.guard);
  Inspection now = holder;
  now.holder = previous;
  const bool is_dead = holder.verdict == Verdict::kStale;
  if (!named || !(held || joined) || !SameRun(now, holder) ||
      (is_dead && joined)) {
    return std::nullopt;
  }
  Lock lock(location, Fd());
  if (is_dead) lock.AddStale(holder);
  const std::string new_path = NewGuard(location);
  absl::Cleanup undo = [&lock, &new_path] {
    lock.RemoveLockFiles(nullptr).IgnoreError();
    unlink(new_path.c_str());
  };
  O8LOCK_RETURN_IF_ERROR(lock.Describe(options));
  lock.ClearLeftovers();
  O8LOCK_RETURN_IF_ERROR(
      lock.ClearLockFiles(options, previous, is_dead, /*displace=*/false));
  if (options.publish) O8LOCK_RETURN_IF_ERROR(lock.WriteLockFile());
  O8LOCK_ASSIGN_OR_RETURN(Fd guard, CreateFresh(new_path, 0666));
  O8LOCK_RETURN_IF_ERROR(ShareAs(guard, new_path, ParentOf(location.guard)));
  O8LOCK_RETURN_IF_ERROR(TryLock(guard, Range::kAll, new_path));
  O8LOCK_RETURN_IF_ERROR(SetArmed(location, true));
  lock.holder_.acquired = NowNanoseconds();
  lock.holder_.taken_since = previous.has_value() && !is_dead
                                 ? previous->taken_since
                                 : lock.holder_.acquired;
  O8LOCK_RETURN_IF_ERROR(lock.WriteRecord(guard, new_path));
  if (previous.has_value() && !is_dead) {
    // For the holder, which keeps this file and finds no name for it any more.
    const std::string record = RecordText(*previous);
    previous->overridden_by =
        Overrider{lock.holder_.pid, lock.holder_.started_at, lock.holder_.user,
                  lock.holder_.host};
    O8LOCK_RETURN_IF_ERROR(
        Replace(old_guard, RecordText(*previous), record, location.guard));
  }
  // Up to here the holder has the lock, from here on this run; only then the
  // lock file, lest the holder have none if this process dies in between.
  O8LOCK_RETURN_IF_ERROR(Rename(new_path, location.guard));
  std::move(undo).Cancel();
  lock.fd_ = std::move(guard);
  const absl::Status placed = lock.PlaceLockFile(options, previous, is_dead);
  O8LOCK_RETURN_IF_ERROR(LeaveToRun(lock.fd_, location.guard));
  if (!placed.ok()) return placed;
  return lock;
}

absl::Status Lock::Describe(const AcquireOptions& options) {
  const Here here = LookHere();
  holder_.pid = here.pid;
  holder_.started_at = FormatTime(time(nullptr));
  holder_.features = options.features;
  holder_.max_concurrency = options.max_concurrency;
  holder_.command = Shortened(options.command);
  char directory[4096];
  if (getcwd(directory, sizeof(directory)) != nullptr) holder_.cwd = directory;
  holder_.user = UserName();
  holder_.host = here.host;
  holder_.boot_id = here.boot_id;
  holder_.pid_namespace = here.pid_namespace;
  O8LOCK_ASSIGN_OR_RETURN(holder_.token, NewToken());
  holder_.version = kVersion;
  return absl::OkStatus();
}

// Writes the record into `guard`, which is at `path`.
absl::Status Lock::WriteRecord(const Fd& guard, const std::string& path) {
  record_ = RecordText(holder_);
  // The record grows by a few names and numbers yet.
  if (record_.size() + kMaxCommandSize > kMaxFileSize) return TooLong();
  return Overwrite(guard, record_, path);
}

// Removes dead runs' lock files. `previous` is the run that had the guard
// before: dead, or alive and being overridden. What is overridden is removed
// only if `displace`. A refusal for one that must stay.
absl::Status Lock::ClearLockFiles(const AcquireOptions& options,
                                  const std::optional<Holder>& previous,
                                  bool previous_is_dead, bool displace) {
  const std::vector<std::string> paths = location_.LockFiles();
  for (size_t i = 0; i < paths.size();) {
    const std::string& path = paths[i];
    O8LOCK_ASSIGN_OR_RETURN(
        const LockFile file,
        JudgeLockFile(path, previous_is_dead ? previous : std::nullopt));
    const Inspection& found = file.inspection;
    if (found.verdict == Verdict::kStale) {
      O8LOCK_ASSIGN_OR_RETURN(const bool still,
                              MoveAsideIfStill(path, file.text));
      if (!still) continue;  // another file: judge that
      if (found.holder.has_value()) {
        O8LOCK_RETURN_IF_ERROR(Unlink(Aside(path)));
        if (!previous_is_dead || !IsWithin(*found.holder, *previous)) {
          AddStale(found);
        }
      } else {
        O8LOCK_ASSIGN_OR_RETURN(
            std::string kept_as,
            Keep(path, ParentOf(location_.guard), holder_.started_at));
        malformed_.push_back({path, std::move(kept_as), found.problem});
      }
    } else if (found.verdict != Verdict::kFree) {
      // An orchestr8 that the run has started may keep a lock file itself.
      const bool of_previous =
          previous.has_value() && found.holder.has_value() &&
          ((found.holder->pid == previous->pid &&
            found.holder->started_at == previous->started_at) ||
           DescendsFrom(found.holder->pid, previous->pid));
      if (!of_previous && !Contains(options.overriding, found)) {
        return Refusal(found);
      }
      if (displace) {
        O8LOCK_ASSIGN_OR_RETURN(const bool still,
                                MoveAsideIfStill(path, file.text));
        if (!still) continue;
        O8LOCK_RETURN_IF_ERROR(Unlink(Aside(path)));
      }
    }
    ++i;
  }
  return absl::OkStatus();
}

// Writes the lock file, under a name that nobody looks at.
absl::Status Lock::WriteLockFile() {
  O8LOCK_RETURN_IF_ERROR(Exclude(location_));
  text_ = LockFileText(holder_);
  if (text_.size() > kMaxFileSize) return TooLong();
  const std::string path = Beside(location_.lock_file, ".new");
  const std::string spare_path = location_.guard + ".spare";
  // Beside the guard nobody minds one more file, if it is in a git directory.
  Fd spare;
  if (!location_.common_dir.empty()) {
    spare = WriteSpare(spare_path, text_).value_or(Fd());
  }
  const auto write = [this, &path, &spare, &spare_path] {
    if (spare.ok()) {
      absl::Status status = Link(spare_path, path);
      // Else the next run would take the lock file of this one for a spare.
      if (status.ok() && !HasSeveralNames(spare)) unlink(spare_path.c_str());
      if (status.ok() || absl::IsNotFound(status)) return status;
      // It is there, or this is another file system.
    }
    const absl::StatusOr<Fd> fd = CreateFresh(path, kLockFileMode);
    return fd.ok() ? Overwrite(*fd, text_, path) : fd.status();
  };
  written_ = path;
  absl::Status status = write();
  // More than once: the end of a run with another name may remove the directory
  // that it created.
  for (int i = 0; i < kMaxTries && absl::IsNotFound(status) &&
                  location_.create_directories;
       ++i) {
    O8LOCK_RETURN_IF_ERROR(MakeSharedDirectory(ParentOf(location_.lock_file),
                                               &created_directory_));
    status = write();
  }
  return status;
}

// Gives the lock file its name: in one step, so that nobody reads half of it.
absl::Status Lock::PlaceLockFile(const AcquireOptions& options,
                                 const std::optional<Holder>& previous,
                                 bool previous_is_dead) {
  // Of what is overridden nobody is to be refused any more: an orchestr8 that
  // keeps the lock file itself would be.
  if (!options.overriding.empty()) {
    O8LOCK_RETURN_IF_ERROR(ClearLockFiles(options, previous, previous_is_dead,
                                          /*displace=*/true));
  }
  if (!options.publish) return absl::OkStatus();
  absl::Status status = Link(written_, location_.lock_file);
  // That of the overridden run, or of one outside o8lock that was faster.
  for (int i = 0; i < kMaxTries && absl::IsAlreadyExists(status); ++i) {
    O8LOCK_RETURN_IF_ERROR(ClearLockFiles(options, previous, previous_is_dead,
                                          /*displace=*/true));
    status = Link(written_, location_.lock_file);
  }
  if (!status.ok()) return status;
  published_ = true;
  O8LOCK_RETURN_IF_ERROR(Unlink(written_));
  written_.clear();
  return absl::OkStatus();
}

absl::Status Lock::RemoveLockFiles(std::vector<Inspection>* swept) {
  if (!written_.empty()) O8LOCK_RETURN_IF_ERROR(Unlink(written_));
  // orchestr8 4 gives it another name, and LookAfter() the first one again.
  for (const std::string& path : location_.LockFiles()) {
    // Twice: what is another's is best not touched at all, and between a look
    // and a removal it can become another's.
    const std::string text = ReadFile(path).value_or("");
    const bool mine = published_ && text == text_;
    std::optional<LockFile> other;
    // What is no lock file is the next run's to wait for and to keep.
    if (!mine && swept != nullptr && ParseHolder(text).ok()) {
      O8LOCK_ASSIGN_OR_RETURN(other, JudgeLockFile(path, std::nullopt));
      // Stale ones that were there before were removed at the start.
      if (other->inspection.verdict != Verdict::kStale) other.reset();
    }
    if (!mine && !other.has_value()) continue;
    O8LOCK_ASSIGN_OR_RETURN(const bool still,
                            MoveAsideIfStill(path, mine ? text_ : other->text));
    if (!still) continue;
    O8LOCK_RETURN_IF_ERROR(Unlink(Aside(path)));
    if (other.has_value()) swept->push_back(std::move(other->inspection));
  }
  // Fails where others put something there: it is theirs now.
  if (created_directory_) rmdir(ParentOf(location_.lock_file).c_str());
  return absl::OkStatus();
}

// Clears up after runs that were killed while they overrode or took over: who
// has the kernel lock is the only one to use these names. A lock file that was
// moved aside may be a living run's: back with it, to be judged.
void Lock::ClearLeftovers() const {
  unlink(NewGuard(location_).c_str());
  for (const std::string& path : location_.LockFiles()) {
    const absl::Status back = Link(Aside(path), path);
    if (back.ok() || absl::IsAlreadyExists(back)) unlink(Aside(path).c_str());
  }
}

void Lock::AddStale(const Inspection& inspection) {
  // A run left a record and a lock file; it is one run.
  for (const Inspection& known : stale_) {
    if (known.holder->pid == inspection.holder->pid &&
        known.holder->started_at == inspection.holder->started_at) {
      return;
    }
  }
  stale_.push_back(inspection);
}

// This run's right to change its record and its lock file.
struct Lock::OwnChange {
  Fd fd;  // has kChange; none where the guard has no name any more
  bool overridden = false;  // and no such right
};

// Of a description of its own: a lock on fd_ would outlive this process, if it
// were killed here, in every duplicate that its command has.
absl::StatusOr<Lock::OwnChange> Lock::LockOwnChange() const {
  const std::string& guard = location_.guard;
  OwnChange change;
  absl::StatusOr<Fd> fd = OpenRegular(guard, O_RDWR);
  if (absl::IsNotFound(fd.status())) return change;
  if (!fd.ok()) return fd.status();
  O8LOCK_ASSIGN_OR_RETURN(const FileId named, IdOf(*fd, guard));
  O8LOCK_ASSIGN_OR_RETURN(const FileId mine, IdOf(fd_, guard));
  change.overridden = !(named == mine);
  if (!change.overridden) {
    O8LOCK_RETURN_IF_ERROR(LockChange(*fd, guard));
    O8LOCK_ASSIGN_OR_RETURN(const bool still, IsStillNamed(fd_, guard));
    change.overridden = !still;
  }
  change.fd = *std::move(fd);
  return change;
}

// Who has overridden this run, as its own guard has it.
std::optional<Overrider> Lock::OverriddenBy() const {
  const std::optional<Holder> record = ReadRecord(fd_, location_.guard);
  if (!record.has_value()) return std::nullopt;
  return record->overridden_by;
}

absl::Status Lock::NameCommand(pid_t command) {
  if (joined_) return absl::OkStatus();
  O8LOCK_ASSIGN_OR_RETURN(const OwnChange change, LockOwnChange());
  if (change.overridden) return absl::OkStatus();
  holder_.command_pid = command;
  std::string record = RecordText(holder_);
  O8LOCK_RETURN_IF_ERROR(Replace(fd_, record, record_, location_.guard));
  record_ = std::move(record);
  return absl::OkStatus();
}

absl::StatusOr<Disturbance> Lock::LookAfter() {
  Disturbance disturbance;
  if (joined_) return disturbance;
  const std::string& lock_file = location_.lock_file;
  const auto is_published = [this](const std::string& path) {
    return ReadFile(path).value_or("") == text_;
  };
  O8LOCK_ASSIGN_OR_RETURN(const bool named, IsStillNamed(fd_, location_.guard));
  if (named && (!published_ || is_published(lock_file))) return disturbance;
  O8LOCK_ASSIGN_OR_RETURN(const OwnChange change, LockOwnChange());
  if (change.overridden) {
    disturbance.overridden = true;
    disturbance.by = OverriddenBy();
    return disturbance;
  }
  if (!published_ || is_published(lock_file)) return disturbance;
  if (absl::IsNotFound(IdOf(lock_file).status())) {
    const std::vector<std::string>& others = location_.foreign_lock_files;
    const bool renamed =
        std::any_of(others.begin(), others.end(), is_published);
    O8LOCK_RETURN_IF_ERROR(WriteLockFile());
    const absl::Status placed = Link(written_, lock_file);
    O8LOCK_RETURN_IF_ERROR(Unlink(written_));
    written_.clear();
    disturbance.vanished = placed.ok() && !renamed;
    if (!absl::IsAlreadyExists(placed)) {
      if (!placed.ok()) return placed;
      return disturbance;
    }
  }
  O8LOCK_ASSIGN_OR_RETURN(LockFile file,
                          JudgeLockFile(lock_file, std::nullopt));
  if (file.inspection.verdict != Verdict::kFree) {
    disturbance.replaced = std::move(file.inspection);
  }
  return disturbance;
}

std::vector<std::string> Lock::Directories() const {
  std::vector<std::string> directories = {ParentOf(location_.guard)};
  if (published_) {
    directories.push_back(ParentOf(location_.lock_file));
  }
  return directories;
}

absl::StatusOr<Released> Lock::Release() {
  const std::string& guard = location_.guard;
  Released released;
  absl::StatusOr<OwnChange> change = LockOwnChange();
  absl::Status status = change.status();
  released.overridden = change.ok() && change->overridden;
  const bool is_mine = change.ok() && !change->overridden;
  if (released.overridden) released.by = OverriddenBy();
  if (is_mine && !joined_) {
    status = RemoveLockFiles(&released.swept);
  }
  // Runs that have joined keep the record until the last of them ends, and
  // while the lock file is there so is the proof that it is a dead run's.
  bool empty = false;
  if (is_mine && status.ok() && change->fd.ok()) {
    const absl::StatusOr<bool> others = IsTaken(fd_, guard);
    status.Update(others.status());
    empty = others.ok() && !*others;
    // Where this fails the hooks do it.
    if (empty) SetArmed(location_, false).IgnoreError();
  }
  const bool somebody_waits =
      IsLocked(fd_, Range::kWaiting, guard).value_or(false);
  // First unlocked, then emptied, both under kChange: who is killed in between
  // leaves a record that proves the death. Nothing else in between: whoever
  // waits is woken by the one and can do nothing before the other.
  status.Update(Unlock(fd_, joined_ ? Range::kJoined : Range::kRun, guard));
  if (empty && ftruncate(fd_.get(), 0) != 0) {
    status.Update(ErrnoStatus(errno, "truncate", guard));
  }
  if (change.ok()) change->fd.Close();
  // The kernel has most likely put who waits on this processor, behind this
  // process.
  if (somebody_waits) sched_yield();
  fd_.Close();
  if (!status.ok()) return status;
  return released;
}

absl::StatusOr<Inspection> Inspect(const Location& location,
                                   const std::vector<std::string>& own_tokens) {
  const Ticks start = NowTicks();
  Inspection found;
  while (true) {
    const absl::StatusOr<Fd> guard = OpenRegular(location.guard, O_RDONLY);
    if (absl::IsNotFound(guard.status())) break;
    if (!guard.ok()) return guard.status();
    O8LOCK_ASSIGN_OR_RETURN(const bool locked, IsTaken(*guard, location.guard));
    O8LOCK_ASSIGN_OR_RETURN(found, JudgeGuard(*guard, location.guard, locked));
    const Ticks waited = NowTicks() - start;
    if (!locked ||
        (found.holder.has_value() ? !IsDead(found) || waited > kDeadRecordFor
                                  : waited > kEmptyRecordFor)) {
      if (locked && (!found.holder.has_value() || IsDead(found))) {
        AddKeepers(*guard, found);
      }
      break;
    }
    absl::SleepFor(kRetryEvery);
  }
  found.own = IsOwn(found.holder, own_tokens);
  if (found.verdict == Verdict::kHeld) return found;
  const std::optional<Holder> dead =
      found.verdict == Verdict::kStale ? found.holder : std::nullopt;
  for (const std::string& path : location.LockFiles()) {
    O8LOCK_ASSIGN_OR_RETURN(const LockFile file, JudgeLockFile(path, dead));
    if (file.inspection.verdict > found.verdict) found = file.inspection;
  }
  return found;
}

absl::StatusOr<bool> IsTaken(const Location& location) {
  const absl::StatusOr<Fd> guard = OpenRegular(location.guard, O_RDONLY);
  if (absl::IsNotFound(guard.status())) return false;
  if (!guard.ok()) return guard.status();
  return IsTaken(*guard, location.guard);
}

absl::Status UpdateArming(const Location& location, bool held_outside) {
  O8LOCK_ASSIGN_OR_RETURN(const Fd guard, OpenGuard(location));
  O8LOCK_RETURN_IF_ERROR(LockChange(guard, location.guard, kDeadRecordFor));
  O8LOCK_ASSIGN_OR_RETURN(const bool named,
                          IsStillNamed(guard, location.guard));
  // Of a guard that was just replaced nothing is known; who did that arms.
  if (!named) return absl::OkStatus();
  O8LOCK_ASSIGN_OR_RETURN(const bool taken, IsTaken(guard, location.guard));
  return SetArmed(location, taken || held_outside);
}

std::optional<Inspection> InspectionOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kInspectionUrl);
  if (!payload.has_value()) return std::nullopt;
  return ParseInspection(std::string(*payload));
}

}  // namespace o8lock
