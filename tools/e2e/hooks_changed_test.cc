// SPDX-License-Identifier: Apache-2.0
//
// During a run git names o8lock's directory of hooks. Other programs may save
// its path or write into it.

#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/hooked_project.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::HasSubstr;

class ChangedTest : public testing::Test {
 protected:
  void SetUp() override {
    if (GitHasConfigHooks()) GTEST_SKIP() << "git needs no directory of them";
  }

  // Makes a hook of the user. It prints `word`.
  static void MakeHook(const std::string& hook, absl::string_view word) {
    std::filesystem::create_directories(
        std::filesystem::path(hook).parent_path());
    MakeFile(hook, absl::StrCat("#!/bin/sh\necho ", word, " >&2\n"), 0755);
  }

  // Runs `script` under the lock. $hooks is the directory of hooks from git.
  Result RunScript(const std::string& script) const {
    return Call({project_.program, "--", "sh", "-c",
                 "hooks=$(git rev-parse --git-path hooks)\n" + script},
                project_.Options());
  }
  void ExpectRuns(const std::string& script) const {
    const Result run = RunScript(script);
    EXPECT_EQ(run.end, Exited(0));
    EXPECT_EQ(run.err, "");
  }

  // Expects git to call the user's hooks, and `words` as their output.
  void ExpectCommitSays(const std::string& directory,
                        const std::string& words) const {
    const Result commit = Call(
        {"timeout", "20", "git", "commit", "-q", "--allow-empty", "-m", "x"},
        project_.Options(directory));
    EXPECT_EQ(commit.end, Exited(0));
    EXPECT_EQ(commit.err, words);
  }

  std::string HooksPath() const {
    return Call({"git", "config", "--local", "core.hooksPath"},
                project_.Options())
        .out;
  }

  Project project_;
};

// --- Its path is saved ---

class SavedTest : public ChangedTest,
                  public testing::WithParamInterface<const char*> {};

TEST_P(SavedTest, ByThisName) {
  MakeHook(project_.File(".git/hooks/pre-commit"), "mine");
  ExpectInstalls(project_);
  std::filesystem::create_symlink(project_.path(), project_.Beside("link"));
  Guarded run(project_.path());
  const Result save =
      Call({"sh", "-c", absl::StrCat("git config core.hooksPath ", GetParam())},
           project_.Options());
  EXPECT_EQ(save.end, Exited(0)) << save.err;
  EXPECT_NE(HooksPath(), "");
  ExpectCommitSays(project_.path(), "mine\n");
  const Result status = project_.Hooks({"status"});
  EXPECT_EQ(status.end, Exited(71));
  EXPECT_THAT(status.out, HasSubstr("\nBypassed by: core.hooksPath = "));
  run.Finish();
  EXPECT_EQ(HooksPath(), "");
  ExpectCommitSays(project_.path(), "mine\n");
  EXPECT_EQ(project_.Hooks({"status"}).end, Exited(0));
}

INSTANTIATE_TEST_SUITE_P(, SavedTest,
                         testing::Values("\"$PWD/.git/o8lock/hooks\"",
                                         ".git/o8lock/hooks",
                                         "\"$PWD/.git/../.git/o8lock//hooks/\"",
                                         "../link/.git/o8lock/hooks"));

TEST_F(ChangedTest, TheUsersHooksPathComesBack) {
  MakeHook(project_.File("checks/pre-commit"), "mine");
  Git(project_.path(), {"config", "core.hooksPath", "checks"});
  ExpectInstalls(project_);
  ExpectRuns("git config core.hooksPath \"$hooks\"");
  EXPECT_EQ(HooksPath(), "checks\n");
  ExpectCommitSays(project_.path(), "mine\n");
}

TEST_F(ChangedTest, TheSavedPathIsOfAnotherPlace) {
  MakeHook(project_.File(".git/hooks/pre-commit"), "mine");
  ExpectInstalls(project_);
  const std::string saved = project_.File(".git/o8lock/hooks");
  Git(project_.path(), {"config", "core.hooksPath", saved});
  const std::string moved = project_.Beside("moved");
  std::filesystem::rename(project_.path(), moved);
  const Result status =
      Call({project_.program, "hooks", "status"}, project_.Options(moved));
  EXPECT_EQ(status.end, Exited(71));
  EXPECT_THAT(status.out, HasSubstr(absl::StrCat(
                              "\nBypassed by: core.hooksPath = ", saved)));
  {
    const Guarded run(moved);
    ExpectCommitSays(moved, "mine\n");
  }
  Git(moved, {"config", "core.hooksPath", saved});
  EXPECT_EQ(
      Call({project_.program, "hooks", "uninstall"}, project_.Options(moved))
          .end,
      Exited(0));
  ExpectCommitSays(moved, "mine\n");
}

