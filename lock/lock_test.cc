// SPDX-License-Identifier: Apache-2.0
#include "lock/lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "lock/arming.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/kernel_lock.h"
#include "lock/location.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

// The example of lock.h.
absl::Status Example() {
  absl::StatusOr<o8lock::Location> location = o8lock::Locate({});
  if (!location.ok()) return location.status();
  o8lock::AcquireOptions options;
  options.features = {"feat-a"};
  std::optional<o8lock::LockStatus> found;
  absl::StatusOr<o8lock::Lock> lock =
      o8lock::Lock::Acquire(*location, options, &found);
  if (absl::IsUnavailable(lock.status())) {
    EXPECT_EQ(found->holder->pid, getpid());
  }
  if (!lock.ok()) return lock.status();
  return lock->Release().status();
}

class LockTest : public testing::Test {
 protected:
  void SetUp() override {
    repository_ = temp_.File("repo");
    Git(temp_.path(), {"init", "-q", repository_});
    LocateOptions options;
    options.directory = repository_;
    const absl::StatusOr<Location> location = Locate(options);
    ASSERT_TRUE(location.ok()) << location.status();
    location_ = *location;
    options_.features = {"feat-a", "feat-b"};
    options_.max_concurrency = 3;
    options_.command = {"orchestr8", "parallel", "feat-a", "feat-b"};
  }

  Lock Acquire() {
    absl::StatusOr<Lock> lock = Lock::Acquire(location_, options_);
    EXPECT_TRUE(lock.ok()) << lock.status();
    return *std::move(lock);
  }
  absl::Status TryToAcquire() {
    return Lock::Acquire(location_, options_, &refused_by_).status();
  }
  // The refusal of the last TryToAcquire(), the call with this status.
  std::optional<LockStatus> RefusedBy(const absl::Status& /*status*/) const {
    return refused_by_;
  }
  LockStatus InspectLock() {
    const absl::StatusOr<LockStatus> found = Inspect(location_, {});
    EXPECT_TRUE(found.ok()) << found.status();
    return found.value_or(LockStatus());
  }
  // Expects a refusal because of the run of `holder`.
  void ExpectHeldBy(const absl::Status& status, const Holder& holder) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    const std::optional<LockStatus> found = RefusedBy(status);
    ASSERT_TRUE(found.has_value()) << status;
    EXPECT_EQ(found->state, LockState::kHeld);
    ASSERT_TRUE(found->holder.has_value());
    EXPECT_EQ(found->holder->pid, holder.pid);
    EXPECT_EQ(found->holder->token, holder.token);
  }
  void ExpectFree() {
    EXPECT_EQ(InspectLock().state, LockState::kFree);
    EXPECT_EQ(Contents(location_.guard), "");
    EXPECT_FALSE(Exists(location_.lock_file));
  }
  // Simulates a run dying without a release.
  Holder Crash() {
    const Pipe ready = MakePipe().value();
    const pid_t child = fork();
    if (child == 0) {
      const absl::StatusOr<Lock> lock = Lock::Acquire(location_, options_);
      const std::string record = lock.ok() ? RecordText(lock->holder()) : "";
      const ssize_t sent =
          write(ready.write.get(), record.data(), record.size());
      _exit(sent > 0 ? 0 : 1);
    }
    std::string record(65536, '\0');
    const ssize_t got = read(ready.read.get(), record.data(), record.size());
    waitpid(child, nullptr, 0);
    record.resize(got > 0 ? static_cast<size_t>(got) : 0);
    const absl::StatusOr<Holder> holder = ParseHolder(record);
    EXPECT_TRUE(holder.ok()) << holder.status();
    return holder.value_or(Holder());
  }

  TempDir temp_;
  std::string repository_;
  Location location_;
  AcquireOptions options_;

 private:
  std::optional<LockStatus> refused_by_;
};

TEST_F(LockTest, TheHeadersExampleWorks) {
  ASSERT_EQ(chdir(repository_.c_str()), 0);
  EXPECT_EQ(Example(), absl::OkStatus());
  {
    const Lock lock = Acquire();
    EXPECT_EQ(Example().code(), absl::StatusCode::kUnavailable);
  }
  ASSERT_EQ(chdir("/"), 0);
}

TEST_F(LockTest, PublishesTheLockFileAndTheRecord) {
  Lock lock = Acquire();
  Holder holder;
  holder.pid = getpid();
  holder.started_at = lock.holder().started_at;
  holder.features = options_.features;
  holder.max_concurrency = 3;
  EXPECT_EQ(Contents(location_.lock_file), LockFileText(holder));
  EXPECT_EQ(Contents(location_.guard), RecordText(lock.holder()));
  struct stat info;
  ASSERT_EQ(stat(location_.lock_file.c_str(), &info), 0);
  const mode_t mask = umask(0);
  umask(mask);
  EXPECT_EQ(info.st_mode & 0777, 0644 & ~mask);
  EXPECT_EQ(info.st_nlink, 1u);
  const Here here = ThisProcess();
  EXPECT_EQ(lock.holder().host, here.host);
  EXPECT_EQ(lock.holder().boot_id, here.boot_id);
  EXPECT_EQ(lock.holder().pid_namespace, here.pid_namespace);
  EXPECT_EQ(lock.holder().token.size(), 32u);
  EXPECT_EQ(lock.holder().command, options_.command);
  EXPECT_TRUE(lock.stale().empty() && lock.malformed().empty());
  const absl::StatusOr<Released> released = lock.Release();
  ASSERT_TRUE(released.ok()) << released.status();
  EXPECT_FALSE(released->overridden);
  ExpectFree();
  EXPECT_FALSE(Exists(repository_ + "/.claude"));
}

TEST_F(LockTest, EveryRunHasATokenOfItsOwn) {
  const std::string first = Acquire().holder().token;
  EXPECT_NE(Acquire().holder().token, first);
}

