// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/waiting.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "lock/file.h"
#include "lock/location.h"
#include "lock/lock_status.h"
#include "lock/process.h"
#include "lock/wait.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/output.h"
#include "tools/cli/run_text.h"
#include "tools/cli/text.h"

namespace o8lock {
namespace {

// Moves to the beginning of the line, and clears it.
constexpr absl::string_view kClearLine = "\r\x1b[K";

// Returns the number of columns of the terminal.
int Columns() {
  struct winsize size;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return 80;
  }
  return size.ws_col;
}

}  // namespace

Waiting::Waiting(std::optional<absl::Duration> time, bool quiet)
    : time_(time),
      quiet_(quiet),
      terminal_(IsTerminal(STDERR_FILENO)),
      since_(NowTicks()) {}

absl::StatusOr<Fd> Waiting::For(const Location& location,
                                const LockStatus& found) {
  WaitOptions options;
  options.since = since_;
  if (time_.has_value()) {
    options.give_up = since_ + TicksOf(absl::ToInt64Nanoseconds(*time_));
  }
  if (!quiet_) {
    Show(found);
    options.report = [this](const LockStatus& now) { Show(now); };
    options.every_second = terminal_;
  }
  absl::StatusOr<Fd> turn = WaitFor(location, found, options);
  if (!quiet_ && terminal_) PrintError(kClearLine);
  return turn;
}

int64_t Waiting::Seconds() const {
  return (NowTicks() - since_) / kTicksPerSecond;
}

std::optional<int64_t> Waiting::Limit() const {
  if (!time_.has_value()) return std::nullopt;
  return absl::ToInt64Seconds(absl::Ceil(*time_, absl::Seconds(1)));
}

void Waiting::Show(const LockStatus& found) {
  const bool first = !shown_.has_value();
  if (terminal_) {
    // One column less: some terminals start a new line after the last one.
    PrintError(absl::StrCat(
        kClearLine, FitColumns(WaitingLine(found, GetNow(), Seconds(), Limit()),
                               static_cast<size_t>(Columns() - 1))));
  } else if (first || !SameRun(*shown_, found)) {
    PrintError(WaitingText(found, Limit(), first));
  }
  shown_ = found;
}

}  // namespace o8lock
