// SPDX-License-Identifier: Apache-2.0
//
// A monorepo with o8lock as a dependency. This test starts Bazel to build and
// run it. Debian's Bazel 4 builds testdata/consumer_workspace. Every other
// Bazel uses modules, with the files of testdata/consumer_module on top.
// Debian's Bazels need no network.
#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <regex>
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
#include "lock/version.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// An idle machine builds o8lock in half a minute.
constexpr std::chrono::minutes kBuildDeadline{10};

// As In(), but without Bazel's variables: Bazel started this test, and the
// process must not take itself for a child of Bazel.
ProcessOptions Inside(const std::string& directory) {
  ProcessOptions options = In(directory);
  for (const char* variable :
       {"BUILD_WORKSPACE_DIRECTORY", "BUILD_WORKING_DIRECTORY", "RUNFILES_DIR",
        "TEST_TMPDIR"}) {
    options.unset_env.emplace_back(variable);
  }
  return options;
}

bool HasModules() { return !Exists("/usr/bin/bazel-4"); }

// A repository with a Bazel workspace in a subdirectory and with a linked
// worktree. The workspace of the linked worktree calls o8lock "guard".
class Monorepo : public Repository {
 public:
  Monorepo() {
    const std::filesystem::path o8lock =
        std::filesystem::canonical(PathFromEnv("MODULE")).parent_path();
    std::filesystem::copy(o8lock / "testdata/consumer_workspace", Code(),
                          std::filesystem::copy_options::recursive);
    if (HasModules()) {
      std::filesystem::remove(Code() + "/WORKSPACE");
      std::filesystem::copy(
          o8lock / "testdata/consumer_module", Code(),
          std::filesystem::copy_options::recursive |
              std::filesystem::copy_options::overwrite_existing);
      // Only //cases needs these.
      MakeFile(
          Code() + Root(),
          absl::StrCat(
              Contents(Code() + Root()),
              "bazel_dep(name = \"abseil-cpp\", version = \"20250814.1\")\n"
              "bazel_dep(name = \"rules_cc\", version = \"0.2.14\")\n"));
      // The name of the main repository among the runfiles.
      Edit(Code() + "/cases/show.cc", "/consumer/", "/_main/");
    }
    Edit(Code() + Root(), "\"../..\"",
         absl::StrCat("\"", o8lock.string(), "\""));
    Git(path(), {"add", "."});
    Git(path(), {"commit", "--quiet", "-m", "code"});
    Git(path(), {"worktree", "add", "--quiet", LinkedRoot()});
    if (HasModules()) {
      Edit(Linked() + Root(), "bazel_dep(name = \"o8lock\"",
           "bazel_dep(repo_name = \"guard\", name = \"o8lock\"");
    } else {
      Edit(Linked() + Root(), "\"o8lock\"", "\"guard\"");
      Edit(Linked() + Root(), "@o8lock//", "@guard//");
    }
    for (const char* file :
         {"/BUILD.bazel", "/tools/BUILD.bazel", "/cases/BUILD.bazel"}) {
      Edit(Linked() + file, "@o8lock//", "@guard//");
    }
    // With another PATH, as in one of the tests, Bazel would otherwise compile
    // everything again.
    MakeFile(outputs_.File("bazelrc"),
             absl::StrCat(
                 "startup --output_user_root=", Outputs(), "\n",
                 "common --noshow_progress --ui_event_filters=-info,-warning\n",
                 "build --incompatible_strict_action_env\n",
                 "build --nosandbox_debug --show_result=0 --disk_cache=",
                 outputs_.File("cache"), "\n"));
    // The `bazel` in the user's PATH.
    const std::string bazel(absl::StripSuffix(
        Call(Shell("command -v bazel"), ProcessOptions()).out, "\n"));
    std::filesystem::create_directory(Programs());
    MakeFile(Programs() + "/bazel",
             absl::StrCat(
                 "#!/bin/sh\n",
                 HasModules() ? absl::StrCat("BAZEL_REAL=", bazel, " exec '",
                                             o8lock.string(), "/tools/bazel'")
                              : absl::StrCat("exec ", bazel),
                 " --bazelrc='", outputs_.File("bazelrc"), "' \"$@\"\n"),
             0755);
    // Kept, since a Process ends everything it started, such as Bazel's server.
    for (const std::string& workspace : {Code(), Linked()}) {
      builds_.emplace_back(std::make_unique<Process>(Bazel({"build", "//..."}),
                                                     Inside(workspace)));
      EXPECT_EQ(builds_.back()->Wait(kBuildDeadline), Exited(0))
          << builds_.back()->err();
    }
  }

