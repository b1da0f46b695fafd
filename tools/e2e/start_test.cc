// SPDX-License-Identifier: Apache-2.0
//
// Starts an orchestr8 through npm scripts, make, shells, scripts, other
// starters and o8lock itself. Under o8lock each version must work as it does
// alone, and o8lock must refuse a second start meanwhile.
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <regex>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/cli/orchestr8_testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// A way to start `NAME parallel FEATURE --yes`, as typed after "o8lock -- ".
struct Way {
  const char* name;
  const char* command;
};

std::ostream& operator<<(std::ostream& out, const Way& way) {
  return out << way.name;
}

constexpr Way kWays[] = {
    {"Name", "NAME parallel FEATURE --yes"},
    {"Env", "env A=b NAME parallel FEATURE --yes"},
    {"NodePath", "node vendor/agents/lib/cli.js parallel FEATURE --yes"},
    {"NodePathWithoutEnding", "node vendor/agents/lib/cli parallel FEATURE -y"},
    {"ShellPath", "sh node_modules/.bin/NAME parallel FEATURE --yes"},
    {"ShellNodePath",
     "sh -c 'node vendor/agents/lib/cli.js parallel FEATURE --yes'"},
    {"NpmScript", "npm run -s par -- FEATURE"},
    {"NpmScriptWithPath", "npm run -s path -- FEATURE"},
    {"NpmExecCall", "npm exec -c 'NAME parallel FEATURE --yes'"},
    {"Npx", "npx NAME parallel FEATURE --yes"},
    {"NpxCall", "npx -c 'NAME parallel FEATURE --yes'"},
    {"Make", "make -s par F=FEATURE"},
    {"ShellCommand", "sh -c 'NAME parallel FEATURE --yes'"},
    {"ShellThatStays", "sh -c 'NAME parallel FEATURE --yes; exit $?'"},
    {"ShellInSubdirectory", "sh -c 'cd web && npm run -s par -- FEATURE'"},
    {"BashCommand", "bash -c 'NAME parallel FEATURE --yes'"},
    {"Time", "bash -c 'time NAME parallel FEATURE --yes'"},
    {"Script", "./run.sh FEATURE"},
    {"ScriptInScript", "sh outer.sh FEATURE"},
    {"Nohup", "nohup NAME parallel FEATURE --yes"},
    {"Timeout", "timeout 60 NAME parallel FEATURE --yes"},
    {"Nice", "nice -n 1 NAME parallel FEATURE --yes"},
    {"Stdbuf", "stdbuf -oL NAME parallel FEATURE --yes"},
    {"Setsid", "setsid --wait NAME parallel FEATURE --yes"},
    {"Typescript", "script -qec 'NAME parallel FEATURE --yes' /dev/null"},
    {"Xargs", "sh -c 'echo FEATURE | xargs NAME parallel --yes'"},
    {"O8lock", "o8lock -- NAME parallel FEATURE --yes"},
    {"ShellO8lock", "sh -c 'o8lock -- NAME parallel FEATURE --yes; exit $?'"},
    {"O8lockNpmScript", "o8lock -- npm run -s par -- FEATURE"},
    {"NpmScriptO8lock", "npm run -s locked -- FEATURE"},
    // These are not installed everywhere, so they are stubs.
    {"Sudo", "sudo -u ann NAME parallel FEATURE --yes"},
    {"Pnpm", "pnpm par FEATURE"},
    {"Yarn", "yarn par FEATURE"},
    {"Bun", "bun run par FEATURE"},
};

// Files that git must not commit.
constexpr const char* kFiles[] = {"/.claude/", "/node_modules", "/vendor",
                                  "/web",      "/package.json", "/Makefile",
                                  "/run.sh",   "/outer.sh",     "/nohup.out"};

