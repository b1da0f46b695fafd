// SPDX-License-Identifier: Apache-2.0
#include "hooks/decision.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/git.h"
#include "hooks/installation.h"
#include "hooks/worktree_add.h"
#include "hooks/worktrees.h"
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

constexpr int kMaxAncestors = 1000;

// A file gets the time of the kernel's last timer interrupt. These come every
// 1 to 10 ms, and late where a virtual machine has to wait for its processor.
constexpr int64_t kFilesBehind = 100000000;

bool IsAllowed() {
  const char* allow = getenv(kAllowVariable);
  return allow != nullptr && *allow != '\0' && absl::string_view(allow) != "0";
}

absl::StatusOr<Location> LocateFromHook() {
  LocateOptions options;
  if (const char* git_dir = getenv("GIT_DIR"); git_dir != nullptr) {
    options.git_dir = git_dir;
  }
  return Locate(options);
}

// Whether a run has the lock, as IsTaken(Location) has it, but found by what
// git tells a reference-transaction: its directory is in GIT_DIR or else .git.
// This is what most hooks come down to, and the search would be half of it.
bool IsSurelyTaken() {
  const char* git_dir = getenv("GIT_DIR");
  Location location;
  location.common_dir = git_dir != nullptr ? git_dir : ".git";
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

int64_t Nanoseconds(const struct timespec& time) {
  return int64_t{time.tv_sec} * 1000000000 + time.tv_nsec;
}

// How long the clock of processes is ahead of the clock of files.
int64_t BootTimeAhead() {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return NowNanoseconds() - Nanoseconds(now);
}

// A moment by the clock that NowNanoseconds() reads: the file `path` became
// what it is then or up to kFilesBehind later; nothing if there is none.
std::optional<int64_t> ChangeOf(const std::string& path) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return std::nullopt;
  return Nanoseconds(info.st_mtim) + BootTimeAhead();
}

// The earliest moment at which `add` may have started.
int64_t StartOf(const WorktreeAdd& add) {
  return add.started * kNanosecondsPerTick;
}

// Whether `add` had begun before `moment`, for certain.
bool BeganBefore(const WorktreeAdd& add, std::optional<int64_t> moment) {
  return add.started >= 0 && moment.has_value() &&
         // A file's time may be anything.
         *moment <= NowNanoseconds() &&
         StartOf(add) + kNanosecondsPerTick <= *moment;
}

// Whether a file was made before `moment`, or with it: a tick is more than the
// kernel is behind, but for rare times, and whoever is taken for earlier then
// was as good as that.
bool IsBefore(std::optional<int64_t> change, std::optional<int64_t> moment) {
  return change.has_value() && moment.has_value() &&
         *change + kNanosecondsPerTick <= *moment;
}

// Whether `add` may be past the first it does, which is to make its branch: all
// that git leaves behind if it is refused.
bool MayHaveMadeBranch(const WorktreeAdd& add, const Location& location) {
  if (add.step == "branch") return false;
  if (add.step != "reset") {
    return CreatedBranch(add.words).has_value();
  }
  // A reset is the second step with a new branch, and the first with an old
  // one. It is told which worktree is being made.
  const char* git_dir = getenv("GIT_DIR");
  const std::string head =
      ReadFile(absl::StrCat(git_dir == nullptr ? "" : git_dir, "/HEAD"))
          .value_or("");
  absl::string_view branch = absl::StripTrailingAsciiWhitespace(head);
  if (!absl::ConsumePrefix(&branch, "ref: ")) return false;
  const std::optional<int64_t> change =
      ChangeOf(absl::StrCat(location.common_dir, "/", branch));
  return change.has_value() && *change >= StartOf(add) - kFilesBehind;
}

// Since when the lock in `found` is taken.
std::optional<int64_t> StartOf(const Inspection& found) {
  if (!found.holder.has_value()) return std::nullopt;
  if (!found.kernel_locked) return ChangeOf(found.file);
  return found.holder->taken_since;
}