  std::string Code() const { return File("code"); }
  std::string LinkedRoot() const { return linked_.File("linked"); }
  std::string Linked() const { return LinkedRoot() + "/code"; }
  std::string Outputs() const { return outputs_.File("root"); }
  std::string Programs() const { return outputs_.File("programs"); }
  std::string OtherOutputs() const { return outputs_.File("other"); }

  // bazel WORDS...
  Argv Bazel(const Argv& arguments) const {
    Argv argv = {Programs() + "/bazel"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
  }

 private:
  // The file with the dependencies on other repositories.
  static std::string Root() {
    return HasModules() ? "/MODULE.bazel" : "/WORKSPACE";
  }

  static void Edit(const std::string& file, const std::string& from,
                   const std::string& to) {
    const std::string text = Contents(file);
    ASSERT_THAT(text, HasSubstr(from));
    MakeFile(file, absl::StrReplaceAll(text, {{from, to}}));
  }

  TempDir outputs_;
  TempDir linked_;
  std::vector<std::unique_ptr<Process>> builds_;
};

class ConsumerTest : public ::testing::Test {
 protected:
  static void TearDownTestSuite() { repo_.reset(); }
  void SetUp() override {
    if (!repo_.has_value()) repo_.emplace();
  }

  static const Monorepo& repo() { return *repo_; }

  static Result Finished(Process& process) {
    const End end = process.Wait(kBuildDeadline);
    return {end, process.out(), process.err()};
  }
  // bazel WORDS... in `directory`.
  static Result Bazel(const std::string& directory, const Argv& arguments) {
    Process process(repo().Bazel(arguments), Inside(directory));
    return Finished(process);
  }
  static Argv RunArgv(Argv arguments) {
    arguments.insert(arguments.begin(), "run");
    return repo().Bazel(arguments);
  }
  // bazel run WORDS... in `directory`.
  static Result Run(const std::string& directory, const Argv& arguments) {
    Process process(RunArgv(arguments), Inside(directory));
    return Finished(process);
  }
  static std::string Status(const Argv& options = {}) {
    Argv arguments = options;
    arguments.emplace_back("status");
    return Call(O8lock(arguments), repo().path()).out;
  }

 private:
  static std::optional<Monorepo> repo_;
};
std::optional<Monorepo> ConsumerTest::repo_;

// `text` without the parts that depend on the machine and the moment.
std::string Portable(const std::string& text) {
  return std::regex_replace(
      std::regex_replace(Normal(text), std::regex("bazel-out/[^/]+/bin"),
                         "bazel-bin"),
      std::regex("\"pid\": [0-9]+"), "\"pid\": PID");
}

// The parent of the process `pid`.
pid_t ParentOf(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/status"));
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, "PPid:")) return std::stoi(line.substr(5));
  }
  return 0;
}

// The number of descriptors of the process `pid` open on `path`.
int Descriptors(pid_t pid, const std::string& path) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(
           absl::StrCat("/proc/", pid, "/fd"))) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry.path(), error) == path) ++count;
  }
  return count;
}

