// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/status_command.h"

#include <unistd.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "lock/location.h"
#include "lock/lock_status.h"
#include "tools/cli/access_hint.h"
#include "tools/cli/error_text.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/locate.h"
#include "tools/cli/options.h"
#include "tools/cli/output.h"
#include "tools/cli/report.h"
#include "tools/cli/status_json.h"
#include "tools/cli/status_text.h"
#include "tools/cli/text.h"

namespace o8lock {

int StatusCommand(const Options& options) {
  const absl::StatusOr<Location> location = LocateLock(options);
  if (!location.ok()) return FailToLocate(location.status());
  const absl::StatusOr<RepositoryReport> report =
      CollectReport(*location, NameOf(options), OwnTokens());
  if (!report.ok()) return FailToLock(report.status(), *location);
  PrintOut(options.json
               ? StatusJson(*report, GetNow())
               : StatusText(*report, GetNow(), InColor(STDOUT_FILENO)));
  const LockStatus& found = report->lock.found;
  if (IsClosed(found)) {
    PrintError(HintText(AccessHint(*location)));
  } else if (found.state <= LockState::kStale && !options.quiet) {
    const absl::Status access = CheckAccess(*location);
    if (!access.ok()) {
      PrintError(absl::StrCat("o8lock: warning: you cannot start a run here: ",
                              Printable(access.message()), "\n",
                              HintText(HintAt(*location, access))));
    }
  }
  return found.state > LockState::kStale && !found.own
             ? options.conflict_exit_code
             : kSuccess;
}

}  // namespace o8lock