// A project with one version of orchestr8.
class Project {
 public:
  explicit Project(const std::string& version)
      : version_(version), name_(AddOrchestr8(repo_.path(), version)) {
    MakeFile(repo_.File(".git/info/exclude"), absl::StrJoin(kFiles, "\n"));
    MakeOrchestr8Package(repo_.File("vendor/agents"), name_, version,
                         "lib/cli.js");
    Write("package.json",
          R"({"name": "shop", "version": "1.0.0", "scripts": {
              "par": "NAME parallel --yes",
              "path": "node vendor/agents/lib/cli.js parallel --yes",
              "locked": "o8lock -- NAME parallel --yes"}})");
    std::filesystem::create_directory(repo_.File("web"));
    Write("web/package.json",
          R"({"name": "web", "version": "1.0.0", "scripts": {
              "par": "cd .. && NAME parallel --yes"}})");
    Write("Makefile", "par:\n\t@node_modules/.bin/NAME parallel $(F) --yes\n");
    Write("run.sh", "#!/bin/sh\nNAME parallel \"$@\" --yes\n", 0755);
    Write("outer.sh", "exec ./run.sh \"$@\"\n");
    std::filesystem::create_symlink(Binary(), bin_.File("o8lock"));
    // Only the behaviour this test needs.
    Stub("sudo", "shift 2\nexec \"$@\"\n");
    for (const char* name : {"pnpm", "yarn"}) {
      Stub(name, "script=$1\nshift\nexec npm run -s \"$script\" -- \"$@\"\n");
    }
    Stub("bun", "script=$2\nshift 2\nexec npm run -s \"$script\" -- \"$@\"\n");
    EXPECT_EQ(mkfifo(bin_.File("ready").c_str(), 0600), 0);
    EXPECT_EQ(mkfifo(bin_.File("go").c_str(), 0600), 0);
  }

  const Repository& repo() const { return repo_; }
  std::string LockFile() const {
    return version_ == "v4" ? repo_.File(".claude/murm.lock")
                            : repo_.LockFile();
  }
  bool locks_itself() const { return version_ != "prelock"; }

  // Returns o8lock OPTIONS -- with the `command` of `way`.
  Argv Locked(const std::string& options, const Way& way,
              const std::string& feature) const {
    return Shell(absl::StrCat("exec o8lock ", options, " -- ",
                              Filled(way.command, feature)));
  }
  // Returns the same without o8lock.
  Argv Parallel(const std::string& feature) const {
    return {name_, "parallel", feature, "--yes"};
  }

  // Puts the project's programs in PATH.
  ProcessOptions Options() const {
    ProcessOptions options = In(repo_.path());
    options.env["PATH"] = absl::StrCat(repo_.File("node_modules/.bin"), ":",
                                       bin_.path(), ":", getenv("PATH"));
    options.env["HOME"] = bin_.path();
    options.env["npm_config_cache"] = bin_.File("npm");
    options.env["npm_config_offline"] = "true";
    options.env["npm_config_update_notifier"] = "false";
    return options;
  }
  // The same for a stand-in that waits once all its worktrees exist.
  ProcessOptions AtTheGate() const {
    ProcessOptions options = Options();
    options.env["STAND_IN_READY_FIFO"] = bin_.File("ready");
    options.env["STAND_IN_GO_FIFO"] = bin_.File("go");
    return options;
  }
  // Prints "ready" when the stand-in waits there, and continues it after
  // reading a line.
  Argv Gate() const {
    return Shell(absl::StrCat("read _ <'", bin_.File("ready"),
                              "'; echo ready; read _; echo go >'",
                              bin_.File("go"), "'"));
  }

 private:
  std::string Filled(absl::string_view text, const std::string& feature) const {
    return absl::StrReplaceAll(text, {{"NAME", name_}, {"FEATURE", feature}});
  }
  void Write(const std::string& name, absl::string_view text,
             mode_t mode = 0644) {
    MakeFile(repo_.File(name), Filled(text, ""), mode);
  }
  void Stub(const std::string& name, const std::string& text) {
    MakeFile(bin_.File(name), "#!/bin/sh\n" + text, 0755);
  }

  const Repository repo_;
  const TempDir bin_;
  const std::string version_;
  const std::string name_;
};

// A run that pauses once all its worktrees exist.
class HeldRun {
 public:
  HeldRun(const Argv& argv, const Project& project)
      : gate_(project.Gate(), WithPipe(In(project.repo().path()))),
        process_(argv, WithPipe(project.AtTheGate())) {
    gate_.WaitForOutput("ready\n");
  }
  Process* operator->() { return &process_; }
  End Finish() {
    LetGo();
    return process_.Wait();
  }
  void LetGo() { gate_.Write("go\n"); }

