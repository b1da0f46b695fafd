// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/messages.h"

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "hooks/decision.h"
#include "hooks/installation.h"
#include "hooks/worktree_add.h"
#include "lock/holder.h"
#include "lock/inspection.h"
#include "lock/json.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/process.h"
#include "tools/cli/orchestr8.h"
#include "tools/cli/text.h"

namespace o8lock {
namespace {

// Of a list this much is shown; the record has more.
constexpr size_t kMaxShown = 400;

// "name" and what is to be said about it.
using Row = std::pair<absl::string_view, std::string>;

std::string PidText(const Inspection& found) {
  return found.holder.has_value() ? absl::StrCat(found.holder->pid) : "unknown";
}

// As many of `words` as can be read at a glance.
std::vector<std::string> Glance(const std::vector<std::string>& words) {
  std::vector<std::string> shown;
  size_t size = 0;
  for (const std::string& word : words) {
    size += word.size() + 1;
    if (!shown.empty() && size > kMaxShown) {
      shown.push_back("...");
      break;
    }
    shown.push_back(size > kMaxShown ? word.substr(0, kMaxShown) + "..."
                                     : word);
  }
  return shown;
}

// As much of `text`, printable.
std::string Clipped(const std::string& text) {
  return Printable(Glance({text})[0]);
}

// How long the run has had the lock: by the boot clock where that is the same,
// which no change of the wall clock moves.
std::optional<int64_t> AgeSeconds(const Inspection& found, const Now& now) {
  const Holder& holder = *found.holder;
  if ((found.origin == Origin::kHere ||
       found.origin == Origin::kOtherNamespace) &&
      holder.acquired >= 0) {
    return (now.ticks - TicksOf(holder.acquired)) / kTicksPerSecond;
  }
  const std::optional<int64_t> since = ParseTime(holder.started_at);
  if (!since.has_value()) return std::nullopt;
  return now.unix_seconds - *since;
}

std::string ProcessText(const Inspection& found) {
  const std::string process = absl::StrCat("process ", PidText(found));
  if (found.pid_reused && found.origin != Origin::kEarlierBoot) {
    return absl::StrCat(process, " is another one, begun after the lock");
  }
  switch (found.process.state) {
    case ProcessState::kRunning:
      return absl::StrCat(process, " is running");
    case ProcessState::kStopped:
      return absl::StrCat(process, " is stopped (Ctrl-Z or SIGSTOP)");
    case ProcessState::kZombie:
    case ProcessState::kGone:
      return absl::StrCat(process, " has ended");
    case ProcessState::kUnknown:
      break;
  }
  switch (found.origin) {
    case Origin::kOtherNamespace:
      return absl::StrCat(process,
                          " is in another pid namespace (a container)");
    case Origin::kEarlierBoot:
      return "the machine was started anew since";
    case Origin::kOtherHost:
      return absl::StrCat("it runs on another machine, ",
                          Clipped(found.holder->host),
                          ", which cannot be looked at from here");
    case Origin::kHere:
    case Origin::kUnknown:
      break;
  }
  return "";
}

// "process 124 (npm test)", and how many others.
std::string KeepersText(const std::vector<Keeper>& keepers) {
  std::string text = absl::StrCat("process ", keepers[0].pid, " (",
                                  ShellQuoted(Glance(keepers[0].command)), ")");
  if (keepers.size() > 1) {
    absl::StrAppend(&text, " with ", keepers.size() - 1, " more");
  }
  return text;
}

// Whether `found` rests on the guard, and not on a lock file.
bool IsGuard(const Inspection& found) {
  return found.kernel_locked ||
         (found.holder.has_value() && !found.holder->token.empty());
}

// How the verdict is known.
std::string EvidenceText(const Inspection& found) {
  std::vector<std::string> facts;
  if (found.kernel_locked) {
    facts.push_back("the kernel lock is held");
    if (IsDead(found)) {
      facts.push_back(ProcessText(found));
      facts.push_back(found.keepers.empty()
                          ? "a process that it started still has the lock"
                          : absl::StrCat(KeepersText(found.keepers),
                                         " still has the lock"));
      return absl::StrJoin(facts, ", ");
    }
    if (!found.keepers.empty()) {
      facts.push_back(
          absl::StrCat(KeepersText(found.keepers), " has the lock"));
    }
  }
  if (!found.problem.empty()) facts.push_back(Printable(found.problem));
  if (found.holder.has_value()) {
    if (std::string process = ProcessText(found); !process.empty()) {
      facts.push_back(std::move(process));
    }
  }
  if (!found.kernel_locked && found.verdict == Verdict::kHeld) {
    facts.push_back("it was not started by o8lock");
  }
  return absl::StrJoin(facts, ", ");
}

Row StartedRow(const Inspection& found) {
  return {"Started at",
          found.holder.has_value() && !found.holder->started_at.empty()
              ? Clipped(found.holder->started_at)
              : "unknown"};
}

// The holder, a row for each thing that is known of it besides its start.
std::vector<Row> HolderRows(const Inspection& found, const Now& now) {
  std::vector<Row> rows;
  if (!found.holder.has_value()) return rows;
  const Holder& holder = *found.holder;
  if (!holder.user.empty() || !holder.host.empty()) {
    rows.emplace_back("Holder", absl::StrCat(Clipped(holder.user), "@",
                                             Clipped(holder.host)));
  }
  if (!holder.cwd.empty()) rows.emplace_back("Directory", Clipped(holder.cwd));
  if (!holder.command.empty()) {
    rows.emplace_back("Command", ShellQuoted(Glance(holder.command)));
  }
  if (!holder.features.empty()) {
    rows.emplace_back("Features",
                      Printable(absl::StrJoin(Glance(holder.features), ", ")));
  }
  if (const auto age = AgeSeconds(found, now); age.has_value()) {
    rows.emplace_back(found.verdict == Verdict::kHeld ? "Running for" : "Age",
                      FormatDuration(*age));
  }
  return rows;
}

std::string Lines(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    absl::StrAppend(&text, row.first, ": ", row.second, "\n");
  }
  return text;
}

// " parallel execution is in progress (PID: 12)": or may be.
std::string HeldText(const Inspection& found) {
  return absl::StrCat(" parallel execution ",
                      found.verdict == Verdict::kHeld ? "is" : "may be",
                      " in progress (PID: ", PidText(found), ")");
}

// What a refusal by `found` begins with, in the specification's words.
std::string RefusedText(const Inspection& found) {
  return absl::StrCat("Error: Another", HeldText(found), "\n",
                      Lines({StartedRow(found)}));
}

// What ends what a dead holder has left, as far as that keeps the lock.
std::string KillCommand(const Inspection& found) {
  std::string text = "kill";
  for (const Keeper& keeper : found.keepers) {
    absl::StrAppend(&text, " ", keeper.pid);
    // From what its command leaves behind the next run takes the lock.
    if (found.holder.has_value() && keeper.pid == found.holder->command_pid) {
      break;
    }
  }
  return text;
}

// Everything else that is known of who is in the way.
std::vector<Row> RefusalRows(const Inspection& found, const Now& now) {
  std::vector<Row> rows = HolderRows(found, now);
  rows.emplace_back("Evidence", EvidenceText(found));
  if (!found.keepers.empty()) {
    rows.emplace_back("To end what is left of it", KillCommand(found));
  }
  rows.emplace_back(IsGuard(found) ? "Guard" : "Lock file",
                    Printable(found.file));
  return rows;
}

// What became of a worktree that was there already.
Row TakenBackRow(const TakenBack& taken) {
  std::string text = Printable(taken.worktree);
  if (!taken.removed) {
    return {"Kept", absl::StrCat(text, ": ", Printable(taken.problem))};
  }
  if (taken.branch_removed) {
    absl::StrAppend(&text, ", with its new branch ", Printable(taken.branch));
  } else if (!taken.problem.empty()) {
    absl::StrAppend(&text, ", but not its branch ", Printable(taken.branch),
                    ": ", Printable(taken.problem));
  }
  return {"Rolled back", text};
}

// The command of `add` as the user can give it again.
std::vector<std::string> AddCommand(const WorktreeAdd& add) {
  std::vector<std::string> words = add.command;
  // Where it is only a path to the git that is meant anyway.
  if (absl::EndsWith(words[0], "/git")) words[0] = "git";
  return Glance(words);
}

std::string CommandLine(std::vector<std::string> words,
                        const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return ShellQuoted(words);
}

// Where and how to call o8lock, which is called `program`, where somebody else
// has post-checkout. Nobody must miss it: the files are shared.
std::string OwnerHint(const HooksState& state, const std::string& program) {
  const std::string word = ShellQuoted({program});
  const std::string line =
      absl::StrCat("! command -v ", word, " >/dev/null || ", word,
                   " hooks run post-checkout ");
  if (state.manager == "husky") {
    return absl::StrCat(".husky/post-checkout:\n    ", line, "\"$@\"");
  }
  if (state.manager == "lefthook") {
    return absl::StrCat(
        "lefthook.yml:\n    post-checkout:\n      jobs:\n        - run: |\n"
        "            ",
        line, "{0}");
  }
  if (state.manager == "pre-commit") {
    return absl::StrCat(
        ".pre-commit-config.yaml:\n    - repo: local\n      hooks:\n"
        "      - id: o8lock\n        name: o8lock\n        language: system\n"
        "        entry: ",
        ShellQuoted({"sh", "-c",
                     absl::StrCat(line,
                                  "\"$PRE_COMMIT_FROM_REF\" "
                                  "\"$PRE_COMMIT_TO_REF\"")}),
        "\n        always_run: true\n        pass_filenames: false\n"
        "        stages: [post-checkout]");
  }
  if (state.manager == "simple-git-hooks") {
    return absl::StrCat("package.json, and run npx simple-git-hooks:\n    ",
                        "\"simple-git-hooks\": { \"post-checkout\": \"",
                        absl::StrReplaceAll(absl::StrCat(line, "\"$@\""),
                                            {{"\\", "\\\\"}, {"\"", "\\\""}}),
                        "\" }");
  }
  return absl::StrCat(Printable(state.hooks_directory), "/post-checkout:\n    ",
                      line, "\"$@\"");
}

std::string SecondLineText(const HooksState& state,
                           const std::string& program) {
  std::string hook =
      absl::StrCat(Printable(state.hooks_directory), "/post-checkout");
  switch (state.second_line) {
    case SecondLine::kConfig:
      return "by a setting";
    case SecondLine::kAlone:
      return hook;
    case SecondLine::kChained:
      return absl::StrCat(hook, ", before what that does");
    case SecondLine::kByOwner:
      return absl::StrCat("called by ", Printable(state.manager));
    case SecondLine::kMissing:
      break;
  }
  if (state.manager.empty()) return "gone; run: o8lock hooks install";
  return absl::StrCat("none, that is for ", Printable(state.manager),
                      "; against runs outside o8lock put into ",
                      OwnerHint(state, program));
}

std::vector<Row> HooksRows(const HooksState& state,
                           const std::string& program) {
  return {
      {"Git", Printable(state.git_version)},
      {"reference-transaction",
       state.mechanism == Mechanism::kConfig
           ? "only while the lock is taken, by a setting"
           : "only while the lock is taken, by a directory of hooks"},
      {"post-checkout", SecondLineText(state, program)},
      {"Program",
       absl::StrCat(Printable(state.program),
                    state.program_version.empty()
                        ? ": gone, git goes on without"
                        : absl::StrCat(" (", state.program_version, ")"))},
      {"Limit",
       "beside a lock file that o8lock did not write, git worktree add "
       "--no-checkout is not refused"},
  };
}

// The start of `invocation` once more, of `command` with `options`.
std::string StartAgain(const Invocation& invocation,
                       const std::vector<std::string>& options,
                       const std::vector<std::string>& command) {
  std::vector<std::string> words = invocation.description;
  words.insert(words.end(), options.begin(), options.end());
  words.emplace_back("--");
  words.insert(words.end(), command.begin(), command.end());
  return CommandLine(invocation.o8lock, words);
}

// How `invocation` overrides: an orchestr8 that knows --force is given that, in
// the specification's words.
std::string ForceCommand(const Invocation& invocation) {
  std::vector<std::string> forced = invocation.command;
  forced.emplace_back("--force");
  const std::optional<Orchestr8Command> orchestr8 =
      ReadOrchestr8Command(forced);
  if (!orchestr8.has_value() || !orchestr8->force) {
    return StartAgain(invocation, {"--force"}, invocation.command);
  }
  return StartAgain(invocation, {}, forced);
}

constexpr char kWait[] = "--wait=10m";

// The options that somebody has whom `found` is in the way.
std::string OptionsText(const Inspection& found, const std::string& wait,
                        const std::string& status, absl::string_view last) {
  return absl::StrCat("\nOptions:\n  • ",
                      found.verdict == Verdict::kHeld
                          ? absl::StrCat("Wait for it to complete: ", wait)
                          : "Find out whether it still runs",
                      "\n  • Run: ", status, "\n  • ", last, "\n\n");
}

// "PID 12 (npm test)".
std::string WhoText(const Inspection& found) {
  std::string text = absl::StrCat("PID ", PidText(found));
  if (found.holder.has_value() && !found.holder->command.empty()) {
    absl::StrAppend(&text, " (", ShellQuoted(Glance(found.holder->command)),
                    ")");
  }
  return text;
}

// Of long lists this many are shown.
constexpr size_t kMaxLines = 20;

// A line for each of `items`, as `line` has it, with what is left out counted.
template <typename Item, typename Line>
std::string ListText(const std::vector<Item>& items, Line line) {
  std::string text;
  for (size_t i = 0; i < items.size() && i < kMaxLines; ++i) {
    absl::StrAppend(&text, "  ", line(items[i]), "\n");
  }
  if (items.size() > kMaxLines) {
    absl::StrAppend(&text, "  and ", items.size() - kMaxLines, " more\n");
  }
  return text;
}

std::string ProcessLine(const RunProcess& process) {
  std::string text = absl::StrCat("PID ", process.pid);
  if (!process.directory.empty()) {
    absl::StrAppend(&text, " in ", Printable(process.directory));
  }
  if (!process.command.empty()) {
    absl::StrAppend(&text, ": ", ShellQuoted(Glance(process.command)));
  }
  return text;
}

std::string WorktreeLine(const Worktree& worktree) {
  return absl::StrCat(
      Printable(worktree.path),
      worktree.branch.empty()
          ? " (no branch)"
          : absl::StrCat(" (", Printable(worktree.branch), ")"));
}

// "1 process", "2 processes".
std::string Count(size_t number, absl::string_view one,
                  absl::string_view more) {
  return absl::StrCat(number, " ", number == 1 ? one : more);
}

absl::string_view VerdictWord(const Inspection& found) {
  constexpr absl::string_view kWords[] = {"free", "stale", "unknown", "held"};
  return kWords[static_cast<int>(found.verdict)];
}

// The first line of a status: the verdict and whose it is.
std::string VerdictText(const Inspection& found) {
  switch (found.verdict) {
    case Verdict::kFree:
      break;
    case Verdict::kStale:
      return found.holder.has_value()
                 ? absl::StrCat(
                       "free (stale: PID ", PidText(found),
                       found.pid_reused
                           ? " is another process now, begun after the "
                             "lock)"
                           : " is not running)")
                 : "free (stale: the lock file is malformed)";
    case Verdict::kUnknown:
      return absl::StrCat("unknown (PID: ", PidText(found), ")");
    case Verdict::kHeld:
      return absl::StrCat("held (PID: ", PidText(found), ")",
                          found.own ? " by the run that asks" : "");
  }
  return "free";
}

// `text` with its first word in the colour of the verdict.
std::string Colored(const std::string& text, Verdict verdict) {
  constexpr absl::string_view kColors[] = {"32", "33", "33", "31"};
  const size_t word = std::min(text.find(' '), text.size());
  return absl::StrCat("\x1b[", kColors[static_cast<int>(verdict)], "m",
                      text.substr(0, word), "\x1b[0m", text.substr(word));
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
      {"lockFile", survey.location.lock_file},
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

Now GetNow() { return {static_cast<int64_t>(time(nullptr)), NowTicks()}; }

std::string RefusalText(const Inspection& found, const Invocation& invocation,
                        const Now& now) {
  return absl::StrCat(
      RefusedText(found),
      OptionsText(found, StartAgain(invocation, {kWait}, invocation.command),
                  invocation.status_command.empty()
                      ? CommandLine(invocation.o8lock, {"status"})
                      : ShellQuoted(invocation.status_command),
                  absl::StrCat("Force override: ", ForceCommand(invocation))),
      Lines(RefusalRows(found, now)));
}

std::string TimedOutText(const Inspection& found, const Invocation& invocation,
                         const Now& now, int64_t waited) {
  return absl::StrCat("o8lock: the lock is still held after ",
                      FormatDuration(waited), "\n",
                      RefusalText(found, invocation, now));
}

std::string AncestorText(const Inspection& found) {
  return HintText(absl::StrCat("process ", PidText(found),
                               " has started this one: waiting for its end "
                               "would never end"));
}

std::string WorktreeRefusedText(const Refused& refused,
                                const std::string& program, const Now& now) {
  std::vector<Row> rows = RefusalRows(refused.found, now);
  if (refused.taken_back.has_value()) {
    rows.push_back(TakenBackRow(*refused.taken_back));
  }
  const std::vector<std::string> add = AddCommand(refused.add);
  return absl::StrCat(
      RefusedText(refused.found), kWorktreeRefused,
      OptionsText(refused.found, CommandLine({program, kWait, "--"}, add),
                  ShellQuoted({program, "status"}),
                  absl::StrCat("Allow this one on purpose: ", kAllowVariable,
                               "=1 ", ShellQuoted(add))),
      Lines(rows));
}

std::string HookHint() {
  return absl::StrCat("to add this worktree all the same: ", kAllowVariable,
                      "=1 git worktree add ...");
}

std::string HooksInstalledText(const HooksState& state,
                               const std::string& program) {
  std::string text;
  for (const Row& row : HooksRows(state, program)) {
    absl::StrAppend(&text, "o8lock: hooks: ", row.first, ": ", row.second,
                    "\n");
  }
  return text;
}

std::string HooksStatusText(const HooksState& state,
                            const std::string& program) {
  if (!state.installed) {
    return absl::StrCat("not installed\nGit: ", Printable(state.git_version),
                        "\n");
  }
  std::vector<Row> rows = HooksRows(state, program);
  rows.emplace_back("Armed",
                    state.armed ? "yes" : "no, git has nothing to call");
  for (const std::string& bypass : state.bypasses) {
    rows.emplace_back("Bypassed by", Printable(bypass));
  }
  return absl::StrCat(Guards(state) ? "installed\n" : "installed, of no use\n",
                      Lines(rows));
}

std::string HooksStatusJson(const HooksState& state) {
  constexpr const char* kSecondLines[] = {"setting", "alone", "chained",
                                          "byOwner", "missing"};
  const bool is_config = state.mechanism == Mechanism::kConfig;
  return JsonValue(
             JsonMembers{{"installed", state.installed},
                         {"guards", Guards(state)},
                         {"armed", state.armed},
                         {"git", state.git_version},
                         {"mechanism", is_config ? "setting" : "directory"},
                         {"program", state.program},
                         {"programVersion", state.program_version},
                         {"postCheckout",
                          kSecondLines[static_cast<int>(state.second_line)]},
                         {"hooksDirectory", state.hooks_directory},
                         {"manager", state.manager},
                         {"bypassedBy", state.bypasses}})
      .Text();
}

std::string OverrideText(const Inspection& found, const Now& now) {
  return absl::StrCat(
      Lines({StartedRow(found)}), Lines(HolderRows(found, now)),
      "\nWarning: Overriding existing lock (PID: ", PidText(found),
      ")\nThis may cause conflicts if another execution is still running.\n\n");
}

std::string StaleText(const Inspection& found) {
  return absl::StrCat("Warning: Found stale lock file (PID ", PidText(found),
                      found.pid_reused
                          ? " is another process now, begun after the lock"
                          : " not running",
                      ")\nRemoving stale lock and continuing...\n\n");
}

std::string MalformedText(const Malformed& malformed) {
  return absl::StrCat("o8lock: warning: '", Printable(malformed.path),
                      "' was no lock file (", Printable(malformed.problem),
                      ")\no8lock: hint: it is kept as '",
                      Printable(malformed.kept_as), "'\n");
}

std::string LeftBehindText(const std::vector<RunProcess>& processes,
                           const std::vector<Worktree>& worktrees) {
  std::string text;
  if (!processes.empty()) {
    absl::StrAppend(&text, "o8lock: warning: ",
                    Count(processes.size(), "process of that run still runs:\n",
                          "processes of that run still run:\n"),
                    ListText(processes, ProcessLine), "o8lock: hint: to end ",
                    processes.size() == 1 ? "it" : "them", ": kill");
    for (const RunProcess& process : processes) {
      absl::StrAppend(&text, " ", process.pid);
    }
    absl::StrAppend(&text, "\n");
  }
  if (!worktrees.empty()) {
    absl::StrAppend(
        &text,
        "o8lock: warning: ", Count(worktrees.size(), "worktree", "worktrees"),
        " added since that run began:\n", ListText(worktrees, WorktreeLine),
        "o8lock: hint: to discard with all that is in there: ");
    std::vector<std::string> branches = {"git", "branch", "-D"};
    for (const Worktree& worktree : worktrees) {
      absl::StrAppend(
          &text, &worktree == &worktrees[0] ? "" : " && ",
          ShellQuoted({"git", "worktree", "remove", "--force", worktree.path}));
      if (!worktree.branch.empty()) branches.push_back(worktree.branch);
    }
    if (branches.size() > 3) {
      absl::StrAppend(&text, " && ", ShellQuoted(branches));
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

std::string OverriddenText(const std::optional<Overrider>& by) {
  if (!by.has_value()) {
    return "o8lock: warning: the lock was taken away from this run; nothing "
           "was removed\n";
  }
  return absl::StrCat("o8lock: warning: this run's lock was overridden at ",
                      Printable(by->at), " by ", Printable(by->user), "@",
                      Printable(by->host), " (PID ", by->pid,
                      "); nothing was removed\n");
}

std::string DisturbedText(const Disturbance& disturbance,
                          const std::string& lock_file) {
  const std::string file = absl::StrCat("'", Printable(lock_file), "'");
  if (disturbance.vanished) {
    return absl::StrCat("o8lock: warning: ", file,
                        " was removed during the run; it is in place again\n");
  }
  if (!disturbance.replaced->holder.has_value()) {
    return absl::StrCat("o8lock: warning: ", file,
                        " was replaced during the run by what is no lock "
                        "file; it was left alone\n");
  }
  return absl::StrCat(
      "o8lock: warning: ", file, " was replaced during the run by that of PID ",
      disturbance.replaced->holder->pid,
      "; it was left alone\no8lock: hint: that runs without o8lock, and beside "
      "this run; see: o8lock status\n");
}

std::string SweptText(const Inspection& swept) {
  return absl::StrCat("o8lock: warning: removed '", Printable(swept.file),
                      "', which PID ", PidText(swept), " has left behind\n");
}

std::string WaitingText(const Inspection& found, std::optional<int64_t> limit,
                        bool first) {
  return absl::StrCat("o8lock: ", first ? "" : "now ", "waiting for ",
                      WhoText(found),
                      first && limit.has_value()
                          ? absl::StrCat(", up to ", FormatDuration(*limit))
                          : "",
                      "\n");
}

std::string WaitingLine(const Inspection& found, const Now& now, int64_t waited,
                        std::optional<int64_t> limit) {
  std::string text = absl::StrCat(
      "o8lock: waiting ", FormatDuration(waited),
      limit.has_value() ? absl::StrCat(" of ", FormatDuration(*limit)) : "",
      " for ", WhoText(found));
  if (found.holder.has_value()) {
    if (const auto age = AgeSeconds(found, now); age.has_value()) {
      absl::StrAppend(&text, ", running for ", FormatDuration(*age));
    }
  }
  return text;
}

std::string LeftoversText(const std::vector<RunProcess>& leftovers,
                          LeftoversAre state) {
  std::string text =
      absl::StrCat("o8lock: warning: the command has ended, but not ",
                   Count(leftovers.size(), "process", "processes"),
                   " that it started:\n", ListText(leftovers, ProcessLine));
  switch (state) {
    case LeftoversAre::kReleased:
      absl::StrAppend(&text,
                      "o8lock: hint: the lock is released; --leftovers=wait "
                      "would wait for their end, --leftovers=kill end them\n");
      break;
    case LeftoversAre::kWaitedFor:
      absl::StrAppend(&text,
                      "o8lock: hint: the lock is kept until they have ended; "
                      "Ctrl-C releases it\n");
      break;
    case LeftoversAre::kEnded:
      absl::StrAppend(&text,
                      "o8lock: hint: they are asked to end (SIGTERM), and "
                      "killed after 10 seconds (SIGKILL)\n");
      break;
    case LeftoversAre::kStillThere:
      absl::StrAppend(&text, "o8lock: hint: the lock is released\n");
      break;
  }
  return text;
}

std::string NoLockNeededText(const std::vector<std::string>& command) {
  return absl::StrCat(
      "o8lock: runs without the lock, which this subcommand "
      "does not need: ",
      ShellQuoted(Glance(command)), "\n");
}

std::string NoAnswerText() {
  return "o8lock: warning: orchestr8 asks before it starts, and standard input "
         "is no terminal: without an answer it does nothing and exits 0; "
         "add --yes\n";
}

std::string StatusText(const Survey& survey, const Now& now, bool color) {
  const Inspection& found = survey.lock.found;
  std::string text = VerdictText(found);
  if (color) text = Colored(text, found.verdict);
  text += "\n";
  std::vector<Row> rows = HolderRows(found, now);
  if (found.holder.has_value()) rows.insert(rows.begin(), StartedRow(found));
  if (std::string evidence = EvidenceText(found); !evidence.empty()) {
    rows.emplace_back("Evidence", std::move(evidence));
  }
  rows.emplace_back("Lock file", Printable(survey.lock.location.lock_file));
  rows.emplace_back("Guard", Printable(survey.lock.location.guard));
  absl::StrAppend(&text, Lines(rows));
  if (!survey.lock.processes.empty()) {
    absl::StrAppend(&text, "Processes: ", survey.lock.processes.size(), "\n",
                    ListText(survey.lock.processes, ProcessLine));
  }
  if (!survey.lock.worktrees.empty()) {
    absl::StrAppend(&text,
                    "Worktrees since then: ", survey.lock.worktrees.size(),
                    "\n", ListText(survey.lock.worktrees, WorktreeLine));
  }
  if (!survey.others.empty()) {
    absl::StrAppend(
        &text, "Other locks: ", survey.others.size(), "\n",
        ListText(survey.others, [color](const LockSurvey& other) {
          const std::string verdict = VerdictText(other.found);
          return absl::StrCat(
              Printable(other.name), ": ",
              color ? Colored(verdict, other.found.verdict) : verdict);
        }));
  }
  return text;
}

std::string StatusJson(const Survey& survey, const Now& now) {
  JsonMembers status = LockJson(survey.lock, now);
  std::vector<JsonValue> others;
  for (const LockSurvey& other : survey.others) {
    others.emplace_back(LockJson(other, now));
  }
  status.emplace_back("otherLocks", others);
  return JsonValue(status).Text();
}

std::string UnlockText(const Inspection& found) {
  return absl::StrCat(
      "\nWarning: Taking the lock away from PID ", PidText(found), "\n",
      found.verdict == Verdict::kHeld
          ? "This does not end it: the next run will run beside it.\n"
          : "This may cause conflicts if it is still running.\n");
}

std::string UnlockedText(const Inspection& found) {
  return absl::StrCat("o8lock: unlocked, PID ", PidText(found),
                      " has the lock no more\n");
}

std::string ErrorText(absl::string_view problem, absl::string_view hint) {
  return absl::StrCat("o8lock: error: ", Printable(problem), "\n",
                      hint.empty() ? "" : HintText(hint));
}

std::string HintText(absl::string_view hint) {
  return absl::StrCat("o8lock: hint: ", Printable(hint), "\n");
}

absl::string_view LockHint(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kUnimplemented:
      return "keep the lock on a file system that has locks: --lock-file FILE";
    case absl::StatusCode::kInvalidArgument:
      return "see: o8lock --help";
    case absl::StatusCode::kFailedPrecondition:
      return "nothing was run; move that file away, it is none of o8lock's";
    case absl::StatusCode::kNotFound:
      return "nothing was run; create the directory first";
    case absl::StatusCode::kPermissionDenied:
      return "nothing was run; get write permission, or use a lock file of "
             "your own: --lock-file FILE";
    case absl::StatusCode::kResourceExhausted:
      return "nothing was run; make room, then try again";
    default:
      return "nothing was run";
  }
}

}  // namespace o8lock
