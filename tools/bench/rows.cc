// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/rows.h"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "lock/file.h"
#include "lock/process.h"
#include "lock/status.h"
#include "tools/bench/place.h"
#include "tools/bench/processes.h"

namespace o8lock {
namespace {

template <const char*... scripts>
absl::StatusOr<Side> Repository(Place& place) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string path,
                          place.Repository(absl::StrCat("", scripts...)));
  return place.O8lock(path);
}

absl::StatusOr<Side> DeepDirectory(Place& place) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string path,
                          place.Repository(absl::StrCat("mkdir -p ", kDeep)));
  return place.O8lock(absl::StrCat(path, "/", kDeep));
}

absl::StatusOr<Side> Unpublished(Place& place) {
  O8LOCK_ASSIGN_OR_RETURN(Side side, Repository(place));
  side.start.argv.insert(side.start.argv.begin() + 1, "--publish=never");
  return side;
}

// o8lock with `arguments`, in a repository with 10,000 branches, 2,000
// worktrees and the hooks.
PrepareFunction InLargeRepository(const std::vector<std::string>& arguments) {
  return [arguments](Place& place) -> absl::StatusOr<Side> {
    O8LOCK_ASSIGN_OR_RETURN(Side side,
                            (Repository<kRefs, kWorktrees, kHooks>(place)));
    // Creates the permanent files, as a first run does.
    O8LOCK_RETURN_IF_ERROR(Run(side.start));
    side.start.argv.resize(1);
    side.start.argv.insert(side.start.argv.end(), arguments.begin(),
                           arguments.end());
    return side;
  };
}

absl::StatusOr<Side> Flock(Place& place) { return place.Flock(); }
absl::StatusOr<Side> Floor(Place& place) { return place.Floor(); }
absl::StatusOr<Side> Noop(Place& place) { return place.Noop(); }

absl::StatusOr<double> Start(const Side& side) { return TimeOf(side.start); }

absl::StatusOr<double> Refusal(const Side& side) {
  return TimeOf(side.refused);
}

// The cost of the lock alone.
absl::StatusOr<double> NetStart(const Side& side) {
  O8LOCK_ASSIGN_OR_RETURN(const double start, TimeOf(side.start));
  O8LOCK_ASSIGN_OR_RETURN(const double bare, TimeOf(side.bare));
  return start - bare;
}

// In the C locale flock(1) reads no files of a language.
template <absl::StatusOr<double> measure(const Side& side)>
absl::StatusOr<double> InCLocale(const Side& side) {
  setenv("LANG", "C", 1);
  absl::StatusOr<double> time = measure(side);
  setenv("LANG", kLanguage, 1);
  return time;
}

// From the end of the holder's command to the time when the last of `count`
// waiters has begun its command.
template <int count>
absl::StatusOr<double> HandOver(const Side& side) {
  std::deque<Stay> waiters;
  Stay holder(side.hold);  // Ends before the waiters in any case.
  O8LOCK_RETURN_IF_ERROR(holder.ReadTime().status());
  for (int i = 0; i < count; ++i) waiters.emplace_back(side.wait).LetGo();
  O8LOCK_RETURN_IF_ERROR(WaitForBlocked(side.file, waiters));
  holder.LetGo();
  // Waits for all ends first: no waiter may wake this process to read
  // meanwhile.
  for (Stay& waiter : waiters) O8LOCK_RETURN_IF_ERROR(waiter.End());
  O8LOCK_RETURN_IF_ERROR(holder.End());
  O8LOCK_ASSIGN_OR_RETURN(const int64_t end, holder.ReadTime());
  int64_t last = 0;
  for (Stay& waiter : waiters) {
    O8LOCK_ASSIGN_OR_RETURN(const int64_t beginning, waiter.ReadTime());
    last = std::max(last, beginning);
  }
  return last - end;
}

