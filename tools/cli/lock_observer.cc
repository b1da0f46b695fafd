// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/lock_observer.h"

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/watch.h"
#include "tools/cli/output.h"
#include "tools/cli/run_text.h"

namespace o8lock {

void LockObserver::Started(pid_t command) {
  // Helps only if this process is killed; the run works equally well without
  // it.
  lock_.NameCommand(command).IgnoreError();
}

int LockObserver::StartWatching() {
  absl::StatusOr<Watch> watch = Watch::Create();
  // The user gets the warning of a later change at the end instead.
  if (!watch.ok()) return -1;
  watch_.emplace(*std::move(watch));
  return watch_->fd();
}

void LockObserver::OnReadable() {
  // Repeat if the lock file was gone: its directory may have been gone too, and
  // the new one is not yet watched.
  bool vanished = true;
  while (vanished) {
    // Watch first, then check, so that no change is missed in between.
    if (watch_.has_value()) WatchDirectories();
    const absl::StatusOr<Interference> found = lock_.CheckIntegrity();
    if (!found.ok()) return;  // an error of importance recurs at the end
    vanished = watch_.has_value() && (found->vanished || found->guard_vanished);
    WarnAbout(*found);
  }
}

void LockObserver::WatchDirectories() {
  watch_->Drain();
  // Ignore writes beside the guard: this process writes there itself.
  const std::vector<std::string> directories = lock_.Directories();
  for (const std::string& directory : directories) {
    watch_->Add(directory, directory == directories[0]
                               ? Watch::Report::kNames
                               : Watch::Report::kWrites);
  }
}

void LockObserver::WarnAbout(const Interference& found) {
  if (found.overridden) {
    if (!overridden_ && !quiet_) PrintError(OverriddenText(*found.by));
    overridden_ = true;
  } else if (found.vanished || found.guard_vanished || found.guard_lost ||
             found.replaced.has_value()) {
    if (!interfered_ && !quiet_) {
      PrintError(InterferenceText(found, location_));
    }
    interfered_ = true;
  }
}

}  // namespace o8lock