TEST_F(LockTest, LeavesADirectoryThatWasThereOrIsInUse) {
  ASSERT_EQ(mkdir((repository_ + "/.claude").c_str(), 0777), 0);
  Acquire();
  EXPECT_TRUE(Exists(repository_ + "/.claude"));
  ASSERT_EQ(rmdir((repository_ + "/.claude").c_str()), 0);
  {
    const Lock lock = Acquire();
    MakeFile(repository_ + "/.claude/mine", "");
  }
  EXPECT_TRUE(Exists(repository_ + "/.claude/mine"));
}

TEST_F(LockTest, IsInvisibleToGit) {
  const Lock lock = Acquire();
  EXPECT_EQ(Git(repository_, {"status", "--porcelain"}), "");
  MakeFile(repository_ + "/.claude/other", "");
  EXPECT_EQ(Git(repository_, {"status", "--porcelain"}), "?? .claude/\n");
}

TEST_F(LockTest, ExcludesTheLockFileOnceBesideWhatWasThere) {
  const std::string exclude = repository_ + "/.git/info/exclude";
  MakeFile(exclude, "*.o");  // without a newline
  Acquire();
  Acquire();
  EXPECT_EQ(Contents(exclude),
            "*.o\n/.claude/parallel.lock\n/.claude/.parallel.lock.*\n");
  ASSERT_EQ(unlink(exclude.c_str()), 0);
  ASSERT_EQ(rmdir((repository_ + "/.git/info").c_str()), 0);
  Acquire();
  EXPECT_EQ(Contents(exclude),
            "/.claude/parallel.lock\n/.claude/.parallel.lock.*\n");
}

TEST_F(LockTest, PublishesNothingWhenToldSo) {
  options_.unpublished = [] { return "for a test"; };
  const Lock lock = Acquire();
  EXPECT_FALSE(Exists(repository_ + "/.claude"));
  EXPECT_EQ(InspectLock().state, LockState::kHeld);
}

TEST_F(LockTest, AsksWhetherToPublishOnlyWhenItTakesTheLock) {
  int asked = 0;
  options_.unpublished = [&asked]() -> std::optional<std::string> {
    ++asked;
    return std::nullopt;
  };
  const Lock lock = Acquire();
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(Exists(location_.lock_file));
  ASSERT_FALSE(Lock::Acquire(location_, options_).ok());
  options_.own_tokens = {lock.holder().token};
  ASSERT_TRUE(Acquire().joined());
  EXPECT_EQ(asked, 1);
}

TEST_F(LockTest, DoesNotAskWhetherToPublishBesideAnExternalRun) {
  int asked = 0;
  options_.unpublished = [&asked]() -> std::optional<std::string> {
    ++asked;
    return std::nullopt;
  };
  ASSERT_EQ(mkdir((repository_ + "/.claude").c_str(), 0777), 0);
  MakeFile(location_.lock_file, absl::StrCat("{\"pid\": ", getppid(), "}"));
  EXPECT_TRUE(absl::IsUnavailable(TryToAcquire()));
  EXPECT_EQ(asked, 0);
}

TEST_F(LockTest, RefusesASecondRunInTheSameProcess) {
  const Lock lock = Acquire();
  ExpectHeldBy(TryToAcquire(), lock.holder());
}

TEST_F(LockTest, RefusesASecondRunInAnotherProcess) {
  const Pipe ready = MakePipe().value();
  Pipe end = MakePipe().value();
  const pid_t child = fork();
  if (child == 0) {
    const absl::StatusOr<Lock> lock = Lock::Acquire(location_, options_);
    end.write.Close();
    char c = lock.ok() ? 'y' : 'n';
    if (write(ready.write.get(), &c, 1) != 1) _exit(2);
    _exit(read(end.read.get(), &c, 1) == 0 ? 0 : 1);
  }
  char c = '\0';
  ASSERT_EQ(read(ready.read.get(), &c, 1), 1);
  EXPECT_EQ(c, 'y');
  EXPECT_TRUE(absl::IsUnavailable(TryToAcquire()));
  EXPECT_TRUE(Exists(location_.lock_file));
  end.write.Close();
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(TryToAcquire().ok());
}

