// SPDX-License-Identifier: Apache-2.0
//
// protocol.pml is correct, and wrong with each of its optional mistakes. The
// latter shows that the checks can find mistakes.
//
// Environment: PROTOCOL  protocol.pml
#include <chrono>
#include <iostream>
#include <ostream>
#include <regex>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

using Flags = std::vector<std::string>;

constexpr std::chrono::minutes kDeadline{4};

// The result of exploring every reachable state.
struct ExplorationResult {
  std::string counterexample;  // the violated property, or empty
  std::string states;          // the number of explored states
};

class ProtocolTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* program : {"spin", "gcc"}) {
      const std::string command = std::string("command -v ") + program;
      if (!(RunToEnd({"sh", "-c", command}) == Exited(0))) {
        GTEST_SKIP() << "there is no " << program << " here";
      }
    }
  }

  // Runs `argv` in the directory, and returns its stdout.
  std::string Call(const Flags& argv) const {
    ProcessOptions options;
    options.directory = dir_.path();
    Process process(argv, options);
    EXPECT_EQ(process.Wait(kDeadline), Exited(0))
        << argv[0] << ": " << process.out() << process.err();
    return process.out();
  }

  // Explores the model under `flags`, with `pan_flags` for the program spin
  // generates from it.
  ExplorationResult Explore(const Flags& flags,
                            const Flags& pan_flags = {}) const {
    Flags spin = {"spin", "-a"};
    spin.insert(spin.end(), flags.begin(), flags.end());
    spin.push_back(PathFromEnv("PROTOCOL"));
    Call(spin);
    // Compiling takes longer than running: no optimization.
    Call({"gcc", "-w", "-DSAFETY", "-o", "pan", "pan.c"});
    Flags pan = {"./pan", "-m20000"};
    pan.insert(pan.end(), pan_flags.begin(), pan_flags.end());
    const std::string report = Call(pan);
    ExplorationResult result;
    std::smatch match;
    if (std::regex_search(report, match, std::regex("pan:1: (.*) \\(at "))) {
      result.counterexample = match[1];
    } else {
      // The search was not cut short by a limit either.
      EXPECT_NE(report.find("errors: 0\n"), std::string::npos) << report;
      EXPECT_EQ(report.find("max search depth too small"), std::string::npos);
      EXPECT_EQ(report.find("Search not completed"), std::string::npos);
    }
    EXPECT_TRUE(std::regex_search(report, match,
                                  std::regex(" ([0-9]+) states, stored")))
        << report;
    result.states = match[1];
    return result;
  }

 private:
  TempDir dir_;
};

struct Case {
  std::string name;
  Flags flags;
  std::string counterexample = {};
};

void PrintTo(const Case& a_case, std::ostream* out) { *out << a_case.name; }

