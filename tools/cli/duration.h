// SPDX-License-Identifier: Apache-2.0
//
// Times on o8lock's command line.
#ifndef O8LOCK_TOOLS_CLI_DURATION_H_
#define O8LOCK_TOOLS_CLI_DURATION_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace o8lock {

// Reads seconds ("10", "0.5"), or numbers with the units d, h, m and s, each at
// most once and in this order ("1h30m", "1.5h", "2d"). Caps the result at a
// hundred years. Returns nothing for any other text.
std::optional<absl::Duration> ParseDuration(absl::string_view text);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_DURATION_H_
