// SPDX-License-Identifier: Apache-2.0
#include "lock/waiters.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/file.h"
#include "lock/kernel_lock.h"
#include "lock/location.h"
#include "lock/process.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class WaitersTest : public testing::Test {
 protected:
  WaitersTest() {
    location_.guard = dir_.File("guard");
    MakeFile(location_.guard, "");
  }

  Fd Open() const {
    absl::StatusOr<Fd> fd = OpenRegular(location_.guard, O_RDWR);
    EXPECT_TRUE(fd.ok()) << fd.status();
    return *std::move(fd);
  }

  // Their pids and start times.
  std::vector<std::pair<int, Ticks>> Found() const {
    const absl::StatusOr<std::vector<Waiter>> waiters = FindWaiters(location_);
    EXPECT_TRUE(waiters.ok()) << waiters.status();
    std::vector<std::pair<int, Ticks>> found;
    for (const Waiter& waiter : *waiters) {
      found.emplace_back(waiter.pid, waiter.since);
    }
    return found;
  }

  const TempDir dir_;
  Location location_;
};

TEST_F(WaitersTest, AreListedInTheOrderInWhichTheyBegan) {
  EXPECT_THAT(Found(), IsEmpty());
  const Fd first = Open();
  Fd second = Open();
  const Fd third = Open();
  StartWaiting(third, 3000, location_.guard);
  StartWaiting(first, 1, location_.guard);
  StartWaiting(second, 2999, location_.guard);
  const int pid = getpid();
  EXPECT_THAT(Found(),
              ElementsAre(Pair(pid, 1), Pair(pid, 2999), Pair(pid, 3000)));
  StopWaiting(first, location_.guard);
  EXPECT_THAT(Found(), ElementsAre(Pair(pid, 2999), Pair(pid, 3000)));
  second.Close();
  EXPECT_THAT(Found(), ElementsAre(Pair(pid, 3000)));
}

TEST_F(WaitersTest, SayWhatTheyAre) {
  const Fd fd = Open();
  StartWaiting(fd, NowTicks(), location_.guard);
  const absl::StatusOr<std::vector<Waiter>> waiters = FindWaiters(location_);
  ASSERT_TRUE(waiters.ok()) << waiters.status();
  ASSERT_EQ(waiters->size(), 1);
  EXPECT_TRUE((*waiters)[0].is_visible);
  EXPECT_EQ((*waiters)[0].command, CommandOf(getpid()));
  EXPECT_EQ((*waiters)[0].directory, DirectoryOf(getpid()));
}

// A waiter of another pid namespace: here its pid means another process, or no
// process.
TEST_F(WaitersTest, OfWhichTheNumberIsAnothersAreNotVisible) {
  constexpr int64_t kPids = int64_t{1} << 22;
  const Fd fd = Open();
  const Range other = {100 * kPids + 1, 1};
  ASSERT_TRUE(TryShare(fd, other, location_.guard).ok());
  const absl::StatusOr<std::vector<Waiter>> waiters = FindWaiters(location_);
  ASSERT_TRUE(waiters.ok()) << waiters.status();
  ASSERT_EQ(waiters->size(), 1);
  EXPECT_EQ((*waiters)[0].pid, 1);
  EXPECT_EQ((*waiters)[0].since, 100);
  EXPECT_FALSE((*waiters)[0].is_visible);
  EXPECT_THAT((*waiters)[0].command, IsEmpty());
}

TEST_F(WaitersTest, AreNotThoseThatHaveTheLock) {
  const Fd run = Open();
  ASSERT_TRUE(TryLock(run, Range::kAll, location_.guard).ok());
  EXPECT_THAT(Found(), IsEmpty());
  const Fd waiter = Open();
  StartWaiting(waiter, 7, location_.guard);
  EXPECT_THAT(Found(), ElementsAre(Pair(getpid(), 7)));
  // They do not prevent others from taking it either.
  ASSERT_TRUE(Unlock(run, Range::kAll, location_.guard).ok());
  EXPECT_TRUE(TryLock(Open(), Range::kAll, location_.guard).ok());
}

TEST_F(WaitersTest, AreNotSeenWhereAnotherProgramHasLockedTheWholeFile) {
  const Fd fd = Open();
  ASSERT_TRUE(TryLock(fd, {0, 0}, location_.guard).ok());
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(WaitersTest, ManyAreAllFound) {
  std::vector<Fd> fds;
  for (int i = 0; i < 100; ++i) {
    fds.push_back(Open());
    StartWaiting(fds.back(), 1 + i * 37 % 100, location_.guard);
  }
  const std::vector<std::pair<int, Ticks>> found = Found();
  ASSERT_EQ(found.size(), 100);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(found[i].second, i + 1);
}

TEST_F(WaitersTest, WithoutAGuardThereAreNone) {
  location_.guard = dir_.File("nowhere");
  EXPECT_THAT(Found(), IsEmpty());
  location_.guard = dir_.path();
  EXPECT_TRUE(absl::IsFailedPrecondition(FindWaiters(location_).status()));
}

}  // namespace
}  // namespace o8lock