TEST_F(LockTest, JoinsInAProcessThatTheHolderHasStarted) {
  const Lock lock = Acquire();
  const pid_t child = fork();
  if (child == 0) {
    const absl::StatusOr<Lock> inner = Lock::Acquire(location_, options_);
    _exit(inner.ok() && inner->joined() ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(LockTest, KeepsNamesApart) {
  const Lock lock = Acquire();
  LocateOptions locate;
  locate.directory = repository_;
  locate.name = "deploy";
  const absl::StatusOr<Location> location = Locate(locate);
  ASSERT_TRUE(location.ok());
  const absl::StatusOr<Lock> other = Lock::Acquire(*location, options_);
  EXPECT_TRUE(other.ok()) << other.status();
}

TEST_F(LockTest, WorksOutsideARepositoryAndWithANamedFile) {
  ASSERT_EQ(mkdir(temp_.File("plain").c_str(), 0777), 0);
  LocateOptions locate;
  locate.directory = temp_.File("plain");
  for (const char* file : {"", "my.lock"}) {
    locate.lock_file = file;
    location_ = *Locate(locate);
    {
      const Lock lock = Acquire();
      EXPECT_TRUE(Exists(location_.lock_file));
      ExpectHeldBy(TryToAcquire(), lock.holder());
    }
    ExpectFree();
  }
  locate.lock_file = "gone/my.lock";
  location_ = *Locate(locate);
  EXPECT_EQ(TryToAcquire(),
            absl::NotFoundError(absl::StrCat(
                "cannot open '", temp_.File("plain/gone/.my.lock.guard"),
                "': No such file or directory")));
}

TEST_F(LockTest, AnInheritedDescriptorKeepsItWhileSomebodyLives) {
  const Pipe ready = MakePipe().value();
  Pipe go = MakePipe().value();
  const pid_t holder = fork();
  if (holder == 0) {
    const Lock lock = Acquire();
    const pid_t command = fork();
    if (command == 0) {
      // The end of the test's process closes the pipe, and this ends the child.
      go.write.Close();
      char c;
      _exit(read(go.read.get(), &c, 1) < 0 ? 1 : 0);
    }
    static_cast<void>(!write(ready.write.get(), "r", 1));
    while (true) pause();
  }
  char c;
  ASSERT_EQ(read(ready.read.get(), &c, 1), 1);
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  const absl::Status refused = TryToAcquire();
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  EXPECT_EQ(RefusedBy(refused)->holder->pid, holder);
  EXPECT_EQ(RefusedBy(refused)->process.state, ProcessState::kGone);
  // The command ends, and its lock ends with it.
  go.write.Close();
  absl::Status status;
  do {
    status = TryToAcquire();
  } while (absl::IsUnavailable(status));
  EXPECT_EQ(status, absl::OkStatus());
}

TEST_F(LockTest, ReleaseFreesItForEveryDuplicate) {
  Lock lock = Acquire();
  const int daemon = fcntl(lock.fd(), F_DUPFD_CLOEXEC, 10);
  ASSERT_GE(daemon, 10);
  ASSERT_TRUE(lock.Release().ok());
  EXPECT_EQ(TryToAcquire(), absl::OkStatus());
  close(daemon);
}

TEST_F(LockTest, TheDescriptorIsHighAndCloseOnExec) {
  const int saved = dup(STDIN_FILENO);
  close(STDIN_FILENO);
  {
    const Lock lock = Acquire();
    EXPECT_GE(lock.fd(), 3);
    EXPECT_EQ(fcntl(lock.fd(), F_GETFD), FD_CLOEXEC);
  }
  if (saved >= 0) {
    dup2(saved, STDIN_FILENO);
    close(saved);
  }
}

TEST_F(LockTest, AForkedCopyReleasesNothing) {
  const Lock lock = Acquire();
  const pid_t child = fork();
  if (child == 0) {
    { const Lock copy = std::move(const_cast<Lock&>(lock)); }
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(Exists(location_.lock_file));
  ExpectHeldBy(TryToAcquire(), lock.holder());
}

TEST_F(LockTest, TakesOverFromADeadRunAndSaysSo) {
  const Holder dead = Crash();
  EXPECT_TRUE(Exists(location_.lock_file));
  EXPECT_EQ(InspectLock().state, LockState::kStale);
  EXPECT_EQ(InspectLock().holder->pid, dead.pid);
  {
    const Lock lock = Acquire();
    ASSERT_EQ(lock.stale().size(), 1u);  // one run's record and lock file
    EXPECT_EQ(lock.stale()[0].holder->pid, dead.pid);
  }
  ExpectFree();
}

TEST_F(LockTest, TakesOverFromADeadRunWhosePidLivesAgain) {
  Holder dead = Crash();
  dead.pid = getppid();  // as if the parent had got this pid later
  dead.acquired = 0;
  MakeFile(location_.guard, RecordText(dead));
  MakeFile(location_.lock_file, LockFileText(dead));
  const Lock lock = Acquire();
  ASSERT_EQ(lock.stale().size(), 1u);
  EXPECT_EQ(lock.stale()[0].holder->pid, getppid());
}

TEST_F(LockTest, NamesEveryDeadRunOnce) {
  const Holder dead = Crash();
  Holder other = dead;
  other.started_at = "2026-02-25T10:30:00Z";
  MakeFile(location_.lock_file, LockFileText(other));
  MakeFile(location_.external_lock_files[0], LockFileText(dead));
  const Lock lock = Acquire();
  ASSERT_EQ(lock.stale().size(), 2u);
  EXPECT_EQ(lock.stale()[0].holder->started_at, dead.started_at);
  EXPECT_EQ(lock.stale()[1].holder->started_at, other.started_at);
  EXPECT_FALSE(Exists(location_.external_lock_files[0]));
}

TEST_F(LockTest, RefusesBesideAnExternalRun) {
  ASSERT_EQ(mkdir((repository_ + "/.claude").c_str(), 0777), 0);
  Holder external;
  external.pid = getppid();
  for (const std::string& path : location_.LockFiles()) {
    MakeFile(path, LockFileText(external));
    const absl::Status status = TryToAcquire();
    ExpectHeldBy(status, external);
    EXPECT_EQ(RefusedBy(status)->file, path);
    EXPECT_FALSE(RefusedBy(status)->kernel_locked);
    EXPECT_EQ(InspectLock().state, LockState::kHeld);
    EXPECT_EQ(InspectLock().file, path);
    EXPECT_EQ(Contents(path), LockFileText(external));
    EXPECT_EQ(Contents(location_.guard), "");
    ASSERT_EQ(unlink(path.c_str()), 0);
  }
  EXPECT_EQ(TryToAcquire(), absl::OkStatus());
}

TEST_F(LockTest, PutsAMalformedLockFileOutOfTheWay) {
  ASSERT_EQ(mkdir((repository_ + "/.claude").c_str(), 0777), 0);
  for (const std::string& path : location_.LockFiles()) {
    const std::string text("{\"pid\":\0", 8);
    MakeFile(path, text);
    EXPECT_EQ(InspectLock().state, LockState::kStale);
    EXPECT_EQ(InspectLock().problem, "not a JSON object");
    const Lock lock = Acquire();
    ASSERT_EQ(lock.malformed().size(), 1u);
    EXPECT_EQ(lock.malformed()[0].path, path);
    EXPECT_EQ(lock.malformed()[0].problem, "not a JSON object");
    const std::string kept = lock.malformed()[0].kept_as;
    EXPECT_EQ(kept.rfind(repository_ + "/.git/o8lock/", 0), 0u) << kept;
    EXPECT_EQ(Contents(kept), text);
    EXPECT_TRUE(lock.stale().empty());
  }
}

TEST_F(LockTest, JoinsItsOwnRun) {
  Lock lock = Acquire();
  EXPECT_FALSE(lock.joined());
  const std::string record = Contents(location_.guard);
  options_.own_tokens = {"another", lock.holder().token};
  for (int round = 0; round < 2; ++round) {
    Lock inner = Acquire();
    EXPECT_TRUE(inner.joined());
    EXPECT_EQ(inner.holder().token, lock.holder().token);
    const Lock another = Acquire();  // shares the lock
    EXPECT_EQ(inner.NameCommand(1), absl::OkStatus());
    EXPECT_TRUE(inner.Release().ok());
    EXPECT_EQ(Contents(location_.guard), record);
  }
  EXPECT_TRUE(Exists(location_.lock_file));
  EXPECT_TRUE(Inspect(location_, options_.own_tokens)->own);
  EXPECT_FALSE(InspectLock().own);
  options_.own_tokens = {"", "another"};
  ExpectHeldBy(TryToAcquire(), lock.holder());
}

TEST_F(LockTest, AJoinedRunOutlivesTheOneItJoined) {
  Lock lock = Acquire();
  options_.own_tokens = {lock.holder().token};
  Lock inner = Acquire();
  ASSERT_TRUE(lock.Release().ok());
  options_.own_tokens.clear();
  const absl::Status refused = TryToAcquire();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable) << refused;
  EXPECT_EQ(InspectLock().state, LockState::kHeld);
  EXPECT_EQ(RefusedBy(refused)->holder->token, inner.holder().token);
  // Runs inside it still join.
  options_.own_tokens = {inner.holder().token};
  EXPECT_TRUE(Acquire().joined());
  EXPECT_EQ(InspectLock().state, LockState::kHeld);
  ASSERT_TRUE(inner.Release().ok());
  EXPECT_FALSE(Acquire().joined());
  ExpectFree();
}

TEST_F(LockTest, ARunInsideWithdrawsTheLockFileUntilItsEnd) {
  Lock lock = Acquire();
  const std::string text = Contents(location_.lock_file);
  const std::string another = "{\"pid\": 1}";
  options_.own_tokens = {lock.holder().token};
  Lock inner = Acquire();
  ASSERT_EQ(inner.WithdrawLockFile(), absl::OkStatus());
  EXPECT_FALSE(Exists(location_.lock_file));
  // The outer run does not put it back, and accepts another file in its place.
  const auto is_content = [&lock] {
    const absl::StatusOr<Interference> found = lock.CheckIntegrity();
    return found.ok() && !found->vanished && !found->replaced.has_value();
  };
  EXPECT_TRUE(is_content());
  MakeFile(location_.lock_file, another);
  EXPECT_TRUE(is_content());
  unlink(location_.lock_file.c_str());
  // The lock is still held.
  options_.own_tokens.clear();
  ExpectHeldBy(TryToAcquire(), lock.holder());
  ASSERT_TRUE(inner.Release().ok());
  EXPECT_EQ(Contents(location_.lock_file), text);
  EXPECT_TRUE(is_content());
  unlink(location_.lock_file.c_str());
  EXPECT_FALSE(is_content());  // it maintains the lock file again
  ASSERT_TRUE(lock.Release().ok());
  ExpectFree();
}

TEST_F(LockTest, TheLockFileComesBackWithTheLastRunInsideThatWithdrewIt) {
  Lock lock = Acquire();
  options_.own_tokens = {lock.holder().token};
  Lock first = Acquire();
  Lock second = Acquire();
  ASSERT_EQ(first.WithdrawLockFile(), absl::OkStatus());
  ASSERT_EQ(second.WithdrawLockFile(), absl::OkStatus());
  ASSERT_TRUE(first.Release().ok());
  EXPECT_FALSE(Exists(location_.lock_file));
  ASSERT_TRUE(second.Release().ok());
  EXPECT_TRUE(Exists(location_.lock_file));
}

TEST_F(LockTest, AWithdrawnLockFileStaysAwayWhereItIsNotWanted) {
  // The outer run has ended.
  {
    Lock lock = Acquire();
    options_.own_tokens = {lock.holder().token};
    Lock inner = Acquire();
    ASSERT_EQ(inner.WithdrawLockFile(), absl::OkStatus());
    ASSERT_TRUE(lock.Release().ok());
    ASSERT_TRUE(inner.Release().ok());
    ExpectFree();
  }
  // Another program's lock file is there.
  {
    options_.own_tokens.clear();
    Lock lock = Acquire();
    options_.own_tokens = {lock.holder().token};
    Lock inner = Acquire();
    ASSERT_EQ(inner.WithdrawLockFile(), absl::OkStatus());
    const std::string another = "{\"pid\": 1}";
    MakeFile(location_.lock_file, another);
    ASSERT_TRUE(inner.Release().ok());
    EXPECT_EQ(Contents(location_.lock_file), another);
    unlink(location_.lock_file.c_str());
  }
  // The outer run never had a lock file.
  options_.own_tokens.clear();
  options_.unpublished = [] { return "for a test"; };
  Lock lock = Acquire();
  options_.own_tokens = {lock.holder().token};
  Lock inner = Acquire();
  ASSERT_EQ(inner.WithdrawLockFile(), absl::OkStatus());
  ASSERT_TRUE(inner.Release().ok());
  EXPECT_FALSE(Exists(location_.lock_file));
  // Only an inner run withdraws the lock file.
  ASSERT_EQ(lock.WithdrawLockFile(), absl::OkStatus());
  EXPECT_EQ(lock.holder().unpublished, "for a test");
}

TEST_F(LockTest, AJoinedRunIsNoSurvivingProcessOfADeadOne) {
  Holder dead = Crash();
  dead.command_pid = dead.pid;
  MakeFile(location_.guard, RecordText(dead));
  const absl::StatusOr<Fd> daemon = OpenRegular(location_.guard, O_RDWR);
  ASSERT_TRUE(daemon.ok());
  ASSERT_EQ(TryLock(*daemon, Range::kRun, location_.guard), absl::OkStatus());
  options_.own_tokens = {dead.token};
  {
    const Lock inner = Acquire();
    EXPECT_TRUE(inner.joined());
    options_.own_tokens.clear();
    ExpectHeldBy(TryToAcquire(), dead);
    EXPECT_EQ(InspectLock().state, LockState::kHeld);
  }
  EXPECT_EQ(InspectLock().state, LockState::kStale);
  const Lock lock = Acquire();
  ASSERT_EQ(lock.stale().size(), 1u);
  EXPECT_EQ(lock.stale()[0].holder->token, dead.token);
}

// Installed hooks consist of a link and two files and, after the first arming,
// a second link.
class ArmingTest : public LockTest {
 protected:
  void SetUp() override {
    LockTest::SetUp();
    ASSERT_EQ(mkdir((repository_ + "/.git/o8lock").c_str(), 0777), 0);
    ASSERT_EQ(symlink("free.inc", location_.armed.c_str()), 0);
  }
  bool Armed() { return IsArmed(location_); }
};

TEST_F(ArmingTest, LastsAsLongAsTheLock) {
  EXPECT_FALSE(Armed());
  {
    const Lock lock = Acquire();
    EXPECT_TRUE(Armed());
    EXPECT_EQ(TryToAcquire().code(), absl::StatusCode::kUnavailable);
    EXPECT_TRUE(Armed());
  }
  EXPECT_FALSE(Armed());
  ExpectFree();
}

TEST_F(ArmingTest, LastsUntilTheLastOfTheRunsInside) {
  std::optional<Lock> lock = Acquire();
  options_.own_tokens = {lock->holder().token};
  std::optional<Lock> inner = Acquire();
  ASSERT_TRUE(inner->joined());
  lock.reset();
  EXPECT_TRUE(Armed());
  inner.reset();
  EXPECT_FALSE(Armed());
}

TEST_F(ArmingTest, OutlivesAnOverride) {
  std::optional<Lock> old = Acquire();
  options_.overriding = {InspectLock()};
  std::optional<Lock> lock = Acquire();
  old.reset();
  EXPECT_TRUE(Armed());
  lock.reset();
  EXPECT_FALSE(Armed());
}

TEST_F(ArmingTest, IsOnlyForTheLockThatGuardsWorktrees) {
  LocateOptions options;
  options.directory = repository_;
  options.name = "deploy";
  const absl::StatusOr<Location> other = Locate(options);
  ASSERT_TRUE(other.ok()) << other.status();
  const absl::StatusOr<Lock> lock = Lock::Acquire(*other, options_);
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_FALSE(Armed());
}

TEST_F(ArmingTest, ExchangesTwoLinksAndMakesNoNewOne) {
  const std::string spare = location_.armed + ".spare";
  const auto inodes = [this, &spare] {
    std::set<ino_t> numbers;
    for (const std::string& link : {location_.armed, spare}) {
      const absl::StatusOr<FileId> id = IdOf(link);
      if (id.ok()) numbers.insert(id->inode);
    }
    return numbers;
  };
  Acquire();
  const std::set<ino_t> both = inodes();
  EXPECT_EQ(both.size(), 2u);
  {
    const Lock lock = Acquire();
    EXPECT_TRUE(Armed());
    EXPECT_EQ(inodes(), both);
  }
  EXPECT_FALSE(Armed());
  EXPECT_EQ(inodes(), both);
}

// The hooks let a worktree add finish if it began before the arming.
TEST_F(ArmingTest, TellsByTheLinkWhenItWas) {
  Acquire();
  const std::string spare = location_.armed + ".spare";
  const timespec long_ago[2] = {{1000000000, 0}, {1000000000, 0}};
  for (const std::string& link : {location_.armed, spare}) {
    ASSERT_EQ(utimensat(AT_FDCWD, link.c_str(), long_ago, AT_SYMLINK_NOFOLLOW),
              0);
  }
  const Lock lock = Acquire();
  ASSERT_TRUE(Armed());
  struct stat info;
  ASSERT_EQ(lstat(location_.armed.c_str(), &info), 0);
  EXPECT_GT(info.st_mtime, long_ago[1].tv_sec);
}

// A killed process, or a copy of the repository, leaves such a link.
TEST_F(ArmingTest, TrustsNoSpareLink) {
  const std::string spare = location_.armed + ".spare";
  ASSERT_EQ(symlink("free.inc", spare.c_str()), 0);
  {
    const Lock lock = Acquire();
    EXPECT_TRUE(Armed());
  }
  EXPECT_FALSE(Armed());
  ASSERT_EQ(unlink(spare.c_str()), 0);
  MakeFile(spare, "");
  const Lock lock = Acquire();
  EXPECT_TRUE(Armed());
}

TEST_F(ArmingTest, IsNothingWithoutHooks) {
  ASSERT_EQ(unlink(location_.armed.c_str()), 0);
  const Lock lock = Acquire();
  EXPECT_FALSE(Armed());
  EXPECT_FALSE(Exists(location_.armed));
}

TEST_F(ArmingTest, OfADeadRunEndsOnlyAtAnInspection) {
  Crash();
  EXPECT_TRUE(Armed());
  EXPECT_TRUE(UpdateArming(location_, false).ok());
  EXPECT_FALSE(Armed());
  // The next run needs the proof of death.
  EXPECT_EQ(InspectLock().state, LockState::kStale);
}

TEST_F(ArmingTest, IsUpdatedToWhatTheLockIs) {
  EXPECT_TRUE(UpdateArming(location_, true).ok());
  EXPECT_TRUE(Armed());
  EXPECT_TRUE(UpdateArming(location_, false).ok());
  EXPECT_FALSE(Armed());
  const Lock lock = Acquire();
  EXPECT_TRUE(UpdateArming(location_, false).ok());
  EXPECT_TRUE(Armed());
}

TEST_F(ArmingTest, WaitsForNobodyWhoIsStuckInAChange) {
  Crash();
  const absl::StatusOr<Fd> fd = OpenRegular(location_.guard, O_RDWR);
  ASSERT_TRUE(fd.ok()) << fd.status();
  ASSERT_TRUE(TryLock(*fd, Range::kChange, location_.guard).ok());
  EXPECT_EQ(UpdateArming(location_, false).code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(Armed());
}

TEST_F(ArmingTest, RemovesAtItsEndWhatRefusedWorktreesLeft) {
  const std::string empty = temp_.File("empty");
  const std::string full = temp_.File("full");
  for (const std::string& directory :
       {empty, empty + "/a", full, full + "/a"}) {
    ASSERT_EQ(mkdir(directory.c_str(), 0777), 0);
  }
  MakeFile(full + "/a/file", "");
  const std::string other = temp_.File("other");
  ASSERT_EQ(mkdir(other.c_str(), 0777), 0);
  {
    const Lock lock = Acquire();
    EXPECT_TRUE(RecordStrayDirectories(location_, {empty, empty + "/a"}).ok());
    EXPECT_TRUE(RecordStrayDirectories(location_, {full, full + "/a"}).ok());
  }
  EXPECT_FALSE(Exists(empty));
  EXPECT_TRUE(Exists(full + "/a/file"));
  EXPECT_TRUE(Exists(other));
  { const Lock lock = Acquire(); }
  EXPECT_TRUE(Exists(other));
}

TEST_F(LockTest, ReportsANameThatCannotBeHad) {
  ASSERT_EQ(mkdir((repository_ + "/.claude").c_str(), 0777), 0);
  ASSERT_EQ(mkdir((repository_ + "/.claude/.parallel.lock.new").c_str(), 0777),
            0);
  const absl::Status status = TryToAcquire();
  EXPECT_EQ(status.message(),
            absl::StrCat("cannot remove '", repository_,
                         "/.claude/.parallel.lock.new': Is a directory"));
  EXPECT_FALSE(RefusedBy(status).has_value());
  ASSERT_EQ(rmdir((repository_ + "/.claude/.parallel.lock.new").c_str()), 0);
  EXPECT_EQ(TryToAcquire(), absl::OkStatus());
}

// A copy made of hard links has such a guard. It may also be any file.
TEST_F(LockTest, ReplacesAFreeGuardWithAnotherName) {
  Acquire();
  const std::string victim = temp_.File("victim");
  for (const char* text : {"precious", ""}) {
    MakeFile(victim, text);
    ASSERT_EQ(unlink(location_.guard.c_str()), 0);
    ASSERT_EQ(link(victim.c_str(), location_.guard.c_str()), 0);
    EXPECT_EQ(InspectLock().state, LockState::kFree);
    const Lock lock = Acquire();
    EXPECT_EQ(Contents(victim), text);
    EXPECT_NE(Contents(location_.guard), "");
  }
  ExpectFree();
}

TEST_F(LockTest, KeepsTheRecordOfAReplacedGuard) {
  Holder dead = Crash();
  OrphanedWorktree worktree;
  worktree.name = "feat-a";
  dead.orphaned = {worktree};
  MakeFile(location_.guard, RecordText(dead));
  ASSERT_EQ(link(location_.guard.c_str(), temp_.File("copy").c_str()), 0);
  const Lock lock = Acquire();
  EXPECT_EQ(lock.stale().size(), 1u);
  ASSERT_EQ(lock.holder().orphaned.size(), 1u);
  EXPECT_EQ(lock.holder().orphaned[0].name, "feat-a");
  EXPECT_EQ(Contents(temp_.File("copy")), RecordText(dead));
}

TEST_F(LockTest, RefusesBesideAHeldGuardWithAnotherName) {
  const Lock lock = Acquire();
  ASSERT_EQ(link(location_.guard.c_str(), temp_.File("copy").c_str()), 0);
  ExpectHeldBy(TryToAcquire(), lock.holder());
}

// A run killed between two steps leaves this state.
TEST_F(LockTest, BringsBackALivingRunsLockFileThatWasMovedAside) {
  ASSERT_EQ(mkdir((repository_ + "/.claude").c_str(), 0777), 0);
  Holder external;
  external.pid = getppid();
  MakeFile(repository_ + "/.claude/.murm.lock.old", LockFileText(external));
  ExpectHeldBy(TryToAcquire(), external);
  EXPECT_EQ(Contents(location_.external_lock_files[0]), LockFileText(external));
  EXPECT_FALSE(Exists(repository_ + "/.claude/.murm.lock.old"));
}

TEST_F(LockTest, GoesOnAfterAnotherBootWhateverTheHostIsCalled) {
  Holder dead = Crash();
  dead.host += "-other";
  dead.boot_id = "another";
  MakeFile(location_.guard, RecordText(dead));
  EXPECT_EQ(InspectLock().state, LockState::kStale);
  EXPECT_EQ(Acquire().stale().size(), 1u);
}

TEST_F(LockTest, ALivingPidOfAnUnknownBootIsUnknown) {
  Holder far = Crash();
  ASSERT_EQ(unlink(location_.lock_file.c_str()), 0);
  far.pid = getppid();
  far.boot_id = "";
  MakeFile(location_.guard, RecordText(far));
  EXPECT_EQ(InspectLock().state, LockState::kUnknown);
  const absl::Status status = TryToAcquire();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(RefusedBy(status).has_value());
  EXPECT_EQ(RefusedBy(status)->state, LockState::kUnknown);
  EXPECT_EQ(Contents(location_.guard), RecordText(far));
  // After seeing this state, the user may override it.
  options_.overriding = {*RefusedBy(status)};
  EXPECT_EQ(TryToAcquire(), absl::OkStatus());
}

TEST_F(LockTest, GoesOnAfterARecordThatIsNone) {
  Acquire();
  MakeFile(location_.guard, std::string(100, '\0'));
  EXPECT_EQ(InspectLock().state, LockState::kFree);
  EXPECT_EQ(TryToAcquire(), absl::OkStatus());
}

TEST_F(LockTest, OverridesTheHolderThatWasShown) {
  Lock old = Acquire();
  const std::optional<LockStatus> shown = RefusedBy(TryToAcquire());
  ASSERT_TRUE(shown.has_value());
  options_.overriding = {*shown};
  std::string replaced;
  {
    const Lock lock = Acquire();
    EXPECT_NE(lock.holder().token, old.holder().token);
    replaced = Contents(location_.lock_file);
    EXPECT_EQ(InspectLock().holder->token, lock.holder().token);
    // The old run ends: it does not touch the new run's files.
    const absl::StatusOr<Released> released = old.Release();
    ASSERT_TRUE(released.ok()) << released.status();
    EXPECT_TRUE(released->overridden);
    ASSERT_TRUE(released->by.has_value());
    EXPECT_EQ(released->by->pid, getpid());
    EXPECT_EQ(released->by->at, lock.holder().started_at);
    EXPECT_EQ(released->by->host, lock.holder().host);
    EXPECT_EQ(Contents(location_.lock_file), replaced);
    EXPECT_EQ(InspectLock().holder->token, lock.holder().token);
    EXPECT_FALSE(Exists(location_.guard + ".new"));
  }
  ExpectFree();
}

TEST_F(LockTest, EveryOverriddenRunThatWorksOnIsToldOf) {
  Lock first = Acquire();
  options_.overriding = {InspectLock()};
  Lock second = Acquire();
  options_.overriding = {InspectLock()};
  Lock third = Acquire();
  options_.overriding.clear();
  ASSERT_TRUE(third.Release().ok());
  ExpectHeldBy(TryToAcquire(), second.holder());
  ASSERT_TRUE(second.Release().ok());
  ExpectHeldBy(TryToAcquire(), first.holder());
  ASSERT_TRUE(first.Release().ok());
  ExpectFree();
}

TEST_F(LockTest, TheEndOfARunInsideHidesNoOverriddenRun) {
  Lock outer = Acquire();
  options_.own_tokens = {outer.holder().token};
  Lock inner = Acquire();
  options_.own_tokens.clear();
  options_.overriding = {InspectLock()};
  Lock overrider = Acquire();
  options_.overriding.clear();
  ASSERT_TRUE(inner.Release().ok());
  ASSERT_TRUE(overrider.Release().ok());
  ExpectHeldBy(TryToAcquire(), outer.holder());
  ASSERT_TRUE(outer.Release().ok());
  ExpectFree();
}

TEST_F(LockTest, AnOverriddenRunIsSeenBehindSurvivingProcessesOfADeadOne) {
  Holder dead = Crash();
  Holder overridden = dead;
  overridden.pid = getpid();
  overridden.token = "overridden";
  dead.command_pid = dead.pid;
  dead.overridden = {overridden};
  MakeFile(location_.guard, RecordText(dead));
  const absl::StatusOr<Fd> daemon = OpenRegular(location_.guard, O_RDWR);
  ASSERT_TRUE(daemon.ok());
  ASSERT_EQ(TryLock(*daemon, Range::kRun, location_.guard), absl::OkStatus());
  ExpectHeldBy(TryToAcquire(), overridden);
  options_.own_tokens = {overridden.token};
  EXPECT_TRUE(Acquire().joined());
  options_.own_tokens.clear();
  // After it is shown, it can be overridden again.
  options_.overriding = {InspectLock()};
  const Lock lock = Acquire();
  ASSERT_EQ(lock.holder().overridden.size(), 1u);
  EXPECT_EQ(lock.holder().overridden[0].token, overridden.token);
}

TEST_F(LockTest, ARunThatHasReleasedIsNotToldOf) {
  Lock released = Acquire();
  options_.own_tokens = {released.holder().token};
  const Lock inner = Acquire();
  options_.own_tokens.clear();
  ASSERT_TRUE(released.Release().ok());
  options_.overriding = {InspectLock()};
  EXPECT_TRUE(Acquire().holder().overridden.empty());
  ExpectFree();
}

TEST_F(LockTest, ARecordEndsWithItsLineWhateverIsBehindIt) {
  Holder dead = Crash();
  MakeFile(location_.guard, RecordText(dead) + "d of a longer one\"}\n");
  const Lock lock = Acquire();
  ASSERT_EQ(lock.stale().size(), 1u);
  EXPECT_EQ(lock.stale()[0].holder->token, dead.token);
}

TEST_F(LockTest, PutsItsGuardBackWhereNoRunHasIt) {
  Lock lock = Acquire();
  ASSERT_EQ(unlink(location_.guard.c_str()), 0);
  MakeFile(location_.guard, "");  // as git's hooks do when they read it
  ASSERT_TRUE(lock.NameCommand(getpid()).ok());
  const absl::StatusOr<Interference> found = lock.CheckIntegrity();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->guard_vanished);
  EXPECT_FALSE(found->guard_lost);
  EXPECT_EQ(Contents(location_.guard), RecordText(lock.holder()));
  EXPECT_EQ(lock.holder().command_pid, getpid());
  ExpectHeldBy(TryToAcquire(), lock.holder());
  EXPECT_FALSE(lock.CheckIntegrity()->guard_vanished);
  ASSERT_TRUE(lock.Release().ok());
  ExpectFree();
}

TEST_F(LockTest, LeavesNothingInADeletedRepository) {
  Lock lock = Acquire();
  std::filesystem::remove_all(repository_ + "/.git/o8lock");
  std::filesystem::remove_all(repository_ + "/.claude");
  absl::StatusOr<Interference> found = lock.CheckIntegrity();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->guard_vanished);
  EXPECT_TRUE(Exists(location_.guard));
  EXPECT_TRUE(Exists(location_.lock_file));
  // rm(1) continues with the other files, but cannot remove the directories.
  for (const auto& entry :
       std::filesystem::directory_iterator(repository_ + "/.git")) {
    if (entry.path() != ParentOf(location_.guard)) {
      std::filesystem::remove_all(entry.path());
    }
  }
  found = lock.CheckIntegrity();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_FALSE(found->guard_vanished);
  EXPECT_FALSE(Exists(repository_ + "/.git"));
  EXPECT_FALSE(Exists(repository_ + "/.claude"));
  EXPECT_TRUE(lock.Release().ok());
  EXPECT_FALSE(Exists(repository_ + "/.git"));
}

TEST_F(LockTest, DoesNotPutItsGuardBackWhereAnotherRunHasMadeOne) {
  Lock lock = Acquire();
  ASSERT_EQ(unlink(location_.guard.c_str()), 0);
  ASSERT_EQ(unlink(location_.lock_file.c_str()), 0);
  const Lock other = Acquire();
  const std::string record = Contents(location_.guard);
  const absl::StatusOr<Interference> found = lock.CheckIntegrity();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->guard_lost);
  EXPECT_FALSE(found->guard_vanished);
  EXPECT_EQ(Contents(location_.guard), record);
  ExpectHeldBy(TryToAcquire(), other.holder());
}

TEST_F(LockTest, AnOverriddenRunPutsNothingBack) {
  Lock overridden = Acquire();
  options_.overriding = {InspectLock()};
  Lock lock = Acquire();
  ASSERT_EQ(unlink(location_.guard.c_str()), 0);
  ASSERT_EQ(unlink(location_.lock_file.c_str()), 0);
  const absl::StatusOr<Interference> found = overridden.CheckIntegrity();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->overridden);
  EXPECT_FALSE(Exists(location_.guard));
  EXPECT_FALSE(Exists(location_.lock_file));
  EXPECT_TRUE(lock.CheckIntegrity()->guard_vanished);
  options_.overriding.clear();
  ExpectHeldBy(TryToAcquire(), lock.holder());
}

