// SPDX-License-Identifier: Apache-2.0
//
// Characters of texts with any bytes.
#ifndef O8LOCK_LOCK_UTF8_H_
#define O8LOCK_LOCK_UTF8_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace o8lock {

struct Utf8Character {
  size_t size = 0;  // in bytes; 0: not UTF-8
  uint32_t code = 0;
};

// The first character of `text`. REQUIRES: `text` is not empty.
Utf8Character DecodeUtf8(absl::string_view text);

// Whether a terminal may interpret the character (C0, C1 and DEL).
bool IsControl(uint32_t code);

// Whether the character is invisible, or changes the direction of visible ones.
bool IsInvisible(uint32_t code);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_UTF8_H_
