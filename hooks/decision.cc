// SPDX-License-Identifier: Apache-2.0
#include "hooks/decision.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/hook_call.h"
#include "hooks/installation.h"
#include "hooks/rollback.h"
#include "hooks/timing.h"
#include "hooks/worktree_add.h"
#include "lock/arming.h"
#include "lock/file.h"
#include "lock/inspection.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/orchestr8_process.h"
#include "lock/process.h"
#include "lock/status.h"

namespace o8lock {
namespace {

using Decision = absl::StatusOr<std::optional<Refused>>;

// `path`, which may be relative to the directory of `call`.
std::string PathOf(const HookCall& call, absl::string_view path) {
  return absl::StartsWith(path, "/") ? std::string(path)
                                     : absl::StrCat(call.directory, "/", path);
}

absl::StatusOr<Location> LocateFromHook(const HookCall& call) {
  LocateOptions options;
  options.directory = call.directory;
  options.git_dir = call.git_dir;
  return Locate(options);
}

// Whether a run has the lock, as IsTaken(Location) has it, but found by what
// git tells a reference-transaction: its directory is in GIT_DIR or else .git.
// Most calls come down to this. Locate() in its place makes a call take 1.05
// times as long in the main worktree, and 1.12 times in a linked one, where the
// commits of a parallel run are made.
bool IsTakenFastPath(const HookCall& call) {
  Location location;
  location.common_dir =
      PathOf(call, call.git_dir.empty() ? ".git" : call.git_dir);
  const absl::StatusOr<std::string> common =
      ReadFile(location.common_dir + "/commondir");
  if (common.ok()) {
    const absl::string_view path = absl::StripTrailingAsciiWhitespace(*common);
    location.common_dir = absl::StartsWith(path, "/")
                              ? std::string(path)
                              : absl::StrCat(location.common_dir, "/", path);
  }
  location.guard = location.common_dir + "/o8lock/parallel.guard";
  return IsTaken(location).value_or(false);
}

// Whether `add` may be past the first it does, which is to make its branch: all
// that git leaves behind if it is refused.
bool MayHaveMadeBranch(const HookCall& call, const WorktreeAdd& add,
                       const Location& location) {
  if (add.step == "branch") return false;
  if (add.step != "reset") {
    return CreatedBranch(add.words).has_value();
  }
  // A reset is the second step with a new branch, and the first with an old
  // one. It is told which worktree is being made.
  if (call.git_dir.empty()) return false;
  const std::string head =
      ReadFile(absl::StrCat(PathOf(call, call.git_dir), "/HEAD")).value_or("");
  absl::string_view branch = absl::StripTrailingAsciiWhitespace(head);
  if (!absl::ConsumePrefix(&branch, "ref: ")) return false;
  return MayHaveMade(add,
                     ChangeOf(absl::StrCat(location.common_dir, "/", branch)));
}

// Since when the lock in `found` is taken.
std::optional<int64_t> TakenSince(const Inspection& found) {
  if (!found.holder.has_value()) return std::nullopt;
  if (!found.kernel_locked) return ChangeOf(found.file);
  return found.holder->taken_since;
}

// Whether `call` descends from the run in `found`. Of an external one, whose
// lock file anybody may have written, only where it is an orchestr8.
bool IsDescendant(const HookCall& call, const Inspection& found) {
  std::vector<int> wanted;
  if (found.holder.has_value() && !found.pid_reused) {
    if (found.origin == Origin::kHere) {
      wanted = {found.holder->pid, found.holder->command_pid};
    } else if (found.origin == Origin::kUnknown &&
               IsOrchestr8Process(found.holder->pid)) {
      wanted = {found.holder->pid};
    }
  }
  for (const Keeper& keeper : found.keepers) wanted.push_back(keeper.pid);
  return absl::c_any_of(wanted, [&call](int pid) {
    return pid > 0 &&
           (pid == call.parent_pid || DescendsFrom(call.parent_pid, pid));
  });
}

// What is left to do for a command that adds no worktree: git calls the hook
// for nothing if the run was killed.
void DisarmIfFree(const HookCall& call) {
  if (IsTakenFastPath(call)) return;
  const absl::StatusOr<Location> location = LocateFromHook(call);
  if (!location.ok() || !IsArmed(*location) ||
      IsTaken(*location).value_or(true)) {
    return;
  }
  const absl::StatusOr<Inspection> found = Inspect(*location, call.own_tokens);
  if (found.ok() && found->verdict <= Verdict::kStale) {
    UpdateArming(*location, /*held_outside=*/false).IgnoreError();
  }
}

// It is called with the state. Nothing is refused in others than these.
Decision OnReferenceTransaction(const HookCall& call) {
  const std::string& state = call.args[0];
  if (state != "preparing" && state != "prepared") return std::nullopt;
  const std::optional<WorktreeAdd> add = FindWorktreeAdd(call.parent_pid);
  if (!add.has_value()) {
    DisarmIfFree(call);
    return std::nullopt;
  }
  if (call.allowed) return std::nullopt;
  O8LOCK_ASSIGN_OR_RETURN(const Location location, LocateFromHook(call));
  O8LOCK_ASSIGN_OR_RETURN(Inspection found, Inspect(location, call.own_tokens));
  if (found.verdict <= Verdict::kStale) {
    UpdateArming(location, /*held_outside=*/false).IgnoreError();
    return std::nullopt;
  }
  if (found.own || IsDescendant(call, found) ||
      BeganBefore(*add, TakenSince(found))) {
    return std::nullopt;
  }
  // Its first steps may have gone unseen: when a process started is only known
  // in ticks, and a run outside o8lock has not armed. Then post-checkout takes
  // it back, with its branch.
  const std::optional<int64_t> armed =
      found.kernel_locked ? TakenSince(found) : ChangeOf(location.armed);
  const int64_t behind = found.kernel_locked ? 0 : kFilesBehind;
  if (MayHaveMadeBranch(call, *add, location) && armed.has_value() &&
      StartOf(*add) <= *armed + behind) {
    return std::nullopt;
  }
  RememberLeftovers(location, LeftoversOf(*add, location)).IgnoreError();
  return Refused{*add, std::move(found), std::nullopt};
}

// It is called with the old commit and the new one.
Decision OnPostCheckout(const HookCall& call) {
  const std::optional<WorktreeAdd> add = FindWorktreeAdd(call.parent_pid);
  if (!add.has_value() || call.allowed) return std::nullopt;
  O8LOCK_ASSIGN_OR_RETURN(const Location location, LocateFromHook(call));
  O8LOCK_ASSIGN_OR_RETURN(Inspection found, Inspect(location, call.own_tokens));
  if (found.verdict <= Verdict::kStale) return std::nullopt;
  if (!found.kernel_locked) {
    RefreshHooks(location).IgnoreError();
    // Where this fails there is post-checkout again for the next add.
    UpdateArming(location, /*held_outside=*/true).IgnoreError();
  }
  if (found.own || IsDescendant(call, found)) return std::nullopt;
  // Of a branch that it made the hook above has seen when; else what the add
  // has written first counts too, since its process may have been another
  // program for long before.
  const bool is_seen =
      found.kernel_locked && CreatedBranch(add->words).has_value();
  if (BeganBefore(*add, TakenSince(found)) &&
      (is_seen ||
       IsBefore(ChangeOf(PathOf(call, ".git")), TakenSince(found)))) {
    return std::nullopt;
  }
  TakenBack taken = TakeBack(*add, location, call.directory, call.args[1]);
  return Refused{*add, std::move(found), std::move(taken)};
}

// What o8lock does when git calls it.
struct HandledEvent {
  HookEvent event;
  size_t min_args;
  Decision (*handle)(const HookCall& call);
};
constexpr HandledEvent kHandledEvents[] = {
    {kReferenceTransaction, 1, OnReferenceTransaction},
    {kPostCheckout, 2, OnPostCheckout},
};

}  // namespace

absl::StatusOr<std::optional<Refused>> Decide(const HookCall& call) {
  for (const HandledEvent& handled : kHandledEvents) {
    if (handled.event.name == call.event &&
        call.args.size() >= handled.min_args) {
      return handled.handle(call);
    }
  }
  return std::nullopt;
}

}  // namespace o8lock
