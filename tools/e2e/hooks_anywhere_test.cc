// SPDX-License-Identifier: Apache-2.0
//
// git must keep calling the user's hooks, from any path and for any caller.
// o8lock's own hooks must be effective; otherwise o8lock must report it.

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

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
using ::testing::Not;
using ::testing::StartsWith;

class AnywhereTest : public testing::Test {
 protected:
  // Makes a hook of the user. It prints its name and fails.
  static void MakeDeny(const std::string& hook) {
    std::filesystem::create_directories(
        std::filesystem::path(hook).parent_path());
    MakeFile(hook, "#!/bin/sh\necho \"denied by ${0##*/}\" >&2\nexit 1\n",
             0755);
  }

  Result Commit(const std::string& directory) const {
    return Call({"git", "commit", "-q", "--allow-empty", "-m", "x"},
                project_.Options(directory));
  }
  void ExpectDenied(const std::string& directory) const {
    const Result commit = Commit(directory);
    EXPECT_EQ(commit.end, Exited(1));
    EXPECT_THAT(commit.err, HasSubstr("denied by pre-commit\n"));
  }
  void ExpectCommits(const std::string& directory) const {
    const Result commit = Commit(directory);
    EXPECT_EQ(commit.end, Exited(0));
    EXPECT_EQ(commit.err, "");
  }

  // git calls post-checkout whether the lock is free or held.
  void ExpectChecksOut(const std::string& directory) const {
    const Result checkout = Call({"git", "checkout", "-q", "--detach"},
                                 project_.Options(directory));
    EXPECT_EQ(checkout.end, Exited(0));
    EXPECT_EQ(checkout.err, "");
  }

  Result Add(const std::string& directory) const {
    return Call(
        {"git", "worktree", "add", "-q", "-b", "new", project_.Beside("new")},
        project_.Options(directory));
  }
  void ExpectRefused(const std::string& directory) const {
    const Result add = Add(directory);
    EXPECT_FALSE(add.end == Exited(0));
    EXPECT_THAT(add.err, HasSubstr(std::string(kRefused)));
    EXPECT_FALSE(Exists(project_.Beside("new")));
  }

  Result Hooks(const std::string& verb, const std::string& directory) const {
    return Call({project_.program, "hooks", verb}, project_.Options(directory));
  }

  Project project_;
};

// --- Under another path ---

TEST_F(AnywhereTest, MovedDuringARun) {
  MakeDeny(project_.File(".git/hooks/pre-commit"));
  ExpectInstalls(project_);
  const std::string moved = project_.Beside("moved");
  {
    Guarded run(project_.path());
    std::filesystem::rename(project_.path(), moved);
    ExpectDenied(moved);
    ExpectChecksOut(moved);
    if (!GitHasConfigHooks()) {
      const Result status = Hooks("status", moved);
      EXPECT_EQ(status.end, Exited(71));
      EXPECT_THAT(status.out, HasSubstr(absl::StrCat(
                                  "\nBypassed by: the hooks are set up for '",
                                  project_.path(), "/.git'; the next run")));
    }
    run.Finish();
  }
  ExpectDenied(moved);
  ExpectChecksOut(moved);
  const Guarded run(moved);
  ExpectDenied(moved);
  ExpectRefused(moved);
}

TEST_F(AnywhereTest, SeenFromOutsideOfAContainer) {
  MakeDeny(project_.File(".git/hooks/pre-commit"));
  ExpectInstalls(project_);
  const std::string inside = project_.Beside("inside");
  std::filesystem::create_directory(inside);
  ProcessOptions options = project_.Options("/");
  options.env["INSIDE"] = inside;
  options.env["PROJECT"] = project_.path();
  if (!(RunToEnd({"unshare", "-m", "true"}) == Exited(0))) {
    GTEST_SKIP() << "no mount namespaces here";
  }
  {
    const std::string script =
        "mount --bind \"$PROJECT\" \"$INSIDE\" && cd \"$INSIDE\" && "
        "exec \"$0\" -- sh -c \"$1\"";
    const Guarded run({"unshare", "-m", "--propagation", "private", "sh", "-c",
                       script, Binary(), Guarded::kScript},
                      options);
    ExpectDenied(project_.path());
    ExpectChecksOut(project_.path());
  }
  // ~Process killed the run, so it left the hooks armed.
  ExpectDenied(project_.path());
  ExpectChecksOut(project_.path());
  const Guarded run(project_.path());
  ExpectRefused(project_.path());
}

