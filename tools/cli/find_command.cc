// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/find_command.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// Returns the files execvp() tries for `command`, in their order.
std::vector<std::string> Candidates(const std::string& command) {
  if (absl::StrContains(command, '/')) return {command};
  const char* path = getenv("PATH");
  if (path == nullptr) path = "/bin:/usr/bin";
  std::vector<std::string> names;
  for (const absl::string_view directory : absl::StrSplit(path, ':')) {
    names.push_back(
        absl::StrCat(directory.empty() ? "." : directory, "/", command));
  }
  return names;
}

// Finds the file execvp() examined under the name `command`: fills in `file`
// and returns true if it exists.
bool Find(const std::string& command, struct stat* file) {
  for (const std::string& name : Candidates(command)) {
    if (stat(name.c_str(), file) == 0 &&
        (name == command || !S_ISDIR(file->st_mode))) {
      return true;
    }
  }
  return false;
}

absl::Status NotThere(const std::string& command) {
  return absl::NotFoundError(ErrnoStatus(ENOENT, "execute", command).message());
}

}  // namespace

absl::Status ExecStatus(int error, const std::string& command) {
  struct stat file;
  const bool found = !command.empty() && Find(command, &file);
  if (error == ENOENT && found) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot execute '", command,
        "': the interpreter or loader named in the file does not exist"));
  }
  // If a directory of PATH may not be searched, execvp() returns EACCES for
  // every misspelt name.
  if (!found && !absl::StrContains(command, '/')) error = ENOENT;
  if (error == ENOENT) return NotThere(command);
  if (error == EACCES && found && S_ISDIR(file.st_mode)) error = EISDIR;
  const bool is_no_program =
      error == EACCES || error == EISDIR || error == ENOEXEC;
  return absl::Status(is_no_program ? absl::StatusCode::kPermissionDenied
                                    : absl::StatusCode::kUnknown,
                      ErrnoStatus(error, "execute", command).message());
}

absl::StatusOr<std::string> FindCommand(const std::string& command) {
  int error = ENOENT;
  bool is_there = false;
  for (const std::string& name : Candidates(command)) {
    struct stat file;
    const bool exists = stat(name.c_str(), &file) == 0;
    is_there = is_there || exists;
    if (!exists) {
      if (error == ENOENT) error = errno;
    } else if (!S_ISDIR(file.st_mode) && access(name.c_str(), X_OK) == 0) {
      return name;
    } else {
      error = EACCES;  // continue, as execvp() does
    }
  }
  // This avoids a second search of PATH: every start looks for two programs
  // that are rarely installed.
  if (!is_there && !absl::StrContains(command, '/')) return NotThere(command);
  return ExecStatus(error, command);
}

}  // namespace o8lock
