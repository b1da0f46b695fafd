// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/orchestr8_package.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/cli/orchestr8.h"
#include "tools/cli/orchestr8_testing.h"

namespace o8lock {
namespace {

LocksItself Named(const std::string& name) {
  return FindOutWhetherItLocks({name, /*by_package_runner=*/false});
}

LocksItself Fetched(const std::string& name) {
  return FindOutWhetherItLocks({name, /*by_package_runner=*/true});
}

TEST(FindOutWhetherItLocksTest, InspectsThePackageOfTheProgram) {
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
  // It also finds a script deeper than the real package has them.
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
  // A version yet to be fetched is unknown.
  EXPECT_EQ(Fetched("orchestr8@3"), LocksItself::kUnknown);
  ASSERT_EQ(chdir("/"), 0);
  setenv("PATH", path.c_str(), 1);
}

TEST(FindOutWhetherItLocksTest, ReadsAPackageWhateverItsLayout) {
  for (const char* const program :
       {"cli.js", "index.js", "dist/cli.js", "bin/orchestr8", "bin/cli.cjs",
        "lib/main.mjs"}) {
    SCOPED_TRACE(program);
    const TempDir dir;
    MakeFile(dir.File("package.json"), R"({"name": "orchestr8"})");
    const std::string path = dir.File(program);
    std::filesystem::create_directories(
        std::filesystem::path(path).parent_path());
    MakeFile(path, "#!/usr/bin/env node\n");  // as node is given it
    EXPECT_EQ(Named(path), LocksItself::kNo);
    std::filesystem::create_directories(dir.File("test"));
    MakeFile(dir.File("test/lock.js"), "'.claude/parallel.lock'\n");
    EXPECT_EQ(Named(path), LocksItself::kNo);
    std::filesystem::create_directories(dir.File("core"));
    MakeFile(dir.File("core/lock.js"), "'.claude/parallel.lock'\n");
    EXPECT_EQ(Named(path), LocksItself::kYes);
  }
}

TEST(FindOutWhetherItLocksTest, InspectsTheProgramOfPnpmsScript) {
  for (const auto& [version, locks] :
       std::vector<std::pair<const char*, LocksItself>>{
           {"prelock", LocksItself::kNo}, {"v3", LocksItself::kYes}}) {
    const TempDir dir;
    InstallOrchestr8(dir.path(), version);
    const std::string modules = dir.File("lib/node_modules");
    std::filesystem::create_directory(modules + "/.bin");
    MakeFile(modules + "/.bin/orchestr8",
             "#!/bin/sh\n"
             "exec node \"$basedir/../orchestr8/bin/cli.js\" \"$@\"\n",
             0755);
    EXPECT_EQ(Named(modules + "/.bin/orchestr8"), locks);
  }
}

class FindOutAboutAScriptTest : public testing::Test {
 protected:
  // Returns the result for a program `name` with the content `text`.
  LocksItself Of(const std::string& name, const std::string& text) {
    const std::string path = dir_.File(name);
    std::filesystem::create_directories(
        std::filesystem::path(path).parent_path());
    MakeFile(path, text, 0755);
    return Named(path);
  }

