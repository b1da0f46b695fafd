// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/report.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/worktrees.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/record_status.h"
#include "lock/status.h"
#include "lock/timestamp.h"
#include "lock/waiters.h"
#include "tools/cli/orchestr8_config.h"

namespace o8lock {
namespace {

// The report omits a lock unused for a week.
constexpr int64_t kForgottenAfter = int64_t{7} * 24 * 3600;

// Returns the earliest time at which the run `holder` can have made worktrees.
int64_t BeganAt(const Holder& holder) {
  if (holder.began >= 0) return holder.began;
  const int64_t second = 1000000000;
  const std::optional<int64_t> began = ParseTimeNanoseconds(holder.started_at);
  if (!began.has_value()) return std::numeric_limits<int64_t>::max();
  // A time without a fraction covers a whole second. Another process may have
  // made a worktree within it.
  return *began % second == 0 ? *began + second : *began;
}

// Returns the time from which another run can have made them as well.
int64_t OverriddenAt(const Holder& holder) {
  if (!holder.overridden_by.has_value()) {
    return std::numeric_limits<int64_t>::max();
  }
  if (holder.overridden_by->began >= 0) return holder.overridden_by->began;
  return ParseTimeNanoseconds(holder.overridden_by->at).value_or(0);
}

// Returns the state of `worktree`, left by its run. `directories` are those of
// all processes. `give_up` as StateOf's.
OrphanReport DescribeOrphan(const Location& location, const Worktree& worktree,
                            const std::map<int, std::string>& directories,
                            Ticks give_up) {
  OrphanReport orphan;
  orphan.worktree = worktree;
  orphan.state = StateOf(location, worktree, give_up);
  std::vector<int> there;
  for (const auto& [pid, directory] : directories) {
    if (IsBelow(directory, worktree.path)) there.push_back(pid);
  }
  orphan.in_use = !there.empty();
  // This reads the environment of every process.
  if (!orphan.in_use || worktree.token.empty()) return orphan;
  std::vector<int> agents;
  absl::c_set_intersection(there, ProcessesWith(kRunVariable, worktree.token),
                           std::back_inserter(agents));
  orphan.agents = Describe(agents);
  return orphan;
}

// Returns the existing lock file for the run of `report`.
std::string LockFileOf(const LockReport& report) {
  const Location& location = report.location;
  const LockStatus& found = report.found;
  if (!found.file.empty() && found.file != location.guard) return found.file;
  std::vector<std::string> directories;
  if (found.holder.has_value()) directories.push_back(found.holder->cwd);
  for (const RunProcess& process : report.processes) {
    directories.push_back(process.directory);
  }
  std::set<std::string> seen;
  for (const std::string& directory : directories) {
    if (!seen.insert(directory).second) continue;
    for (const std::string& file : location.LockFilesOfRunIn(directory)) {
      if (IdOf(file).ok()) return file;
    }
  }
  return location.outside.empty() ? location.lock_file : "";
}

absl::StatusOr<LockReport> ReportOn(
    const Location& location, const std::string& name,
    const std::vector<std::string>& own_tokens) {
  LockReport report;
  report.name = name;
  report.location = location;
  O8LOCK_ASSIGN_OR_RETURN(report.found, Inspect(location, own_tokens));
  report.processes = ProcessesOf(report.found);
  if (report.found.holder.has_value()) {
    report.worktrees = WorktreesOf(*report.found.holder, location);
  }
  report.orphans = CollectOrphans(location, report.found);
  if (report.found.holder.has_value() && report.found.kernel_locked) {
    for (const Holder& run : report.found.holder->overridden) {
      if (MayLive(run)) report.overridden.push_back(run);
    }
  }
  O8LOCK_ASSIGN_OR_RETURN(report.waiters, FindWaiters(location));
  report.lock_file = LockFileOf(report);
  return report;
}

// Returns a report on the free lock `name` in the repository of `location`.
LockReport Unused(const Location& location, const std::string& name) {
  LockReport report;
  report.name = name;
  report.location.guard =
      absl::StrCat(location.common_dir, "/o8lock/", name, ".guard");
  report.location.lock_file =
      absl::StrCat(ParentOf(location.lock_file), "/", name, ".lock");
  report.location.outside = location.outside;
  report.found.file = report.location.guard;
  if (location.outside.empty()) report.lock_file = report.location.lock_file;
  return report;
}

// Returns the time, in seconds since 1970, at which the guard at `path` became
// empty. Returns nothing if it is not empty. The lock of an empty guard is
// free: a run leaves a record even if it is killed. Opens no file, since a
// repository may have had thousands of locks.
std::optional<int64_t> EmptySince(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) ||
      info.st_size != 0) {
    return std::nullopt;
  }
  return info.st_mtim.tv_sec;
}

}  // namespace

std::vector<RunProcess> Describe(const std::vector<int>& pids) {
  std::vector<RunProcess> processes;
  processes.reserve(pids.size());
  for (const int pid : pids) {
    processes.push_back({pid, CommandOf(pid), DirectoryOf(pid)});
  }
  return processes;
}

std::vector<RunProcess> ProcessesOf(const LockStatus& found) {
  if (!found.holder.has_value()) return {};
  const Holder& holder = *found.holder;
  std::set<int> pids;
  // A PID of another namespace means nothing here.
  const bool visible = found.process.state != ProcessState::kUnknown;
  // The same holds if another process reuses the PID.
  if (visible && !IsDead(found) && found.stranger.empty()) {
    pids.insert(holder.pid);
    for (const Descendant& process : DescendantsOf(holder.pid)) {
      pids.insert(process.pid);
    }
  }
  if (!holder.token.empty()) {
    for (const int pid : ProcessesWith(kRunVariable, holder.token)) {
      pids.insert(pid);
    }
  }
  pids.erase(getpid());
  return Describe({pids.begin(), pids.end()});
}