TEST_F(ConsumerTest, EveryAttributeIsUsedAndArgumentsArriveAsGiven) {
  const Argv arguments = {"-x",   "--", "a b",           "it's \"q\"",
                          "n\nl", "",   "$HOME `id` \\", "ä*"};
  std::string expected = absl::StrCat(
      "directory: ", repo().Code(),
      "\ngreeting: it's bazel-bin/cases/generated.txt, $HOME and \"ä\"\n"
      "runfile: a runfile\n"
      "lock file: {  \"pid\": PID,  \"startedAt\": \"{TIME}\",  "
      "\"features\": [\"feat-a\", \"it\'s b\"],  "
      "\"maxConcurrency\": 2}\n"
      "<bazel-bin/cases/generated.txt>\n<two words>\n");
  for (const std::string& argument : arguments) {
    absl::StrAppend(&expected, "<", argument, ">\n");
  }
  for (const char* flag :
       {"--legacy_external_runfiles", "--nolegacy_external_runfiles"}) {
    Argv argv = {flag, "//cases:words", "--"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const Result result = Run(repo().Code() + "/tools", argv);
    EXPECT_EQ(result.end, Exited(7));
    EXPECT_EQ(Portable(result.out), expected);
    EXPECT_EQ(result.err, "");
  }
  // The path from $(execpath) is valid in the workspace.
  EXPECT_EQ(Contents(repo().Code() + "/bazel-bin/cases/generated.txt"),
            "generated\n");
}

TEST_F(ConsumerTest, RunsWhereBazelWasCalled) {
  const Result result = Run(repo().Code() + "/tools", {"//cases:where"});
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_EQ(result.out, absl::StrCat("directory: ", repo().Code(),
                                     "/tools\ngreeting: \nrunfile: a runfile\n"
                                     "lock file: \n"));
}

TEST_F(ConsumerTest, RunsFromAScript) {
  const std::string script = repo().Outputs() + "/script";
  const Result written = Run(
      repo().Code(), {"--script_path=" + script, "//cases:words", "--", "a b"});
  EXPECT_EQ(written.end, Exited(0)) << written.err;
  const Result result = Call({script, "c d"}, Inside(repo().path()));
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_THAT(result.out,
              StartsWith(absl::StrCat("directory: ", repo().Code(), "\n")));
  EXPECT_THAT(result.out, EndsWith("<two words>\n<a b>\n<c d>\n"));
}

TEST_F(ConsumerTest, NobodyStandsBetweenBazelAndTheCommand) {
  Guarded holder(RunArgv({"//cases:hold"}), Inside(repo().Code()));
  EXPECT_EQ(std::filesystem::read_symlink(
                absl::StrCat("/proc/", holder.pid(), "/exe"))
                .filename(),
            "o8lock");
  EXPECT_EQ(ParentOf(holder.command_pid()), holder.pid());
  EXPECT_EQ(holder.Finish(3), Exited(3));

  Guarded ended(RunArgv({"//cases:hold"}), Inside(repo().Code()));
  ended.process().Signal(SIGTERM);
  EXPECT_EQ(ended.process().Wait(), Killed(SIGTERM));
  EXPECT_THAT(Status(), StartsWith("free\n"));
}

TEST_F(ConsumerTest, KeepsTheTerminal) {
  ProcessOptions terminal = Inside(repo().Code());
  terminal.terminal = true;
  Process on_terminal(RunArgv({"//cases:terminal"}), terminal);
  EXPECT_EQ(on_terminal.Wait(), Exited(0));
  EXPECT_THAT(on_terminal.out(), HasSubstr("/dev/pts/"));
  const Result result = Run(repo().Code(), {"//cases:terminal"});
  EXPECT_EQ(result.end, Exited(1));
  EXPECT_EQ(result.out, "not a tty\n");
}

TEST_F(ConsumerTest, OneLockForAllWorktreesUnderWhateverName) {
  Guarded holder(RunArgv({"//cases:hold"}), Inside(repo().Code()));
  const std::string message = absl::StrCat(
      "Error: Another parallel execution is in progress (PID: ", holder.pid(),
      ")\n");
  for (const std::string& workspace : {repo().Code(), repo().Linked()}) {
    const Result refused = Run(workspace, {"//cases:hold"});
    EXPECT_EQ(refused.end, Exited(75));
    EXPECT_EQ(refused.out, "");
    EXPECT_THAT(refused.err, StartsWith(message));
    const Result agents =
        Run(workspace + "/cases", {"//tools:agents", "--", "feat-a"});
    EXPECT_EQ(agents.end, Exited(75));
    EXPECT_THAT(agents.err, StartsWith(message));
    // A user does not know the program's path in Bazel's output, so these lines
    // name Bazel's commands.
    EXPECT_THAT(
        agents.err,
        HasSubstr(" --wait=10m -- bazel run //tools:agents -- feat-a\n"));
    EXPECT_THAT(agents.err,
                HasSubstr("\n  • Run: orchestr8 parallel status\n"));
    EXPECT_THAT(
        agents.err,
        HasSubstr("\n  • Force override: bazel run //tools:agents -- feat-a "
                  "--force\n"));
  }
  EXPECT_EQ(holder.Finish(), Exited(0));

  Guarded linked(RunArgv({"//cases:hold"}), Inside(repo().Linked()));
  EXPECT_EQ(Run(repo().Code(), {"//cases:hold"}).end, Exited(75));
  EXPECT_EQ(linked.Finish(), Exited(0));
}

// Pastes the command lines of a refusal into a shell.
TEST_F(ConsumerTest, WhatARefusalSaysToRunCanBeRun) {
  const auto after = [](const std::string& text, absl::string_view begin) {
    const std::vector<std::string> parts =
        absl::StrSplit(text, absl::MaxSplits(begin, 1));
    return parts.size() < 2 ? "false" : parts[1].substr(0, parts[1].find('\n'));
  };
  for (const std::string& workspace : {repo().Code(), repo().Linked()}) {
    ProcessOptions options = Inside(workspace + "/tools");
    options.env["PATH"] = absl::StrCat(repo().Programs(), ":", getenv("PATH"));
    Guarded holder(repo().path());
    const Result refused = Run(workspace, {"//cases:hold"});
    EXPECT_EQ(refused.end, Exited(75));
    Process status(Shell(after(refused.err, "• Run: ")), options);
    EXPECT_EQ(status.Wait(kBuildDeadline), Exited(75)) << status.err();
    EXPECT_THAT(status.out(), StartsWith("held"));

    options.input = ProcessOptions::Stdin::kPipe;
    Process waiting(Shell(after(refused.err, "Wait for it to complete: ")),
                    options);
    waiting.WaitForError("o8lock: waiting for PID");
    EXPECT_EQ(holder.Finish(), Exited(0));
    waiting.WaitForOutput("ready");
    waiting.Write("4\n");
    EXPECT_EQ(waiting.Wait(kBuildDeadline), Exited(4)) << waiting.err();
  }
}

TEST_F(ConsumerTest, Waits) {
  Guarded words(repo().path(), {"--name=words"});
  Process second(RunArgv({"//cases:words"}), Inside(repo().Code()));
  second.WaitForError(", up to 1h 30m\n");
  EXPECT_EQ(words.Finish(), Exited(0));
  EXPECT_EQ(second.Wait(), Exited(7));

  Guarded holder(repo().path());
  ProcessOptions with_pipe = Inside(repo().Code());
  with_pipe.input = ProcessOptions::Stdin::kPipe;
  Process later(RunArgv({"//cases:hold_later"}), with_pipe);
  EXPECT_THAT(later.WaitForError("\n"), Not(HasSubstr("up to")));
  EXPECT_EQ(holder.Finish(), Exited(0));
  ReadyPid(later);
  later.Write("4\n");
  EXPECT_EQ(later.Wait(), Exited(4));
}

TEST_F(ConsumerTest, ALibraryHasTheSameLock) {
  const std::string program = repo().Code() + "/bazel-bin/cases/alone";
  Guarded holder({program}, Inside(repo().Code()));
  EXPECT_EQ(Run(repo().Code(), {"//cases:hold"}).end, Exited(75));
  EXPECT_EQ(RunToEnd({program}, Inside(repo().Linked())), Exited(75));
  EXPECT_EQ(holder.Finish(5), Exited(5));
  EXPECT_THAT(Status(), StartsWith("free\n"));
}

TEST_F(ConsumerTest, BazelInsideARunWorksAndItsServerDoesNotKeepTheLock) {
  ProcessOptions options = Inside(repo().Code());
  options.input = ProcessOptions::Stdin::kPipe;
  // The server already running, and one started in the run.
  Process run(
      RunArgv({"//cases:bazel", "--", repo().Outputs(), repo().OtherOutputs()}),
      options);
  ReadyPid(run);
  EXPECT_THAT(Status(), StartsWith("held"));
  const std::vector<std::string> lines = absl::StrSplit(run.out(), '\n');
  ASSERT_EQ(lines.size(), 4) << run.out();
  const pid_t server = std::stoi(lines[1]);
  EXPECT_NE(lines[0], lines[1]);
  run.Write("6\n");
  EXPECT_EQ(run.Wait(), Exited(6));
  // The server inherited a descriptor of the guard, and still has it open.
  EXPECT_EQ(Descriptors(server, repo().Guard()), 1);
  EXPECT_THAT(Status(), StartsWith("free\n"));
  EXPECT_EQ(RunToEnd(Locked({}, "exit 8"), Inside(repo().path())), Exited(8));
}

// The tools/bazel of the README.
TEST_F(ConsumerTest, BazelItselfUnderALock) {
  if (HasModules()) {
    GTEST_SKIP() << "of Debian's Bazels 4 alone looks for tools/bazel";
  }
  const std::string wrapper = repo().Code() + "/tools/bazel";
  const TempDir programs;
  std::filesystem::create_symlink(Binary(), programs.File("o8lock"));
  MakeFile(wrapper,
           "#!/bin/sh\n"
           "command -v o8lock >/dev/null || exec \"$BAZEL_REAL\" \"$@\"\n"
           "exec o8lock --wait --name=bazel --publish=never -- "
           "\"$BAZEL_REAL\" \"$@\"\n",
           0755);
  ProcessOptions options = Inside(repo().Code());
  const Argv server_pid = {
      "/usr/bin/bazel",
      absl::StrCat("--output_user_root=", repo().OtherOutputs()), "info",
      "server_pid"};
  // Without o8lock in PATH, Bazel runs as usual.
  Process without(server_pid, options);
  EXPECT_EQ(without.Wait(kBuildDeadline), Exited(0)) << without.err();
  EXPECT_FALSE(Exists(repo().File(".git/o8lock/bazel.guard")));
  EXPECT_EQ(kill(std::stoi(without.out()), SIGKILL), 0);
  WaitForEnd(std::stoi(without.out()));

  options.env["PATH"] = absl::StrCat(programs.path(), ":", getenv("PATH"));
  Process first(server_pid, options);
  EXPECT_EQ(first.Wait(kBuildDeadline), Exited(0)) << first.err();
  EXPECT_EQ(Descriptors(std::stoi(first.out()),
                        repo().File(".git/o8lock/bazel.guard")),
            1);
  EXPECT_THAT(Status({"--name=bazel"}), StartsWith("free\n"));

  Guarded holder(repo().path(), {"--name=bazel"});
  Process second(server_pid, options);
  second.WaitForError("o8lock: waiting for PID");
  EXPECT_EQ(holder.Finish(), Exited(0));
  EXPECT_EQ(second.Wait(), Exited(0));
  EXPECT_EQ(second.out(), first.out());
  // Bazel inside a run of the same lock, as when Bazel calls Bazel.
  Argv nested = O8lock({"--name=bazel", "--publish=never", "--"});
  nested.insert(nested.end(), server_pid.begin(), server_pid.end());
  EXPECT_EQ(RunToEnd(nested, options), Exited(0));
  std::filesystem::remove(wrapper);
}

// The --run_under line of the README.
TEST_F(ConsumerTest, EveryBazelRunUnderTheLock) {
  const TempDir programs;
  std::filesystem::create_symlink(Binary(), programs.File("o8lock"));
  ProcessOptions options = Inside(repo().Code());
  options.env["PATH"] = absl::StrCat(programs.path(), ":", getenv("PATH"));
  const Argv show = RunArgv(
      {"--run_under=runfiles=$PWD; cd \"$BUILD_WORKSPACE_DIRECTORY\" && "
       "exec o8lock -- env -C \"$runfiles\"",
       "//cases:show", "--", "a b"});
  Process free(show, options);
  EXPECT_EQ(free.Wait(kBuildDeadline), Exited(7)) << free.err();
  EXPECT_THAT(free.out(),
              HasSubstr(HasModules() ? "/show.runfiles/_main\n"
                                     : "/show.runfiles/consumer\n"));
  EXPECT_THAT(free.out(), EndsWith("<a b>\n"));
  Guarded holder(repo().path());
  Process held(show, options);
  EXPECT_EQ(held.Wait(kBuildDeadline), Exited(75)) << held.err();
  EXPECT_EQ(holder.Finish(), Exited(0));
}

TEST_F(ConsumerTest, TheProgramIsAboutTheRepositoryOfItsCaller) {
  for (const std::string name : {"@o8lock", "@guard"}) {
    const Result status =
        Run(name == "@guard" ? repo().Linked() : repo().Code() + "/tools",
            {name + "//:o8lock", "--", "status"});
    EXPECT_EQ(status.end, Exited(0)) << status.err;
    EXPECT_THAT(status.out,
                HasSubstr(absl::StrCat("Guard: ", repo().Guard(), "\n")));
  }
}

TEST_F(ConsumerTest, HooksOutliveBazelsOutput) {
  const Result installed = Run(repo().Code() + "/tools", {"//:hooks"});
  EXPECT_EQ(installed.end, Exited(0)) << installed.err;
  EXPECT_THAT(installed.out,
              EndsWith("git refused a worktree during another run: ok\n"));
  EXPECT_EQ(Run(repo().Linked(), {"//:hooks", "--", "--check"}).end, Exited(0));

  EXPECT_EQ(Bazel(repo().Code(), {"clean"}).end, Exited(0));
  EXPECT_FALSE(Exists(repo().Code() + "/bazel-bin"));
  Guarded holder(repo().path());
  const Result refused =
      Call({"git", "worktree", "add", repo().File("fix"), "-b", "fix"},
           repo().path());
  EXPECT_FALSE(refused.end == Exited(0));
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr(absl::StrCat("Error: Another parallel execution "
                                           "is in progress (PID: ",
                                           holder.pid(), ")\n")),
                    HasSubstr("\ngit worktree add refused: ")));
  EXPECT_EQ(holder.Finish(), Exited(0));

  // The target of the external repository @o8lock uninstalls them as well.
  const Result gone =
      Run(repo().Code(), {"@o8lock//hooks:install", "--", "--uninstall"});
  EXPECT_EQ(gone.end, Exited(0)) << gone.err;
  EXPECT_EQ(Run(repo().Code(), {"//:hooks", "--", "--check"}).end, Exited(1));
}

