// SPDX-License-Identifier: Apache-2.0
#include "hooks/program.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/files.h"
#include "hooks/git.h"
#include "hooks/layout.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/process.h"
#include "lock/status.h"
#include "lock/version.h"

namespace o8lock {
namespace {

// Whether `path` may disappear while o8lock stays installed.
bool IsFleeting(const std::string& path) {
  return absl::StrContains(path, "/bazel-out/") ||
         absl::StrContains(path, "/node_modules/") ||
         absl::StrContains(path, "/_npx/");
}

// The first bytes of `program`, which identify its kind of machine.
std::string HeadOf(const std::string& program) {
  constexpr size_t kHead = 20;
  std::string head(kHead, '\0');
  const absl::StatusOr<Fd> fd = OpenAwaitingLease(program, O_RDONLY);
  if (!fd.ok() || read(fd->get(), &head[0], kHead) != ssize_t{kHead}) return "";
  return head;
}

// The numbers of `version`, such as "0.2.0".
std::vector<int> NumbersOf(absl::string_view version) {
  std::vector<int> numbers;
  for (const absl::string_view part : absl::StrSplit(version, '.')) {
    int number = 0;
    static_cast<void>(absl::SimpleAtoi(part, &number));
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

std::string StampOf(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return "-";
  return absl::StrCat(info.st_mtim.tv_sec, ".", info.st_mtim.tv_nsec);
}

absl::StatusOr<std::string> InstallStableCopy(const Location& location,
                                              const std::string& program) {
  return IsFleeting(program) || IsFleeting(Canonical(program).value_or(""))
             ? InstallCopy(location, program)
             : program;
}

absl::StatusOr<std::string> InstallCopy(const Location& location,
                                        const std::string& program) {
  std::string copy = OwnCopy(location.common_dir);
  if (program == copy) return copy;
  O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(OwnDirectory(location)));
  O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(OwnBin(location.common_dir)));
  O8LOCK_ASSIGN_OR_RETURN(const std::string file, Canonical(program));
  O8LOCK_ASSIGN_OR_RETURN(const std::string content,
                          ReadFile(file, std::numeric_limits<size_t>::max()));
  O8LOCK_RETURN_IF_ERROR(PutFile(copy, content, 0755));
  return copy;
}

std::string AskVersion(const std::string& program) {
  const absl::StatusOr<ProgramResult> result =
      RunProgram({program, "--version"});
  // "o8lock 0.1.0", or "o8lock 0.1.0 (1bfdd47)".
  if (!result.ok() || result->exit_code != 0) return "";
  absl::string_view version = result->out;
  if (!absl::ConsumePrefix(&version, "o8lock ")) return "";
  return std::string(version.substr(0, version.find_first_of(" \n")));
}

bool IsOlder(const std::string& program) {
  struct stat info;
  struct stat own;
  if (stat(program.c_str(), &info) != 0 ||
      stat(OwnProgram().c_str(), &own) != 0 || info.st_size == own.st_size) {
    return false;
  }
  return NumbersOf(AskVersion(program)) < NumbersOf(kVersion);
}

bool Starts(const std::string& program, const std::string& started) {
  const std::string own = OwnProgram();
  return (!own.empty() && Canonical(program).value_or("") == own) ||
         (StampOf(program) == started && HeadOf(program) == HeadOf(own)) ||
         !AskVersion(program).empty();
}

}  // namespace o8lock
