// SPDX-License-Identifier: Apache-2.0
//
// Worktrees under the lock of an external run. o8lock notices the lock only
// after git has made the first worktree, and rolls that one back. It must keep
// everything not certain to be this one command's work.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/hooked_repository.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// An external run with its lock file.
class ExternalRun {
 public:
  explicit ExternalRun(const HookedRepository& repo)
      : repo_(repo), process_({"sleep", "1000"}) {
    repo.MakeLockFile(ExternalLockFile(process_.pid(), TimeText(absl::Now())));
  }
  ~ExternalRun() { std::filesystem::remove(repo_.LockFile()); }
  ExternalRun(const ExternalRun&) = delete;  // Two would remove the file twice.
  ExternalRun& operator=(const ExternalRun&) = delete;

  // o8lock's refusal while the run exists. `outcome` is empty or a whole line.
  std::string Refusal(const std::string& outcome,
                      const std::string& add) const {
    Values values = ValuesOf(repo_, process_.pid());
    values["OUTCOME"] = outcome;
    values["ADD"] = add;
    values["PROGRAM"] = repo_.File(".git/o8lock/bin/o8lock");
    return Golden("worktree_outside", values);
  }
  pid_t pid() const { return process_.pid(); }

 private:
  const HookedRepository& repo_;
  Process process_;
};

// --- Rolled back and kept ---

// In a case $T is the directory of the worktrees, $MORE another commit, $LOST a
// commit without references, and $REPO the repository.
struct Case {
  std::string name;
  Argv arguments;           // after `git worktree add -q`
  std::string tree;         // the path of the new worktree
  std::string outcome;      // o8lock's line about it
  bool removed;             // whether o8lock removes the worktree
  Argv new_branches;        // new branches o8lock keeps
  std::string done = "";    // sh, run by the user's hook before o8lock's
  std::string check = "";   // sh, in the repository: fails if something is lost
  std::string before = "";  // sh, in the repository, before the command
  friend std::ostream& operator<<(std::ostream& out, const Case& one) {
    return out << one.name;
  }
};

std::string NameOf(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

// All cases use one repository, one after the other. The user's own
// post-checkout executes $DO before o8lock's post-checkout runs.
class RollBackTest : public testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() {
    repo_ = std::make_unique<HookedRepository>();
    const HookedRepository& repo = *repo_;
    hooks_ = std::make_unique<TempDir>();
    const std::string& hooks = hooks_->path();
    const std::string done =
        "#!/bin/sh\nif test \"$DO\"; then do=$DO; unset DO; eval \"$do\"; fi\n";
    int minor = 0;
    sscanf(Git("/", {"version"}).c_str(), "git version 2.%d", &minor);
    if (minor < 54) {
      MakeFile(hooks + "/post-checkout",
               done + "exec \"$O8LOCK\" hooks run post-checkout \"$@\"\n",
               0755);
      Git(repo.path(), {"config", "core.hooksPath", hooks});
    } else {
      // git runs this hook first: its setting comes before o8lock's.
      MakeFile(hooks + "/mine", done, 0755);
      Git(repo.path(), {"config", "hook.mine.command", hooks + "/mine"});
      Git(repo.path(), {"config", "hook.mine.event", "post-checkout"});
    }
    Git(repo.path(), {"config", "protocol.file.allow", "always"});
    const TempDir sub;
    Git(sub.path(), {"init", "-q"});
    Git(sub.path(), {"commit", "-q", "--allow-empty", "-m", "sub"});
    Git(repo.path(), {"-c", "protocol.file.allow=always", "submodule", "-q",
                      "add", sub.path(), "sub"});
    Git(repo.path(), {"commit", "-q", "-m", "sub"});
    std::filesystem::create_directories(repo.File(".git/sub"));
    std::filesystem::copy(sub.path(), repo.File(".git/sub"),
                          std::filesystem::copy_options::recursive);
    Git(repo.path(), {"config", "submodule.sub.url", repo.File(".git/sub")});
    Git(repo.path(), {"branch", "-f", "old"});
    lost_ = Commit("lost");
    more_ = Commit("more");
    Git(repo.path(), {"update-ref", "refs/remotes/origin/far", more_});
    Git(repo.path(), {"remote", "add", "origin", repo.path()});
    repo.Install();
  }
  static void TearDownTestSuite() {
    repo_.reset();
    hooks_.reset();
  }

  static std::string Commit(const std::string& message) {
    std::string id = Git(repo_->path(),
                         {"commit-tree", "-p", "HEAD", "-m", message, "HEAD:"});
    id.pop_back();
    return id;
  }

  static std::string Filled(absl::string_view text) {
    return absl::StrReplaceAll(text, {{"$T", repo_->trees()},
                                      {"$MORE", more_},
                                      {"$LOST", lost_},
                                      {"$REPO", repo_->path()}});
  }

  static Result Try(const Case& one) {
    Argv arguments = {"-q"};
    for (const std::string& argument : one.arguments) {
      arguments.push_back(Filled(argument));
    }
    ProcessOptions options = In(repo_->path());
    options.env["T"] = repo_->trees();
    options.env["MORE"] = more_;
    options.env["DO"] = one.done;
    options.env["O8LOCK"] = repo_->File(".git/o8lock/bin/o8lock");
    if (!one.before.empty()) {
      EXPECT_EQ(RunToEnd(Shell(one.before), options), Exited(0));
    }
    return Call(HookedRepository::AddArgv(arguments), options);
  }

  static std::unique_ptr<HookedRepository> repo_;
  static std::unique_ptr<TempDir> hooks_;
  static std::string lost_;
  static std::string more_;
};

