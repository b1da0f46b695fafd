// SPDX-License-Identifier: Apache-2.0
//
// The whole program, started inside a run. It continues at once, whatever its
// environment. o8lock refuses every start from outside the run.
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/hooked_repository.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Way {
  const char* name;
  const char* prefix;  // starts a command line for sh
};

class InsideTest : public testing::TestWithParam<Way> {
 protected:
  // Whether this machine supports the way.
  static bool IsThere() {
    if (IsSanitized() && absl::string_view(GetParam().name) == "NoProc") {
      return false;  // AddressSanitizer needs /proc.
    }
    const Repository repo;
    return Call(Shell(absl::StrCat(GetParam().prefix, " true")), repo.path())
               .end == Exited(0);
  }
  static std::string Inner(const std::string& arguments) {
    return absl::StrCat(GetParam().prefix, " \"$O8LOCK\" ", arguments);
  }
};

constexpr Way kWays[] = {
    {"Plain", ""},
    {"CleanEnvironment", "env -i"},
    {"FilteredEnvironment", "env -u O8LOCK_RUN"},
    {"StrangeEnvironment", "env O8LOCK_RUN=0123456789abcdef0123456789abcdef"},
    {"NewSession", "env -i setsid -w"},
    {"AnotherNamesRun", "env -i \"$O8LOCK\" --name other -- env -i"},
    {"AnotherDirectory", "env -i --chdir=/"},
    // The ancestors are invisible there, but the inherited descriptor tells.
    {"NewPidNamespace", "env -i unshare --pid --fork --mount-proc"},
    // LeakSanitizer must find its own process in /proc, so it is off.
    {"NewPidNamespaceOldProc",
     "env -i ASAN_OPTIONS=detect_leaks=0 unshare --pid --fork"},
    {"NoProc",
     "env -i unshare --mount sh -c 'umount -l /proc && exec \"$0\" \"$@\"'"},
};

