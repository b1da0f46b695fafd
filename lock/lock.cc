// SPDX-License-Identifier: Apache-2.0
#include "lock/lock.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "lock/file.h"
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
constexpr absl::Duration kEmptyRecordFor = absl::Seconds(1);
constexpr absl::Duration kDeadRecordFor = absl::Milliseconds(50);
// How long to wait for somebody who changes the record or the lock file.
constexpr absl::Duration kChangeFor = absl::Seconds(1);
constexpr absl::Duration kRetryEvery = absl::Milliseconds(1);
constexpr int kMaxTries = 100;

// Of a command line this much is kept in the record. It is there to be read by
// people.
constexpr size_t kMaxCommandSize = 16 << 10;

std::string ParentOf(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

std::string BaseNameOf(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// "/r/.claude/parallel.lock" -> "/r/.claude/.parallel.lock" + suffix. The names
// are fixed: only who has the kernel lock uses them, so what a crash leaves
// behind is used again.
std::string Beside(const std::string& path, absl::string_view suffix) {
  return absl::StrCat(ParentOf(path), "/.", BaseNameOf(path), suffix);
}

absl::Status MakeDirectory(const std::string& path, bool* created) {
  if (mkdir(path.c_str(), 0777) == 0) {
    if (created != nullptr) *created = true;
    return absl::OkStatus();
  }
  const int error = errno;
  if (error != EEXIST) return ErrnoStatus(error, "create directory", path);
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return absl::OkStatus();
  }
  return WrongKind(path, "a directory");
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

absl::StatusOr<Fd> OpenGuard(const Location& location) {
  const auto open_it = [&location] {
    return OpenRegular(location.guard, O_RDWR | O_CREAT, 0666);
  };
  absl::StatusOr<Fd> fd = open_it();
  if (!absl::IsNotFound(fd.status()) || !location.create_directories) return fd;
  O8LOCK_RETURN_IF_ERROR(MakeDirectory(ParentOf(location.guard), nullptr));
  return open_it();
}

std::optional<Holder> ReadRecord(const Fd& fd, const std::string& guard) {
  const absl::StatusOr<std::string> text = ReadWhole(fd, guard);
  if (!text.ok() || text->empty()) return std::nullopt;
  absl::StatusOr<Holder> holder = ParseHolder(*text);
  if (!holder.ok()) return std::nullopt;
  return *std::move(holder);
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
  if (inspection.own) {
    status = absl::AlreadyExistsError(
        absl::StrCat("this process is inside the run that has the lock (",
                     inspection.file, ", ", who, ")"));
  } else if (inspection.verdict == Verdict::kHeld) {
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
absl::Status LockChange(const Fd& fd, const std::string& guard) {
  const absl::Time give_up = absl::Now() + kChangeFor;
  while (true) {
    absl::Status status = TryLock(fd, Range::kChange, guard);
    if (!absl::IsUnavailable(status)) return status;
    if (absl::Now() > give_up) {
      return absl::DeadlineExceededError(absl::StrCat(
          "lock '", guard, "': another o8lock that changes it is stuck"));
    }
    absl::SleepFor(kRetryEvery);
  }
}

// Whether `guard` is still the name of `fd`.
absl::StatusOr<bool> IsStillNamed(const Fd& fd, const std::string& guard) {
  O8LOCK_ASSIGN_OR_RETURN(const FileId open_file, IdOf(fd, guard));
  const absl::StatusOr<FileId> named = IdOf(guard);
  if (absl::IsNotFound(named.status())) return false;
  if (!named.ok()) return named.status();
  return open_file == *named;
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
       {absl::StrCat(directory, "/", BaseNameOf(path)), Beside(path, "")}) {
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
  char bytes[16];
  if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
    return absl::ErrnoToStatus(errno, "get random bytes");
  }
  return absl::BytesToHexString(absl::string_view(bytes, sizeof(bytes)));
}

std::string UserName() {
  // Not getpwuid(3): it reads files and may ask the network, at every start.
  for (const char* variable : {"LOGNAME", "USER"}) {
    const char* name = getenv(variable);
    if (name != nullptr && *name != '\0') return name;
  }
  return absl::StrCat("uid ", geteuid());
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
                                   const AcquireOptions& options) {
  const absl::Time start = absl::Now();
  while (true) {
    absl::StatusOr<Fd> guard = OpenGuard(location);
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
    const absl::Status locked = TryLock(*guard, Range::kBoth, location.guard);
    if (locked.ok()) {
      O8LOCK_ASSIGN_OR_RETURN(const bool named,
                              IsStillNamed(*guard, location.guard));
      if (!named) continue;
      return TakeFree(location, options, *std::move(guard));
    }
    if (!absl::IsUnavailable(locked)) return locked;

    Inspection found =
        JudgeRecord(location.guard, ReadRecord(*guard, location.guard), true);
    found.own = IsOwn(found.holder, options.own_tokens);
    if (found.own) return Refusal(found);
    const absl::Duration waited = absl::Now() - start;
    if ((!found.holder.has_value() && waited < kEmptyRecordFor) ||
        (IsDead(found) && waited < kDeadRecordFor)) {
      absl::SleepFor(kRetryEvery);
      continue;
    }
    if (!Contains(options.overriding, found)) return Refusal(found);
    absl::StatusOr<Lock> lock = TakeByForce(location, options, *guard, found);
    if (!absl::IsAborted(lock.status())) return lock;
  }
}

// `guard` is locked, in both ranges, and has its name.
absl::StatusOr<Lock> Lock::TakeFree(const Location& location,
                                    const AcquireOptions& options, Fd guard) {
  Lock lock(location, Fd());
  O8LOCK_RETURN_IF_ERROR(lock.Describe(options));
  const std::optional<Holder> previous = ReadRecord(guard, location.guard);
  const Inspection left = JudgeRecord(location.guard, previous, false);
  if (left.verdict == Verdict::kUnknown &&
      !Contains(options.overriding, left)) {
    return Refusal(left);
  }
  if (left.verdict == Verdict::kStale) lock.AddStale(left);
  O8LOCK_ASSIGN_OR_RETURN(
      const bool replace,
      lock.ClearLockFiles(options, previous, left.verdict == Verdict::kStale));
  // From here on whatever fails is undone by Release, which wants to lock
  // kChange itself.
  lock.fd_ = std::move(guard);
  absl::Status status = lock.WriteLockFile(options);
  if (status.ok()) {
    status = Overwrite(lock.fd_, RecordText(lock.holder_), location.guard);
  }
  if (status.ok()) status = lock.PlaceLockFile(options, previous, replace);
  status.Update(Unlock(lock.fd_, Range::kChange, location.guard));
  if (!status.ok()) return status;
  return lock;
}

// `old_guard` is open, `holder` was found in it. kAborted: it is another
// holder's by now, or nobody's; look again.
absl::StatusOr<Lock> Lock::TakeByForce(const Location& location,
                                       const AcquireOptions& options,
                                       const Fd& old_guard,
                                       const Inspection& holder) {
  O8LOCK_RETURN_IF_ERROR(LockChange(old_guard, location.guard));
  O8LOCK_ASSIGN_OR_RETURN(const bool named,
                          IsStillNamed(old_guard, location.guard));
  O8LOCK_ASSIGN_OR_RETURN(const bool held,
                          IsLocked(old_guard, Range::kRun, location.guard));
  std::optional<Holder> previous = ReadRecord(old_guard, location.guard);
  Inspection now = holder;
  now.holder = previous;
  if (!named || !held || !SameRun(now, holder)) {
    return absl::AbortedError("the holder changed");
  }
  Lock lock(location, Fd());
  const std::string new_path = location.guard + ".new";
  absl::Cleanup undo = [&lock, &new_path] {
    lock.RemoveLockFile().IgnoreError();
    unlink(new_path.c_str());
  };
  O8LOCK_RETURN_IF_ERROR(lock.Describe(options));
  O8LOCK_ASSIGN_OR_RETURN(const bool replace,
                          lock.ClearLockFiles(options, previous, false));
  O8LOCK_RETURN_IF_ERROR(lock.WriteLockFile(options));
  O8LOCK_ASSIGN_OR_RETURN(Fd guard, CreateFresh(new_path, 0666));
  O8LOCK_RETURN_IF_ERROR(TryLock(guard, Range::kBoth, new_path));
  O8LOCK_RETURN_IF_ERROR(Overwrite(guard, RecordText(lock.holder_), new_path));
  O8LOCK_RETURN_IF_ERROR(lock.PlaceLockFile(options, previous, replace));
  if (previous.has_value()) {
    // For the holder, which keeps this file and finds no name for it any more.
    previous->overridden_by =
        Overrider{lock.holder_.pid, lock.holder_.started_at, lock.holder_.user,
                  lock.holder_.host};
    O8LOCK_RETURN_IF_ERROR(
        Overwrite(old_guard, RecordText(*previous), location.guard));
  }
  // Up to here the holder has the lock, from here on this run.
  O8LOCK_RETURN_IF_ERROR(Rename(new_path, location.guard));
  std::move(undo).Cancel();
  lock.fd_ = std::move(guard);
  O8LOCK_RETURN_IF_ERROR(Unlock(lock.fd_, Range::kChange, location.guard));
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
  holder_.start_ticks = here.started;
  holder_.acquired_ticks = NowTicks();
  O8LOCK_ASSIGN_OR_RETURN(holder_.token, NewToken());
  holder_.version = kVersion;
  if (RecordText(holder_).size() > kMaxFileSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("the features are longer than ", kMaxFileSize, " bytes"));
  }
  return absl::OkStatus();
}

// Removes dead runs' lock files. `previous` is the run that had the guard
// before: dead, or alive and being overridden. Returns whether the lock file is
// there and to be replaced; a refusal for one that must stay.
absl::StatusOr<bool> Lock::ClearLockFiles(const AcquireOptions& options,
                                          const std::optional<Holder>& previous,
                                          bool previous_is_dead) {
  const std::vector<std::string> paths = location_.LockFiles();
  bool replace = false;
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
        AddStale(found);
      } else {
        O8LOCK_ASSIGN_OR_RETURN(
            std::string kept_as,
            Keep(path, ParentOf(location_.guard), holder_.started_at));
        malformed_.push_back({path, std::move(kept_as), found.problem});
      }
    } else if (found.verdict != Verdict::kFree) {
      const bool of_previous = previous.has_value() &&
                               found.holder.has_value() &&
                               found.holder->pid == previous->pid &&
                               found.holder->started_at == previous->started_at;
      if (!of_previous && !Contains(options.overriding, found)) {
        return Refusal(found);
      }
      replace = replace || i == 0;
    }
    ++i;
  }
  return replace;
}

