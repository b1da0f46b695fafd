// SPDX-License-Identifier: Apache-2.0
//
// Takes the lock and prints "ready" and its pid. Then reads its exit code from
// a line of standard input. Exits with 75 if the lock is held.
#include <unistd.h>

#include <iostream>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lock/location.h"
#include "lock/lock.h"

int main() {
  const absl::StatusOr<o8lock::Location> location = o8lock::Locate({});
  if (!location.ok()) return 1;
  const absl::StatusOr<o8lock::Lock> lock =
      o8lock::Lock::Acquire(*location, {});
  if (absl::IsUnavailable(lock.status())) return 75;
  if (!lock.ok()) return 1;
  std::cout << "ready " << getpid() << std::endl;
  int code = 1;
  std::cin >> code;
  return code;
}
