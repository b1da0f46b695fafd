// SPDX-License-Identifier: Apache-2.0
//
// The similarity of two words, to recognise misspelt ones. Thread-safe.
#ifndef O8LOCK_HOOKS_EDIT_DISTANCE_H_
#define O8LOCK_HOOKS_EDIT_DISTANCE_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace o8lock {

// Returns the minimum number of letters to insert, delete, replace or swap with
// the next one to turn `a` into `b`. The time grows with the product of their
// lengths.
size_t EditDistance(absl::string_view a, absl::string_view b);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_EDIT_DISTANCE_H_
