// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/status_text.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "tools/cli/report.h"
#include "tools/cli/text_testing.h"

namespace o8lock {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(StatusTextTest, HasALineForEachState) {
  RepositoryReport report;
  report.lock.lock_file = "/r/.claude/parallel.lock";
  report.lock.location.guard = "/r/.git/o8lock/parallel.guard";
  LockStatus& found = report.lock.found;
  const auto text = [&report] {
    return StatusText(report, kNow, /*color=*/false);
  };
  const std::string files =
      "Lock file: /r/.claude/parallel.lock\n"
      "Guard: /r/.git/o8lock/parallel.guard\n";
  EXPECT_EQ(text(), "free\n" + files);
  found = FindHeld();
  found.own = true;
  EXPECT_EQ(text(),
            absl::StrCat("held (PID: 12345) by this run\n"
                         "Started at: 2026-02-25T10:30:00Z\n",
                         kHolderDetails,
                         "Running for: 12m 4s\n"
                         "Evidence: the kernel lock is held, process 12345 is "
                         "running\n",
                         files));
  found = LockStatus();
  found.state = LockState::kStale;
  found.problem = "not a JSON object";
  EXPECT_EQ(text(),
            "free (stale: the lock file is malformed)\n"
            "Evidence: not a JSON object\n" +
                files);
  found = FindHeld();
  found.state = LockState::kStale;
  found.kernel_locked = false;
  found.process.state = ProcessState::kGone;
  EXPECT_EQ(text(), absl::StrCat("free (stale: PID 12345 is not running)\n"
                                 "Started at: 2026-02-25T10:30:00Z\n",
                                 kHolderDetails,
                                 "Age: 12m 4s\n"
                                 "Evidence: process 12345 has ended\n",
                                 files));
}

TEST(StatusTextTest, HasTheWayOutOfAnUnknownState) {
  RepositoryReport report;
  report.lock.name = "parallel";
  report.lock.found = FindHeld();
  report.lock.found.state = LockState::kUnknown;
  const auto text = [&report] {
    return StatusText(report, kNow, /*color=*/false);
  };
  EXPECT_THAT(text(), HasSubstr("\nIf that run has ended: o8lock unlock\n"));
  // An unreadable file.
  report.lock.found.holder.reset();
  EXPECT_THAT(text(), Not(HasSubstr("unlock")));
}

TEST(UnlockTextTest, SaysWhatContinues) {
  LockStatus found = FindHeld();
  EXPECT_EQ(UnlockText(found),
            "\nWarning: Removing the lock of PID 12345\n"
            "That process keeps running, and the next run starts beside it.\n");
  found.process.state = ProcessState::kGone;
  found.descriptor_holders = {{12, {"make"}}};
  EXPECT_EQ(UnlockText(found),
            "\nWarning: Removing the lock of PID 12345\n"
            "That process has ended; its surviving process keeps running, and "
            "the next run starts beside it.\n");
  found.descriptor_holders.push_back({13, {"cc"}});
  EXPECT_THAT(UnlockText(found),
              HasSubstr("its surviving processes keep running, and the next "
                        "run starts beside them.\n"));
  found.holder.reset();
  found.process = ProcessInfo();
  EXPECT_EQ(UnlockText(found),
            "\nWarning: Removing the lock of an unknown process\n"
            "The processes with the lock keep running, and the next run starts "
            "beside them.\n");
}

TEST(UnlockedTextTest, NamesWhoseLockIsRemoved) {
  LockStatus found = FindHeld();
  EXPECT_EQ(UnlockedText(found),
            "o8lock: lock removed; PID 12345 no longer holds it\n");
  found.state = LockState::kStale;
  EXPECT_EQ(UnlockedText(found), "o8lock: stale lock removed\n");
  found.state = LockState::kHeld;
  found.holder.reset();
  EXPECT_EQ(UnlockedText(found), "o8lock: lock removed\n");
}

TEST(StatusTextTest, PaintsNoTerminal) {
  RepositoryReport report;
  report.lock = {kEvil,
                 {},
                 FindEvil(),
                 {EvilProcess()},
                 {EvilWorktree()},
                 {{EvilWorktree(), {}, true, {EvilProcess()}}},
                 {*FindEvil().holder},
                 {{9, 0, true, {kEvil}, kEvil}},
                 kEvil};
  report.lock.location.guard = report.lock.location.lock_file = kEvil;
  report.others = {report.lock};
  ExpectPaintsNoTerminal(StatusText(report, kNow, /*color=*/false));
}

}  // namespace
}  // namespace o8lock
