// SPDX-License-Identifier: Apache-2.0
#include "tools/messages.h"

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
#include "tools/text.h"

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
  if (found.pid_reused) {
    return absl::StrCat(process, " is another, younger one");
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
    facts.push_back("it runs without o8lock");
  }
  return absl::StrJoin(facts, ", ");
}

// The holder, a row for each thing that is known of it.
std::vector<Row> HolderRows(const Inspection& found, const Now& now) {
  std::vector<Row> rows;
  if (found.holder.has_value()) {
    const Holder& holder = *found.holder;
    rows.emplace_back("Started at", holder.started_at.empty()
                                        ? "unknown"
                                        : Clipped(holder.started_at));
    if (const auto age = AgeSeconds(found, now); age.has_value()) {
      rows.emplace_back(found.verdict == Verdict::kHeld ? "Running for" : "Age",
                        FormatDuration(*age));
    }
    if (!holder.user.empty() || !holder.host.empty()) {
      rows.emplace_back("Holder", absl::StrCat(Clipped(holder.user), "@",
                                               Clipped(holder.host)));
    }
    if (!holder.command.empty()) {
      rows.emplace_back("Command", ShellQuoted(Glance(holder.command)));
    }
    if (!holder.features.empty()) {
      rows.emplace_back(
          "Features", Printable(absl::StrJoin(Glance(holder.features), ", ")));
    }
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

// Everything that is known of who is in the way.
std::vector<Row> RefusalRows(const Inspection& found, const Now& now) {
  std::vector<Row> rows = HolderRows(found, now);
  rows.emplace_back(found.verdict == Verdict::kHeld ? "Known by" : "Doubt",
                    EvidenceText(found));
  rows.emplace_back("Lock", Printable(found.file));
  return rows;
}

// What became of a worktree that was there already.
Row TakenBackRow(const TakenBack& taken) {
  std::string text = Printable(taken.worktree);
  if (!taken.removed) {
    return {"Left", absl::StrCat(text, ": ", Printable(taken.problem))};
  }
  if (taken.branch_removed) {
    absl::StrAppend(&text, ", with its new branch ", Printable(taken.branch));
  } else if (!taken.problem.empty()) {
    absl::StrAppend(&text, ", but not its branch ", Printable(taken.branch),
                    ": ", Printable(taken.problem));
  }
  return {"Taken back", text};
}

// The command of `add` as the user can give it again.
std::string AddCommand(const WorktreeAdd& add) {
  std::vector<std::string> words = add.command;
  // Where it is only a path to the git that is meant anyway.
  if (absl::EndsWith(words[0], "/git")) words[0] = "git";
  return ShellQuoted(Glance(words));
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
  };
}

}  // namespace

Now GetNow() { return {static_cast<int64_t>(time(nullptr)), NowTicks()}; }

std::string RefusalText(const Inspection& found, const Invocation& invocation,
                        const Now& now) {
  std::string text =
      absl::StrCat("Error: Another", HeldText(found), "\n",
                   Lines(RefusalRows(found, now)), "\nOptions:\n");
  absl::StrAppend(&text, found.verdict == Verdict::kHeld
                             ? "  • Wait for it to complete\n"
                             : "  • Find out whether it still runs\n");
  if (!found.keepers.empty()) {
    absl::StrAppend(&text, "  • End what is left of it: kill");
    for (const Keeper& keeper : found.keepers) {
      absl::StrAppend(&text, " ", keeper.pid);
      // From what its command leaves behind the next run takes the lock.
      if (found.holder.has_value() && keeper.pid == found.holder->command_pid) {
        break;
      }
    }
    absl::StrAppend(&text, "\n");
  }
  absl::StrAppend(
      &text, "  • Run: ", CommandLine(invocation.o8lock, {"status"}), "\n");
  std::vector<std::string> force = invocation.description;
  force.insert(force.end(), {"--force", "--"});
  force.insert(force.end(), invocation.command.begin(),
               invocation.command.end());
  absl::StrAppend(&text,
                  "  • Force override: ", CommandLine(invocation.o8lock, force),
                  "\n");
  return text;
}

