// SPDX-License-Identifier: Apache-2.0
//
// The names of what the hooks have in <common dir>/o8lock, beside the guard.
// What is in those files is said in installation.h.
//
// Nothing here reads or changes a file. Thread-safe.
#ifndef O8LOCK_HOOKS_LAYOUT_H_
#define O8LOCK_HOOKS_LAYOUT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "lock/location.h"

namespace o8lock {

// The link that the repository's configuration includes, as it says it there:
// relative to the common directory.
inline constexpr absl::string_view kInclude = "o8lock/armed.inc";

std::string OwnDirectory(const Location& location);

// What git reads while the lock is free, and while it is taken.
std::string FreePath(const Location& location);
std::string LockedPath(const Location& location);

// The directory of hooks that git uses while the lock is taken.
std::string OwnHooks(const Location& location);

// The directory with the copy of the program, and that copy.
std::string OwnBin(const std::string& common_dir);
std::string OwnCopy(const std::string& common_dir);

// The hook post-checkout in `directory`.
std::string PostCheckoutIn(const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_LAYOUT_H_
