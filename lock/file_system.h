// SPDX-License-Identifier: Apache-2.0
//
// What kind of file system a file is on. Does not block. Thread-safe.
#ifndef O8LOCK_LOCK_FILE_SYSTEM_H_
#define O8LOCK_LOCK_FILE_SYSTEM_H_

#include <string>

#include "lock/file.h"

namespace o8lock {

// The kind of the file system that `path` is on, such as "ext4" (which ext2 and
// ext3 are called too); "unknown" where that is none of the usual ones or
// cannot be told.
std::string FileSystemOf(const std::string& path);

// Whether only this kernel can reach the file system that `fd` is on, so that
// its locks are everybody's. False where that cannot be told.
bool IsLocal(const Fd& fd);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_FILE_SYSTEM_H_
