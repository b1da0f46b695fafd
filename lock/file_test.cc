// SPDX-License-Identifier: Apache-2.0
#include "lock/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

volatile sig_atomic_t leased = -1;

void GiveLeaseBack(int) { fcntl(leased, F_SETLEASE, F_UNLCK); }

// A file server takes such leases.
TEST(OpenRegularTest, WaitsForALease) {
  const TempDir temp;
  const std::string path = temp.File("file");
  MakeFile(path, "text");
  leased = open(path.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(leased, 0);
  struct sigaction action = {};
  action.sa_handler = GiveLeaseBack;
  ASSERT_EQ(sigaction(SIGIO, &action, nullptr), 0);
  if (fcntl(leased, F_SETLEASE, F_WRLCK) != 0) {
    GTEST_SKIP() << "this file system has no leases";
  }
  EXPECT_EQ(ReadFile(path).value_or(""), "text");
  close(leased);
}

}  // namespace
}  // namespace o8lock
