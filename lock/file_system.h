// SPDX-License-Identifier: Apache-2.0
//
// The kind of file system a file is on. Does not block. Thread-safe.
#ifndef O8LOCK_LOCK_FILE_SYSTEM_H_
#define O8LOCK_LOCK_FILE_SYSTEM_H_

#include <string>

#include "lock/file.h"

namespace o8lock {

// The kind of file system `path` is on, such as "ext4" (also for ext2 and
// ext3); "unknown" if it is not a common one or cannot be read.
std::string FileSystemOf(const std::string& path);

// Whether only this kernel can reach the file system of `fd`, so its locks
// exclude everyone. False if unknown.
bool IsLocal(const Fd& fd);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_FILE_SYSTEM_H_
