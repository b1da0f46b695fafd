// SPDX-License-Identifier: Apache-2.0
#ifndef O8LOCK_LOCK_VERSION_H_
#define O8LOCK_LOCK_VERSION_H_

namespace o8lock {

// The version of o8lock. A test compares it with MODULE.bazel's.
inline constexpr char kVersion[] = "0.2.0";

}  // namespace o8lock

#endif  // O8LOCK_LOCK_VERSION_H_
