// SPDX-License-Identifier: Apache-2.0
#include "lock/arming.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "lock/access.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// The target of the link `path`; nothing if there is no such link.
std::optional<std::string> TargetOf(const std::string& path) {
  std::array<char, 64> target;
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return std::nullopt;
  return std::string(target.data(), static_cast<size_t>(size));
}

// The link to replace Location::armed. Between changes it has the other target,
// ready for the next change: creating and freeing an inode each time costs more
// than the rest of the change.
std::string SpareOf(const Location& location) {
  return location.armed + ".spare";
}

std::string StrayDirectoriesFile(const Location& location) {
  return location.armed + ".leftovers";
}

// Removes the recorded directories if they are empty, and the record of them.
void RemoveStrayDirectories(const Location& location) {
  const std::string path = StrayDirectoriesFile(location);
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return;
  std::vector<std::string> directories =
      absl::StrSplit(*text, '\0', absl::SkipEmpty());
  // The innermost first.
  std::sort(directories.rbegin(), directories.rend());
  for (const std::string& directory : directories) rmdir(directory.c_str());
  unlink(path.c_str());
}

}  // namespace

absl::Status SetArmed(const Location& location, bool armed) {
  if (location.armed.empty()) return absl::OkStatus();
  const std::string target(armed ? kLockedFile : kFreeFile);
  const std::optional<std::string> present = TargetOf(location.armed);
  if (!present.has_value() || *present == target) return absl::OkStatus();
  // Remove them before another process may add a worktree and rely on them.
  if (!armed) RemoveStrayDirectories(location);
  const std::string spare = SpareOf(location);
  // The hooks read the time of arming from the link's own time.
  if (TargetOf(spare) != target ||
      (armed &&
       utimensat(AT_FDCWD, spare.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) != 0)) {
    unlink(spare.c_str());
    if (symlink(target.c_str(), spare.c_str()) != 0) {
      return ErrnoStatus(errno, "create link", spare);
    }
  }
  if (renameat2(AT_FDCWD, spare.c_str(), AT_FDCWD, location.armed.c_str(),
                RENAME_EXCHANGE) == 0 ||
      // Some file systems, such as NFS, cannot exchange.
      rename(spare.c_str(), location.armed.c_str()) == 0) {
    return absl::OkStatus();
  }
  return ErrnoStatus(errno, absl::StrCat("rename '", spare, "' to"),
                     location.armed);
}

bool IsArmed(const Location& location) {
  return !location.armed.empty() &&
         TargetOf(location.armed) == std::string(kLockedFile);
}

absl::Status RemoveArming(const Location& location) {
  RemoveStrayDirectories(location);
  for (const std::string& link : {location.armed, SpareOf(location)}) {
    O8LOCK_RETURN_IF_ERROR(RemoveFile(link));
  }
  return absl::OkStatus();
}

absl::Status RecordStrayDirectories(
    const Location& location, const std::vector<std::string>& directories) {
  if (directories.empty()) return absl::OkStatus();
  const std::string path = StrayDirectoriesFile(location);
  O8LOCK_ASSIGN_OR_RETURN(const Fd fd,
                          OpenOrCreate(path, O_WRONLY | O_APPEND, 0666));
  // NUL ends a name. One write, so two processes' names do not mix.
  const std::string text =
      absl::StrCat(absl::StrJoin(directories, absl::string_view("\0", 1)),
                   absl::string_view("\0", 1));
  return Append(fd, text, path);
}

}  // namespace o8lock
