// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/reach.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/cli/orchestr8_testing.h"

namespace o8lock {
namespace {

using Command = std::vector<std::string>;

// A repository, {R}, and a PATH with only the system's directories.
class ReachTest : public testing::Test {
 protected:
  ReachTest() : path_(getenv("PATH")) {
    setenv("PATH", "/usr/bin:/bin", 1);
    std::filesystem::create_directories(Repo("web"));
    Enter("");
  }
  ~ReachTest() override {
    EXPECT_EQ(chdir("/"), 0);
    setenv("PATH", path_.c_str(), 1);
  }

  std::string Repo(const std::string& name) const {
    return dir_.File("r/" + name);
  }
  std::string Outside(const std::string& name) const { return dir_.File(name); }
  void Enter(const std::string& directory) {
    ASSERT_EQ(chdir(Repo(directory).c_str()), 0);
  }
  void Write(const std::string& name, const std::string& text,
             mode_t mode = 0644) {
    std::filesystem::create_directories(
        std::filesystem::path(Repo(name)).parent_path());
    MakeFile(Repo(name), text, mode);
  }

  // Returns "SUBJECT", "SUBJECT?" if it is not certain, or "none".
  std::string Find(const Command& command) {
    const std::optional<ReachableOrchestr8> found =
        FindReachableOrchestr8(command, dir_.File("r"));
    if (!found.has_value()) return "none";
    return absl::StrReplaceAll(found->subject, {{dir_.File("r"), "{R}"},
                                                {dir_.path(), "{D}"}}) +
           (found->is_certain ? "" : "?");
  }

 private:
  const std::string path_;
  const TempDir dir_;
};

TEST_F(ReachTest, IsNothingWithoutAnOrchestr8) {
  Write("README.md", "We start `murmur8 murm a` and node_modules/orchestr8.\n");
  Write("package.json",
        R"({"name": "orchestr8-demo", "description": "with orchestr8",
            "keywords": ["murmur8"],
            "dependencies": {"orchestr8-utils": "1", "@acme/orchestr8": "2",
                             "x": "npm:@acme/murmur8@1"},
            "scripts": {"test": "node --test", "lint": "eslint my-murmur8"}})");
  Write("run.sh", "#!/bin/sh\n# not by orchestr8\nexec make \"$@\"\n", 0755);
  Write("data", "murmur8 murm a\n");
  std::filesystem::create_directories(Repo("lib/orchestr8"));
  for (const Command& command : std::vector<Command>{
           {},
           {"true"},
           {"sleep", "5"},
           {"bash"},
           {"npm", "test"},
           {"make"},
           {"./run.sh", "all"},
           {"cat", "README.md", "data"},
           {"npx", "orchestr8-utils"},
           {"npx", "@acme/orchestr8", "parallel"},
           {"ls", "lib/orchestr8"},
           {"vim", "orchestr8.md"},
           {"sh", "-c", "cd web && npm test"},
       }) {
    EXPECT_EQ(Find(command), "none") << testing::PrintToString(command);
  }
}

TEST_F(ReachTest, FindsOneInNodeModulesUpToTheTop) {
  Enter("web");
  AddOrchestr8(Outside(""), "v4");
  EXPECT_EQ(Find({"npm", "test"}), "none");  // above the top
  AddOrchestr8(Repo(""), "v4");
  EXPECT_EQ(Find({"npm", "test"}), "{R}/node_modules/murmur8");
  EXPECT_EQ(Find({}), "{R}/node_modules/murmur8");
  Enter("");
  EXPECT_EQ(Find({"true"}), "{R}/node_modules/murmur8");
}

TEST_F(ReachTest, LeavesOneAsideThatKeepsNoLockFile) {
  AddOrchestr8(Repo(""), "prelock");
  Write("package.json", R"({"dependencies": {"orchestr8": "^2"},
                            "scripts": {"par": "orchestr8 parallel"}})");
  EXPECT_EQ(Find({"npm", "run", "par"}), "none");
  EXPECT_EQ(Find({"sh", "-c", "npx orchestr8 parallel a"}), "none");
  // Another version is another program.
  EXPECT_EQ(Find({"sh", "-c", "npx orchestr8@4 parallel a"}),
            "orchestr8@4, named in the command line,?");
}