std::unique_ptr<HookedRepository> RollBackTest::repo_;
std::unique_ptr<TempDir> RollBackTest::hooks_;
std::string RollBackTest::lost_;
std::string RollBackTest::more_;

std::set<std::string> LinesOf(const std::string& text) {
  std::set<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  return lines;
}

TEST_P(RollBackTest, LeavesWhatIsNotItsOwn) {
  const Case& one = GetParam();
  const HookedRepository& repo = *repo_;
  const std::string tree = Filled(one.tree);
  const std::string before = repo.Refs();
  const std::string config = Contents(repo.File(".git/config"));
  {
    const ExternalRun external(repo);
    const Result add = Try(one);
    EXPECT_EQ(add.end, Exited(1));
    // git in the user's hook may have printed something before.
    const std::string text = Normal(add.err);
    const std::string refusal =
        text.substr(std::min(text.find("Error:"), text.size()));
    std::string command = "git worktree add -q";
    for (const std::string& argument : one.arguments) {
      absl::StrAppend(&command, " ", Filled(argument));
    }
    const std::string expected =
        external.Refusal(absl::StrCat(Filled(one.outcome), "\n"), command);
    if (one.name.find("Odd") == std::string::npos) {
      EXPECT_EQ(refusal, expected);
    } else {
      EXPECT_THAT(refusal,
                  StartsWith(expected.substr(0, expected.find("\nOptions:"))));
    }
    EXPECT_TRUE(repo.IsArmed());
  }
  EXPECT_EQ(Exists(tree), !one.removed);
  EXPECT_EQ(Names(repo.File(".git/worktrees")).empty(),
            one.removed && one.name != "TheBranchIsCheckedOutElsewhere");
  // Every older reference is unchanged, and only the case's new branches stay.
  std::set<std::string> expected = LinesOf(before);
  std::set<std::string> kept;
  std::set<std::string> fresh;
  for (const std::string& line : LinesOf(repo.Refs())) {
    if (expected.count(line) != 0) {
      kept.insert(line);
    } else {
      fresh.insert(line.substr(0, line.find(' ')));
    }
  }
  EXPECT_EQ(kept, expected);
  std::set<std::string> branches;
  for (const std::string& name : one.new_branches) {
    branches.insert("refs/heads/" + name);
  }
  EXPECT_EQ(fresh, branches);
  if (one.new_branches.empty()) {
    EXPECT_EQ(Contents(repo.File(".git/config")), config);
  }
  if (!one.check.empty()) {
    ProcessOptions options = In(repo.path());
    options.env["T"] = repo.trees();
    options.env["MORE"] = more_;
    options.env["LOST"] = lost_;
    const Result check = Call({"sh", "-exc", one.check}, options);
    EXPECT_EQ(check.end, Exited(0)) << check.out << check.err;
  }
  // The hooks notice the end of the external run.
  repo.ExpectGitWorks();
  EXPECT_FALSE(repo.IsArmed());
  if (one.removed && one.new_branches.empty()) {
    EXPECT_THAT(Names(repo.trees()), IsEmpty()) << "empty directories too";
  }
  // Without a lock the same command works, and o8lock does not interfere.
  for (const std::string& name : Names(repo.trees())) {
    Call({"git", "worktree", "remove", "-f", "-f", repo.Tree(name)},
         repo.path());
    std::filesystem::remove_all(repo.Tree(name));
  }
  Call({"git", "worktree", "prune"}, repo.path());
  for (const std::string& name : branches) {
    Git(repo.path(), {"update-ref", "-d", name});
  }
  MakeFile(repo.File(".git/config"), config);
  const Result again = Try(one);
  EXPECT_EQ(again.end, Exited(0)) << again.err;
  EXPECT_TRUE(Exists(tree));
  Call({"git", "worktree", "remove", "-f", "-f", tree}, repo.path());
  for (const std::string& name : Names(repo.trees())) {
    std::filesystem::remove_all(repo.Tree(name));
  }
  std::filesystem::remove_all(tree);
  Call({"git", "worktree", "prune"}, repo.path());
  for (const std::string& line : LinesOf(repo.Refs())) {
    const std::string name = line.substr(0, line.find(' '));
    if (!absl::StrContains(before, name + " ")) {
      Git(repo.path(), {"update-ref", "-d", name});
    }
  }
  MakeFile(repo.File(".git/config"), config);
  ASSERT_EQ(repo.Refs(),
            before + Git(repo.path(),
                         {"for-each-ref", "--format=%(refname) %(objectname)",
                          "refs/none"}));
}