TEST_F(ChangedTest, OneWorktreeHasTheSavedPath) {
  MakeHook(project_.File(".git/hooks/pre-commit"), "mine");
  project_.AddLinked();
  Git(project_.path(), {"config", "extensions.worktreeConfig", "true"});
  ExpectInstalls(project_);
  const std::string saved = project_.File(".git/o8lock/hooks");
  Git(project_.Linked(), {"config", "--worktree", "core.hooksPath", saved});
  ExpectCommitSays(project_.Linked(), "mine\n");
  EXPECT_EQ(project_.Hooks({"status"}).end, Exited(71));
  ExpectInstalls(project_);
  EXPECT_EQ(project_.Hooks({"status"}).end, Exited(0));
  ExpectRuns("git -C ../linked config --worktree core.hooksPath \"$hooks\"");
  EXPECT_EQ(project_.Hooks({"status"}).end, Exited(0));
  Git(project_.Linked(), {"config", "--worktree", "core.hooksPath", saved});
  ExpectUninstalls(project_);
  ExpectCommitSays(project_.Linked(), "mine\n");
}

// o8lock must not take the user's directory for its own because of the name.
TEST_F(ChangedTest, TheUsersDirectoryHasTheSameName) {
  const std::string hooks = project_.Beside("o8lock/hooks");
  MakeHook(hooks + "/pre-commit", "mine");
  Git(project_.path(), {"config", "core.hooksPath", hooks});
  ExpectInstalls(project_);
  ExpectRuns("");
  EXPECT_EQ(HooksPath(), hooks + "\n");
  const Guarded run(project_.path());
  ExpectCommitSays(project_.path(), "mine\n");
}

TEST_F(ChangedTest, TheUsersDirectoryOfThatNameIsInOneWorktree) {
  project_.AddLinked();
  MakeHook(project_.Linked() + "/tools/o8lock/hooks/pre-commit", "mine");
  Git(project_.path(), {"config", "core.hooksPath", "tools/o8lock/hooks"});
  ExpectInstalls(project_);
  ExpectCommitSays(project_.Linked(), "mine\n");
  {
    const Guarded run(project_.path());
    ExpectCommitSays(project_.Linked(), "mine\n");
  }
  ExpectUninstalls(project_);
  EXPECT_EQ(HooksPath(), "tools/o8lock/hooks\n");
}

TEST_F(ChangedTest, TheUsersHookIsALinkToOurs) {
  std::filesystem::create_directories(project_.File(".git/hooks"));
  std::filesystem::create_symlink("../o8lock/hooks/pre-commit",
                                  project_.File(".git/hooks/pre-commit"));
  ExpectInstalls(project_);
  const Guarded run(project_.path());
  ExpectCommitSays(project_.path(), "");
}

// --- Something is written into it ---

TEST_F(ChangedTest, AHookIsWrittenInPlace) {
  ExpectInstalls(project_);
  ExpectRuns(
      "printf '#!/bin/sh\\necho new >&2\\n' >$hooks/pre-commit\n"
      "git commit -q --allow-empty -m x 2>&1 | grep -qx new");
  EXPECT_EQ(Contents(project_.File(".git/hooks/pre-commit")),
            "#!/bin/sh\necho new >&2\n");
  ExpectCommitSays(project_.path(), "new\n");
  const Guarded run(project_.path());
  ExpectCommitSays(project_.path(), "new\n");
}

TEST_F(ChangedTest, ALineIsAppended) {
  ExpectInstalls(project_);
  ExpectRuns("echo 'echo appended >&2' >>$hooks/pre-commit");
  EXPECT_EQ(Contents(project_.File(".git/hooks/pre-commit")),
            "#!/bin/sh\necho appended >&2\n");
  ExpectCommitSays(project_.path(), "appended\n");
  const Guarded run(project_.path());
  ExpectCommitSays(project_.path(), "appended\n");
}

// `sed -i` writes a new file and renames it into place.
TEST_F(ChangedTest, ALineIsInserted) {
  ExpectInstalls(project_);
  for (const char* line : {"1", "2"}) {
    SCOPED_TRACE(line);
    ExpectRuns(absl::StrCat("sed -i '", line,
                            "a echo inserted >&2' \"$hooks/pre-commit\"\n"
                            "git commit -q --allow-empty -m x 2>&1 | "
                            "grep -qx inserted"));
    const std::string hook = project_.File(".git/hooks/pre-commit");
    EXPECT_EQ(Contents(hook), "#!/bin/sh\necho inserted >&2\n");
    ExpectCommitSays(project_.path(), "inserted\n");
    std::filesystem::remove(hook);
  }
}

