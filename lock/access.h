// SPDX-License-Identifier: Apache-2.0
//
// Access to the files o8lock makes: all users of the directory may use them,
// whatever the umask of the first one, and also after root.
#ifndef O8LOCK_LOCK_ACCESS_H_
#define O8LOCK_LOCK_ACCESS_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/file.h"

namespace o8lock {

// Gives `fd`, the new file or directory `path`, the access of its parent
// directory, up to `mode`. Classes with write permission for the parent get
// read and write permission, and search permission for a directory. Files of
// root get the parent's owner and group. Files of other users do not change.
// Errors: from stat(2), fchown(2) and fchmod(2).
absl::Status InheritAccess(const Fd& fd, const std::string& path, mode_t mode);

// Opens the regular file `path` with `flags`, as OpenRegular does, or makes it
// with InheritAccess. Never changes the access of an existing file: as root
// that would give away any file a user has put there. Errors: as OpenRegular
// and InheritAccess; kNotFound  another process keeps
//         removing it.
absl::StatusOr<Fd> OpenOrCreate(const std::string& path, int flags,
                                mode_t mode);

// Makes the directory `path`, unless it exists, and calls InheritAccess. Sets
// `created`, unless null, if it made it.
// Errors: kFailedPrecondition  `path` is no directory; others from the file
// system.
absl::Status MakeDirectory(const std::string& path, bool* created = nullptr);

// Whether this process may write `path` or, if it does not exist, make it with
// its parent directories.
// Errors: kPermissionDenied and others from faccessat(2), about the file or
//         directory in the way; its path goes to `in_the_way`, unless null.
// Changes nothing.
absl::Status CheckWritable(const std::string& path,
                           std::string* in_the_way = nullptr);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_ACCESS_H_
