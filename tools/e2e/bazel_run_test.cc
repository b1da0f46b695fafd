// SPDX-License-Identifier: Apache-2.0
//
// The targets of tools/defs.bzl, started the way `bazel run` starts them.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Starts the installer among the runfiles, as `bazel run` does for a user in
// `directory`. If `directory` is empty, `bazel run` has not started it.
Result BazelRun(const std::string& directory, Argv args) {
  args.insert(args.begin(), PathFromEnv("INSTALL"));
  ProcessOptions options = In(std::string());
  if (!directory.empty()) options.env["BUILD_WORKING_DIRECTORY"] = directory;
  options.unset_env.push_back("BUILD_WORKING_DIRECTORY");
  return Call(args, options);
}

TEST(BazelRunTest, InstallsChecksAndUninstallsWhereTheUserIs) {
  const Repository repo;
  std::filesystem::create_directory(repo.File("sub"));
  const std::string config = Contents(repo.File(".git/config"));
  const Result before = BazelRun(repo.path(), {"--check"});
  EXPECT_EQ(before.end, Exited(1));
  EXPECT_THAT(before.out, StartsWith("not installed; to install the hooks: "));

  const Result installed = BazelRun(repo.File("sub"), {});
  EXPECT_EQ(installed.end, Exited(0)) << installed.err;
  EXPECT_THAT(installed.out,
              EndsWith("git refused a worktree during another run: ok\n"));
  const Result check = BazelRun(repo.path(), {"--check"});
  EXPECT_EQ(check.end, Exited(0)) << check.err;
  EXPECT_THAT(check.out, StartsWith("installed\n"));
  // The hooks use a copy of the program: Bazel may clean up its output.
  EXPECT_THAT(Contents(repo.File(".git/o8lock/locked.inc")),
              ::testing::HasSubstr(absl::StrCat(
                  "# program: ", repo.File(".git/o8lock/bin/o8lock"), "\n")));

  EXPECT_EQ(BazelRun(repo.path(), {"--uninstall"}).end, Exited(0));
  EXPECT_EQ(Contents(repo.File(".git/config")), config);
  EXPECT_EQ(BazelRun(repo.path(), {"--check"}).end, Exited(1));
}

TEST(BazelRunTest, SaysHowItIsUsed) {
  const Repository repo;
  const Result wrong = BazelRun(repo.path(), {"--chek"});
  EXPECT_EQ(wrong.end, Exited(64));
  EXPECT_EQ(wrong.err,
            "usage: bazel run //hooks:install [-- --check | -- --uninstall]\n");
  const Result outside = BazelRun("", {});
  EXPECT_EQ(outside.end, Exited(64));
  EXPECT_EQ(outside.err, "start this target with: bazel run //hooks:install\n");
}

// --- o8lock_run ---

class RunTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory_symlink(std::filesystem::current_path(),
                                              runfiles_);
  }

  // For a process started among the runfiles, as `bazel run` does for a user in
  // `directory` of the workspace `workspace`. The path of the runfiles needs
  // quoting in a shell.
  ProcessOptions Among(const std::string& workspace,
                       const std::string& directory) const {
    ProcessOptions options = In(runfiles_);
    options.env["PWD"] = runfiles_;  // the path through the symbolic link
    options.env["BUILD_WORKSPACE_DIRECTORY"] = workspace;
    options.env["BUILD_WORKING_DIRECTORY"] = directory;
    return options;
  }

 private:
  const TempDir dir_;
  const std::string runfiles_ = dir_.File("it's  * $HOME");
};

TEST_F(RunTest, TheCommandGetsEveryArgumentAsItIs) {
  const Repository repo;
  std::filesystem::create_directory(repo.File("sub"));
  const ProcessOptions options = Among(repo.path(), repo.File("sub"));
  const Argv more = {"-x", "--", "c  d",          "it's \"q\"",
                     "",   "*",  "$HOME `id` \\", "n\nl"};
  Argv argv = {PathFromEnv("RUN_WORDS")};
  argv.insert(argv.end(), more.begin(), more.end());
  Process run(argv, options);
  EXPECT_EQ(run.Wait(), Exited(7));
  std::string expected = "<a  b><it's><><\"q\" * ~><$HOME `id` \\><two\nlines>";
  for (const std::string& argument : more) {
    absl::StrAppend(&expected, "<", argument, ">");
  }
  EXPECT_EQ(Normal(run.out()),
            absl::StrCat(
                repo.path(),
                "\nit's $HOME,  `id` and \"ä\" \\\n{\n  \"pid\": ", run.pid(),
                ",\n  \"startedAt\": \"{TIME}\",\n"
                "  \"features\": [\"feat  a\", \"it's b\"],\n"
                "  \"maxConcurrency\": 2\n}\n",
                expected));
  EXPECT_EQ(run.err(), "");

  // The target passes its wait and its name to o8lock as options, not as
  // arguments of the command.
  Guarded holder(repo.path(), {"--name=words"});
  Process second(argv, options);
  EXPECT_EQ(second.WaitForError("\n"),
            absl::StrCat("o8lock: waiting for PID ", holder.pid(),
                         " (sh -c 'echo ready $$; read code; exit $code'), up "
                         "to 1h 30m\n"));
  EXPECT_EQ(holder.Finish(), Exited(0));
  EXPECT_EQ(second.Wait(), Exited(7));
}

