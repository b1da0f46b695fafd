// SPDX-License-Identifier: Apache-2.0
#include "lock/location.h"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "lock/file.h"
#include "lock/repository.h"
#include "lock/status.h"

namespace o8lock {
namespace {

absl::StatusOr<std::string> CurrentDirectory() {
  char buffer[PATH_MAX];
  if (getcwd(buffer, sizeof(buffer)) == nullptr) {
    return absl::ErrnoToStatus(errno, "get the current directory");
  }
  return std::string(buffer);
}

absl::Status CheckName(absl::string_view name) {
  bool good = !name.empty() && name[0] != '.';
  for (const char c : name) {
    good = good && (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                    c == '.' || c == '_' || c == '-');
  }
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "lock name '", name,
      "': a name is letters, digits, '.', '_' and '-', and does not begin "
      "with a dot"));
}

// The lock of the lock file `given`, which is relative to `start`.
absl::StatusOr<Location> LocateFile(const std::string& start,
                                    const std::string& given) {
  const std::string path = JoinPath(start, given);
  const absl::string_view file = BaseName(path);
  if (file.empty() || file == "." || file == "..") {
    return absl::InvalidArgumentError(
        absl::StrCat("lock file '", given, "': this is not a file's name"));
  }
  // A repository's own, by its path, has that one's guard: one lock file, one
  // lock.
  const absl::StatusOr<std::string> directory = Canonical(ParentOf(path));
  absl::string_view name = file;
  if (directory.ok() && absl::ConsumeSuffix(&name, ".lock")) {
    absl::StatusOr<Location> own =
        Locate({*directory, std::string(name), "", ""});
    if (own.ok() && own->lock_file == JoinPath(*directory, file)) return own;
  }
  Location location;
  location.lock_file = path;
  location.guard = HiddenBeside(path, ".guard");
  location.create_directories = false;
  return location;
}

}  // namespace

std::vector<std::string> Location::LockFiles() const {
  std::vector<std::string> files = {lock_file};
  files.insert(files.end(), foreign_lock_files.begin(),
               foreign_lock_files.end());
  return files;
}

absl::StatusOr<Location> Locate(const LocateOptions& options) {
  O8LOCK_RETURN_IF_ERROR(CheckName(options.name));
  std::string start = options.directory;
  if (start.empty() && !absl::StartsWith(options.lock_file, "/")) {
    O8LOCK_ASSIGN_OR_RETURN(start, CurrentDirectory());
  }
  if (!options.lock_file.empty()) {
    return LocateFile(start, options.lock_file);
  }
  O8LOCK_ASSIGN_OR_RETURN(const std::optional<Repository> repository,
                          options.git_dir.empty()
                              ? FindRepository(start, options.directory.empty())
                              : FindRepositoryByGitDir(options.git_dir, start));
  Location location;
  const std::string file = options.name + ".lock";
  std::string home = start;
  if (repository.has_value()) {
    location.common_dir = repository->common_dir;
    location.main_worktree = repository->main_worktree;
    home = location.Home();
    location.hooks_path = repository->hooks_path;
    location.publish = repository->publish;
    location.guard =
        absl::StrCat(location.common_dir, "/o8lock/", options.name, ".guard");
  }
  const std::string directory = JoinPath(home, ".claude");
  location.lock_file = JoinPath(directory, file);
  if (location.guard.empty()) {
    location.guard = absl::StrCat(directory, "/.", file, ".guard");
  }
  // orchestr8 4 keeps its lock under another name.
  if (options.name == "parallel") {
    location.foreign_lock_files.push_back(JoinPath(directory, "murm.lock"));
    if (repository.has_value()) {
      location.armed = location.common_dir + "/o8lock/armed.inc";
    }
  }
  return location;
}

}  // namespace o8lock
