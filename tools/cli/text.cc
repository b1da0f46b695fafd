// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/text.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "lock/utf8.h"

namespace o8lock {
namespace {

// Appends the printable form of `text`. Returns whether it equals `text`.
bool AppendPrintable(absl::string_view text, std::string* result) {
  bool same = true;
  while (!text.empty()) {
    const Utf8Character c = DecodeUtf8(text);
    if (c.size == 0 || IsControl(c.code)) {
      const size_t size = std::max<size_t>(c.size, 1);
      for (const char byte : text.substr(0, size)) {
        absl::StrAppendFormat(result, "\\x%02x",
                              static_cast<unsigned char>(byte));
      }
      text.remove_prefix(size);
      same = false;
    } else if (IsInvisible(c.code)) {
      if (c.code > 0xffff) {
        absl::StrAppendFormat(result, "\\U%08x", c.code);
      } else {
        absl::StrAppendFormat(result, "\\u%04x", c.code);
      }
      text.remove_prefix(c.size);
      same = false;
    } else {
      absl::StrAppend(result, text.substr(0, c.size));
      text.remove_prefix(c.size);
    }
  }
  return same;
}

bool NeedsNoQuotes(absl::string_view argument) {
  return !argument.empty() &&
         std::all_of(argument.begin(), argument.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  absl::string_view("%+,-./:=@_").find(c) !=
                      absl::string_view::npos;
         });
}

std::string Quoted(absl::string_view argument) {
  if (NeedsNoQuotes(argument)) return std::string(argument);
  std::string printable;
  if (AppendPrintable(argument, &printable)) {
    return absl::StrCat("'", absl::StrReplaceAll(argument, {{"'", "'\\''"}}),
                        "'");
  }
  // bash, zsh and ksh read the escapes in $'...'.
  printable.clear();
  AppendPrintable(absl::StrReplaceAll(argument, {{"\\", "\\\\"}, {"'", "\\'"}}),
                  &printable);
  return absl::StrCat("$'", printable, "'");
}

}  // namespace

std::string Printable(absl::string_view text) {
  std::string result;
  AppendPrintable(text, &result);
  return result;
}

std::string ShellQuoted(const std::vector<std::string>& arguments) {
  std::string line;
  for (const std::string& argument : arguments) {
    absl::StrAppend(&line, line.empty() ? "" : " ", Quoted(argument));
  }
  return line;
}

std::string FitColumns(absl::string_view text, size_t columns) {
  size_t bytes = 0;
  for (size_t used = 0; bytes < text.size();) {
    const Utf8Character c = DecodeUtf8(text.substr(bytes));
    // Most characters from Hangul on are two columns wide.
    used += c.code < 0x1100 ? 1 : 2;
    if (used > columns) break;
    bytes += std::max<size_t>(c.size, 1);
  }
  return std::string(text.substr(0, bytes));
}

std::string FormatDuration(int64_t seconds) {
  seconds = std::max<int64_t>(seconds, 0);
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  if (minutes == 0) return absl::StrCat(seconds, "s");
  if (hours == 0) return absl::StrCat(minutes, "m ", seconds % 60, "s");
  if (hours < 24) return absl::StrCat(hours, "h ", minutes % 60, "m");
  return absl::StrCat(hours / 24, "d ", hours % 24, "h");
}

}  // namespace o8lock
