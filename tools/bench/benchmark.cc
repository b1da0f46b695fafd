// SPDX-License-Identifier: Apache-2.0
//
// What o8lock costs, beside flock(1), beside git without it, and beside itself
// in a repository of another size:
//
//   bazel run //tools:benchmark -- [--rounds N] [--only SUBSTRING] [--svg FILE]
//
// Prints a table, a line for each row: what is measured, against what, the
// ratio of the two, its quartiles, the limit, and "ok" or "OVER". Ends with 0
// when all rows were measured, be it over the limit, for machines differ; else
// with 1.
//
// How: a process is started by vfork(2), its standard streams are /dev/null,
// and its time is that of the boot-time clock from before the start to its
// collected end. What is measured and what it is compared with take turns, and
// turns in being the first; a tenth as many pairs, and one, come before, to
// warm up. The ratio is the median of the ratios within the pairs: whatever
// slows a machine down for longer than a pair takes slows both halves alike.
// Of o8lock beside itself, 100 pairs at a time, it strayed from 1 by 0.7 %, the
// ratio of the two medians by 1.0 %.
//
// The repositories are in TMPDIR, or /tmp, and removed at the end. An ext4
// without a journal passes by inodes that were freed in the last minutes, one
// by one, whenever a file is created: there the ratios are as much about what
// was removed before. TMPDIR=/dev/shm leaves that out.
//
// Programs are copied first, to a disk and by cp(1), as an installation does:
// one that was written in small pieces, as by a linker, or is in /dev/shm, lies
// in small pieces in the page cache too, and starts a tenth of a millisecond
// slower.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "lock/file.h"
#include "lock/process.h"
#include "lock/status.h"
#include "tools/bench/benchmark_in_process.h"