// Inside, another path leads to o8lock: its run must not lead the hooks of the
// others there.
TEST_F(AnywhereTest, SeenFromOutsideOfAContainerWithAProgramOfItsOwn) {
  if (!(RunToEnd({"unshare", "-m", "true"}) == Exited(0))) {
    GTEST_SKIP() << "no mount namespaces here";
  }
  for (const char* name : {"host", "container", "inside"}) {
    std::filesystem::create_directory(project_.Beside(name));
  }
  project_.program = project_.Beside("host/o8lock");
  std::filesystem::copy_file(Binary(), project_.program);
  std::filesystem::copy_file(Binary(), project_.Beside("container/o8lock"));
  ExpectInstalls(project_);
  for (const std::string& path : {project_.path(), project_.Beside("inside")}) {
    SCOPED_TRACE(path);
    ProcessOptions options = project_.Options("/");
    options.env["BESIDE"] = project_.Beside("");
    const std::string script = absl::StrCat(
        "cd \"$BESIDE\" && mount --bind project inside && "
        "mount -t tmpfs none host && cd ",
        path, " && exec \"$BESIDE/container/o8lock\" -- sh -c \"$0\"");
    const Guarded run({"unshare", "-m", "--propagation", "private", "sh", "-c",
                       script, Guarded::kScript},
                      options);
    ExpectRefused(project_.path());
  }
}

// A start from another path must not rewrite the hooks of the run that has the
// lock.
TEST_F(AnywhereTest, ARefusedStartIsElsewhere) {
  ExpectInstalls(project_);
  std::filesystem::create_directory(project_.Beside("inside"));
  ProcessOptions options = project_.Options("/");
  options.env["INSIDE"] = project_.Beside("inside");
  options.env["PROJECT"] = project_.path();
  if (!(RunToEnd({"unshare", "-m", "true"}) == Exited(0))) {
    GTEST_SKIP() << "no mount namespaces here";
  }
  const Guarded run(project_.path());
  const std::string script =
      "mount --bind \"$PROJECT\" \"$INSIDE\" && "
      "mount -t tmpfs none \"$PROJECT\" && cd \"$INSIDE\" && exec \"$0\" -- :";
  const Result refused = Call({"unshare", "-m", "--propagation", "private",
                               "sh", "-c", script, Binary()},
                              options);
  EXPECT_EQ(refused.end, Exited(75));
  // Without a checkout only the armed hook refuses.
  const Result add = Call({"git", "worktree", "add", "-q", "--no-checkout",
                           "-b", "new", project_.Beside("new")},
                          project_.Options());
  EXPECT_FALSE(add.end == Exited(0));
  EXPECT_THAT(add.err, HasSubstr(std::string(kRefused)));
}

class CopiedTest : public AnywhereTest,
                   public testing::WithParamInterface<bool> {};

// Such as scp -r, zip, or a client of cloud storage.
TEST_P(CopiedTest, ByAToolThatFollowsLinks) {
  MakeDeny(project_.File(".git/hooks/pre-commit"));
  MakeFile(project_.File(".git/hooks/common.sh"), "true\n");
  std::filesystem::create_directory(project_.File(".git/hooks/lib"));
  MakeFile(project_.File(".git/hooks/lib/more"), "true\n");
  ExpectInstalls(project_);
  const std::string copy = project_.Beside("copy");
  {
    std::unique_ptr<Guarded> run;
    if (GetParam()) run = std::make_unique<Guarded>(project_.path());
    RunToEnd({"cp", "-rL", project_.path(), copy});
  }
  std::filesystem::remove_all(project_.path());
  const std::vector<std::string> hooks = Names(copy + "/.git/hooks");
  ExpectDenied(copy);
  ExpectChecksOut(copy);
  {
    const Guarded run(copy);
    ExpectDenied(copy);
    ExpectChecksOut(copy);
    ExpectRefused(copy);
  }
  EXPECT_EQ(Names(copy + "/.git/hooks"), hooks);
  EXPECT_EQ(Hooks("install", copy).end, Exited(0));
  EXPECT_EQ(Hooks("uninstall", copy).end, Exited(0));
  EXPECT_THAT(Contents(copy + "/.git/config"), Not(HasSubstr("o8lock")));
  EXPECT_FALSE(Exists(copy + "/.git/o8lock/hooks"));
  ExpectDenied(copy);
}