// Whether the process that asks descends from the run in `found`. Of an
// external one, whose lock file anybody may have written, only where it is an
// orchestr8.
bool IsDescendant(const Inspection& found) {
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
  int pid = getppid();
  for (int i = 0; pid > 0 && i < kMaxAncestors; ++i) {
    if (std::find(wanted.begin(), wanted.end(), pid) != wanted.end()) {
      return true;
    }
    pid = ParentProcess(pid);
  }
  return false;
}

// When `path` was created, by the clock of files; 0 where the file system does
// not know.
int64_t BirthOf(const std::string& path) {
  struct statx info;
  if (statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BTIME, &info) !=
          0 ||
      (info.stx_mask & STATX_BTIME) == 0) {
    return 0;
  }
  return Nanoseconds({info.stx_btime.tv_sec, info.stx_btime.tv_nsec});
}

// The directories that `add` has made and git will not remove if it fails: its
// list of worktrees, and what leads to the new one.
std::vector<std::string> LeftoversOf(const WorktreeAdd& add,
                                     const Location& location) {
  if (add.step == "branch") return {};  // it has made nothing yet
  const std::string list = location.common_dir + "/worktrees";
  // Git itself removes an empty one, whoever has made it.
  std::vector<std::string> leftovers = {list};
  std::string words_path = AddedPath(add.words);
  while (absl::EndsWith(words_path, "/")) words_path.pop_back();
  // The first it makes is its entry in the list, which says where the worktree
  // is; the words alone do not, since git has gone to the top of the worktree
  // that it was called in.
  int64_t begun = StartOf(add) - BootTimeAhead() - kFilesBehind;
  std::string worktree;
  for (const std::string& name : NamesIn(list)) {
    const std::string entry = absl::StrCat(list, "/", name);
    const int64_t birth = BirthOf(entry);
    if (birth <= begun) continue;
    const std::string path = WorktreeOf(entry);
    if (path.empty() || BaseName(path) != BaseName(words_path)) continue;
    begun = birth;
    worktree = path;
  }
  for (std::string path = ParentOf(worktree);
       !path.empty() && BirthOf(path) >= begun; path = ParentOf(path)) {
    leftovers.push_back(path);
  }
  return leftovers;
}

// Why `worktree`, made at `commit`, is not as git has made it; empty: it is.
absl::StatusOr<std::string> ChangesOf(const std::string& worktree,
                                      const std::string& commit) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string head,
                          AskGit(worktree, {"rev-parse", "HEAD"}));
  if (head != commit) return "its HEAD has moved";
  // What only this worktree refers to would go with it.
  O8LOCK_ASSIGN_OR_RETURN(const std::string log,
                          AskGit(worktree, {"rev-list", "-g", "HEAD"}));
  for (const absl::string_view past : absl::StrSplit(log, '\n')) {
    if (!past.empty() && past != commit) return "its HEAD has been elsewhere";
  }
  O8LOCK_ASSIGN_OR_RETURN(const std::string refs,
                          AskGit(worktree, {"for-each-ref", "refs/worktree",
                                            "refs/bisect", "refs/rewritten"}));
  if (!refs.empty()) return "it has references of its own";
  // An ignored file is somebody's too; `git worktree remove` would not mind.
  O8LOCK_ASSIGN_OR_RETURN(
      const std::string files,
      AskGit(worktree, {"-c", "core.fsmonitor=false", "status", "--porcelain",
                        "--ignored", "--untracked-files=all"}));
  if (!files.empty()) return "it has files that git did not make";
  // Nor does git show a change of a file that it was told to pass over.
  O8LOCK_ASSIGN_OR_RETURN(const std::string index,
                          AskGit(worktree, {"ls-files", "-v", "-z"}));
  for (const absl::string_view entry : absl::StrSplit(index, '\0')) {
    if (entry.size() < 2 || entry[0] == 'H') continue;
    const std::string path = absl::StrCat(worktree, "/", entry.substr(2));
    if (ChangeOf(path).has_value()) return "it has files that git passes over";
  }
  return "";
}

