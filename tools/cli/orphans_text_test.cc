// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/orphans_text.h"

#include "gtest/gtest.h"
#include "tools/cli/text_testing.h"

namespace o8lock {
namespace {

TEST(OrphansTextTest, PaintsNoTerminal) {
  ExpectPaintsNoTerminal(OrphansText(
      "a run", {EvilProcess()}, {{EvilWorktree(), {}, true, {EvilProcess()}}}));
}

}  // namespace
}  // namespace o8lock
