// SPDX-License-Identifier: Apache-2.0
//
// What `bazel run //hooks:install` runs, as it runs it.
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

// Started among the runfiles, for a user who is in `directory`.
Result BazelRun(const std::string& directory, Argv args) {
  args.insert(args.begin(), PathFromEnv("INSTALL"));
  ProcessOptions options = In(std::string());
  if (!directory.empty()) options.env["BUILD_WORKING_DIRECTORY"] = directory;
  options.unset_env.push_back("BUILD_WORKING_DIRECTORY");
  return Call(args, options);
}

TEST(BazelRunTest, InstallsChecksAndUninstallsWhereTheUserIs) {
  const Repository repo;
  std::filesystem::create_directory(repo.File("sub"));
  const std::string config = Contents(repo.File(".git/config"));
  const Result before = BazelRun(repo.path(), {"--check"});
  EXPECT_EQ(before.end, Exited(1));
  EXPECT_THAT(before.out, StartsWith("not installed\n"));

  const Result installed = BazelRun(repo.File("sub"), {});
  EXPECT_EQ(installed.end, Exited(0)) << installed.err;
  EXPECT_THAT(installed.out,
              EndsWith("a worktree under a foreign lock was refused: ok\n"));
  const Result check = BazelRun(repo.path(), {"--check"});
  EXPECT_EQ(check.end, Exited(0)) << check.err;
  EXPECT_THAT(check.out, StartsWith("installed\n"));
  // Bazel may clean up its own.
  EXPECT_THAT(Contents(repo.File(".git/o8lock/locked.inc")),
              ::testing::HasSubstr(absl::StrCat(
                  "# program: ", repo.File(".git/o8lock/bin/o8lock"), "\n")));

  EXPECT_EQ(BazelRun(repo.path(), {"--uninstall"}).end, Exited(0));
  EXPECT_EQ(Contents(repo.File(".git/config")), config);
  EXPECT_EQ(BazelRun(repo.path(), {"--check"}).end, Exited(1));
}

TEST(BazelRunTest, SaysHowItIsUsed) {
  const Repository repo;
  const Result wrong = BazelRun(repo.path(), {"--chek"});
  EXPECT_EQ(wrong.end, Exited(64));
  EXPECT_EQ(wrong.err,
            "usage: bazel run //hooks:install [-- --check | -- --uninstall]\n");
  const Result outside = BazelRun("", {});
  EXPECT_EQ(outside.end, Exited(64));
  EXPECT_EQ(outside.err, "start this with: bazel run //hooks:install\n");
}

}  // namespace
}  // namespace o8lock
