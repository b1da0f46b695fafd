// SPDX-License-Identifier: Apache-2.0
//
// Watches a run's lock while the command runs.
#ifndef O8LOCK_TOOLS_CLI_LOCK_OBSERVER_H_
#define O8LOCK_TOOLS_CLI_LOCK_OBSERVER_H_

#include <sys/types.h>

#include <optional>

#include "lock/location.h"
#include "lock/lock.h"
#include "lock/watch.h"
#include "tools/cli/child.h"

namespace o8lock {

// Puts the lock file back in place if it vanishes. Warns once about an override
// and once about interference with the lock file.
class LockObserver : public RunObserver {
 public:
  // Watches `lock` of `location`. Both must outlive this object. With `quiet`
  // it prints nothing.
  LockObserver(Lock& lock, const Location& location, bool quiet)
      : lock_(lock), location_(location), quiet_(quiet) {}

  void Started(pid_t command) override;
  int StartWatching() override;
  void OnReadable() override;

  // Whether it noticed an override of the lock. It warned the user then.
  bool warned_of_override() const { return overridden_; }

 private:
  // REQUIRES: `watch_` has a value.
  void WatchDirectories();
  void WarnAbout(const Interference& found);

  Lock& lock_;
  const Location& location_;
  const bool quiet_;
  std::optional<Watch> watch_;
  bool overridden_ = false;
  bool interfered_ = false;
};

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_LOCK_OBSERVER_H_
