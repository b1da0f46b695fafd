// SPDX-License-Identifier: Apache-2.0
//
// Runs each block of tools/agents.md as the page shows it.
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

// The page's blocks, by the heading above each of them.
std::map<std::string, std::string> Blocks() {
  std::map<std::string, std::string> blocks;
  std::string heading;
  bool inside = false;
  for (const absl::string_view line :
       absl::StrSplit(Contents("tools/agents.md"), '\n')) {
    absl::string_view title = line;
    if (absl::StartsWith(line, "```")) {
      inside = !inside;
      EXPECT_TRUE(!inside || blocks.count(heading) == 0)
          << "two blocks: " << heading;
    } else if (inside) {
      absl::StrAppend(&blocks[heading], line, "\n");
    } else if (absl::ConsumePrefix(&title, "## ")) {
      heading = std::string(title);
    }
  }
  return blocks;
}

std::string Block(const std::string& heading) {
  const std::map<std::string, std::string> blocks = Blocks();
  const auto block = blocks.find(heading);
  EXPECT_NE(block, blocks.end()) << heading;
  return block == blocks.end() ? "exit 99" : block->second;
}

// The value of "command" in a block of JSON.
std::string HookCommand(const std::string& heading) {
  const std::string block = Block(heading);
  const std::string key = "\"command\": \"";
  const size_t begin = block.find(key) + key.size();
  return block.substr(begin, block.find('"', begin) - begin);
}

TEST(AgentsPageTest, HasNoBlockThatIsNotRunHere) {
  EXPECT_THAT(Blocks(),
              UnorderedElementsAre(Key("One run at a time"),
                                   Key("One git worktree command at a time"),
                                   Key("A lock for each worktree"),
                                   Key("A script that locks itself"),
                                   Key("ccmanager"), Key("Claude Code"),
                                   Key("tmux"), Key("cron"), Key("CI")));
}

// A project; o8lock and a stand-in for orchestr8 are in its user's PATH.
class AgentsTest : public testing::Test {
 protected:
  AgentsTest() {
    std::filesystem::create_directories(home_.File(".local/bin"));
    std::filesystem::create_directory(home_.File("shop"));
    Git(shop(), {"init", "--quiet"});
    Git(shop(), {"commit", "--quiet", "--allow-empty", "-m", "first"});
    std::filesystem::create_symlink(std::filesystem::canonical(Binary()),
                                    home_.File(".local/bin/o8lock"));
    MakeFile(home_.File(".local/bin/orchestr8"),
             "#!/bin/sh\necho \"orchestr8 $*\"\n", 0755);
    MakeFile(shop() + "/Makefile",
             "all:\n\t@echo made\nnightly:\n\t@echo night\n"
             "agents:\n\t@exit 7\n");
  }

  std::string shop() const { return home_.File("shop"); }

  ProcessOptions Options(const std::string& directory) const {
    ProcessOptions options = In(directory);
    options.env["HOME"] = home_.path();
    options.env["TMUX_TMPDIR"] = home_.path();
    options.env["PATH"] =
        absl::StrCat(home_.File(".local/bin"), ":", getenv("PATH"));
    options.unset_env.emplace_back("TMUX");
    return options;
  }

  // sh -c SCRIPT in `directory`, by default the project's.
  Result Run(const std::string& script,
             const std::string& directory = "") const {
    return Call(Shell(script), Options(directory.empty() ? shop() : directory));
  }

  // The same in the project, inside a run.
  Result RunInside(const std::string& script) const {
    return Call({"o8lock", "--", "sh", "-c", script}, Options(shop()));
  }

  // A run; it holds the lock until the test ends it.
  std::unique_ptr<Guarded> Hold(const Argv& options = {}) const {
    return std::make_unique<Guarded>(shop(), options);
  }

  int Worktrees() const {
    return Count(Git(shop(), {"worktree", "list", "--porcelain"}), "worktree ");
  }

  const TempDir home_;
};

TEST_F(AgentsTest, OneRunAtATime) {
  const std::string block = Block("One run at a time");
  const Result run = Run(block);
  EXPECT_EQ(run.end, Exited(0)) << run.err;
  EXPECT_THAT(run.out, HasSubstr("orchestr8 parallel feat-a feat-b --yes\n"));
  const auto held = Hold();
  EXPECT_EQ(Run(block).end, Exited(75));
  EXPECT_THAT(Run("git worktree add ../x").err,
              HasSubstr("Another parallel execution is in progress"));
  EXPECT_EQ(Worktrees(), 1);
}

TEST_F(AgentsTest, OneGitWorktreeCommandAtATime) {
  const std::string line = std::string(
      absl::StripSuffix(Block("One git worktree command at a time"), "\n"));
  ASSERT_EQ(Run("o8lock hooks install").end, Exited(0));
  // Seven commands at the same time, each with its own name.
  std::string script;
  for (const absl::string_view name : {"1", "2", "3", "4", "5", "6", "7"}) {
    absl::StrAppend(&script, absl::StrReplaceAll(line, {{"feat-a", name}}),
                    " &\n");
  }
  const Result run = RunInside(script + "wait");
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(Worktrees(), 8) << run.err;
  EXPECT_FALSE(Exists(shop() + "/.claude/worktree.lock"));
}

