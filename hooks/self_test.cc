// SPDX-License-Identifier: Apache-2.0
#include "hooks/self_test.h"

#include <string>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hooks/files.h"
#include "hooks/git.h"
#include "hooks/hooks_state.h"
#include "hooks/layout.h"
#include "lock/location.h"
#include "lock/status.h"

namespace o8lock {

absl::Status TryUsersHook(const Location& location, Mechanism mechanism,
                          const std::string& directory) {
  // One that has no other command of the user's, who may do without Perforce.
  constexpr char kHook[] = "p4-post-changelist";
  constexpr int kCalled = 42;
  const absl::Cleanup remove = [&directory] {
    RemoveTree(directory).IgnoreError();
  };
  O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(directory));
  const std::string hook = absl::StrCat(directory, "/", kHook);
  O8LOCK_RETURN_IF_ERROR(
      PutFile(hook, absl::StrCat("#!/bin/sh\nexit ", kCalled, "\n"), 0755));
  // Mounted noexec: hooks that are settings need no file there.
  if (!IsExecutable(hook)) return absl::OkStatus();
  std::vector<std::string> words = {"-c", "core.hooksPath=" + directory};
  if (mechanism == Mechanism::kConfig) {
    words.insert(words.end(), {"hook", "run", kHook});
  } else {
    words.insert(
        words.end(),
        {"-c", "alias.o8lock-self-test=!f() { \"$1\"; }; f", "o8lock-self-test",
         absl::StrCat(OwnHooks(location), "/", kHook)});
  }
  O8LOCK_ASSIGN_OR_RETURN(const ProgramResult result, RunGit(location, words));
  if (result.exit_code == kCalled) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("a hook of the user's was not called while the lock was "
                   "taken: exit code ",
                   result.exit_code, ", ", result.err));
}

}  // namespace o8lock
