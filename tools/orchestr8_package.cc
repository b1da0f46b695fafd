// SPDX-License-Identifier: Apache-2.0
#include "tools/orchestr8_package.h"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "lock/file.h"
#include "tools/child.h"
#include "tools/orchestr8.h"

namespace o8lock {
namespace {

// The file that `program` starts; empty if there is none.
std::string FindProgram(const Orchestr8Program& program) {
  if (!program.by_package_runner) return FindCommand(program.name).value_or("");
  std::string directory = Canonical(".").value_or("");
  for (; !directory.empty(); directory = ParentOf(directory)) {
    std::string file =
        absl::StrCat(directory, "/node_modules/.bin/", program.name);
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

// Of what is below the directory of a package this deep is looked at.
constexpr int kDepth = 4;

// Whether a script in `directory`, or below, has the name of a lock file.
LocksItself LookInto(const std::string& directory, int depth) {
  LocksItself result = LocksItself::kUnknown;
  if (depth == 0) return result;
  for (const std::string& name : NamesIn(directory)) {
    const std::string path = absl::StrCat(directory, "/", name);
    LocksItself found = LocksItself::kUnknown;
    if (absl::EndsWith(name, ".js")) {
      const std::string text = ReadFile(path).value_or("");
      found = absl::StrContains(text, "parallel.lock") ||
                      absl::StrContains(text, "murm.lock")
                  ? LocksItself::kYes
                  : LocksItself::kNo;
    } else if (!absl::StrContains(name, '.')) {
      found = LookInto(path, depth - 1);
    }
    result = std::max(result, found);
  }
  return result;
}

}  // namespace

LocksItself FindOutWhetherItLocks(const Orchestr8Program& program) {
  const std::string file = Canonical(FindProgram(program)).value_or("");
  if (file.empty()) return LocksItself::kUnknown;
  const std::string package = ParentOf(ParentOf(file));
  if (access((package + "/package.json").c_str(), F_OK) != 0) {
    return LocksItself::kUnknown;
  }
  return std::max(LookInto(package + "/bin", kDepth),
                  LookInto(package + "/src", kDepth));
}

}  // namespace o8lock