namespace o8lock {
namespace {

using Argv = std::vector<std::string>;

volatile sig_atomic_t interrupted = 0;

// ---- Processes

struct Command {
  Argv argv;
  std::string directory;
  std::vector<int> exit_codes = {0};  // those that are as it should be
};

int Null() {
  static const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  return null;
}

[[noreturn]] void Become(char* const* argv, const char* directory, int in,
                         int out) {
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(Null(), STDERR_FILENO);
  if (chdir(directory) == 0) execvp(argv[0], argv);
  _exit(127);
}

std::vector<char*> Pointers(const Argv& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) {
    pointers.push_back(const_cast<char*>(word.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

// NOLINTBEGIN(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
pid_t Start(const Command& command, int in = Null(), int out = Null()) {
  const std::vector<char*> argv = Pointers(command.argv);
  const pid_t pid = vfork();
  if (pid == 0) Become(argv.data(), command.directory.c_str(), in, out);
  return pid;
}
// NOLINTEND(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)

absl::Status WaitFor(pid_t pid, const Command& command) {
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) {
    return ErrnoStatus(errno, "start", command.argv[0]);
  }
  const std::vector<int>& good = command.exit_codes;
  if (WIFEXITED(status) &&
      std::find(good.begin(), good.end(), WEXITSTATUS(status)) != good.end()) {
    return absl::OkStatus();
  }
  return absl::InternalError(absl::StrFormat(
      "%s: %s %d", absl::StrJoin(command.argv, " "),
      WIFEXITED(status) ? "exit code" : "signal",
      WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status)));
}

absl::Status Run(const Command& command) {
  return WaitFor(Start(command), command);
}

absl::StatusOr<double> TimeOf(const Command& command) {
  const int64_t start = NowNanoseconds();
  O8LOCK_RETURN_IF_ERROR(Run(command));
  return NowNanoseconds() - start;
}

Command Script(const std::string& text, const std::string& directory) {
  return {{"sh", "-ec", text}, directory};
}

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Pipe MakePipe() {
  int fds[2] = {-1, -1};
  if (pipe2(fds, O_CLOEXEC) != 0) perror("benchmark: pipe2");
  return {Fd(fds[0]), Fd(fds[1])};
}

// A command that ends in `contender stay`, which tells when it has begun, and
// when it is about to end; the latter is when it is told to, or at the end of
// this object.
class Stay {
 public:
  explicit Stay(const Command& command) : command_(command) {
    Pipe in = MakePipe();
    Pipe out = MakePipe();
    pid_ = Start(command_, in.read_end.get(), out.write_end.get());
    in_ = std::move(in.write_end);
    out_ = std::move(out.read_end);
  }
  ~Stay() { End().IgnoreError(); }
  Stay(const Stay&) = delete;  // Two owners would wait for it twice.
  Stay& operator=(const Stay&) = delete;

  pid_t pid() const { return pid_; }
  // The next time that it tells; blocks until it does.
  absl::StatusOr<int64_t> ReadTime() {
    std::string line;
    char c = '\0';
    while (read(out_.get(), &c, 1) == 1 && c != '\n') line += c;
    int64_t time = 0;
    if (sscanf(line.c_str(), "%*d %" SCNd64, &time) == 1) return time;
    return absl::InternalError(absl::StrCat(
        absl::StrJoin(command_.argv, " "), ": ended before its command began"));
  }
  void LetGo() { in_.Close(); }
  absl::Status End() {
    LetGo();
    if (pid_ < 0) return absl::OkStatus();
    return WaitFor(std::exchange(pid_, -1), command_);
  }

 private:
  Command command_;
  pid_t pid_ = -1;
  Fd in_;
  Fd out_;
};

// Waits until all of `waiters` are blocked by the lock on the file `path` and
// have nothing else to do: o8lock blocks in a thread. Looks every millisecond:
// the kernel tells nobody of these.
absl::Status WaitForBlocked(const std::string& path,
                            const std::deque<Stay>& waiters) {
  O8LOCK_ASSIGN_OR_RETURN(const FileId file, IdOf(path));
  const std::string inode = absl::StrCat(":", file.inode, " ");
  for (int tries = 0; tries < 20000; ++tries) {
    size_t blocked = 0;
    std::ifstream locks("/proc/locks");
    for (std::string line; std::getline(locks, line);) {
      const bool waits = absl::StrContains(line, "->");
      if (waits && absl::StrContains(line, inode)) ++blocked;
    }
    const auto sleeps = [](const Stay& waiter) {
      std::ifstream stat(absl::StrCat("/proc/", waiter.pid(), "/stat"));
      std::string line;
      return std::getline(stat, line) && absl::StrContains(line, ") S ");
    };
    if (blocked == waiters.size() &&
        std::all_of(waiters.begin(), waiters.end(), sleeps)) {
      return absl::OkStatus();
    }
    absl::SleepFor(absl::Milliseconds(1));
  }
  return absl::DeadlineExceededError(
      absl::StrCat("for 20 s not ", waiters.size(), " waiting for ", path));
}

// ---- What is worked on

// In an empty directory beside the programs. A .claude directory is there where
// orchestr8 is used.
constexpr char kRepository[] = R"(
git init --quiet
mkdir .claude
git commit --quiet --allow-empty -m begin
)";

// 100,000 files, and 2,000 linked worktrees as `git worktree add` leaves them,
// in a hundredth of the time; runs start in kDeep.
constexpr char kDeep[] = "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d";
constexpr char kLarge[] = R"(
for d in $(seq 200); do
  mkdir d$d
  for f in $(seq 500); do : >d$d/f$f; done
done
git add .
worktrees=$PWD-worktrees
mkdir "$worktrees" .git/worktrees
for d in "$worktrees" .git/worktrees; do
  (cd "$d" && seq -f w%g 2000 | xargs mkdir)
done
for w in $(seq -f w%g 2000); do
  entry=$PWD/.git/worktrees/$w
  echo "gitdir: $entry" >"$worktrees/$w/.git"
  echo ref: refs/heads/main >"$entry/HEAD"
  echo ../.. >"$entry/commondir"
  echo "$worktrees/$w/.git" >"$entry/gitdir"
done
)";

// Tags: `start`, and `topic`, which is 100 commits further. Branches: `main`,
// which is one commit further than `start`. Beside it a repository .origin of
// 1,000 branches.
constexpr char kWork[] = R"(
git tag start
for f in $(seq -f f%g 100); do
  echo text >$f
  git add $f
  git commit --quiet -m $f
done
git tag topic
git reset --quiet --hard start
git commit --quiet --allow-empty -m onto
git clone --quiet --bare . .origin
seq -f 'create refs/heads/b%g HEAD' 1000 | git -C .origin update-ref --stdin
git -C .origin pack-refs --all
)";

