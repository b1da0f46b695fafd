// SPDX-License-Identifier: Apache-2.0
#include "lock/main_worktree.h"

#include <fcntl.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "lock/access.h"
#include "lock/file.h"
#include "lock/repository.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// NUL ends a path.
std::string FileOf(const std::string& common_dir) {
  return common_dir + "/o8lock/main-worktrees";
}

}  // namespace

std::vector<std::string> RecordedMainWorktrees(const std::string& common_dir) {
  std::vector<std::string> paths;
  const absl::StatusOr<std::string> text = ReadFile(FileOf(common_dir));
  if (!text.ok()) return paths;
  for (const absl::string_view path :
       absl::StrSplit(*text, '\0', absl::SkipEmpty())) {
    if (IsMainWorktree(std::string(path), common_dir)) {
      paths.emplace_back(path);
    }
  }
  return paths;
}

absl::Status RememberMainWorktree(const std::string& common_dir,
                                  const std::string& path) {
  const std::string file = FileOf(common_dir);
  O8LOCK_ASSIGN_OR_RETURN(const Fd fd,
                          OpenOrCreate(file, O_WRONLY | O_APPEND, 0666));
  return Append(fd, absl::StrCat(path, absl::string_view("\0", 1)), file);
}

}  // namespace o8lock
