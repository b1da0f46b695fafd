// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/benchmark_in_process.h"

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/status.h"

namespace o8lock {
namespace {

// The bare system calls of a free Acquire() and Release(), in their order. To
// see o8lock's own calls, run
//   bazel run --run_under='strace -o FILE' //tools:benchmark -- --only Acquire
class BareCalls {
 public:
  explicit BareCalls(const Location& location)
      : repository_(location.common_dir),
        guard_path_(location.guard),
        lock_file_(location.lock_file),
        directory_(ParentOf(lock_file_)),
        armed_(location.armed) {}

  void AcquireAndRelease() {
    // Acquire()
    const int guard = OpenGuard();
    Lock(guard, F_WRLCK, 0, 3);
    Fstat(guard);
    Stat(guard_path_);
    unlink(guard_new_.c_str());
    Rename(old_, lock_file_);
    Rename(other_old_, other_);
    Read(guard);
    getpid();
    getpid();
    Use(getcwd(buffer_, sizeof(buffer_)));
    Use(getrandom(buffer_, 16, 0));
    Open(lock_file_, O_RDONLY);
    Open(other_, O_RDONLY);
    Stat(directory_);
    const int exclude = Open(exclude_, O_RDONLY);
    Use(read(exclude, buffer_, sizeof(buffer_)));
    Use(read(exclude, buffer_, sizeof(buffer_)));
    close(exclude);
    const int written = Open(new_, O_RDWR | O_CREAT | O_EXCL);
    Fstat(written);
    Use(stat(directory_.c_str(), &stat_));
    Fstat(written);
    Use(geteuid());
    Write(written, 99);
    close(written);
    Use(readlink(armed_.c_str(), buffer_, 64));
    Fstat(guard);
    Use(fstatfs(guard, &file_system_));
    Write(guard, 700);
    Rename(new_, lock_file_);
    Lock(guard, F_WRLCK, 6, 1);
    Lock(guard, F_UNLCK, 1, 1);
    Lock(guard, F_UNLCK, 2, 1);
    const int repository =
        open(repository_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    // Release()
    Fstat(repository);
    Stat(repository_);
    const int change = OpenGuard();
    Lock(change, F_WRLCK, 1, 1);
    Stat(guard_path_);
    ReadFile(lock_file_);
    Use(rename(lock_file_.c_str(), old_.c_str()));
    ReadFile(old_);
    unlink(old_.c_str());
    Open(other_, O_RDONLY);
    Lock(guard, F_WRLCK, 0, 1, F_OFD_GETLK);
    Lock(guard, F_WRLCK, 2, 1, F_OFD_GETLK);
    Read(guard);
    Use(readlink(armed_.c_str(), buffer_, 64));
    Lock(guard, F_WRLCK, 1 << 22, 0, F_OFD_GETLK);
    Lock(guard, F_UNLCK, 0, 7);
    Fstat(guard);
    Use(ftruncate(guard, 0));
    close(change);
    close(guard);
    close(repository);
  }

 private:
  template <typename T>
  void Use(T result) {
    benchmark::DoNotOptimize(result);
  }
  int Open(const std::string& path, int flags) {
    return open(path.c_str(),
                flags | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0644);
  }
  int OpenGuard() {
    const int fd = Open(guard_path_, O_RDWR);
    Fstat(fd);
    Fstat(fd);
    return fd;
  }
  void Fstat(int fd) { fstat(fd, &stat_); }
  void Stat(const std::string& path) { lstat(path.c_str(), &stat_); }
  void Lock(int fd, short type, off_t start,  // NOLINT(google-runtime-int)
            off_t length, int command = F_OFD_SETLK) {
    struct flock request = {};
    request.l_type = type;
    request.l_start = start;
    request.l_len = length;
    fcntl(fd, command, &request);
  }
  void Rename(const std::string& from, const std::string& to) {
    Use(renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(),
                  RENAME_NOREPLACE));
  }
  void Read(int fd) {
    Use(statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_SIZE,
              &statx_));
    Use(pread(fd, buffer_, sizeof(buffer_), 0));
  }
  void ReadFile(const std::string& path) {
    const int fd = Open(path, O_RDONLY);
    Fstat(fd);
    Read(fd);
    close(fd);
  }
  void Write(int fd, size_t size) {
    Use(pwrite(fd, buffer_, size, 0));
    Fstat(fd);
  }

  const std::string repository_;
  const std::string guard_path_;
  const std::string lock_file_;
  const std::string directory_;
  const std::string armed_;
  const std::string exclude_ = repository_ + "/info/exclude";
  const std::string other_ = directory_ + "/murm.lock";
  const std::string guard_new_ = guard_path_ + ".new";
  const std::string new_ = directory_ + "/.parallel.lock.new";
  const std::string old_ = directory_ + "/.parallel.lock.old";
  const std::string other_old_ = directory_ + "/.murm.lock.old";
  char buffer_[4096] = {};
  struct stat stat_;
  struct statx statx_;
  struct statfs file_system_;
};

// Input and status of both benchmarks: Google Benchmark passes no arguments.
const Location* location;
absl::Status status;

void BM_Lock(benchmark::State& state) {
  AcquireOptions options;
  options.command = {"true"};
  while (state.KeepRunning()) {
    absl::StatusOr<Lock> lock = Lock::Acquire(*location, options);
    status.Update(lock.status());
    if (lock.ok()) status.Update(lock->Release().status());
  }
}
BENCHMARK(BM_Lock)->MinTime(0.02);

void BM_BareCalls(benchmark::State& state) {
  BareCalls calls(*location);
  while (state.KeepRunning()) calls.AcquireAndRelease();
}
BENCHMARK(BM_BareCalls)->MinTime(0.02);

// Collects the times.
class Reporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      const bool bare = absl::StrContains(run.benchmark_name(), "Bare");
      (bare ? bare_ : lock_).push_back(run.GetAdjustedRealTime());
    }
  }
  std::vector<double> Ratios() const {
    std::vector<double> ratios;
    for (size_t i = 0; i < lock_.size() && i < bare_.size(); ++i) {
      ratios.push_back(lock_[i] / bare_[i]);
    }
    return ratios;
  }

 private:
  std::vector<double> lock_;
  std::vector<double> bare_;
};

}  // namespace

absl::StatusOr<std::vector<double>> CompareInProcess(const std::string& path,
                                                     int pairs) {
  LocateOptions options;
  options.directory = path;
  O8LOCK_ASSIGN_OR_RETURN(const Location found, Locate(options));
  location = &found;
  // Creates the permanent files, as a first run does.
  O8LOCK_RETURN_IF_ERROR(Lock::Acquire(found, {}).status());
  std::string flags[] = {"benchmark",
                         "--benchmark_enable_random_interleaving=true",
                         absl::StrCat("--benchmark_repetitions=", pairs)};
  int count = 3;
  char* argv[] = {flags[0].data(), flags[1].data(), flags[2].data(), nullptr};
  benchmark::Initialize(&count, argv);
  Reporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  if (!status.ok()) return status;
  return reporter.Ratios();
}

}  // namespace o8lock