std::string NameOf(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

class Right : public ProtocolTest, public testing::WithParamInterface<Case> {};

// There is no deadlock, and each of these properties holds:
//   no_other_command_runs         mutual exclusion of o8lock's runs
//   no_run_outside_is_on          and of a run respecting the lock file
//   own_lock_file_is_in_place     so others see it
//   no_live_..._is_lost           no process removes or overwrites a living
//                                 run's lock file, record or guard unasked
//   next_start_succeeds           once all runs have ended, in any way
//   join_finds_it_unlocked        no run has exclusively a range an inner run
//                                 shares
//   new_guard_is_own              and still exists when it gets its name
//   vanished_..._is_back          once the run checks its integrity
//   guard_put_back_is_own         and not another's: an overridden run has no
//                                 guard
//   overridden_run_stays_visible  while its command works, whichever run ends
//   released_run_refuses_nobody   even if its process is alive
TEST_P(Right, HasNoCounterexample) {
  const ExplorationResult result = Explore(GetParam().flags);
  EXPECT_EQ(result.counterexample, "");
  std::cout << result.states << " states\n";
  RecordProperty("states", result.states);
}

INSTANTIATE_TEST_SUITE_P(
    ProtocolTest, Right,
    testing::Values(
        Case{"ThreeRuns", {}},
        Case{"ThreeRunsOfWhichOneOverrides", {"-DFORCE=2", "-DNO_SURVIVORS"}},
        Case{"TwoRunsThatOverride", {"-DRUNS=2", "-DFORCE=6"}},
        Case{"TwoRunsAndOneInsideTheFirst", {"-DRUNS=2", "-DWITH_JOINED"}},
        Case{"TwoRunsOfWhichOneOverridesAndOneInsideTheFirst",
             {"-DRUNS=2", "-DWITH_JOINED", "-DFORCE=4", "-DNO_SURVIVORS"}},
        Case{"TwoRunsAndOneOutside", {"-DRUNS=2", "-DWITH_OUTSIDE"}},
        Case{"TwoRunsAfterASurvivorAndOneOutside",
             {"-DRUNS=2", "-DAFTER_A_SURVIVOR", "-DWITH_OUTSIDE"}},
        Case{"TwoRunsOfWhichOneOverridesAndOneOutside",
             {"-DRUNS=2", "-DFORCE=2", "-DWITH_OUTSIDE"}},
        Case{"TwoRunsWhoseLockFileVanishes", {"-DRUNS=2", "-DWITH_CLEANER"}},
        Case{"TwoRunsOfWhichOneOverridesWhoseLockFileVanishes",
             {"-DRUNS=2", "-DFORCE=2", "-DWITH_CLEANER", "-DNO_SURVIVORS"}},
        Case{"ThreeRunsWhoseCommandsCloseTheDescriptor",
             {"-DUNPUBLISHED", "-DWITH_CLOSED", "-DNO_SURVIVORS"}},
        Case{"TwoRunsThatOverrideAndWhoseCommandsCloseTheDescriptor",
             {"-DRUNS=2", "-DFORCE=6", "-DWITH_CLOSED"}},
        Case{"TwoRunsAndOneInsideWhoseCommandsCloseTheDescriptor",
             {"-DRUNS=2", "-DWITH_JOINED", "-DWITH_CLOSED", "-DNO_SURVIVORS"}},
        Case{"TwoRunsWhoseGuardVanishes",
             {"-DRUNS=2", "-DWITH_CLEANER", "-DWITH_GUARD_REMOVED",
              "-DNO_SURVIVORS"}},
        Case{"TwoRunsOfWhichOneOverridesWhoseGuardVanishes",
             {"-DRUNS=2", "-DFORCE=2", "-DUNPUBLISHED", "-DWITH_CLEANER",
              "-DWITH_GUARD_REMOVED", "-DNO_SURVIVORS"}},
        Case{"TwoRunsWhoseGuardVanishesAndWhoseCommandsCloseTheDescriptor",
             {"-DRUNS=2", "-DUNPUBLISHED", "-DWITH_CLEANER",
              "-DWITH_GUARD_REMOVED", "-DWITH_CLOSED"}},
        Case{"TwoRunsThatOverrideAfterAnOverride",
             {"-DRUNS=2", "-DFORCE=6", "-DAFTER_AN_OVERRIDE"}},
        Case{"TwoRunsOfWhichTheFirstOverridesAndOneInsideIt",
             {"-DRUNS=2", "-DWITH_JOINED", "-DFORCE=2", "-DUNPUBLISHED",
              "-DNO_SURVIVORS"}}),
    NameOf);

class Wrong : public ProtocolTest, public testing::WithParamInterface<Case> {};

TEST_P(Wrong, HasACounterexample) {
  Flags flags = GetParam().flags;
  // Some mistakes violate several properties. The order of finding them has no
  // meaning.
  flags.push_back("-DONLY=" + GetParam().counterexample);
  const ExplorationResult result = Explore(flags, {"-E"});
  EXPECT_EQ(result.counterexample,
            "assertion violated " + GetParam().counterexample);
}

INSTANTIATE_TEST_SUITE_P(
    ProtocolTest, Wrong,
    testing::Values(
        Case{"AcquireDoesNotLookAtTheName",
             {"-DNO_NAME_CHECK_IN_ACQUIRE"},
             "no_other_command_runs"},
        Case{"TakeoverDoesNotLookAtTheCommand",
             {"-DRUNS=2", "-DTAKE_OVER_ON_DEAD_WRAPPER"},
             "no_other_command_runs"},
        Case{"TakeoverDoesNotLookAtTheName",
             {"-DNO_NAME_CHECK_IN_TAKE_BY_FORCE"},
             "no_live_guard_is_lost"},
        Case{"OverrideDoesNotCompareTheHolder",
             {"-DRUNS=2", "-DFORCE=2", "-DNO_SAME_RUN"},
             "no_live_guard_is_lost"},
        Case{"GuardIsPublishedBeforeItIsLocked",
             // Harmless alone: the record exists, and its run is alive.
             {"-DPUBLISH_BEFORE_LOCK", "-DDETERMINE_BY_THE_LOCK_ALONE"},
             "no_live_record_is_lost"},
        Case{"NameCommandLocksNothing",
             {"-DRUNS=2", "-DFORCE=2", "-DNAME_COMMAND_UNLOCKED"},
             "no_live_record_is_lost"},
        Case{"ReleaseAndOverrideDoNotLockTheChange",
             {"-DRUNS=2", "-DFORCE=2", "-DNO_CHANGE_LOCK", "-DREMOVE_BY_PATH"},
             "no_live_lock_file_is_lost"},
        Case{"TwoTakeoversDoNotLockTheChange",
             {"-DNO_CHANGE_LOCK"},
             "own_lock_file_is_in_place"},
        Case{"StaleLockFileIsRemovedWithoutComparing",
             {"-DRUNS=2", "-DWITH_OUTSIDE", "-DREMOVE_BY_PATH"},
             "no_live_lock_file_is_lost"},
        Case{"LockFileThatWasMovedAsideIsForgotten",
             {"-DRUNS=2", "-DWITH_OUTSIDE", "-DNO_REMOVE_REMAINS"},
             "no_run_outside_is_on"},
        Case{"LockFileThatWasMovedAsideIsForgottenByATakeover",
             {"-DRUNS=2", "-DAFTER_A_SURVIVOR", "-DWITH_OUTSIDE",
              "-DREMOVE_REMAINS_ONLY_IN_TAKE_FREE"},
             "no_run_outside_is_on"},
        Case{"SurvivorKeepsTheLockOfARunThatReleasedIt",
             {"-DRUNS=2", "-DNO_UNLOCK_IN_RELEASE"},
             "next_start_succeeds"},
        Case{"NobodyTakesOver",
             {"-DRUNS=2", "-DNEVER_TAKE_OVER"},
             "next_start_succeeds"},
        Case{"ChangeIsLockedThroughTheInheritedDescription",
             {"-DRUNS=2", "-DLOCK_CHANGE_ON_OWN_DESCRIPTION"},
             "next_start_succeeds"},
        Case{"JoinDoesNotLockTheChange",
             {"-DRUNS=2", "-DWITH_JOINED", "-DNO_SURVIVORS",
              "-DNO_CHANGE_LOCK_IN_JOIN"},
             "no_other_command_runs"},
        Case{"JoinDoesNotLookAgain",
             {"-DRUNS=2", "-DWITH_JOINED", "-DNO_SURVIVORS",
              "-DNO_SECOND_LOOK_IN_JOIN"},
             "no_other_command_runs"},
        Case{
            "TakeoverDoesNotLookForARunThatJoined",
            {"-DRUNS=2", "-DWITH_JOINED", "-DNO_JOINED_CHECK_IN_TAKE_BY_FORCE"},
            "no_other_command_runs"},
        Case{"AcquireDoesNotLockWhatIsJoined",
             {"-DRUNS=2", "-DWITH_JOINED", "-DNO_SURVIVORS",
              "-DACQUIRE_WITHOUT_JOINED"},
             "no_other_command_runs"},
        Case{"CheckIntegrityDoesNotLockTheChange",
             {"-DRUNS=2", "-DFORCE=2", "-DWITH_CLEANER", "-DNO_SURVIVORS",
              "-DCHECK_INTEGRITY_UNLOCKED"},
             "new_lock_file_is_own"},
        Case{"FreeGuardIsTakenWhileACommandLives",
             {"-DRUNS=2", "-DWITH_CLOSED", "-DDETERMINE_BY_THE_LOCK_ALONE"},
             "no_other_command_runs"},
        Case{"GuardIsPutBackWithoutALookAtTheOthers",
             {"-DRUNS=2", "-DUNPUBLISHED", "-DWITH_CLEANER",
              "-DWITH_GUARD_REMOVED", "-DPUT_BACK_UNLOCKED"},
             "no_live_record_is_lost"},
        Case{"GuardIsPutBackWithoutTheCommand",
             {"-DRUNS=2", "-DUNPUBLISHED", "-DWITH_CLEANER",
              "-DWITH_GUARD_REMOVED", "-DPUT_BACK_WITHOUT_COMMAND"},
             "no_other_command_runs"},
        Case{"OverriddenRunPutsItsGuardBack",
             {"-DRUNS=2", "-DFORCE=2", "-DUNPUBLISHED", "-DWITH_CLEANER",
              "-DWITH_GUARD_REMOVED", "-DPUT_BACK_WHEN_OVERRIDDEN"},
             "guard_put_back_is_own"},
        Case{"OverriderForgetsAtItsReleaseWhomItHasOverridden",
             {"-DRUNS=2", "-DFORCE=2", "-DRELEASE_EMPTIES_RECORD"},
             "overridden_run_stays_visible"},
        Case{"OverriddenRunTakesTheOthersOutOfTheRecordToo",
             {"-DRUNS=2", "-DFORCE=6", "-DAFTER_AN_OVERRIDE",
              "-DREMOVE_ALL_FROM_RECORD"},
             "overridden_run_stays_visible"},
        Case{"TakeoverDoesNotLookForAnOverriddenRun",
             {"-DRUNS=2", "-DFORCE=2", "-DAFTER_AN_OVERRIDE",
              "-DLEFT_BEHIND_HIDES_OVERRIDDEN"},
             "overridden_run_stays_visible"},
        Case{"RunThatHasReleasedHidesWhomItHasOverridden",
             {"-DRUNS=2", "-DWITH_JOINED", "-DFORCE=2", "-DUNPUBLISHED",
              "-DNO_SURVIVORS", "-DRELEASED_HIDES_OVERRIDDEN"},
             "overridden_run_stays_visible"},
        Case{
            "RecordIsEmptiedBeforeItIsWritten",
            {"-DRUNS=2", "-DFORCE=2", "-DAFTER_AN_OVERRIDE", "-DHALF_A_RECORD"},
            "overridden_run_stays_visible"},
        Case{"RecordDoesNotSayThatItsRunHasReleased",
             {"-DRUNS=2", "-DWITH_JOINED", "-DUNPUBLISHED",
              "-DNO_RELEASED_IN_RECORD"},
             "released_run_refuses_nobody"},
        // Not a mistake in the model, but a limit of the protocol: an external
        // run may start after an overridden run's lock file is removed and
        // before the new one is in place.
        Case{"OverrideIsRefusedAfterTheGuardWasReplaced",
             {"-DRUNS=2", "-DFORCE=2", "-DWITH_OUTSIDE"},
             "refusal_changes_nothing"}),
    NameOf);

// All later runs wait for a lock kept by a command's surviving processes.
TEST_F(ProtocolTest, DeadlockIsFound) {
  const ExplorationResult result =
      Explore({"-DRUNS=2", "-DLOCK_CHANGE_ON_OWN_DESCRIPTION"}, {"-A"});
  EXPECT_EQ(result.counterexample, "invalid end state");
}

}  // namespace
}  // namespace o8lock