TEST_F(ChangedTest, ALinkIsPut) {
  MakeHook(project_.File("scripts/check"), "linked");
  ExpectInstalls(project_);
  const std::string hook = project_.File(".git/hooks/pre-commit");
  // Absolute; relative to o8lock's directory; relative to the user's directory.
  for (const char* make :
       {"ln -sf \"$PWD/scripts/check\" \"$hooks/pre-commit\"",
        "ln -srf scripts/check \"$hooks/pre-commit\"",
        "ln -sf ../../scripts/check \"$hooks/pre-commit\""}) {
    SCOPED_TRACE(make);
    ExpectRuns(make);
    EXPECT_TRUE(std::filesystem::is_symlink(hook));
    ExpectCommitSays(project_.path(), "linked\n");
    {
      Guarded run(project_.path());
      ExpectCommitSays(project_.path(), "linked\n");
      run.Finish();
    }
    std::filesystem::remove(hook);
  }
}

// The new hook calls the one it has found.
TEST_F(ChangedTest, AHookIsRenamedAndCalled) {
  MakeHook(project_.File(".git/hooks/pre-commit"), "mine");
  ExpectInstalls(project_);
  for (const char* suffix : {"orig", "legacy"}) {
    SCOPED_TRACE(suffix);
    ExpectRuns(absl::StrReplaceAll(
        "cd \"$hooks\"; mv pre-commit pre-commit.X; cd ../../..\n"
        "printf '#!/bin/sh\\necho new >&2; exec \"$(dirname \"$0\")"
        "/pre-commit.X\"\\n' >\"$hooks/pre-commit\"\n"
        "chmod +x \"$hooks/pre-commit\"\n"
        "git commit -q --allow-empty -m x >../said 2>&1; "
        "rm \"$hooks/pre-commit\"",
        {{"X", suffix}}));
    EXPECT_EQ(Contents(project_.Beside("said")), "new\nmine\n");
    ExpectCommitSays(project_.path(), "mine\n");
  }
}

TEST_F(ChangedTest, ItIsReplacedByALinkToTheUsersHooks) {
  const std::string user = project_.Beside("hooks");
  MakeHook(user + "/pre-commit", "mine");
  MakeHook(user + "/helper", "helped");
  const Tree before = TreeOf({user});
  for (const bool linked_before : {true, false}) {
    SCOPED_TRACE(linked_before);
    const std::string hooks = project_.File(".git/hooks");
    std::filesystem::remove_all(hooks);
    if (linked_before) std::filesystem::create_symlink(user, hooks);
    ExpectInstalls(project_);
    const Tree installed = TreeOf({user});
    EXPECT_EQ(RunScript(absl::StrCat("rm -rf \"$hooks\"; ln -s ", user,
                                     " \"$hooks\""))
                  .end,
              Exited(0));
    EXPECT_EQ(TreeOf({user}), installed);
    ExpectUninstalls(project_);
    EXPECT_EQ(TreeOf({user}), before);
    if (linked_before) ExpectCommitSays(project_.path(), "mine\n");
  }
}

// overcommit does so with the hooks it finds.
TEST_F(ChangedTest, ABackupIsMade) {
  ExpectInstalls(project_);
  ExpectRuns(
      "mkdir \"$hooks/old-hooks\"\n"
      "mv \"$hooks/pre-commit\" \"$hooks/old-hooks\"\n"
      "printf '#!/bin/sh\\necho manager >&2\\n' >\"$hooks/pre-commit\"\n"
      "chmod +x \"$hooks/pre-commit\"");
  ExpectCommitSays(project_.path(), "manager\n");
  EXPECT_TRUE(Names(project_.File(".git/hooks/old-hooks")).empty());
}

// o8lock 0.1.0 made such stand-ins.
TEST_F(ChangedTest, AnOlderO8lockHasMadeThem) {
  MakeHook(project_.File(".git/hooks/pre-commit"), "mine");
  ExpectInstalls(project_);
  for (const char* name : {"pre-commit", "reference-transaction"}) {
    std::string old = absl::StrCat(
        "#!/bin/sh\n# o8lock: made by `o8lock hooks install`.\nreal='",
        project_.File(".git/hooks/"), name,
        "'\n! test -x \"$real\" || exec \"$real\" \"$@\"\n");
    MakeFile(absl::StrCat(project_.File(".git/o8lock/hooks/"), name), old,
             0755);
  }
  ExpectRuns("");
  EXPECT_FALSE(Exists(project_.File(".git/hooks/reference-transaction")));
  EXPECT_FALSE(Exists(project_.File(".git/hooks/pre-commit.from-o8lock")));
  const Guarded run(project_.path());
  ExpectCommitSays(project_.path(), "mine\n");
}