TEST_F(AgentsTest, ALockForEachWorktree) {
  const std::string block = Block("A lock for each worktree");
  Git(shop(), {"worktree", "add", "--quiet", "../a"});
  Git(shop(), {"worktree", "add", "--quiet", "../b"});
  for (const char* tree : {"a", "b"}) {
    MakeFile(absl::StrCat(home_.File(tree), "/Makefile"),
             "all:\n\t@echo made\n");
  }
  const Guarded held(
      O8lock({"--lock-file", shop() + "/.git/worktrees/a/agent.lock", "--",
              "sh", "-c", Guarded::kScript}),
      In(shop()));
  EXPECT_EQ(Run(block, home_.File("a")).end, Exited(75));
  for (const std::string& free : {home_.File("b"), shop()}) {
    const Result run = Run(block, free);
    EXPECT_EQ(run.end, Exited(0)) << run.err;
    EXPECT_EQ(run.out, "made\n");
  }
  EXPECT_EQ(Git(home_.File("b"), {"status", "--porcelain", "--", "."}),
            "?? Makefile\n");
}

TEST_F(AgentsTest, AScriptThatLocksItself) {
  MakeFile(shop() + "/deploy", Block("A script that locks itself"), 0755);
  auto held = Hold({"-n", "deploy"});
  Process deploy({"./deploy"}, Options(shop()));
  deploy.WaitForError("waiting for ");
  EXPECT_EQ(deploy.out(), "");
  EXPECT_EQ(held->Finish(), Exited(0));
  EXPECT_EQ(deploy.Wait(), Exited(0));
  EXPECT_EQ(deploy.out(), "deploys alone\n");
}

TEST_F(AgentsTest, Ccmanager) {
  const std::string command = HookCommand("ccmanager");
  EXPECT_EQ(Run(command).end, Exited(0));
  EXPECT_EQ(RunInside(command).end, Exited(0));
  const auto held = Hold();
  EXPECT_EQ(Run(command).end, Exited(75));
}

TEST_F(AgentsTest, ClaudeCode) {
  const std::string command = HookCommand("Claude Code");
  EXPECT_EQ(Run(command).end, Exited(0));
  EXPECT_EQ(RunInside(command).end, Exited(0));
  const auto held = Hold();
  const Result refused = Run(command);
  EXPECT_EQ(refused.end, Exited(2));
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, HasSubstr(absl::StrCat("held (PID: ", held->pid())));
}

TEST_F(AgentsTest, Tmux) {
  if (!(RunToEnd(Shell("command -v tmux")) == Exited(0))) {
    GTEST_SKIP() << "there is no tmux here";
  }
  ASSERT_EQ(Run("o8lock hooks install").end, Exited(0));
  // The server is older than the run, so it does not belong to the run.
  ProcessOptions options = Options(shop());
  options.input = ProcessOptions::Stdin::kPipe;
  Process server(Shell("tmux new-session -d -s old; echo ready; read x; "
                       "tmux kill-server"),
                 options);
  server.WaitForOutput("ready\n");
  const std::string block = Block("tmux");
  // A session ends with its command.
  const std::string wait =
      "while tmux list-sessions | grep -qv ^old; do sleep 0.05; done";
  const std::string without = absl::StrReplaceAll(
      block, {{"-e \"O8LOCK_RUN=$O8LOCK_RUN\" ", ""}, {"feat-b", "feat-c"}});
  EXPECT_EQ(RunInside(absl::StrCat(without, wait)).end, Exited(0));
  EXPECT_EQ(Worktrees(), 1);
  EXPECT_EQ(RunInside(absl::StrCat(block, wait)).end, Exited(0));
  EXPECT_EQ(Worktrees(), 2);
  server.Write("end\n");
  EXPECT_EQ(server.Wait(), Exited(0));
}

TEST_F(AgentsTest, Cron) {
  std::string line = Block("cron");
  for (int field = 0; field < 5; ++field) line.erase(0, line.find(' ') + 1);
  const Argv cron = {"env",
                     "-i",
                     "HOME=" + home_.path(),
                     "SHELL=/bin/sh",
                     "PATH=/usr/bin:/bin",
                     "/bin/sh",
                     "-c",
                     line};
  const Result night = Call(cron, Options("/"));
  EXPECT_EQ(night.end, Exited(0)) << night.err;
  EXPECT_EQ(night.out, "night\n");
  const auto held = Hold();
  const Result busy = Call(cron, Options("/"));
  EXPECT_EQ(busy.end, Exited(0));
  EXPECT_THAT(busy.out, IsEmpty());
  EXPECT_THAT(busy.err, IsEmpty());
}

TEST_F(AgentsTest, Ci) {
  const std::string block = Block("CI");
  const Result ran = Run(block);
  // make(1) exits with 2 if a recipe fails, here with 7.
  EXPECT_EQ(ran.end, Exited(2)) << ran.err;
  EXPECT_EQ(ran.out, "");
  const auto held = Hold();
  const Result busy = Run(absl::StrReplaceAll(block, {{"10m", "0.1s"}}));
  EXPECT_EQ(busy.end, Exited(75));
  EXPECT_EQ(busy.out, "another run holds the repository; try again later\n");
}

}  // namespace
}  // namespace o8lock
