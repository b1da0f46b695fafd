// SPDX-License-Identifier: Apache-2.0
#include "lock/probe.h"

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

TEST(ProbeDirectoryTest, FindsThisOneGoodAndLeavesNothing) {
  const TempDir dir;
  const absl::StatusOr<Probe> probe = ProbeDirectory(dir.path());
  ASSERT_TRUE(probe.ok()) << probe.status();
  EXPECT_EQ(probe->locks, absl::OkStatus());
  EXPECT_EQ(probe->names, absl::OkStatus());
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(ProbeDirectoryTest, SaysThatNothingCanBeCreated) {
  const TempDir dir;
  const std::string gone = dir.File("gone");
  const absl::Status status = ProbeDirectory(gone).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message().find(
                absl::StrCat("cannot open '", gone, "/.o8lock-probe.")),
            0u)
      << status;
}

}  // namespace
}  // namespace o8lock