// Opens a gate for 1,000 processes, all waiting to make their attempt. Measures
// until the last of them has ended.
absl::StatusOr<double> Burst(const Side& side) {
  const Command& command = side.attempt;
  const std::vector<char*> argv = Pointers(command.argv);
  O8LOCK_ASSIGN_OR_RETURN(Pipe ready, MakePipe());
  O8LOCK_ASSIGN_OR_RETURN(Pipe gate, MakePipe());
  std::vector<pid_t> starters(1000);
  absl::Status status;
  char c = '\0';
  for (pid_t& pid : starters) {
    pid = fork();
    if (pid < 0) status = ErrnoStatus(errno, "fork for", command.argv[0]);
    if (pid != 0) continue;
    ready.write.Close();
    gate.write.Close();
    if (read(gate.read.get(), &c, 1) != 0) _exit(126);
    Become(argv.data(), command.directory.c_str(), Null(), Null());
  }
  ready.write.Close();
  while (read(ready.read.get(), &c, 1) > 0) {
  }  // The last of them has closed it.
  const int64_t start = NowNanoseconds();
  gate.write.Close();
  for (const pid_t pid : starters) {
    if (pid > 0) status.Update(WaitFor(pid, command));
  }
  const int64_t end = NowNanoseconds();
  if (!status.ok()) return status;
  return end - start;
}

// The memory that no other process shares.
absl::StatusOr<double> PrivateMemory(const Side& side) {
  Stay stay(side.hold);
  O8LOCK_RETURN_IF_ERROR(stay.ReadTime().status());
  // After one second o8lock checks its lock.
  absl::SleepFor(absl::Milliseconds(1200));
  std::ifstream parts(absl::StrCat("/proc/", stay.pid(), "/smaps_rollup"));
  for (std::string line; std::getline(parts, line);) {
    double kilobytes = 0;
    if (sscanf(line.c_str(), "Private_Dirty: %lf kB", &kilobytes) == 1) {
      return kilobytes;
    }
  }
  return absl::NotFoundError("no Private_Dirty in /proc/PID/smaps_rollup");
}

// Scripts that run git in a repository kWork. They move files away instead of
// removing them: see benchmark.cc for the effect of removed files on the file
// system.
struct Work {
  const char* name;
  const char* before;  // not timed
  const char* timed;
};

constexpr Work kWorks[] = {
    {"update-ref x 200", "mv .git/refs/bench $(mktemp -d -p ..) || true",
     "for i in $(seq 200); do git update-ref refs/bench/$i HEAD; done"},
    {"fetch of 1,000",
     "for d in refs logs/refs; do"
     "  mv .git/$d/remotes $(mktemp -d -p ..) || true;"
     "done",
     "git fetch --quiet .origin '+refs/heads/b*:refs/remotes/origin/b*'"},
    {"rebase of 100", "git checkout --quiet --force -B work topic",
     "git rebase --quiet main"},
    {"commit x 100", "git checkout --quiet --force -B work start",
     "for i in $(seq 100); do"
     "  git commit --quiet --allow-empty -m work;"
     "done"},
};

MeasureFunction TimeOfWork(const Work& work) {
  return [&work](const Side& side) -> absl::StatusOr<double> {
    const std::string& repository = side.start.directory;
    O8LOCK_RETURN_IF_ERROR(Run(Script(work.before, repository)));
    return TimeOf(Script(work.timed, repository));
  };
}

// A git command that calls post-checkout. Clone and stash call no hook.
struct GitCommand {
  const char* name;
  const char* before;  // a script, not timed
  const char* timed;   // no argument contains a blank
};

constexpr GitCommand kGitCommands[] = {
    {"checkout", "git checkout --quiet main", "git checkout --quiet topic"},
    {"switch", "git checkout --quiet main", "git switch --quiet topic"},
    {"checkout -- FILE", "echo changed >f1", "git checkout --quiet -- f1"},
    {"checkout -b",
     "git checkout --quiet main; git branch --quiet -D new || true",
     "git checkout --quiet -b new"},
    {"rebase of 1", "git checkout --quiet -B work topic",
     "git rebase --quiet main"},
    {"stash", "git stash clear; echo changed >f1", "git stash --quiet"},
    {"clone --local", "mv .clone $(mktemp -d -p ..) || true",
     "git clone --quiet --local . .clone"},
    {"worktree add", "test ! -e .worktree || git worktree remove .worktree",
     "git worktree add --quiet --detach .worktree"},
};

MeasureFunction TimeOfGit(const GitCommand& command) {
  return [&command](const Side& side) -> absl::StatusOr<double> {
    const std::string& repository = side.start.directory;
    O8LOCK_RETURN_IF_ERROR(Run(Script(command.before, repository)));
    return TimeOf({absl::StrSplit(command.timed, ' '), repository});
  };
}

