// SPDX-License-Identifier: Apache-2.0
#include "lock/location.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
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
#include "lock/main_worktree.h"
#include "lock/repository.h"
#include "lock/status.h"

namespace o8lock {
namespace {

absl::StatusOr<std::string> CurrentDirectory() {
  char buffer[PATH_MAX];
  if (getcwd(buffer, sizeof(buffer)) == nullptr) {
    return absl::ErrnoToStatus(errno, "cannot get the current directory");
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
  return absl::InvalidArgumentError(
      absl::StrCat("lock name '", name,
                   "': a name consists of letters, digits, '.', '_' and '-', "
                   "and does not begin with a dot"));
}

// The name of orchestr8 4's own lock file for kOrchestr8Lock.
constexpr absl::string_view kOrchestr8Name = "murm";
// The lock orchestr8 uses. It guards worktrees.
constexpr absl::string_view kOrchestr8Lock = "parallel";

absl::Status IsAnothers(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(
      what, " is reserved: orchestr8 v4 keeps ", kOrchestr8Name,
      ".lock itself; use the lock '", kOrchestr8Lock, "' instead"));
}

// The lock of the lock file `options.lock_file`, relative to `start`.
absl::StatusOr<Location> LocateFile(const std::string& start,
                                    const LocateOptions& options) {
  const std::string& given = options.lock_file;
  const std::string path = JoinPath(start, given);
  const absl::string_view file = BaseName(path);
  if (file.empty() || file == "." || file == "..") {
    return absl::InvalidArgumentError(absl::StrCat(
        "lock file '", given, "': this is not the name of a file"));
  }
  // A repository's own lock file, given by its path, has the repository's
  // guard: one lock file, one lock.
  const absl::StatusOr<std::string> directory = Canonical(ParentOf(path));
  absl::string_view name = file;
  if (directory.ok() && absl::ConsumeSuffix(&name, ".lock")) {
    const bool is_orchestr8s = name == kOrchestr8Name;
    LocateOptions own_options;
    own_options.directory = *directory;
    own_options.name = std::string(is_orchestr8s ? kOrchestr8Lock : name);
    own_options.discovery = options.discovery;
    absl::StatusOr<Location> own = Locate(own_options);
    if (own.ok() && ParentOf(own->lock_file) == *directory) {
      if (!is_orchestr8s) return own;
      return IsAnothers(absl::StrCat("lock file '", given, "'"));
    }
  }
  Location location;
  location.lock_file = path;
  location.guard = HiddenBeside(path, ".guard");
  location.create_directories = false;
  return location;
}

// The target of `.claude` in `directory`, if it is a link out of `top`;
// otherwise empty.
std::string LeadsOutside(const std::string& directory, const std::string& top) {
  const std::string path = JoinPath(directory, ".claude");
  std::array<char, PATH_MAX> link;
  const ssize_t size = readlink(path.c_str(), link.data(), link.size());
  if (size < 0) return "";
  const absl::StatusOr<std::string> target = Canonical(path);
  const absl::string_view tree = absl::StripSuffix(top, "/");
  if (target.ok()) return IsBelow(*target, tree) ? "" : *target;
  // The use of a missing directory in this tree fails.
  std::string missing = JoinPath(
      directory, absl::string_view(link.data(), static_cast<size_t>(size)));
  const bool is_inside =
      IsBelow(missing, tree) && !absl::StrContains(missing, "..");
  return is_inside ? "" : missing;
}

std::string LockFileIn(const std::string& directory, absl::string_view name) {
  return JoinPath(directory, absl::StrCat(".claude/", name, ".lock"));
}

// Collects the lock files of external runs for one location.
class ExternalLockFiles {
 public:
  ExternalLockFiles(absl::string_view name, Location& location)
      : name_(name), location_(location) {}

  // Adds the lock files in `.claude` of `directory`, a directory of the tree
  // `top`.
  void Add(const std::string& directory, const std::string& top) {
    if (std::find(seen_.begin(), seen_.end(), directory) != seen_.end()) return;
    seen_.push_back(directory);
    if (!LeadsOutside(directory, top).empty()) return;
    AddFile(directory, name_);
    if (name_ == kOrchestr8Lock) AddFile(directory, kOrchestr8Name);
  }