TEST_F(ConsumerTest, WantsToBeStartedByBazelRun) {
  const std::string program = repo().Code() + "/bazel-bin/cases/words";
  if (!Exists(program)) {
    EXPECT_EQ(Bazel(repo().Code(), {"build", "//cases:words"}).end, Exited(0));
  }
  ProcessOptions options = Inside(repo().Code());
  const Result alone = Call({program}, options);
  EXPECT_EQ(alone.end, Exited(64));
  EXPECT_EQ(alone.err, "start this target with: bazel run //cases:words\n");
  EXPECT_EQ(alone.out, "");
  // The same below a command of `bazel run`.
  options.env["BUILD_WORKSPACE_DIRECTORY"] = repo().Code();
  const Result inside = Call({program}, options);
  EXPECT_EQ(inside.end, Exited(64));
  EXPECT_EQ(inside.err, alone.err);
}

TEST_F(ConsumerTest, WrongAttributesAreFoundBeforeAnythingRuns) {
  struct Case {
    const char* attributes;
    const char* message;
  };
  constexpr Case kCases[] = {
      {"", "give either binary or command"},
      {"binary = \"@o8lock//tools:o8lock\", command = [\"true\"]",
       "give either binary or command"},
      {"binary = \"//cases:runfile.txt\"", "'//cases:runfile.txt'"},
      {"command = [\"true\"], working_directory = \"runfiles\"",
       "invalid value in 'working_directory' attribute: has to be one of "
       "'invocation' or 'workspace' instead of 'runfiles'"},
      {"command = [\"true\"], wait = \"1w\"",
       "wait must be a time such as 90s, 10m or 1h30m, or forever, but is "
       "'1w'"},
      {"command = [\"true\"], wait = \"30m1h\"", "but is '30m1h'"},
      {"command = [\"true\"], wait = \"1.s\"", "but is '1.s'"},
      {"command = [\"true\"], wait = \"-1s\"", "but is '-1s'"},
      {"command = [\"true\"], lock_name = \".a\"",
       "lock_name must consist of letters, digits, '.', '_' and '-' and must "
       "not begin with '.', but is '.a'"},
      {"command = [\"true\"], lock_name = \"a/b\"", "but is 'a/b'"},
      {"command = [\"true\"], max_concurrency = -1",
       "max_concurrency must be from 1 to 1000000, but is -1"},
      {"command = [\"true\"], env = {\"A-B\": \"\"}",
       "env must map names of variables, but has 'A-B'"},
      {"command = [\"true\"], env = {\"A\": \"$(execpath :none)\"}", ":none"},
  };
  const auto analyse = [](const std::string& attributes) {
    const std::string directory = repo().Code() + "/tried";
    std::filesystem::create_directory(directory);
    MakeFile(directory + "/BUILD.bazel",
             absl::StrCat("load(\"@o8lock//tools:defs.bzl\", \"o8lock_run\")\n"
                          "o8lock_run(name = \"it\", ",
                          attributes, ")\n"));
    return Bazel(repo().Code(), {"build", "--nobuild", "//tried:it"});
  };
  for (const char* wait : {"0", "10", "0.5s", "1h30m", "2d", "forever"}) {
    const Result right =
        analyse(absl::StrCat("command = [\"true\"], lock_name = \"-a.B_1\", "
                             "max_concurrency = 1000000, wait = \"",
                             wait, "\""));
    EXPECT_EQ(right.end, Exited(0)) << right.err;
  }
  for (const Case& wrong : kCases) {
    const Result result = analyse(wrong.attributes);
    EXPECT_EQ(result.end, Exited(1)) << wrong.attributes;
    EXPECT_THAT(result.err, HasSubstr(wrong.message)) << wrong.attributes;
    EXPECT_THAT(result.err, HasSubstr("//tried:it"));
  }
  std::filesystem::remove_all(repo().Code() + "/tried");
}

