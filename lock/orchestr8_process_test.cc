// SPDX-License-Identifier: Apache-2.0
#include "lock/orchestr8_process.h"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

TEST(NamesOrchestr8Test, KnowsTheProgramByItsName) {
  for (const char* const name :
       {"orchestr8", "murmur8", "./node_modules/.bin/orchestr8",
        "/usr/local/bin/murmur8", "orchestr8@2.7.1",
        "github:NewmanJustice/orchestr8#main", "/opt/orchestr8/bin/cli.js"}) {
    EXPECT_TRUE(NamesOrchestr8(name)) << name;
  }
  for (const char* const name :
       {"", "orchestr8-fake", "my-orchestr8", "Orchestr8", "orchestr8/",
        "orchestr8.js", "@somebody/orchestr8", "/opt/orchestr8/cli.js",
        "orchestr8 parallel a", "bin/cli.js"}) {
    EXPECT_FALSE(NamesOrchestr8(name)) << name;
  }
}

TEST(Orchestr8PackageOfTest, IsTheNearestPackageIfThatHasTheName) {
  const TempDir dir;
  std::filesystem::create_directories(dir.File("a/b/lib"));
  EXPECT_EQ(Orchestr8PackageOf(dir.File("a/b/lib/x.js")), "");
  MakeFile(dir.File("a/package.json"), R"({"name": "murmur8"})");
  EXPECT_EQ(Orchestr8PackageOf(dir.File("a/b/lib/x.js")), dir.File("a"));
  EXPECT_EQ(Orchestr8PackageOf(dir.File("a/x.js")), dir.File("a"));
  EXPECT_EQ(Orchestr8PackageOf(dir.File("x.js")), "");
  for (const char* const other :
       {R"({"name": "shop"})", R"({"name": "@x/orchestr8"})",
        R"({"name": ["orchestr8"]})", "{}", "", "orchestr8"}) {
    MakeFile(dir.File("a/b/package.json"), other);
    EXPECT_EQ(Orchestr8PackageOf(dir.File("a/b/lib/x.js")), "") << other;
  }
  MakeFile(dir.File("a/b/package.json"), R"({"name": "orchestr8"})");
  EXPECT_EQ(Orchestr8PackageOf(dir.File("a/b/lib/x.js")), dir.File("a/b"));
}

class IsOrchestr8ProcessTest : public testing::Test {
 protected:
  // Whether a process of `argv`, a program waiting for input, is an orchestr8.
  bool Is(const std::vector<std::string>& argv) {
    ProcessOptions options;
    options.input = ProcessOptions::Stdin::kPipe;
    options.directory = dir_.path();
    Process process(argv, options);
    process.WaitForOutput("ready");
    return IsOrchestr8Process(process.pid());
  }
  std::string Script(const std::string& name) {
    std::string path = dir_.File(name);
    std::filesystem::create_directories(
        std::filesystem::path(path).parent_path());
    MakeFile(path, "#!/bin/sh\necho ready\nread line\n", 0755);
    return path;
  }

  TempDir dir_;
};

TEST_F(IsOrchestr8ProcessTest, KnowsAScriptByItsName) {
  EXPECT_TRUE(Is({Script("orchestr8"), "parallel", "a"}));
  EXPECT_TRUE(Is({"sh", "-e", Script("bin/murmur8")}));
  EXPECT_TRUE(Is({"bash", "-euo", "pipefail", Script("orchestr8"), "a"}));
  EXPECT_FALSE(Is({Script("orchestra")}));
  EXPECT_FALSE(Is({Script("other"), "orchestr8"}));
}

TEST_F(IsOrchestr8ProcessTest, KnowsAScriptByItsPackage) {
  Script("vendor/agents/lib/cli.js");
  const std::vector<std::string> absolute = {
      "sh", dir_.File("vendor/agents/lib/cli.js"), "murm", "a"};
  const std::vector<std::string> relative = {"sh", "vendor/agents/lib/cli.js"};
  EXPECT_FALSE(Is(absolute));
  MakeFile(dir_.File("vendor/agents/package.json"), R"({"name": "murmur8"})");
  EXPECT_TRUE(Is(absolute));
  EXPECT_TRUE(Is(relative));
}

TEST_F(IsOrchestr8ProcessTest, TakesNoShellThatStartsItForIt) {
  EXPECT_FALSE(Is({"sh", "-c", "echo ready; read line; orchestr8 parallel a"}));
  EXPECT_FALSE(IsOrchestr8Process(getpid()));
  EXPECT_FALSE(IsOrchestr8Process(1 << 30));
}

}  // namespace
}  // namespace o8lock