const Argv kNew = {"-b", "new", "$T/x"};
constexpr char kTaken[] = "Rolled back: $T/x, with its new branch new";

INSTANTIATE_TEST_SUITE_P(
    WithoutAnybodysWork, RollBackTest,
    testing::Values(
        Case{"NewBranch", kNew, "$T/x", kTaken, true, {}},
        Case{"Glued", {"-bnew", "$T/x"}, "$T/x", kTaken, true, {}},
        Case{"GluedToAnother", {"-fbnew", "$T/x"}, "$T/x", kTaken, true, {}},
        Case{"OptionLast", {"$T/x", "-b", "new"}, "$T/x", kTaken, true, {}},
        Case{"Tracking",
             {"--track", "-b", "new", "$T/x", "origin/far"},
             "$T/x",
             kTaken,
             true,
             {}},
        Case{"AtALostCommit",
             {"-b", "new", "$T/x", "$LOST"},
             "$T/x",
             kTaken,
             true,
             {},
             "",
             "git cat-file -e $LOST"},
        Case{"Nested",
             {"-b", "new", "$T/a/b/x"},
             "$T/a/b/x",
             "Rolled back: $T/a/b/x, with its new branch new",
             true,
             {}},
        Case{"EmptyDirectory",
             kNew,
             "$T/x",
             kTaken,
             true,
             {},
             "",
             "",
             "mkdir \"$T/x\""},
        Case{"OddSpaceAndQuotes",
             {"-b", "new", "$T/a b'\"c"},
             "$T/a b'\"c",
             "Rolled back: $T/a b'\"c, with its new branch new",
             true,
             {}},
        Case{"OddNewline",
             {"-b", "new", "$T/a\nb"},
             "$T/a\nb",
             "Rolled back: $T/a\\x0ab, with its new branch new",
             true,
             {}},
        Case{"Detached",
             {"--detach", "$T/x"},
             "$T/x",
             "Rolled back: $T/x",
             true,
             {}},
        Case{"DetachedAtALostCommit",
             {"--detach", "$T/x", "$LOST"},
             "$T/x",
             "Rolled back: $T/x",
             true,
             {},
             "",
             "git cat-file -e $LOST"},
        Case{"ExistingBranch",
             {"$T/x", "old"},
             "$T/x",
             "Rolled back: $T/x, but not its branch old: it may have existed "
             "before; git reflog shows its past",
             true,
             {}},
        Case{"ImpliedExistingBranch",
             {"$T/old"},
             "$T/old",
             "Rolled back: $T/old, but not its branch old: it may have existed "
             "before; git reflog shows its past",
             true,
             {}},
        Case{"ImpliedNewBranch",
             {"$T/fresh"},
             "$T/fresh",
             "Rolled back: $T/fresh, with its new branch fresh",
             true,
             {}},
        Case{"ImpliedNewBranchWithoutAReflog",
             {"$T/fresh"},
             "$T/fresh",
             "Rolled back: $T/fresh, but not its branch fresh: it may have "
             "existed before; git reflog shows its past",
             true,
             {"fresh"},
             "",
             "",
             "git config core.logAllRefUpdates false"},
        Case{"ImpliedBranchMadeJustBefore",
             {"$T/new"},
             "$T/new",
             "Rolled back: $T/new, but not its branch new: it may have existed "
             "before; git reflog shows its past",
             true,
             {"new"},
             "",
             "",
             "git branch new"},
        Case{"BranchOfARemote",
             {"$T/x", "far"},
             "$T/x",
             "Rolled back: $T/x, with its new branch far",
             true,
             {}},
        Case{"ResetOrNew",
             {"-B", "new", "$T/x"},
             "$T/x",
             "Rolled back: $T/x, with its new branch new",
             true,
             {}},
        Case{"ResetOfAnOldBranch",
             {"-B", "old", "$T/x"},
             "$T/x",
             "Rolled back: $T/x, but not its branch old: it may have existed "
             "before; git reflog shows its past",
             true,
             {}},
        // A path that looks like an option.
        Case{"AfterTheEndOfOptions",
             {"--end-of-options", "-b", "old"},
             "$REPO/-b",
             "Rolled back: $REPO/-b, but not its branch old: it may have "
             "existed before; git reflog shows its past",
             true,
             {}},
        Case{"Locked",
             {"--lock", "--reason", "-b", "-b", "new", "$T/x"},
             "$T/x",
             "Rolled back: $T/x, with its new branch new",
             true,
             {}}),
    NameOf);

