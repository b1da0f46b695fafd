// SPDX-License-Identifier: Apache-2.0
//
// What o8lock does for a run's lock while the command runs.
#ifndef O8LOCK_TOOLS_CLI_LOCK_OBSERVER_H_
#define O8LOCK_TOOLS_CLI_LOCK_OBSERVER_H_

#include <sys/types.h>

#include <optional>

#include "lock/location.h"
#include "lock/lock.h"
#include "lock/watch.h"
#include "tools/cli/child.h"

namespace o8lock {

// Looks after a run's lock while its command runs: puts the lock file back in
// place, and tells, once, of an override and of what happened to the lock file.
class LockObserver : public RunObserver {
 public:
  // For `lock`, of `location`, which both have to outlive it. With `quiet`
  // nothing is told.
  LockObserver(Lock& lock, const Location& location, bool quiet)
      : lock_(lock), location_(location), quiet_(quiet) {}

  void Started(pid_t command) override;
  int StartWatching() override;
  void OnReadable() override;

  // Whether the lock was seen to be overridden, of which the user has been told
  // then.
  bool told_overridden() const { return overridden_; }

 private:
  void TellOf(const Interference& found);

  Lock& lock_;
  const Location& location_;
  const bool quiet_;
  std::optional<Watch> watch_;
  bool overridden_ = false;
  bool interfered_ = false;
};

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_LOCK_OBSERVER_H_
