// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/publish.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "lock/location.h"
#include "lock/testing.h"
#include "tools/cli/options.h"
#include "tools/cli/orchestr8.h"
#include "tools/cli/orchestr8_testing.h"

namespace o8lock {
namespace {

class PublishTest : public testing::Test {
 protected:
  PublishTest() : path_(getenv("PATH")) {
    setenv("PATH", "/usr/bin:/bin", 1);
    std::filesystem::create_directories(dir_.File("shop/web"));
    options_.command = {"npm", "run", "par"};
  }
  ~PublishTest() override {
    EXPECT_EQ(chdir("/"), 0);
    setenv("PATH", path_.c_str(), 1);
  }

  absl::StatusOr<PublishDecision> Try(const std::string& directory) {
    EXPECT_EQ(chdir(dir_.File(directory).c_str()), 0);
    LocateOptions where;
    where.name = options_.name;
    where.lock_file = options_.lock_file;
    const absl::StatusOr<Location> location = Locate(where);
    if (!location.ok()) return location.status();
    const absl::StatusOr<PublishChoice> choice =
        ReadPublishChoice(options_, *location);
    if (!choice.ok()) return choice.status();
    return DecideToPublish(*choice, options_.command,
                           ReadOrchestr8Command(options_.command), *location);
  }
  PublishDecision Decide(const std::string& directory) {
    const absl::StatusOr<PublishDecision> decision = Try(directory);
    EXPECT_TRUE(decision.ok()) << decision.status();
    return decision.value_or(PublishDecision());
  }
  void MakeRepository() {
    Git(dir_.File("shop"), {"init", "-q"});
    Git(dir_.File("shop"), {"commit", "-q", "--allow-empty", "-m", "one"});
  }

  const TempDir dir_;
  const std::string path_;
  Options options_;
};

TEST_F(PublishTest, SearchesUpToTheTopOfTheRepository) {
  AddOrchestr8(dir_.path(), "v4");
  MakeRepository();
  EXPECT_TRUE(Decide("shop/web").publish);
  EXPECT_EQ(Decide("shop/web").reason,
            "no orchestr8 found that keeps its own lock file");
  AddOrchestr8(dir_.File("shop"), "v4");
  const PublishDecision decision = Decide("shop/web");
  EXPECT_FALSE(decision.publish);
  EXPECT_TRUE(decision.starts_orchestr8);
  EXPECT_EQ(decision.reason, dir_.File("shop/node_modules/murmur8") +
                                 " keeps its own lock file");
}

TEST_F(PublishTest, SearchesFromALinkedWorktreeInTheMainOneUpToThatsTop) {
  MakeRepository();
  AddOrchestr8(dir_.File("shop"), "v4");
  for (const std::string path : {"shop/.claude/worktrees/a", "beside"}) {
    Git(dir_.File("shop"), {"worktree", "add", "-q", dir_.File(path)});
  }
  EXPECT_FALSE(Decide("shop/.claude/worktrees/a").publish);
  EXPECT_TRUE(Decide("beside").publish);
  std::filesystem::create_directory(dir_.File("beside/web"));
  AddOrchestr8(dir_.File("beside"), "v4");
  EXPECT_FALSE(Decide("beside/web").publish);
}

TEST_F(PublishTest, SearchesOutsideARepositoryOnlyTheDirectoryItself) {
  AddOrchestr8(dir_.File("shop"), "v4");
  EXPECT_FALSE(Decide("shop").publish);
  EXPECT_TRUE(Decide("shop/web").publish);
}

TEST_F(PublishTest, DoesWhatItIsToldWithoutASearch) {
  MakeRepository();
  AddOrchestr8(dir_.File("shop"), "v4");
  options_.publish = Publish::kAlways;
  EXPECT_TRUE(Decide("shop").publish);
  EXPECT_EQ(Decide("shop").reason, "--publish=always");
  options_.publish = Publish::kNever;
  EXPECT_FALSE(Decide("shop").publish);
  EXPECT_FALSE(Decide("shop").starts_orchestr8);
  options_.publish.reset();
  Git(dir_.File("shop"), {"config", "o8lock.publish", "always"});
  EXPECT_TRUE(Decide("shop").publish);
  EXPECT_EQ(Decide("shop").reason, "o8lock.publish=always");
  Git(dir_.File("shop"), {"config", "o8lock.publish", "maybe"});
  EXPECT_EQ(Try("shop").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PublishTest, WritesALockFileThatNoOrchestr8LooksFor) {
  MakeRepository();
  AddOrchestr8(dir_.File("shop"), "v4");
  options_.name = "deploy";
  EXPECT_TRUE(Decide("shop").publish);
  EXPECT_EQ(Decide("shop").reason, "orchestr8 does not look for this file");
  options_.name = "parallel";
  options_.lock_file = dir_.File("build.lock");
  EXPECT_TRUE(Decide("shop").publish);
  options_.lock_file = dir_.File("shop/web/parallel.lock");
  EXPECT_FALSE(Decide("shop").publish);
  EXPECT_FALSE(Decide("shop/web").publish);
}

TEST_F(PublishTest, GoesByTheProgramOfAnOrchestr8CommandLine) {
  MakeRepository();
  const std::string v3 = InstallOrchestr8(dir_.File("v3"), "v3");
  options_.command = {v3, "parallel", "a"};
  EXPECT_FALSE(Decide("shop").publish);
  EXPECT_EQ(Decide("shop").reason, v3 + " keeps its own lock file");
  options_.command = {InstallOrchestr8(dir_.File("old"), "prelock"), "parallel",
                      "a"};
  // Other installed versions do not matter.
  AddOrchestr8(dir_.File("shop"), "v4");
  EXPECT_TRUE(Decide("shop").publish);
  EXPECT_EQ(Decide("shop").reason, options_.command[0] + " keeps no lock file");
  options_.command = {"npx", "orchestr8@99", "parallel", "a"};
  EXPECT_FALSE(Decide("shop").publish);
  EXPECT_EQ(Decide("shop").reason, "orchestr8@99 may keep its own lock file");
}

}  // namespace
}  // namespace o8lock
