// SPDX-License-Identifier: Apache-2.0
//
// Installing o8lock's hooks beside those of others, with the git of PATH.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/hooked_project.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::vector<std::string> kAllHooks = {
    "pre-commit",    "commit-msg", "prepare-commit-msg",   "post-commit",
    "post-checkout", "pre-push",   "reference-transaction"};

// Skips the test if git supports hooks as settings: only older gits need the
// tested behaviour.
#define SKIP_WITH_CONFIG_HOOKS()                                          \
  if (GitHasConfigHooks()) {                                              \
    GTEST_SKIP() << "git has hooks that are settings; no other is in it"; \
  }

// The golden text of `name` for the git of PATH.
std::string HooksGolden(const std::string& name, const Project& project) {
  return Golden(
      absl::StrCat("hooks_", name, GitHasConfigHooks() ? "_setting" : ""),
      ValuesOf(project));
}

// Expects that o8lock's hooks do not change `everyday`, the behaviour without
// them: neither while another run holds the lock nor while it is free. Only a
// new worktree under the other run's lock is refused. Uninstalling must restore
// the user's hooks.
void ExpectUnaffected(Project& project, const std::string& everyday) {
  const Tree before = HooksOf(project);
  ExpectInstalls(project);
  {
    Guarded run(project.path());
    project.ExpectRefuses();
    EXPECT_EQ(project.Everyday(), everyday) << "while the lock is taken";
    EXPECT_EQ(run.Finish(), Exited(0));
  }
  EXPECT_EQ(project.Everyday(), everyday) << "while it is free";
  ExpectUninstalls(project);
  EXPECT_EQ(HooksOf(project), before);
}

TEST(Hooks, AreInstalledDescribedAndRemoved) {
  Project project;
  const Tree before = HooksOf(project);
  const Result none = project.Hooks({"status"});
  EXPECT_EQ(none.end, Exited(1));
  EXPECT_EQ(none.out,
            Fill("not installed; to install the hooks: o8lock hooks install\n"
                 "Git: {GIT}\n",
                 ValuesOf(project)));

  const Result install = project.Hooks({"install"});
  EXPECT_EQ(install.end, Exited(0));
  EXPECT_EQ(install.out, HooksGolden("install", project));
  EXPECT_EQ(install.err, "");
  const Result status = project.Hooks({"status"});
  EXPECT_EQ(status.end, Exited(0));
  EXPECT_EQ(status.out, HooksGolden("status", project));
  {
    Guarded run(project.path());
    EXPECT_EQ(project.Hooks({"status"}).out,
              HooksGolden("status_armed", project));
    const Result json = project.Hooks({"status", "--json"});
    EXPECT_EQ(json.end, Exited(0));
    EXPECT_EQ(json.out, HooksGolden("json", project));
    Values values = ValuesOf(project);
    values["PID"] = absl::StrCat(run.pid());
    const Result add = Call({"git", "worktree", "add", "-b", "new", "../new"},
                            project.Options());
    EXPECT_EQ(add.end, Exited(255));
    // git's own messages before and after depend on its version.
    const std::string err =
        add.err.substr(add.err.find("Error:"),
                       add.err.find("fatal:") - add.err.find("Error:"));
    EXPECT_EQ(Normal(err), Golden("hooks_refused", values));
  }
  ExpectUninstalls(project);
  EXPECT_EQ(HooksOf(project), before);
  EXPECT_EQ(project.Hooks({"status"}).out, none.out);
  ExpectUninstalls(project);  // also without installed hooks
}

TEST(Hooks, AreInstalledThoughTheCallerIgnoresSigchld) {
  const Project project;
  ProcessOptions options = project.Options();
  options.ignored = {SIGCHLD};
  const Result install = Call(O8lock({"hooks", "install"}), options);
  EXPECT_EQ(install.end, Exited(0));
  EXPECT_EQ(install.out, HooksGolden("install", project));
  EXPECT_EQ(install.err, "");
}

TEST(Hooks, StayAsTheyAreWhenInstalledAgain) {
  Project project;
  Project::MakeHooks(project.File(".git/hooks"), kAllHooks);
  ExpectInstalls(project);
  const std::vector<std::string> all = {project.File(".git/config"),
                                        project.File(".git/hooks"),
                                        project.File(".git/o8lock")};
  const Tree first = TreeOf(all);
  ExpectInstalls(project);
  EXPECT_EQ(TreeOf(all), first);
}

TEST(Hooks, AreSettingsThatLeaveTheHooksPathAloneWhereGitHasThem) {
  if (!GitHasConfigHooks()) {
    GTEST_SKIP() << "needs git 2.54 or newer, as by PATH, and this is "
                 << Git("/", {"version"});
  }
  Project project;
  project.AddLinked();
  ExpectInstalls(project);
  const auto setting = [&project](const std::string& key) {
    return Call({"git", "config", "--get", key}, project.Options()).out;
  };
  EXPECT_EQ(setting("hook.o8lock.event"), "");
  Guarded run(project.path());
  EXPECT_EQ(setting("hook.o8lock.event"), "reference-transaction\n");
  EXPECT_EQ(setting("core.hooksPath"), "");
  project.ExpectRefuses();
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(setting("hook.o8lock.event"), "");
}

TEST(Hooks, RunTheUsersOwn) {
  Project project;
  Project::MakeHooks(project.File(".git/hooks"), kAllHooks);
  project.AddLinked();
  const std::string everyday = project.Everyday();
  for (const std::string& hook : kAllHooks) {
    EXPECT_THAT(everyday, HasSubstr(absl::StrCat("/hooks/", hook, " in ")));
  }
  ExpectUnaffected(project, everyday);
}