  TempDir dir_;
};

TEST_F(FindOutAboutAScriptTest, LocksItselfIfItNamesTheFileAndTestsAPid) {
  const char kSh[] = "#!/bin/sh\n";
  const std::string lock = ".claude/parallel.lock\n";
  const std::string murm = ".claude/murm.lock\n";
  for (const char* const way :
       {"kill -0 \"$pid\"", "kill  -0 $pid", "kill -s 0 $pid",
        "process.kill(pid, 0)", "require('process').kill(pid, 0)",
        "const {kill} = process; kill(p, 0)", "os.kill(pid, 0)",
        "['kill', '-0', pid]", "Process.kill(0, pid)",
        "ps -p $pid >/dev/null"}) {
    EXPECT_EQ(Of("orchestr8", kSh + lock + way), LocksItself::kYes) << way;
    EXPECT_EQ(Of("orchestr8", kSh + murm + way), LocksItself::kYes) << way;
    EXPECT_EQ(Of("orchestr8", std::string(kSh) + way), LocksItself::kNo);
  }
  // Reading or showing the lock file is no such test.
  EXPECT_EQ(Of("orchestr8", kSh + ("cat " + lock)), LocksItself::kNo);
  for (const char* const line :
       {"kill $1", "trap 'kill 0' EXIT", "ps -p $pid -o args=",
        "cat /proc/$pid/cmdline", "kill -TERM $pid; exit 0 # kill it"}) {
    EXPECT_EQ(Of("orchestr8", kSh + lock + line), LocksItself::kNo) << line;
  }
  // Not a script.
  EXPECT_EQ(Of("orchestr8",
               "\x7f"
               "ELF..."),
            LocksItself::kNo);
  EXPECT_EQ(Of("orchestr8",
               "\x7f"
               "ELF" +
                   lock + "process.kill"),
            LocksItself::kYes);
}

TEST_F(FindOutAboutAScriptTest, CountsWhateverPackageItIsIn) {
  MakeFile(dir_.File("package.json"), R"({"name": "shop"})");
  EXPECT_EQ(Of("bin/orchestr8", "#!/bin/sh\n"), LocksItself::kNo);
}

TEST_F(FindOutAboutAScriptTest, IsWhatTheOrchestr8IsThatItStarts) {
  const std::string v3 = InstallOrchestr8(dir_.File("v3"), "v3");
  const std::string prelock = InstallOrchestr8(dir_.File("pre"), "prelock");
  for (const char* const start :
       {"exec % \"$@\"", "% \"$@\"", "exec o8lock -- % \"$@\"",
        "exec /usr/bin/o8lock -w -- % \"$@\"", "  node \"%\" \"$@\"",
        "env A=b '%' $*", "A=b % \"$@\"", "if % \"$@\"; then",
        "cd . && exec nice % \"$@\""}) {
    const auto script = [start](const std::string& program) {
      return "#!/bin/sh\n" + absl::StrReplaceAll(start, {{"%", program}});
    };
    EXPECT_EQ(Of("orchestr8", script(v3)), LocksItself::kYes) << start;
    EXPECT_EQ(Of("orchestr8", script(prelock)), LocksItself::kNo) << start;
  }
  // A script that names itself, as a usage text does, or a program that does
  // not exist.
  EXPECT_EQ(Of("orchestr8", "#!/bin/sh\norchestr8-usage() {\n" +
                                dir_.File("orchestr8") + " parallel F...\n"),
            LocksItself::kNo);
  EXPECT_EQ(Of("orchestr8", "#!/bin/sh\n/none/orchestr8 parallel a\n"),
            LocksItself::kNo);
  for (const char* const line :
       {"echo orchestr8 parallel $*", "  npx orchestr8 parallel FEATURE...",
        "run() { \"$@\"; }", "\"$git\" rev-parse \"$@\"", "proto = 'x'",
        "echo \"murmur8 $@\""}) {
    EXPECT_EQ(Of("orchestr8", std::string("#!/bin/sh\n") + line + "\n"),
              LocksItself::kNo)
        << line;
  }
}

TEST_F(FindOutAboutAScriptTest, IsWhatTheFileIsInWhosePackageItNames) {
  for (const auto& [version, locks] :
       std::vector<std::pair<const char*, LocksItself>>{
           {"prelock", LocksItself::kNo}, {"v3", LocksItself::kYes}}) {
    const TempDir dir;
    InstallOrchestr8(dir.path(), version);
    const std::string source = dir.File("source");
    std::filesystem::rename(dir.File("lib/node_modules/orchestr8"), source);
    EXPECT_EQ(Of("bin/murmur8", absl::StrCat("#!/bin/sh\nexec node ", source,
                                             "/bin/cli.js \"$@\"\n")),
              locks);
  }
}

TEST_F(FindOutAboutAScriptTest, IsUnknownWhereItStartsWhatCannotBeTold) {
  for (const char* const line :
       {"exec \"/home/ann/.asdf/bin/asdf\" exec \"orchestr8\" \"$@\"",
        "exec nodenv exec \"$program\" \"$@\"",
        "exec \"$basedir/node\" \"$basedir/../orchestr8/bin/cli.js\" \"$@\"",
        "exec node \"$basedir/../murmur8/bin/cli.js\" \"$@\"",
        "exec \"$REAL\" \"$@\"", "npx -y orchestr8@99 \"$@\""}) {
    EXPECT_EQ(Of("orchestr8", std::string("#!/bin/sh\n") + line),
              LocksItself::kUnknown)
        << line;
  }
  // Recognised by its directory, or by the target of a link.
  EXPECT_EQ(Of("shims/orchestr8", "#!/bin/sh\n"), LocksItself::kUnknown);
  EXPECT_EQ(Of("volta-shim",
               "\x7f"
               "ELF"),
            LocksItself::kUnknown);
  std::filesystem::create_symlink("volta-shim", dir_.File("murmur8"));
  EXPECT_EQ(Named(dir_.File("murmur8")), LocksItself::kUnknown);
  EXPECT_EQ(Named(dir_.File("none")), LocksItself::kUnknown);
}

TEST(BelongsToOrchestr8Test, GoesByThePackageAndNotByTheName) {
  const TempDir dir;
  const auto belongs = [&dir](const std::string& name) {
    return BelongsToOrchestr8({dir.File(name), false});
  };
  MakeOrchestr8Package(dir.File("vendor/agents"), "murmur8", "v4",
                       "lib/cli.js");
  EXPECT_TRUE(belongs("vendor/agents/lib/cli.js"));
  EXPECT_TRUE(belongs("vendor/agents/lib/cli"));  // as node takes it
  EXPECT_TRUE(belongs("vendor/agents"));
  std::filesystem::create_symlink("vendor/agents/lib/cli.js", dir.File("par"));
  EXPECT_TRUE(belongs("par"));
  MakeOrchestr8Package(dir.File("orchestr8"), "shop", "v4");
  EXPECT_FALSE(belongs("orchestr8/bin/cli.js"));
  EXPECT_FALSE(belongs("vendor"));
  EXPECT_FALSE(belongs("none"));
}

TEST(BelongsToOrchestr8Test, SearchesAPackageRunnersProgramInNodeModules) {
  const TempDir dir;
  MakeOrchestr8Package(dir.File("node_modules/agents"), "murmur8", "v4");
  std::filesystem::create_directories(dir.File("node_modules/.bin"));
  std::filesystem::create_symlink("../agents/bin/cli.js",
                                  dir.File("node_modules/.bin/agents"));
  ASSERT_EQ(chdir(dir.path().c_str()), 0);
  EXPECT_TRUE(BelongsToOrchestr8({"agents", true}));
  EXPECT_FALSE(BelongsToOrchestr8({"agents", false}));
  EXPECT_FALSE(BelongsToOrchestr8({"others", true}));
  ASSERT_EQ(chdir("/"), 0);
}

TEST(AsksBeforeARunTest, IsKnownOnlyOfPackagesThatLock) {
  const TempDir dir;
  EXPECT_TRUE(AsksBeforeARun({InstallOrchestr8(dir.File("v3"), "v3"), false}));
  EXPECT_FALSE(
      AsksBeforeARun({InstallOrchestr8(dir.File("pre"), "prelock"), false}));
  MakeFile(dir.File("orchestr8"),
           "#!/bin/sh\nkill -0 $(cat .claude/parallel.lock)\n", 0755);
  EXPECT_FALSE(AsksBeforeARun({dir.File("orchestr8"), false}));
  EXPECT_FALSE(AsksBeforeARun({dir.File("none"), false}));
}

}  // namespace
}  // namespace o8lock
