// SPDX-License-Identifier: Apache-2.0
//
// Whether a file system does what the lock rests on: found out by trying, since
// what a file system says of itself is no proof.
#ifndef O8LOCK_LOCK_PROBE_H_
#define O8LOCK_LOCK_PROBE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace o8lock {

struct Probe {
  // Two descriptions exclude each other, byte by byte, others can look, and an
  // unlock frees: OK; else what did not.
  absl::Status locks;
  // rename(2) replaces a file, link(2) does not, and both are seen at once: OK;
  // else what was not so.
  absl::Status names;
};

// Tries it with two files in `directory`, which are gone afterwards.
// Errors: from creating or removing these files, with operation and path.
// Does not block. Thread-safe, also towards runs that use locks in there.
absl::StatusOr<Probe> ProbeDirectory(const std::string& directory);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_PROBE_H_
