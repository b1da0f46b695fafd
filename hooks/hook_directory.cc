// SPDX-License-Identifier: Apache-2.0
#include "hooks/hook_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hooks/files.h"
#include "hooks/git_settings.h"
#include "hooks/hook_scripts.h"
#include "hooks/layout.h"
#include "lock/access.h"
#include "lock/file.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// Whether `path`, in a directory of stand-ins, belongs to another program.
// o8lock puts no link in the place of a stand-in.
bool IsUserHook(const std::string& path) {
  const absl::string_view name = BaseName(path);
  if (absl::StartsWith(name, kFresh)) return false;
  if (IsLink(path)) return absl::c_linear_search(kHookNames, name);
  return FileExists(path) && !IsStandIn(ReadFile(path).value_or(""));
}

// Prepares the user hook `path` for moving: removes o8lock's lines from it, and
// makes a relative link absolute if its target exists.
absl::Status Detach(const std::string& path) {
  if (IsLink(path)) {
    std::error_code error;
    const std::string target = std::filesystem::read_symlink(path, error);
    return FileExists(JoinPath(ParentOf(path), target))
               ? PutLink(path, JoinPath(ParentOf(path), target))
               : absl::OkStatus();
  }
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return absl::OkStatus();  // a directory
  const std::string rest = WithoutStandIn(*text);
  return rest == *text ? absl::OkStatus() : PutFile(path, rest, 0755);
}

// Moves `from` to `to`, even to another file system. On failure removes `to`.
absl::Status Move(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  int error = errno;
  if (error == EXDEV) {
    namespace fs = std::filesystem;
    std::error_code copied;
    fs::copy(from, to,
             fs::copy_options::recursive | fs::copy_options::copy_symlinks |
                 fs::copy_options::overwrite_existing,
             copied);
    if (!copied) return RemoveTree(from);
    error = copied.value();
    // The next call would take a partial copy for another program's file.
    RemoveTree(to).IgnoreError();
  }
  return absl::AbortedError(
      ErrnoStatus(error, absl::StrCat("move '", from, "' to"), to).message());
}

// Moves the user hook `mine` to `real`, or puts it beside. Errors: as
// MoveUserHooks.
absl::Status Place(const std::string& mine, const std::string& real) {
  O8LOCK_RETURN_IF_ERROR(Detach(mine));
  if (!FileExists(real)) return Move(mine, real);
  if (IsSame(mine, real) ||
      // Equal except for o8lock's line.
      (ReadFile(mine).ok() &&
       *ReadFile(mine) == WithoutOurLine(ReadFile(real).value_or("")))) {
    return RemoveTree(mine);
  }
  std::string aside = absl::StrCat(real, kPutAside);
  for (int n = 2; FileExists(aside) && !IsSame(mine, aside); ++n) {
    aside = absl::StrCat(real, ".", n, kPutAside);
  }
  O8LOCK_RETURN_IF_ERROR(Move(mine, aside));
  return absl::AlreadyExistsError(
      absl::StrCat("'", aside, "' was added during a run beside '", real,
                   "', and git does not call it"));
}

// Removes the stand-ins in `directory`.
void RemoveStandIns(const std::string& directory) {
  if (IsLink(directory)) return;
  for (const absl::string_view name : kHookNames) {
    const std::string path = absl::StrCat(directory, "/", name);
    if (!IsLink(path) && IsStandIn(ReadFile(path).value_or(""))) {
      unlink(path.c_str());
    }
  }
}

}  // namespace

absl::Status PutHooks(const std::string& own, const HooksPath& path) {
  if (IsLink(own)) return WrongKind(own, "a directory");
  std::set<std::string> names;
  for (const std::string& name : NamesIn(own)) {
    if (IsUserHook(absl::StrCat(own, "/", name))) names.insert(name);
  }
  for (const absl::string_view name : kHookNames) {
    if (!names.emplace(name).second) continue;
    O8LOCK_RETURN_IF_ERROR(
        PutFile(absl::StrCat(own, "/", name), StandInText(), 0755));
  }
  for (const std::string& name : NamesIn(path.directory)) {
    // Skips names with these suffixes. An installer that renames a stand-in
    // must find the name free. A hook calling such a file looks beside itself.
    if (absl::EndsWith(name, kOld) || absl::EndsWith(name, kLegacy)) continue;
    if (!names.insert(name).second) continue;
    O8LOCK_RETURN_IF_ERROR(PutLink(absl::StrCat(own, "/", name),
                                   absl::StrCat(path.directory, "/", name)));
  }
  // Removes links to files no longer there, and stand-ins renamed by another
  // program's installer.
  for (const std::string& name : NamesIn(own)) {
    if (names.count(name) == 0 && !absl::StartsWith(name, kFresh)) {
      O8LOCK_RETURN_IF_ERROR(RemoveFile(absl::StrCat(own, "/", name)));
    }
  }
  return absl::OkStatus();
}

absl::Status MoveUserHooks(const std::string& own,
                           const std::string& directory) {
  if (IsLink(own)) {
    const absl::StatusOr<std::string> target = Canonical(own);
    const bool is_users =
        target.ok() && *target == Canonical(directory).value_or("");
    return is_users ? RemoveFile(own) : Place(own, directory);
  }
  absl::Status result;
  for (const std::string& name : NamesIn(own)) {
    const std::string mine = absl::StrCat(own, "/", name);
    if (!IsUserHook(mine)) continue;
    // If this fails, the following move reports the reason.
    MakeDirectory(directory).IgnoreError();
    const absl::Status placed = Place(mine, absl::StrCat(directory, "/", name));
    // A file that stays is a worse result than a file put aside.
    if (result.ok() || (absl::IsAlreadyExists(result) && !placed.ok())) {
      result = placed;
    }
  }
  // A manager would take these for the user's hooks and back them up.
  for (const std::string& name : NamesIn(directory)) {
    RemoveStandIns(absl::StrCat(directory, "/", name));
  }
  return result;
}

absl::Status RemoveHooks(const std::string& own, const std::string& directory) {
  absl::Status moved = MoveUserHooks(own, directory);
  if (IsLink(own)) return moved;
  for (const std::string& name : NamesIn(own)) {
    const std::string path = absl::StrCat(own, "/", name);
    if (!IsUserHook(path)) O8LOCK_RETURN_IF_ERROR(RemoveFile(path));
  }
  rmdir(own.c_str());
  return moved;
}

std::string ChangesIn(const std::string& own) {
  uint64_t sum = 0;
  const auto add = [&sum](const std::string& path) {
    struct stat info;
    if (lstat(path.c_str(), &info) != 0) return;
    // Unlike st_mtim, no program can set it to an arbitrary time.
    sum += static_cast<uint64_t>(info.st_ctim.tv_sec) * 1000000000 +
           static_cast<uint64_t>(info.st_ctim.tv_nsec);
  };
  add(own);  // changes with its names
  for (const absl::string_view name : kHookNames) {
    add(absl::StrCat(own, "/", name));
  }
  return absl::StrCat(sum);
}

std::vector<std::string> PutAside(const std::string& own,
                                  const std::string& directory) {
  std::vector<std::string> paths;
  for (const std::string& name : NamesIn(directory)) {
    if (absl::EndsWith(name, kPutAside)) {
      paths.push_back(absl::StrCat(directory, "/", name));
    }
  }
  for (const std::string& name : NamesIn(own)) {
    std::string path = absl::StrCat(own, "/", name);
    if (IsUserHook(path)) paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace o8lock
