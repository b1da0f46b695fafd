// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/doctor_orchestr8.h"

#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "lock/file.h"
#include "lock/location.h"
#include "tools/cli/find_command.h"
#include "tools/cli/finding.h"
#include "tools/cli/options.h"
#include "tools/cli/orchestr8.h"
#include "tools/cli/orchestr8_package.h"
#include "tools/cli/publish.h"

namespace o8lock {
namespace {

constexpr const char* kPrograms[] = {"orchestr8", "murmur8"};

// Returns a clause: whether the orchestr8 `program` keeps the lock file itself.
absl::string_view LocksItselfText(const std::string& program) {
  switch (FindOutWhetherItLocks({program, /*by_package_runner=*/false})) {
    case LocksItself::kYes:
      return ", keeps its own lock file, so o8lock does not write one";
    case LocksItself::kNo:
      return ", keeps no lock file, so o8lock writes one";
    case LocksItself::kUnknown:
      break;
  }
  return ", may keep its own lock file, so o8lock does not write one";
}

}  // namespace

bool UsesOrchestr8(const Location& location) {
  return absl::c_any_of(
             kPrograms,
             [](const char* name) { return FindCommand(name).ok(); }) ||
         absl::c_any_of(
             Orchestr8Files(location),
             [](const std::string& file) { return IdOf(file).ok(); }) ||
         DecideToPublish({}, {}, std::nullopt, location).starts_orchestr8;
}

std::vector<std::string> Orchestr8Files(const Location& location) {
  // orchestr8 knows no other lock.
  if (location.armed.empty()) return {};
  std::vector<std::string> files;
  for (const char* name : {"parallel-queue", "murm-queue", "implement-queue",
                           "pipeline-history"}) {
    files.push_back(
        absl::StrCat(location.main_worktree, "/.claude/", name, ".json"));
  }
  return files;
}

Findings Orchestr8Findings() {
  Findings findings;
  for (const char* name : kPrograms) {
    const absl::StatusOr<std::string> program = FindCommand(name);
    if (!program.ok()) continue;
    findings.push_back({Finding::kOk,
                        name,
                        absl::StrCat(*program, LocksItselfText(*program)),
                        "",
                        {}});
  }
  return findings;
}

Finding PublishFinding(const Location& location) {
  const auto finding = [](Finding::Level level, absl::string_view text,
                          absl::string_view hint) {
    return Finding{
        level, "lock file", std::string(text), std::string(hint), {}};
  };
  const absl::StatusOr<PublishChoice> choice =
      ReadPublishChoice(Options(), location);
  if (!choice.ok()) {
    return finding(Finding::kFail, choice.status().message(),
                   "correct it: git config o8lock.publish auto");
  }
  const PublishDecision decision =
      DecideToPublish(*choice, {}, std::nullopt, location);
  if (decision.publish) {
    return finding(Finding::kOk,
                   absl::StrCat("written during a run: ", decision.reason), "");
  }
  if (!decision.starts_orchestr8) {
    return finding(Finding::kOk, absl::StrCat("not written: ", decision.reason),
                   "the lock still works; runs without o8lock do not see it");
  }
  return finding(Finding::kOk,
                 absl::StrCat("not written for commands that may start "
                              "orchestr8 (npm run, make, a shell): ",
                              decision.reason),
                 "");
}

}  // namespace o8lock
