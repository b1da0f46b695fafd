// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/locate.h"

#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/git.h"
#include "lock/git_config.h"
#include "lock/location.h"
#include "lock/repository.h"
#include "lock/status.h"
#include "tools/cli/access_hint.h"
#include "tools/cli/caller.h"
#include "tools/cli/error_text.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/options.h"
#include "tools/cli/output.h"
#include "tools/cli/report.h"

namespace o8lock {

namespace {

constexpr char kAcrossFilesystem[] = "GIT_DISCOVERY_ACROSS_FILESYSTEM";

absl::StatusOr<Discovery> DiscoveryOfEnvironment() {
  Discovery discovery;
  if (const char* value = getenv(kAcrossFilesystem); value != nullptr) {
    const std::optional<bool> across = ParseGitBool(value);
    if (!across.has_value()) {
      return absl::FailedPreconditionError(
          absl::StrCat("bad boolean config value '", value, "' for '",
                       kAcrossFilesystem, "'"));
    }
    discovery.across_filesystems = *across;
  }
  if (const char* value = getenv("GIT_CEILING_DIRECTORIES"); value != nullptr) {
    discovery.ceiling_directories = value;
  }
  return discovery;
}

// Asks git about the repository after `error` from Locate. Returns git's
// reason, OK if git accepts the repository, or `error` if git gives no answer.
absl::Status AskGitAbout(const absl::Status& error) {
  const absl::StatusOr<ProgramResult> git =
      RunProgram({"env", "LC_ALL=C", "git", "-c", "safe.directory=*", "-c",
                  "safe.bareRepository=all", "rev-parse", "--git-common-dir"});
  if (!git.ok()) return error;
  if (git->exit_code == 0) return absl::OkStatus();
  const absl::string_view kFatal = "fatal: ";
  const size_t fatal = git->err.find(kFatal.data());
  if (fatal == std::string::npos) return error;
  // An older git ignores safe.directory=* here.
  if (absl::StrContains(git->err, "dubious ownership")) return error;
  const std::string reason = git->err.substr(fatal + kFatal.size());
  return absl::FailedPreconditionError(absl::StrJoin(
      absl::StrSplit(reason, absl::ByAnyChar("\t\n"), absl::SkipWhitespace()),
      " "));
}

int ExitCodeOf(const absl::Status& error) {
  if (absl::IsInvalidArgument(error)) return kUsage;
  // No locks, or no thread for waiting.
  if (absl::IsUnimplemented(error) || absl::IsUnavailable(error)) {
    return kOsError;
  }
  return kCannotCreate;
}

// Returns the hint of an error, with `next_step`. A usage error's hint is the
// same for every purpose.
std::string HintFor(const absl::Status& error, Purpose purpose,
                    const std::string& next_step) {
  return purpose == Purpose::kVerb || absl::IsInvalidArgument(error)
             ? next_step
             : NothingRunHint(next_step);
}

}  // namespace

absl::StatusOr<Location> LocateLock(const Options& options) {
  LocateOptions locate;
  locate.name = options.name;
  locate.lock_file = options.lock_file;
  O8LOCK_ASSIGN_OR_RETURN(locate.discovery, DiscoveryOfEnvironment());
  absl::StatusOr<Location> location = Locate(locate);
  if (!absl::IsFailedPrecondition(location.status())) return location;
  O8LOCK_RETURN_IF_ERROR(AskGitAbout(location.status()));
  // This git knows the extension.
  locate.discovery.any_extensions = true;
  return Locate(locate);
}

std::string NameOf(const Options& options) {
  return options.lock_file.empty() ? options.name : "";
}

std::vector<std::string> OwnTokens() {
  std::vector<std::string> tokens;
  // getenv(3) returns only one of two variables with the same name.
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

int FailToLocate(const absl::Status& error, Purpose purpose) {
  std::error_code removed;
  std::string next_step = LockHint(error);
  if (absl::IsFailedPrecondition(error)) {
    next_step = "git cannot use this repository either";
  } else if (std::filesystem::current_path(removed).empty()) {
    next_step = "go to a directory that exists: cd";
  }
  return Fail(error.message(), HintFor(error, purpose, next_step),
              ExitCodeOf(error));
}

std::string HintAt(const Location& location, const absl::Status& error) {
  if (absl::IsPermissionDenied(error)) return AccessHint(location);
  if (absl::IsFailedPrecondition(error) && !location.create_directories) {
    return "name another file with --lock-file";  // This one is not ours.
  }
  const std::string hint = LockHint(error);
  return hint.empty() ? absl::StrCat("see: ", OwnCommand("doctor")) : hint;
}

int FailToLock(const absl::Status& error, const Location& location,
               Purpose purpose) {
  return Fail(error.message(), HintFor(error, purpose, HintAt(location, error)),
              ExitCodeOf(error));
}

}  // namespace o8lock
