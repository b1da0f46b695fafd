// SPDX-License-Identifier: Apache-2.0
//
// Files that git may read at any moment: each is put in place in one step, or
// not at all. `path` is absolute in all of these.
//
// Errors are the file system's, with operation and path. Never blocks.
// Thread-safe, but for two threads that put the same file.
#ifndef O8LOCK_HOOKS_FILES_H_
#define O8LOCK_HOOKS_FILES_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace o8lock {

// What the name of a file begins with until it is complete: nobody takes that
// for a hook.
inline constexpr absl::string_view kFresh = ".o8lock-new.";

// Whether there is something of the name `path`, be it a dangling link.
bool FileExists(const std::string& path);

// Whether `path` is, or leads to, a program.
bool IsExecutable(const std::string& path);

// Puts a new file `path` in place, with exactly the permissions `mode`. One
// that is so already stays. On failure a file that was there is as before.
absl::Status PutFile(const std::string& path, absl::string_view text,
                     mode_t mode);

// The same for a link to `target`.
absl::Status PutLink(const std::string& path, const std::string& target);

// Removes a file that may be gone, also with the directory it was in.
absl::Status RemoveIfThere(const std::string& path);

// Makes the directory `path`, where it is not there. All who may read the
// directory it is in may read it as well.
absl::Status MakeReadableDirectory(const std::string& path);

// Removes the directory `path`, which may be gone, with the files in it.
absl::Status RemoveDirectory(const std::string& path);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_FILES_H_