INSTANTIATE_TEST_SUITE_P(, CopiedTest, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& info) {
                           return info.param ? "WhileTaken" : "WhileFree";
                         });

// --- The needs of the user's hooks, and changes during a run ---

TEST_F(AnywhereTest, AHookUsesItsOwnDirectory) {
  std::filesystem::create_directories(project_.File(".git/hooks/lib"));
  MakeFile(project_.File(".git/hooks/common"), "echo common >&2\n", 0755);
  MakeFile(project_.File(".git/hooks/lib/more.sh"), "echo more >&2\n");
  MakeFile(project_.File(".git/hooks/pre-commit"),
           "#!/bin/sh\n. \"$(git rev-parse --git-path hooks)/common\"\n"
           ". \"$(dirname \"$0\")/lib/more.sh\"\n",
           0755);
  ExpectInstalls(project_);
  const Guarded run(project_.path());
  const Result commit = Commit(project_.path());
  EXPECT_EQ(commit.end, Exited(0));
  EXPECT_EQ(commit.err, "common\nmore\n");
}

TEST_F(AnywhereTest, HooksComeDuringARun) {
  ExpectInstalls(project_);
  const Guarded run(project_.path());
  ExpectCommits(project_.path());
  MakeDeny(project_.File(".git/hooks/pre-commit"));
  ExpectDenied(project_.path());
  std::filesystem::remove(project_.File(".git/hooks/pre-commit"));
  MakeFile(project_.File(".git/hooks/reference-transaction"),
           "#!/bin/sh\nexit 1\n", 0755);
  const Result git =
      Call({"git", "update-ref", "refs/x", "HEAD"}, project_.Options());
  EXPECT_EQ(git.end, Exited(128));
  EXPECT_THAT(git.err, HasSubstr("hook"));
}

TEST_F(AnywhereTest, AHookComesWithItsHelperDuringARun) {
  ExpectInstalls(project_);
  const Guarded run(project_.path());
  MakeFile(project_.File(".git/hooks/common"), "echo common >&2\n");
  MakeFile(project_.File(".git/hooks/pre-commit"),
           "#!/bin/sh\n. \"$(git rev-parse --git-path hooks)/common\"\n", 0755);
  const Result commit = Commit(project_.path());
  EXPECT_EQ(commit.end, Exited(0));
  EXPECT_EQ(commit.err, "common\n");
}

// o8lock has no stand-in for push-to-checkout: git calls it from o8lock's
// directory.
TEST_F(AnywhereTest, PushToCheckoutIsOfTheDirectoryOfNow) {
  const std::string hook =
      "#!/bin/sh\ngit read-tree -u -m HEAD $1 && echo {NAME} >&2\n";
  Git(project_.path(),
      {"config", "receive.denyCurrentBranch", "updateInstead"});
  MakeFile(project_.File(".git/hooks/push-to-checkout"),
           Fill(hook, {{"NAME", "first"}}), 0755);
  ExpectInstalls(project_);
  const Guarded run(project_.path());
  std::filesystem::create_directory(project_.Beside("checks"));
  MakeFile(project_.Beside("checks/push-to-checkout"),
           Fill(hook, {{"NAME", "second"}}), 0755);
  Git(project_.path(), {"config", "core.hooksPath", project_.Beside("checks")});
  const Result push =
      Call(Shell("git clone -q . ../clone && cd ../clone && "
                 "git commit -q --allow-empty -m x && git push -q origin HEAD"),
           project_.Options());
  EXPECT_EQ(push.end, Exited(0)) << push.err;
  EXPECT_THAT(push.err, HasSubstr("second"));
  EXPECT_THAT(push.err, Not(HasSubstr("first")));
}