std::string WorktreeRefusedText(const Refused& refused,
                                const std::string& program, const Now& now) {
  std::vector<Row> rows = RefusalRows(refused.found, now);
  if (refused.taken_back.has_value()) {
    rows.push_back(TakenBackRow(*refused.taken_back));
  }
  return absl::StrCat(kWorktreeRefused, "another", HeldText(refused.found),
                      "\n", Lines(rows), "\nOptions:\n",
                      refused.found.verdict == Verdict::kHeld
                          ? "  • Wait for it to complete\n"
                          : "  • Find out whether it still runs\n",
                      "  • Run: ", ShellQuoted({program, "status"}),
                      "\n  • Allow this one on purpose: ", kAllowVariable,
                      "=1 ", AddCommand(refused.add), "\n");
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
  return JsonObject(
      {{"installed", state.installed},
       {"guards", Guards(state)},
       {"armed", state.armed},
       {"git", state.git_version},
       {"mechanism", std::string(is_config ? "setting" : "directory")},
       {"program", state.program},
       {"programVersion", state.program_version},
       {"postCheckout",
        std::string(kSecondLines[static_cast<int>(state.second_line)])},
       {"hooksDirectory", state.hooks_directory},
       {"manager", state.manager},
       {"bypassedBy", state.bypasses}});
}

std::string OverrideText(const Inspection& found, const Now& now) {
  return absl::StrCat(
      "Warning: Overriding existing lock (PID: ", PidText(found),
      ")\nThis may cause conflicts if another execution is still running.\n",
      Lines(HolderRows(found, now)), "\n");
}

std::string StaleText(const Inspection& found) {
  return absl::StrCat("Warning: Found stale lock file (PID ", PidText(found),
                      " not running)\nRemoving stale lock and continuing...\n");
}

std::string MalformedText(const Malformed& malformed) {
  return absl::StrCat("o8lock: warning: '", Printable(malformed.path),
                      "' was no lock file (", Printable(malformed.problem),
                      ")\no8lock: hint: it is kept as '",
                      Printable(malformed.kept_as), "'\n");
}

std::string OverriddenText(const Released& released) {
  if (!released.by.has_value()) {
    return "o8lock: warning: the lock was taken away from this run; nothing "
           "was removed\n";
  }
  return absl::StrCat("o8lock: warning: this run's lock was overridden at ",
                      Printable(released.by->at), " by ",
                      Printable(released.by->user), "@",
                      Printable(released.by->host), " (PID ", released.by->pid,
                      "); nothing was removed\n");
}

std::string StatusText(const Inspection& found, const Location& location,
                       const Now& now) {
  std::string text;
  switch (found.verdict) {
    case Verdict::kFree:
      text = "free\n";
      break;
    case Verdict::kStale:
      text = found.holder.has_value()
                 ? absl::StrCat("free (stale: PID ", PidText(found),
                                " is not running)\n")
                 : "free (stale: the lock file is malformed)\n";
      break;
    case Verdict::kUnknown:
      text = absl::StrCat("unknown (PID: ", PidText(found), ")\n");
      break;
    case Verdict::kHeld:
      text = absl::StrCat("held (PID: ", PidText(found), ")",
                          found.own ? " by the run that asks" : "", "\n");
      break;
  }
  std::vector<Row> rows = HolderRows(found, now);
  if (std::string evidence = EvidenceText(found); !evidence.empty()) {
    rows.emplace_back("Known by", std::move(evidence));
  }
  rows.emplace_back("Lock file", Printable(location.lock_file));
  rows.emplace_back("Guard", Printable(location.guard));
  return absl::StrCat(text, Lines(rows));
}

std::string ErrorText(absl::string_view problem, absl::string_view hint) {
  std::string text = absl::StrCat("o8lock: error: ", Printable(problem), "\n");
  if (!hint.empty()) {
    absl::StrAppend(&text, "o8lock: hint: ", Printable(hint), "\n");
  }
  return text;
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
