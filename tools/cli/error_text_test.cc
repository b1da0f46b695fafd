// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/error_text.h"

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tools/cli/text_testing.h"

namespace o8lock {
namespace {

TEST(ErrorTextTest, HasAHintWhereThereIsOne) {
  EXPECT_EQ(ErrorText("cannot open 'x': no", ""),
            "o8lock: error: cannot open 'x': no\n");
  EXPECT_EQ(ErrorText("cannot open 'x': no", "do y"),
            "o8lock: error: cannot open 'x': no\no8lock: hint: do y\n");
}

TEST(LockHintTest, IsTheNextStepAfterTheError) {
  EXPECT_EQ(LockHint(absl::FailedPreconditionError("")),
            "move it away; o8lock creates its own");
  EXPECT_EQ(LockHint(absl::ResourceExhaustedError("")),
            "free disk space or close files, as the error says");
  EXPECT_EQ(LockHint(absl::DeadlineExceededError("")),
            "an o8lock process may be stopped: continue or end it, and try "
            "again");
  EXPECT_EQ(LockHint(absl::AbortedError("")), "try again");
  EXPECT_EQ(LockHint(absl::UnknownError("")), "");
}

TEST(NothingRunHintTest, SaysThatNothingWasRunBeforeTheNextStep) {
  EXPECT_EQ(NothingRunHint(""), "nothing was run");
  EXPECT_EQ(NothingRunHint("try again"), "nothing was run; try again");
}

TEST(ErrorTextTest, PaintsNoTerminal) {
  ExpectPaintsNoTerminal(ErrorText(kEvil, kEvil));
}

}  // namespace
}  // namespace o8lock