// A remote's URL may contain blanks, and `git hook run` passes any arguments.
TEST(Hooks, GiveTheUsersOwnTheirArgumentsAsTheyAre) {
  Project project;
  for (const char* const name :
       {"pre-push", "pre-commit", "post-checkout", "reference-transaction"}) {
    MakeFile(project.File(absl::StrCat(".git/hooks/", name)),
             absl::StrCat("#!/bin/sh\nfor i; do printf '<%s>' \"$i\"; done "
                          ">>\"$LOG.",
                          name, "\"\n"),
             0755);
  }
  Git(project.Beside(""), {"init", "-q", "--bare", "re  mote's *.git"});
  const auto told = [&project](const std::string& hook,
                               const std::string& command) {
    MakeFile(project.Beside("log." + hook), "");
    const Result result = Call(Shell(command), project.Options());
    EXPECT_EQ(result.end, Exited(0)) << result.err;
    return Contents(project.Beside("log." + hook));
  };
  const std::string push =
      "git push -q \"../re  mote's *.git\" HEAD:new; "
      "git push -q \"../re  mote's *.git\" :new";
  const std::string url = "<../re  mote's *.git>";
  const bool has_hook_run =
      Call(Shell("git hook run --ignore-missing no-such-hook"),
           project.Options())
          .end == Exited(0);
  const auto expect_as_given = [&](const std::string& when) {
    SCOPED_TRACE(when);
    EXPECT_EQ(told("pre-push", push), absl::StrCat(url, url, url, url));
    if (!has_hook_run) return;
    for (const char* const hook :
         {"pre-commit", "post-checkout", "reference-transaction"}) {
      EXPECT_EQ(told(hook, absl::StrCat("git hook run ", hook,
                                        " -- 'a  b' \"it's\" '' '*' '$HOME' "
                                        "'\\\\' </dev/null")),
                "<a  b><it's><><*><$HOME><\\\\>")
          << hook;
    }
  };
  expect_as_given("without o8lock");
  ExpectInstalls(project);
  expect_as_given("while the lock is free");
  Guarded run(project.path());
  expect_as_given("while it is taken");
}

TEST(Hooks, RunTheUsersOwnThatAreLinks) {
  Project project;
  Project::MakeHooks(project.File("scripts"), kAllHooks);
  for (const std::string& hook : kAllHooks) {
    std::filesystem::create_symlink("../../scripts/" + hook,
                                    project.File(".git/hooks/" + hook));
  }
  project.Commit();
  project.AddLinked();
  ExpectUnaffected(project, project.Everyday());
}

TEST(Hooks, LeaveThoseThatAreNotExecutable) {
  Project project;
  Project::MakeHooks(project.File(".git/hooks"), kAllHooks);
  for (const std::string& hook : kAllHooks) {
    chmod(project.File(".git/hooks/" + hook).c_str(), 0644);
  }
  project.AddLinked();
  Git(project.path(), {"config", "advice.ignoredHook", "false"});
  const std::string everyday = project.Everyday();
  EXPECT_THAT(everyday, Not(HasSubstr("/hooks/")));
  ExpectUnaffected(project, everyday);
}

// A value of core.hooksPath, in the local or in the global configuration.
struct PathCase {
  std::string name;
  std::string value;  // {REPO} is the repository
  bool global = false;
};
void PrintTo(const PathCase& value, std::ostream* out) { *out << value.name; }
class HooksPathTest : public ::testing::TestWithParam<PathCase> {};

TEST_P(HooksPathTest, IsFollowed) {
  Project project;
  std::vector<std::string> hooks = kAllHooks;
  Project::MakeHooks(project.File(".githooks"), hooks);
  project.Commit();
  const std::string value = Fill(GetParam().value, {{"REPO", project.path()}});
  if (GetParam().global) {
    MakeFile(project.Beside("global"), "[core]\n\thooksPath = " + value + "\n");
    project.env["GIT_CONFIG_GLOBAL"] = project.Beside("global");
  } else {
    Git(project.path(), {"config", "core.hooksPath", value});
  }
  project.AddLinked();
  const std::string everyday = project.Everyday();
  EXPECT_THAT(everyday, HasSubstr("/.githooks/post-checkout in TOP/new"));
  ExpectUnaffected(project, everyday);
}

INSTANTIATE_TEST_SUITE_P(
    Hooks, HooksPathTest,
    ::testing::Values(PathCase{"Relative", ".githooks"},
                      PathCase{"Absolute", "{REPO}/.githooks"},
                      PathCase{"GlobalAndRelative", ".githooks", true},
                      PathCase{"GlobalAndAbsolute", "{REPO}/.githooks", true}),
    [](const auto& info) { return info.param.name; });

// The user's directory of hooks is empty, and no git command may fail for that.
TEST(Hooks, AreNotMissed) {
  Project project;
  std::filesystem::create_directory(project.File(".githooks"));
  Git(project.path(), {"config", "core.hooksPath", project.File(".githooks")});
  project.AddLinked();
  ExpectUnaffected(project, project.Everyday());
}

// Lines added by the user to o8lock's hook belong to the user.
TEST(Hooks, LoseNoLineOfTheUsers) {
  SKIP_WITH_CONFIG_HOOKS();
  const Project project;
  ExpectInstalls(project);
  const std::string hook = project.File(".git/hooks/post-checkout");
  const std::string ours = Contents(hook);
  // Editors replace the file instead of writing in place.
  std::filesystem::remove(hook);
  MakeFile(hook, ours + "echo mine >&2\n", 0755);
  EXPECT_EQ(Call(Locked({}, ""), project.Options()).end, Exited(0));
  ExpectInstalls(project);
  EXPECT_EQ(Contents(hook), ours + "echo mine >&2\n");
  ExpectUninstalls(project);
  EXPECT_EQ(Contents(hook), "#!/bin/sh\necho mine >&2\n");
}