std::vector<RunProcess> SurvivingProcessesOf(
    const LockStatus& found, const Location& location,
    const std::vector<Worktree>& worktrees) {
  std::vector<RunProcess> orphans = ProcessesOf(found);
  const auto is_here = [&](const RunProcess& process) {
    return IsBelow(process.directory, location.Home()) ||
           absl::c_any_of(worktrees, [&](const Worktree& worktree) {
             return IsBelow(process.directory, worktree.path);
           });
  };
  std::set<int> pids;
  for (const RunProcess& process : orphans) pids.insert(process.pid);
  // The leader of a run's session did not belong to the run.
  orphans.erase(std::remove_if(orphans.begin(), orphans.end(),
                               [&](const RunProcess& process) {
                                 return !is_here(process) ||
                                        pids.count(SessionOf(process.pid)) != 0;
                               }),
                orphans.end());
  return orphans;
}

std::vector<Worktree> WorktreesOf(const Holder& holder,
                                  const Location& location) {
  // Only that lock protects worktrees.
  if (location.armed.empty()) return {};
  WorktreeMaker maker;
  maker.token = holder.token;
  maker.since = BeganAt(holder);
  maker.until = OverriddenAt(holder);
  for (const std::string& directory : {holder.cwd, location.main_worktree}) {
    if (directory.empty()) continue;
    const std::string configured =
        ReadOrchestr8Config(directory).worktree_directory;
    maker.directories.push_back(Canonical(configured).value_or(configured));
  }
  return WorktreesBy(location.common_dir, maker);
}

std::vector<Worktree> UnrecordedOf(
    const Holder& holder, const Location& location,
    const std::vector<OrphanedWorktree>& recorded) {
  std::vector<Worktree> unrecorded;
  for (Worktree& worktree : WorktreesOf(holder, location)) {
    if (absl::c_none_of(recorded, [&](const OrphanedWorktree& known) {
          return known.name == worktree.name && known.made == worktree.made;
        })) {
      unrecorded.push_back(std::move(worktree));
    }
  }
  return unrecorded;
}

std::vector<OrphanedWorktree> AsOrphaned(
    const std::vector<Worktree>& worktrees) {
  std::vector<OrphanedWorktree> orphaned;
  orphaned.reserve(worktrees.size());
  for (const Worktree& worktree : worktrees) {
    orphaned.push_back(
        {worktree.name, worktree.made, /*told=*/false, worktree.token});
  }
  return orphaned;
}

std::vector<OrphanReport> DescribeOrphans(
    const Location& location, const std::vector<Worktree>& worktrees,
    Ticks give_up) {
  std::vector<OrphanReport> orphans;
  if (worktrees.empty()) return orphans;
  std::map<int, std::string> directories;
  for (const int pid : Processes()) directories[pid] = DirectoryOf(pid);
  for (const Worktree& worktree : worktrees) {
    orphans.push_back(DescribeOrphan(location, worktree, directories, give_up));
  }
  return orphans;
}

std::vector<OrphanReport> CollectOrphans(const Location& location,
                                         const LockStatus& found) {
  if (location.armed.empty()) return {};
  std::vector<Worktree> worktrees;
  for (const OrphanedWorktree& known : found.orphaned) {
    std::optional<Worktree> worktree = FindWorktree(location.common_dir, known);
    if (worktree.has_value()) worktrees.push_back(*std::move(worktree));
  }
  std::vector<Holder> runs = found.killed;
  if (found.state == LockState::kStale && found.holder.has_value()) {
    runs.push_back(*found.holder);
  }
  for (const Holder& run : runs) {
    absl::c_move(UnrecordedOf(run, location, found.orphaned),
                 std::back_inserter(worktrees));
  }
  return DescribeOrphans(location, worktrees, /*give_up=*/-1);
}

absl::StatusOr<RepositoryReport> CollectReport(
    const Location& location, const std::string& name,
    const std::vector<std::string>& own_tokens) {
  RepositoryReport report;
  O8LOCK_ASSIGN_OR_RETURN(report.lock, ReportOn(location, name, own_tokens));
  if (location.common_dir.empty()) return report;
  const std::vector<std::string> lock_files =
      NamesIn(ParentOf(location.lock_file));
  const int64_t forgotten = time(nullptr) - kForgottenAfter;
  for (const std::string& file : NamesIn(location.common_dir + "/o8lock")) {
    absl::string_view other = file;
    if (!absl::ConsumeSuffix(&other, ".guard") || other == name) continue;
    const std::optional<int64_t> empty_since =
        EmptySince(absl::StrCat(location.common_dir, "/o8lock/", file));
    // An external run may have a lock file; "parallel" has others besides.
    if (empty_since.has_value() && other != "parallel" &&
        !absl::c_binary_search(lock_files, absl::StrCat(other, ".lock"))) {
      if (*empty_since > forgotten) {
        report.others.push_back(Unused(location, std::string(other)));
      }
      continue;
    }
    LocateOptions options;
    options.directory = location.Home();
    options.name = std::string(other);
    options.git_dir = location.common_dir;
    const absl::StatusOr<Location> there = Locate(options);
    if (!there.ok()) continue;
    absl::StatusOr<LockReport> one =
        ReportOn(*there, std::string(other), own_tokens);
    if (one.ok()) report.others.push_back(*std::move(one));
  }
  return report;
}

}  // namespace o8lock
