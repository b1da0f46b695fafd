// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/status_json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hooks/worktrees.h"
#include "lock/holder.h"
#include "lock/inspection.h"
#include "lock/json.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/survey.h"

namespace o8lock {
namespace {

absl::string_view VerdictWord(const Inspection& found) {
  constexpr absl::string_view kWords[] = {"free", "stale", "unknown", "held"};
  return kWords[static_cast<int>(found.verdict)];
}

absl::string_view ProcessWord(const Inspection& found) {
  constexpr absl::string_view kWords[] = {"unknown", "running", "stopped",
                                          "ended", "ended"};
  return kWords[static_cast<int>(found.process.state)];
}

absl::string_view OriginWord(const Inspection& found) {
  constexpr absl::string_view kWords[] = {"unknown", "here", "otherNamespace",
                                          "earlierBoot", "otherHost"};
  return kWords[static_cast<int>(found.origin)];
}

// What is known of one lock, for programs. What is not known is null.
JsonMembers LockJson(const LockSurvey& survey, const Now& now) {
  const Inspection& found = survey.found;
  const auto text = [](absl::string_view value) {
    return value.empty() ? JsonValue() : JsonValue(std::string(value));
  };
  JsonMembers lock = {
      {"name", text(survey.name)},
      {"verdict", text(VerdictWord(found))},
      {"lockFile", text(survey.lock_file)},
      {"guard", survey.location.guard},
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
  std::vector<JsonValue> keepers;
  for (const Keeper& keeper : found.keepers) keepers.emplace_back(keeper.pid);
  lock.emplace_back("evidence",
                    JsonMembers{{"file", text(found.file)},
                                {"kernelLocked", found.kernel_locked},
                                {"process", text(ProcessWord(found))},
                                {"pidReused", found.pid_reused},
                                {"origin", text(OriginWord(found))},
                                {"keepers", keepers},
                                {"problem", text(found.problem)}});
  std::vector<JsonValue> processes;
  for (const RunProcess& process : survey.processes) {
    processes.emplace_back(JsonMembers{{"pid", process.pid},
                                       {"command", process.command},
                                       {"directory", text(process.directory)}});
  }
  lock.emplace_back("processes", processes);
  std::vector<JsonValue> worktrees;
  for (const Worktree& worktree : survey.worktrees) {
    worktrees.emplace_back(JsonMembers{{"path", worktree.path},
                                       {"branch", text(worktree.branch)}});
  }
  lock.emplace_back("worktrees", worktrees);
  return lock;
}

}  // namespace

std::string StatusJson(const Survey& survey, const Now& now) {
  JsonMembers status = LockJson(survey.lock, now);
  std::vector<JsonValue> others;
  for (const LockSurvey& other : survey.others) {
    others.emplace_back(LockJson(other, now));
  }
  status.emplace_back("otherLocks", others);
  return JsonValue(status).Text();
}

}  // namespace o8lock
