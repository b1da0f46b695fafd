// SPDX-License-Identifier: Apache-2.0

#include "tools/cli/orchestr8.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace o8lock {
namespace {

// Returns the result in one line: "other", "no lock", or "lock" with its
// details.
std::string Read(const std::vector<std::string>& command) {
  const std::optional<Orchestr8Command> got = ReadOrchestr8Command(command);
  if (!got.has_value()) return "other";
  return absl::StrCat(
      got->needs_lock ? "lock" : "no lock", got->features.empty() ? "" : " ",
      absl::StrJoin(got->features, ","),
      got->max_concurrency ? absl::StrCat(" max=", *got->max_concurrency) : "",
      got->force ? " force" : "", got->yes ? " yes" : "");
}

struct Case {
  const char* line;  // Words separated by one space.
  const char* want;
};

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(Read(absl::StrSplit(c.line, ' ')), c.want) << c.line;
  }
}

TEST(Orchestr8Test, ReadsARun) {
  Check({
      {"orchestr8 parallel feat-a feat-b", "lock feat-a,feat-b"},
      {"murmur8 murm feat-a", "lock feat-a"},
      {"murmur8 murmuration feat-a", "lock feat-a"},
      {"orchestr8 parallel a --force", "lock a force"},
      {"orchestr8 parallel --force --yes a b", "lock a,b force yes"},
      {"orchestr8 parallel a -y --verbose --skip-preflight", "lock a yes"},
      {"orchestr8 parallel a a", "lock a,a"},
  });
}

TEST(Orchestr8Test, TakesOnlyWhatOrchestr8TakesForASubcommand) {
  Check({
      {"orchestr8 parallel status", "no lock"},
      {"orchestr8 parallel status --detailed", "no lock"},
      {"murmur8 murm status feat-a --force", "no lock"},
      {"orchestr8 parallel abort", "no lock"},
      {"orchestr8 parallel abort --cleanup", "lock"},
      {"orchestr8 parallel cleanup", "lock"},
      {"orchestr8 parallel cleanup --force -y", "lock force yes"},
      {"orchestr8 parallel cleanup --dry-run", "lock"},
      {"murmur8 murm rollback", "lock"},
      {"murmur8 murm rollback --force", "lock"},
      {"murmur8 murm rollback --dry-run", "no lock"},
      // These name features.
      {"orchestr8 parallel a status", "lock a,status"},
      {"orchestr8 parallel --verbose status", "lock status"},
      {"orchestr8 parallel help", "lock help"},
      {"orchestr8 parallel Status", "lock Status"},
      {"orchestr8 parallel parallel", "lock parallel"},
  });
}

TEST(Orchestr8Test, NeedsNoLockWhereNothingIsStarted) {
  Check({
      {"orchestr8", "no lock"},
      {"orchestr8 help", "no lock"},
      {"orchestr8 --help", "no lock"},
      {"orchestr8 init --force", "no lock"},
      {"orchestr8 history clear --force", "no lock"},
      {"orchestr8 parallel-config set maxConcurrency 5", "no lock"},
      {"orchestr8 queue parallel a", "no lock"},
      {"orchestr8 --verbose parallel a", "no lock"},
      {"orchestr8 PARALLEL a", "no lock"},
      {"orchestr8 parallel", "no lock"},
      {"orchestr8 parallel --help", "no lock"},
      {"orchestr8 parallel -h", "no lock"},
      {"orchestr8 parallel --force --yes", "no lock"},
      {"orchestr8 parallel a b --dry-run", "no lock"},
      {"orchestr8 parallel --dry-run a --force", "no lock"},
      // --help does not stop a run, and these are not --dry-run.
      {"orchestr8 parallel a --help", "lock a"},
      {"orchestr8 parallel a --dry-run=1", "lock a"},
      {"orchestr8 parallel a dry-run", "lock a,dry-run"},
  });
}