 private:
  void AddFile(const std::string& directory, absl::string_view name) {
    std::string path = LockFileIn(directory, name);
    std::vector<std::string>& files = location_.external_lock_files;
    if (path != location_.lock_file &&
        std::find(files.begin(), files.end(), path) == files.end()) {
      files.push_back(std::move(path));
    }
  }

  const absl::string_view name_;
  Location& location_;
  std::vector<std::string> seen_;
};

// Fills in the files of the lock `name` of `repository`, for a caller in
// `start`.
void Describe(const Repository& repository, const std::string& start,
              const std::string& name, Location& location) {
  location.common_dir = repository.common_dir;
  location.worktree = repository.worktree;
  location.publish = repository.publish;
  location.leftovers = repository.leftovers;
  std::vector<std::string> homes;
  if (!repository.is_bare) {
    homes = RecordedMainWorktrees(repository.common_dir);
    location.is_news =
        repository.is_in_main_worktree && !repository.worktree.empty() &&
        repository.worktree != repository.main_worktree &&
        std::find(homes.begin(), homes.end(), repository.worktree) ==
            homes.end();
    if (!repository.main_worktree.empty()) {
      homes.insert(homes.begin(), repository.main_worktree);
    } else {
      // Starts use it before any main worktree is known.
      homes.push_back(repository.common_dir);
    }
    if (repository.is_in_main_worktree && !repository.worktree.empty()) {
      homes.insert(homes.begin(), repository.worktree);
    }
    if (homes[0] != repository.common_dir) location.main_worktree = homes[0];
  }
  const std::string& home = location.Home();
  location.guard =
      absl::StrCat(location.common_dir, "/o8lock/", name, ".guard");
  location.lock_file = LockFileIn(home, name);
  location.outside = LeadsOutside(home, home);
  ExternalLockFiles external_files(name, location);
  external_files.Add(home, home);
  for (const std::string& other : homes) external_files.Add(other, other);
  if (name != kOrchestr8Lock) return;
  location.armed = location.common_dir + "/o8lock/armed.inc";
  const std::string& top =
      repository.worktree.empty() ? home : repository.worktree;
  external_files.Add(top, top);
  external_files.Add(start, top);
}

}  // namespace

std::vector<std::string> Location::LockFiles() const {
  std::vector<std::string> files;
  if (outside.empty()) files.push_back(lock_file);
  files.insert(files.end(), external_lock_files.begin(),
               external_lock_files.end());
  return files;
}

std::vector<std::string> Location::LockFilesOfRunIn(
    const std::string& directory) const {
  std::vector<std::string> files = LockFiles();
  if (armed.empty() || directory.empty()) return files;
  LocateOptions options;
  options.directory = directory;
  const absl::StatusOr<Location> there = Locate(options);
  if (!there.ok() || there->common_dir != common_dir) return files;
  for (const std::string& file : there->external_lock_files) {
    if (std::find(files.begin(), files.end(), file) == files.end()) {
      files.push_back(file);
    }
  }
  return files;
}

absl::StatusOr<Location> Locate(const LocateOptions& options) {
  O8LOCK_RETURN_IF_ERROR(CheckName(options.name));
  if (options.name == kOrchestr8Name) {
    return IsAnothers(absl::StrCat("lock name '", options.name, "'"));
  }
  std::string start = options.directory;
  if (start.empty() && !absl::StartsWith(options.lock_file, "/")) {
    O8LOCK_ASSIGN_OR_RETURN(start, CurrentDirectory());
  }
  if (!options.lock_file.empty()) return LocateFile(start, options);
  O8LOCK_ASSIGN_OR_RETURN(
      const std::optional<Repository> repository,
      options.git_dir.empty()
          ? FindRepository(start, options.directory.empty(), options.discovery)
          : FindRepositoryByGitDir(options.git_dir, start));
  Location location;
  if (repository.has_value()) {
    Describe(*repository, start, options.name, location);
    return location;
  }
  location.lock_file = LockFileIn(start, options.name);
  location.guard = HiddenBeside(location.lock_file, ".guard");
  if (options.name == kOrchestr8Lock) {
    location.external_lock_files.push_back(LockFileIn(start, kOrchestr8Name));
  }
  return location;
}

}  // namespace o8lock