// `npm install` does so in a project with husky.
TEST_F(AnywhereTest, HooksPathIsSetDuringARun) {
  ExpectInstalls(project_);
  MakeDeny(project_.File(".husky/_/pre-commit"));
  const Guarded run(project_.path());
  Git(project_.path(), {"config", "core.hooksPath", ".husky/_"});
  ExpectDenied(project_.path());
  ExpectRefused(project_.path());
  Git(project_.path(), {"config", "--unset", "core.hooksPath"});
  ExpectCommits(project_.path());
}

TEST_F(AnywhereTest, HooksPathIsRelativeAndProcIsNotMounted) {
  if (IsSanitized()) {
    GTEST_SKIP() << "the sanitizer itself does not work without /proc";
  }
  Git(project_.path(), {"config", "core.hooksPath", ".hooks"});
  std::filesystem::create_directory(project_.File(".hooks"));
  MakeFile(project_.File(".hooks/post-checkout"),
           "#!/bin/sh\necho called >&2\n", 0755);
  ExpectInstalls(project_);
  if (!(RunToEnd({"unshare", "-m", "true"}) == Exited(0))) {
    GTEST_SKIP() << "no mount namespaces here";
  }
  const Guarded run(project_.path());
  const Result checkout =
      Call({"unshare", "-m", "--propagation", "private", "sh", "-c",
            "mount -t tmpfs none /proc && exec git checkout -q --detach"},
           project_.Options(project_.path()));
  EXPECT_EQ(checkout.end, Exited(0));
  EXPECT_EQ(checkout.err, "called\n");
}

// Git looks in the root directory. A file of the worktree is no hook.
TEST_F(AnywhereTest, HooksPathIsEmpty) {
  Git(project_.path(), {"config", "core.hooksPath", ""});
  MakeDeny(project_.File("post-checkout"));
  ExpectInstalls(project_);
  const Guarded run(project_.path());
  ExpectChecksOut(project_.path());
}

// The user's variables reach the user's hooks.
TEST_F(AnywhereTest, AHookReadsTheEnvironment) {
  MakeFile(project_.File(".git/hooks/pre-commit"),
           "#!/bin/sh\necho \"$name $path $file $directory $link\" >&2\n",
           0755);
  ExpectInstalls(project_);
  const Guarded run(project_.path());
  ProcessOptions options = project_.Options(project_.path());
  for (const char* name : {"name", "path", "file", "directory", "link"}) {
    options.env[name] = "mine";
  }
  EXPECT_EQ(
      Call({"git", "commit", "-q", "--allow-empty", "-m", "x"}, options).err,
      "mine mine mine mine mine\n");
}

TEST_F(AnywhereTest, HooksPathDependsOnTheBranch) {
  ExpectInstalls(project_);
  MakeDeny(project_.Beside("checks/pre-commit"));
  MakeFile(
      project_.Beside("checks.inc"),
      absl::StrCat("[core]\n\thooksPath = ", project_.Beside("checks"), "\n"));
  MakeFile(project_.Beside("global"),
           absl::StrCat("[includeIf \"onbranch:checked\"]\n\tpath = ",
                        project_.Beside("checks.inc"), "\n"));
  project_.env["GIT_CONFIG_GLOBAL"] = project_.Beside("global");
  const Guarded run(project_.path());
  ExpectCommits(project_.path());
  EXPECT_EQ(
      Call({"git", "checkout", "-q", "-b", "checked"}, project_.Options()).end,
      Exited(0));
  ExpectDenied(project_.path());
}

// --- Configuration ---