TEST(Orchestr8Test, ReadsMaxConcurrencyAsOrchestr8Does) {
  Check({
      {"orchestr8 parallel a --max-concurrency=2", "lock a max=2"},
      {"orchestr8 parallel --max-concurrency=2 a", "lock a max=2"},
      {"orchestr8 parallel a --max-concurrency=2 --max-concurrency=4",
       "lock a max=2"},
      {"orchestr8 parallel a --max-concurrency=+5", "lock a max=5"},
      {"orchestr8 parallel a --max-concurrency=2x", "lock a max=2"},
      {"orchestr8 parallel a --max-concurrency=2.9", "lock a max=2"},
      {"orchestr8 parallel a --max-concurrency=1e3", "lock a max=1"},
      {"orchestr8 parallel a --max-concurrency=99999999999",
       "lock a max=2147483647"},
      {"orchestr8 parallel a --max-concurrency=99999999999999999999",
       "lock a max=2147483647"},
      {"orchestr8 parallel a --max-concurrency=", "lock a"},
      {"orchestr8 parallel a --max-concurrency=many", "lock a"},
      {"orchestr8 parallel a --max-concurrency=0", "lock a"},
      {"orchestr8 parallel a --max-concurrency=0x10", "lock a"},
      {"orchestr8 parallel a --max-concurrency=-1", "lock a"},
      {"orchestr8 parallel a --max-concurrency=x --max-concurrency=4",
       "lock a"},
      {"orchestr8 parallel a --max-concurrency 2", "lock a max=2"},
      {"orchestr8 parallel --max-concurrency 5 a b", "lock a,b max=5"},
      {"orchestr8 parallel --max-concurrency 5", "lock max=5"},
      {"orchestr8 parallel a --max-concurrency 0", "lock a"},
      {"orchestr8 parallel a --max-concurrency b 2", "lock a,b,2"},
      {"orchestr8 parallel a --max-concurrency -1", "lock a"},
      {"orchestr8 parallel a --max-concurrency=2 3", "lock a,3 max=2"},
      {"orchestr8 parallel a --max-concurrency", "lock a"},
      {"orchestr8 parallel a --max-concurrency-of=2", "lock a"},
  });
}

TEST(Orchestr8Test, KnowsTheProgramByItsFile) {
  Check({
      {"./node_modules/.bin/orchestr8 parallel a", "lock a"},
      {"/usr/local/bin/murmur8 murm a", "lock a"},
      {"/opt/orchestr8/bin/cli.js parallel a", "lock a"},
      {"node /opt/orchestr8/bin/cli.js parallel a", "lock a"},
      {"node ../murmur8/bin/cli.js murm a --force", "lock a force"},
      {"node node_modules/.bin/orchestr8 parallel a", "lock a"},
      {"/usr/bin/node --no-warnings -r ./x.js "
       "node_modules/orchestr8/bin/cli.js "
       "parallel a",
       "lock a"},
      {"node --require=./x.js -- orchestr8/bin/cli.js parallel status",
       "no lock"},
      {"orchestr8-fake parallel a", "other"},
      {"my-orchestr8 parallel a", "other"},
      {"Orchestr8 parallel a", "other"},
      {"orchestr8.cmd parallel a", "other"},
      {"orchestr8/ parallel a", "other"},
      {"/opt/orchestr8/bin/other.js parallel a", "other"},
      {"/opt/orchestr8/cli.js parallel a", "other"},
      {"node other.js orchestr8 parallel x", "other"},
      {"node bin/cli.js parallel a", "other"},
      {"node orchestr8-fake/bin/cli.js parallel a", "other"},
      {"node orchestr8/test/bin/cli.js parallel a", "other"},
      {"node -r orchestr8 parallel a", "other"},
      {"node -e code orchestr8 parallel a", "other"},
      {"node", "other"},
  });
}

