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

}  // namespace
}  // namespace o8lock
