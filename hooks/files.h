// SPDX-License-Identifier: Apache-2.0
//
// Writes files that git may read at any moment. A file appears under its name
// in one step, once it is complete. `path` is always absolute.
//
// Errors: from the file system, with operation and path. Never blocks.
// Thread-safe, except for two threads writing the same file.
#ifndef O8LOCK_HOOKS_FILES_H_
#define O8LOCK_HOOKS_FILES_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace o8lock {

// The prefix of a file's name until the file is complete. No hook has this
// prefix.
inline constexpr absl::string_view kFresh = ".o8lock-new.";

// Whether the name `path` exists. True for a dangling link.
bool FileExists(const std::string& path);

// Whether `path` is a symbolic link.
bool IsLink(const std::string& path);

// Whether `path` is an executable file, or a link to one.
bool IsExecutable(const std::string& path);

// Makes `path` a file with exactly this text and these permissions. Does not
// write a file that already matches. On failure an older file stays as it is.
absl::Status PutFile(const std::string& path, absl::string_view text,
                     mode_t mode);

// Makes `path` a symbolic link to `target`, in the same way as PutFile.
absl::Status PutLink(const std::string& path, const std::string& target);

// Creates the directory `path` if it does not exist, and adds the permissions
// of its parent directory.
absl::Status MakeReadableDirectory(const std::string& path);

// Removes `path` with its whole content, if it exists. Follows no link.
absl::Status RemoveTree(const std::string& path);

// Whether `a` and `b` are files with the same content, or directories of such
// files. Does not follow links: a link never matches.
bool IsSame(const std::string& a, const std::string& b);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_FILES_H_