TEST_F(LockTest, DoesNotOverrideAnotherHolderThanTheOneShown) {
  Lock first = Acquire();
  options_.overriding = {*RefusedBy(TryToAcquire())};
  ASSERT_TRUE(first.Release().ok());
  AcquireOptions others;
  absl::StatusOr<Lock> second = Lock::Acquire(location_, others);
  ASSERT_TRUE(second.ok()) << second.status();
  ExpectHeldBy(TryToAcquire(), second->holder());
  const absl::StatusOr<Released> released = second->Release();
  ASSERT_TRUE(released.ok());
  EXPECT_FALSE(released->overridden);
  EXPECT_EQ(TryToAcquire(), absl::OkStatus());
}

TEST_F(LockTest, OverridesAnExternalRun) {
  ASSERT_EQ(mkdir((repository_ + "/.claude").c_str(), 0777), 0);
  Holder external;
  external.pid = getppid();
  MakeFile(location_.lock_file, LockFileText(external));
  options_.overriding = {*RefusedBy(TryToAcquire())};
  const Lock lock = Acquire();
  EXPECT_EQ(ParseHolder(Contents(location_.lock_file))->pid, getpid());
}

TEST_F(LockTest, OverridingOneFindsTheOther) {
  const Lock old = Acquire();
  Holder external;
  external.pid = getppid();
  MakeFile(location_.external_lock_files[0], LockFileText(external));
  options_.overriding = {*RefusedBy(TryToAcquire())};
  const absl::Status status = TryToAcquire();
  ExpectHeldBy(status, external);
  EXPECT_EQ(InspectLock().holder->token,
            old.holder().token);  // nothing changed
  options_.overriding.push_back(*RefusedBy(status));
  EXPECT_EQ(TryToAcquire(), absl::OkStatus());
}

