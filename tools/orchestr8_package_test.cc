// SPDX-License-Identifier: Apache-2.0
#include "tools/orchestr8_package.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/o8lock_testing.h"
#include "tools/orchestr8.h"

namespace o8lock {
namespace {

LocksItself Named(const std::string& name) {
  return FindOutWhetherItLocks({name, /*by_package_runner=*/false});
}

LocksItself Fetched(const std::string& name) {
  return FindOutWhetherItLocks({name, /*by_package_runner=*/true});
}

TEST(FindOutWhetherItLocksTest, LooksIntoThePackageOfTheProgram) {
  const TempDir dir;
  const std::string prelock = InstallOrchestr8(dir.File("prelock"), "prelock");
  const std::string v3 = InstallOrchestr8(dir.File("v3"), "v3");
  const std::string v4 = InstallOrchestr8(dir.File("v4"), "v4");
  EXPECT_EQ(Named(prelock), LocksItself::kNo);
  EXPECT_EQ(Named(v3), LocksItself::kYes);
  EXPECT_EQ(Named(v4), LocksItself::kYes);
  // As node is given it.
  EXPECT_EQ(Named(dir.File("v3/lib/node_modules/orchestr8/bin/cli.js")),
            LocksItself::kYes);
  // Also deeper than its scripts are today.
  std::filesystem::create_directories(
      dir.File("prelock/lib/node_modules/orchestr8/src/commands"));
  MakeFile(dir.File("prelock/lib/node_modules/orchestr8/src/commands/murm.js"),
           "const LOCK = '.claude/murm.lock';\n");
  EXPECT_EQ(Named(prelock), LocksItself::kYes);
}

TEST(FindOutWhetherItLocksTest, SearchesAsTheCommandIsSearchedFor) {
  const TempDir dir;
  InstallOrchestr8(dir.File("v3"), "v3");
  InstallOrchestr8(dir.File("prelock"), "prelock");
  const std::string path = getenv("PATH");
  setenv("PATH", absl::StrCat(dir.File("prelock/bin"), ":", path).c_str(), 1);
  EXPECT_EQ(Named("orchestr8"), LocksItself::kNo);
  setenv("PATH", absl::StrCat(dir.File("v3/bin"), ":", path).c_str(), 1);
  EXPECT_EQ(Named("orchestr8"), LocksItself::kYes);
  // npx looks into the packages of the project first.
  EXPECT_EQ(Fetched("orchestr8"), LocksItself::kUnknown);
  std::filesystem::create_directories(dir.File("shop/node_modules/.bin"));
  std::filesystem::create_directories(dir.File("shop/web"));
  std::filesystem::create_symlink(dir.File("prelock/bin/orchestr8"),
                                  dir.File("shop/node_modules/.bin/orchestr8"));
  ASSERT_EQ(chdir(dir.File("shop/web").c_str()), 0);
  EXPECT_EQ(Fetched("orchestr8"), LocksItself::kNo);
  // Of a version that it has to fetch nothing is known.
  EXPECT_EQ(Fetched("orchestr8@3"), LocksItself::kUnknown);
  ASSERT_EQ(chdir("/"), 0);
  setenv("PATH", path.c_str(), 1);
}

TEST(FindOutWhetherItLocksTest, OfAShimNothingIsKnown) {
  const TempDir dir;
  std::filesystem::create_directories(dir.File("shims"));
  MakeFile(dir.File("shims/orchestr8"), "#!/bin/sh\nexec x orchestr8\n", 0755);
  EXPECT_EQ(Named(dir.File("shims/orchestr8")), LocksItself::kUnknown);
  EXPECT_EQ(Named(dir.File("none")), LocksItself::kUnknown);
  // Nor of a package without scripts where they would be.
  MakeFile(dir.File("package.json"), "{}");
  EXPECT_EQ(Named(dir.File("shims/orchestr8")), LocksItself::kUnknown);
}

}  // namespace
}  // namespace o8lock