// `git config include.path X` would replace a plain include of o8lock.
TEST_F(AnywhereTest, TheProjectHasAnIncludeOfItsOwn) {
  MakeFile(project_.File(".gitconfig"), "[project]\n\tset = up\n");
  const auto set_up = [this] {
    Git(project_.path(), {"config", "include.path", "../.gitconfig"});
    EXPECT_EQ(Git(project_.path(), {"config", "project.set"}), "up\n");
  };
  ExpectInstalls(project_);
  set_up();
  {
    Guarded run(project_.path());
    ExpectRefused(project_.path());
    set_up();
    run.Finish();
  }
  ExpectInstalls(project_);
  set_up();
  EXPECT_EQ(Hooks("status", project_.path()).end, Exited(0));
}

// o8lock 0.1.0 installed a plain include.
TEST_F(AnywhereTest, AnOlderIncludeIsReplaced) {
  const std::string before = Contents(project_.File(".git/config"));
  ExpectInstalls(project_);
  const std::string now = Contents(project_.File(".git/config"));
  EXPECT_EQ(now, before +
                     "[includeif \"gitdir:/**\"]\n"
                     "\tpath = o8lock/armed.inc\n");
  MakeFile(project_.File(".git/config"),
           before + "[include]\n\tpath = o8lock/armed.inc\n");
  ExpectInstalls(project_);
  EXPECT_EQ(Contents(project_.File(".git/config")), now);
  ExpectUninstalls(project_);
  EXPECT_EQ(Contents(project_.File(".git/config")), before);
}

TEST_F(AnywhereTest, OneWorktreeHasAHooksPathOfItsOwn) {
  if (GitHasConfigHooks()) GTEST_SKIP() << "git calls them all the same";
  project_.AddLinked();
  Git(project_.path(), {"config", "extensions.worktreeConfig", "true"});
  Git(project_.Linked(),
      {"config", "--worktree", "core.hooksPath", project_.Beside("checks")});
  MakeDeny(project_.Beside("checks/pre-commit"));
  const std::string bypass = absl::StrCat(
      "core.hooksPath = ", project_.Beside("checks"), " (worktree, file:",
      project_.File(".git/worktrees/linked/config.worktree"), ")");
  const Result install = project_.Hooks({"install"});
  EXPECT_EQ(install.end, Exited(0)) << install.err;
  EXPECT_THAT(install.out, HasSubstr(bypass));
  const Result status = project_.Hooks({"status"});
  EXPECT_EQ(status.end, Exited(71));
  EXPECT_THAT(status.out,
              StartsWith("installed, but not effective in every worktree"));
  const Result doctor = Call(O8lock({"doctor"}), project_.Options());
  EXPECT_EQ(doctor.end, Exited(71));
  EXPECT_THAT(
      doctor.out,
      HasSubstr("fail  hooks: git does not call them: " + bypass + "\n"));
  const Guarded run(project_.path());
  ExpectRefused(project_.path());
  ExpectDenied(project_.Linked());
}

// git cannot execute o8lock's hooks there, so it must keep the user's.
TEST_F(AnywhereTest, TheFileSystemIsMountedNoexec) {
  if (GitHasConfigHooks()) GTEST_SKIP() << "git starts nothing there";
  if (!(RunToEnd({"unshare", "-m", "true"}) == Exited(0))) {
    GTEST_SKIP() << "no mount namespaces here";
  }
  MakeDeny(project_.Beside("checks/pre-commit"));
  Git(project_.path(), {"config", "core.hooksPath", project_.Beside("checks")});
  ProcessOptions options = project_.Options();
  options.env["O8LOCK"] = Binary();
  const std::string mount =
      "mount --bind . . && mount -o remount,bind,noexec . && cd \"$PWD\" && ";
  const auto noexec = [&](const std::string& script) {
    return Call({"unshare", "-m", "sh", "-c", mount + script}, options);
  };
  const Tree before = HooksOf(project_);
  const Result install = noexec("\"$O8LOCK\" hooks install");
  EXPECT_EQ(install.end, Exited(71));
  EXPECT_THAT(install.err, HasSubstr("' is mounted noexec: git cannot start "
                                     "hooks in it\n"));
  EXPECT_EQ(HooksOf(project_), before);
  ExpectInstalls(project_);
  const Result run = noexec(
      "\"$O8LOCK\" -- git commit -q --allow-empty -m x; \"$O8LOCK\" hooks "
      "status");
  EXPECT_EQ(run.end, Exited(71));
  EXPECT_THAT(run.err, HasSubstr("denied by pre-commit\n"));
  EXPECT_THAT(run.err,
              HasSubstr("o8lock: warning: git hooks need attention: '"));
  EXPECT_THAT(run.out, HasSubstr("\nBypassed by: "));
}

