// SPDX-License-Identifier: Apache-2.0
//
// The paths of the hooks' files. Most of them are in <common dir>/o8lock;
// installation.h describes their content.
//
// No function reads or changes a file. Thread-safe.
#ifndef O8LOCK_HOOKS_LAYOUT_H_
#define O8LOCK_HOOKS_LAYOUT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "lock/location.h"

namespace o8lock {

// The link that the repository's configuration includes, relative to the common
// directory; and the file that locked.inc includes only in the place it was
// made for.
inline constexpr absl::string_view kInclude = "o8lock/armed.inc";
inline constexpr absl::string_view kHereFile = "here.inc";

// The beginning of the self-test's names in OwnDirectory. No lock's name has
// the dot.
inline constexpr absl::string_view kSelfTest = ".self-test-";

// The script run by all hooks in OwnHooks, beside that directory.
inline constexpr absl::string_view kStandInFile = "stand-in.sh";

// OwnHooks, relative to the common directory.
inline constexpr absl::string_view kOwnHooksName = "o8lock/hooks";

// The suffixes that pre-commit (.legacy) and lefthook (.old) add when they
// rename a user's hook. pre-commit still calls the renamed hook.
inline constexpr absl::string_view kLegacy = ".legacy";
inline constexpr absl::string_view kOld = ".old";

std::string OwnDirectory(const Location& location);

// The paths of free.inc, locked.inc and here.inc.
std::string FreePath(const Location& location);
std::string LockedPath(const Location& location);
std::string HerePath(const Location& location);

// The path of kStandInFile.
std::string StandInPath(const Location& location);

// Where git looks for hooks without a setting.
std::string DefaultHooks(const Location& location);

// The hooks directory git uses while the lock is taken.
std::string OwnHooks(const Location& location);

// The directory of the program's copy, and the copy.
std::string OwnBin(const std::string& common_dir);
std::string OwnCopy(const std::string& common_dir);

// The hook post-checkout in `directory`.
std::string PostCheckoutIn(const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_LAYOUT_H_