// Writes the lock file, under a name that nobody looks at.
absl::Status Lock::WriteLockFile(const AcquireOptions& options) {
  if (!options.publish) return absl::OkStatus();
  O8LOCK_RETURN_IF_ERROR(Exclude(location_));
  const std::string path = Beside(location_.lock_file, ".new");
  absl::StatusOr<Fd> fd = CreateFresh(path, 0644);
  // More than once: the end of a run with another name may remove the directory
  // that it created.
  for (int i = 0; i < kMaxTries && absl::IsNotFound(fd.status()) &&
                  location_.create_directories;
       ++i) {
    O8LOCK_RETURN_IF_ERROR(
        MakeDirectory(ParentOf(location_.lock_file), &created_directory_));
    fd = CreateFresh(path, 0644);
  }
  if (!fd.ok()) return fd.status();
  written_ = path;
  return Overwrite(*fd, LockFileText(holder_), path);
}

// Gives the lock file its name: in one step, so that nobody reads half of it.
absl::Status Lock::PlaceLockFile(const AcquireOptions& options,
                                 const std::optional<Holder>& previous,
                                 bool replace) {
  if (!options.publish) return absl::OkStatus();
  while (true) {
    absl::Status status = replace ? Rename(written_, location_.lock_file)
                                  : Link(written_, location_.lock_file);
    if (status.ok()) break;
    if (!absl::IsAlreadyExists(status)) return status;
    // A run outside o8lock was faster.
    O8LOCK_ASSIGN_OR_RETURN(replace, ClearLockFiles(options, previous, false));
  }
  published_ = LockFileText(holder_);
  if (!replace) O8LOCK_RETURN_IF_ERROR(Unlink(written_));
  written_.clear();
  return absl::OkStatus();
}