TEST_F(ChangedTest, WhatIsPutAsideIsNamed) {
  const std::string hook = project_.File(".git/hooks/pre-commit");
  MakeHook(hook, "mine");
  ExpectInstalls(project_);
  for (const std::string& aside :
       {hook + ".from-o8lock", hook + ".2.from-o8lock"}) {
    const Result run =
        RunScript(absl::StrCat("echo '# ", aside, "' >>$hooks/pre-commit"));
    EXPECT_EQ(run.end, Exited(0));
    EXPECT_EQ(run.err,
              absl::StrCat("o8lock: warning: git hooks need attention: '",
                           aside, "' was added during a run beside '", hook,
                           "', and git does not call it\n"
                           "o8lock: hint: see: o8lock doctor\n"));
    EXPECT_EQ(Contents(aside), absl::StrCat("#!/bin/sh\n# ", aside, "\n"));
    const Result status = project_.Hooks({"status"});
    EXPECT_EQ(status.end, Exited(0));
    EXPECT_THAT(status.out, HasSubstr("\nNot called by git: " + aside + "\n"));
    const Result doctor = Call(O8lock({"doctor"}), project_.Options());
    EXPECT_THAT(doctor.out,
                HasSubstr(absl::StrCat(
                    "warn  hooks: ", aside,
                    " was added during a run, and git does not call it\n")));
  }
  ExpectRuns("");
  ExpectCommitSays(project_.path(), "mine\n");
}

TEST_F(ChangedTest, TheUsersDirectoryIsNotThere) {
  std::filesystem::remove_all(project_.File(".git/hooks"));
  Git(project_.path(), {"config", "core.hooksPath", "checks"});
  ExpectInstalls(project_);
  ExpectRuns("printf '#!/bin/sh\\necho new >&2\\n' >$hooks/pre-commit");
  ExpectCommitSays(project_.path(), "new\n");
  ExpectUninstalls(project_);
  ExpectCommitSays(project_.path(), "new\n");
}

TEST_F(ChangedTest, TheUsersDirectoryIsOnAnotherFileSystem) {
  const std::string other = absl::StrCat("/dev/shm/o8lock.", getpid());
  if (!std::filesystem::create_directory(other)) GTEST_SKIP() << other;
  Git(project_.path(), {"config", "core.hooksPath", other});
  ExpectInstalls(project_);
  ExpectRuns(
      "printf '#!/bin/sh\\necho new >&2\\n' >$hooks/pre-commit\n"
      "mkdir $hooks/lib; echo more >$hooks/lib/more");
  ExpectCommitSays(project_.path(), "new\n");
  EXPECT_EQ(Contents(other + "/lib/more"), "more\n");
  ExpectUninstalls(project_);
  std::filesystem::remove_all(other);
}

TEST_F(ChangedTest, TheUsersDirectoryIsNone) {
  Git(project_.path(), {"config", "core.hooksPath", "/dev/null"});
  ExpectInstalls(project_);
  const std::string mine = project_.File(".git/o8lock/hooks/pre-commit");
  const std::string stays = absl::StrCat(
      "cannot move '", mine, "' to '/dev/null/pre-commit': Not a directory\n");
  const Result run = RunScript("echo new >$hooks/pre-commit");
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.err, "o8lock: warning: git hooks need attention: " + stays +
                         "o8lock: hint: see: o8lock doctor\n");
  EXPECT_THAT(project_.Hooks({"status"}).out,
              HasSubstr("\nNot called by git: " + mine + "\n"));
  const Result uninstall = project_.Hooks({"uninstall"});
  EXPECT_EQ(uninstall.end, Exited(73));
  EXPECT_EQ(
      uninstall.err,
      absl::StrCat(
          "o8lock: error: ", stays,
          "o8lock: hint: the hooks are removed; move this file yourself\n"));
  EXPECT_EQ(Contents(mine), "new\n");
  EXPECT_EQ(project_.Hooks({"status"}).end, Exited(1));
  std::filesystem::remove(mine);
  ExpectUninstalls(project_);
  EXPECT_FALSE(Exists(project_.File(".git/o8lock/hooks")));
}

}  // namespace
}  // namespace o8lock