std::string NameOfWay(const testing::TestParamInfo<Way>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(, InsideTest, testing::ValuesIn(kWays), NameOfWay);

TEST_P(InsideTest, AStartGoesOnAtOnce) {
  if (!IsThere()) GTEST_SKIP() << "not here: " << GetParam().prefix;
  const Repository repo;
  for (const char* options : {"", "--wait", "--wait=10s"}) {
    SCOPED_TRACE(options);
    const Result run =
        Call(Locked({}, Inner(absl::StrCat(options, " --lock-file ",
                                           repo.LockFile(), " -- echo ran"))),
             repo.path());
    EXPECT_EQ(run.end, Exited(0));
    EXPECT_EQ(run.out, "ran\n");
    EXPECT_EQ(run.err, "");
    EXPECT_FALSE(Exists(repo.LockFile()));
  }
}

TEST_P(InsideTest, StatusIsItsOwn) {
  if (!IsThere()) GTEST_SKIP() << "not here: " << GetParam().prefix;
  const Repository repo;
  const Result run = Call(
      Locked({},
             Inner(absl::StrCat("--lock-file ", repo.LockFile(), " status"))),
      repo.path());
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_THAT(run.out, StartsWith("held (PID: "));
  EXPECT_THAT(run.out, HasSubstr(") by this run\n"));
}

TEST_P(InsideTest, AnAddIsItsOwn) {
  if (!IsThere()) GTEST_SKIP() << "not here: " << GetParam().prefix;
  const HookedRepository repo;
  repo.Install();
  ProcessOptions options = In(repo.path());
  const Result run =
      Call(Locked({}, absl::StrCat(GetParam().prefix, " git -C ", repo.path(),
                                   " worktree add -q ", repo.Tree("w"))),
           options);
  EXPECT_EQ(run.end, Exited(0)) << run.err;
  EXPECT_TRUE(Exists(repo.Tree("w")));
}

// --- Processes from outside the run ---

TEST(StrangerTest, IsWhoeverWasNotStartedByTheRun) {
  const Repository repo;
  Guarded run(repo.path());
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
  EXPECT_EQ(Call(O8lock({"status"}), repo.path()).end, Exited(75));
  EXPECT_EQ(run.Finish(), Exited(0));
}

// The daemon inherited the guard's descriptor from the earlier run.
TEST(StrangerTest, IsADaemonOfAnEarlierRun) {
  const Repository repo;
  MakeFile(repo.File("daemon"),
           "#!/bin/sh\nread line < \"$1\"\nenv -i \"$O8LOCK\" -q -- true\n"
           "echo \"$?\" > \"$1.code\"\n",
           0755);
  const std::string fifo = repo.File("fifo");
  ASSERT_EQ(Call(Shell(absl::StrCat("mkfifo ", fifo)), repo.path()).end,
            Exited(0));
  // In a session of its own the daemon is not a surviving process.
  Process earlier(
      Locked({}, absl::StrCat("setsid ./daemon ", fifo, " >/dev/null 2>&1 &")),
      In(repo.path()));
  ASSERT_EQ(earlier.Wait(), Exited(0));
  Guarded run(repo.path());
  LetGoOn(fifo);
  WaitUntil("the daemon's start has ended", [&] {
    return Exists(fifo + ".code") && !Contents(fifo + ".code").empty();
  });
  EXPECT_EQ(Contents(fifo + ".code"), "75\n");
  EXPECT_EQ(run.Finish(), Exited(0));
}

// --- A variable set twice ---

TEST(DuplicateTest, AnyOfTheVariablesTells) {
  const Repository repo;
  const std::string script =
      absl::StrCat("echo \"token $O8LOCK_RUN.\"; ", Guarded::kScript);
  Guarded run({Binary(), "--", "sh", "-c", script}, In(repo.path()));
  const std::string out = run.process().out();
  const size_t begin = out.find("token ") + 6;
  const std::string token = out.substr(begin, out.find('.') - begin);
  const std::string mine = "O8LOCK_RUN=" + token;
  const std::string other = "O8LOCK_RUN=0123456789abcdef0123456789abcdef";
  const std::string binary = Binary();
  for (const bool first : {true, false}) {
    const pid_t child = fork();
    if (child == 0) {
      const char* const argv[] = {binary.c_str(), "-q", "--", "true", nullptr};
      const char* const env[] = {"PATH=/usr/bin:/bin",
                                 first ? mine.c_str() : other.c_str(),
                                 first ? other.c_str() : mine.c_str(), nullptr};
      if (chdir(repo.path().c_str()) != 0) _exit(126);
      execve(argv[0], const_cast<char* const*>(argv),
             const_cast<char* const*>(env));
      _exit(127);
    }
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << first;
  }
  EXPECT_EQ(run.Finish(), Exited(0));
}

// --- An orchestr8 inside an orchestr8 ---

class SecondOrchestr8Test : public ::testing::Test {
 protected:
  SecondOrchestr8Test() : options_(In(repo_.path())) {
    options_.env["PATH"] = absl::StrCat(repo_.File("bin"), ":/usr/bin:/bin");
    std::filesystem::create_directories(repo_.File("bin"));
    std::filesystem::create_directories(repo_.File("real"));
    const std::string script =
        "#!/bin/sh\necho \"ran $*\"\nagent=$AGENT\nunset AGENT\n"
        "eval \"$agent\"\n";
    MakeFile(repo_.File("real/orchestr8"), script, 0755);
    MakeInPath(script);
  }
  void MakeInPath(const std::string& script) const {
    MakeFile(repo_.File("bin/orchestr8"), script, 0755);
  }
  Result Run(const std::string& agent) {
    options_.env["AGENT"] = agent;
    return Call(O8lock({"--", "orchestr8", "parallel", "feat-a"}), options_);
  }

  const Repository repo_;
  ProcessOptions options_;
};

TEST_F(SecondOrchestr8Test, IsRefusedAsByAStranger) {
  for (const char* how :
       {"\"$O8LOCK\" -- ", "env -i PATH=\"$PATH\" \"$O8LOCK\" -- ",
        "setsid -w \"$O8LOCK\" --wait -- ", "\"$O8LOCK\" --wait=10m -- "}) {
    SCOPED_TRACE(how);
    const Result run =
        Run(absl::StrCat(how, "orchestr8 parallel feat-b; echo \"code $?\""));
    EXPECT_EQ(run.end, Exited(0));
    EXPECT_EQ(run.out, "ran parallel feat-a\ncode 75\n");
    EXPECT_THAT(run.err,
                AllOf(StartsWith("Error: Another parallel execution is in "
                                 "progress (PID: "),
                      HasSubstr("\n  • Wait for it to complete\n"),
                      HasSubstr("\no8lock: hint: do not wait: PID ")));
    ExpectNothingLeft(repo_);
  }
}

TEST_F(SecondOrchestr8Test, MayOverrideTheRunAroundIt) {
  const Result run =
      Run("\"$O8LOCK\" -- orchestr8 parallel feat-b --force --yes; "
          "echo \"code $?\"");
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.out,
            "ran parallel feat-a\nran parallel feat-b --force --yes\ncode 0\n");
  EXPECT_THAT(run.err,
              AllOf(HasSubstr("\nWarning: Overriding existing lock (PID: "),
                    HasSubstr("\no8lock: warning: this run's lock was "
                              "overridden at ")));
  ExpectNothingLeft(repo_);
}

TEST_F(SecondOrchestr8Test, MayBeChecked) {
  const Result run =
      Run("\"$O8LOCK\" -- orchestr8 parallel status; "
          "\"$O8LOCK\" -- echo other; echo \"code $?\"");
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.out,
            "ran parallel feat-a\nran parallel status\nother\ncode 0\n");
}

TEST_F(SecondOrchestr8Test, IsTheSameBehindAShim) {
  for (const char* shim :
       {"#!/bin/sh\nexec \"$O8LOCK\" -- $REAL/orchestr8 \"$@\"\n",
        "#!/bin/sh\n\"$O8LOCK\" -- $REAL/orchestr8 \"$@\"\n"
        "code=$?\nexit $code\n",
        "#!/bin/sh\nexec env -i PATH=\"$PATH\" \"$O8LOCK\" -- $REAL/orchestr8 "
        "\"$@\"\n"}) {
    SCOPED_TRACE(shim);
    options_.env["REAL"] = repo_.File("real");
    MakeInPath(shim);
    const Result run = Run(":");
    EXPECT_EQ(run.end, Exited(0));
    EXPECT_EQ(run.out, "ran parallel feat-a\n");
    EXPECT_EQ(run.err, "");
    ExpectNothingLeft(repo_);
  }
}

}  // namespace
}  // namespace o8lock
