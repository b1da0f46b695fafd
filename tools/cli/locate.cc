// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/locate.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "lock/location.h"
#include "tools/cli/error_text.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/options.h"
#include "tools/cli/output.h"
#include "tools/cli/survey.h"

namespace o8lock {

absl::StatusOr<Location> LocateLock(const Options& options) {
  LocateOptions locate;
  locate.name = options.name;
  locate.lock_file = options.lock_file;
  return Locate(locate);
}

std::string NameOf(const Options& options) {
  return options.lock_file.empty() ? options.name : "";
}

std::vector<std::string> OwnTokens() {
  std::vector<std::string> tokens;
  // Of a variable that is there twice getenv(3) tells one.
  for (char** variable = environ; *variable != nullptr; ++variable) {
    absl::string_view text = *variable;
    if (!absl::ConsumePrefix(&text, kRunVariable) ||
        !absl::ConsumePrefix(&text, "=")) {
      continue;
    }
    for (const absl::string_view token :
         absl::StrSplit(text, ':', absl::SkipEmpty())) {
      tokens.emplace_back(token);
    }
  }
  return tokens;
}

int FailToLocate(const absl::Status& error) {
  if (!absl::IsFailedPrecondition(error)) return FailToLock(error);
  return Fail(error.message(), "nothing was run; git cannot use that either",
              kCannotCreate);
}

int FailToLock(const absl::Status& error) {
  int exit_code = kCannotCreate;
  // No locks; no thread to wait with.
  if (absl::IsUnimplemented(error) || absl::IsUnavailable(error)) {
    exit_code = kOsError;
  }
  if (absl::IsInvalidArgument(error)) exit_code = kUsage;
  return Fail(error.message(), LockHint(error), exit_code);
}

}  // namespace o8lock