TEST_F(ReachTest, FindsOneInTheDirectoryThatTheCommandNames) {
  AddOrchestr8(Repo("web"), "v3");
  EXPECT_EQ(Find({"npm", "test"}), "none");
  for (const Command& command : std::vector<Command>{
           {"npm", "--prefix", "web", "run", "par"},
           {"npm", "run", "par", "--workspace=web"},
           {"yarn", "--cwd=./web", "par"},
           {"make", "-C", "web", "par"},
           {"sh", "-c", "cd web && npm run par"},
           {"bash", "-c", "(cd 'web'; exec npm run par)"},
       }) {
    EXPECT_EQ(Find(command), "{R}/web/node_modules/murmur8")
        << testing::PrintToString(command);
  }
}

TEST_F(ReachTest, FindsPnpmsScriptAndAnAlias) {
  MakeOrchestr8Package(Repo("node_modules/.pnpm/m@4/node_modules/murmur8"),
                       "murmur8", "v4");
  Write("node_modules/.bin/murmur8",
        "#!/bin/sh\nexec node \"$basedir/../.pnpm/m@4/node_modules/murmur8/bin/"
        "cli.js\" \"$@\"\n",
        0755);
  EXPECT_EQ(Find({"pnpm", "par"}), "{R}/node_modules/.bin/murmur8?");
  std::filesystem::remove_all(Repo("node_modules"));
  MakeOrchestr8Package(Repo("node_modules/agents"), "murmur8", "v4");
  EXPECT_EQ(Find({"pnpm", "par"}), "none");
  Write("package.json",
        R"({"devDependencies": {"agents": "npm:murmur8@4"},
            "scripts": {"par": "agents murm"}})");
  EXPECT_EQ(Find({"pnpm", "par"}), "{R}/node_modules/agents");
}

TEST_F(ReachTest, FindsThatOfAnotherPackageOfTheWorkspace) {
  const Command pnpm = {"pnpm", "--filter", "x", "par"};
  EXPECT_EQ(Find(pnpm), "none");
  for (const std::string store : {".pnpm", ".bun"}) {
    const std::string package =
        absl::StrCat("node_modules/", store, "/node_modules/murmur8");
    MakeOrchestr8Package(Repo(package), "murmur8", "prelock");
    EXPECT_EQ(Find(pnpm), "none");
    MakeOrchestr8Package(Repo(package), "murmur8", "v4");
    EXPECT_EQ(Find(pnpm), "{R}/" + package);
    std::filesystem::remove_all(Repo("node_modules"));
  }
  const Command yarn = {"yarn", "workspace", "x", "par"};
  Write("yarn.lock", "\"murmur8@npm:^4\":\n  version: 4.4.0\n");
  EXPECT_EQ(Find(yarn), "none");  // node_modules would show it
  Write(".pnp.cjs", "");
  EXPECT_EQ(Find(yarn), "murmur8, named in {R}/yarn.lock,?");
  Write("yarn.lock", "\"@acme/murmur8@npm:^4\":\n\"murmur8-x@npm:1\":\n");
  EXPECT_EQ(Find(yarn), "none");
}

TEST_F(ReachTest, TakesWhatPackageJsonNamesAndNoDirectoryHas) {
  Enter("web");
  for (const char* const text :
       {R"({"dependencies": {"murmur8": "^4"}})",
        R"({"devDependencies": {"murmur8": "^4"}})",
        R"({"optionalDependencies": {"murmur8": "*"}})",
        R"({"dependencies": {"murmur8": "github:NewmanJustice/orchestr8"}})"}) {
    Write("package.json", text);
    EXPECT_EQ(Find({"yarn", "par"}), "murmur8, named in {R}/package.json,?")
        << text;
  }
  Write("package.json", R"({"dependencies": {"x": "npm:murmur8@4"}})");
  EXPECT_EQ(Find({"yarn", "par"}), "x, named in {R}/package.json,?");
  Write("package.json", R"({"scripts": {"par": "npx -y murmur8@4 murm"}})");
  EXPECT_EQ(Find({"bash"}), "murmur8@4, named in {R}/package.json,?");
  Write("package.json", "no JSON, murmur8");
  EXPECT_EQ(Find({"bash"}), "none");
}

// The package of a developer of orchestr8.
TEST_F(ReachTest, TakesThePackageThatItIsIn) {
  MakeOrchestr8Package(Repo(""), "murmur8", "v4");
  EXPECT_EQ(Find({"npm", "start"}), "{R}");
  MakeOrchestr8Package(Repo(""), "murmur8", "prelock");
  std::filesystem::remove(Repo("src/murm.js"));
  EXPECT_EQ(Find({"npm", "start"}), "none");
}