// Where orchestr8 was never used.
constexpr char kElsewhere[] = "rmdir .claude\n";

constexpr char kHooks[] = "\"$PROGRAMS/o8lock\" hooks install\n";

constexpr char kNoopHook[] = R"(
mkdir .hooks
ln -s "$PROGRAMS/noop" .hooks/reference-transaction
git config core.hooksPath "$PWD/.hooks"
)";

// Waiting for the disk, and cleaning up, come when they like.
constexpr char kSetUp[] = R"(
cp "$@" "$PROGRAMS"
cat >"$HOME/.gitconfig" <<END
[core]
 fsync = none
[gc]
 auto = 0
[maintenance]
 auto = false
[init]
 defaultBranch = main
[user]
 name = benchmark
 email = benchmark@example.com
END
)";

// What is compared: commands under one lock.
struct Side {
  Command start;     // does nothing
  Command refused;   // the same, for somebody has the lock
  Command attempt;   // the same, and somebody may have it
  Command hold;      // stays
  Command wait;      // waits for the lock, then stays
  std::string file;  // that is locked
};

// A new directory in `parent`; its path.
absl::StatusOr<std::string> NewDirectory(const std::string& parent) {
  std::string path = parent + "/o8lock_benchmark_XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return ErrnoStatus(errno, "make", path);
  return Canonical(path);
}

// The programs, and what they work on.
class Place {
 public:
  Place() = default;
  ~Place() {
    std::error_code ignored;
    for (const std::string& path : {path_, programs_}) {
      if (!path.empty()) std::filesystem::remove_all(path, ignored);
    }
  }
  Place(const Place&) = delete;  // Two owners would remove it twice.
  Place& operator=(const Place&) = delete;

  absl::Status SetUp() {
    const char* directory = getenv("TMPDIR");
    O8LOCK_ASSIGN_OR_RETURN(
        path_, NewDirectory(directory == nullptr ? "/tmp" : directory));
    O8LOCK_ASSIGN_OR_RETURN(programs_, NewDirectory("/var/tmp"));
    Argv argv = {"sh", "-ec", kSetUp, "sh"};
    for (const char* name : {"O8LOCK_BIN", "NOOP", "SPAWN", "CONTENDER"}) {
      const char* program = getenv(name);
      if (program == nullptr) {
        return absl::NotFoundError(
            absl::StrCat(name, " is not set; use bazel"));
      }
      argv.emplace_back(program);
    }
    // Nothing of whoever runs this counts: neither git's settings nor a lock.
    clearenv();
    setenv("PATH", "/usr/bin:/bin", 1);
    setenv("HOME", path_.c_str(), 1);
    setenv("PROGRAMS", programs_.c_str(), 1);
    // Every terminal has some language; flock(1) reads its files at each start.
    setenv("LANG", "C.UTF-8", 1);
    setenv("LOGNAME", "benchmark", 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    // So that a work load makes the same objects whenever it is done.
    setenv("GIT_AUTHOR_DATE", "1790000000 +0000", 1);
    setenv("GIT_COMMITTER_DATE", "1790000000 +0000", 1);
    return Run({argv, "."});
  }

  // A new git repository in which `script` has been run; its path.
  absl::StatusOr<std::string> Repository(absl::string_view script) {
    const std::string path = absl::StrCat(path_, "/", ++count_);
    if (mkdir(path.c_str(), 0777) != 0) return ErrnoStatus(errno, "make", path);
    O8LOCK_RETURN_IF_ERROR(
        Run(Script(absl::StrCat(kRepository, script), path)));
    return path;
  }

  // In the repository that `directory` is in; its root, to wait.
  Side O8lock(const std::string& directory) const {
    const std::string o8lock = programs_ + "/o8lock";
    const std::string stay = programs_ + "/contender";
    const Argv start = {o8lock, "--", Noop()};
    return {{start, directory},
            {start, directory, {75}},
            {start, directory, {0, 75}},
            {{o8lock, "--", stay, "stay"}, directory},
            {{o8lock, "--wait", "--", stay, "stay"}, directory},
            directory + "/.git/o8lock/parallel.guard"};
  }
  Side Flock() const {
    const std::string file = path_ + "/flock";
    // -n is all the same to a start that is free.
    const Argv start = {"flock", "-n", file, Noop()};
    const Command stay = {{"flock", file, programs_ + "/contender", "stay"},
                          path_};
    return {{start, path_},
            {start, path_, {1}},
            {start, path_, {0, 1}},
            stay,
            stay,
            file};
  }
  Command Spawn() const { return {{programs_ + "/spawn", Noop()}, path_}; }

 private:
  std::string Noop() const { return programs_ + "/noop"; }

  std::string path_;
  std::string programs_;
  int count_ = 0;
};

// ---- Rows

template <const char*... scripts>
absl::StatusOr<Side> Repository(Place& place) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string path,
                          place.Repository(absl::StrCat("", scripts...)));
  return place.O8lock(path);
}

