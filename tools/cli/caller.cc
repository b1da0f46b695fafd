// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/caller.h"

#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tools/cli/text.h"

namespace o8lock {
namespace {

struct Caller {
  std::string program;  // a label; empty: not `bazel run`
  std::string target;   // a label; empty: not an o8lock_run
  int arguments = 0;    // of `target`
};

Caller& TheCaller() {
  static auto& caller = *new Caller;
  return caller;
}

std::string Take(const char* variable) {
  const char* value = getenv(variable);
  if (value == nullptr) return "";
  std::string taken = value;
  unsetenv(variable);
  return taken;
}

}  // namespace

void ReadCaller() {
  Caller& caller = TheCaller();
  caller.program = Take("O8LOCK_BAZEL_PROGRAM");
  const std::string target = Take("O8LOCK_BAZEL_TARGET");
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(target, absl::MaxSplits(' ', 1));
  if (absl::SimpleAtoi(parts.first, &caller.arguments) &&
      caller.arguments >= 0) {
    caller.target = std::string(parts.second);
  }
}

std::vector<std::string> OwnArguments(const std::string& program) {
  const std::string& label = TheCaller().program;
  if (label.empty()) return {program};
  return {"bazel", "run", label, "--"};
}

std::string OwnCommand(absl::string_view arguments) {
  return absl::StrCat(ShellQuoted(OwnArguments()), " ", arguments);
}

std::vector<std::string> BazelRunAgain(
    const std::vector<std::string>& command) {
  const Caller& caller = TheCaller();
  if (caller.target.empty() ||
      command.size() < static_cast<size_t>(caller.arguments))
    return {};
  std::vector<std::string> result = {"bazel", "run", caller.target, "--"};
  result.insert(result.end(), command.end() - caller.arguments, command.end());
  return result;
}

}  // namespace o8lock