// During a run git names o8lock's directory of hooks, and an installer puts its
// hooks there.
TEST(Hooks, LoseNothingThatIsInstalledDuringARun) {
  SKIP_WITH_CONFIG_HOOKS();
  const Project project;
  const std::string hooks = project.File(".git/hooks/");
  MakeFile(hooks + "pre-commit", "#!/bin/sh\n", 0755);
  ExpectInstalls(project);
  const Result run =
      Call(Locked({},
                  "cd \"$(git rev-parse --git-path hooks)\" && mkdir lib && "
                  "for name in pre-commit pre-push common.sh; do "
                  "rm -f $name; echo new >$name; done"),
           project.Options());
  EXPECT_EQ(run.end, Exited(0)) << run.err;
  EXPECT_THAT(run.err, HasSubstr("pre-commit.from-o8lock' was added during"));
  EXPECT_EQ(Contents(hooks + "pre-commit"), "#!/bin/sh\n");
  for (const char* name : {"pre-commit.from-o8lock", "pre-push", "common.sh"}) {
    EXPECT_EQ(Contents(hooks + name), "new\n") << name;
  }
  EXPECT_EQ(Call(Locked({}, ""), project.Options()).end, Exited(0));
}

// A killed run cannot move them to the user's directory at its end.
TEST(Hooks, LoseNothingThatWasInstalledDuringARunThatWasKilled) {
  SKIP_WITH_CONFIG_HOOKS();
  const Project project;
  const std::string hooks = project.File(".git/hooks/");
  MakeFile(hooks + "pre-commit", "#!/bin/sh\n", 0755);
  ExpectInstalls(project);
  {
    Guarded run(project.path());
    const Result put =
        Call(Shell("cd \"$(git rev-parse --git-path hooks)\" && pwd && "
                   "for name in pre-commit pre-push common.sh; do "
                   "rm -f $name; echo new >$name; done"),
             project.Options());
    ASSERT_EQ(put.end, Exited(0)) << put.err;
    EXPECT_EQ(put.out, project.File(".git/o8lock/hooks\n"));
    kill(run.pid(), SIGKILL);
    kill(run.command_pid(), SIGKILL);
    EXPECT_EQ(run.process().Wait(), Killed(SIGKILL));
    WaitForEnd(run.command_pid());
  }
  EXPECT_EQ(Contents(hooks + "pre-commit"), "#!/bin/sh\n");
  EXPECT_FALSE(Exists(hooks + "pre-push"));
  const Result uninstall = project.Hooks({"uninstall"});
  EXPECT_EQ(uninstall.end, Exited(0));
  EXPECT_THAT(uninstall.err,
              HasSubstr("pre-commit.from-o8lock' was added during a run"));
  EXPECT_EQ(Contents(hooks + "pre-commit"), "#!/bin/sh\n");
  for (const char* name : {"pre-commit.from-o8lock", "pre-push", "common.sh"}) {
    EXPECT_EQ(Contents(hooks + name), "new\n") << name;
  }
  EXPECT_FALSE(Exists(project.File(".git/o8lock/hooks")));
  EXPECT_EQ(Call({"git", "config", "core.hooksPath"}, project.Options()).end,
            Exited(1));
}

// A program may read core.hooksPath during a run and write it back. Then
// o8lock's directory is in the user's own setting.
TEST(Hooks, DoNotCallThemselves) {
  SKIP_WITH_CONFIG_HOOKS();
  const Project project;
  MakeFile(project.File(".git/hooks/pre-commit"), "#!/bin/sh\necho once >&2\n",
           0755);
  ExpectInstalls(project);
  EXPECT_EQ(Call(Locked({},
                        "git config core.hooksPath "
                        "\"$(git config core.hooksPath)\""),
                 project.Options())
                .end,
            Exited(0));
  EXPECT_EQ(Call(Locked({}, ""), project.Options()).end, Exited(0));
  const Result commit =
      Call(Shell("git commit -q --allow-empty -m x"), project.Options());
  EXPECT_EQ(commit.end, Exited(0));
  EXPECT_EQ(commit.err, "once\n");
}

// The newline would begin another line of the configuration.
TEST(Hooks, RefuseAPathWithANewline) {
  const TempDir top;
  const std::string repository = top.File("a\n[core]\n\teditor = x;#");
  std::filesystem::create_directory(repository);
  Git(repository, {"init", "-q"});
  const std::string config = Contents(repository + "/.git/config");
  const Result install = Call(O8lock({"hooks", "install"}), In(repository));
  EXPECT_EQ(install.end, Exited(73));
  EXPECT_THAT(install.err,
              HasSubstr("hooks cannot have a path with a tab or a newline\n"));
  EXPECT_EQ(Contents(repository + "/.git/config"), config);
}

