// SPDX-License-Identifier: Apache-2.0
//
// What may keep the lock from working here, and what to do about it.
#ifndef O8LOCK_TOOLS_DOCTOR_H_
#define O8LOCK_TOOLS_DOCTOR_H_

#include <string>
#include <vector>

#include "lock/location.h"

namespace o8lock {

struct Finding {
  enum Level { kOk, kWarn, kFail };
  Level level;
  std::string text;
  std::string hint;  // empty for kOk
};

// Tries the directories of the lock at `location`. Creates files in them, which
// are gone afterwards; takes no lock that a run could want.
std::vector<Finding> Examine(const Location& location);

// The line of each finding, with its hint below; printable.
std::string DoctorText(const std::vector<Finding>& findings);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_DOCTOR_H_
