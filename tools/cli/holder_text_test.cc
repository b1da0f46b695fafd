// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/holder_text.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/lock_status.h"
#include "tools/cli/text_testing.h"

namespace o8lock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

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

// No record keeps an external run visible after an override.
TEST(OverrideTextTest, SaysThatAnExternalLockFileIsRemovedForGood) {
  LockStatus found = FindHeld();
  found.is_external = true;
  found.file = "/r/.claude/parallel.lock";
  EXPECT_THAT(
      OverrideText(found, kNow),
      HasSubstr("Running for: 12m 4s\n"
                "Lock file: /r/.claude/parallel.lock, will be removed for "
                "good; that run is not told\n"
                "\n"
                "Warning: Overriding existing lock (PID: 12345)\n"));
}

TEST(OverrideTextTest, PaintsNoTerminal) {
  ExpectPaintsNoTerminal(OverrideText(FindEvil(), kNow));
}

TEST(EvidenceTextTest, NamesARestart) {
  LockStatus found = FindHeld();
  found.kernel_locked = false;
  found.process = ProcessInfo();
  found.origin = Origin::kEarlierBoot;
  found.state = LockState::kStale;
  EXPECT_EQ(EvidenceText(found), "the machine has restarted since then");
  found.origin = Origin::kUnknown;
  found.state = LockState::kUnknown;
  EXPECT_EQ(EvidenceText(found),
            "the lock may be older than the last restart, so PID 12345 proves "
            "nothing");
}

TEST(WhoTextTest, NamesAnUnknownProcess) {
  LockStatus found = FindHeld();
  EXPECT_EQ(WhoText(found), "PID 12345 (orchestr8 parallel feat-a feat-b)");
  found.holder.reset();
  EXPECT_EQ(WhoText(found), "an unknown process");
}

TEST(UnverifiedRowsTest, AreOfTheProcessThatIsSeen) {
  LockStatus found = FindHeld();
  found.is_external = true;
  found.stranger = {"sleep", "60"};
  EXPECT_THAT(UnverifiedRows(found, "o8lock unlock"),
              ElementsAre(Pair("Process",
                               "sleep 60, not orchestr8; a run in a container "
                               "may have written the lock file"),
                          Pair("If that run has ended", "o8lock unlock")));
  found.stranger = {""};
  EXPECT_THAT(
      UnverifiedRows(found, "o8lock unlock"),
      ElementsAre(Pair("Process", "its program is not visible from here"),
                  Pair("If that run has ended", "o8lock unlock")));
  // A run whose guard somebody has removed.
  found.stranger = {"/usr/bin/o8lock", "--", "make"};
  EXPECT_THAT(UnverifiedRows(found, "o8lock unlock"),
              ElementsAre(Pair("Process", "/usr/bin/o8lock -- make")));
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