// The paths contain characters special to a shell or to git's configuration.
TEST(Hooks, AreAtHomeUnderEveryPath) {
  const TempDir top;
  for (const std::string odd :
       {"it's", "'", "two  words", "$HOME `id` $(id)", "a \"b\" \\n \\",
        "#;&|<>*?[x]~!{a,b}", "ä\x01"}) {
    SCOPED_TRACE(odd);
    const std::string repository = absl::StrCat(top.path(), "/", odd, "/", odd);
    const std::string program =
        absl::StrCat(top.path(), "/", odd, "/o8lock ", odd);
    const std::string added = absl::StrCat(top.path(), "/", odd, "/new");
    std::filesystem::create_directories(repository);
    std::filesystem::copy_file(Binary(), program);
    Git(repository, {"init", "-q"});
    Git(repository, {"commit", "-q", "--allow-empty", "-m", "begin"});
    ProcessOptions options = In(repository);
    options.env["LOG"] = repository + "/.git/log";
    for (const char* const name :
         {"pre-commit", "reference-transaction", "post-checkout"}) {
      MakeFile(absl::StrCat(repository, "/.git/hooks/", name),
               absl::StrCat("#!/bin/sh\necho ", name, " $# >>\"$LOG\"\n"),
               0755);
    }
    const auto told = [&options](const Argv& argv) {
      MakeFile(options.env["LOG"], "");
      const Result result = Call(argv, options);
      EXPECT_EQ(result.end, Exited(0)) << result.err;
      EXPECT_EQ(result.err, "");
      return Contents(options.env["LOG"]);
    };
    const Argv commit = {"git", "commit", "-q", "--allow-empty", "-m", "x"};
    const Argv add = {"git", "worktree", "add", "-q", "-b", "new", added};
    const Argv remove =
        Shell("git worktree remove ../new && git branch -q -D new");
    const std::string of_commit = told(commit);
    EXPECT_THAT(of_commit,
                StartsWith("pre-commit 0\nreference-transaction 1\n"));
    const std::string of_add = told(add);
    EXPECT_THAT(of_add, EndsWith("post-checkout 3\n"));
    told(remove);

    const Result install = Call({program, "hooks", "install"}, options);
    EXPECT_EQ(install.end, Exited(0));
    EXPECT_EQ(install.err, "");
    EXPECT_THAT(install.out, EndsWith(kSelfTest));
    const auto expect_unaffected = [&] {
      EXPECT_EQ(told(commit), of_commit);
      // The same inside a run, with its own lock.
      Argv own = {program, "--"};
      own.insert(own.end(), add.begin(), add.end());
      if (Call({program, "status"}, options).end == Exited(0)) {
        EXPECT_EQ(told(own), of_add);
        told(remove);
      }
    };
    expect_unaffected();
    {
      Guarded run({program, "--", "sh", "-c", Guarded::kScript}, options);
      expect_unaffected();
      MakeFile(options.env["LOG"], "");
      const Result refused = Call(add, options);
      EXPECT_FALSE(refused.end == Exited(0));
      EXPECT_THAT(refused.err, HasSubstr(std::string(kRefused)));
      EXPECT_THAT(Contents(options.env["LOG"]),
                  Not(HasSubstr("post-checkout")));
      EXPECT_FALSE(Exists(added));
      EXPECT_EQ(run.Finish(), Exited(0));
    }
    EXPECT_EQ(told(add), of_add);
    told(remove);
    const Result uninstall = Call({program, "hooks", "uninstall"}, options);
    EXPECT_EQ(uninstall.end, Exited(0)) << uninstall.err;
    EXPECT_EQ(told(commit), of_commit);
  }
}

TEST(Hooks, RefuseAProgramWithANewlineInItsPath) {
  for (const char* const odd : {"new\nline", "tab\t"}) {
    SCOPED_TRACE(odd);
    Project project;
    std::filesystem::create_directory(project.Beside(odd));
    project.program = project.Beside(absl::StrCat(odd, "/o8lock"));
    std::filesystem::copy_file(Binary(), project.program);
    const std::string config = Contents(project.File(".git/config"));
    const Result install = project.Hooks({"install"});
    EXPECT_EQ(install.end, Exited(73));
    EXPECT_EQ(install.out, "");
    EXPECT_THAT(
        install.err,
        HasSubstr("': hooks cannot have a path with a tab or a newline\n"));
    EXPECT_EQ(Contents(project.File(".git/config")), config);
    const Result git =
        Call({"git", "checkout", "-q", "--detach"}, project.Options());
    EXPECT_EQ(git.end, Exited(0));
    EXPECT_EQ(git.err, "");
  }
}

TEST(Hooks, LetGitGoOnWithAProgramThatIsNone) {
  SKIP_WITH_CONFIG_HOOKS();
  Project project;
  project.program = project.Beside("o8lock");
  std::filesystem::copy_file(Binary(), project.program);
  ExpectInstalls(project);
  std::filesystem::remove(project.program);
  MakeFile(project.program,
           "\x7f"
           "ELF",
           0755);
  EXPECT_EQ(Call(Shell("git checkout -q -b other && git checkout -q -"),
                 project.Options())
                .end,
            Exited(0));
}

// husky does not commit its directory: a worktree has its own or lacks one.
TEST(Hooks, AreThoseOfTheWorktree) {
  Project project;
  MakeFile(project.File(".gitignore"), "/hooks\n");
  project.Commit();
  Git(project.path(), {"config", "core.hooksPath", "hooks"});
  project.AddLinked();
  Project::MakeHooks(project.Linked() + "/hooks", kAllHooks);
  const std::string everyday = project.Everyday();
  EXPECT_THAT(everyday, HasSubstr("TOP/linked/hooks/pre-commit in"));
  EXPECT_THAT(everyday, Not(HasSubstr("TOP/project/hooks/")));
  ExpectUnaffected(project, everyday);
}

TEST(Hooks, PutNothingIntoAnothersDirectory) {
  SKIP_WITH_CONFIG_HOOKS();
  Project project;
  std::filesystem::rename(project.File(".git/hooks"), project.Beside("hooks"));
  std::filesystem::create_symlink(project.Beside("hooks"),
                                  project.File(".git/hooks"));
  const Tree before = TreeOf({project.Beside("hooks")});
  const Result install = project.Hooks({"install"});
  EXPECT_EQ(install.end, Exited(0));
  EXPECT_EQ(install.out, Golden("hooks_install_elsewhere", ValuesOf(project)));
  EXPECT_EQ(TreeOf({project.Beside("hooks")}), before);
  project.AddLinked();
  {
    Guarded run(project.path());
    project.ExpectRefuses();
  }
  ExpectUninstalls(project);
}

TEST(Hooks, AreArmedWhenInstalledDuringARun) {
  Project project;
  project.AddLinked();
  Guarded run(project.path());
  ExpectInstalls(project);
  project.ExpectRefuses();
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(
      Call({"git", "worktree", "add", "-b", "new", "../new"}, project.Options())
          .end,
      Exited(0));
}

TEST(Hooks, StayDuringARun) {
  Project project;
  ExpectInstalls(project);
  Guarded run(project.path());
  const Tree before = HooksOf(project);
  const Result uninstall = project.Hooks({"uninstall"});
  EXPECT_EQ(uninstall.end, Exited(75));
  EXPECT_EQ(
      uninstall.err,
      "o8lock: error: hooks not removed: a run may hold the lock, and git may "
      "still call them\n"
      "o8lock: hint: wait for the run to end; see: o8lock status\n");
  EXPECT_EQ(HooksOf(project), before);
}

