// SPDX-License-Identifier: Apache-2.0
#include "lock/lock_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock_file_status.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/status.h"
#include "lock/timestamp.h"

namespace o8lock {
namespace {

constexpr int kMaxNames = 100;

std::string Aside(const std::string& path) {
  return HiddenBeside(path, ".old");
}

// Gives Aside(path) its name back, or removes it if the name is taken. Uses a
// rename: a link to another user's file may not be allowed.
absl::Status MoveBack(const std::string& path) {
  const absl::Status moved = RenameToNewName(Aside(path), path);
  return absl::IsAlreadyExists(moved) ? RemoveFile(Aside(path)) : moved;
}

// Renames `path` to Aside(path) if its content is still `text`. Returns false
// if it is another file by now; this file stays.
absl::StatusOr<bool> MoveAsideIfStill(const std::string& path,
                                      absl::string_view text) {
  const std::string aside = Aside(path);
  const absl::Status moved = RenameFile(path, aside);
  if (absl::IsNotFound(moved)) return false;
  if (!moved.ok()) return moved;
  // A text too long to read is "" both times.
  if (ReadFile(aside).value_or("") == text) return true;
  O8LOCK_RETURN_IF_ERROR(MoveBack(path));
  return false;
}

// Removes `path` if its content is still `text`. Returns false as above.
absl::StatusOr<bool> RemoveIfStill(const std::string& path,
                                   absl::string_view text) {
  O8LOCK_ASSIGN_OR_RETURN(const bool still, MoveAsideIfStill(path, text));
  if (still) O8LOCK_RETURN_IF_ERROR(RemoveFile(Aside(path)));
  return still;
}

// Gives Aside(path) a permanent name in `directory` or, if this is on another
// file system, beside `path`. Returns the name.
absl::StatusOr<std::string> Keep(const std::string& path,
                                 const std::string& directory,
                                 absl::string_view time) {
  const std::string aside = Aside(path);
  absl::Status status;
  for (const std::string& place :
       {absl::StrCat(directory, "/", BaseName(path)), HiddenBeside(path, "")}) {
    for (int i = 1; i <= kMaxNames; ++i) {
      const std::string name = absl::StrCat(place, ".malformed-", time,
                                            i == 1 ? "" : absl::StrCat("-", i));
      status = RenameToNewName(aside, name);
      if (status.ok()) return name;
      if (!absl::IsAlreadyExists(status)) break;
    }
  }
  // Move it back, so no file gets lost.
  MoveBack(path).IgnoreError();
  return status;
}

// Whether the run of a lock file began during the dead `run` or after it. Then
// it was most likely a part of this run.
bool IsWithin(const Holder& lock_file, const Holder& run) {
  const std::optional<int64_t> began = ParseTime(lock_file.started_at);
  const std::optional<int64_t> since = ParseTime(run.started_at);
  return began.has_value() && since.has_value() && *began >= *since;
}

// Whether the living run `found` belongs to the `previous` run: an orchestr8
// started by `previous` may have its own lock file.
bool IsOf(const LockStatus& found, const std::optional<Holder>& previous) {
  return previous.has_value() && found.holder.has_value() &&
         (IsOfRun(*found.holder, *previous) ||
          DescendsFrom(found.holder->pid, previous->pid));
}

// Whether `text` begins as the JSON object of a lock file does. It may end
// early.
bool BeginsAsLockFile(absl::string_view text) {
  constexpr absl::string_view kFirst = "\"pid\"";
  text = absl::StripLeadingAsciiWhitespace(text);
  if (!absl::ConsumePrefix(&text, "{")) return false;
  text = absl::StripLeadingAsciiWhitespace(text);
  return absl::StartsWith(text, kFirst) || absl::StartsWith(kFirst, text);
}

// Whether the stale `file` was never a lock file, nor the zeros that a crash of
// the system left.
bool IsOtherText(const LockFile& file) {
  const LockStatus& found = file.lock_status;
  struct stat info;
  return !found.holder.has_value() && lstat(found.file.c_str(), &info) == 0 &&
         info.st_size > 0 && !BeginsAsLockFile(file.text) &&
         !absl::StartsWith(file.text, absl::string_view("\0", 1));
}

// Removes the stale `file`. Returns false if it is another file by now.
absl::StatusOr<bool> ClearStale(const Location& location, const LockFile& file,
                                const Predecessors& predecessors,
                                absl::string_view time,
                                ClearedLockFiles& cleared) {
  const LockStatus& found = file.lock_status;
  // The user has named this file, as for flock(1): it may be in use.
  if (!location.create_directories && IsOtherText(file)) {
    return absl::AlreadyExistsError(
        absl::StrCat("'", found.file, "' is not a lock file"));
  }
  O8LOCK_ASSIGN_OR_RETURN(const bool still,
                          MoveAsideIfStill(found.file, file.text));
  if (!still) return false;
  if (!found.holder.has_value()) {
    O8LOCK_ASSIGN_OR_RETURN(std::string kept_as,
                            Keep(found.file, ParentOf(location.guard), time));
    cleared.malformed.push_back(
        {found.file, std::move(kept_as), found.problem});
    return true;
  }
  O8LOCK_RETURN_IF_ERROR(RemoveFile(Aside(found.file)));
  if (!predecessors.previous_is_dead ||
      !IsWithin(*found.holder, *predecessors.previous)) {
    cleared.stale.push_back(found);
  }
  return true;
}

}  // namespace

void RestoreLockFiles(const Location& location) {
  for (const std::string& path : location.LockFiles()) {
    MoveBack(path).IgnoreError();
  }
}

absl::StatusOr<ClearedLockFiles> ClearLockFiles(
    const Location& location, const Predecessors& predecessors, bool displace,
    absl::string_view time) {
  ClearedLockFiles cleared;
  const std::vector<std::string> paths = location.LockFilesOfRunIn(
      predecessors.previous.has_value() ? predecessors.previous->cwd : "");
  for (size_t i = 0; i < paths.size();) {
    O8LOCK_ASSIGN_OR_RETURN(
        const LockFile file,
        DetermineLockFileStatus(paths[i], predecessors.previous_is_dead
                                              ? predecessors.previous
                                              : std::nullopt));
    const LockStatus& found = file.lock_status;
    // If this becomes false, another file is there: determine its status.
    bool is_done = true;
    if (found.state == LockState::kStale) {
      O8LOCK_ASSIGN_OR_RETURN(
          is_done, ClearStale(location, file, predecessors, time, cleared));
    } else if (found.state != LockState::kFree) {
      if (!IsOf(found, predecessors.previous) &&
          !Contains(predecessors.overriding, found)) {
        cleared.in_the_way = found;
        return cleared;
      }
      if (displace) {
        O8LOCK_ASSIGN_OR_RETURN(is_done, RemoveIfStill(paths[i], file.text));
      }
    }
    if (is_done) ++i;
  }
  return cleared;
}

absl::Status RemoveLockFiles(const Location& location, absl::string_view own,
                             std::vector<LockStatus>* ended) {
  for (const std::string& path : location.LockFiles()) {
    // Read first, and compare again when removing: other runs' files should not
    // even be moved, and the file can change between the read and the removal.
    const absl::StatusOr<std::string> read = ReadFile(path);
    // This error may be about this run's file. An unreadable file is another
    // run's.
    if (absl::IsResourceExhausted(read.status())) return read.status();
    const std::string text = read.value_or("");
    if (!own.empty() && IsSameLockFile(text, own)) {
      O8LOCK_RETURN_IF_ERROR(RemoveIfStill(path, text).status());
      continue;
    }
    // The next run waits for and keeps a file without a lock file's content.
    if (ended == nullptr || !ParseHolder(text).ok()) continue;
    O8LOCK_ASSIGN_OR_RETURN(LockFile other,
                            DetermineLockFileStatus(path, std::nullopt));
    // Older stale files were removed at the start. A younger one is this run's
    // only if its process may have begun during this run. A living process of
    // another pid namespace looks dead here.
    if (other.lock_status.state != LockState::kStale ||
        !MayHaveBegunAfter(other.lock_status.holder->pid, getpid())) {
      continue;
    }
    O8LOCK_ASSIGN_OR_RETURN(const bool still, RemoveIfStill(path, other.text));
    if (still) ended->push_back(std::move(other.lock_status));
  }
  return absl::OkStatus();
}

}  // namespace o8lock
