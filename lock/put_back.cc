// SPDX-License-Identifier: Apache-2.0
#include "lock/put_back.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "lock/access.h"
#include "lock/file.h"
#include "lock/guard.h"
#include "lock/held_lock.h"
#include "lock/holder.h"
#include "lock/kernel_lock.h"
#include "lock/location.h"
#include "lock/process.h"
#include "lock/status.h"

namespace o8lock {
namespace {

std::string HomeOf(const Location& location) {
  const std::string directory = ParentOf(location.guard);
  return location.create_directories ? ParentOf(directory) : directory;
}

// Moves the paths below `from`, or in the same worktree, to below `to`.
void Move(Location& location, std::string from, std::string to) {
  // "/a/.git" and "/b/.git": the directories around them were renamed.
  while (!from.empty() && !to.empty() && BaseName(from) == BaseName(to)) {
    from = ParentOf(from);
    to = ParentOf(to);
  }
  const auto move = [&from, &to](std::string& path) {
    if (IsBelow(path, from)) {
      path.replace(0, from.size(), to);
    }
  };
  move(location.lock_file);
  move(location.guard);
  move(location.common_dir);
  move(location.main_worktree);
  move(location.armed);
  move(location.outside);
  for (std::string& path : location.external_lock_files) move(path);
}

}  // namespace

Fd OpenHome(const Location& location) {
  return Fd(open(HomeOf(location).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

bool FollowHome(HeldLock& lock) {
  if (!lock.home.ok()) return true;
  const std::string path = HomeOf(lock.location);
  const absl::StatusOr<FileId> mine = IdOf(lock.home, path);
  const absl::StatusOr<FileId> named = IdOf(path);
  if (mine.ok() && named.ok() && *mine == *named) return true;
  const std::string moved = PathOf(lock.home);
  if (moved.empty() || moved == path) return false;
  const absl::StatusOr<FileId> there = IdOf(moved);
  if (!there.ok() || !mine.ok() || !(*mine == *there)) return false;
  Move(lock.location, path, moved);
  return true;
}

bool LeaveDeletedRepository(HeldLock& lock) {
  const std::string& repository = lock.location.common_dir;
  if (repository.empty() ||
      !absl::IsNotFound(IdOf(repository + "/HEAD").status())) {
    return false;
  }
  lock.publication.Remove(nullptr).IgnoreError();
  if (IsStillNamed(lock.id, lock.location.guard).value_or(false)) {
    unlink(lock.location.guard.c_str());
  }
  rmdir(ParentOf(lock.location.guard).c_str());
  rmdir(repository.c_str());
  return true;
}

// Creates the guard under its final name from the beginning, as at a start:
// overrides own the name of a new guard (".new").
absl::Status PutGuardBack(HeldLock& lock) {
  const std::string& path = lock.location.guard;
  O8LOCK_ASSIGN_OR_RETURN(Fd guard, OpenGuard(lock.location));
  O8LOCK_RETURN_IF_ERROR(LockChange(guard, path));
  O8LOCK_ASSIGN_OR_RETURN(const bool named, IsStillNamed(guard, path));
  O8LOCK_ASSIGN_OR_RETURN(const bool taken, IsTaken(guard, path));
  O8LOCK_ASSIGN_OR_RETURN(const bool has_other_name, HasOtherName(guard, path));
  if (!named || taken || has_other_name ||
      ReadRecord(guard, path).has_value()) {
    return absl::AlreadyExistsError(absl::StrCat(
        "cannot lock '", path, "': another run has created a guard"));
  }
  O8LOCK_RETURN_IF_ERROR(TryLock(guard, Range::kAll, path));
  Holder holder = lock.holder;
  // Overridden runs have updated the list in the file without a name.
  if (const auto now = ReadRecord(lock.fd, path)) {
    holder.overridden = now->overridden;
  }
  O8LOCK_ASSIGN_OR_RETURN(const FileId id, IdOf(guard, path));
  holder.guard_id = id;
  holder.guard = path;
  std::string record = RecordText(holder);
  O8LOCK_RETURN_IF_ERROR(Overwrite(guard, record, path));
  lock.holder = std::move(holder);
  lock.record = std::move(record);
  lock.fd = std::move(guard);
  lock.id = id;
  lock.put_back = true;
  return DowngradeToRunLock(lock.fd, path);
}

absl::StatusOr<bool> PutLockFileBack(HeldLock& lock) {
  const std::vector<std::string>& others = lock.location.external_lock_files;
  const bool renamed = std::any_of(
      others.begin(), others.end(),
      [&lock](const auto& path) { return lock.publication.IsAt(path); });
  O8LOCK_RETURN_IF_ERROR(lock.publication.WriteAndPlace(lock.holder));
  return !renamed;
}

}  // namespace o8lock
