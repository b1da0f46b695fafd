// SPDX-License-Identifier: Apache-2.0
//
// For fuzz targets: arguments, and a shell's reading of a line.
#ifndef O8LOCK_TOOLS_FUZZING_FUZZED_ARGUMENTS_H_
#define O8LOCK_TOOLS_FUZZING_FUZZED_ARGUMENTS_H_

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "lock/fuzzing.h"

namespace o8lock {

// The lines of `input`, or its NUL-separated parts. The latter form allows
// arguments with newlines.
inline std::vector<std::string> FuzzedArguments(absl::string_view input) {
  const char border = input.find('\0') == input.npos ? '\n' : '\0';
  absl::ConsumeSuffix(&input, absl::string_view(&border, 1));
  return absl::StrSplit(input, border);
}

// Removes one character, or one escape sequence of $'...', from `text` and
// returns its meaning. Supports only the forms Printable() and ShellQuoted()
// write.
inline std::string TakeUnescaped(absl::string_view& text) {
  size_t size = 1;
  if (text[0] == '\\') {
    Check(text.size() > 1, "something follows a backslash");
    size = text[1] == 'x' ? 4 : text[1] == 'u' ? 6 : text[1] == 'U' ? 10 : 2;
  }
  const absl::string_view escaped = text.substr(0, size);
  text.remove_prefix(escaped.size());
  if (size == 1) return std::string(escaped);
  std::string result;
  Check(absl::CUnescape(escaped, &result), "an escape is whole");
  return result;
}

// Splits `line` into arguments as bash does. Supports only the forms
// ShellQuoted() writes.
inline std::vector<std::string> Unquoted(absl::string_view line) {
  std::vector<std::string> arguments;
  while (!line.empty()) {
    std::string argument;
    while (!line.empty() && line[0] != ' ') {
      const bool dollar = absl::ConsumePrefix(&line, "$");
      if (absl::ConsumePrefix(&line, "'")) {
        while (!absl::ConsumePrefix(&line, "'")) {
          Check(!line.empty(), "a quote is closed");
          if (dollar) {
            argument += TakeUnescaped(line);
          } else {
            argument += line[0];
            line.remove_prefix(1);
          }
        }
        continue;
      }
      Check(!dollar, "a dollar sign is quoted");
      if (!absl::ConsumePrefix(&line, "\\")) {
        Check(absl::ascii_isalnum(static_cast<unsigned char>(line[0])) ||
                  absl::string_view("%+,-./:=@_").find(line[0]) !=
                      absl::string_view::npos,
              "a special character is quoted");
      }
      Check(!line.empty(), "something follows a backslash");
      argument += line[0];
      line.remove_prefix(1);
    }
    arguments.push_back(argument);
    if (absl::ConsumePrefix(&line, " ")) {
      Check(!line.empty(), "a blank is between words");
    }
  }
  return arguments;
}

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_FUZZING_FUZZED_WORDS_H_
