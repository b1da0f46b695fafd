// SPDX-License-Identifier: Apache-2.0
#include "lock/timestamp.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

namespace o8lock {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1000000000;
// In 2255. Nanoseconds of later years overflow.
constexpr int64_t kLatest = 9000000000;

}  // namespace

std::string FormatTime(int64_t unix_seconds) {
  // Only the calendar: gmtime_r(3) would read /etc/localtime first.
  const absl::CivilSecond time(1970, 1, 1, 0, 0, unix_seconds);
  const auto two = [](int number) {
    return absl::Dec(number, absl::kZeroPad2);
  };
  // Not StrFormat(): every start would load 30 kB more of the program.
  return absl::StrCat(absl::Dec(time.year(), absl::kZeroPad4), "-",
                      two(time.month()), "-", two(time.day()), "T",
                      two(time.hour()), ":", two(time.minute()), ":",
                      two(time.second()), "Z");
}

std::optional<int64_t> ParseTime(absl::string_view text) {
  constexpr absl::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() <= kForm.size() || text.back() != 'Z') return std::nullopt;
  for (size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] == '0' ? !absl::ascii_isdigit(text[i]) : text[i] != kForm[i]) {
      return std::nullopt;
    }
  }
  const absl::string_view fraction =
      text.substr(kForm.size(), text.size() - kForm.size() - 1);
  if (!fraction.empty() &&
      (fraction[0] != '.' || fraction.size() == 1 ||
       fraction.find_first_not_of("0123456789", 1) != fraction.npos)) {
    return std::nullopt;
  }
  const auto number = [text](size_t begin, size_t length) {
    int value = 0;
    static_cast<void>(absl::SimpleAtoi(text.substr(begin, length), &value));
    return value;
  };
  const absl::CivilSecond time(number(0, 4), number(5, 2), number(8, 2),
                               number(11, 2), number(14, 2), number(17, 2));
  const int64_t seconds = time - absl::CivilSecond(1970, 1, 1);
  // CivilSecond turns the 31st of February into the 3rd of March.
  if (!absl::StartsWith(FormatTime(seconds), text.substr(0, kForm.size()))) {
    return std::nullopt;
  }
  return seconds;
}

std::optional<int64_t> ParseTimeNanoseconds(absl::string_view text) {
  const std::optional<int64_t> seconds = ParseTime(text);
  if (!seconds.has_value()) return std::nullopt;
  int64_t nanoseconds = 0;
  int64_t unit = kNanosecondsPerSecond / 10;
  for (size_t i = text.find('.'); i < text.size() - 2; unit /= 10) {
    nanoseconds += (text[++i] - '0') * unit;
  }
  return std::clamp<int64_t>(*seconds, 0, kLatest) * kNanosecondsPerSecond +
         nanoseconds;
}

}  // namespace o8lock
