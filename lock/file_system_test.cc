// SPDX-License-Identifier: Apache-2.0
#include "lock/file_system.h"

#include <fcntl.h>

#include "gtest/gtest.h"
#include "lock/file.h"

namespace o8lock {
namespace {

TEST(FileSystemOfTest, KnowsTheUsualKinds) {
  EXPECT_EQ(FileSystemOf("/proc/self"), "proc");
  EXPECT_EQ(FileSystemOf("/proc"), "proc");
  EXPECT_EQ(FileSystemOf("/dev/shm"), "tmpfs");
  EXPECT_EQ(FileSystemOf("/none"), "unknown");
}

TEST(IsLocalTest, IsSaidOfWhatNoOtherKernelReaches) {
  EXPECT_TRUE(IsLocal(Fd(open("/dev/shm", O_RDONLY | O_CLOEXEC))));
  EXPECT_FALSE(IsLocal(Fd(open("/proc", O_RDONLY | O_CLOEXEC))));
  EXPECT_FALSE(IsLocal(Fd()));
}

}  // namespace
}  // namespace o8lock
