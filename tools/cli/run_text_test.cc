// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/run_text.h"

#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "lock/holder.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/lock_status.h"
#include "tools/cli/text_testing.h"

namespace o8lock {
namespace {

TEST(OverriddenTextTest, NamesWhoTookIt) {
  const Overrider by = {7, "2026-02-25T10:31:00Z", "bob", "hut"};
  EXPECT_EQ(
      OverriddenText(by),
      "o8lock: warning: this run's lock was overridden at "
      "2026-02-25T10:31:00Z by bob@hut (PID 7); the command keeps running "
      "without the lock\n");
}

TEST(SurvivingProcessesTextTest, ShowsTheTimeInTheCommonFormat) {
  const auto after = [](absl::Duration kill_after) {
    const std::string text = SurvivingProcessesText(
        {{12, {"make"}, "/r"}}, SurvivingProcessesAre::kEnded, kill_after);
    const std::string before = "SIGKILL follows after ";
    return text.substr(text.find(before) + before.size());
  };
  EXPECT_EQ(after(absl::Milliseconds(500)), "500ms\n");
  EXPECT_EQ(after(absl::Seconds(10)), "10s\n");
  EXPECT_EQ(after(absl::Seconds(90)), "1m 30s\n");
}

TEST(RunTextTest, PaintsNoTerminal) {
  const LockStatus found = FindEvil();
  Interference replaced;
  replaced.replaced = found;
  Location location;
  location.guard = location.lock_file = kEvil;
  for (const std::string& text :
       {MalformedText({kEvil, kEvil, kEvil}),
        OverriddenText({1, kEvil, kEvil, kEvil}),
        InterferenceText(replaced, location), RemovedLockFileText(found),
        NoLockNeededText({kEvil}), WaitingText(found, 1, /*first=*/true),
        WaitingLine(found, kNow, 1, 1),
        SurvivingProcessesText({EvilProcess()},
                               SurvivingProcessesAre::kReleased,
                               absl::Seconds(10))}) {
    ExpectPaintsNoTerminal(text);
  }
}

TEST(InterferenceTextTest, SaysNoMoreOfTheOtherRunThanIsKnown) {
  Location location;
  location.lock_file = "/shop/.claude/parallel.lock";
  Interference interference;
  LockStatus& found = interference.replaced.emplace();
  const auto text = [&](LockState state) {
    found.state = state;
    return InterferenceText(interference, location);
  };
  const std::string head =
      "o8lock: warning: '/shop/.claude/parallel.lock' was replaced during the "
      "run by ";
  EXPECT_EQ(text(LockState::kStale),
            head + "a malformed lock file; o8lock leaves it in place\n");
  EXPECT_EQ(text(LockState::kUnknown),
            head + "a file that cannot be read; o8lock leaves it in place\n");
  found.holder.emplace().pid = 12;
  const std::string left =
      head + "the lock file of PID 12; o8lock leaves it in place\n";
  EXPECT_EQ(text(LockState::kStale),
            left + "o8lock: hint: see: o8lock status\n");
  EXPECT_EQ(text(LockState::kHeld),
            left +
                "o8lock: hint: PID 12 is a run without o8lock, in progress "
                "beside this run; see: o8lock status\n");
}

}  // namespace
}  // namespace o8lock