 private:
  static ProcessOptions WithPipe(ProcessOptions options) {
    options.input = ProcessOptions::Stdin::kPipe;
    return options;
  }

  Process gate_;
  Process process_;
};

// Returns the pid in the lock file `path`.
pid_t PidIn(const std::string& path) {
  std::smatch match;
  const std::string text = Contents(path);
  EXPECT_TRUE(std::regex_search(text, match, std::regex("\"pid\": ([0-9]+)")))
      << text;
  return match.empty() ? 0 : std::stoi(match[1]);
}

bool IsInstalled(const std::string& program) {
  return Call(Shell("command -v " + program), "/").end == Exited(0);
}

class StartTest : public testing::TestWithParam<std::tuple<Way, std::string>> {
 protected:
  const Way& way() const { return std::get<0>(GetParam()); }
  const std::string& version() const { return std::get<1>(GetParam()); }

  void SetUp() override {
    for (const char* program :
         {"node", "npm", "make", "bash", "script", "stdbuf", "xargs"}) {
      const bool is_needed =
          absl::StrContains(way().command, program) ||
          (program == std::string("npm") &&
           absl::StrContains("Pnpm Yarn Bun Npx NpxCall", way().name));
      if (is_needed && !IsInstalled(program)) {
        GTEST_SKIP() << program << " is not installed";
      }
    }
  }
};

TEST_P(StartTest, WorksAndASecondStartIsRefused) {
  const Project project(version());
  HeldRun run(project.Locked("", way(), "feat-a"), project);
  // It has its own lock file. A prelock version has o8lock's.
  if (project.locks_itself()) {
    EXPECT_NE(PidIn(project.LockFile()), run->pid());
    EXPECT_EQ(Names(project.repo().File(".claude")).size(), 2);  // worktrees
  } else {
    EXPECT_EQ(PidIn(project.LockFile()), run->pid());
  }
  const Result second =
      Call(project.Locked("", way(), "feat-b"), project.Options());
  EXPECT_EQ(second.end, Exited(75)) << second.err;
  if (project.locks_itself()) {
    const Result unlocked = Call(project.Parallel("feat-c"), project.Options());
    EXPECT_EQ(unlocked.end, Exited(1));
    EXPECT_THAT(unlocked.err, HasSubstr("execution is in progress"));
  }
  EXPECT_EQ(run.Finish(), Exited(0)) << run->out() << run->err();
  EXPECT_EQ(Contents(project.repo().File("feat-a.txt")), "feat-a\n");
  ExpectNothingLeft(project.repo());
  EXPECT_FALSE(Exists(project.LockFile()));
}

