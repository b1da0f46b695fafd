// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/orchestr8_package.h"

#include <sys/stat.h>
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
#include "tools/cli/find_command.h"
#include "tools/cli/orchestr8.h"

namespace o8lock {
namespace {

// Returns the file an interpreter executes as `name`, without symbolic links.
// The file need not be executable. For node the name may lack its suffix or be
// a package's directory, represented by its package.json. Empty if there is no
// such file.
std::string FindScript(const std::string& name) {
  absl::StatusOr<std::string> file = Canonical(name);
  if (!file.ok()) file = Canonical(name + ".js");
  if (!file.ok()) return "";
  struct stat info;
  if (stat(file->c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    file = Canonical(*file + "/package.json");
  }
  return file.value_or("");
}

bool NamesLockFile(absl::string_view text) {
  return absl::StrContains(text, "parallel.lock") ||
         absl::StrContains(text, "murm.lock");
}

// Returns whether a statement of a program sends signal 0 to a process, to
// check that it exists.
bool SendsSignalZero(absl::string_view statement) {
  const std::vector<absl::string_view> words = absl::StrSplit(
      statement, absl::ByAnyChar(" \t\"'`,()[]{}="), absl::SkipEmpty());
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (!absl::EndsWith(words[i], "kill")) continue;
    const bool is_shells = words[i] == "kill";
    for (size_t j = i + 1; j < words.size(); ++j) {
      // The shell's `kill 0` ends a process group.
      if (words[j] == "-0" || (words[j] == "0" && !(is_shells && j == i + 1))) {
        return true;
      }
    }
  }
  return false;
}

bool AsksWhetherAProcessLives(absl::string_view text) {
  if (absl::StrContains(text, "process.kill") ||
      absl::StrContains(text, "os.kill")) {
    return true;
  }
  return absl::c_any_of(absl::StrSplit(text, absl::ByAnyChar("\n;")),
                        [](absl::string_view statement) {
                          return SendsSignalZero(statement) ||
                                 (absl::StrContains(statement, "ps -p") &&
                                  absl::StrContains(statement, "/dev/null"));
                        });
}

LocksItself InspectText(absl::string_view text) {
  return NamesLockFile(text) ? LocksItself::kYes : LocksItself::kNo;
}

bool IsScript(absl::string_view name) {
  return absl::EndsWith(name, ".js") || absl::EndsWith(name, ".cjs") ||
         absl::EndsWith(name, ".mjs");
}

// The maximum depth of a search in a package.
constexpr int kDepth = 4;

// Returns whether a script in `directory`, or below, contains the name of a
// lock file. Ignores developers' files and nested packages.
LocksItself InspectPackage(const std::string& directory, int depth = kDepth) {
  LocksItself result = LocksItself::kUnknown;
  if (depth == 0) return result;
  for (const std::string& name : NamesIn(directory)) {
    if (name == "node_modules" || name == "test" || name == "tests") continue;
    const bool has_ending = absl::StrContains(name, '.');
    if (has_ending && !IsScript(name)) continue;
    const std::string path = absl::StrCat(directory, "/", name);
    const absl::StatusOr<std::string> text = ReadFile(path);
    LocksItself found = LocksItself::kUnknown;
    if (text.ok() && (has_ending || absl::StartsWith(*text, "#!"))) {
      found = InspectText(*text);
    } else if (!has_ending) {
      found = InspectPackage(path, depth - 1);
    }
    result = std::max(result, found);
    if (result == LocksItself::kYes) break;
  }
  return result;
}

bool IsVersionManager(absl::string_view program) {
  constexpr absl::string_view kManagers[] = {
      "asdf", "fnm",        "mise", "nodenv", "nvs",        "proto",
      "rtx",  "proto-shim", "vfox", "volta",  "volta-shim",
  };
  return absl::c_linear_search(kManagers, BaseName(program));
}

// Returns the words of a line of a shell script, as far as they are known
// without a shell.
std::vector<std::string> WordsOf(absl::string_view line) {
  std::vector<std::string> words;
  for (absl::string_view word :
       absl::StrSplit(line, absl::ByAnyChar(" \t;&|"), absl::SkipEmpty())) {
    while (!word.empty() && absl::StrContains("\"'", word.front())) {
      word.remove_prefix(1);
    }
    while (!word.empty() && absl::StrContains("\"'", word.back())) {
      word.remove_suffix(1);
    }
    words.emplace_back(word);
  }
  return words;
}

bool IsPackageRunner(absl::string_view word) {
  constexpr absl::string_view kRunners[] = {"npx",  "npm", "pnpm", "pnpx",
                                            "yarn", "bun", "bunx"};
  return absl::c_linear_search(kRunners, BaseName(word));
}

// Returns whether `word` is the path of a file of an orchestr8, as node is
// given it.
bool IsInOrchestr8(const std::string& word) {
  return absl::StrContains(word, '/') &&
         !Orchestr8PackageOf(Canonical(word).value_or("")).empty();
}

// The maximum number of scripts that start one another.
constexpr int kMaxScripts = 8;

LocksItself InspectProgram(const Orchestr8Program& program, int scripts);

// Returns the result for the orchestr8 that a line of the script `file` starts
// with all arguments of the script. `words` are the line's words. Returns
// nothing if they start no orchestr8.
std::optional<LocksItself> InspectStarted(const std::string& file,
                                          const std::vector<std::string>& words,
                                          int scripts) {
  if (!absl::c_linear_search(words, "$@") &&
      !absl::c_linear_search(words, "$*")) {
    return std::nullopt;
  }
  // An unknown program.
  if (words.size() == 3 && words[0] == "exec" &&
      absl::StartsWith(words[1], "$")) {
    return LocksItself::kUnknown;
  }
  bool by_package_runner = false;
  for (const std::string& word : words) {
    if (IsVersionManager(word)) return LocksItself::kUnknown;
    by_package_runner = by_package_runner || IsPackageRunner(word);
    if (!NamesOrchestr8(word) && !IsInOrchestr8(word)) continue;
    if (absl::StrContains(word, '$')) return LocksItself::kUnknown;
    const Orchestr8Program started = {word, by_package_runner};
    const std::string other = FindProgram(started);
    // The script mentions its own name, or a program that does not exist.
    if (other == file || (other.empty() && !by_package_runner)) continue;
    return InspectProgram(started, scripts + 1);
  }
  return std::nullopt;
}

// More than any script of this kind needs, and still fast to read.
constexpr size_t kMaxProgramSize = 16 << 20;

// Returns the package of the program `file`. Empty if there is no package.
std::string PackageOf(const std::string& file) {
  std::string package = Orchestr8PackageOf(file);
  const std::string directory = ParentOf(file);
  // pnpm writes a script there instead of a link.
  if (package.empty() && BaseName(directory) == ".bin") {
    const std::string beside =
        absl::StrCat(ParentOf(directory), "/", BaseName(file), "/package.json");
    package = Orchestr8PackageOf(Canonical(beside).value_or(""));
  }
  return package;
}

LocksItself InspectProgram(const Orchestr8Program& program, int scripts) {
  const std::string file = FindProgram(program);
  if (file.empty() || scripts > kMaxScripts) return LocksItself::kUnknown;
  const std::string package = PackageOf(file);
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
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    const std::optional<LocksItself> started =
        InspectStarted(file, WordsOf(line), scripts);
    if (started.has_value()) return *started;
  }
  return LocksItself::kNo;
}

}  // namespace

std::string FindProgram(const Orchestr8Program& program) {
  // A runner may be given a directory.
  if (!program.by_package_runner || absl::StrContains(program.name, '/')) {
    const absl::StatusOr<std::string> found = FindCommand(program.name);
    return FindScript(found.ok() ? *found : program.name);
  }
  std::string directory = Canonical(".").value_or("");
  for (; !directory.empty(); directory = ParentOf(directory)) {
    const std::string file =
        absl::StrCat(directory, "/node_modules/.bin/", program.name);
    if (access(file.c_str(), X_OK) == 0) return Canonical(file).value_or("");
  }
  return "";
}

LocksItself FindOutWhetherItLocks(const Orchestr8Program& program) {
  return InspectProgram(program, /*scripts=*/0);
}

bool BelongsToOrchestr8(const Orchestr8Program& program) {
  return !PackageOf(FindProgram(program)).empty();
}

bool AsksBeforeARun(const Orchestr8Program& program) {
  const std::string package = PackageOf(FindProgram(program));
  return !package.empty() && InspectPackage(package) == LocksItself::kYes;
}

}  // namespace o8lock
