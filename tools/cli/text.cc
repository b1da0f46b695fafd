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

namespace o8lock {
namespace {

struct Character {
  size_t size = 0;  // in bytes; 0: no UTF-8
  uint32_t code = 0;
};

Character Decode(absl::string_view text) {
  const auto byte = [text](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  if (byte(0) < 0x80) return {1, byte(0)};
  const size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || size > text.size()) return {};
  uint32_t code = byte(0) & (0xffU >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  // Too long a form, a surrogate, beyond Unicode.
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[size] || (code >= 0xd800 && code < 0xe000) ||
      code > 0x10ffff) {
    return {};
  }
  return {size, code};
}

bool IsInvisible(uint32_t code) {
  return code == 0xad || code == 0x61c || code == 0x180e ||
         (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
         (code >= 0xe0000 && code <= 0xe0fff);
}

// Appends the printable form of `text` and tells whether that is `text`.
bool AppendPrintable(absl::string_view text, std::string* result) {
  bool same = true;
  while (!text.empty()) {
    const Character c = Decode(text);
    if (c.size == 0 || c.code < 0x20 || (c.code >= 0x7f && c.code < 0xa0)) {
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

bool NeedsNoQuotes(absl::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::string_view("%+,-./:=@_").find(c) != absl::string_view::npos;
  });
}

std::string Quoted(absl::string_view word) {
  if (NeedsNoQuotes(word)) return std::string(word);
  std::string printable;
  if (AppendPrintable(word, &printable)) {
    return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
  }
  // bash, zsh and ksh read the escapes in $'...'.
  printable.clear();
  AppendPrintable(absl::StrReplaceAll(word, {{"\\", "\\\\"}, {"'", "\\'"}}),
                  &printable);
  return absl::StrCat("$'", printable, "'");
}

}  // namespace

std::string Printable(absl::string_view text) {
  std::string result;
  AppendPrintable(text, &result);
  return result;
}

std::string ShellQuoted(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    absl::StrAppend(&line, line.empty() ? "" : " ", Quoted(word));
  }
  return line;
}

std::string Clip(absl::string_view text, size_t columns) {
  size_t bytes = 0;
  for (size_t used = 0; bytes < text.size();) {
    const Character c = Decode(text.substr(bytes));
    // From Hangul on most are two columns wide.
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
