// SPDX-License-Identifier: Apache-2.0
//
// Texts of o8lock's errors. Every text ends with a newline and is safe to show
// on a terminal.
#ifndef O8LOCK_TOOLS_CLI_ERROR_TEXT_H_
#define O8LOCK_TOOLS_CLI_ERROR_TEXT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace o8lock {

// Returns "o8lock: error: PROBLEM" and, unless it is empty, "o8lock: hint:
// HINT".
std::string ErrorText(absl::string_view problem, absl::string_view hint);
std::string HintText(absl::string_view hint);

// Returns a hint for an error of Locate or Lock::Acquire, for the functions
// above. The error must not be about a holder.
std::string LockHint(const absl::Status& error);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ERROR_TEXT_H_