std::vector<Row> MakeRows() {
  std::vector<Row> rows = {
      {"free start, net of a bare one", "the least lock", 1.35, 50, NetStart,
       Repository<>, Floor},
      {"the same without a lock file", "the least lock", 1.15, 50, NetStart,
       Unpublished, Floor},
      {"free start", "flock", 0.65, 50, Start, Repository<>, Flock},
      {"free start, C locale", "flock", 0.85, 50, InCLocale<Start>,
       Repository<>, Flock},
      {"refused start", "flock -n", 0.60, 50, Refusal, Repository<>, Flock,
       true},
      {"refused start, C locale", "flock -n", 0.80, 50, InCLocale<Refusal>,
       Repository<>, Flock, true},
      {"least lock, free", "flock", 0, 50, Start, Floor, Flock},
      {"least lock, free, C locale", "flock", 0, 50, InCLocale<Start>, Floor,
       Flock},
      {"least lock, refused", "flock -n", 0, 50, Refusal, Floor, Flock, true},
      {"least lock, refused, C locale", "flock -n", 0, 50, InCLocale<Refusal>,
       Floor, Flock, true},
      {"free start, 20 directories deep", "at the top", 1.05, 50, Start,
       DeepDirectory, Repository<>},
      {"refused start, 20 directories deep", "at the top", 1.05, 50, Refusal,
       DeepDirectory, Repository<>, true},
      {"free start, large repository", "empty one", 1.05, 50, Start,
       Repository<kFiles, kWorktrees>, Repository<>},
      {"refused start, large repository", "empty one", 1.05, 50, Refusal,
       Repository<kFiles, kWorktrees>, Repository<>, true},
      {"free start, 1,000 lock names", "empty one", 1.05, 50, Start,
       Repository<kNames>, Repository<>},
      {"hand-over to a waiter", "flock", 0.95, 10, HandOver<1>, Repository<>,
       Flock},
      {"64 waiters, one by one", "flock", 1.0, 1, HandOver<64>, Repository<>,
       Flock},
      {"1,000 waiters, one by one", "flock", 1.0, 1, HandOver<1000>,
       Repository<>, Flock},
      {"1,000 starts at once", "flock -n", 1.0, 1, Burst, Repository<>, Flock},
  };
  for (const Work& work : kWorks) {
    rows.push_back({absl::StrCat("hooks, free: ", work.name), "no hooks", 1.02,
                    2, TimeOfWork(work), Repository<kWork, kHooks>,
                    Repository<kWork>});
  }
  for (const GitCommand& command : kGitCommands) {
    const std::string name = absl::StrCat("hooks, free: ", command.name);
    const MeasureFunction measure = TimeOfGit(command);
    rows.push_back({name, "no hooks", 0, 20, measure,
                    Repository<kSmall, kHooks>, Repository<kSmall>});
    // The least possible cost of a hook.
    rows.push_back({name, "a no-op hook", 1.10, 20, measure,
                    Repository<kSmall, kHooks>,
                    Repository<kSmall, kNoopCheckout>});
  }
  for (const Work& work : kWorks) {
    rows.push_back({absl::StrCat("hooks, held: ", work.name), "a no-op hook",
                    1.10, 1, TimeOfWork(work), Repository<kWork, kHooks>,
                    Repository<kWork, kNoopHook>, true});
  }
  rows.insert(
      rows.end(),
      {{"free start, hooks, 2,000 worktrees", "no hooks", 1.05, 50, Start,
        Repository<kWorktrees, kHooks>, Repository<kWorktrees>},
       {"status, large repository", "a static no-op", 2, 50, Start,
        InLargeRepository({"status"}), Noop},
       {"doctor, large repository", "a static no-op", 50, 5, Start,
        InLargeRepository({"doctor"}), Noop},
       {"hooks run, large repository", "a static no-op", 1.5, 50, Start,
        InLargeRepository(
            {"hooks", "run", "reference-transaction", "prepared"}),
        Noop},
       {"Acquire() and Release()", "their system calls", 1.3, 2, nullptr,
        Repository<>, Repository<>},
       {"private memory", "flock", 1.0, 1, PrivateMemory, Repository<>, Flock},
       {"free start, no .claude yet", "flock", 0, 50, Start,
        Repository<kElsewhere>, Flock}});
  return rows;
}

}  // namespace

const std::vector<Row>& Rows() {
  static const auto* const rows = new std::vector<Row>(MakeRows());
  return *rows;
}

}  // namespace o8lock
