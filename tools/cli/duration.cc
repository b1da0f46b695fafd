// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/duration.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace o8lock {
namespace {

// Nanoseconds can represent any moment that far away.
constexpr absl::Duration kLongest = absl::Hours(24 * 365 * 100);

// Removes the number at the beginning of `text` and returns it: digits,
// optionally with a point and more digits.
std::optional<double> TakeNumber(absl::string_view& text) {
  constexpr absl::string_view kDigits = "0123456789";
  size_t size = std::min(text.find_first_not_of(kDigits), text.size());
  if (size == 0) return std::nullopt;
  if (size < text.size() && text[size] == '.') {
    const size_t point = size;
    size = std::min(text.find_first_not_of(kDigits, point + 1), text.size());
    if (size == point + 1) return std::nullopt;
  }
  double number;
  if (!absl::SimpleAtod(text.substr(0, size), &number)) return std::nullopt;
  text.remove_prefix(size);
  return number;
}

}  // namespace

std::optional<absl::Duration> ParseDuration(absl::string_view text) {
  struct Unit {
    char letter;
    absl::Duration length;
  };
  constexpr Unit kUnits[] = {{'d', absl::Hours(24)},
                             {'h', absl::Hours(1)},
                             {'m', absl::Minutes(1)},
                             {'s', absl::Seconds(1)}};
  std::optional<double> number = TakeNumber(text);
  if (!number.has_value()) return std::nullopt;
  if (text.empty()) return std::min(absl::Seconds(*number), kLongest);
  absl::Duration total;
  for (const Unit& unit : kUnits) {
    if (text[0] != unit.letter) continue;
    total += *number * unit.length;
    text.remove_prefix(1);
    if (text.empty()) return std::min(total, kLongest);
    number = TakeNumber(text);
    if (!number.has_value() || text.empty()) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace o8lock
