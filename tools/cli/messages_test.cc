// SPDX-License-Identifier: Apache-2.0
//
// What cannot easily be made to happen for tools/e2e, or not all of it.
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hooks/worktrees.h"
#include "lock/holder.h"
#include "lock/inspection.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/process.h"
#include "lock/waiters.h"
#include "tools/cli/error_text.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/orphans_text.h"
#include "tools/cli/refusal_text.h"
#include "tools/cli/run_text.h"
#include "tools/cli/status_text.h"
#include "tools/cli/survey.h"

namespace o8lock {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr Now kNow = {1772015400 + 724, 100000};  // 12m 4s after the start

Inspection Held() {
  Inspection found;
  found.verdict = Verdict::kHeld;
  found.file = "/r/.git/o8lock/parallel.guard";
  found.kernel_locked = true;
  found.origin = Origin::kHere;
  found.process = {ProcessState::kRunning, 5};
  Holder holder;
  holder.pid = 12345;
  holder.started_at = "2026-02-25T10:30:00Z";
  holder.features = {"feat-a", "feat-b"};
  holder.command = {"orchestr8", "parallel", "feat-a", "feat-b"};
  holder.cwd = "/r";
  holder.user = "ann";
  holder.host = "box";
  holder.acquired = (kNow.ticks / kTicksPerSecond - 724) * 1000000000;
  found.holder = holder;
  return found;
}

const Invocation kInvocation = {
    {"o8lock", "--name", "deploy"}, {"--feature", "c"}, {"make", "feat c"}, {}};

constexpr char kOptions[] =
    "\n"
    "Options:\n"
    "  • Wait for it to complete: o8lock --name deploy --feature c "
    "--wait=10m -- make 'feat c'\n"
    "  • Run: o8lock --name deploy status\n"
    "  • Force override: o8lock --name deploy --feature c --force -- make "
    "'feat c'\n"
    "\n";

constexpr char kDetails[] =
    "Holder: ann@box\n"
    "Directory: /r\n"
    "Command: orchestr8 parallel feat-a feat-b\n"
    "Features: feat-a, feat-b\n";

TEST(RefusalTextTest, SaysWhoHasItAndWhatToDo) {
  EXPECT_EQ(
      RefusalText(Held(), kInvocation, kNow),
      absl::StrCat(
          "Error: Another parallel execution is in progress (PID: 12345)\n"
          "Started at: 2026-02-25T10:30:00Z\n",
          kOptions, kDetails,
          "Running for: 12m 4s\n"
          "Evidence: the kernel lock is held, process 12345 is running\n"
          "Guard: /r/.git/o8lock/parallel.guard\n"));
}

TEST(RefusalTextTest, HasTheSpecificationsWordsForAnOrchestr8) {
  const Invocation orchestr8 = {{"o8lock"},
                                {},
                                {"orchestr8", "parallel", "feat-c", "feat-d"},
                                {"orchestr8", "parallel", "status"}};
  EXPECT_THAT(
      RefusalText(Held(), orchestr8, kNow),
      StartsWith("Error: Another parallel execution is in progress (PID: "
                 "12345)\n"
                 "Started at: 2026-02-25T10:30:00Z\n"
                 "\n"
                 "Options:\n"
                 "  • Wait for it to complete: o8lock --wait=10m -- orchestr8 "
                 "parallel feat-c feat-d\n"
                 "  • Run: orchestr8 parallel status\n"
                 "  • Force override: o8lock -- orchestr8 parallel feat-c "
                 "feat-d --force\n"
                 "\n"));
}

// To these --force says something else, or it does not reach them.
TEST(RefusalTextTest, GivesForceToNoCommandThatTakesItForAnotherThing) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"orchestr8", "parallel", "rollback"},
        {"npm", "exec", "orchestr8", "parallel", "a"},
        {"sh", "-c", "orchestr8 parallel a"}}) {
    EXPECT_THAT(RefusalText(Held(), {{"o8lock"}, {}, command, {}}, kNow),
                HasSubstr("  • Force override: o8lock --force -- "));
  }
}

