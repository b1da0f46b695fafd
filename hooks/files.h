// SPDX-License-Identifier: Apache-2.0
//
// Files that git may read at any moment: each gets its name in one step, once
// it is complete. `path` is always absolute.
//
// Errors: from the file system, with operation and path. Never blocks.
// Thread-safe, except for two threads that write the same file.
#ifndef O8LOCK_HOOKS_FILES_H_
#define O8LOCK_HOOKS_FILES_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace o8lock {

// The beginning of a file's name until it is complete. No hook has such a name.
inline constexpr absl::string_view kFresh = ".o8lock-new.";

// Whether the name `path` exists. A dangling link does.
bool FileExists(const std::string& path);

// Whether `path` is an executable file, or a link to one.
bool IsExecutable(const std::string& path);

// Makes `path` a file with exactly this text and these permissions. A file that
// is like this already stays. On failure an older file stays as it is.
absl::Status PutFile(const std::string& path, absl::string_view text,
                     mode_t mode);

// Makes `path` a symbolic link to `target`, in the same way.
absl::Status PutLink(const std::string& path, const std::string& target);

// Removes a file that may be gone, also with the directory it was in.
absl::Status RemoveIfThere(const std::string& path);

// Makes the directory `path`, if it does not exist. Adds the permissions of its
// parent directory.
absl::Status MakeReadableDirectory(const std::string& path);

// Removes `path`, if it exists, with all that is in it. Follows no link.
absl::Status RemoveTree(const std::string& path);

// Whether `a` and `b` are files of the same content, or directories of such
// files. Links are not followed, and are the same as nothing.
bool IsSame(const std::string& a, const std::string& b);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_FILES_H_
