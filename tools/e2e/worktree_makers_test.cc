// SPDX-License-Identifier: Apache-2.0
//
// Tests programs that add a worktree for each agent, as downloaded from npm:
// Claude Code and ccmanager. Neither needs a model here: Claude Code makes its
// worktree before it looks for credentials.
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/hooked_project.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::HasSubstr;

// ccmanager's own function, without its terminal: node FILE MODULES PATH BRANCH
constexpr char kCcmanager[] = R"(
import {pathToFileURL} from 'node:url';
const [, , modules, path, branch] = process.argv;
const load = file => import(pathToFileURL(modules + file));
const {Effect} = await load('/effect/dist/esm/index.js');
const config =
    await load('/ccmanager/dist/services/worktreeConfigManager.js');
config.worktreeConfigManager.initialize();
const {WorktreeService} =
    await load('/ccmanager/dist/services/worktreeService.js');
const end = await Effect.runPromiseExit(
    new WorktreeService(process.cwd()).createWorktreeEffect(
        path, branch, 'main'));
process.exit(end._tag === 'Success' ? 0 : 1);
)";

class WorktreeMakersTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    downloads_ = std::make_unique<TempDir>();
    MakeFile(downloads_->File("package.json"),
             R"({"name": "x", "version": "1.0.0", "private": true})");
    MakeFile(downloads_->File("ccmanager.mjs"), kCcmanager);
    ProcessOptions options = In(downloads_->path());
    options.env["HOME"] = downloads_->path();
    Process npm(
        {"npm", "install", "--no-audit", "--no-fund", "--ignore-scripts",
         "@anthropic-ai/claude-code@2", "ccmanager@4"},
        options);
    downloaded_ = npm.Wait(std::chrono::minutes(5)) == Exited(0);
    said_ = npm.err();
    // Its installer links to the program for this machine.
    claude_ = Call(Shell("ls node_modules/@anthropic-ai/*/claude"),
                   downloads_->path())
                  .out;
    claude_ = downloads_->File(claude_.substr(0, claude_.find('\n')));
  }
  static void TearDownTestSuite() { downloads_.reset(); }

  void SetUp() override {
    if (!downloaded_) GTEST_SKIP() << "npm cannot install them: " << said_;
    project_.env["HOME"] = project_.Beside("home");
    project_.env["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] = "1";
    std::filesystem::create_directory(project_.Beside("home"));
    ExpectInstalls(project_);
  }

  ProcessOptions Options() const {
    ProcessOptions options = project_.Options();
    options.unset_env = {"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN",
                         "CLAUDE_CODE_OAUTH_TOKEN"};
    return options;
  }

  // Adds the worktree `name`, as the user or from a run.
  Result Claude(const std::string& name, Argv argv = {}) const {
    argv.insert(argv.end(), {claude_, "--worktree", name, "-p", "hello"});
    return Call(argv, Options());
  }
  Result Ccmanager(const std::string& name, Argv argv = {}) const {
    argv.insert(argv.end(), {"node", downloads_->File("ccmanager.mjs"),
                             downloads_->File("node_modules"),
                             project_.Beside(name), name});
    return Call(argv, Options());
  }
  Argv Run() const { return {project_.program, "--"}; }

  // Returns git's worktrees, branches and, for hooks, settings.
  std::string State() const {
    return absl::StrCat(Git(project_.path(), {"worktree", "list"}),
                        Git(project_.path(), {"branch", "--list"}),
                        Contents(project_.File(".git/config")));
  }
  std::string ClaudesPath(absl::string_view name) const {
    return project_.File(absl::StrCat(".claude/worktrees/", name));
  }

  static std::unique_ptr<TempDir> downloads_;
  static bool downloaded_;
  static std::string said_;
  static std::string claude_;
  Project project_;
};
std::unique_ptr<TempDir> WorktreeMakersTest::downloads_;
bool WorktreeMakersTest::downloaded_ = false;
std::string WorktreeMakersTest::said_;
std::string WorktreeMakersTest::claude_;