TEST(Orchestr8Test, KnowsTheProgramBehindItsRunner) {
  Check({
      {"npx orchestr8 parallel a --yes", "lock a yes"},
      {"npx -y orchestr8@2.7.1 parallel a", "lock a"},
      {"npx --yes --package=x orchestr8 parallel a", "lock a"},
      {"npx -p murmur8@4 murmur8 murm a", "lock a"},
      {"npx --package x -- orchestr8 parallel a -y", "lock a yes"},
      {"npx -- orchestr8 parallel a", "lock a"},
      {"npx --no-install orchestr8 parallel status", "no lock"},
      {"npx github:NewmanJustice/orchestr8#main parallel a", "lock a"},
      {"npx orchestr8", "no lock"},
      {"npx -y orchestr8 init", "no lock"},
      {"/usr/bin/npx orchestr8@latest parallel a", "lock a"},
      {"pnpm orchestr8 parallel a --force", "lock a force"},
      {"pnpm exec orchestr8 parallel a", "lock a"},
      {"pnpm exec -- orchestr8 parallel a", "lock a"},
      {"pnpm --filter web exec orchestr8 parallel a", "lock a"},
      {"pnpm dlx orchestr8@2.7.1 parallel a", "lock a"},
      {"pnpm --package=x dlx orchestr8 parallel a", "lock a"},
      {"pnpx murmur8 murm a", "lock a"},
      {"yarn orchestr8 parallel a --yes", "lock a yes"},
      {"yarn run orchestr8 parallel a -y", "lock a yes"},
      {"yarn run --silent orchestr8 parallel a", "lock a"},
      {"yarn orchestr8 -- parallel a", "lock a"},
      {"yarn --cwd web orchestr8 parallel a", "lock a"},
      {"yarn dlx -p x orchestr8 parallel a", "lock a"},
      {"yarn node node_modules/orchestr8/bin/cli.js parallel a", "lock a"},
      {"bunx --bun orchestr8 parallel a", "lock a"},
      {"bun x orchestr8 parallel a", "lock a"},
      {"bun node_modules/orchestr8/bin/cli.js parallel a", "lock a"},
      {"env orchestr8 parallel a", "lock a"},
      {"env -i -u HOME A=1 B= npx -y orchestr8 parallel a=b", "lock a=b"},
  });
}

// npm, and yarn 1 with exec, keep the options before "--": orchestr8 then sees
// neither --dry-run nor --force.
TEST(Orchestr8Test, LeavesARunnersOptionsToTheRunner) {
  Check({
      {"npm exec orchestr8 parallel a", "lock a"},
      {"npm exec orchestr8 parallel a --dry-run", "lock a"},
      {"npm exec orchestr8 parallel a --force -y --max-concurrency=2",
       "lock a"},
      {"npm exec orchestr8 -- parallel a --force", "lock a force"},
      {"npm exec --package x -- orchestr8 parallel a -y", "lock a yes"},
      {"npm exec -- orchestr8 parallel a --dry-run", "no lock"},
      {"npm exec orchestr8 --loglevel error parallel a", "lock a"},
      {"npm --silent x orchestr8@2.7.1 parallel a -- --yes", "lock a yes"},
      {"yarn exec orchestr8 parallel a --dry-run", "lock a"},
      {"yarn exec -- orchestr8 parallel a --force", "lock a force"},
      {"npx -y orchestr8 parallel a", "lock a"},
      {"npx --force --dry-run orchestr8 parallel a", "lock a"},
  });
}

TEST(Orchestr8Test, KnowsTheProgramBehindAShell) {
  Check({
      {"sh tools/orchestr8 parallel a --force", "lock a force"},
      {"/bin/bash -e -o pipefail tools/murmur8 murm a", "lock a"},
      {"bash --norc -- tools/orchestr8 parallel a", "lock a"},
      {"env zsh orchestr8 parallel status", "no lock"},
      // These execute no script.
      {"sh -c orchestr8 parallel status", "other"},
      {"bash -ec orchestr8 parallel status", "other"},
      {"bash -e -c orchestr8 parallel status", "other"},
      {"sh -s orchestr8 parallel status", "other"},
      {"sh", "other"},
      {"sh -", "other"},
  });
}

