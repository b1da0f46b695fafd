// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/error_text.h"

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

TEST(ErrorTextTest, PaintsNoTerminal) {
  ExpectPaintsNoTerminal(ErrorText(kEvil, kEvil));
}

}  // namespace
}  // namespace o8lock
