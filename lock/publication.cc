// SPDX-License-Identifier: Apache-2.0
#include "lock/publication.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "lock/file.h"
#include "lock/guard.h"
#include "lock/holder.h"
#include "lock/inspection.h"
#include "lock/location.h"
#include "lock/lock_files.h"
#include "lock/status.h"
#include "lock/this_run.h"

namespace o8lock {
namespace {

constexpr mode_t kMode = 0644;
constexpr int kMaxTries = 100;

// Sees to it that git does not show the lock file as a change of the worktree.
absl::Status Exclude(const Location& location) {
  if (location.main_worktree.empty()) return absl::OkStatus();
  const std::string info = location.common_dir + "/info";
  const std::string path = info + "/exclude";
  const std::string lock_file =
      location.lock_file.substr(location.main_worktree.size());
  const std::string patterns[] = {lock_file, HiddenBeside(lock_file, ".*")};
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

}  // namespace

absl::Status Publication::Write(const Holder& holder) {
  O8LOCK_RETURN_IF_ERROR(Exclude(location_));
  text_ = LockFileText(holder);
  if (text_.size() > kMaxFileSize) {
    return FeaturesTooLong();
  }
  unplaced_ = HiddenBeside(location_.lock_file, ".new");
  const auto write = [this] {
    const absl::StatusOr<Fd> fd = CreateFresh(unplaced_, kMode);
    return fd.ok() ? Overwrite(*fd, text_, unplaced_) : fd.status();
  };
  absl::Status status = write();
  // More than once: the end of a run with another name may remove the directory
  // that it created.
  for (int i = 0; i < kMaxTries && absl::IsNotFound(status) &&
                  location_.create_directories;
       ++i) {
    O8LOCK_RETURN_IF_ERROR(
        MakeSharedDirectory(ParentOf(location_.lock_file), &made_directory_));
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

absl::Status Publication::RemoveUnplaced() {
  if (unplaced_.empty()) return absl::OkStatus();
  O8LOCK_RETURN_IF_ERROR(RemoveFile(unplaced_));
  unplaced_.clear();
  return absl::OkStatus();
}

absl::Status Publication::Remove(std::vector<Inspection>* ended) {
  O8LOCK_RETURN_IF_ERROR(RemoveUnplaced());
  O8LOCK_RETURN_IF_ERROR(
      RemoveLockFiles(location_, is_placed_ ? text_ : "", ended));
  // Fails where others put something there: it is theirs now.
  if (made_directory_) rmdir(ParentOf(location_.lock_file).c_str());
  return absl::OkStatus();
}

bool Publication::IsAt(const std::string& path) const {
  return ReadFile(path).value_or("") == text_;
}

bool Publication::IsInPlace() const { return IsAt(location_.lock_file); }

}  // namespace o8lock
