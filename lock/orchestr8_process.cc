// SPDX-License-Identifier: Apache-2.0
#include "lock/orchestr8_process.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
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

// Whether a process of that program executes a script.
bool IsInterpreter(absl::string_view program) {
  return program == "node" || program == "nodejs" || program == "bun" ||
         program == "deno" || absl::EndsWith(program, "sh") ||
         absl::StartsWith(program, "python");
}

// The script in an interpreter's command line; empty if there is none.
std::string ScriptOf(const std::vector<std::string>& command) {
  constexpr std::array<absl::string_view, 4> kWithValue = {
      "-r", "--require", "--import", "--loader"};
  for (size_t i = 1; i < command.size(); ++i) {
    if (!absl::StartsWith(command[i], "-")) return command[i];
    if (std::find(kWithValue.begin(), kWithValue.end(), command[i]) !=
        kWithValue.end()) {
      ++i;
    }
  }
  return "";
}

}  // namespace

bool NamesOrchestr8(absl::string_view argument) {
  // Another's @scope/orchestr8.
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
    return text.ok() && IsOrchestr8Name(ParsePackageName(*text)) ? directory
                                                                 : "";
  }
  return "";
}

bool IsOrchestr8Process(int pid) {
  const std::vector<std::string> command = CommandOf(pid);
  if (command.empty()) return false;
  if (NamesOrchestr8(command[0])) return true;
  if (!IsInterpreter(BaseName(command[0]))) return false;
  std::string script = ScriptOf(command);
  if (script.empty()) return false;
  if (NamesOrchestr8(script)) return true;
  if (!absl::StartsWith(script, "/")) {
    script = absl::StrCat(DirectoryOf(pid), "/", script);
  }
  return !Orchestr8PackageOf(Canonical(script).value_or("")).empty();
}

}  // namespace o8lock
