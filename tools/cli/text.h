// SPDX-License-Identifier: Apache-2.0
//
// Text for terminals and for shells. What comes from a file, a command line or
// a user's name may hold anything; on a terminal it must not do anything.
#ifndef O8LOCK_TOOLS_CLI_TEXT_H_
#define O8LOCK_TOOLS_CLI_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace o8lock {

// `text` with everything that is no visible character escaped: control
// characters and bytes that are no UTF-8 as \x1b, characters that change the
// direction or hide (U+202E...) as \u202e.
std::string Printable(absl::string_view text);

// `words` as one line that a shell reads as these words, printable.
std::string ShellQuoted(const std::vector<std::string>& words);

// As much of the printable `text` as fits `columns` of a terminal.
std::string FitColumns(absl::string_view text, size_t columns);

// "5s", "12m 4s", "3h 12m", "2d 4h"; "0s" for what is negative.
std::string FormatDuration(int64_t seconds);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_TEXT_H_
