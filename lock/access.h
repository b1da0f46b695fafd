// SPDX-License-Identifier: Apache-2.0
//
// File access: all users of a directory can use the files o8lock makes in it.
// Neither the first user's umask nor a first start by root changes this.
#ifndef O8LOCK_LOCK_ACCESS_H_
#define O8LOCK_LOCK_ACCESS_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/file.h"

namespace o8lock {

// Extends the access to `fd`, the new file or directory `path`, to match its
// parent directory, within `mode`. The owner, and classes with write permission
// for the parent, get read and write permission. On a directory they also get
// search permission. Root's files get the parent's owner and group. Other
// users' files do not change. Errors: from stat(2), fchown(2) and fchmod(2).
absl::Status InheritAccess(const Fd& fd, const std::string& path, mode_t mode);

// Opens the regular file `path` with `flags`, as OpenRegular does, or creates
// it with InheritAccess. Never changes the access of an existing file: as root
// this would give away any file a user has put there.
// Errors: kNotFound  another process keeps removing the file;
//         others     as OpenRegular and InheritAccess.
absl::StatusOr<Fd> OpenOrCreate(const std::string& path, int flags,
                                mode_t mode);

// Creates the directory `path`, unless it exists, and calls InheritAccess. Sets
// `created`, unless null, if this call created it.
// Errors: kFailedPrecondition  `path` is not a directory;
//         others               from the file system.
absl::Status MakeDirectory(const std::string& path, bool* created = nullptr);

// The name of `user`, only from /etc/passwd: getpwuid(3) needs shared
// libraries, and may ask the network. The number if it is not there.
std::string UserName(uid_t user);

// Checks whether this process may write `path` or, if `path` does not exist,
// create it with its parent directories.
// Errors: kPermissionDenied  this process may not write the file or directory
//                            in the way; its path goes to `in_the_way`, unless
//                            null;
//         others             from faccessat(2), with `in_the_way` as above.
// Changes nothing.
absl::Status CheckWritable(const std::string& path,
                           std::string* in_the_way = nullptr);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_ACCESS_H_
