// SPDX-License-Identifier: Apache-2.0
//
// Text for terminals and for shells. Text from a file, a command line or a user
// name may hold anything, but must not control the terminal.
#ifndef O8LOCK_TOOLS_CLI_TEXT_H_
#define O8LOCK_TOOLS_CLI_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace o8lock {

// Returns `text` with its invisible characters escaped. Control characters and
// bytes outside UTF-8 become escapes like \x1b. Hidden characters and those
// that change the direction (U+202E...) become escapes like \u202e.
std::string Printable(absl::string_view text);

// Returns `arguments` as one line, printable. A shell reads it as the same
// arguments.
std::string ShellQuoted(const std::vector<std::string>& arguments);

// Returns as much of the printable `text` as fits `columns` of a terminal.
std::string FitColumns(absl::string_view text, size_t columns);

// Returns "5s", "12m 4s", "3h 12m" or "2d 4h"; "0s" for a negative number.
std::string FormatDuration(int64_t seconds);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_TEXT_H_
