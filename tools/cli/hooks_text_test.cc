// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/hooks_text.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hooks/hook_call.h"
#include "hooks/installation.h"
#include "tools/cli/text_testing.h"

namespace o8lock {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Hooks installed for an old git, and effective.
HooksState Effective() {
  HooksState state;
  state.installed = true;
  state.git_version = "2.39.5";
  state.mechanism = Mechanism::kDirectory;
  state.program = "/bin/o8lock";
  state.program_version = "1.0.0";
  state.post_checkout = PostCheckoutHook::kAlone;
  state.hooks_directory = "/r/.git/hooks";
  return state;
}

constexpr char kRemedy[] = "\nRemedy: o8lock doctor\n";

TEST(HooksStatusTextTest, NamesARemedyOnlyForHooksThatAreNotEffective) {
  HooksState state = Effective();
  EXPECT_THAT(HooksStatusText(state, "o8lock"), StartsWith("installed\n"));
  EXPECT_THAT(HooksStatusText(state, "o8lock"), Not(HasSubstr(kRemedy)));
  state.bypasses = {{Bypass::kSetting, "core.hooksPath = /mine"}};
  EXPECT_THAT(HooksStatusText(state, "o8lock"),
              StartsWith("installed, but not effective\n"));
  EXPECT_THAT(HooksStatusText(state, "o8lock"), EndsWith(kRemedy));
  state.bypasses.clear();
  state.program_version = "";
  EXPECT_THAT(HooksStatusText(state, "o8lock"), EndsWith(kRemedy));
}

TEST(HooksStatusTextTest, OffersAnInstallationOnlyWhereItCanWork) {
  HooksState state;
  state.git_version = "2.39.5";
  EXPECT_EQ(HooksStatusText(state, "o8lock"),
            "not installed; to install the hooks: o8lock hooks install\n"
            "Git: 2.39.5\n");
  state.bypasses = {{Bypass::kNoexec, "'/r/.git' is mounted noexec"}};
  EXPECT_EQ(HooksStatusText(state, "o8lock"),
            "not installed\nGit: 2.39.5\nRemedy: o8lock doctor\n");
}

TEST(HooksInstalledTextTest, BeginsWithTheResult) {
  HooksState state = Effective();
  EXPECT_THAT(HooksInstalledText(state, "o8lock"),
              StartsWith("o8lock: hooks installed\no8lock: hooks: Git: "));
  state.bypasses = {{Bypass::kSettingOfOneWorktree, "core.hooksPath = /mine"}};
  EXPECT_THAT(HooksInstalledText(state, "o8lock"),
              StartsWith("o8lock: hooks installed, but not effective in every "
                         "worktree\n"));
}

TEST(HooksInstalledTextTest, OffersALineOfShellOnlyToAShellScript) {
  HooksState state = Effective();
  state.post_checkout = PostCheckoutHook::kMissing;
  state.manager = "/r/checks";
  state.hooks_directory = "/r/checks";
  EXPECT_THAT(HooksInstalledText(state, "/my bin/o8lock"),
              HasSubstr("add as the last line of /r/checks/post-checkout "
                        "(create it as an executable sh script if it is "
                        "missing):\n    ! command -v '/my bin/o8lock' "));
  state.manager = "/r/checks/post-checkout";
  const std::string text = HooksInstalledText(state, "/my bin/o8lock");
  EXPECT_THAT(text, HasSubstr("\n    '/my bin/o8lock' hooks run post-checkout "
                              "OLD NEW FLAG\n"));
  EXPECT_THAT(text, Not(HasSubstr("command -v")));
}

TEST(UndecidedTextTest, TellsOnlyAPersonHowToAddTheWorktree) {
  const auto text = [](bool person) {
    return UndecidedText(kReferenceTransaction, "'g' is a directory",
                         "/my bin/o8lock", person);
  };
  EXPECT_EQ(text(false),
            "o8lock: error: git worktree add refused, because the state of the "
            "lock is unknown: 'g' is a directory\n"
            "o8lock: hint: see: '/my bin/o8lock' doctor\n");
  EXPECT_EQ(text(true),
            "o8lock: error: git worktree add refused, because the state of the "
            "lock is unknown: 'g' is a directory\n"
            "o8lock: hint: see: '/my bin/o8lock' doctor; to allow it anyway, "
            "put O8LOCK_ALLOW=1 before the command\n");
}

// Afterwards git calls post-checkout: the worktree is there.
TEST(UndecidedTextTest, ClaimsNoRefusalAfterTheAdd) {
  EXPECT_EQ(UndecidedText(kPostCheckout, "'g' is a directory", "o8lock",
                          /*person=*/true),
            "o8lock: error: git added the worktree, but the state of the lock "
            "is unknown: 'g' is a directory\n"
            "o8lock: hint: see: o8lock doctor\n");
}

TEST(HooksTextTest, PaintsNoTerminal) {
  HooksState state = Effective();
  state.git_version = state.program = state.program_version = kEvil;
  state.post_checkout = PostCheckoutHook::kMissing;
  state.manager = state.hooks_directory = kEvil;
  state.bypasses = {{Bypass::kSetting, kEvil}};
  state.put_aside = {kEvil};
  ExpectPaintsNoTerminal(HooksStatusText(state, kEvil));
  ExpectPaintsNoTerminal(HooksInstalledText(state, kEvil));
  ExpectPaintsNoTerminal(HooksWarning(absl::UnknownError(kEvil)));
  ExpectPaintsNoTerminal(
      UndecidedText(kReferenceTransaction, kEvil, kEvil, true));
}

}  // namespace
}  // namespace o8lock
