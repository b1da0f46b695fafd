// SPDX-License-Identifier: Apache-2.0
#include "lock/publication.h"

#include <sys/types.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/access.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock_file_status.h"
#include "lock/lock_files.h"
#include "lock/lock_status.h"
#include "lock/status.h"
#include "lock/this_run.h"

namespace o8lock {
namespace {

constexpr mode_t kMode = 0644;
constexpr int kMaxTries = 100;

}  // namespace

absl::Status Publication::Write(const Holder& holder) {
  text_ = LockFileText(holder);
  if (text_.size() > kMaxFileSize) {
    return FeaturesTooLong();
  }
  unplaced_ = HiddenBeside(location_.lock_file, ".new");
  const auto write = [this]() -> absl::Status {
    const absl::StatusOr<Fd> fd = CreateFresh(unplaced_, kMode);
    if (!fd.ok()) return fd.status();
    O8LOCK_RETURN_IF_ERROR(InheritAccess(*fd, unplaced_, kMode));
    return Overwrite(*fd, text_, unplaced_);
  };
  absl::Status status = write();
  // More than once: another run's end may remove the directory it has created.
  for (int i = 0; i < kMaxTries && absl::IsNotFound(status) &&
                  location_.create_directories;
       ++i) {
    O8LOCK_RETURN_IF_ERROR(
        MakeDirectory(ParentOf(location_.lock_file), &made_directory_));
    status = write();
  }
  return status;
}

absl::Status Publication::Place() {
  O8LOCK_RETURN_IF_ERROR(RenameToNewName(unplaced_, location_.lock_file));
  unplaced_.clear();
  is_placed_ = true;
  return absl::OkStatus();
}

absl::Status Publication::WriteAndPlace(const Holder& holder) {
  absl::Status status = Write(holder);
  if (status.ok()) status = Place();
  status.Update(RemoveUnplaced());
  return status;
}

absl::Status Publication::RemoveUnplaced() {
  if (unplaced_.empty()) return absl::OkStatus();
  O8LOCK_RETURN_IF_ERROR(RemoveFile(unplaced_));
  unplaced_.clear();
  return absl::OkStatus();
}

absl::Status Publication::Remove(std::vector<LockStatus>* ended) {
  O8LOCK_RETURN_IF_ERROR(RemoveUnplaced());
  O8LOCK_RETURN_IF_ERROR(
      RemoveLockFiles(location_, is_placed_ ? text_ : "", ended));
  // Fails if others have put files there: then the directory is theirs.
  if (made_directory_) rmdir(ParentOf(location_.lock_file).c_str());
  return absl::OkStatus();
}

bool Publication::IsAt(const std::string& path) const {
  return IsSameLockFile(ReadFile(path).value_or(""), text_);
}

bool Publication::IsInPlace() const { return IsAt(location_.lock_file); }

}  // namespace o8lock