TEST_F(ReachTest, FindsOneInPathByItsTextAndNotByItsName) {
  std::filesystem::create_directories(Outside("bin"));
  setenv("PATH", (Outside("bin") + ":/usr/bin:/bin").c_str(), 1);
  MakeFile(Outside("bin/orchestr8"), "#!/bin/sh\nexec make\n", 0755);
  EXPECT_EQ(Find({"bash"}), "none");
  EXPECT_EQ(Find({"sh", "-c", "orchestr8 parallel a"}), "none");
  MakeFile(Outside("bin/orchestr8"),
           "#!/bin/sh\nkill -0 $(cat .claude/parallel.lock)\n", 0755);
  EXPECT_EQ(Find({"bash"}), "{D}/bin/orchestr8");
  std::filesystem::remove(Outside("bin/orchestr8"));
  const std::string program = InstallOrchestr8(Outside("global"), "v3");
  std::filesystem::create_symlink(program, Outside("bin/murmur8"));
  EXPECT_EQ(Find({"make"}), "{D}/bin/murmur8");
}

TEST_F(ReachTest, ReadsTheCommandLine) {
  const std::string program =
      absl::StrCat(InstallOrchestr8(Outside("v3"), "v3"));
  for (const std::string line :
       {"%", "exec % parallel a", "cd web; '%' parallel a", "A=b\n\t@% murm",
        "timeout 60 % parallel a", "(% parallel a)", "x=$(% status)"}) {
    const std::string script = absl::StrReplaceAll(line, {{"%", program}});
    EXPECT_EQ(Find({"sh", "-c", script}),
              "{D}/v3/bin/orchestr8, named in the command line,")
        << line;
  }
  EXPECT_EQ(Find({"sudo", "-u", "ann", program, "parallel", "a"}),
            "{D}/v3/bin/orchestr8, named in the command line,");
  // A login shell has another PATH.
  EXPECT_EQ(Find({"bash", "-lc", "murmur8 murm a"}),
            "murmur8, named in the command line,?");
  EXPECT_EQ(Find({"npx", "-c", "murmur8 murm a"}),
            "murmur8, named in the command line,?");
}

TEST_F(ReachTest, ReadsTheScriptsThatTheCommandNames) {
  const std::string program = InstallOrchestr8(Outside("v3"), "v3");
  const std::string found = "{D}/v3/bin/orchestr8, named in {R}/tools/par,";
  Write("tools/par", "#!/bin/sh\nexec " + program + " parallel \"$@\"\n", 0755);
  Write("outer.sh", "./tools/par a\n");  // without "#!", and not executable
  Write("package.json", R"({"scripts": {"par": "npm run real",
                                        "real": "sh outer.sh"}})");
  for (const Command& command : std::vector<Command>{
           {"./tools/par", "a"},
           {Repo("tools/par")},
           {"nohup", "tools/par", "a"},
           {"sh", "outer.sh"},
           {"sh", "-c", ". ./outer.sh"},
           {"npm", "run", "par"},
       }) {
    EXPECT_EQ(Find(command), found) << testing::PrintToString(command);
  }
  EXPECT_EQ(Find({"npm", "test"}), "none");
  // A script in PATH.
  setenv("PATH", (Repo("tools") + ":/usr/bin:/bin").c_str(), 1);
  EXPECT_EQ(Find({"timeout", "9", "par", "a"}), found);
  // A path with a blank.
  Write("my tools/par", "#!/bin/sh\nmurmur8 murm a\n", 0755);
  EXPECT_EQ(Find({"my tools/par"}), "murmur8, named in {R}/my tools/par,?");
}

TEST_F(ReachTest, ReadsAPackagesScriptsFromItsDirectory) {
  Write("package.json", R"({"scripts": {"par": "node tools/par.js"}})");
  Write("tools/par.js", "spawn('npx', ['murmur8', 'murm'])\n");
  Enter("web");
  EXPECT_EQ(Find({"npm", "run", "par"}),
            "murmur8, named in {R}/tools/par.js,?");
}

