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
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/hook_call.h"
#include "hooks/installation.h"
#include "hooks/rollback.h"
#include "hooks/timing.h"
#include "hooks/worktree_add.h"
#include "hooks/worktrees.h"
#include "lock/arming.h"
#include "lock/file.h"
#include "lock/git_directory.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/lock_status.h"
#include "lock/orchestr8_process.h"
#include "lock/process.h"
#include "lock/status.h"

namespace o8lock {
namespace {

using Decision = absl::StatusOr<std::optional<Refused>>;

absl::StatusOr<Location> LocateFromHook(const HookCall& call) {
  LocateOptions options;
  options.directory = call.directory;
  options.git_dir = call.git_dir;
  // The calling git has already accepted the repository's extensions.
  options.discovery.any_extensions = true;
  return Locate(options);
}

// IsTaken(Location) without Locate(): git's directory is in GIT_DIR, or .git.
// Most calls run only this function. With Locate() instead, a call takes 1.06
// times as long in the main worktree. In a linked worktree, where a parallel
// run makes its commits, it takes 1.14 times as long.
bool IsTakenFastPath(const HookCall& call) {
  Location location;
  location.common_dir =
      JoinPath(call.directory, call.git_dir.empty() ? ".git" : call.git_dir);
  const absl::StatusOr<std::string> common =
      ReadGitFile(location.common_dir + "/commondir");
  if (common.ok()) {
    const absl::string_view path = absl::StripTrailingAsciiWhitespace(*common);
    location.common_dir = JoinPath(location.common_dir, path);
  }
  location.guard = location.common_dir + "/o8lock/parallel.guard";
  return IsTaken(location).value_or(false);
}

// Whether `add` may have done its first step, creating its branch. If the add
// is refused afterwards, git does not remove the branch.
bool MayHaveMadeBranch(const HookCall& call, const WorktreeAdd& add,
                       const Location& location) {
  if (add.step == "branch") return false;
  if (add.step != "reset") {
    return CreatedBranch(add.arguments).has_value();
  }
  // With a new branch a reset is the second step, with an old one the first.
  // Its GIT_DIR is the git directory of the new worktree.
  if (call.git_dir.empty()) return false;
  const std::string head =
      ReadGitFile(absl::StrCat(JoinPath(call.directory, call.git_dir), "/HEAD"))
          .value_or("");
  absl::string_view branch = absl::StripTrailingAsciiWhitespace(head);
  if (!absl::ConsumePrefix(&branch, "ref: ")) return false;
  return MayHaveMade(add,
                     ChangeOf(absl::StrCat(location.common_dir, "/", branch)));
}

// Whether `add` has certainly created its branch (-b).
bool HasMadeBranch(const WorktreeAdd& add, const Location& location) {
  const std::optional<std::string> branch = CreatedBranch(add.arguments);
  return add.step != "branch" && branch.has_value() &&
         MayHaveMade(add, ChangeOf(absl::StrCat(location.common_dir,
                                                "/refs/heads/", *branch)));
}

// The time at which the lock in `found` was taken.
std::optional<int64_t> TakenSince(const LockStatus& found) {
  if (!found.holder.has_value()) return std::nullopt;
  if (found.is_external) return ChangeOf(found.file);
  return found.holder->taken_since;
}

// Whether `call` comes from the run in `found`. Any program can write the lock
// file of an external run, so the pid in it counts only if it is an orchestr8.
bool IsOwn(const HookCall& call, const LockStatus& found) {
  if (!found.is_external || !found.holder.has_value() || found.pid_reused) {
    return found.own;
  }
  const int pid = found.holder->pid;
  return (pid == call.parent_pid || DescendsFrom(call.parent_pid, pid)) &&
         IsOrchestr8Process(pid);
}

// Disarms the hooks after the run was killed. Called for commands that add no
// worktree.
void DisarmIfFree(const HookCall& call) {
  if (IsTakenFastPath(call)) return;
  const absl::StatusOr<Location> location = LocateFromHook(call);
  if (!location.ok() || !IsArmed(*location) ||
      IsTaken(*location).value_or(true)) {
    return;
  }
  const absl::StatusOr<LockStatus> found = Inspect(*location, call.own_tokens);
  if (found.ok() && found->state <= LockState::kStale) {
    UpdateArming(*location, /*held_externally=*/false).IgnoreError();
    // Adapts to hooks installed during that run.
    RefreshHooks(*location).IgnoreError();
  }
}

// The argument is the state. In other states git has already made the change.
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
  O8LOCK_ASSIGN_OR_RETURN(LockStatus found, Inspect(location, call.own_tokens));
  if (found.state <= LockState::kStale) {
    UpdateArming(location, /*held_externally=*/false).IgnoreError();
    return std::nullopt;
  }
  if (IsOwn(call, found) || BeganBefore(*add, TakenSince(found))) {
    return std::nullopt;
  }
  // The hook may have missed the add's first steps, for three reasons: a killed
  // hook refuses nothing; the start of a process is known only in ticks; an
  // external run does not arm the hooks. In this case post-checkout rolls back
  // the add together with its branch.
  const std::optional<int64_t> armed =
      found.is_external ? ChangeOf(location.armed) : TakenSince(found);
  const int64_t behind = found.is_external ? kFilesBehind : 0;
  const bool may_be_unseen =
      armed.has_value() && StartOf(*add) <= *armed + behind;
  if (HasMadeBranch(*add, location) ||
      (may_be_unseen && MayHaveMadeBranch(call, *add, location))) {
    return std::nullopt;
  }
  RecordStrayDirectories(location, StrayDirectoriesOf(*add, location))
      .IgnoreError();
  return Refused{*add, std::move(found), location.Home(), std::nullopt};
}

// The arguments are the old commit and the new one.
Decision OnPostCheckout(const HookCall& call) {
  const std::optional<WorktreeAdd> add = FindWorktreeAdd(call.parent_pid);
  if (!add.has_value() || call.allowed) return std::nullopt;
  O8LOCK_ASSIGN_OR_RETURN(const Location location, LocateFromHook(call));
  O8LOCK_ASSIGN_OR_RETURN(LockStatus found, Inspect(location, call.own_tokens));
  if (found.state <= LockState::kStale) return std::nullopt;
  if (found.is_external) {
    RefreshHooks(location).IgnoreError();
    // If this fails, git still calls post-checkout for the next add.
    UpdateArming(location, /*held_externally=*/true).IgnoreError();
  }
  if (IsOwn(call, found)) {
    // Without a mark, the worktree counts as the run's only in the directories
    // orchestr8 uses.
    if (!found.is_external && found.holder.has_value()) {
      MarkWorktree(call.directory, found.holder->token).IgnoreError();
    }
    return std::nullopt;
  }
  // With -b, reference-transaction has already compared the start of the
  // process creating the branch. Otherwise the time of the worktree's first
  // file counts too: the add's process may have run another program for a long
  // time before.
  const bool is_seen =
      !found.is_external && CreatedBranch(add->arguments).has_value();
  if (BeganBefore(*add, TakenSince(found)) &&
      (is_seen || IsBefore(ChangeOf(JoinPath(call.directory, ".git")),
                           TakenSince(found)))) {
    return std::nullopt;
  }
  RolledBack rolled_back =
      RollBackWorktree(*add, location, call.directory, call.args[1]);
  return Refused{*add, std::move(found), location.Home(),
                 std::move(rolled_back)};
}

}  // namespace

absl::StatusOr<std::optional<Refused>> Decide(const HookCall& call) {
  if (call.event == kReferenceTransaction && !call.args.empty()) {
    return OnReferenceTransaction(call);
  }
  if (call.event == kPostCheckout && call.args.size() > 1) {
    return OnPostCheckout(call);
  }
  return std::nullopt;
}

}  // namespace o8lock