// After the installation a sandbox may mount the home directory noexec. git
// fails if it cannot execute a hook from a setting.
TEST_F(AnywhereTest, TheFileSystemBecomesNoexec) {
  if (!(RunToEnd({"unshare", "-m", "true"}) == Exited(0))) {
    GTEST_SKIP() << "no mount namespaces here";
  }
  ExpectInstalls(project_);
  const std::string script =
      "mount --bind . . && mount -o remount,bind,noexec . && cd \"$PWD\" && "
      "git checkout -q --detach && git commit -q --allow-empty -m x";
  const auto expect_git_works = [this, &script] {
    const Result git =
        Call({"unshare", "-m", "sh", "-c", script}, project_.Options());
    EXPECT_EQ(git.end, Exited(0)) << git.err;
  };
  expect_git_works();
  const Guarded run(project_.path());
  expect_git_works();
}

TEST_F(AnywhereTest, AKindOfHooksIsSwitchedOff) {
  if (!GitHasConfigHooks()) GTEST_SKIP() << "git has no such setting";
  ExpectInstalls(project_);
  for (const std::string key :
       {"hook.reference-transaction.enabled", "hook.post-checkout.enabled",
        "hook.o8lock-post-checkout.enabled"}) {
    Git(project_.path(), {"config", key, "false"});
    const Result status = project_.Hooks({"status"});
    EXPECT_EQ(status.end, Exited(71));
    EXPECT_THAT(status.out, HasSubstr("\nBypassed by: " + key + " = false"));
    Git(project_.path(), {"config", key, "true"});
    EXPECT_EQ(project_.Hooks({"status"}).end, Exited(0));
  }
  // git never calls a hook with an empty event.
  Git(project_.path(), {"config", "hook.o8lock.event", ""});
  EXPECT_EQ(project_.Hooks({"status"}).end, Exited(71));
}

// --- The program ---

class ProgramTest : public AnywhereTest,
                    public testing::WithParamInterface<const char*> {};

// A broken program must not make git refuse anything. The next run repairs it.
TEST_P(ProgramTest, IsBroken) {
  const std::string program = project_.Beside("o8lock");
  std::filesystem::copy_file(Binary(), program);
  project_.program = program;
  ExpectInstalls(project_);
  project_.program = Binary();
  const auto expect_git_works = [this] {
    EXPECT_EQ(Call(Shell("git commit -q --allow-empty -m x && "
                         "git branch -f b && git checkout -q --detach && "
                         "git checkout -q -"),
                   project_.Options())
                  .end,
              Exited(0));
  };
  {
    Guarded run(project_.path());
    std::filesystem::remove(program);
    if (*GetParam() == '\0') {
      std::filesystem::create_directory(program);
    } else {
      MakeFile(program, GetParam(), 0755);
    }
    expect_git_works();
    EXPECT_EQ(project_.Hooks({"status"}).end, Exited(71));
    run.Finish();
  }
  expect_git_works();
  const Guarded run(project_.path());
  ExpectRefused(project_.path());
  expect_git_works();
  EXPECT_EQ(project_.Hooks({"status"}).end, Exited(0));
}