TEST(Hooks, LetGitGoOnWithoutTheProgram) {
  Project project;
  Project::MakeHooks(project.File(".git/hooks"), kAllHooks);
  project.AddLinked();
  const std::string everyday = project.Everyday();
  const std::string program = project.Beside("o8lock");
  std::filesystem::copy_file(Binary(), program);
  project.program = program;
  ExpectInstalls(project);
  EXPECT_THAT(project.Hooks({"status"}).out, HasSubstr(program + " ("));
  Guarded run(project.path());
  ASSERT_EQ(unlink(program.c_str()), 0);
  EXPECT_EQ(project.Everyday(), everyday);
  project.program = Binary();
  const Result status = project.Hooks({"status"});
  EXPECT_EQ(status.end, Exited(71));
  EXPECT_THAT(status.out, StartsWith("installed, but not effective\n"));
  EXPECT_THAT(status.out,
              HasSubstr(program +
                        ": cannot be started, so the hooks refuse nothing\n"));
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(project.Everyday(), everyday);
}

TEST(Hooks, RunACopyOfWhatABuildTreeHas) {
  Project project;
  project.AddLinked();
  std::filesystem::create_directories(project.Beside("bazel-out/bin"));
  const std::string built = project.Beside("bazel-out/bin/o8lock");
  std::filesystem::copy_file(Binary(), built);
  project.program = built;
  ExpectInstalls(project);
  std::filesystem::remove_all(project.Beside("bazel-out"));
  project.program = Binary();
  EXPECT_THAT(project.Hooks({"status"}).out,
              HasSubstr(project.File(".git/o8lock/bin/o8lock") + " ("));
  Guarded run(project.path());
  project.ExpectRefuses();
}

TEST(Hooks, GoWithTheRepository) {
  Project project;
  Project::MakeHooks(project.File(".git/hooks"), kAllHooks);
  ExpectInstalls(project);
  const std::string moved = project.Beside("moved");
  std::filesystem::rename(project.path(), moved);
  Guarded run(moved);
  const Result add = Call({"git", "worktree", "add", "--detach", "../new"},
                          project.Options(moved));
  EXPECT_THAT(add.err, HasSubstr(std::string(kRefused)));
  // Neither the hooks nor the path of their program refer to the old place.
  for (const auto& [path, text] :
       TreeOf({moved + "/.git/hooks", moved + "/.git/o8lock"})) {
    EXPECT_THAT(text, Not(HasSubstr(project.path() + "/")));
  }
}

TEST(Hooks, AreItsOwnInACopy) {
  Project project;
  ExpectInstalls(project);
  const std::string copy = project.Beside("copy");
  {
    Guarded run(project.path());
    EXPECT_EQ(Call({"cp", "-a", project.path(), copy}, "/").end, Exited(0));
    // The copy's lock is free: its guard is a copy, too.
    EXPECT_EQ(Call({"git", "worktree", "add", "--detach", "../new"},
                   project.Options(copy))
                  .end,
              Exited(0));
  }
  Guarded run(copy);
  EXPECT_THAT(Call({"git", "worktree", "add", "--detach", "../other"},
                   project.Options(copy))
                  .err,
              HasSubstr(std::string(kRefused)));
  EXPECT_EQ(Call({"git", "worktree", "add", "--detach", "../other"},
                 project.Options())
                .end,
            Exited(0));
}

TEST(Hooks, AreForEveryUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  Project project;
  Project::MakeHooks(project.File(".git/hooks"), {"post-commit"});
  chmod(project.Beside("").c_str(), 0755);
  const Result install = Call(
      Shell("umask 077; exec \"$O8LOCK\" hooks install"), project.Options());
  ASSERT_EQ(install.end, Exited(0)) << install.err;
  ProcessOptions other = project.Options();
  other.user = 65534;
  other.env["GIT_CONFIG_COUNT"] = "1";
  other.env["GIT_CONFIG_KEY_0"] = "safe.directory";
  other.env["GIT_CONFIG_VALUE_0"] = "*";
  for (const bool armed : {false, true}) {
    std::vector<std::string> argv = {"git", "log", "--format=%s"};
    if (armed) {
      Guarded run(project.path());
      const Result log = Call(argv, other);
      EXPECT_EQ(log.end, Exited(0)) << log.err;
      EXPECT_EQ(log.out, "begin\n");
    } else {
      EXPECT_EQ(Call(argv, other).out, "begin\n");
    }
  }
}

TEST(Hooks, InstalledByRootBelongToTheOwnerOfTheRepository) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can act for another user";
  constexpr uid_t kOwner = 65534;
  Project project;
  ASSERT_EQ(chmod(project.File(".git/config").c_str(), 0600), 0);
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(project.path())) {
    ASSERT_EQ(lchown(entry.path().c_str(), kOwner, kOwner), 0);
  }
  ASSERT_EQ(chown(project.path().c_str(), kOwner, kOwner), 0);
  project.env["GIT_CONFIG_COUNT"] = "1";
  project.env["GIT_CONFIG_KEY_0"] = "safe.directory";
  project.env["GIT_CONFIG_VALUE_0"] = "*";
  for (const char* command : {"install", "uninstall"}) {
    const Result result = project.Hooks({command});
    EXPECT_EQ(result.end, Exited(0)) << result.err;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(project.path())) {
      if (entry.is_symlink()) continue;  // Its owner means nothing.
      struct stat info;
      ASSERT_EQ(lstat(entry.path().c_str(), &info), 0);
      EXPECT_EQ(info.st_uid, kOwner) << command << ": " << entry.path();
    }
  }
}