TEST_F(ReachTest, ReadsTheScriptsBesideAScript) {
  Write("tools/inner.sh", "murmur8 murm \"$@\"\n");
  const std::string found = "murmur8, named in {R}/tools/inner.sh,?";
  for (const char* const line :
       {"\"$(dirname \"$0\")/inner.sh\" a", "\"$here/inner.sh\"",
        ". \"${BASH_SOURCE%/*}/inner.sh\"", "cd tools; sh ./inner.sh a"}) {
    Write("tools/outer", absl::StrCat("#!/bin/sh\n", line, "\n"), 0755);
    EXPECT_EQ(Find({"tools/outer", "a"}), found) << line;
  }
  Write("tools/start.js", "exec('murmur8 murm')\n");
  Write("tools/par.js", "import {start} from './start'\n");
  EXPECT_EQ(Find({"node", "tools/par.js"}),
            "murmur8, named in {R}/tools/start.js,?");
}

TEST_F(ReachTest, FollowsADirectoryThatAScriptNames) {
  AddOrchestr8(Repo("web"), "v3");
  for (const char* const line :
       {"cd web && npm run par", "npm --prefix web run par",
        "yarn --cwd=web par", "\tmake -C web par"}) {
    Write("run.sh", line);
    EXPECT_EQ(Find({"sh", "run.sh"}), "{R}/web/node_modules/murmur8") << line;
  }
  Write("run.sh", "echo web\n");
  EXPECT_EQ(Find({"sh", "run.sh"}), "none");
}

TEST_F(ReachTest, KnowsAPackageThatARunnerIsGiven) {
  MakeOrchestr8Package(Outside("agents"), "murmur8", "v4");
  MakeOrchestr8Package(Outside("old"), "orchestr8", "prelock");
  for (const std::string runner : {"pnpm dlx", "npx", "bunx"}) {
    const auto find = [&](const std::string& package) {
      return Find({"sh", "-c", absl::StrCat(runner, " ", package, " murm a")});
    };
    EXPECT_EQ(find(Outside("agents")), "{D}/agents");
    EXPECT_EQ(find(Outside("old")), "none");
    EXPECT_EQ(find("./murmur8-4.4.0.tgz"),
              "./murmur8-4.4.0.tgz, named in the command line,?");
    EXPECT_EQ(find("./orchestr8ed-1.tgz"), "none");
  }
  Write("package.json", R"({"dependencies": {"x": "file:murmur8-4.tgz"}})");
  EXPECT_EQ(Find({"npm", "test"}), "x, named in {R}/package.json,?");
}

TEST_F(ReachTest, ReadsTheMakefile) {
  Write("Makefile", "include rules.mk\npar:\n\t@tools/murmur8 murm $(F)\n");
  EXPECT_EQ(Find({"make", "par"}), "tools/murmur8, named in {R}/Makefile,?");
  EXPECT_EQ(Find({"sh", "-c", "nice make par"}),
            "tools/murmur8, named in {R}/Makefile,?");
  EXPECT_EQ(Find({"cat", "x"}), "none");
  Write("web/makefile", "par:\n\tmurmur8 murm\n");
  Write("Makefile", "");
  EXPECT_EQ(Find({"make", "-C", "web", "par"}),
            "murmur8, named in {R}/web/makefile,?");
}

TEST_F(ReachTest, KnowsAScriptOfThePackage) {
  MakeOrchestr8Package(Repo("vendor/agents"), "murmur8", "v4", "lib/cli.js");
  const std::string found = "{R}/vendor/agents/lib/cli.js";
  EXPECT_EQ(Find({"nice", "node", "vendor/agents/lib/cli.js"}), found);
  EXPECT_EQ(Find({"sh", "-c", "node vendor/agents/lib/cli murm a"}), found);
  EXPECT_EQ(Find({"sh", "-c", "cd vendor/agents && npm start"}),
            "{R}/vendor/agents");
}

TEST_F(ReachTest, ReadsNoMoreThanAFewFilesOfALongCommandLine) {
  Command command = {"eslint"};
  for (int i = 0; i < 8; ++i) {
    command.push_back(absl::StrCat("f", i, ".js"));
    Write(command.back(), "x();\n");
  }
  Write("last.js", "murmur8\n");
  command.emplace_back("last.js");
  EXPECT_EQ(Find(command), "none");
  EXPECT_EQ(Find({"node", "last.js"}), "murmur8, named in {R}/last.js,?");
}

}  // namespace
}  // namespace o8lock