// Whether `add`, whose words do not say so, has made the branch `branch` at
// `commit`: by its reflog, which has to begin then and with git's words for a
// branch that is made for a new worktree.
bool HasMadeBranch(const WorktreeAdd& add, const std::string& common_dir,
                   absl::string_view branch, const std::string& commit) {
  const std::string log = absl::StrCat(common_dir, "/logs/refs/heads/", branch);
  const std::optional<int64_t> made = ChangeOf(log);
  const std::string text = ReadFile(log).value_or("");
  if (!made.has_value() || add.started < 0 ||
      *made < StartOf(add) - kFilesBehind ||
      !absl::StartsWith(text, absl::StrCat(std::string(commit.size(), '0'), " ",
                                           commit, " ")) ||
      text.find('\n') + 1 != text.size()) {
    return false;
  }
  // A name given as the commit is there already, or made from a remote's.
  const bool is_remote =
      absl::StrContains(text, "\tbranch: Created from refs/remotes/");
  return AddedCommit(add.words).empty()
             ? is_remote || absl::EndsWith(text, "branch: Created from HEAD\n")
             : is_remote;
}

// Removes what `add` made, unless somebody has changed it since.
absl::Status Remove(const WorktreeAdd& add, const Location& location,
                    const std::string& commit, TakenBack& taken) {
  const std::string main = location.Home();
  const std::string& worktree = taken.worktree;
  const std::optional<int64_t> made = ChangeOf(worktree + "/.git");
  if (!made.has_value() || add.started < 0 ||
      *made < StartOf(add) - kFilesBehind) {
    return absl::FailedPreconditionError("it was there before");
  }
  O8LOCK_ASSIGN_OR_RETURN(const std::string changes,
                          ChangesOf(worktree, commit));
  if (!changes.empty()) return absl::FailedPreconditionError(changes);
  O8LOCK_ASSIGN_OR_RETURN(
      const ProgramResult on,
      RunGit(worktree, {"symbolic-ref", "--short", "-q", "HEAD"}));
  // Nobody but the add itself can have locked it so soon.
  O8LOCK_RETURN_IF_ERROR(
      RunGit(main, {"worktree", "unlock", worktree}).status());
  O8LOCK_RETURN_IF_ERROR(
      AskGit(main, {"worktree", "remove", worktree}).status());
  taken.removed = true;
  const absl::string_view current = absl::StripSuffix(on.out, "\n");
  if (taken.branch.empty()) {
    taken.branch = std::string(current);
    if (current.empty()) return absl::OkStatus();
    if (!HasMadeBranch(add, location.common_dir, current, commit)) {
      return absl::FailedPreconditionError("it may have been there before");
    }
  }
  if (taken.branch != current) {
    return absl::FailedPreconditionError("the worktree has left it");
  }
  const std::string branch = absl::StrCat("refs/heads/", taken.branch);
  O8LOCK_ASSIGN_OR_RETURN(
      const std::string elsewhere,
      AskGit(main, {"for-each-ref", "--format=%(worktreepath)", branch}));
  if (!elsewhere.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("it is checked out in '", elsewhere, "'"));
  }
  // Only if it is still where the add has put it.
  O8LOCK_RETURN_IF_ERROR(
      AskGit(main, {"update-ref", "-d", branch, commit}).status());
  taken.branch_removed = true;
  // What git has set where the branch was to follow another.
  for (const absl::string_view key : {"remote", "merge", "rebase"}) {
    O8LOCK_RETURN_IF_ERROR(
        RunGit(main, {"config", "--local", "--unset",
                      absl::StrCat("branch.", taken.branch, ".", key)})
            .status());
  }
  return absl::OkStatus();
}