TEST(Hooks, TellWhatOverridesThem) {
  SKIP_WITH_CONFIG_HOOKS();
  Project project;
  ExpectInstalls(project);
  project.env["GIT_CONFIG_COUNT"] = "1";
  project.env["GIT_CONFIG_KEY_0"] = "core.hooksPath";
  project.env["GIT_CONFIG_VALUE_0"] = "/mine";
  const Result status = project.Hooks({"status"});
  EXPECT_EQ(status.end, Exited(71));
  EXPECT_THAT(status.out, StartsWith("installed, but not effective\n"));
  EXPECT_THAT(
      status.out,
      EndsWith("\nBypassed by: core.hooksPath = /mine (set by git -c or the "
               "environment)\nRemedy: o8lock doctor\n"));
  const Result install = project.Hooks({"install"});
  EXPECT_EQ(install.end, Exited(71));
  EXPECT_EQ(
      install.err,
      "o8lock: error: git does not call the hooks: core.hooksPath = "
      "/mine (set by git -c or the environment)\n"
      "o8lock: hint: o8lock's hooks are still installed; remove the cause, "
      "and run this again\n");
}

TEST(Hooks, LeaveTheGuardsOfOtherLocks) {
  Project project;
  const Argv start = {project.program, "-n", "self-test-1", "--", "true"};
  EXPECT_EQ(Call(start, project.Options()).end, Exited(0));
  ExpectInstalls(project);
  ExpectUninstalls(project);
  EXPECT_TRUE(Exists(project.File(".git/o8lock/self-test-1.guard")));
}

TEST(Hooks, AreNotInstalledWithoutGit) {
  Project project;
  const Tree before = HooksOf(project);
  project.env["PATH"] = project.Beside("empty");
  for (const char* command : {"install", "status"}) {
    const Result result = project.Hooks({command});
    EXPECT_EQ(result.end, Exited(71));
    EXPECT_EQ(result.err,
              "o8lock: error: cannot start 'git': No such file or directory\n"
              "o8lock: hint: install git 2.29 or newer\n");
  }
  EXPECT_EQ(HooksOf(project), before);
}

TEST(Hooks, TellWhatOverridesThemInAWorktree) {
  SKIP_WITH_CONFIG_HOOKS();
  Project project;
  ExpectInstalls(project);
  Git(project.path(), {"config", "extensions.worktreeConfig", "true"});
  Git(project.path(), {"config", "--worktree", "core.hooksPath", "/mine"});
  const Result status = project.Hooks({"status"});
  EXPECT_EQ(status.end, Exited(71));
  const std::string bypass = absl::StrCat(
      "core.hooksPath = /mine (worktree, file:",
      project.File(".git/config.worktree"), ")\nRemedy: o8lock doctor\n");
  EXPECT_THAT(status.out, EndsWith("\nBypassed by: " + bypass));
}

// git includes the file in only one of the worktrees.
TEST(Hooks, TellWhatOverridesThemElsewhere) {
  SKIP_WITH_CONFIG_HOOKS();
  Project project;
  project.AddLinked();
  ExpectInstalls(project);
  MakeFile(project.Beside("more"), "[core]\n\thooksPath = /mine\n");
  for (const char* condition :
       {"gitdir:**/worktrees/linked", "onbranch:linked"}) {
    const std::string key = absl::StrCat("includeIf.", condition, ".path");
    Git(project.path(), {"config", key, project.Beside("more")});
    for (const std::string& directory : {project.path(), project.Linked()}) {
      const Result status = Call({project.program, "hooks", "status"},
                                 project.Options(directory));
      EXPECT_EQ(status.end, Exited(71));
      EXPECT_THAT(
          status.out,
          StartsWith("installed, but not effective in every worktree\n"));
      EXPECT_THAT(status.out,
                  EndsWith(absl::StrCat(
                      "\nBypassed by: core.hooksPath = /mine (local, file:",
                      project.Beside("more"), ")\nRemedy: o8lock doctor\n")));
    }
    Git(project.path(), {"config", "--unset", key});
  }
  EXPECT_EQ(project.Hooks({"status"}).end, Exited(0));
}

TEST(Hooks, ReportASettingThatSwitchesThemOff) {
  if (!GitHasConfigHooks()) GTEST_SKIP() << "git has no such setting";
  Project project;
  ExpectInstalls(project);
  Git(project.path(), {"config", "hook.o8lock.enabled", "false"});
  const Result status = project.Hooks({"status"});
  EXPECT_EQ(status.end, Exited(71));
  EXPECT_THAT(status.out,
              EndsWith(absl::StrCat(
                  "\nBypassed by: hook.o8lock.enabled = false (local, file:",
                  project.File(".git/config"), ")\nRemedy: o8lock doctor\n")));
}

TEST(Hooks, WinOverASettingThatCameLaterWhenInstalledAgain) {
  SKIP_WITH_CONFIG_HOOKS();
  Project project;
  Project::MakeHooks(project.File(".githooks"), kAllHooks);
  project.Commit();
  project.AddLinked();
  ExpectInstalls(project);
  MakeFile(project.File(".git/more"), "[core]\n\thooksPath = .githooks\n");
  Git(project.path(), {"config", "--add", "include.path", "more"});
  EXPECT_THAT(project.Hooks({"status"}).out,
              HasSubstr("\nBypassed by: core.hooksPath = .githooks (local, "));
  ExpectInstalls(project);
  Guarded run(project.path());
  project.ExpectRefuses();
}

TEST(Hooks, AreForgottenWhereAnotherPathHasMadeThemDead) {
  Project project;
  const Tree before = TreeOf({project.File(".git/hooks")});
  ExpectInstalls(project);
  Git(project.path(), {"config", "core.hooksPath", ".githooks"});
  ExpectUninstalls(project);
  EXPECT_EQ(TreeOf({project.File(".git/hooks")}), before);
}

// A change to post-checkout by another program.
struct TakenCase {
  std::string name;
  std::string own;  // the user's hook before the installation, or "-"
  std::string script;
  // After uninstalling: post-checkout, .legacy and .old; "-" if missing.
  std::vector<std::string> left;
};
void PrintTo(const TakenCase& value, std::ostream* out) { *out << value.name; }
class TakenHookTest : public ::testing::TestWithParam<TakenCase> {};

