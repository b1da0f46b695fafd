// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/refusal_text.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hooks/decision.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/text_testing.h"

namespace o8lock {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

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

TEST(RefusalTextTest, SaysWhoHasItAndWhatToDo) {
  EXPECT_EQ(
      RefusalText(FindHeld(), kInvocation, kNow),
      absl::StrCat(
          "Error: Another parallel execution is in progress (PID: 12345)\n"
          "Started at: 2026-02-25T10:30:00Z\n",
          kOptions, kHolderDetails,
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
      RefusalText(FindHeld(), orchestr8, kNow),
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

// --yes is there to start without a question. The pasted line must ask its own.
TEST(RefusalTextTest, OverridesWithoutTheYesThatWouldAnswerTheQuestion) {
  const auto forced = [](const std::vector<std::string>& command) {
    return RefusalText(FindHeld(), {{"o8lock"}, {}, command, {}}, kNow);
  };
  EXPECT_THAT(forced({"orchestr8", "parallel", "feat-c", "--yes"}),
              HasSubstr("override: o8lock -- orchestr8 parallel feat-c "
                        "--force\n"));
  EXPECT_THAT(forced({"npx", "-y", "orchestr8", "parallel", "-y", "feat-c"}),
              HasSubstr("override: o8lock -- npx -y orchestr8 parallel feat-c "
                        "--force\n"));
  EXPECT_THAT(forced({"apt", "install", "--yes"}),
              HasSubstr("override: o8lock --force -- apt install --yes\n"));
}

TEST(RefusalTextTest, OverridesByTheSameBazelTarget) {
  const auto forced = [](const std::vector<std::string>& fixed,
                         const std::vector<std::string>& args) {
    std::vector<std::string> command = fixed;
    command.insert(command.end(), args.begin(), args.end());
    std::vector<std::string> again = {"bazel", "run", "//:agents", "--"};
    again.insert(again.end(), args.begin(), args.end());
    return RefusalText(FindHeld(), {{"o8lock"}, {}, command, {}, again}, kNow);
  };
  EXPECT_THAT(forced({"npx", "orchestr8", "parallel"}, {"feat-c", "--yes"}),
              HasSubstr("override: bazel run //:agents -- feat-c --force\n"));
  EXPECT_THAT(forced({"npx", "-y", "orchestr8", "parallel"}, {"feat-c"}),
              HasSubstr("override: bazel run //:agents -- feat-c --force\n"));
  // A --yes of the target's own would answer the question.
  EXPECT_THAT(forced({"orchestr8", "parallel", "--yes"}, {"feat-c"}),
              HasSubstr("override: o8lock --force -- bazel run //:agents -- "
                        "feat-c\n"));
  EXPECT_THAT(forced({"make"}, {"all"}),
              HasSubstr("override: o8lock --force -- bazel run //:agents -- "
                        "all\n"));
}

// For these --force has another meaning, or does not reach them.
TEST(RefusalTextTest, GivesForceToNoCommandThatTakesItForAnotherThing) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"orchestr8", "parallel", "rollback"},
        {"npm", "exec", "orchestr8", "parallel", "a"},
        {"sh", "-c", "orchestr8 parallel a"}}) {
    EXPECT_THAT(RefusalText(FindHeld(), {{"o8lock"}, {}, command, {}}, kNow),
                HasSubstr("  • Force override: o8lock --force -- "));
  }
}

TEST(RefusalTextTest, SaysThatItCannotTell) {
  LockStatus found = FindHeld();
  found.state = LockState::kUnknown;
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
          "  • Check whether it is still running\n"
          "  • Run: o8lock --name deploy status\n"
          "  • Force override: o8lock --name deploy --feature c --force -- "
          "make 'feat c'\n"
          "\n",
          kHolderDetails,
          "Age: 12m 4s\n"
          "Evidence: it runs on another machine, box, and cannot be checked "
          "from here\n"
          "If that run has ended: o8lock --name deploy unlock\n"
          "Guard: /r/.git/o8lock/parallel.guard\n"));
}

