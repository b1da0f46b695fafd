// SPDX-License-Identifier: Apache-2.0
//
// The hooks directory that git uses while the lock is taken
// (Mechanism::kDirectory). It contains one stand-in for each hook. A stand-in
// looks up where git would find the user's hook of the same name now, and runs
// it. Links beside the stand-ins lead to the other files of the user's
// directory, because a hook may use them.
//
// Errors: from the file system. Never blocks. Thread-safe, except for two
// threads changing the same directory.
#ifndef O8LOCK_HOOKS_HOOK_DIRECTORY_H_
#define O8LOCK_HOOKS_HOOK_DIRECTORY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hooks/git_settings.h"

namespace o8lock {

// Fills `own`, o8lock's hooks directory, with stand-ins and with links to the
// other files in `path`. Keeps files of other programs.
absl::Status PutHooks(const std::string& own, const HooksPath& path);

// Moves files of other programs from `own` to `directory`, and creates
// `directory` if necessary. They come from installers that asked git for the
// hooks directory during a run.
//   - Lines written into a stand-in become a hook of their own.
//   - If `directory` has another file of this name, both stay, and the moved
//     one gets the suffix kPutAside.
//   - A file with the same content is removed: a tool that follows links has
//     copied `own`.
//   - A stand-in that a program has moved to a directory below `directory` is
//     removed.
//   - If `own` was replaced by a link, the link is moved, and nothing in its
//     target is touched.
// Errors:
//   kAborted        A file cannot be moved and stays in `own`. The others are
//                   moved.
//   kAlreadyExists  A file got the suffix kPutAside.
absl::Status MoveUserHooks(const std::string& own,
                           const std::string& directory);

// Calls MoveUserHooks, then removes `own` except for files it could not move.
// Errors: as MoveUserHooks.
absl::Status RemoveHooks(const std::string& own, const std::string& directory);

// A value that changes if a name in `own` is added or removed, and if the text
// of a hook in it changes.
std::string ChangesIn(const std::string& own);

// The suffix of a file moved next to another file of its name.
inline constexpr absl::string_view kPutAside = ".from-o8lock";

// The files the user has to look at: those in `directory` with this suffix, and
// those that cannot be moved from `own`.
std::vector<std::string> PutAside(const std::string& own,
                                  const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOK_DIRECTORY_H_