constexpr char kFiles[] =
    "Kept: $T/x, although refused: it has files that git did not create";
constexpr char kPassedOver[] =
    "Kept: $T/x, although refused: it has changed files that git status does "
    "not show";

INSTANTIATE_TEST_SUITE_P(
    WithTheUsersWork, RollBackTest,
    testing::Values(
        Case{"UntrackedFile",
             kNew,
             "$T/x",
             kFiles,
             false,
             {"new"},
             "echo mine >mine.txt",
             "test $(cat $T/x/mine.txt) = mine"},
        Case{"IgnoredFile",
             kNew,
             "$T/x",
             kFiles,
             false,
             {"new"},
             "mkdir -p .claude/worktrees; echo mine >.claude/worktrees/mine",
             "test $(cat $T/x/.claude/worktrees/mine) = mine"},
        Case{"ChangedFile",
             kNew,
             "$T/x",
             kFiles,
             false,
             {"new"},
             "echo mine >>.gitignore",
             "grep mine $T/x/.gitignore"},
        Case{"StagedChange",
             kNew,
             "$T/x",
             kFiles,
             false,
             {"new"},
             "echo mine >>.gitignore; git add .gitignore",
             "grep mine $T/x/.gitignore"},
        Case{"FileThatIsAssumedUnchanged",
             kNew,
             "$T/x",
             kPassedOver,
             false,
             {"new"},
             "echo mine >>.gitignore; "
             "git update-index --assume-unchanged .gitignore",
             "grep mine $T/x/.gitignore"},
        Case{"FileThatIsSkipped",
             kNew,
             "$T/x",
             kPassedOver,
             false,
             {"new"},
             "echo mine >>.gitignore; git update-index --skip-worktree "
             ".gitignore",
             "grep mine $T/x/.gitignore"},
        Case{"Commit",
             kNew,
             "$T/x",
             "Kept: $T/x, although refused: its HEAD has moved",
             false,
             {"new"},
             "git commit -q --allow-empty -m mine",
             "test \"$(git log -1 --format=%s new)\" = mine"},
        Case{"CommitTakenBack",
             kNew,
             "$T/x",
             "Kept: $T/x, although refused: its HEAD has pointed elsewhere",
             false,
             {"new"},
             "git commit -q --allow-empty -m mine; git reset -q --hard HEAD~",
             "test \"$(git log -1 --format=%s new@{1})\" = mine"},
        Case{"CommitWithAReferenceOfTheWorktree",
             kNew,
             "$T/x",
             "Kept: $T/x, although refused: it has references of its own",
             false,
             {"new"},
             "git update-ref refs/worktree/mine $MORE",
             "git -C $T/x rev-parse refs/worktree/mine"},
        Case{"MovedBranch",
             kNew,
             "$T/x",
             "Kept: $T/x, although refused: its HEAD has moved",
             false,
             {"new"},
             "git update-ref refs/heads/new $MORE",
             "test $(git rev-parse new) = $MORE"},
        Case{"AnotherBranch",
             kNew,
             "$T/x",
             "Rolled back: $T/x, but not its branch new: the worktree is no "
             "longer on it",
             true,
             {"new"},
             "git checkout -q old 2>/dev/null"},
        Case{"TheBranchIsCheckedOutElsewhere",
             kNew,
             "$T/x",
             "Rolled back: $T/x, but not its branch new: it is checked out in "
             "'$T/twin'",
             true,
             {"new"},
             "O8LOCK_ALLOW=1 git worktree add -q -f \"$T/twin\" new",
             "git -C $T/twin rev-parse HEAD"},
        Case{"Submodule",
             kNew,
             "$T/x",
             "Kept: $T/x, although refused: git worktree remove $T/x failed "
             "with exit code 128: fatal: working trees containing submodules "
             "cannot be moved or removed",
             false,
             {"new"},
             "git -c protocol.file.allow=always submodule -q update --init"},
        Case{"BranchMadeJustBefore",
             {"$T/x", "new"},
             "$T/x",
             "Rolled back: $T/x, but not its branch new: it may have existed "
             "before; git reflog shows its past",
             true,
             {"new"},
             "",
             "",
             "git branch new"}),
    NameOf);