TEST_F(LockTest, RemovesOnlyItsOwnLockFile) {
  Holder external;
  external.pid = getppid();
  Lock lock = Acquire();
  // Like orchestr8 3 with --force: in place.
  MakeFile(location_.lock_file, LockFileText(external));
  ASSERT_TRUE(lock.Release().ok());
  EXPECT_EQ(Contents(location_.lock_file), LockFileText(external));
}

TEST_F(LockTest, RemovesItsLockFileInAnotherForm) {
  Lock lock = Acquire();
  MakeFile(location_.lock_file,
           absl::StrReplaceAll(Contents(location_.lock_file),
                               {{"\n", ""}, {" ", ""}}));
  const absl::StatusOr<Interference> found = lock.CheckIntegrity();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_FALSE(found->replaced.has_value());
  ASSERT_TRUE(lock.Release().ok());
  ExpectFree();
}

TEST_F(LockTest, RemovesItsLockFileUnderTheNameVersion4GivesIt) {
  Lock lock = Acquire();
  ASSERT_EQ(rename(location_.lock_file.c_str(),
                   location_.external_lock_files[0].c_str()),
            0);
  ASSERT_TRUE(lock.Release().ok());
  EXPECT_FALSE(Exists(location_.external_lock_files[0]));
}

TEST_F(LockTest, EndsWellWithoutItsFiles) {
  Lock lock = Acquire();
  ASSERT_EQ(unlink(location_.lock_file.c_str()), 0);
  ASSERT_EQ(unlink(location_.guard.c_str()), 0);
  EXPECT_TRUE(lock.Release().ok());
  EXPECT_EQ(TryToAcquire(), absl::OkStatus());
}