constexpr char kOwn[] = "#!/bin/sh -e\n: own\n";
TEST_P(TakenHookTest, IsAsWithoutO8lock) {
  Project project;
  const std::string hook = project.File(".git/hooks/post-checkout");
  if (GetParam().own != "-") MakeFile(hook, GetParam().own, 0755);
  ExpectInstalls(project);
  ProcessOptions options = project.Options();
  options.directory = project.File(".git/hooks");
  EXPECT_EQ(Call(Shell(GetParam().script), options).end, Exited(0));
  ExpectInstalls(project);
  ExpectUninstalls(project);
  std::vector<std::string> left;
  for (const char* suffix : {"", ".legacy", ".old"}) {
    left.push_back(Exists(hook + suffix) ? Contents(hook + suffix) : "-");
  }
  EXPECT_EQ(left, GetParam().left);
}

INSTANTIATE_TEST_SUITE_P(
    Hooks, TakenHookTest,
    ::testing::Values(
        TakenCase{"ByPreCommit",
                  "-",
                  "mv post-checkout post-checkout.legacy 2>/dev/null; "
                  "echo '# pre-commit' >post-checkout",
                  {"# pre-commit\n", "-", "-"}},
        TakenCase{"OfTheUserByPreCommit",
                  kOwn,
                  "mv post-checkout post-checkout.legacy; "
                  "echo '# pre-commit' >post-checkout",
                  {"# pre-commit\n", kOwn, "-"}},
        TakenCase{"ByLefthook",
                  "-",
                  "mv post-checkout post-checkout.old 2>/dev/null; "
                  "echo '# lefthook' >post-checkout",
                  {"# lefthook\n", "-", "-"}},
        TakenCase{"OfTheUserByLefthook",
                  kOwn,
                  "mv post-checkout post-checkout.old; "
                  "echo '# lefthook' >post-checkout",
                  {"# lefthook\n", "-", kOwn}},
        TakenCase{"Edited",
                  kOwn,
                  "echo ': more' >>post-checkout",
                  {"#!/bin/sh -e\n: own\n: more\n", "-", "-"}},
        TakenCase{"Overwritten",
                  kOwn,
                  "echo ': new' >post-checkout",
                  {": new\n", "-", "-"}},
        TakenCase{"Removed", kOwn, "rm post-checkout", {"-", "-", "-"}},
        TakenCase{"WithoutAnEnd", "#!/bin/sh", ":", {"#!/bin/sh", "-", "-"}},
        TakenCase{"WithoutAShell",
                  "#!/usr/bin/python3\n",
                  ":",
                  {"#!/usr/bin/python3\n", "-", "-"}}),
    [](const auto& info) { return info.param.name; });

// o8lock adds its line only to a shell script, and git calls only executable
// hooks.
TEST(Hooks, LeaveAHookThatTheyCannotRead) {
  SKIP_WITH_CONFIG_HOOKS();
  const std::vector<std::pair<std::string, mode_t>> hooks = {
      {"#!/bin/sh\n", 0644},
      {"#!/usr/bin/env python3\n", 0755},
      // pip writes this if the interpreter's path is long.
      {"#!/bin/sh\n'''exec' /usr/bin/python3 \"$0\" \"$@\"\n' '''\n", 0755},
      {"#!/bin/sh\ntail -n +4 \"$0\" | sh\nexit\n: payload\n", 0755},
  };
  for (const auto& [text, mode] : hooks) {
    Project project;
    const std::string hook = project.File(".git/hooks/post-checkout");
    MakeFile(hook, text, mode);
    const Result install = project.Hooks({"install"});
    EXPECT_EQ(install.end, Exited(0));
    EXPECT_EQ(install.out, Golden("hooks_install_hook", ValuesOf(project)));
    EXPECT_EQ(Contents(hook), text);
    EXPECT_THAT(project.Hooks({"status"}).out,
                HasSubstr("\npost-checkout: missing, "));
    // The user follows the advice, in another language.
    MakeFile(hook,
             "#!/usr/bin/env python3\nimport subprocess, sys\n"
             "sys.exit(subprocess.call([o8lock, 'hooks', 'run', "
             "'post-checkout'] + sys.argv[1:]))\n",
             0755);
    EXPECT_THAT(project.Hooks({"status"}).out,
                HasSubstr("\npost-checkout: called by " + hook + "\n"));
  }
}

TEST(Hooks, LeaveThePermissionsOfTheUsersDirectory) {
  Project project;
  const std::string hooks = project.File(".git/hooks");
  std::filesystem::permissions(hooks, std::filesystem::perms::owner_all);
  ExpectInstalls(project);
  EXPECT_EQ(std::filesystem::status(hooks).permissions(),
            std::filesystem::perms::owner_all);
}

// An installer asks git for the directory of hooks. During a run that is
// o8lock's directory.
TEST(Hooks, GoWhereTheyBelongWhenTheyWereInstalledDuringARun) {
  SKIP_WITH_CONFIG_HOOKS();
  Project project;
  Project::MakeHooks(project.File(".git/hooks"), {"commit-msg"});
  project.AddLinked();
  ExpectInstalls(project);
  Guarded run(project.path());
  const Result install =
      Call(Shell("cd \"$(git rev-parse --git-path hooks)\" && pwd && "
                 "mv pre-commit pre-commit.old && "
                 "mv commit-msg commit-msg.old && rm reference-transaction && "
                 "for i in pre-commit commit-msg; do "
                 "printf '#!/bin/sh\\n: new\\n' >$i && chmod +x $i; done"),
           project.Options());
  ASSERT_EQ(install.end, Exited(0)) << install.err;
  EXPECT_EQ(install.out, project.File(".git/o8lock/hooks\n"));
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(Contents(project.File(".git/hooks/pre-commit")),
            "#!/bin/sh\n: new\n");
  // The user had a commit-msg already. It stays.
  EXPECT_THAT(Contents(project.File(".git/hooks/commit-msg")),
              HasSubstr("hook.sh"));
  Guarded next(project.path());
  project.ExpectRefuses();
}

