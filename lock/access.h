// SPDX-License-Identifier: Apache-2.0
//
// Who may use the files that o8lock makes: everybody who may use the directory
// they are in. A umask is one person's, and root's files are nobody else's.
#ifndef O8LOCK_LOCK_ACCESS_H_
#define O8LOCK_LOCK_ACCESS_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "lock/file.h"

namespace o8lock {

// Gives `fd`, the file or directory `path` that this process has just made, the
// access of the directory it is in: whoever may write that may read and write
// this, as far as `mode` goes, which it was made with, and search it if it is a
// directory; made by root, it gets that owner and group. What was made by
// another user before stays as it is.
// Errors: from stat(2), fchown(2) and fchmod(2).
absl::Status InheritAccess(const Fd& fd, const std::string& path, mode_t mode);

// Makes the directory `path`, where it is not there, with InheritAccess. Says
// in `created`, unless null, if it was not.
// Errors: kFailedPrecondition  there is something else; others from the file
// system.
absl::Status MakeDirectory(const std::string& path, bool* created = nullptr);

// Whether a process like this one may write `path` or, where that does not
// exist, make it and the directories it is in.
// Errors: kPermissionDenied and others from faccessat(2), about the file or
//         directory that is in the way; `in_the_way`, unless null, is that.
// Changes nothing.
absl::Status CheckWritable(const std::string& path,
                           std::string* in_the_way = nullptr);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_ACCESS_H_
