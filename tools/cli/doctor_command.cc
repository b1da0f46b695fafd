// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/doctor_command.h"

#include "absl/status/statusor.h"
#include "lock/location.h"
#include "tools/cli/doctor.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/finding.h"
#include "tools/cli/locate.h"
#include "tools/cli/options.h"
#include "tools/cli/output.h"

namespace o8lock {

int DoctorCommand(const Options& options) {
  const absl::StatusOr<Location> location = LocateLock(options);
  if (!location.ok()) return FailToLocate(location.status());
  const Findings findings =
      Examine(*location, options.lock_file.empty() ? "." : location->Home());
  PrintOut(options.json ? DoctorJson(findings) : DoctorText(findings));
  for (const Finding& finding : findings) {
    if (finding.level == Finding::kFail) return kOsError;
  }
  return kSuccess;
}

}  // namespace o8lock