TEST(Hooks, SeeWhatCameSinceTheyWereInstalled) {
  Project project;
  project.AddLinked();
  ExpectInstalls(project);
  Project::MakeHooks(project.File(".git/hooks"),
                     {"pre-commit", "commit-msg", "pre-push"});
  const std::string everyday = project.Everyday();
  EXPECT_THAT(everyday, HasSubstr("/hooks/pre-push in "));
  Guarded run(project.path());
  EXPECT_EQ(project.Everyday(), everyday);
}

// Git ignores it otherwise.
TEST(Hooks, OfO8locksOwnMustBeExecutable) {
  if (GitHasConfigHooks()) GTEST_SKIP() << "git needs no such file";
  const Project project;
  ExpectInstalls(project);
  const std::string hook = project.File(".git/hooks/post-checkout");
  std::filesystem::permissions(hook, std::filesystem::perms(0644));
  EXPECT_THAT(project.Hooks({"status"}).out,
              HasSubstr("\npost-checkout: missing; run: "));
  ExpectInstalls(project);
  EXPECT_THAT(project.Hooks({"status"}).out,
              HasSubstr(absl::StrCat("\npost-checkout: ", hook, "\n")));
}

// An external run does not arm the hooks, so post-checkout rolls the worktree
// back.
TEST(Hooks, RollBackUnderALockThatIsNotO8locks) {
  Project project;
  Project::MakeHooks(project.File(".git/hooks"), {"post-checkout"});
  ExpectInstalls(project);
  Process holder({"sleep", "1000"});
  std::filesystem::create_directories(project.File(".claude"));
  MakeFile(project.File(".claude/parallel.lock"),
           ExternalLockFile(holder.pid(), TimeText(absl::Now())));
  MakeFile(project.Beside("log"), "");
  const Result add = Call({"git", "worktree", "add", "-b", "new", "../new"},
                          project.Options());
  EXPECT_EQ(add.end, Exited(1));
  EXPECT_THAT(add.err, HasSubstr("\nRolled back: " + project.Beside("new") +
                                 ", with its new branch new\n"));
  EXPECT_FALSE(Exists(project.Beside("new")));
  if (!GitHasConfigHooks()) {
    EXPECT_EQ(Contents(project.Beside("log")), "") << "the user's hook ran";
  }
}

TEST(Hooks, WantARepository) {
  TempDir dir;
  const Result install = Call(O8lock({"hooks", "install"}), dir.path());
  EXPECT_EQ(install.end, Exited(64));
  EXPECT_EQ(install.err,
            "o8lock: error: hooks need a git repository\n"
            "o8lock: hint: change to a directory of a repository\n");
}

TEST(Hooks, ExistOnlyForTheLockOfTheRepository) {
  const Project project;
  const std::vector<std::string> selections[] = {{"--name", "deploy"},
                                                 {"--lock-file", "x.lock"}};
  for (std::vector<std::string> words : selections) {
    words.insert(words.end(), {"hooks", "install"});
    const Result install = Call(O8lock(words), project.path());
    EXPECT_EQ(install.end, Exited(64));
    EXPECT_EQ(install.err,
              "o8lock: error: hooks exist only for the lock 'parallel'\n"
              "o8lock: hint: remove --name and --lock-file\n");
  }
}

// git's output does not prove a refusal: the hook itself reports a refusal.
TEST(Hooks, AreNotInstalledWhereGitFailsForAReasonOfItsOwn) {
  Project project;
  std::filesystem::create_directory(project.Beside("bin"));
  MakeFile(project.Beside("bin/git"),
           absl::StrCat("#!/bin/sh\n"
                        "case \" $* \" in *' worktree add '*)\n"
                        "  echo 'git worktree add refused: it would collide "
                        "with that run.' >&2\n"
                        "  exit 128\n"
                        "esac\n"
                        "PATH='",
                        getenv("PATH"), "' exec git \"$@\"\n"),
           0755);
  const Tree before = HooksOf(project);
  project.env["PATH"] =
      absl::StrCat(project.Beside("bin"), ":", getenv("PATH"));
  const Result install = project.Hooks({"install"});
  EXPECT_EQ(install.end, Exited(73));
  EXPECT_EQ(install.out, "");
  EXPECT_EQ(install.err,
            "o8lock: error: self-test failed: git worktree add failed for a "
            "reason other than the hook: git worktree add refused: it would "
            "collide with that run.\n"
            "o8lock: hint: o8lock's hooks are not installed; remove the cause, "
            "and run "
            "this again\n");
  EXPECT_EQ(HooksOf(project), before);
}

TEST(Hooks, WantAGitThatHasThem) {
  for (const auto& [version, why] : std::map<std::string, std::string>{
           {"2.27.0", "git 2.27.0 has no hook that can refuse a worktree"},
           {"2.28.1",
            "git 2.28.1's hook reference-transaction makes other commands "
            "fail"}}) {
    Project project;
    std::filesystem::create_directory(project.Beside("bin"));
    MakeFile(project.Beside("bin/git"),
             absl::StrCat("#!/bin/sh\necho git version ", version, "\n"), 0755);
    project.env["PATH"] =
        absl::StrCat(project.Beside("bin"), ":", getenv("PATH"));
    const Tree before = TreeOf({project.File(".git")});
    const Result install = project.Hooks({"install"});
    EXPECT_EQ(install.end, Exited(71));
    EXPECT_EQ(install.err,
              absl::StrCat("o8lock: error: ", why,
                           "\no8lock: hint: install git 2.29 or newer\n"));
    EXPECT_EQ(TreeOf({project.File(".git")}), before);
  }
}

}  // namespace
}  // namespace o8lock
