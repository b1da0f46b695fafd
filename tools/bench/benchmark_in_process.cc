// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/benchmark_in_process.h"

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/types.h>
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
      : guard_path_(location.guard),
        lock_file_(location.lock_file),
        other_(ParentOf(lock_file_) + "/murm.lock"),
        directory_(ParentOf(lock_file_) + "/."),
        exclude_(location.common_dir + "/info/exclude"),
        armed_(location.armed) {}

  void AcquireAndRelease() {
    // Acquire()
    const int guard = Open(guard_path_, O_RDWR);
    Fstat(guard);
    Fstat(guard);
    Lock(guard, F_WRLCK, 0, 3);
    Fstat(guard);
    Stat(guard_path_);
    unlink(guard_new_.c_str());
    Use(link(old_.c_str(), lock_file_.c_str()));
    Use(link(other_old_.c_str(), other_.c_str()));
    Use(pread(guard, buffer_, sizeof(buffer_), 0));
    getpid();
    getpid();
    Use(getcwd(buffer_, sizeof(buffer_)));
    Use(getrandom(buffer_, 16, 0));
    Open(lock_file_, O_RDONLY);
    Open(other_, O_RDONLY);
    Read(exclude_);
    const int written = Open(new_, O_RDWR | O_CREAT | O_EXCL);
    Fstat(written);
    Write(written, 90);
    close(written);
    Use(readlink(armed_.c_str(), buffer_, 64));
    Write(guard, 459);
    Use(renameat2(AT_FDCWD, new_.c_str(), AT_FDCWD, lock_file_.c_str(),
                  RENAME_NOREPLACE));
    Lock(guard, F_UNLCK, 1, 1);
    Lock(guard, F_UNLCK, 2, 1);
    // Release()
    const int change = Open(guard_path_, O_RDWR);
    Fstat(change);
    Fstat(change);
    Fstat(guard);
    Lock(change, F_WRLCK, 1, 1);
    Fstat(guard);
    Stat(guard_path_);
    Read(lock_file_);
    Use(rename(lock_file_.c_str(), old_.c_str()));
    Read(old_);
    unlink(old_.c_str());
    Open(other_, O_RDONLY);
    Lock(guard, F_WRLCK, 0, 1, F_OFD_GETLK);
    Lock(guard, F_WRLCK, 2, 1, F_OFD_GETLK);
    Use(readlink(armed_.c_str(), buffer_, 64));
    Lock(guard, F_WRLCK, 3, 1, F_OFD_GETLK);
    Lock(guard, F_UNLCK, 0, 1);
    Use(ftruncate(guard, 0));
    close(change);
    close(guard);
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
  void Read(const std::string& path) {
    const int fd = Open(path, O_RDONLY);
    Fstat(fd);
    const ssize_t size = pread(fd, buffer_, sizeof(buffer_), 0);
    Use(pread(fd, buffer_, sizeof(buffer_), size));
    close(fd);
  }
  void Write(int fd, size_t size) {
    Use(pwrite(fd, buffer_, size, 0));
    Fstat(fd);
  }

  const std::string guard_path_;
  const std::string lock_file_;
  const std::string other_;
  const std::string directory_;
  const std::string exclude_;
  const std::string armed_;
  const std::string guard_new_ = guard_path_ + ".new";
  const std::string new_ = directory_ + "parallel.lock.new";
  const std::string old_ = directory_ + "parallel.lock.old";
  const std::string other_old_ = directory_ + "murm.lock.old";
  char buffer_[4096] = {};
  struct stat stat_;
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