std::string TestName(const testing::TestParamInfo<StartTest::ParamType>& info) {
  return absl::StrCat(std::get<0>(info.param).name, "_",
                      std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Ways, StartTest,
                         testing::Combine(testing::ValuesIn(kWays),
                                          testing::Values("prelock", "v3",
                                                          "v4")),
                         TestName);

class VersionTest : public testing::TestWithParam<std::string> {};

// The outer lock file exists until the inner o8lock finds that it would stop
// its command.
TEST_P(VersionTest, RunsInsideARunThatPublishes) {
  const Project project(GetParam());
  const Way way = {"",
                   "sh -c 'cat .claude/parallel.lock; "
                   "o8lock -- NAME parallel FEATURE --yes; code=$?; "
                   "cat .claude/parallel.lock; exit $code'"};
  HeldRun run(project.Locked("--publish=always", way, "feat-a"), project);
  EXPECT_NE(PidIn(project.LockFile()), run->pid());
  EXPECT_EQ(Call(project.Locked("", kWays[0], "feat-b"), project.Options()).end,
            Exited(75));
  EXPECT_EQ(run.Finish(), Exited(0)) << run->err();
  EXPECT_EQ(run->err(), "");
  EXPECT_EQ(Count(run->out(), absl::StrCat("\"pid\": ", run->pid())), 2)
      << run->out();
  ExpectNothingLeft(project.repo());
}

TEST_P(VersionTest, RunsInAnInteractiveShell) {
  if (!IsInstalled("bash")) GTEST_SKIP() << "bash is not installed";
  const Project project(GetParam());
  ProcessOptions options = project.AtTheGate();
  options.terminal = true;
  options.env["PS1"] = "> ";
  ProcessOptions pipe = In(project.repo().path());
  pipe.input = ProcessOptions::Stdin::kPipe;
  Process gate(project.Gate(), pipe);
  Process shell(Shell("exec o8lock -- bash --norc --noprofile -i"), options);
  shell.WaitForOutput("> ");
  shell.Write(absl::StrJoin(project.Parallel("feat-a"), " ") + "\n");
  gate.WaitForOutput("ready\n");
  EXPECT_EQ(Call(project.Locked("", kWays[0], "feat-b"), project.Options()).end,
            Exited(75));
  gate.Write("go\n");
  shell.WaitForOutput("Complete ---");
  shell.Write("exit\n");
  EXPECT_EQ(shell.Wait(), Exited(0)) << shell.out();
  ExpectNothingLeft(project.repo());
}

INSTANTIATE_TEST_SUITE_P(Versions, VersionTest, testing::Values("v3", "v4"));

TEST(WhyTest, VerboseAndStatusSayWhyThereIsNoLockFile) {
  const Project project("v4");
  const std::string reason =
      project.repo().File("node_modules/murmur8") + " keeps its own lock file";
  HeldRun run(
      project.Locked("-v", {"", "sh -c 'NAME parallel FEATURE -y'"}, "feat-a"),
      project);
  EXPECT_EQ(Call(O8lock({"status"}), project.repo().path()).end, Exited(75));
  EXPECT_THAT(Call(O8lock({"status"}), project.repo().path()).out,
              HasSubstr(absl::StrCat(
                  "\nLock file: ", project.repo().File(".claude/murm.lock"),
                  ", not written by o8lock: ", reason, "\n")));
  EXPECT_THAT(Call(O8lock({"status", "--json"}), project.repo().path()).out,
              HasSubstr(absl::StrCat("\"unpublished\": \"", reason, "\"\n")));
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_THAT(run->err(), HasSubstr(absl::StrCat(
                              "\no8lock: lock file not written: ",
                              project.repo().LockFile(), " (", reason, ")\n")));
}

// The search may take long. Under the lock, other starts would find a run
// without a record.
TEST(WhyTest, TheSearchForAnOrchestr8IsOverBeforeTheLockIsTaken) {
  if (!CanTrace()) GTEST_SKIP() << "needs strace, and permission to trace";
  const Repository repo;
  const std::string log = repo.File(".git/log");
  const auto trace = [&repo, &log] {
    Argv argv = {"strace", "-o", log, "-e", "trace=access,fcntl"};
    for (const std::string& word : O8lock({"--", "true"})) argv.push_back(word);
    Call(argv, repo.path());
    return Contents(log);
  };
  const std::string free = trace();
  const size_t search = free.find(repo.File("package.json"));
  const size_t lock = free.find("F_OFD_SETLK, ");
  ASSERT_NE(search, std::string::npos) << free;
  ASSERT_NE(lock, std::string::npos) << free;
  EXPECT_LT(search, lock) << free;
  // A refusal by another run of o8lock needs no search.
  const Guarded holder(repo.path());
  EXPECT_THAT(trace(), AllOf(HasSubstr("F_OFD_SETLK, "),
                             Not(HasSubstr("package.json"))));
}

// orchestr8 ignores a lock file with another name.
TEST(WhyTest, ALockWithAnotherNameIsPublished) {
  const Project project("v4");
  HeldRun run(
      project.Locked("-v --name deploy",
                     {"", "sh -c 'NAME parallel FEATURE --yes'"}, "feat-a"),
      project);
  EXPECT_EQ(PidIn(project.repo().File(".claude/deploy.lock")), run->pid());
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_THAT(run->err(),
              HasSubstr("(orchestr8 does not look for this file)\n"));
}

}  // namespace
}  // namespace o8lock