TEST_F(WorktreeMakersTest, ClaudeCode) {
  Claude("free");
  EXPECT_TRUE(Exists(ClaudesPath("free") + "/.git"));
  const std::string state = State();
  {
    const Guarded run(project_.path());
    const Result refused = Claude("refused");
    EXPECT_THAT(refused.out + refused.err, HasSubstr(std::string(kRefused)));
    EXPECT_FALSE(Exists(ClaudesPath("refused")));
    EXPECT_EQ(State(), state);
  }
  Claude("own", Run());
  EXPECT_TRUE(Exists(ClaudesPath("own") + "/.git"));
}

// Claude Code runs `git worktree add --no-checkout`, then makes a sparse
// checkout. For this it makes git write a configuration for this worktree.
TEST_F(WorktreeMakersTest, ClaudeCodeWithASparseWorktree) {
  std::filesystem::create_directories(project_.File(".claude"));
  std::filesystem::create_directories(project_.File("part"));
  MakeFile(project_.File("part/file"), "");
  MakeFile(project_.File(".claude/settings.json"),
           R"({"worktree": {"sparsePaths": ["part"]}})");
  Git(project_.path(), {"add", "--force", "."});
  Git(project_.path(), {"commit", "-q", "-m", "sparse"});
  const std::string state = State();
  {
    const Guarded run(project_.path());
    const Result refused = Claude("refused");
    EXPECT_THAT(refused.out + refused.err, HasSubstr(std::string(kRefused)));
    EXPECT_EQ(State(), state);
  }
  Claude("own", Run());
  EXPECT_TRUE(Exists(ClaudesPath("own") + "/part/file"));
  EXPECT_EQ(project_.Hooks({"status"}).end, Exited(0));
}

// Claude Code replaces a relative core.hooksPath by an absolute one.
TEST_F(WorktreeMakersTest, ClaudeCodeSetsTheHooksPath) {
  Project::MakeHooks(project_.File(".checks"), {"pre-commit"});
  project_.Commit();
  Git(project_.path(), {"config", "core.hooksPath", ".checks"});
  Claude("own", Run());
  EXPECT_EQ(Git(project_.path(), {"config", "--local", "core.hooksPath"}),
            project_.File(".checks\n"));
  EXPECT_EQ(project_.Hooks({"status"}).end, Exited(0));
  const Guarded run(project_.path());
  for (const std::string& directory : {project_.path(), ClaudesPath("own")}) {
    MakeFile(project_.Beside("log"), "");
    EXPECT_EQ(Call({"git", "commit", "-q", "--allow-empty", "-m", "x"},
                   project_.Options(directory))
                  .end,
              Exited(0));
    EXPECT_THAT(Contents(project_.Beside("log")),
                HasSubstr("/.checks/pre-commit in "));
  }
}

TEST_F(WorktreeMakersTest, Ccmanager) {
  Git(project_.path(), {"branch", "old"});
  Git(project_.path(), {"config", "extensions.worktreeConfig", "true"});
  EXPECT_EQ(Ccmanager("free").end, Exited(0));
  const std::string state = State();
  {
    const Guarded run(project_.path());
    // A new branch, and an existing one.
    for (const char* name : {"refused", "old"}) {
      const Result refused = Ccmanager(name);
      EXPECT_EQ(refused.end, Exited(1)) << refused.out;
      EXPECT_THAT(refused.err, HasSubstr(std::string(kRefused)));
      EXPECT_FALSE(Exists(project_.Beside(name)));
      EXPECT_EQ(State(), state);
    }
  }
  for (const char* name : {"own", "old"}) {
    EXPECT_EQ(Ccmanager(name, Run()).end, Exited(0));
    EXPECT_TRUE(Exists(project_.Beside(name) + "/.git"));
  }
  EXPECT_EQ(project_.Hooks({"status"}).end, Exited(0));
}

}  // namespace
}  // namespace o8lock
