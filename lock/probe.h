// SPDX-License-Identifier: Apache-2.0
//
// Whether a file system has the properties the lock relies on. This is tested
// by trying, because a file system's own claims are no proof.
#ifndef O8LOCK_LOCK_PROBE_H_
#define O8LOCK_LOCK_PROBE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace o8lock {

struct Probe {
  // OK: two descriptions exclude each other, byte by byte; others can see a
  // lock; and unlocking frees it. Otherwise the failed check.
  absl::Status locks;
  // OK: rename(2) replaces a file, link(2) does not, and both take effect at
  // once. Otherwise the failed check.
  absl::Status names;
};

// Tests these with two files in `directory`, and removes them.
// Errors: from creating or removing these files, with operation and path.
// Does not block. Thread-safe, even with runs using locks in `directory`.
absl::StatusOr<Probe> ProbeDirectory(const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_PROBE_H_
