// SPDX-License-Identifier: Apache-2.0
#include "lock/record_status.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "lock/file.h"
#include "lock/holder.h"
#include "lock/kernel_lock.h"
#include "lock/lock_file_status.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/testing.h"
#include "lock/timestamp.h"

namespace o8lock {
namespace {

// A child waiting for its end by a signal.
class Sleeper {
 public:
  Sleeper() : pid_(fork()) {
    if (pid_ == 0) {
      while (true) pause();
    }
  }
  ~Sleeper() { Kill(); }
  int pid() const { return pid_; }
  // Makes it a zombie: dead, but not collected.
  void MakeZombie() const {
    kill(pid_, SIGKILL);
    siginfo_t info;
    waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }
  void Stop() const {
    kill(pid_, SIGSTOP);
    siginfo_t info;
    waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WNOWAIT);
  }
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  int pid_;
};

int DeadPid() {
  Sleeper sleeper;
  return sleeper.pid();
}

Holder RecordOf(int pid) {
  const Here here = ThisProcess();
  Holder holder;
  holder.pid = pid;
  holder.started_at = FormatTime(time(nullptr));
  holder.host = here.host;
  holder.boot_id = here.boot_id;
  holder.pid_namespace = here.pid_namespace;
  holder.time_namespace = here.time_namespace;
  holder.acquired = NowNanoseconds();
  holder.token = "a token";
  return holder;
}

// The state of a guard containing `record`, written for this guard.
LockStatus Determine(std::optional<Holder> record, bool kernel_locked) {
  const TempDir dir;
  const std::string path = dir.File("guard");
  MakeFile(path, "");
  const absl::StatusOr<Fd> fd = OpenRegular(path, O_RDWR);
  EXPECT_TRUE(fd.ok()) << fd.status();
  if (record.has_value()) {
    record->guard = path;
    record->guard_id = IdOf(path).value_or(FileId{});
    record->guard_is_local = true;
    MakeFile(path, RecordText(*record));
  }
  return DetermineRecordStatus({*fd, path, record}, kernel_locked,
                               /*may_mark=*/true);
}

// The record of a process with this pid before the present one.
Holder RecordOfAnEarlier(int pid) {
  Holder holder = RecordOf(pid);
  holder.acquired = (GetProcess(pid).started - 1) * kNanosecondsPerTick;
  return holder;
}

TEST(GetProcessTest, TellsTheStatesOfAProcessApart) {
  Sleeper sleeper;
  EXPECT_EQ(GetProcess(sleeper.pid()).state, ProcessState::kRunning);
  EXPECT_GE(GetProcess(sleeper.pid()).started, GetProcess(getpid()).started);
  EXPECT_LE(GetProcess(sleeper.pid()).started, NowTicks());
  sleeper.Stop();
  EXPECT_EQ(GetProcess(sleeper.pid()).state, ProcessState::kStopped);
  sleeper.MakeZombie();
  EXPECT_EQ(GetProcess(sleeper.pid()).state, ProcessState::kZombie);
  const int pid = sleeper.pid();
  sleeper.Kill();
  EXPECT_EQ(GetProcess(pid).state, ProcessState::kGone);
}

TEST(GetProcessTest, TakesAThreadForNoProcess) {
  int thread_id = 0;
  std::thread([&thread_id] {
    thread_id = gettid();
    EXPECT_EQ(kill(thread_id, 0), 0);  // kill(2) alone is misleading
    EXPECT_EQ(GetProcess(thread_id).state, ProcessState::kGone);
  }).join();
  EXPECT_NE(thread_id, getpid());
  EXPECT_EQ(GetProcess(getpid()).state, ProcessState::kRunning);
}

TEST(GetProcessTest, TakesAnotherUsersProcessForAlive) {
  const pid_t child = fork();
  if (child == 0) {
    if (setuid(65534) != 0) _exit(2);
    const bool refused = kill(1, 0) != 0 && errno == EPERM;
    _exit(refused && GetProcess(1).state == ProcessState::kRunning ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "only root can be another user";
  EXPECT_EQ(status, 0);
}

TEST(ProcessesWithTest, FindsAProcessInTheMiddleOfAnExecve) {
  const TempDir temp;
  MakeFile(temp.File("again"),
           "#!/bin/sh\n[ $1 ] || echo ready\nexec \"$0\" again\n", 0755);
  ProcessOptions options;
  options.env["O8LOCK_TEST"] = temp.path();
  Process process({temp.File("again")}, options);
  process.WaitForOutput("ready");
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(ProcessesWith("O8LOCK_TEST", temp.path()),
              std::vector<int>{process.pid()});
  }
  process.Signal(SIGKILL);
  process.Wait();
}

TEST(ThisProcessTest, KnowsThisProcess) {
  const Here here = ThisProcess();
  EXPECT_EQ(here.pid, getpid());
  EXPECT_EQ(here.boot_id.size(), 36u);
  struct stat namespace_file;
  ASSERT_EQ(stat("/proc/self/ns/pid", &namespace_file), 0);
  EXPECT_EQ(here.pid_namespace, static_cast<int64_t>(namespace_file.st_ino));
  EXPECT_NE(here.host, "");
}

TEST(DetermineRecordStatusTest, LetsTheKernelLockDecide) {
  Sleeper sleeper;
  const Holder alive = RecordOf(sleeper.pid());
  EXPECT_EQ(Determine(alive, true).state, LockState::kHeld);
  // The wrapper was killed, its command is alive.
  const Holder dead = RecordOf(DeadPid());
  const LockStatus found = Determine(dead, true);
  EXPECT_EQ(found.state, LockState::kHeld);
  EXPECT_TRUE(IsDead(found));
  EXPECT_EQ(Determine(dead, false).state, LockState::kStale);
  EXPECT_EQ(Determine(std::nullopt, false).state, LockState::kFree);
  EXPECT_EQ(Determine(std::nullopt, true).state, LockState::kHeld);
}

// A daemon has the kernel lock. The lock is held unless the kernel says both
// are dead.
TEST(DetermineRecordStatusTest, IsStaleWhereOnlyASurvivingProcessHasTheLock) {
  Sleeper living;
  Sleeper zombie;
  zombie.MakeZombie();
  const int dead = DeadPid();
  struct Case {
    const char* name;
    int wrapper;
    int command;
    bool here;
    LockState state;
  };
  for (const Case& c : {
           Case{"both dead", dead, dead, true, LockState::kStale},
           Case{"zombies", zombie.pid(), zombie.pid(), true, LockState::kStale},
           Case{"command lives", dead, living.pid(), true, LockState::kHeld},
           Case{"wrapper lives", living.pid(), dead, true, LockState::kHeld},
           Case{"no command", dead, 0, true, LockState::kHeld},
           Case{"another namespace", dead, dead, false, LockState::kHeld},
       }) {
    SCOPED_TRACE(c.name);
    Holder record = RecordOf(c.wrapper);
    record.command_pid = c.command;
    if (!c.here) record.pid_namespace = 1;
    EXPECT_EQ(Determine(record, true).state, c.state);
  }
  // A different start time of the process is not enough.
  Holder reused = RecordOfAnEarlier(living.pid());
  reused.command_pid = dead;
  EXPECT_EQ(Determine(reused, true).state, LockState::kHeld);
}

TEST(DescriptorHoldersOfTest, NamesWhoHasADuplicateOfTheLockedDescriptor) {
  const TempDir dir;
  MakeFile(dir.File("guard"), "");
  const absl::StatusOr<Fd> fd = OpenRegular(dir.File("guard"), O_RDWR);
  const absl::StatusOr<Fd> other = OpenRegular(dir.File("guard"), O_RDWR);
  ASSERT_TRUE(fd.ok() && other.ok());
  ASSERT_EQ(TryLock(*fd, Range::kRun, "guard"), absl::OkStatus());
  ASSERT_EQ(TryLock(*other, Range::kChange, "guard"), absl::OkStatus());
  const absl::StatusOr<FileId> id = IdOf(*fd, "guard");
  ASSERT_TRUE(id.ok());
  EXPECT_TRUE(DescriptorHoldersOf(*id).empty());
  // Both inherit both descriptors. Only a descriptor with the run's lock
  // counts.
  const int kept = fcntl(fd->get(), F_DUPFD, 10);
  Process descriptor_holder({"sleep", "1000"});
  WaitForState(descriptor_holder.pid(), 'S');
  close(kept);
  const int changes = fcntl(other->get(), F_DUPFD, 10);
  Process changer({"sleep", "2000"});
  WaitForState(changer.pid(), 'S');
  close(changes);
  const std::vector<DescriptorHolder> descriptor_holders =
      DescriptorHoldersOf(*id);
  ASSERT_EQ(descriptor_holders.size(), 1u);
  EXPECT_EQ(descriptor_holders[0].pid, descriptor_holder.pid());
  EXPECT_EQ(descriptor_holders[0].command,
            std::vector<std::string>({"sleep", "1000"}));
  ASSERT_EQ(Unlock(*fd, Range::kRun, "guard"), absl::OkStatus());
  EXPECT_TRUE(DescriptorHoldersOf(*id).empty());
}

TEST(DetermineRecordStatusTest, ShowsAStoppedHolder) {
  Sleeper sleeper;
  sleeper.Stop();
  const LockStatus found = Determine(RecordOf(sleeper.pid()), true);
  EXPECT_EQ(found.process.state, ProcessState::kStopped);
  EXPECT_FALSE(IsDead(found));
}

TEST(DetermineRecordStatusTest, KnowsAReusedPidByItsStart) {
  Sleeper sleeper;
  const Holder own = RecordOf(sleeper.pid());
  EXPECT_FALSE(Determine(own, true).pid_reused);
  const Holder earlier = RecordOfAnEarlier(sleeper.pid());
  EXPECT_TRUE(Determine(earlier, true).pid_reused);
}

TEST(DetermineRecordStatusTest, TakesALivingPidOfAnEarlierBootForAnother) {
  Sleeper sleeper;
  Holder record = RecordOf(sleeper.pid());
  record.boot_id = "another";
  EXPECT_TRUE(Determine(record, false).pid_reused);
  sleeper.Kill();
  EXPECT_FALSE(Determine(record, false).pid_reused);
}

// There is no visible kernel lock.
TEST(DetermineRecordStatusTest, TakesALivingRunForOneThatHasTheLock) {
  Sleeper living;
  const int dead = DeadPid();
  const auto determine = [](int pid, int command, int64_t command_since) {
    Holder record = RecordOf(pid);
    record.command_pid = command;
    record.command_since = command_since;
    return Determine(record, false).state;
  };
  EXPECT_EQ(determine(living.pid(), 0, -1), LockState::kHeld);
  EXPECT_EQ(determine(living.pid(), dead, NowNanoseconds()), LockState::kHeld);
  EXPECT_EQ(determine(dead, living.pid(), NowNanoseconds()), LockState::kHeld);
  EXPECT_EQ(determine(dead, dead, NowNanoseconds()), LockState::kStale);
  // Other processes have these pids now.
  EXPECT_EQ(Determine(RecordOfAnEarlier(living.pid()), false).state,
            LockState::kStale);
  EXPECT_EQ(
      determine(dead, living.pid(),
                (GetProcess(living.pid()).started - 1) * kNanosecondsPerTick),
      LockState::kStale);
}

TEST(DetermineRecordStatusTest, StaysWithTheProcessesThatKeepTheLock) {
  Sleeper agent;
  Holder holder = RecordOf(DeadPid());
  holder.command_pid = DeadPid();
  holder.command_since = NowNanoseconds();
  holder.surviving = {{agent.pid(), NowNanoseconds(), getsid(0), "/w"}};
  const LockStatus kept = Determine(holder, false);
  EXPECT_EQ(kept.state, LockState::kHeld);
  EXPECT_TRUE(IsDead(kept));
  // Another process has the pid now.
  holder.surviving[0].since =
      (GetProcess(agent.pid()).started - 1) * kNanosecondsPerTick;
  EXPECT_EQ(Determine(holder, false).state, LockState::kFree);
  holder.surviving[0].since = NowNanoseconds();
  agent.Kill();
  // The run itself has ended normally.
  EXPECT_EQ(Determine(holder, false).state, LockState::kFree);
}

TEST(DetermineRecordStatusTest, IsUnknownForMomentsOfAnotherTimeNamespace) {
  Sleeper living;
  Holder record = RecordOf(living.pid());
  record.time_namespace = 1;
  EXPECT_EQ(Determine(record, false).state, LockState::kUnknown);
  record.acquired = 0;
  EXPECT_EQ(Determine(record, false).state, LockState::kUnknown);
  EXPECT_EQ(Determine(record, true).state, LockState::kHeld);
  record.pid = DeadPid();
  EXPECT_EQ(Determine(record, false).state, LockState::kStale);
}

TEST(DetermineRecordStatusTest, KnowsNoMachineByItsNameOnALocalFileSystem) {
  Holder record = RecordOf(getpid());
  record.boot_id = "another";
  EXPECT_EQ(Determine(record, false).state, LockState::kStale);
  EXPECT_EQ(Determine(record, false).origin, Origin::kEarlierBoot);
  record.host += "-other";
  EXPECT_EQ(Determine(record, false).state, LockState::kStale);
  EXPECT_EQ(Determine(record, false).origin, Origin::kEarlierBoot);
  EXPECT_EQ(Determine(record, true).state, LockState::kHeld);
  // A container on this machine: another name, the same kernel.
  record.boot_id = ThisProcess().boot_id;
  record.pid_namespace = 1;
  const LockStatus found = Determine(record, false);
  EXPECT_EQ(found.state, LockState::kStale);
  EXPECT_EQ(found.origin, Origin::kOtherNamespace);
  EXPECT_EQ(found.process.state, ProcessState::kUnknown);
}

// Happens without /proc, for example. It does not mean "another boot".
TEST(DetermineRecordStatusTest, IsUnknownForALivingPidWhereTheBootIsUnknown) {
  Sleeper sleeper;
  Holder record = RecordOf(sleeper.pid());
  record.boot_id = "";
  EXPECT_EQ(Determine(record, false).state, LockState::kUnknown);
  EXPECT_EQ(Determine(record, false).origin, Origin::kUnknown);
  sleeper.Kill();
  EXPECT_EQ(Determine(record, false).state, LockState::kStale);
  record.command_pid = getpid();
  EXPECT_EQ(Determine(record, false).state, LockState::kUnknown);
  record.command_pid = -1;
  record.surviving = {{getpid(), 0, 0, ""}};
  EXPECT_EQ(Determine(record, false).state, LockState::kUnknown);
}

TEST(DetermineRecordStatusTest, FindsALivingRunThatADeadOneHasOverridden) {
  Sleeper overridden;
  Holder record = RecordOf(DeadPid());
  record.overridden = {RecordOf(DeadPid()), RecordOf(overridden.pid())};
  const LockStatus found = Determine(record, false);
  EXPECT_EQ(found.state, LockState::kHeld);
  ASSERT_TRUE(found.holder.has_value());
  EXPECT_EQ(found.holder->pid, overridden.pid());
  EXPECT_EQ(found.holder->overridden_by->pid, record.pid);
  overridden.Kill();
  EXPECT_EQ(Determine(record, false).state, LockState::kStale);
}

TEST(DetermineRecordStatusTest, FindsItWhereOnlyASurvivingProcessHasTheLock) {
  Sleeper overridden;
  Holder record = RecordOf(DeadPid());
  record.command_pid = record.pid;
  record.overridden = {RecordOf(overridden.pid())};
  const LockStatus found = Determine(record, true);
  EXPECT_EQ(found.state, LockState::kHeld);
  EXPECT_EQ(found.holder->pid, overridden.pid());
  EXPECT_FALSE(found.kernel_locked);
  overridden.Kill();
  EXPECT_EQ(Determine(record, true).state, LockState::kStale);
}

TEST(DetermineRecordStatusTest, FindsItBehindARunThatHasReleased) {
  Sleeper overridden;
  Sleeper released;
  Holder record = RecordOf(released.pid());
  record.released = true;
  record.overridden = {RecordOf(overridden.pid())};
  const LockStatus found = Determine(record, false);
  EXPECT_EQ(found.state, LockState::kHeld);
  EXPECT_EQ(found.holder->pid, overridden.pid());
  overridden.Kill();
  EXPECT_EQ(Determine(record, false).state, LockState::kFree);
}

// The overrider has left the record, and its run has ended: there is no report.
TEST(DetermineRecordStatusTest, AnOverriddenRunThatHasEndedIsNobodys) {
  Sleeper sleeper;
  Holder record = RecordOf(sleeper.pid());
  record.overridden_by = Overrider{1, "", "", ""};
  EXPECT_EQ(Determine(record, false).state, LockState::kHeld);
  sleeper.Kill();
  EXPECT_EQ(Determine(record, false).state, LockState::kFree);
}

// --- Another file ---

class ViewTest : public testing::Test {
 protected:
  ViewTest() : record_(RecordOf(sleeper_.pid())) {
    record_.guard = dir_.File("guard");
    MakeFile(record_.guard, "");
    record_.guard_id = IdOf(record_.guard).value_or(FileId{});
    record_.guard_is_local = true;
    text_ = RecordText(record_);
    MakeFile(record_.guard, text_);
  }
  LockState DetermineCopyState(const std::string& path, bool may_mark) const {
    const absl::StatusOr<Fd> fd = OpenRegular(path, O_RDWR);
    EXPECT_TRUE(fd.ok()) << fd.status();
    return DetermineRecordStatus({*fd, path, record_}, false, may_mark).state;
  }

  const TempDir dir_;
  Sleeper sleeper_;
  Holder record_;
  std::string text_;
};

TEST_F(ViewTest, ACopyIsNobodys) {
  MakeFile(dir_.File("copy"), RecordText(record_));
  EXPECT_EQ(DetermineCopyState(record_.guard, false), LockState::kHeld);
  EXPECT_EQ(DetermineCopyState(dir_.File("copy"), false), LockState::kFree);
}

// Inode numbers of two file systems cannot be compared.
TEST_F(ViewTest, OnAnotherFileSystemAMarkTells) {
  MakeFile(dir_.File("copy"), RecordText(record_));
  record_.guard_id.device += 1;
  // If both are local, no file has two numbers.
  EXPECT_EQ(DetermineCopyState(dir_.File("copy"), false), LockState::kFree);
  record_.guard_is_local = false;
  EXPECT_EQ(DetermineCopyState(dir_.File("copy"), false), LockState::kUnknown);
  EXPECT_EQ(DetermineCopyState(dir_.File("copy"), true), LockState::kFree);
  EXPECT_EQ(DetermineCopyState(record_.guard, false), LockState::kUnknown);
  EXPECT_EQ(DetermineCopyState(record_.guard, true), LockState::kHeld);
  // A mark does not change the record for its readers.
  const absl::StatusOr<Holder> marked = ParseHolder(Contents(record_.guard));
  ASSERT_TRUE(marked.ok()) << marked.status();
  EXPECT_EQ(RecordText(*marked), text_);
}

TEST_F(ViewTest, AFileOutOfReachIsUnknown) {
  MakeFile(dir_.File("copy"), RecordText(record_));
  record_.guard_id.device += 1;
  record_.guard_is_local = false;
  std::filesystem::remove(record_.guard);
  EXPECT_EQ(DetermineCopyState(dir_.File("copy"), true), LockState::kUnknown);
  // The file now has another run's record.
  Holder other = record_;
  other.token = "another";
  MakeFile(record_.guard, RecordText(other));
  EXPECT_EQ(DetermineCopyState(dir_.File("copy"), true), LockState::kUnknown);
}

TEST_F(ViewTest, InAnotherPidNamespaceTheFileSystemTells) {
  MakeFile(dir_.File("copy"), RecordText(record_));
  record_.pid_namespace = 1;
  EXPECT_EQ(DetermineCopyState(record_.guard, true), LockState::kStale);
  EXPECT_EQ(DetermineCopyState(dir_.File("copy"), true), LockState::kFree);
  record_.guard_is_local = false;
  EXPECT_EQ(DetermineCopyState(dir_.File("copy"), true), LockState::kUnknown);
}

class DetermineLockFileStatusTest : public testing::Test {
 protected:
  LockFile Determine(const std::optional<Holder>& dead = std::nullopt) {
    const absl::StatusOr<LockFile> file = DetermineLockFileStatus(path_, dead);
    EXPECT_TRUE(file.ok()) << file.status();
    return file.value_or(LockFile());
  }
  void Write(int pid, const std::string& started_at) {
    Holder holder;
    holder.pid = pid;
    holder.started_at = started_at;
    MakeFile(path_, LockFileText(holder));
  }
  void SetWritten(time_t when) {
    const struct timespec times[] = {{when, 0}, {when, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  }

  TempDir temp_;
  const std::string path_ = temp_.File("parallel.lock");
  const std::string now_ = FormatTime(time(nullptr));
};

TEST_F(DetermineLockFileStatusTest, IsFreeWithoutAFile) {
  EXPECT_EQ(Determine().lock_status.state, LockState::kFree);
}

TEST_F(DetermineLockFileStatusTest, HoldsWhileThePidLives) {
  Sleeper sleeper;
  Write(sleeper.pid(), now_);
  EXPECT_EQ(Determine().lock_status.state, LockState::kHeld);
  EXPECT_EQ(Determine().lock_status.holder->pid, sleeper.pid());
  sleeper.Stop();
  EXPECT_EQ(Determine().lock_status.state, LockState::kHeld);
  sleeper.MakeZombie();
  EXPECT_EQ(Determine().lock_status.state, LockState::kStale);
  sleeper.Kill();
  EXPECT_EQ(Determine().lock_status.state, LockState::kStale);
}

TEST_F(DetermineLockFileStatusTest, IsStaleForAThread) {
  std::thread([this] {
    Write(gettid(), now_);
    EXPECT_EQ(Determine().lock_status.state, LockState::kStale);
  }).join();
}

TEST_F(DetermineLockFileStatusTest, IsStaleForThisVeryProcess) {
  Write(getpid(), now_);
  EXPECT_EQ(Determine().lock_status.state, LockState::kStale);
  Write(getppid(), now_);
  EXPECT_EQ(Determine().lock_status.state, LockState::kHeld);
}

TEST_F(DetermineLockFileStatusTest, HoldsWhileThePidLivesWhateverTheDate) {
  Sleeper sleeper;
  for (const char* const started_at :
       {"2026-02-25T10:30:00Z", "1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z",
        "yesterday", ""}) {
    Write(sleeper.pid(), started_at);
    EXPECT_EQ(Determine().lock_status.state, LockState::kHeld) << started_at;
    EXPECT_FALSE(Determine().lock_status.pid_reused) << started_at;
  }
  sleeper.Kill();
  EXPECT_EQ(Determine().lock_status.state, LockState::kStale);
}

TEST_F(DetermineLockFileStatusTest,
       IsStaleWhereTheProcessBeganAfterFileAndDate) {
  Sleeper sleeper;
  const time_t now = time(nullptr);
  const time_t before_boot = now - NowTicks() / kTicksPerSecond - 3600;
  const struct {
    time_t written;
    std::string started_at;
    bool reused;
  } cases[] = {
      {now - 3600, FormatTime(now - 3600), true},
      {now - 10, FormatTime(now - 10), true},
      {now - 1, FormatTime(now - 1), false},  // within the slack
      {now, FormatTime(now - 3600), false},
      {now - 3600, FormatTime(now), false},
      {now - 3600, "2999-01-01T00:00:00Z", false},
      {now - 3600, "0001-01-01T00:00:00Z", true},
      {now - 3600, "yesterday", false},
      {now - 3600, "", false},
      {before_boot, FormatTime(before_boot), true},
  };
  for (const auto& c : cases) {
    Write(sleeper.pid(), c.started_at);
    SetWritten(c.written);
    const LockStatus found = Determine().lock_status;
    EXPECT_EQ(found.pid_reused, c.reused) << c.written << c.started_at;
    EXPECT_EQ(found.state, c.reused ? LockState::kStale : LockState::kHeld)
        << c.written << c.started_at;
  }
}

TEST_F(DetermineLockFileStatusTest,
       IsStaleForInitWhereTheFileIsOlderThanThisBoot) {
  const time_t boot = time(nullptr) - NowTicks() / kTicksPerSecond;
  Write(1, FormatTime(boot - 60));
  SetWritten(boot - 60);
  EXPECT_EQ(Determine().lock_status.state, LockState::kStale);
  EXPECT_TRUE(Determine().lock_status.pid_reused);
  SetWritten(time(nullptr));
  EXPECT_EQ(Determine().lock_status.state, LockState::kHeld);
}

// Setting the clock forward by an hour makes a lock file an hour older, but not
// its process.
TEST_F(DetermineLockFileStatusTest, HoldsForAnOrchestr8WhateverTheClockSays) {
  const time_t old = time(nullptr) - 3600;
  for (const bool is_orchestr8 : {true, false}) {
    const std::string copy = temp_.File(is_orchestr8 ? "orchestr8" : "sleep");
    MakeFile(copy, Contents("/bin/sleep"), 0755);
    Process process({copy, "1000"});
    WaitForState(process.pid(), 'S');
    Write(process.pid(), FormatTime(old));
    SetWritten(old);
    EXPECT_EQ(Determine().lock_status.state,
              is_orchestr8 ? LockState::kHeld : LockState::kStale);
    EXPECT_EQ(Determine().lock_status.pid_reused, !is_orchestr8);
    process.Signal(SIGKILL);
    process.Wait();
    EXPECT_EQ(Determine().lock_status.state, LockState::kStale);
    EXPECT_FALSE(Determine().lock_status.pid_reused);
  }
}

TEST_F(DetermineLockFileStatusTest, IsStaleForTheRunThatIsKnownToBeDead) {
  Sleeper sleeper;  // the pid is in use again
  Write(sleeper.pid(), now_);
  Holder dead;
  dead.pid = sleeper.pid();
  dead.started_at = now_;
  EXPECT_EQ(Determine(dead).lock_status.state, LockState::kStale);
  dead.started_at = "2026-02-25T10:30:00Z";
  EXPECT_EQ(Determine(dead).lock_status.state, LockState::kHeld);
}

TEST_F(DetermineLockFileStatusTest, WaitsForATextThatIsBeingWritten) {
  MakeFile(path_, "");
  const int watch = inotify_init();
  ASSERT_GE(inotify_add_watch(watch, path_.c_str(), IN_CLOSE_NOWRITE), 0);
  const pid_t writer = fork();
  if (writer == 0) {
    // The reader has opened the file and found nothing.
    char event[sizeof(struct inotify_event) + NAME_MAX + 1];
    if (read(watch, event, sizeof(event)) < 0) _exit(1);
    Write(getppid(), now_);
    _exit(0);
  }
  const LockFile file = Determine();
  EXPECT_TRUE(file.lock_status.holder.has_value());
  waitpid(writer, nullptr, 0);
  close(watch);
}

TEST_F(DetermineLockFileStatusTest, SaysWhyAFileIsMalformed) {
  MakeFile(path_, "{\"pid\": 0}");
  const LockFile file = Determine();
  EXPECT_EQ(file.lock_status.state, LockState::kStale);
  EXPECT_EQ(file.lock_status.holder.has_value(), false);
  EXPECT_EQ(file.lock_status.problem,
            "pid is not a whole number from 1 to 2147483647");
  EXPECT_EQ(file.text, "{\"pid\": 0}");
  ASSERT_EQ(truncate(path_.c_str(), 1LL << 30), 0);
  EXPECT_EQ(Determine().lock_status.problem,
            absl::StrCat("cannot read '", path_,
                         "': it is larger than 1048576 bytes"));
}

TEST_F(DetermineLockFileStatusTest, IsUnknownForAFileItMayNotRead) {
  ASSERT_EQ(chmod(temp_.path().c_str(), 0777), 0);
  MakeFile(path_, "x", 0600);
  const pid_t child = fork();
  if (child == 0) {
    if (setuid(65534) != 0) _exit(2);
    const absl::StatusOr<LockFile> file =
        DetermineLockFileStatus(path_, std::nullopt);
    _exit(file.ok() && file->lock_status.state == LockState::kUnknown &&
                  file->lock_status.problem ==
                      "cannot open '" + path_ + "': Permission denied"
              ? 0
              : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "only root can be another user";
  EXPECT_EQ(status, 0);
}

TEST_F(DetermineLockFileStatusTest, RefusesWhatIsNoFile) {
  const auto expect = [this](const char* kind) {
    EXPECT_EQ(DetermineLockFileStatus(path_, std::nullopt).status(),
              absl::FailedPreconditionError(
                  absl::StrCat("'", path_, "' is ", kind,
                               ", but o8lock needs a regular file there")));
  };
  ASSERT_EQ(mkdir(path_.c_str(), 0777), 0);
  expect("a directory");
  ASSERT_EQ(rmdir(path_.c_str()), 0);
  ASSERT_EQ(mkfifo(path_.c_str(), 0777), 0);
  expect("a FIFO");
  ASSERT_EQ(unlink(path_.c_str()), 0);
  ASSERT_EQ(symlink("nowhere", path_.c_str()), 0);
  expect("a symbolic link");
}

}  // namespace
}  // namespace o8lock