// The user's hook may mention its own path.
TEST_F(AnywhereTest, TheProgramIsGone) {
  MakeFile(project_.File(".git/hooks/post-checkout"),
           "#!/bin/sh\necho \"$0: done\" >&2\n", 0755);
  project_.program = project_.Beside("o8lock");
  std::filesystem::copy_file(Binary(), project_.program);
  ExpectInstalls(project_);
  std::filesystem::remove(project_.program);
  project_.program = Binary();
  const std::string copy = project_.File(".git/o8lock/bin/o8lock");
  // An older copy is replaced as well.
  for (const bool has_copy : {false, true}) {
    SCOPED_TRACE(has_copy);
    if (has_copy) MakeFile(copy, "#!/bin/sh\necho o8lock 0.1.9\n", 0755);
    {
      const Guarded run(project_.path());
      ExpectRefused(project_.path());
    }
    EXPECT_TRUE(Contents(copy) == Contents(Binary()));
    EXPECT_THAT(Contents(project_.File(".git/hooks/post-checkout")),
                HasSubstr("/../o8lock/bin/o8lock"));
  }
}

std::string ProgramName(const testing::TestParamInfo<const char*>& info) {
  constexpr const char* kNames[] = {"Directory", "Garbage", "Crashing", "Torn",
                                    "Failing"};
  return kNames[info.index];
}
INSTANTIATE_TEST_SUITE_P(, ProgramTest,
                         testing::Values("", "garbage",
                                         "#!/bin/sh\nkill -SEGV $$\n",
                                         "\x7f"
                                         "ELF",
                                         "#!/bin/sh\nexit 3\n"),
                         ProgramName);

// As with a package manager that keeps each version in its own directory.
TEST_F(AnywhereTest, TheProgramIsAStableLink) {
  const auto put = [this](const std::string& version) {
    const std::string directory = project_.Beside("store-" + version);
    std::filesystem::create_directory(directory);
    std::filesystem::copy_file(Binary(), directory + "/o8lock");
    std::filesystem::remove(project_.Beside("o8lock"));
    std::filesystem::create_symlink(directory + "/o8lock",
                                    project_.Beside("o8lock"));
  };
  put("1");
  project_.program = project_.Beside("o8lock");
  ExpectInstalls(project_);
  put("2");
  std::filesystem::remove_all(project_.Beside("store-1"));
  EXPECT_THAT(project_.Hooks({"status"}).out,
              HasSubstr("\nProgram: " + project_.program + " ("));
  const Guarded run({project_.program, "--", "sh", "-c", Guarded::kScript},
                    project_.Options());
  ExpectRefused(project_.path());
}

TEST_F(AnywhereTest, TheProgramMayGoWithItsDirectory) {
  for (const std::string directory :
       {"node_modules", "npm/_npx/0123/node_modules"}) {
    SCOPED_TRACE(directory);
    const std::string bin =
        absl::StrCat(project_.Beside(directory), "/o8lock/bin");
    std::filesystem::create_directories(bin);
    std::filesystem::copy_file(Binary(), bin + "/o8lock");
    std::filesystem::create_directory(project_.Beside(directory) + "/.bin");
    std::filesystem::create_symlink(
        "../o8lock/bin/o8lock", project_.Beside(directory) + "/.bin/o8lock");
    project_.program = project_.Beside(directory) + "/.bin/o8lock";
    ExpectInstalls(project_);
    std::filesystem::remove_all(project_.Beside(directory));
    project_.program = Binary();
    const Guarded run(project_.path());
    ExpectRefused(project_.path());
    EXPECT_THAT(project_.Hooks({"status"}).out,
                HasSubstr("\nProgram: " + project_.File(".git/o8lock/bin/")));
  }
}

// dpkg-divert renames git so when another program takes its place.
TEST_F(AnywhereTest, GitHasAnotherName) {
  ExpectInstalls(project_);
  const std::string git = project_.Beside("git.distrib");
  const Result found = Call(Shell("readlink -f \"$(command -v git)\""), "/");
  std::filesystem::copy_file(found.out.substr(0, found.out.find('\n')), git);
  const Guarded run(project_.path());
  for (const char* const form : {"-b", "--detach"}) {
    Argv add = {git, "worktree", "add", "-q", form};
    if (form[1] == 'b') add.emplace_back("new");
    add.push_back(project_.Beside("new"));
    const Result result = Call(add, project_.Options());
    EXPECT_FALSE(result.end == Exited(0));
    EXPECT_THAT(result.err, HasSubstr(std::string(kRefused)));
  }
}

// --- Installing ---

