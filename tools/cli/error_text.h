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

// Returns the next step after an error of Locate or of a lock's files, for the
// functions above. Empty if there is none. The error must not be about a
// holder.
std::string LockHint(const absl::Status& error);

// Returns a hint for a command that was not started because of an error: says
// so, and then the `next_step`, unless it is empty.
std::string NothingRunHint(absl::string_view next_step);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ERROR_TEXT_H_
