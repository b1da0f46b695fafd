// SPDX-License-Identifier: Apache-2.0
#include "lock/orchestr8_process.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "lock/file.h"
#include "lock/json.h"
#include "lock/process.h"

namespace o8lock {
namespace {

bool IsOrchestr8Name(absl::string_view name) {
  return name == "orchestr8" || name == "murmur8";
}

// Whether a process of `program` executes a script.
bool IsInterpreter(absl::string_view program) {
  return program == "node" || program == "nodejs" || program == "bun" ||
         program == "deno" || program == "perl" || program == "ruby" ||
         absl::EndsWith(program, "sh") || absl::StartsWith(program, "python");
}

// The script in an interpreter's command line, relative to `directory`: the
// first argument naming a file, except the values of options for files. Other
// options' values name no files. Empty if there is no script.
std::string ScriptOf(const std::vector<std::string>& command,
                     const std::string& directory) {
  if (command.empty() || !IsInterpreter(BaseName(command[0]))) return "";
  constexpr std::array<absl::string_view, 5> kWithFile = {
      "-r", "--require", "--import", "--loader", "--env-file"};
  for (size_t i = 1; i < command.size(); ++i) {
    std::string path = JoinPath(directory, command[i]);
    if (std::find(kWithFile.begin(), kWithFile.end(), command[i]) !=
        kWithFile.end()) {
      ++i;
    } else if (!absl::StartsWith(command[i], "-") &&
               access(path.c_str(), F_OK) == 0) {
      return path;
    }
  }
  return "";
}

}  // namespace

bool NamesOrchestr8(absl::string_view argument) {
  // A name such as @scope/orchestr8 belongs to another package.
  if (absl::StartsWith(argument, "@")) return false;
  absl::ConsumeSuffix(&argument, "/bin/cli.js");
  const absl::string_view name = BaseName(argument);
  return IsOrchestr8Name(name.substr(0, name.find_first_of("@#")));
}

std::string Orchestr8PackageOf(const std::string& path) {
  for (std::string directory = ParentOf(path); !directory.empty();
       directory = ParentOf(directory)) {
    const absl::StatusOr<std::string> text =
        ReadFile(directory + "/package.json");
    if (absl::IsNotFound(text.status())) continue;
    return text.ok() && IsOrchestr8Name(ParsePackage(*text).name) ? directory
                                                                  : "";
  }
  return "";
}

bool IsOrchestr8Process(int pid) {
  const std::vector<std::string> command = CommandOf(pid);
  if (command.empty()) return false;
  if (NamesOrchestr8(command[0])) return true;
  const std::string script = ScriptOf(command, DirectoryOf(pid));
  if (script.empty()) return false;
  return NamesOrchestr8(script) ||
         !Orchestr8PackageOf(Canonical(script).value_or("")).empty();
}

bool StartsO8lock(int pid) {
  const std::string script = ScriptOf(CommandOf(pid), DirectoryOf(pid));
  if (script.empty()) return false;
  // The script may name o8lock in a variable.
  const std::string text = absl::AsciiStrToLower(
      ReadFile(Canonical(script).value_or("")).value_or(""));
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::StrContains(line, "o8lock") &&
        (absl::StrContains(line, "$@") || absl::StrContains(line, "$*"))) {
      return true;
    }
  }
  return false;
}

}  // namespace o8lock
