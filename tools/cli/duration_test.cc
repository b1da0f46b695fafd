// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/duration.h"

#include <optional>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace o8lock {
namespace {

TEST(ParseDurationTest, ReadsSecondsAndUnits) {
  const struct {
    const char* text;
    absl::Duration duration;
  } cases[] = {
      {"0", absl::ZeroDuration()},
      {"00", absl::ZeroDuration()},
      {"10", absl::Seconds(10)},
      {"0.5", absl::Milliseconds(500)},
      {"0s", absl::ZeroDuration()},
      {"090s", absl::Seconds(90)},
      {"0.05s", absl::Milliseconds(50)},
      {"10m", absl::Minutes(10)},
      {"1h30m", absl::Minutes(90)},
      {"1.5h", absl::Minutes(90)},
      {"1h1s", absl::Seconds(3601)},
      {"2d", absl::Hours(48)},
      {"1d2h3m4s", absl::Hours(26) + absl::Seconds(184)},
      {"36500d", absl::Hours(24 * 36500)},
      // Longer than any useful wait.
      {"36501d", absl::Hours(24 * 36500)},
      {"99999999999999999999999h", absl::Hours(24 * 36500)},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(ParseDuration(c.text), c.duration) << c.text;
  }
}

TEST(ParseDurationTest, TakesNothingElse) {
  for (const char* text :
       {"",     "s",   "x",   "-1",    "-1s",  "+1s",  " 1s",   "1s ",   "1 h",
        "1S",   "1ms", "1us", "1w",    "1.",   ".5",   "1.s",   "1..5s", "1e3",
        "0x10", "inf", "nan", "30m1h", "1h1h", "1h30", "1h-1m", "1,5h"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace o8lock