absl::StatusOr<Side> LargeRepository(Place& place) {
  O8LOCK_ASSIGN_OR_RETURN(
      const std::string path,
      place.Repository(absl::StrCat(kLarge, "mkdir -p ", kDeep)));
  return place.O8lock(absl::StrCat(path, "/", kDeep));
}

absl::StatusOr<Side> Status(Place& place) {
  O8LOCK_ASSIGN_OR_RETURN(Side side, Repository(place));
  // As after a first run: the files that stay are there.
  O8LOCK_RETURN_IF_ERROR(Run(side.start));
  side.start.argv = {side.start.argv[0], "status"};
  return side;
}

absl::StatusOr<Side> Flock(Place& place) { return place.Flock(); }

absl::StatusOr<Side> Spawn(Place& place) {
  Side side;
  side.start = place.Spawn();
  return side;
}

absl::StatusOr<double> Start(const Side& side) { return TimeOf(side.start); }

absl::StatusOr<double> Refusal(const Side& side) {
  return TimeOf(side.refused);
}

// From the end of the holder's command to the beginning of the last of those of
// `count` waiters.
template <int count>
absl::StatusOr<double> HandOver(const Side& side) {
  std::deque<Stay> waiters;
  Stay holder(side.hold);  // Ends before them, whatever happens.
  O8LOCK_RETURN_IF_ERROR(holder.ReadTime().status());
  for (int i = 0; i < count; ++i) waiters.emplace_back(side.wait).LetGo();
  O8LOCK_RETURN_IF_ERROR(WaitForBlocked(side.file, waiters));
  holder.LetGo();
  // The ends come first: nobody shall wake up meanwhile to read.
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

// From the moment when 1,000 processes, all there, may make their attempt to
// the end of the last of them.
absl::StatusOr<double> Burst(const Side& side) {
  const Command& command = side.attempt;
  const std::vector<char*> argv = Pointers(command.argv);
  Pipe ready = MakePipe();
  Pipe gate = MakePipe();
  std::vector<pid_t> starters(1000);
  absl::Status status;
  char c = '\0';
  for (pid_t& pid : starters) {
    pid = fork();
    if (pid < 0) status = ErrnoStatus(errno, "fork for", command.argv[0]);
    if (pid != 0) continue;
    ready.write_end.Close();
    gate.write_end.Close();
    if (read(gate.read_end.get(), &c, 1) != 0) _exit(126);
    Become(argv.data(), command.directory.c_str(), Null(), Null());
  }
  ready.write_end.Close();
  while (read(ready.read_end.get(), &c, 1) > 0) {
  }  // The last of them has closed it.
  const int64_t start = NowNanoseconds();
  gate.write_end.Close();
  for (const pid_t pid : starters) {
    if (pid > 0) status.Update(WaitFor(pid, command));
  }
  const int64_t end = NowNanoseconds();
  if (!status.ok()) return status;
  return end - start;
}

absl::StatusOr<double> PeakMemory(const Side& side) {
  Stay stay(side.hold);
  O8LOCK_RETURN_IF_ERROR(stay.ReadTime().status());
  // After a second o8lock looks after its lock.
  absl::SleepFor(absl::Milliseconds(1200));
  // Not by wait4(2): that counts what this process had before it became
  // another.
  std::ifstream status(absl::StrCat("/proc/", stay.pid(), "/status"));
  for (std::string line; std::getline(status, line);) {
    double kilobytes = 0;
    if (sscanf(line.c_str(), "VmHWM: %lf kB", &kilobytes) == 1) {
      return kilobytes;
    }
  }
  return absl::NotFoundError("no VmHWM in /proc/PID/status");
}

// What git is given to do in a repository kWork: scripts.
struct Work {
  const char* before;  // not timed
  const char* timed;
};

// Not removed: see above what that may do to the file system.
constexpr Work kUpdateRefs = {
    "mv .git/refs/bench $(mktemp -d -p ..) || true",
    "for i in $(seq 200); do git update-ref refs/bench/$i HEAD; done"};
constexpr Work kFetch = {
    "for d in refs logs/refs; do"
    "  mv .git/$d/remotes $(mktemp -d -p ..) || true;"
    "done",
    "git fetch --quiet .origin '+refs/heads/b*:refs/remotes/origin/b*'"};
constexpr Work kRebase = {"git checkout --quiet --force -B work topic",
                          "git rebase --quiet main"};
constexpr Work kCommits = {"git checkout --quiet --force -B work start",
                           "for i in $(seq 100); do"
                           "  git commit --quiet --allow-empty -m work;"
                           "done"};

template <const Work& work>
absl::StatusOr<double> GitWork(const Side& side) {
  const std::string& repository = side.start.directory;
  O8LOCK_RETURN_IF_ERROR(Run(Script(work.before, repository)));
  return TimeOf(Script(work.timed, repository));
}

struct Row {
  const char* name;
  const char* peer_name;
  float limit;  // 0: there is none
  int pairs;    // in each round
  // Nothing: the library beside its system calls.
  absl::StatusOr<double> (*measure)(const Side& side);
  absl::StatusOr<Side> (*subject)(Place& place);
  absl::StatusOr<Side> (*peer)(Place& place);
  bool held = false;  // both locks, meanwhile
};

constexpr Row kRows[] = {
    {"free start", "flock", 0.80, 50, Start, Repository<>, Flock},
    {"free start", "a static vfork and wait", 1.15, 50, Start, Repository<>,
     Spawn},
    {"refused start", "flock -n", 0.75, 50, Refusal, Repository<>, Flock, true},
    {"free start, large repository", "empty one", 1.05, 50, Start,
     LargeRepository, Repository<>},
    {"refused start, large repository", "empty one", 1.05, 50, Refusal,
     LargeRepository, Repository<>, true},
    {"hand-over to a waiter", "flock", 1.0, 10, HandOver<1>, Repository<>,
     Flock},
    {"64 waiters, one by one", "flock", 1.0, 1, HandOver<64>, Repository<>,
     Flock},
    {"1,000 starts at once", "flock -n", 1.0, 1, Burst, Repository<>, Flock},
    {"hooks, free: update-ref x 200", "no hooks", 1.02, 2, GitWork<kUpdateRefs>,
     Repository<kWork, kHooks>, Repository<kWork>},
    {"hooks, free: fetch of 1,000", "no hooks", 1.02, 2, GitWork<kFetch>,
     Repository<kWork, kHooks>, Repository<kWork>},
    {"hooks, free: rebase of 100", "no hooks", 1.02, 2, GitWork<kRebase>,
     Repository<kWork, kHooks>, Repository<kWork>},
    {"hooks, free: commit x 100", "no hooks", 1.02, 2, GitWork<kCommits>,
     Repository<kWork, kHooks>, Repository<kWork>},
    {"hooks, held: update-ref x 200", "a no-op hook", 1.10, 1,
     GitWork<kUpdateRefs>, Repository<kWork, kHooks>,
     Repository<kWork, kNoopHook>, true},
    {"hooks, held: fetch of 1,000", "a no-op hook", 1.10, 1, GitWork<kFetch>,
     Repository<kWork, kHooks>, Repository<kWork, kNoopHook>, true},
    {"hooks, held: rebase of 100", "a no-op hook", 1.10, 1, GitWork<kRebase>,
     Repository<kWork, kHooks>, Repository<kWork, kNoopHook>, true},
    {"hooks, held: commit x 100", "a no-op hook", 1.10, 1, GitWork<kCommits>,
     Repository<kWork, kHooks>, Repository<kWork, kNoopHook>, true},
    {"free start, hooks installed", "no hooks", 1.05, 50, Start,
     Repository<kHooks>, Repository<>},
    {"status", "flock -n", 0.80, 50, Start, Status, Flock},
    {"Acquire() and Release()", "their system calls", 1.3, 2, nullptr,
     Repository<>, Repository<>},
    {"peak memory of the wrapper", "flock", 1.5, 1, PeakMemory, Repository<>,
     Flock},
    {"free start, no .claude yet", "flock", 0, 50, Start,
     Repository<kElsewhere>, Flock},
};

using Ratios = absl::StatusOr<std::vector<double>>;

Ratios Measure(const Row& row, Place& place, int pairs) {
  O8LOCK_ASSIGN_OR_RETURN(const Side subject, row.subject(place));
  if (row.measure == nullptr) {
    return CompareInProcess(subject.start.directory, pairs);
  }
  O8LOCK_ASSIGN_OR_RETURN(const Side peer, row.peer(place));
  const Side* const sides[] = {&subject, &peer};
  std::deque<Stay> holders;
  for (const Side* side : sides) {
    if (!row.held) continue;
    O8LOCK_RETURN_IF_ERROR(
        holders.emplace_back(side->hold).ReadTime().status());
  }
  std::vector<double> ratios;
  for (int i = -1 - pairs / 10; i < pairs; ++i) {
    double values[2];
    for (const int which : {i & 1, 1 - (i & 1)}) {
      O8LOCK_ASSIGN_OR_RETURN(values[which], row.measure(*sides[which]));
      if (interrupted != 0) return absl::CancelledError("interrupted");
    }
    if (i >= 0) ratios.push_back(values[0] / values[1]);
  }
  return ratios;
}

// ---- Results

struct Result {
  const Row* row;
  double lower;  // quartile
  double median;
  double upper;  // quartile
};

Result Summarize(const Row& row, std::vector<double> ratios) {
  std::sort(ratios.begin(), ratios.end());
  const auto quantile = [&ratios](double part) {
    const double place = part * static_cast<double>(ratios.size() - 1);
    const size_t below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, ratios.size() - 1);
    return ratios[below] + (place - static_cast<double>(below)) *
                               (ratios[above] - ratios[below]);
  };
  return {&row, quantile(0.25), quantile(0.5), quantile(0.75)};
}

