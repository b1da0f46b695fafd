// SPDX-License-Identifier: Apache-2.0
//
// The directory of hooks that git uses while the lock is taken
// (Mechanism::kDirectory). Each hook in it runs the user's hook of its name,
// wherever git would find that now; beside them are links to all that the
// user's directory has: a hook may use its own.
//
// Errors: from the file system. Never blocks. Thread-safe, except for two
// threads that change the same directory.
#ifndef O8LOCK_HOOKS_HOOK_DIRECTORY_H_
#define O8LOCK_HOOKS_HOOK_DIRECTORY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hooks/git_settings.h"

namespace o8lock {

// Fills `own`, this directory, with stand-ins, and links to all else in `path`.
// Files of other programs stay.
absl::Status PutHooks(const std::string& own, const HooksPath& path);

// Moves other programs' files from `own` to `directory`, which it makes. An
// installer that asked git for the hooks directory during a run has put them
// into `own`; lines that were written into a stand-in become one. If
// there is another file of this name, both stay: the moved one gets kPutAside.
// What is the same goes: a tool that follows links has copied `own`. Stand-ins
// that a program has moved to a directory below `directory` go too.
// Errors: kAborted  a file cannot be moved: it stays, and the others are moved;
// kAlreadyExists  a file got kPutAside.
absl::Status MoveUserHooks(const std::string& own,
                           const std::string& directory);

// Calls MoveUserHooks, with the errors of that, and removes what is left of
// `own` but for what cannot be moved.
absl::Status RemoveHooks(const std::string& own, const std::string& directory);

// Changes with every change of `own` and of a file in it.
std::string ChangesIn(const std::string& own);

// The end of the name of a file that could not have its own.
inline constexpr absl::string_view kPutAside = ".from-o8lock";

// The files that wait for the user: those in `directory` with this end, and
// those that cannot be moved from `own`.
std::vector<std::string> PutAside(const std::string& own,
                                  const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOK_DIRECTORY_H_
