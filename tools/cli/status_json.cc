// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/status_json.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "hooks/worktrees.h"
#include "lock/holder.h"
#include "lock/json.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/waiters.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/report.h"
#include "tools/cli/text_parts.h"

namespace o8lock {
namespace {

// Of status.schema.json. Raise it when a member is removed or changes meaning;
// not for a new member.
constexpr int kSchemaVersion = 1;

absl::string_view StateName(const LockStatus& found) {
  constexpr absl::string_view kWords[] = {"free", "stale", "unknown", "held"};
  return kWords[static_cast<int>(found.state)];
}

absl::string_view ProcessWord(const LockStatus& found) {
  constexpr absl::string_view kWords[] = {"unknown", "running", "stopped",
                                          "ended", "ended"};
  return kWords[static_cast<int>(found.process.state)];
}

absl::string_view OriginWord(const LockStatus& found) {
  constexpr absl::string_view kWords[] = {"unknown", "here", "otherNamespace",
                                          "earlierBoot", "otherHost"};
  return kWords[static_cast<int>(found.origin)];
}

// An empty text means unknown.
JsonValue TextOrNull(const std::string& text) {
  return text.empty() ? JsonValue() : JsonValue(text);
}

JsonValue ProcessesJson(const std::vector<RunProcess>& processes) {
  std::vector<JsonValue> values;
  values.reserve(processes.size());
  for (const RunProcess& process : processes) {
    values.emplace_back(
        JsonMembers{{"pid", process.pid},
                    {"command", process.command},
                    {"directory", TextOrNull(process.directory)}});
  }
  return values;
}

JsonValue WorktreesJson(const std::vector<Worktree>& worktrees) {
  std::vector<JsonValue> values;
  values.reserve(worktrees.size());
  for (const Worktree& worktree : worktrees) {
    values.emplace_back(JsonMembers{{"path", worktree.path},
                                    {"branch", TextOrNull(worktree.branch)}});
  }
  return values;
}

JsonValue WaitersJson(const std::vector<Waiter>& waiters, const Now& now) {
  std::vector<JsonValue> values;
  values.reserve(waiters.size());
  for (const Waiter& waiter : waiters) {
    values.emplace_back(JsonMembers{
        {"pid", waiter.pid},
        {"visible", waiter.is_visible},
        {"waitingSeconds",
         std::max<int64_t>(now.ticks - waiter.since, 0) / kTicksPerSecond},
        {"command",
         waiter.command.empty() ? JsonValue() : JsonValue(waiter.command)},
        {"directory", TextOrNull(waiter.directory)}});
  }
  return values;
}

// Returns why the run with the lock, or any run here, writes no lock file.
// Null if the reason is unknown, or there is none.
JsonValue WhyNoLockFile(const LockReport& report) {
  if (!report.location.outside.empty()) {
    return LeadsOutText(report.location);
  }
  const std::optional<Holder>& holder = report.found.holder;
  return holder.has_value() && holder->unpublished.has_value()
             ? JsonValue(*holder->unpublished)
             : JsonValue();
}

// Returns the surviving processes and worktrees of ended runs. Processes belong
// to a living run as long as it has the lock.
JsonValue OrphanedWorktreesJson(const LockReport& report) {
  const LockStatus& found = report.found;
  const bool has_ended =
      found.state == LockState::kStale ||
      (found.holder.has_value() && !found.holder->surviving.empty());
  std::vector<JsonValue> worktrees;
  worktrees.reserve(report.orphans.size());
  for (const OrphanReport& orphan : report.orphans) {
    worktrees.emplace_back(JsonMembers{
        {"path", orphan.worktree.path},
        {"branch", TextOrNull(orphan.worktree.branch)},
        {"uncommittedFiles", orphan.state.uncommitted_files},
        {"ignoredFiles", orphan.state.ignored_files},
        {"ownCommits", orphan.state.own_commits + orphan.state.past_commits},
        {"inUse", orphan.in_use},
        {"locked", orphan.worktree.is_locked},
        {"agents", ProcessesJson(orphan.agents)},
        {"problem", TextOrNull(orphan.state.problem)}});
  }
  return JsonMembers{
      {"processes",
       ProcessesJson(has_ended ? report.processes : std::vector<RunProcess>())},
      {"worktrees", worktrees}};
}

JsonValue OverriddenJson(const std::vector<Holder>& runs) {
  std::vector<JsonValue> values;
  values.reserve(runs.size());
  for (const Holder& run : runs) {
    values.emplace_back(JsonMembers{{"pid", run.pid},
                                    {"startedAt", TextOrNull(run.started_at)},
                                    {"command", run.command}});
  }
  return values;
}

// Returns the facts about one lock, for programs. Unknown values are null.
JsonMembers LockJson(const LockReport& report, const Now& now) {
  const LockStatus& found = report.found;
  const auto text = [](absl::string_view value) {
    return value.empty() ? JsonValue() : JsonValue(std::string(value));
  };
  JsonMembers lock = {
      {"name", text(report.name)},
      {"verdict", text(StateName(found))},
      {"lockFile", text(report.lock_file)},
      {"guard", report.location.guard},
  };
  JsonValue holder;
  if (found.holder.has_value()) {
    const Holder& known = *found.holder;
    const std::optional<int64_t> age = AgeSeconds(found, now);
    holder = JsonMembers{
        {"pid", known.pid},
        {"own", found.own},
        {"startedAt", text(known.started_at)},
        {"ageSeconds", age.has_value() ? JsonValue(*age) : JsonValue()},
        {"features", known.features},
        {"maxConcurrency", known.max_concurrency.has_value()
                               ? JsonValue(*known.max_concurrency)
                               : JsonValue()},
        {"command", known.command.empty() ? JsonValue() : known.command},
        {"directory", text(known.cwd)},
        {"user", text(known.user)},
        {"host", text(known.host)},
        {"version", text(known.version)},
        {"unpublished", known.unpublished.has_value()
                            ? JsonValue(*known.unpublished)
                            : JsonValue()},
    };
  }
  lock.emplace_back("holder", holder);
  std::vector<JsonValue> descriptor_holders;
  descriptor_holders.reserve(found.descriptor_holders.size());
  for (const DescriptorHolder& descriptor_holder : found.descriptor_holders) {
    descriptor_holders.emplace_back(descriptor_holder.pid);
  }
  lock.emplace_back("evidence",
                    JsonMembers{{"file", text(found.file)},
                                {"kernelLocked", found.kernel_locked},
                                {"process", text(ProcessWord(found))},
                                {"pidReused", found.pid_reused},
                                {"origin", text(OriginWord(found))},
                                {"keepers", descriptor_holders},
                                {"problem", text(found.problem)}});
  lock.emplace_back("processes", ProcessesJson(report.processes));
  lock.emplace_back("worktrees", WorktreesJson(report.worktrees));
  lock.emplace_back("whyNoLockFile", WhyNoLockFile(report));
  lock.emplace_back("waiters", WaitersJson(report.waiters, now));
  lock.emplace_back("leftovers", OrphanedWorktreesJson(report));
  lock.emplace_back("overridden", OverriddenJson(report.overridden));
  return lock;
}

}  // namespace

std::string StatusJson(const RepositoryReport& report, const Now& now) {
  JsonMembers status = {{"schemaVersion", kSchemaVersion}};
  for (auto& member : LockJson(report.lock, now)) {
    status.push_back(std::move(member));
  }
  std::vector<JsonValue> others;
  others.reserve(report.others.size());
  for (const LockReport& other : report.others) {
    others.emplace_back(LockJson(other, now));
  }
  status.emplace_back("otherLocks", others);
  return JsonValue(status).Text();
}

}  // namespace o8lock