void Print(const Result& result) {
  const Row& row = *result.row;
  absl::PrintF("%-32s %-24s %6.3f  %6.3f to %6.3f  %5s  %s\n", row.name,
               row.peer_name, result.median, result.lower, result.upper,
               row.limit > 0 ? absl::StrFormat("%.2f", row.limit) : "-",
               row.limit == 0              ? ""
               : result.median > row.limit ? "OVER"
                                           : "ok");
  fflush(stdout);
}

// %1$s: the picture's file; %2$s: labels; %3$g: how far to the right; %4$d:
// rows; %5$s: their figures.
constexpr char kGnuplot[] = R"(
set terminal svg size 900,620 dynamic font 'Helvetica,Arial,sans-serif,12' background '#ffffff'
set output '%1$s'
set label 'What o8lock takes, as a multiple of what it is compared with' at screen 0.5,0.97 center font ',16'
machine = system("echo \"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) CPUs, Linux $(uname -r | cut -d- -f1), $(git --version | sed 's/version //'), $(flock --version | sed 's/^flock from //'), $(date -u +%%F)\"")
set label machine noenhanced at screen 0.5,0.925 center textcolor rgb '#666666'
%2$s
set lmargin at screen 0.47
set rmargin at screen 0.93
set tmargin at screen 0.885
set bmargin at screen 0.105
set border 1 lc rgb '#888888'
set xtics nomirror out textcolor rgb '#444444'
unset ytics
set grid xtics lt 1 lc rgb '#e6e6e6'
set key at screen 0.96,0.01 right bottom vertical maxrows 1 samplen 1.5 textcolor rgb '#444444'
set xrange [0:%3$g]
set yrange [%4$d.6:0.4]
set arrow from 1, graph 0 to 1, graph 1 nohead lt 1 lc rgb '#999999' back
$rows << END
%5$sEND
plot \
  $rows using 2:1:(0):2:($1-0.34):($1+0.34) with boxxyerror fs solid noborder lc rgb '#8fbbd9' title 'median', \
  $rows using ($5 > 0 && $2 > $5 ? $2 : NaN):1:(0):2:($1-0.34):($1+0.34) with boxxyerror fs solid noborder lc rgb '#efb08c' title 'median, over the limit', \
  $rows using 2:1:3:4 with xerrorbars pt 0 lw 1.5 lc rgb '#33506b' title 'quartiles', \
  $rows using ($5 > 0 ? $5 : NaN):($1+0.42):(0):(-0.84) with vectors nohead lw 2.5 lc rgb '#c0392b' title 'limit'
)";

