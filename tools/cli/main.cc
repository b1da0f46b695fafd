// SPDX-License-Identifier: Apache-2.0
//
// o8lock: runs a command while no other run holds the same lock.
#include <sys/auxv.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hooks/hook_call.h"
#include "lock/file.h"
#include "lock/process.h"
#include "lock/version.h"
#include "tools/cli/caller.h"
#include "tools/cli/child.h"
#include "tools/cli/doctor_command.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/hooks_command.h"
#include "tools/cli/locate.h"
#include "tools/cli/options.h"
#include "tools/cli/output.h"
#include "tools/cli/run.h"
#include "tools/cli/stamp.h"
#include "tools/cli/status_command.h"
#include "tools/cli/unlock_command.h"

namespace o8lock {
namespace {

// Returns the hook this program is called as, through a link of that name.
// o8lock 0.1.0 made such links, and the next run replaces them. Empty if it is
// not called as a hook.
std::string HookName(absl::string_view program) {
  return BaseName(program) == kReferenceTransaction
             ? std::string(kReferenceTransaction)
             : "";
}

// Returns " (1bfdd47)", or nothing if the build did not get the commit.
std::string CommitText() {
  const absl::string_view commit = kCommit;
  return commit.empty() || commit == "0" ? "" : absl::StrCat(" (", commit, ")");
}

int Main(char* const argv[]) {
  const int64_t started = NowNanoseconds();
  ReadCaller();
  const std::string hook = HookName(argv[0]);
  if (getauxval(AT_SECURE) != 0) {
    if (!hook.empty()) return kSuccess;  // git has to continue
    return Fail("o8lock must not have more privileges than its caller",
                "remove the set-user-ID bit, the set-group-ID bit and the "
                "capabilities from the program file",
                kOsError);
  }
  // Without them the lock's own file could become the command's input.
  const absl::Status descriptors = EnsureStandardDescriptors();
  if (!descriptors.ok()) return Fail(descriptors.message(), "", kOsError);
  if (!hook.empty()) {
    std::vector<std::string> args;
    for (int i = 1; argv[i] != nullptr; ++i) args.emplace_back(argv[i]);
    return RunHook(hook, args, OwnTokens());
  }
  Options options;
  if (const auto error = ParseOptions(argv, options)) {
    return Fail(error->problem, error->hint, kUsage);
  }
  switch (options.action) {
    case Action::kHelp:
      PrintOut(options.help);
      return kSuccess;
    case Action::kVersion:
      PrintOut(absl::StrCat("o8lock ", kVersion, CommitText(), "\n"));
      return kSuccess;
    case Action::kStatus:
      return StatusCommand(options);
    case Action::kUnlock:
      return UnlockCommand(options, started);
    case Action::kDoctor:
      return DoctorCommand(options);
    case Action::kHooksInstall:
    case Action::kHooksUninstall:
    case Action::kHooksStatus:
      return HooksCommand(options);
    case Action::kHooksRun:
      return RunHook(options.command[0],
                     {options.command.begin() + 1, options.command.end()},
                     OwnTokens());
    case Action::kRun:
      return Run(std::move(options), argv[0], started);
  }
  return kUsage;
}

}  // namespace
}  // namespace o8lock

int main(int, char* argv[]) {
  return o8lock::FailIfIncomplete(o8lock::Main(argv));
}
