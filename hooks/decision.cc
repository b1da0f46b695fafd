// SPDX-License-Identifier: Apache-2.0
#include "hooks/decision.h"

#include <fcntl.h>
#include <sys/stat.h>
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
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/git.h"
#include "hooks/installation.h"
#include "hooks/worktree_add.h"
#include "lock/arming.h"
#include "lock/file.h"
#include "lock/inspection.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/process.h"
#include "lock/status.h"

namespace o8lock {
namespace {

constexpr int64_t kNanosecondsPerTick = 1000000000 / kTicksPerSecond;
constexpr int kMaxAncestors = 1000;

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

int64_t NowByWallClock() {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return Nanoseconds(now);
}

// The earliest and the latest moment, by the wall clock, at which `add` may
// have started, as a file would be stamped: with the time of the kernel's last
// tick, which is up to 10 ms ago.
struct Span {
  int64_t earliest;
  int64_t latest;
};
Span StartOf(const WorktreeAdd& add) {
  const int64_t started =
      NowByWallClock() - NowNanoseconds() + add.started * kNanosecondsPerTick;
  return {started - kNanosecondsPerTick, started + kNanosecondsPerTick};
}

// Whether `add` had begun before the file `path` became what it is.
bool BeganBeforeFile(const WorktreeAdd& add, const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 &&
         StartOf(add).latest <= Nanoseconds(info.st_mtim);
}

// Whether `add` had begun before the run in `found` took the lock; within the
// same tick it had not.
bool BeganBeforeRun(const WorktreeAdd& add, const Inspection& found) {
  if (add.started < 0 || !found.holder.has_value()) return false;
  if (!found.kernel_locked) return BeganBeforeFile(add, found.file);
  return add.started < TicksOf(found.holder->acquired);
}

// Whether the process that asks descends from the run in `found`.
bool IsDescendant(const Inspection& found) {
  std::vector<int> wanted;
  if (found.holder.has_value() && !found.pid_reused &&
      (found.origin == Origin::kHere || found.origin == Origin::kUnknown)) {
    wanted = {found.holder->pid, found.holder->command_pid};
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

// When `path` was created, in nanoseconds of the wall clock; nothing where the
// file system does not know.
std::optional<int64_t> BirthOf(const std::string& path) {
  struct statx info;
  if (statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BTIME, &info) !=
          0 ||
      (info.stx_mask & STATX_BTIME) == 0) {
    return std::nullopt;
  }
  return int64_t{info.stx_btime.tv_sec} * 1000000000 + info.stx_btime.tv_nsec;
}

// The directories that `add` has made and git will not remove: its list of
// worktrees, and what leads to the new one.
std::vector<std::string> LeftoversOf(const WorktreeAdd& add,
                                     const Location& location) {
  std::vector<std::string> candidates = {location.common_dir + "/worktrees"};
  std::string path = AddedPath(GitWords(add.command));
  if (!absl::StartsWith(path, "/")) {
    path = absl::StrCat(DirectoryOf(add.pid), "/", path);
  }
  for (size_t slash = path.rfind('/'); slash != 0 && slash != path.npos;
       slash = path.rfind('/')) {
    path.resize(slash);
    candidates.push_back(path);
  }
  std::vector<std::string> leftovers;
  const int64_t start = StartOf(add).earliest;
  for (const std::string& candidate : candidates) {
    const std::optional<int64_t> birth = BirthOf(candidate);
    if (birth.has_value() && *birth >= start) leftovers.push_back(candidate);
  }
  return leftovers;
}

// Removes what `add` made; it is as git made it at `commit`, or nothing is
// done.
absl::Status Remove(const WorktreeAdd& add, const std::string& common_dir,
                    const std::string& commit, TakenBack& taken) {
  const std::string& worktree = taken.worktree;
  struct stat dot_git;
  if (lstat((worktree + "/.git").c_str(), &dot_git) != 0 ||
      !S_ISREG(dot_git.st_mode) || add.started < 0 ||
      Nanoseconds(dot_git.st_mtim) < StartOf(add).earliest) {
    return absl::FailedPreconditionError("it was there before");
  }
  O8LOCK_ASSIGN_OR_RETURN(const std::string head,
                          AskGit(worktree, {"rev-parse", "HEAD"}));
  if (head != commit) {
    return absl::FailedPreconditionError("its HEAD has moved");
  }
  // An ignored file is somebody's too; `git worktree remove` would not mind.
  O8LOCK_ASSIGN_OR_RETURN(
      const std::string files,
      AskGit(worktree,
             {"status", "--porcelain", "--ignored", "--untracked-files=all"}));
  if (!files.empty()) {
    return absl::FailedPreconditionError("it has files that git did not make");
  }
  const std::string branch = absl::StrCat("refs/heads/", taken.branch);
  O8LOCK_ASSIGN_OR_RETURN(const ProgramResult on,
                          RunGit(worktree, {"symbolic-ref", "-q", "HEAD"}));
  const bool on_branch = absl::StripSuffix(on.out, "\n") == branch;
  O8LOCK_RETURN_IF_ERROR(
      AskGit(common_dir, {"worktree", "remove", worktree}).status());
  taken.removed = true;
  if (taken.branch.empty() || !on_branch) return absl::OkStatus();
  // Only if it is still where the add has put it.
  O8LOCK_RETURN_IF_ERROR(
      AskGit(common_dir, {"update-ref", "-d", branch, commit}).status());
  taken.branch_removed = true;
  // Where the branch was set up to follow another there is a section.
  return RunGit(common_dir, {"config", "--local", "--remove-section",
                             absl::StrCat("branch.", taken.branch)})
      .status();
}

TakenBack TakeBack(const WorktreeAdd& add, const std::string& common_dir,
                   const std::string& commit) {
  TakenBack taken;
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof(directory)) != nullptr) {
    taken.worktree = directory;
  }
  taken.branch = CreatedBranch(GitWords(add.command)).value_or("");
  const absl::Status status = Remove(add, common_dir, commit, taken);
  if (!status.ok()) taken.problem = std::string(status.message());
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
    if (location.ok() && !IsTaken(*location).value_or(true)) {
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
  if (found.own || IsDescendant(found) || BeganBeforeRun(*add, found)) {
    return std::nullopt;
  }
  // Its first steps may have gone unseen; then post-checkout takes it back.
  if (!found.kernel_locked && BeganBeforeFile(*add, location->armed)) {
    return std::nullopt;
  }
  const std::vector<std::string> leftovers = LeftoversOf(*add, *location);
  if (!leftovers.empty()) {
    RememberLeftovers(*location, leftovers).IgnoreError();
  }
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
  if (found.own || IsDescendant(found) || BeganBeforeRun(*add, found)) {
    return std::nullopt;
  }
  TakenBack taken = TakeBack(*add, location.common_dir, new_commit);
  return Refused{*add, std::move(found), std::move(taken)};
}

}  // namespace o8lock
