// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/orchestr8_package.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "lock/file.h"
#include "lock/orchestr8_process.h"
#include "tools/cli/child.h"
#include "tools/cli/orchestr8.h"

namespace o8lock {
namespace {

// The file that `program` starts, without links; empty if there is none.
std::string FindProgram(const Orchestr8Program& program) {
  if (!program.by_package_runner) {
    return Canonical(FindCommand(program.name).value_or("")).value_or("");
  }
  std::string directory = Canonical(".").value_or("");
  for (; !directory.empty(); directory = ParentOf(directory)) {
    const std::string file =
        absl::StrCat(directory, "/node_modules/.bin/", program.name);
    if (access(file.c_str(), X_OK) == 0) return Canonical(file).value_or("");
  }
  return "";
}

bool NamesLockFile(absl::string_view text) {
  return absl::StrContains(text, "parallel.lock") ||
         absl::StrContains(text, "murm.lock");
}

bool AsksWhetherAProcessLives(absl::string_view text) {
  constexpr absl::string_view kWays[] = {
      "kill -0",      "kill -s 0", "kill -n 0", "process.kill",
      "Process.kill", "os.kill",   "ps -p",     "/proc/$"};
  return absl::c_any_of(kWays, [text](absl::string_view way) {
    return absl::StrContains(text, way);
  });
}

// Directories in a package are searched this deep.
constexpr int kDepth = 4;

// Whether a script in `directory`, or below, has the name of a lock file.
LocksItself InspectScripts(const std::string& directory, int depth) {
  LocksItself result = LocksItself::kUnknown;
  if (depth == 0) return result;
  for (const std::string& name : NamesIn(directory)) {
    const std::string path = absl::StrCat(directory, "/", name);
    LocksItself found = LocksItself::kUnknown;
    if (absl::EndsWith(name, ".js")) {
      found = NamesLockFile(ReadFile(path).value_or("")) ? LocksItself::kYes
                                                         : LocksItself::kNo;
    } else if (!absl::StrContains(name, '.')) {
      found = InspectScripts(path, depth - 1);
    }
    result = std::max(result, found);
  }
  return result;
}

LocksItself InspectPackage(const std::string& package) {
  return std::max({InspectScripts(package + "/bin", kDepth),
                   InspectScripts(package + "/lib", kDepth),
                   InspectScripts(package + "/src", kDepth)});
}

bool IsVersionManager(absl::string_view program) {
  constexpr absl::string_view kManagers[] = {
      "asdf", "fnm",        "mise", "nodenv", "nvs",        "proto",
      "rtx",  "proto-shim", "vfox", "volta",  "volta-shim",
  };
  return absl::c_linear_search(kManagers, BaseName(program));
}

// The words of a line of a shell script, as far as they need no shell to be
// told, from the program that it starts on.
std::vector<std::string> CommandIn(absl::string_view line) {
  std::vector<std::string> words;
  for (absl::string_view word :
       absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
    while (!word.empty() && absl::StrContains("\"'", word.front())) {
      word.remove_prefix(1);
    }
    while (!word.empty() && absl::StrContains("\"'", word.back())) {
      word.remove_suffix(1);
    }
    words.emplace_back(word);
  }
  if (!words.empty() && words[0] == "exec") words.erase(words.begin());
  if (!words.empty() && BaseName(words[0]) == "o8lock") {
    words.erase(words.begin(), std::find(words.begin(), words.end(), "--"));
    if (!words.empty()) words.erase(words.begin());
  }
  return words;
}

// So many scripts may start one another.
constexpr int kMaxScripts = 8;

LocksItself InspectProgram(const Orchestr8Program& program, int scripts);

// Of `text`, the script `file`, the orchestr8 that it starts; nothing: none.
std::optional<LocksItself> InspectStarted(const std::string& file,
                                          absl::string_view text, int scripts) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<std::string> command = CommandIn(line);
    if (command.empty()) continue;
    if (IsVersionManager(command[0])) return LocksItself::kUnknown;
    // Whatever it is, it gets all arguments.
    if (absl::StartsWith(command[0], "$") &&
        absl::c_linear_search(command, "$@")) {
      return LocksItself::kUnknown;
    }
    const std::optional<Orchestr8Command> started =
        ReadOrchestr8Command(command);
    if (!started.has_value()) continue;
    if (absl::StrContains(started->program.name, '$')) {
      return LocksItself::kUnknown;
    }
    const std::string other = FindProgram(started->program);
    // A usage text, or a program that is not there.
    if (other == file ||
        (other.empty() && !started->program.by_package_runner)) {
      continue;
    }
    return InspectProgram(started->program, scripts + 1);
  }
  return std::nullopt;
}

// More than a program written for this is, less than takes long to read.
constexpr size_t kMaxProgramSize = 16 << 20;

LocksItself InspectProgram(const Orchestr8Program& program, int scripts) {
  const std::string file = FindProgram(program);
  if (file.empty() || scripts > kMaxScripts) return LocksItself::kUnknown;
  const std::string package = Orchestr8PackageOf(file);
  if (!package.empty()) return InspectPackage(package);
  if (IsVersionManager(file) || BaseName(ParentOf(file)) == "shims") {
    return LocksItself::kUnknown;
  }
  const absl::StatusOr<std::string> text = ReadFile(file, kMaxProgramSize);
  if (!text.ok()) return LocksItself::kUnknown;
  if (NamesLockFile(*text) && AsksWhetherAProcessLives(*text)) {
    return LocksItself::kYes;
  }
  if (!absl::StartsWith(*text, "#!")) return LocksItself::kNo;
  return InspectStarted(file, *text, scripts).value_or(LocksItself::kNo);
}

}  // namespace

LocksItself FindOutWhetherItLocks(const Orchestr8Program& program) {
  return InspectProgram(program, /*scripts=*/0);
}

bool AsksBeforeARun(const Orchestr8Program& program) {
  const std::string package = Orchestr8PackageOf(FindProgram(program));
  return !package.empty() && InspectPackage(package) == LocksItself::kYes;
}

}  // namespace o8lock
