// SPDX-License-Identifier: Apache-2.0
//
// Times in the format of lock files: "2026-02-25T10:30:00Z", in UTC.
#ifndef O8LOCK_LOCK_TIMESTAMP_H_
#define O8LOCK_LOCK_TIMESTAMP_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace o8lock {

// `unix_seconds` as "2026-02-25T10:30:00Z".
std::string FormatTime(int64_t unix_seconds);

// Seconds since 1970 of "2026-02-25T10:30:00Z" or "...:00.123Z". Nothing if
// `text` has another format.
std::optional<int64_t> ParseTime(absl::string_view text);

// The same in nanoseconds since 1970, up to the year 2255.
std::optional<int64_t> ParseTimeNanoseconds(absl::string_view text);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_TIMESTAMP_H_