TEST(RefusalTextTest, SaysThatItCannotTell) {
  Inspection found = Held();
  found.verdict = Verdict::kUnknown;
  found.kernel_locked = false;
  found.holder->token = "t";
  found.origin = Origin::kOtherHost;
  found.process = ProcessInfo();
  EXPECT_EQ(
      RefusalText(found, kInvocation, kNow),
      absl::StrCat(
          "Error: Another parallel execution may be in progress (PID: "
          "12345)\n"
          "Started at: 2026-02-25T10:30:00Z\n"
          "\n"
          "Options:\n"
          "  • Find out whether it still runs\n"
          "  • Run: o8lock --name deploy status\n"
          "  • Force override: o8lock --name deploy --feature c --force -- "
          "make 'feat c'\n"
          "\n",
          kDetails,
          "Age: 12m 4s\n"
          "Evidence: it runs on another machine, box, which cannot be looked "
          "at from here\n"
          "Guard: /r/.git/o8lock/parallel.guard\n"));
}

TEST(RefusalTextTest, DoesWithoutARecord) {
  Inspection found = Held();
  found.holder.reset();
  EXPECT_EQ(
      RefusalText(found, kInvocation, kNow),
      absl::StrCat(
          "Error: Another parallel execution is in progress (PID: unknown)\n"
          "Started at: unknown\n",
          kOptions,
          "Evidence: the kernel lock is held\n"
          "Guard: /r/.git/o8lock/parallel.guard\n"));
}