TEST(RefusalTextTest, DoesWithoutARecord) {
  LockStatus found = FindHeld();
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

// A living o8lock and its command are then among the lock's processes.
TEST(RefusalTextTest, OffersNoKillWithoutARecord) {
  LockStatus found = FindHeld();
  found.holder.reset();
  found.process = ProcessInfo();
  found.descriptor_holders = {{12, {"o8lock"}}, {13, {"make"}}};
  EXPECT_THAT(RefusalText(found, kInvocation, kNow),
              AllOf(HasSubstr("process 12 (o8lock) and 1 more hold the lock\n"),
                    Not(HasSubstr("kill"))));
}

TEST(RefusalTextTest, OffersToEndTheSurvivingProcessesOfADeadHolder) {
  LockStatus found = FindHeld();
  found.process.state = ProcessState::kGone;
  found.descriptor_holders = {{12, {"make"}}, {13, {"cc"}}};
  EXPECT_THAT(RefusalText(found, kInvocation, kNow),
              AllOf(HasSubstr("\nTo end its surviving processes: kill 12 13\n"),
                    Not(HasSubstr("To remove"))));
  found.holder->surviving.resize(2);
  EXPECT_THAT(RefusalText(found, kInvocation, kNow),
              HasSubstr("kill 12 13\nTo remove the lock without ending them: "
                        "o8lock --name deploy unlock\n"));
  found.holder->command_pid = 12;  // the next run takes the lock from the rest
  EXPECT_THAT(RefusalText(found, kInvocation, kNow),
              HasSubstr("\nTo end its surviving process: kill 12\n"
                        "To remove the lock without ending it: "));
}

TEST(RefusalTextTest, HasNoWayOutOfAnUnreadableFile) {
  LockStatus found = FindHeld();
  found.state = LockState::kUnknown;
  found.kernel_locked = false;
  found.is_external = true;
  found.problem = "read '/r/.claude/parallel.lock': Permission denied";
  found.holder.reset();
  EXPECT_THAT(RefusalText(found, kInvocation, kNow), Not(HasSubstr("unlock")));
}

// The run ends only after this process.
TEST(RefusalTextTest, AdvisesAgainstAWaitForAnAncestor) {
  EXPECT_THAT(RefusalText(FindHeld(), kInvocation, kNow, /*color=*/false,
                          /*by_ancestor=*/true),
              AllOf(HasSubstr("\nOptions:\n  • Wait for it to complete\n"),
                    Not(HasSubstr("--wait")),
                    EndsWith("\no8lock: hint: do not wait: PID 12345 started "
                             "this process, so it cannot complete first\n")));
}

TEST(TimedOutTextTest, SaysHowLongItHasWaited) {
  EXPECT_THAT(
      TimedOutText(FindHeld(), kInvocation, kNow, 600),
      StartsWith("o8lock: waited 10m 0s; the other run is still in progress\n"
                 "Error: Another parallel execution is in progress (PID: "));
}

TEST(WorktreeRefusedTextTest, SaysWhetherTheRunsCollide) {
  Refused refused;
  refused.add.command = {"/usr/bin/git", "worktree", "add", "../x"};
  refused.found = FindHeld();
  const auto text = [&refused] {
    return WorktreeRefusedText(refused, "o8lock", /*to_a_person=*/false, kNow);
  };
  EXPECT_THAT(
      text(),
      HasSubstr(
          "\ngit worktree add refused: it would collide with that run.\n"
          "\n"
          "Options:\n"
          "  • Wait for it to complete: o8lock --wait=10m -- git worktree add "
          "../x\n"
          "  • Run: o8lock status\n"
          "  • Only a person may allow it: see ENVIRONMENT in man o8lock\n"));
  refused.found.state = LockState::kUnknown;
  EXPECT_THAT(
      text(),
      HasSubstr("\ngit worktree add refused: it could collide with that run.\n"
                "\n"
                "Options:\n"
                "  • Check whether it is still running\n"));
}

TEST(WorktreeRefusedTextTest, LeadsToTheLockFromAnotherRepository) {
  Refused refused;
  refused.add.command = {"git", "-C", "../r", "worktree", "add", "../x"};
  refused.found = FindHeld();
  refused.home = "/home/ann/my r";
  EXPECT_THAT(
      WorktreeRefusedText(refused, "o8lock", /*to_a_person=*/false, kNow),
      HasSubstr("  • Wait for it to complete: (cd '/home/ann/my r' && o8lock "
                "--wait=10m -- true) && git -C ../r worktree add ../x\n"
                "  • Run: (cd '/home/ann/my r' && o8lock status)\n"));
}

// Truncated, it would be another command.
TEST(WorktreeRefusedTextTest, DoesNotRepeatALongCommand) {
  Refused refused;
  refused.add.command = {"git", "worktree", "add", std::string(5000, 'x')};
  refused.found = FindHeld();
  EXPECT_THAT(
      WorktreeRefusedText(refused, "o8lock", /*to_a_person=*/true, kNow),
      AllOf(HasSubstr("  • Wait for it to complete: put o8lock --wait=10m -- "
                      "before the same git command\n"),
            HasSubstr("  • Allow this worktree anyway: set "
                      "O8LOCK_ALLOW=1 for the same git command\n"),
            Not(HasSubstr("..."))));
}

TEST(WorktreeRefusedTextTest, SaysWhyTheWorktreeIsKept) {
  Refused refused;
  refused.add.command = {"git", "worktree", "add", "../x"};
  refused.found = FindHeld();
  refused.rolled_back.emplace();
  refused.rolled_back->worktree = "/x";
  refused.rolled_back->problem = "it has files that git did not create";
  EXPECT_THAT(
      WorktreeRefusedText(refused, "o8lock", /*to_a_person=*/false, kNow),
      EndsWith("\nKept: /x, although refused: it has files that git did not "
               "create\n"));
}

TEST(RefusalTextTest, SaysHowItIsKnown) {
  const auto known_by = [](const LockStatus& found) {
    const std::string text = RefusalText(found, kInvocation, kNow);
    const size_t begin = text.find("Evidence: ");
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  LockStatus found = FindHeld();
  found.process.state = ProcessState::kStopped;
  EXPECT_EQ(known_by(found),
            "Evidence: the kernel lock is held, process 12345 is stopped "
            "(Ctrl-Z or SIGSTOP)");
  found.process.state = ProcessState::kGone;
  EXPECT_EQ(known_by(found),
            "Evidence: the kernel lock is held, process 12345 has ended, a "
            "process that it started still holds the lock");
  found.pid_reused = true;
  EXPECT_EQ(
      known_by(found),
      "Evidence: the kernel lock is held, PID 12345 is now another process, "
      "started after the lock, a process that it started still holds the lock");
  found = FindHeld();
  found.origin = Origin::kOtherNamespace;
  found.process = ProcessInfo();
  EXPECT_EQ(known_by(found),
            "Evidence: the kernel lock is held, process 12345 is in another "
            "PID namespace (container or host)");
  found = FindHeld();
  found.kernel_locked = false;
  found.is_external = true;
  found.origin = Origin::kUnknown;
  EXPECT_EQ(known_by(found),
            "Evidence: process 12345 is running, not started by o8lock");
}

TEST(RefusalTextTest, CountsTimeByTheBootClock) {
  LockStatus found = FindHeld();
  const Now set_forward = {kNow.unix_seconds + 86400, kNow.ticks};
  EXPECT_NE(RefusalText(found, kInvocation, set_forward)
                .find("Running for: 12m 4s\n"),
            std::string::npos);
  found.holder->acquired = -1;  // a lock file lacks this time
  EXPECT_NE(
      RefusalText(found, kInvocation, set_forward).find("Running for: 1d 0h\n"),
      std::string::npos);
}

TEST(RefusalTextTest, ShowsOfLongListsTheBeginning) {
  LockStatus found = FindHeld();
  found.holder->features.assign(1000, "0123456789");
  found.holder->command = {std::string(5000, 'x')};
  const std::string text = RefusalText(found, kInvocation, kNow);
  EXPECT_LT(text.size(), 2000u);
  EXPECT_NE(text.find("0123456789, ...\n"), std::string::npos);
  EXPECT_NE(text.find("Command: " + std::string(400, 'x') + "...\n"),
            std::string::npos);
}

TEST(RefusalTextTest, PaintsNoTerminal) {
  const Invocation invocation = {{kEvil}, {kEvil}, {kEvil}, {kEvil}};
  ExpectPaintsNoTerminal(RefusalText(FindEvil(), invocation, kNow));
  ExpectPaintsNoTerminal(TimedOutText(FindEvil(), invocation, kNow, 1));
}

}  // namespace
}  // namespace o8lock