TEST_F(ConsumerTest, TheVersionTellsTheCommitIfTheBuildDoes) {
  const auto version = [](const Argv& flags) {
    Argv arguments = flags;
    arguments.insert(arguments.end(), {"@o8lock//:o8lock", "--", "--version"});
    const Result result = Run(repo().Code(), arguments);
    EXPECT_EQ(result.end, Exited(0)) << result.err;
    return result.out;
  };
  const TempDir dir;
  MakeFile(dir.File("status"), "#!/bin/sh\necho BUILD_SCM_REVISION 1bfdd47\n",
           0755);
  EXPECT_EQ(version({"--stamp", absl::StrCat("--workspace_status_command=",
                                             dir.File("status"))}),
            absl::StrCat("o8lock ", kVersion, " (1bfdd47)\n"));
  EXPECT_EQ(version({}), absl::StrCat("o8lock ", kVersion, "\n"));
}

TEST_F(ConsumerTest, CanBeQueried) {
  const Result result =
      Bazel(repo().Code(), {"query", "--output=build", "//cases:words"});
  EXPECT_EQ(result.end, Exited(0)) << result.err;
  EXPECT_THAT(result.out, HasSubstr("  lock_name = \"words\",\n"));
}

TEST_F(ConsumerTest, GoesByModules) {
  if (!HasModules()) {
    GTEST_SKIP() << "needs Bazel 7 or newer: bazel-bootstrap of Debian 14";
  }
  const Result result = Bazel(repo().Code(), {"mod", "graph", "--depth=1"});
  EXPECT_EQ(result.end, Exited(0)) << result.err;
  EXPECT_THAT(result.out, HasSubstr("o8lock@_"));
}

}  // namespace
}  // namespace o8lock
