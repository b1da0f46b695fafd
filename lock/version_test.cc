// SPDX-License-Identifier: Apache-2.0
#include "lock/version.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

TEST(VersionTest, IsTheModules) {
  const std::string module = Contents(PathFromEnv("MODULE"));
  EXPECT_NE(module.find(absl::StrCat("    version = \"", kVersion, "\",\n")),
            std::string::npos);
}

}  // namespace
}  // namespace o8lock
