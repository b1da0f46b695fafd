// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/holder_text.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "lock/lock_status.h"
#include "tools/cli/text_testing.h"

namespace o8lock {
namespace {

TEST(OverrideTextTest, EndsWithTheWarning) {
  EXPECT_EQ(
      OverrideText(FindHeld(), kNow),
      absl::StrCat(
          "Started at: 2026-02-25T10:30:00Z\n", kHolderDetails,
          "Running for: 12m 4s\n"
          "\n"
          "Warning: Overriding existing lock (PID: 12345)\n"
          "This may cause conflicts if another execution is still running.\n"
          "\n"));
}

TEST(OverrideTextTest, PaintsNoTerminal) {
  ExpectPaintsNoTerminal(OverrideText(FindEvil(), kNow));
}

TEST(StaleTextTest, SaysOfNoProcessThatRunsThatItDoesNot) {
  LockStatus found = FindHeld();
  EXPECT_EQ(StaleText(found),
            "Warning: Found stale lock file (PID 12345 not running)\n"
            "Removing stale lock and continuing...\n"
            "\n");
  found.pid_reused = true;
  EXPECT_EQ(StaleText(found),
            "Warning: Found stale lock file (PID 12345 is now another process, "
            "started after the lock)\n"
            "Removing stale lock and continuing...\n"
            "\n");
}

}  // namespace
}  // namespace o8lock