absl::Status Lock::RemoveLockFile() {
  if (!written_.empty()) O8LOCK_RETURN_IF_ERROR(Unlink(written_));
  // orchestr8 4 gives it another name.
  for (const std::string& path : location_.LockFiles()) {
    if (published_.empty()) break;
    if (ReadFile(path).value_or("") == published_) {
      O8LOCK_RETURN_IF_ERROR(Unlink(path));
      break;
    }
  }
  // Fails where others put something there: it is theirs now.
  if (created_directory_) rmdir(ParentOf(location_.lock_file).c_str());
  return absl::OkStatus();
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

absl::StatusOr<Released> Lock::Release() {
  const std::string& guard = location_.guard;
  Released released;
  absl::Status status;
  // A description of its own: a lock on fd_ would outlive this process, if it
  // were killed here, in every duplicate that the command left behind.
  absl::StatusOr<Fd> change = OpenRegular(guard, O_RDWR);
  if (change.ok()) {
    const absl::StatusOr<FileId> named = IdOf(*change, guard);
    const absl::StatusOr<FileId> mine = IdOf(fd_, guard);
    if (named.ok() && mine.ok() && *named == *mine) {
      status = LockChange(*change, guard);
      const absl::StatusOr<bool> still = IsStillNamed(fd_, guard);
      status.Update(still.status());
      released.overridden = still.ok() && !*still;
    } else {
      released.overridden = true;
    }
  } else if (!absl::IsNotFound(change.status())) {
    status = change.status();
  }
  if (released.overridden) {
    const std::optional<Holder> record = ReadRecord(fd_, guard);
    if (record.has_value()) released.by = record->overridden_by;
  } else if (status.ok()) {
    status = RemoveLockFile();
    if (ftruncate(fd_.get(), 0) != 0) {
      status.Update(ErrnoStatus(errno, "truncate", guard));
    }
  }
  status.Update(Unlock(fd_, Range::kRun, guard));
  fd_.Close();
  if (!status.ok()) return status;
  return released;
}

absl::StatusOr<Inspection> Inspect(const Location& location,
                                   const std::vector<std::string>& own_tokens) {
  const absl::Time start = absl::Now();
  Inspection found;
  while (true) {
    const absl::StatusOr<Fd> guard = OpenRegular(location.guard, O_RDONLY);
    if (absl::IsNotFound(guard.status())) break;
    if (!guard.ok()) return guard.status();
    O8LOCK_ASSIGN_OR_RETURN(const bool locked,
                            IsLocked(*guard, Range::kRun, location.guard));
    found =
        JudgeRecord(location.guard, ReadRecord(*guard, location.guard), locked);
    if (!locked || found.holder.has_value() ||
        absl::Now() - start > kEmptyRecordFor) {
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

std::optional<Inspection> InspectionOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kInspectionUrl);
  if (!payload.has_value()) return std::nullopt;
  return ParseInspection(std::string(*payload));
}

}  // namespace o8lock