TakenBack TakeBack(const WorktreeAdd& add, const Location& location,
                   const std::string& commit) {
  // Out of the reach of Ctrl-C: half of this is worse than all, or nothing.
  const pid_t group = getpgrp();
  setpgid(0, 0);
  TakenBack taken;
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof(directory)) != nullptr) {
    taken.worktree = directory;
  }
  taken.branch = CreatedBranch(add.words).value_or("");
  const std::vector<std::string> leftovers = LeftoversOf(add, location);
  const absl::Status status = Remove(add, location, commit, taken);
  if (!status.ok()) taken.problem = std::string(status.message());
  RememberLeftovers(location, leftovers).IgnoreError();
  setpgid(0, group);
  return taken;
}

}  // namespace

absl::StatusOr<std::optional<Refused>> OnReferenceTransaction(
    absl::string_view state, const std::vector<std::string>& own_tokens) {
  if (state != "preparing" && state != "prepared") return std::nullopt;
  const std::optional<WorktreeAdd> add = FindWorktreeAdd(getppid());
  if (add.has_value() ? IsAllowed() : IsSurelyTaken()) return std::nullopt;
  const absl::StatusOr<Location> location = LocateFromHook();
  if (!add.has_value()) {
    // The hook is called for nothing if the run was killed.
    if (location.ok() && IsArmed(*location) &&
        !IsTaken(*location).value_or(true)) {
      const absl::StatusOr<Inspection> found = Inspect(*location, own_tokens);
      if (found.ok() && found->verdict <= Verdict::kStale) {
        UpdateArming(*location, /*held_outside=*/false).IgnoreError();
      }
    }
    return std::nullopt;
  }
  if (!location.ok()) return location.status();
  O8LOCK_ASSIGN_OR_RETURN(Inspection found, Inspect(*location, own_tokens));
  if (found.verdict <= Verdict::kStale) {
    UpdateArming(*location, /*held_outside=*/false).IgnoreError();
    return std::nullopt;
  }
  if (found.own || IsDescendant(found) || BeganBefore(*add, StartOf(found))) {
    return std::nullopt;
  }
  // Its first steps may have gone unseen: when a process started is only known
  // in ticks, and a run outside o8lock has not armed. Then post-checkout takes
  // it back, with its branch.
  const std::optional<int64_t> armed =
      found.kernel_locked ? StartOf(found) : ChangeOf(location->armed);
  const int64_t behind = found.kernel_locked ? 0 : kFilesBehind;
  if (MayHaveMadeBranch(*add, *location) && armed.has_value() &&
      StartOf(*add) <= *armed + behind) {
    return std::nullopt;
  }
  RememberLeftovers(*location, LeftoversOf(*add, *location)).IgnoreError();
  return Refused{*add, std::move(found), std::nullopt};
}

absl::StatusOr<std::optional<Refused>> OnPostCheckout(
    const std::string& new_commit, const std::vector<std::string>& own_tokens) {
  const std::optional<WorktreeAdd> add = FindWorktreeAdd(getppid());
  if (!add.has_value() || IsAllowed()) return std::nullopt;
  O8LOCK_ASSIGN_OR_RETURN(const Location location, LocateFromHook());
  O8LOCK_ASSIGN_OR_RETURN(Inspection found, Inspect(location, own_tokens));
  if (found.verdict <= Verdict::kStale) return std::nullopt;
  if (!found.kernel_locked) {
    RefreshHooks(location).IgnoreError();
    // Where this fails there is post-checkout again for the next add.
    UpdateArming(location, /*held_outside=*/true).IgnoreError();
  }
  if (found.own || IsDescendant(found)) return std::nullopt;
  // Of a branch that it made the hook above has seen when; else what the add
  // has written first counts too, since its process may have been another
  // program for long before.
  const bool is_seen =
      found.kernel_locked && CreatedBranch(add->words).has_value();
  if (BeganBefore(*add, StartOf(found)) &&
      (is_seen || IsBefore(ChangeOf(".git"), StartOf(found)))) {
    return std::nullopt;
  }
  TakenBack taken = TakeBack(*add, location, new_commit);
  return Refused{*add, std::move(found), std::move(taken)};
}

}  // namespace o8lock