TEST_F(AnywhereTest, AnInstallationThatFailsLeavesNothing) {
  EXPECT_EQ(Call(Locked({}, ""), project_.Options()).end, Exited(0));
  const std::string lock = project_.File(".git/config.lock");
  MakeFile(lock, "");
  const std::vector<std::string> places = {project_.File(".git/config"),
                                           project_.File(".git/hooks"),
                                           project_.File(".git/o8lock")};
  const Tree before = TreeOf(places);
  const Result install = project_.Hooks({"install"});
  EXPECT_EQ(install.end, Exited(73));
  EXPECT_THAT(install.err,
              StartsWith("o8lock: error: git config: error: could not lock "
                         "config file "));
  EXPECT_THAT(install.err,
              HasSubstr("\no8lock: hint: o8lock's hooks are not installed; "
                        "if no git command is running: rm " +
                        lock + "\n"));
  EXPECT_EQ(TreeOf(places), before);
  // If another program has the lock only briefly, the installation waits.
  Process other(Shell(absl::StrCat("read line; rm '", lock, "'")), [] {
    ProcessOptions options;
    options.input = ProcessOptions::Stdin::kPipe;
    return options;
  }());
  Process again(O8lock({"hooks", "install"}), project_.Options());
  other.Write("\n");
  EXPECT_EQ(again.Wait(), Exited(0));
}

TEST_F(AnywhereTest, InstallationsAtTheSameTimeAllSucceed) {
  const std::string before = Contents(project_.File(".git/config"));
  ExpectInstalls(project_);
  const std::string once = Contents(project_.File(".git/config"));
  ExpectUninstalls(project_);
  std::vector<std::unique_ptr<Process>> all(6);
  for (std::unique_ptr<Process>& one : all) {
    one = std::make_unique<Process>(O8lock({"hooks", "install"}),
                                    project_.Options());
  }
  for (const std::unique_ptr<Process>& one : all) {
    EXPECT_EQ(one->Wait(), Exited(0)) << one->err();
  }
  EXPECT_EQ(Contents(project_.File(".git/config")), once);
  ExpectUninstalls(project_);
  EXPECT_EQ(Contents(project_.File(".git/config")), before);
}

TEST_F(AnywhereTest, GitsOwnReasonIsGiven) {
  project_.env["GIT_TEST_ASSUME_DIFFERENT_OWNER"] = "1";
  if (Call({"git", "rev-parse"}, project_.Options()).end == Exited(0)) {
    GTEST_SKIP() << "git does not mind here";
  }
  const Tree before = TreeOf({project_.File(".git")});
  for (const char* const verb : {"install", "status"}) {
    const Result result = project_.Hooks({verb});
    EXPECT_EQ(result.end, Exited(73));
    EXPECT_THAT(result.err, HasSubstr("git config --global --add "
                                      "safe.directory "));
  }
  EXPECT_EQ(TreeOf({project_.File(".git")}), before);
}

// --- Bare ---

TEST_F(AnywhereTest, GitFindsNoBareRepositoryByItself) {
  const std::string home = project_.Beside("worktrees");
  std::filesystem::create_directory(home);
  Git(home, {"clone", "-q", "--bare", project_.path(), ".bare"});
  MakeFile(home + "/.git", "gitdir: ./.bare\n");
  Git(home, {"worktree", "add", "-q", "--detach", "one"});
  MakeFile(project_.Beside("global"), "[safe]\n\tbareRepository = explicit\n");
  project_.env["GIT_CONFIG_GLOBAL"] = project_.Beside("global");
  const std::string one = home + "/one";
  const Result install = Hooks("install", one);
  EXPECT_EQ(install.end, Exited(0)) << install.err;
  // The next run must find the new directory of hooks.
  Git(one, {"config", "core.hooksPath", project_.Beside("checks")});
  MakeDeny(project_.Beside("checks/pre-commit"));
  const Guarded run({Binary(), "--", "sh", "-c", Guarded::kScript},
                    project_.Options(one));
  ExpectDenied(one);
  ExpectRefused(one);
}

}  // namespace
}  // namespace o8lock