// --- The lock of an external run, from its beginning to its end ---

// Only a person gets the line with O8LOCK_ALLOW: an agent would paste it.
TEST(RefusedAddTest, ShowsTheWayAroundOnATerminalOnly) {
  const HookedRepository repo;
  repo.Install();
  const Guarded run(repo.path());
  const Argv add = HookedRepository::AddArgv({"-b", "new", repo.Tree("new")});
  const std::string allow = absl::StrCat(
      "Allow this worktree anyway: O8LOCK_ALLOW=1 git worktree add -b new ",
      repo.Tree("new"));
  Process person(add, OnTerminal(repo.path()));
  EXPECT_EQ(person.Wait(), Exited(255));
  EXPECT_THAT(person.out(), HasSubstr(allow));
  const Result agent = Call(add, repo.path());
  EXPECT_EQ(agent.end, Exited(255));
  EXPECT_THAT(agent.err, Not(HasSubstr("O8LOCK_ALLOW")));
}

TEST(ExternalLockTest, TheFirstAddIsRolledBackAndTheNextIsRefusedAtOnce) {
  const HookedRepository repo;
  repo.Install();
  const std::string refs = repo.Refs();
  auto external = std::make_unique<Process>(Argv{"sleep", "1000"});
  repo.MakeLockFile(ExternalLockFile(external->pid(), TimeText(absl::Now())));
  EXPECT_FALSE(repo.IsArmed());
  Values values = ValuesOf(repo, external->pid());
  values["PROGRAM"] = repo.File(".git/o8lock/bin/o8lock");
  const Argv arguments = {"-q", "-b", "new", repo.Tree("x")};
  values["ADD"] = absl::StrJoin(HookedRepository::AddArgv(arguments), " ");
  values["OUTCOME"] = absl::StrCat("Rolled back: ", repo.Tree("x"),
                                   ", with its new branch new\n");
  const Result first = repo.Add(arguments);
  EXPECT_EQ(first.end, Exited(1));
  EXPECT_EQ(Normal(first.err), Golden("worktree_outside", values));
  EXPECT_TRUE(repo.IsArmed());
  values["OUTCOME"] = "";
  const Result second = repo.Add(arguments);
  EXPECT_EQ(second.end, Exited(255));
  EXPECT_EQ(WithoutGitsWords(Normal(second.err)),
            Golden("worktree_outside", values));
  EXPECT_EQ(repo.Refs(), refs);
  EXPECT_THAT(repo.Entries(), IsEmpty());
  EXPECT_THAT(Names(repo.trees()), IsEmpty());
  // All other git commands work. The hooks stay armed while that run exists.
  repo.ExpectGitWorks();
  EXPECT_TRUE(repo.IsArmed());
  // The external run is killed, and its lock file stays.
  external.reset();
  repo.ExpectGitWorks();
  EXPECT_FALSE(repo.IsArmed());
  EXPECT_EQ(repo.Add(arguments).end, Exited(0));
}