TEST(Orchestr8Test, AsksAboutAProgramOfAnotherNameIfARunIsToStart) {
  std::vector<std::string> asked;
  const auto read = [&asked](const std::string& line, bool answer) {
    asked.clear();
    const std::vector<std::string> command = absl::StrSplit(line, ' ');
    const std::optional<Orchestr8Command> got =
        ReadOrchestr8Command(command, [&](const Orchestr8Program& program) {
          asked.push_back(absl::StrCat(
              program.name, program.by_package_runner ? " by a runner" : ""));
          return answer;
        });
    if (!got.has_value()) return std::string("other");
    return absl::StrCat(got->needs_lock ? "lock " : "no lock ",
                        absl::StrJoin(got->features, ","));
  };
  EXPECT_EQ(read("node lib/cli.js murm a b", true), "lock a,b");
  EXPECT_EQ(asked, std::vector<std::string>({"lib/cli.js"}));
  EXPECT_EQ(read("node lib/cli.js murm a b", false), "other");
  EXPECT_EQ(read("npx agents parallel a", true), "lock a");
  EXPECT_EQ(asked, std::vector<std::string>({"agents by a runner"}));
  EXPECT_EQ(read("agents -- parallel a", true), "lock a");
  EXPECT_EQ(read("agents parallel status", true), "no lock ");
  // A program named orchestr8 needs no question. Without `parallel` it could be
  // any script.
  EXPECT_EQ(read("orchestr8 parallel a", false), "lock a");
  EXPECT_EQ(read("node scripts/release.js status", true), "other");
  EXPECT_EQ(read("agents --yes parallel a", true), "other");
  EXPECT_EQ(read("true", true), "other");
  EXPECT_TRUE(asked.empty());
}

TEST(Orchestr8Test, LeavesOtherCommandsAlone) {
  Check({
      {"make parallel", "other"},
      {"echo orchestr8 parallel a", "other"},
      {"npx", "other"},
      {"npx -y", "other"},
      {"npx -y cowsay orchestr8 parallel", "other"},
      {"npx -p orchestr8 cowsay parallel status", "other"},
      {"npx -p orchestr8", "other"},
      {"npx @somebody/orchestr8 parallel status", "other"},
      {"npx orchestr8-fake parallel a", "other"},
      {"npm install orchestr8", "other"},
      {"npm run orchestr8 -- parallel a", "other"},
      {"pnpm add orchestr8", "other"},
      {"pnpm --filter orchestr8 status", "other"},
      {"yarn exec exec orchestr8 status", "other"},
      {"npx exec orchestr8 status", "other"},
      {"bun install orchestr8", "other"},
      {"env", "other"},
      {"env A=orchestr8", "other"},
      {"env A=1 make orchestr8", "other"},
      {"node a=b/x.js orchestr8 status", "other"},
      {"npx a=b orchestr8 status", "other"},
      {"timeout 5 orchestr8 parallel a", "other"},
      {"", "other"},
  });
  EXPECT_EQ(Read({}), "other");
  EXPECT_EQ(Read({"git", "commit", "-m", "orchestr8 parallel"}), "other");
  EXPECT_EQ(Read({"orchestr8 parallel a"}), "other");
  EXPECT_EQ(Read({"sh", "-c", "orchestr8 parallel a"}), "other");
  EXPECT_EQ(Read({"npx", "-c", "orchestr8 parallel a"}), "other");
}

TEST(Orchestr8Test, KnowsTheSameProgramsStatusCommand) {
  for (const auto& [line, want] :
       std::vector<std::pair<const char*, const char*>>{
           {"orchestr8 parallel a b --yes", "orchestr8 parallel status"},
           {"murmur8 murm a", "murmur8 murm status"},
           {"npx -y orchestr8@2 parallel a",
            "npx -y orchestr8@2 parallel status"},
           {"node x/orchestr8/bin/cli.js parallel a",
            "node x/orchestr8/bin/cli.js parallel status"},
           {"npm exec orchestr8 --silent parallel a",
            "orchestr8 parallel status"},
           {"yarn orchestr8 -- parallel a",
            "yarn orchestr8 -- parallel status"},
           {"orchestr8 parallel rollback", "orchestr8 parallel status"},
       }) {
    const std::optional<Orchestr8Command> got = ReadOrchestr8Command(
        std::vector<std::string>(absl::StrSplit(line, ' ')));
    ASSERT_TRUE(got.has_value()) << line;
    EXPECT_EQ(absl::StrJoin(got->status_command, " "), want);
  }
}

TEST(Orchestr8Test, KeepsArgumentsWhole) {
  EXPECT_EQ(Read({"orchestr8", "parallel", "a b", ""}), "lock a b,");
  EXPECT_EQ(Read({"orchestr8", "parallel", "a", "--max-concurrency= 4"}),
            "lock a max=4");
}

}  // namespace
}  // namespace o8lock