absl::Status Draw(const std::vector<Result>& results, const std::string& path) {
  std::string labels;
  std::string rows;
  double most = 0;
  int place = 0;
  for (const Result& result : results) {
    const Row& row = *result.row;
    absl::StrAppendFormat(
        &labels,
        "set label '%2$s' at screen 0.015, first %1$d left\n"
        "set label '%3$s' at screen 0.46, first %1$d right textcolor rgb "
        "'#777777'\n"
        "set label '%4$.2f' at screen 0.985, first %1$d right\n",
        ++place, row.name, row.peer_name, result.median);
    absl::StrAppendFormat(&rows, "%d %g %g %g %g\n", place, result.median,
                          result.lower, result.upper, row.limit);
    most = std::max<double>({most, result.upper, row.limit});
  }
  FILE* gnuplot = popen("gnuplot", "w");
  if (gnuplot == nullptr) return absl::ErrnoToStatus(errno, "start gnuplot");
  absl::FPrintF(gnuplot, kGnuplot, absl::StrReplaceAll(path, {{"'", "''"}}),
                labels, most * 1.03, place, rows);
  if (pclose(gnuplot) == 0) return absl::OkStatus();
  return absl::InternalError("gnuplot failed; is it installed?");
}

int Main(int argc, char** argv) {
  int rounds = 10;
  std::string only;
  std::string svg;
  for (int i = 1; i < argc; ++i) {
    const absl::string_view option = argv[i];
    const std::string value = i + 1 < argc ? argv[++i] : "";
    if (option == "--only") {
      only = value;
    } else if (option == "--svg" && !value.empty()) {
      // `bazel run` has gone elsewhere.
      const char* here = getenv("BUILD_WORKING_DIRECTORY");
      svg = std::filesystem::path(here == nullptr ? "." : here) / value;
    } else if (option != "--rounds" || !absl::SimpleAtoi(value, &rounds) ||
               rounds < 1) {
      fputs("usage: benchmark [--rounds N] [--only SUBSTRING] [--svg FILE]\n",
            stderr);
      return 1;
    }
  }
  struct sigaction interrupt = {};
  interrupt.sa_handler = [](int) { interrupted = 1; };
  interrupt.sa_flags = SA_RESTART;
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) {
    sigaction(signal, &interrupt, nullptr);
  }
  Place place;
  const absl::Status ready = place.SetUp();
  if (!ready.ok()) {
    absl::FPrintF(stderr, "benchmark: %s\n", ready.ToString());
    return 1;
  }
  int exit_code = 0;
  absl::PrintF("%-32s %-24s %6s  %16s  %5s\n", "", "against", "ratio",
               "quartiles", "limit");
  std::vector<Result> results;
  for (const Row& row : kRows) {
    if (interrupted != 0 || !absl::StrContains(row.name, only)) continue;
    const Ratios ratios = Measure(row, place, rounds * row.pairs);
    if (ratios.ok()) {
      results.push_back(Summarize(row, *ratios));
      Print(results.back());
    } else {
      absl::PrintF("%-32s %-24s not measured: %s\n", row.name, row.peer_name,
                   ratios.status().message());
      exit_code = 1;
    }
  }
  if (results.empty() && exit_code == 0 && interrupted == 0) {
    absl::FPrintF(stderr, "benchmark: no row has '%s' in its name\n", only);
    return 1;
  }
  if (!svg.empty() && !results.empty()) {
    const absl::Status drawn = Draw(results, svg);
    if (!drawn.ok()) {
      absl::FPrintF(stderr, "benchmark: %s\n", drawn.ToString());
      exit_code = 1;
    }
  }
  return exit_code;
}

}  // namespace
}  // namespace o8lock

int main(int argc, char** argv) { return o8lock::Main(argc, argv); }