TEST(ExternalLockTest, ItsOwnWorktreesAreLetAlone) {
  const HookedRepository repo;
  repo.Install();
  ProcessOptions options = In(repo.path());
  options.env["ORCHESTR8"] = PathFromEnv("ORCHESTR8");
  options.env["STAND_IN_READY_FIFO"] = repo.Tree("ready");
  options.env["STAND_IN_GO_FIFO"] = repo.Tree("go");
  options.env["NOW"] = TimeText(absl::Now());
  // As with orchestr8, the lock file names the process that starts git.
  const std::string program = repo.Tree("orchestr8");
  MakeFile(program,
           "#!/bin/sh\n"
           "mkfifo \"$STAND_IN_READY_FIFO\" \"$STAND_IN_GO_FIFO\"\n"
           "mkdir .claude; echo .claude >>.git/info/exclude\n"
           "echo \"{\\\"pid\\\": $$, \\\"startedAt\\\": \\\"$NOW\\\"}\" "
           ">.claude/parallel.lock\n"
           "sh \"$ORCHESTR8\" parallel a b & read line <$STAND_IN_READY_FIFO\n"
           "echo ready; wait $!; rm .claude/parallel.lock\n",
           0755);
  Process run({program}, options);
  run.WaitForOutput("ready\n");
  EXPECT_EQ(repo.Entries().size(), 2);
  // Its first worktree has armed the hooks.
  EXPECT_TRUE(repo.IsArmed());
  const Result refused = repo.Add({"-q", "-b", "new", repo.Tree("x")});
  EXPECT_EQ(refused.end, Exited(255));
  EXPECT_THAT(refused.err, HasSubstr(absl::StrCat("(PID: ", run.pid(), ")\n")));
  EXPECT_FALSE(Exists(repo.Tree("x")));
  LetGoOn(repo.Tree("go"));
  EXPECT_EQ(run.Wait(), Exited(0)) << run.err();
  EXPECT_THAT(run.out(), EndsWith("--- Parallel Execution Complete ---\n"));
  repo.ExpectGitWorks();
  EXPECT_FALSE(repo.IsArmed());
}

// Any process can write a lock file with the pid of the shell that calls git.
TEST(ExternalLockTest, WorktreesOfAProcessThatIsNoOrchestr8AreRefused) {
  const HookedRepository repo;
  repo.Install();
  ProcessOptions options = In(repo.path());
  options.env["NOW"] = TimeText(absl::Now());
  options.env["TREE"] = repo.Tree("x");
  const Result add = Call(Shell("mkdir .claude; echo \"{\\\"pid\\\": $$, "
                                "\\\"startedAt\\\": \\\"$NOW\\\"}\" "
                                ">.claude/parallel.lock\n"
                                "git worktree add -q -b new \"$TREE\""),
                          options);
  EXPECT_FALSE(add.end == Exited(0));
  EXPECT_THAT(add.err, HasSubstr("\ngit worktree add refused: "));
  EXPECT_FALSE(Exists(repo.Tree("x")));
  EXPECT_FALSE(repo.HasBranch("new"));
}

