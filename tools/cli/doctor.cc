// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/doctor.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "lock/inspect.h"
#include "lock/json.h"
#include "lock/location.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/version.h"
#include "tools/cli/doctor_files.h"
#include "tools/cli/doctor_git.h"
#include "tools/cli/doctor_orchestr8.h"
#include "tools/cli/finding.h"
#include "tools/cli/orphans_text.h"
#include "tools/cli/report.h"
#include "tools/cli/text.h"
#include "tools/cli/text_parts.h"

namespace o8lock {
namespace {

// Of doctor.schema.json. Raise it when a member is removed or changes meaning;
// not for a new member.
constexpr int kSchemaVersion = 1;

Finding OwnProgramFinding() {
  const std::string program = OwnProgram();
  if (program.empty()) {
    return {Finding::kWarn,
            "o8lock",
            absl::StrCat(kVersion, ", program file not found"),
            "mount /proc: without it the hooks refuse nothing",
            {}};
  }
  return {
      Finding::kOk, "o8lock", absl::StrCat(kVersion, ", ", program), "", {}};
}

// Returns a finding about worktrees that stop the next run.
Findings OrphanFindings(const Location& location) {
  const absl::StatusOr<LockStatus> found = Inspect(location, {});
  if (!found.ok()) return {};  // another finding covers that
  const std::vector<OrphanReport> orphans = CollectOrphans(location, *found);
  if (orphans.empty()) return {};
  std::vector<std::string> lines;
  lines.reserve(orphans.size());
  for (const OrphanReport& orphan : orphans) {
    lines.push_back(OrphanLine(orphan));
  }
  for (std::string& hint : OrphanHints(orphans)) {
    lines.push_back(std::move(hint));
  }
  return {{Finding::kWarn, "worktrees",
           absl::StrCat(
               Count(orphans.size(), "orphaned worktree", "orphaned worktrees"),
               " of earlier runs"),
           "", std::move(lines)}};
}

}  // namespace

Findings Examine(const Location& location, const std::string& directory) {
  Findings findings = {OwnProgramFinding()};
  Append(FileFindings(location), findings);
  Append(location.common_dir.empty()
             ? ChosenFileFindings(location)
             : GitFindings(location, directory, UsesOrchestr8(location)),
         findings);
  Append(Orchestr8Findings(), findings);
  Append(OrphanFindings(location), findings);
  if (location.outside.empty()) findings.push_back(PublishFinding(location));
  return findings;
}

std::string DoctorText(const Findings& findings) {
  constexpr absl::string_view kLevels[] = {"ok    ", "warn  ", "fail  "};
  std::string text;
  for (const Finding& finding : findings) {
    absl::StrAppend(&text, kLevels[finding.level], Printable(finding.subject),
                    ": ", Printable(finding.text), "\n");
    if (!finding.hint.empty()) {
      absl::StrAppend(&text, "      ", Printable(finding.hint), "\n");
    }
    for (const std::string& line : finding.lines) {
      absl::StrAppend(&text, "      ", Printable(line), "\n");
    }
  }
  return text;
}

std::string DoctorJson(const Findings& findings) {
  constexpr const char* kLevels[] = {"ok", "warn", "fail"};
  std::vector<JsonValue> values;
  values.reserve(findings.size());
  for (const Finding& finding : findings) {
    std::vector<std::string> hint = finding.lines;
    if (!finding.hint.empty()) hint.insert(hint.begin(), finding.hint);
    values.emplace_back(JsonMembers{
        {"level", kLevels[finding.level]},
        {"subject", finding.subject},
        {"text", finding.text},
        {"hint",
         hint.empty() ? JsonValue() : JsonValue(absl::StrJoin(hint, "\n"))}});
  }
  return JsonValue(JsonMembers{{"schemaVersion", kSchemaVersion},
                               {"findings", values}})
      .Text();
}

}  // namespace o8lock