// The target of o8lock itself, which runs in the user's directory.
TEST_F(RunTest, TheProgramGetsEveryArgumentAsItIs) {
  const Repository repo;
  std::filesystem::create_directory(repo.File("sub"));
  const std::string script =
      "pwd; grep features ../.claude/parallel.lock; "
      "for i; do printf '<%s>' \"$i\"; done; exit 7";
  const Result run = Call({PathFromEnv("PROGRAM"), "--feature", "a  b", "--",
                           "sh", "-c", script, "sh", "c  d", "it's", "", "*"},
                          Among(repo.path(), repo.File("sub")));
  EXPECT_EQ(run.end, Exited(7));
  EXPECT_EQ(run.out, absl::StrCat(repo.File("sub"),
                                  "\n  \"features\": [\"a  b\"],\n"
                                  "<c  d><it's><><*>"));
  EXPECT_EQ(run.err, "");
}

// A user does not know the program's path in Bazel's output.
TEST_F(RunTest, TheLinesToPasteAreBazels) {
  const Repository repo;
  const ProcessOptions options = Among(repo.path(), repo.path());
  Guarded holder(repo.path());
  const Result agents =
      Call({PathFromEnv("RUN_AGENTS"), "feat a", "it's"}, options);
  EXPECT_EQ(agents.end, Exited(75));
  EXPECT_THAT(
      agents.err,
      HasSubstr("\nOptions:\n"
                "  • Wait for it to complete: bazel run //:o8lock -- "
                "--wait=10m -- bazel run //tools/e2e:run_agents -- 'feat a' "
                "'it'\\''s'\n"
                "  • Run: orchestr8 parallel status\n"
                "  • Force override: bazel run //tools/e2e:run_agents -- "
                "'feat a' 'it'\\''s' --force\n\n"));
  const Result program = Call(
      {PathFromEnv("PROGRAM"), "--feature=x", "--", "make", "a b"}, options);
  EXPECT_EQ(program.end, Exited(75));
  EXPECT_THAT(program.err,
              HasSubstr("\nOptions:\n"
                        "  • Wait for it to complete: bazel run //:o8lock -- "
                        "--feature x --wait=10m -- make 'a b'\n"
                        "  • Run: bazel run //:o8lock -- status\n"
                        "  • Force override: bazel run //:o8lock -- "
                        "--feature x --force -- make 'a b'\n\n"));
  EXPECT_EQ(holder.Finish(), Exited(0));

  const Result doctor = Call({PathFromEnv("PROGRAM"), "doctor"}, options);
  EXPECT_THAT(doctor.out,
              HasSubstr(": bazel run //:o8lock -- hooks install\n"));
  const Result wrong = Call({PathFromEnv("PROGRAM"), "statsu"}, options);
  EXPECT_EQ(wrong.end, Exited(64));
  EXPECT_THAT(wrong.err,
              EndsWith("did you mean: bazel run //:o8lock -- status\n"));
}

// The command may start another o8lock. The user did not start that one with
// Bazel, so its messages must not name a Bazel command.
TEST_F(RunTest, TheCommandInheritsNothingOfThat) {
  const Repository repo;
  const TempDir programs;
  MakeFile(programs.File("orchestr8"), "#!/bin/sh\nenv\nexit 5\n", 0755);
  ProcessOptions options = Among(repo.path(), repo.path());
  options.env["PATH"] = absl::StrCat(programs.path(), ":", getenv("PATH"));
  for (const Argv& argv :
       {Argv{PathFromEnv("RUN_AGENTS")},
        Argv{PathFromEnv("PROGRAM"), "--", "orchestr8", "parallel", "feat"}}) {
    const Result run = Call(argv, options);
    EXPECT_EQ(run.end, Exited(5)) << run.err;
    EXPECT_THAT(run.out, HasSubstr("O8LOCK_RUN"));
    EXPECT_THAT(run.out, Not(HasSubstr("O8LOCK_BAZEL")));
  }
}

// Without `bazel run` a target says how to start it.
TEST_F(RunTest, ABinaryAndALabelMayHaveAnyName) {
  const Repository repo;
  const Result alone = Call({PathFromEnv("RUN_BINARY")}, In(std::string()));
  EXPECT_EQ(alone.end, Exited(64));
  EXPECT_EQ(alone.out, "");
  EXPECT_EQ(alone.err,
            "start this target with: bazel run //tools/e2e:run_binary\n");
  // The same if the variables come from the `bazel run` of another target.
  const Result run = Call({PathFromEnv("RUN_BINARY")}, Among("/", repo.path()));
  EXPECT_EQ(run.end, Exited(64));
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err,
            "start this target with: bazel run //tools/e2e:run_it's;$HOME\n");
}

}  // namespace
}  // namespace o8lock