TEST(ExternalLockTest, AnAddThatBeganBeforeGoesOn) {
  const HookedRepository repo;
  repo.Install();
  ASSERT_EQ(RunToEnd({"mkfifo", repo.Tree("x.go")}), Exited(0));
  ProcessOptions options = In(repo.path());
  repo.MakeHook(
      "post-index-change",
      absl::StrCat("echo holding >&2; read line <", repo.Tree("x.go")));
  Process add(HookedRepository::AddArgv({"-q", "-b", "new", repo.Tree("x")}),
              options);
  add.WaitForError("holding\n");
  WaitForAnotherTick();
  const ExternalRun external(repo);
  repo.MakeHook("post-index-change", "");
  LetGoOn(repo.Tree("x.go"));
  EXPECT_EQ(add.Wait(), Exited(0)) << add.err();
  EXPECT_TRUE(repo.HasBranch("new"));
  EXPECT_EQ(Git(repo.Tree("x"), {"status", "--porcelain"}), "");
}

// --- The user's own hook after o8lock's ---

TEST(ChainedTest, TheUsersPostCheckoutRunsOnlyIfTheWorktreeStays) {
  const HookedRepository repo;
  repo.MakeHook("post-checkout", "echo \"$@\" >>\"$LOG\"; exit 3");
  repo.Install();
  ProcessOptions options = In(repo.path());
  options.env["LOG"] = repo.File(".git/log");
  const Argv add =
      HookedRepository::AddArgv({"-q", "-b", "new", repo.Tree("x")});
  {
    const ExternalRun external(repo);
    const Result refused = Call(add, options);
    EXPECT_EQ(refused.end, Exited(1));
    EXPECT_THAT(refused.err, HasSubstr("\nRolled back: "));
    EXPECT_FALSE(Exists(repo.File(".git/log")));
    EXPECT_THAT(repo.Entries(), IsEmpty());
  }
  repo.ExpectGitWorks();
  const Result allowed = Call(add, options);
  EXPECT_EQ(allowed.end, Exited(3));
  EXPECT_EQ(allowed.err, "");
  EXPECT_EQ(Contents(repo.File(".git/log")),
            absl::StrCat(std::string(40, '0'), " ",
                         Git(repo.path(), {"rev-parse", "HEAD"}).substr(0, 40),
                         " 1\n"));
}

// --- Interrupted ---

TEST(InterruptedTest, CtrlCDoesNotStopItHalfWay) {
  const HookedRepository repo;
  repo.MakeHook("reference-transaction",
                absl::StrCat("test \"$1\" = prepared || exit 0\n"
                             "while read old new name; do\n"
                             "  case $new in *[!0]*) continue; esac\n"
                             "  test $name = refs/heads/new || continue\n"
                             "  echo holding >&2; read line <",
                             repo.Tree("go"), "\ndone"));
  repo.Install();
  ASSERT_EQ(RunToEnd({"mkfifo", repo.Tree("go")}), Exited(0));
  const std::string refs = repo.Refs();
  const ExternalRun external(repo);
  Process add(HookedRepository::AddArgv({"-q", "-b", "new", repo.Tree("x")}),
              OnTerminal(repo.path()));
  // The interrupt comes during the removal of the branch. The worktree is gone
  // already.
  WaitUntil("the worktree is gone", [&repo] {
    return repo.HasBranch("new") && repo.Entries().empty() &&
           Exists(repo.File(".git/refs/heads/new.lock"));
  });
  add.Write("\x03");
  const End end = add.Wait();
  EXPECT_FALSE(end == Exited(0));
  LetGoOn(repo.Tree("go"));
  WaitUntil("the branch is gone", [&repo] { return !repo.HasBranch("new"); });
  EXPECT_EQ(repo.Refs(), refs);
}

}  // namespace
}  // namespace o8lock