TEST_F(LockTest, TheLockFileExcludesWhereTheGuardWasRemoved) {
  const pid_t child = fork();
  if (child == 0) {
    const Lock lock = Acquire();
    unlink(location_.guard.c_str());
    kill(getpid(), SIGSTOP);
    _exit(0);
  }
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WSTOPPED);
  const absl::Status status = TryToAcquire();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(TryToAcquire(), absl::OkStatus());
}

TEST_F(LockTest, KeepsOfALongCommandLineTheBeginning) {
  options_.command.assign(10000, "0123456789");
  const Lock lock = Acquire();
  EXPECT_LT(Contents(location_.guard).size(), 40000u);
  EXPECT_EQ(lock.holder().command.back(), "...");
}

TEST_F(LockTest, RefusesFeaturesThatFillTheRecord) {
  options_.features.assign(100, std::string(20000, 'x'));
  EXPECT_EQ(TryToAcquire(), absl::InvalidArgumentError(
                                "the features are longer than 1048576 bytes"));
  options_.features.resize(10);
  EXPECT_EQ(TryToAcquire(), absl::OkStatus());
}

TEST_F(LockTest, RefusesAGuardThatIsNoFile) {
  Acquire();
  ASSERT_EQ(unlink(location_.guard.c_str()), 0);
  ASSERT_EQ(mkfifo(location_.guard.c_str(), 0777), 0);
  EXPECT_EQ(TryToAcquire(), absl::FailedPreconditionError(absl::StrCat(
                                "'", location_.guard,
                                "' is a FIFO, but o8lock needs a regular file "
                                "there")));
  EXPECT_EQ(Inspect(location_, {}).status(), TryToAcquire());
}

}  // namespace
}  // namespace o8lock