TEST(RefusalTextTest, SaysHowItIsKnown) {
  const auto known_by = [](const Inspection& found) {
    const std::string text = RefusalText(found, kInvocation, kNow);
    const size_t begin = text.find("Evidence: ");
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  Inspection found = Held();
  found.process.state = ProcessState::kStopped;
  EXPECT_EQ(known_by(found),
            "Evidence: the kernel lock is held, process 12345 is stopped "
            "(Ctrl-Z or SIGSTOP)");
  found.process.state = ProcessState::kGone;
  EXPECT_EQ(known_by(found),
            "Evidence: the kernel lock is held, process 12345 has ended, a "
            "process that it started still has the lock");
  found.pid_reused = true;
  EXPECT_EQ(known_by(found),
            "Evidence: the kernel lock is held, process 12345 is another "
            "one, begun after the lock, a process that it started still has "
            "the lock");
  found = Held();
  found.origin = Origin::kOtherNamespace;
  found.process = ProcessInfo();
  EXPECT_EQ(known_by(found),
            "Evidence: the kernel lock is held, process 12345 is in another "
            "pid namespace (a container)");
  found = Held();
  found.kernel_locked = false;
  found.is_external = true;
  found.origin = Origin::kUnknown;
  EXPECT_EQ(known_by(found),
            "Evidence: process 12345 is running, it was not started by o8lock");
}

TEST(RefusalTextTest, CountsTimeByTheBootClock) {
  Inspection found = Held();
  const Now set_forward = {kNow.unix_seconds + 86400, kNow.ticks};
  EXPECT_NE(RefusalText(found, kInvocation, set_forward)
                .find("Running for: 12m 4s\n"),
            std::string::npos);
  found.holder->acquired = -1;  // a lock file has none
  EXPECT_NE(
      RefusalText(found, kInvocation, set_forward).find("Running for: 1d 0h\n"),
      std::string::npos);
}

TEST(RefusalTextTest, PaintsNoTerminal) {
  Inspection found = Held();
  const std::string evil = "\x1b[31mx\n\xc2\x9b";
  found.holder->features = {evil};
  found.holder->command = {evil};
  found.holder->user = evil;
  found.holder->host = evil;
  found.holder->started_at = evil;
  found.holder->cwd = evil;
  found.file = evil;
  found.problem = evil;
  const Invocation invocation = {{evil}, {evil}, {evil}, {evil}};
  const Malformed malformed = {evil, evil, evil};
  const Overrider by = {1, evil, evil, evil};
  const RunProcess process = {1, {evil}, evil};
  const Worktree worktree = {evil, evil, evil, 0, true, true};
  Survey survey;
  survey.lock = {evil,
                 {},
                 found,
                 {process},
                 {worktree},
                 {{worktree, {}, true, {process}}},
                 {*found.holder},
                 {{9, 0, true, {evil}, evil}},
                 evil};
  survey.lock.location.guard = survey.lock.location.lock_file = evil;
  survey.others = {survey.lock};
  Disturbance replaced;
  replaced.replaced = found;
  for (const std::string& text :
       {RefusalText(found, invocation, kNow), OverrideText(found, kNow),
        StatusText(survey, kNow, /*color=*/false), MalformedText(malformed),
        OverriddenText(by), ErrorText(evil, evil),
        OrphansText("a run", {process}, {{worktree, {}, true, {process}}}),
        DisturbedText(replaced, survey.lock.location), SweptText(found),
        NoLockNeededText({evil}), WaitingText(found, 1, /*first=*/true),
        WaitingLine(found, kNow, 1, 1),
        TimedOutText(found, invocation, kNow, 1),
        LeftoversText({process}, LeftoversAre::kReleased, absl::Seconds(10))}) {
    EXPECT_NE(text.find("\\x1b[31mx\\x0a\\xc2\\x9b"), std::string::npos);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\xc2'), std::string::npos);
    EXPECT_EQ(text.find("x\n"), std::string::npos);
  }
}

TEST(RefusalTextTest, ShowsOfLongListsTheBeginning) {
  Inspection found = Held();
  found.holder->features.assign(1000, "0123456789");
  found.holder->command = {std::string(5000, 'x')};
  const std::string text = RefusalText(found, kInvocation, kNow);
  EXPECT_LT(text.size(), 2000u);
  EXPECT_NE(text.find("0123456789, ...\n"), std::string::npos);
  EXPECT_NE(text.find("Command: " + std::string(400, 'x') + "...\n"),
            std::string::npos);
}

TEST(OverrideTextTest, EndsWithTheWarning) {
  EXPECT_EQ(
      OverrideText(Held(), kNow),
      absl::StrCat(
          "Started at: 2026-02-25T10:30:00Z\n", kDetails,
          "Running for: 12m 4s\n"
          "\n"
          "Warning: Overriding existing lock (PID: 12345)\n"
          "This may cause conflicts if another execution is still running.\n"
          "\n"));
}

TEST(StaleTextTest, SaysOfNoProcessThatRunsThatItDoesNot) {
  Inspection found = Held();
  EXPECT_EQ(StaleText(found),
            "Warning: Found stale lock file (PID 12345 not running)\n"
            "Removing stale lock and continuing...\n"
            "\n");
  found.pid_reused = true;
  EXPECT_EQ(StaleText(found),
            "Warning: Found stale lock file (PID 12345 is another process now, "
            "begun after the lock)\n"
            "Removing stale lock and continuing...\n"
            "\n");
}

TEST(OverriddenTextTest, NamesWhoTookIt) {
  const Overrider by = {7, "2026-02-25T10:31:00Z", "bob", "hut"};
  EXPECT_EQ(OverriddenText(by),
            "o8lock: warning: this run's lock was overridden at "
            "2026-02-25T10:31:00Z by bob@hut (PID 7); nothing was removed\n");
}

TEST(StatusTextTest, HasALineForEachVerdict) {
  Survey survey;
  survey.lock.lock_file = "/r/.claude/parallel.lock";
  survey.lock.location.guard = "/r/.git/o8lock/parallel.guard";
  Inspection& found = survey.lock.found;
  const auto text = [&survey] {
    return StatusText(survey, kNow, /*color=*/false);
  };
  const std::string files =
      "Lock file: /r/.claude/parallel.lock\n"
      "Guard: /r/.git/o8lock/parallel.guard\n";
  EXPECT_EQ(text(), "free\n" + files);
  found = Held();
  found.own = true;
  EXPECT_EQ(text(),
            absl::StrCat("held (PID: 12345) by the run that asks\n"
                         "Started at: 2026-02-25T10:30:00Z\n",
                         kDetails,
                         "Running for: 12m 4s\n"
                         "Evidence: the kernel lock is held, process 12345 is "
                         "running\n",
                         files));
  found = Inspection();
  found.verdict = Verdict::kStale;
  found.problem = "it is not a JSON object";
  EXPECT_EQ(text(),
            "free (stale: the lock file is malformed)\n"
            "Evidence: it is not a JSON object\n" +
                files);
  found = Held();
  found.verdict = Verdict::kStale;
  found.kernel_locked = false;
  found.process.state = ProcessState::kGone;
  EXPECT_EQ(text(), absl::StrCat("free (stale: PID 12345 is not running)\n"
                                 "Started at: 2026-02-25T10:30:00Z\n",
                                 kDetails,
                                 "Age: 12m 4s\n"
                                 "Evidence: process 12345 has ended\n",
                                 files));
}

TEST(ErrorTextTest, HasAHintWhereThereIsOne) {
  EXPECT_EQ(ErrorText("open 'x': no", ""), "o8lock: error: open 'x': no\n");
  EXPECT_EQ(ErrorText("open 'x': no", "do y"),
            "o8lock: error: open 'x': no\no8lock: hint: do y\n");
}

}  // namespace
}  // namespace o8lock
