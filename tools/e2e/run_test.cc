// SPDX-License-Identifier: Apache-2.0
//
// The whole program as the specification describes it: the first run, the
// refused second one, status, runs inside runs, orchestr8.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/cli/orchestr8_testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The line of `message` beginning with `label`, without the label.
std::string LineAfter(const std::string& message, const std::string& label) {
  const size_t begin = message.find(label);
  EXPECT_NE(begin, std::string::npos) << label << " is not in " << message;
  if (begin == std::string::npos) return "";
  const size_t text = begin + label.size();
  return message.substr(text, message.find('\n', text) - text);
}

// --- The first run ---

TEST(FirstRunTest, WritesTheLockFileToTheByte) {
  const Repository repo;
  Guarded run(repo.path(), {"--feature", "feat-a", "--feature", "feat-b",
                            "--max-concurrency", "2"});
  Values values = ValuesOf(repo, run.pid());
  values["MAX"] = "2";
  EXPECT_EQ(Normal(Contents(repo.LockFile())), Golden("lock_file", values));
  EXPECT_EQ(run.Finish(), Exited(0));
  ExpectNothingLeft(repo);
}

TEST(FirstRunTest, SaysNothing) {
  const Repository repo;
  const Result run =
      Call(O8lock({"--", "sh", "-c", "echo out; echo err >&2"}), repo.path());
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.out, "out\n");
  EXPECT_EQ(run.err, "err\n");
}

TEST(FirstRunTest, VerboseTellsWhenTheLockIsTakenAndReleased) {
  const Repository repo;
  Process run(O8lock({"-v", "--", "true"}), In(repo.path()));
  EXPECT_EQ(run.Wait(), Exited(0));
  EXPECT_EQ(Normal(run.err()), Golden("verbose", ValuesOf(repo, run.pid())));
}

TEST(FirstRunTest, EndsAsTheCommandEndsAndRemovesTheLockFile) {
  const Repository repo;
  struct Case {
    std::string script;
    End end;
  };
  std::vector<Case> cases;
  for (const int code : {0, 1, 64, 71, 73, 75, 126, 127, 128, 130, 255}) {
    cases.push_back({absl::StrCat("exit ", code), Exited(code)});
  }
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGKILL, SIGSEGV}) {
    cases.push_back({absl::StrCat("kill -", signal, " $$"), Killed(signal)});
  }
  for (const Case& test : cases) {
    SCOPED_TRACE(test.script);
    const Result run = Call(
        Locked({}, absl::StrCat("test -e .claude/parallel.lock && echo there; ",
                                test.script)),
        repo.path());
    EXPECT_EQ(run.end, test.end);
    EXPECT_EQ(run.out, "there\n");
    EXPECT_EQ(run.err, "");
    EXPECT_FALSE(Exists(repo.LockFile()));
  }
  ExpectNothingLeft(repo);
}

TEST(FirstRunTest, PassesATermSignalOnAndRemovesTheLockFile) {
  const Repository repo;
  Guarded run(repo.path());
  run.process().Signal(SIGTERM);
  EXPECT_EQ(run.process().Wait(), Killed(SIGTERM));
  WaitForEnd(run.command_pid());
  ExpectNothingLeft(repo);
}

TEST(FirstRunTest, LockFileHasMode0644LessTheUmask) {
  const Repository repo;
  struct Case {
    const char* umask;
    mode_t mode;
  };
  for (const Case& test :
       {Case{"022", 0644}, {"0", 0644}, {"027", 0640}, {"077", 0600}}) {
    SCOPED_TRACE(test.umask);
    const Result run =
        Call(Shell(absl::StrCat(
                 "umask ", test.umask,
                 "; \"$O8LOCK\" -- stat -c %a .claude/parallel.lock")),
             repo.path());
    EXPECT_EQ(run.end, Exited(0)) << run.err;
    EXPECT_EQ(run.out, absl::StrFormat("%o\n", test.mode));
  }
}

TEST(FirstRunTest, LeavesTheDirectoryOnlyIfItWasThereOrIsUsed) {
  const Repository repo;
  EXPECT_EQ(Call(Locked({}, "test -d .claude"), repo.path()).end, Exited(0));
  EXPECT_FALSE(Exists(repo.File(".claude")));
  EXPECT_EQ(Call(Locked({}, "echo x > .claude/settings"), repo.path()).end,
            Exited(0));
  EXPECT_THAT(Names(repo.File(".claude")), ElementsAre("settings"));
  std::filesystem::remove(repo.File(".claude/settings"));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(0));
  EXPECT_TRUE(Exists(repo.File(".claude")));
}

TEST(FirstRunTest, TheTreeStaysClean) {
  const Repository repo;
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(repo.Changes(), "");
    Guarded run(repo.path());
    EXPECT_TRUE(Exists(repo.LockFile()));
    EXPECT_EQ(repo.Changes(), "");
    EXPECT_EQ(run.Finish(), Exited(0));
  }
  EXPECT_EQ(repo.Changes(), "");
  const std::string exclude =
      absl::StrCat("\n", Contents(repo.File(".git/info/exclude")));
  EXPECT_EQ(Count(exclude, "\n/.claude/parallel.lock\n"), 1) << exclude;
  EXPECT_EQ(Count(exclude, "/.claude/"), 2) << exclude;
}

TEST(FirstRunTest, GitDirInTheEnvironmentDoesNotChangeTheLock) {
  const Repository repo;
  const Repository other;
  ProcessOptions options = In(repo.path());
  options.env["GIT_DIR"] = other.File(".git");
  options.unset_env.clear();
  Guarded run(Locked({}, Guarded::kScript), options);
  EXPECT_TRUE(Exists(repo.LockFile()));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
  EXPECT_EQ(Call(O8lock({"--", "true"}), other.path()).end, Exited(0));
}

TEST(FirstRunTest, PublishNeverWritesNoLockFileAndExcludesAllTheSame) {
  const Repository repo;
  Guarded run(repo.path(), {"--publish", "never"});
  EXPECT_FALSE(Exists(repo.File(".claude")));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
  EXPECT_EQ(run.Finish(), Exited(0));
  ExpectNothingLeft(repo);
}

TEST(FirstRunTest, TakesTheLockFileThatItIsGiven) {
  const TempDir dir;
  const Argv options = {"--lock-file", "my.lock"};
  {
    Guarded run(dir.path(), options);
    EXPECT_THAT(Names(dir.path()), ElementsAre(".my.lock.guard", "my.lock"));
    const Result second =
        Call(O8lock({"--lock-file", dir.File("my.lock"), "--", "true"}), "/");
    EXPECT_EQ(second.end, Exited(75));
    EXPECT_EQ(run.Finish(), Exited(0));
  }
  EXPECT_THAT(Names(dir.path()), ElementsAre(".my.lock.guard"));
  EXPECT_EQ(
      Call(O8lock({"--lock-file", "my.lock", "--", "true"}), dir.path()).end,
      Exited(0));
}

TEST(WrapperCostTest, SleepsUntilTheCommandEnds) {
  const Repository repo;
  Guarded run(repo.path());
  const std::string file = absl::StrCat("/proc/", run.pid(), "/syscall");
  // Its number, then the descriptors and their count; then a time of -1, in 32
  // or 64 bits, or for ppoll(2) a null pointer.
#ifdef SYS_poll
  const std::string calls =
      absl::StrCat(SYS_poll, " 0x[0-9a-f]+ 0x2 0x(ffffffff)?ffffffff");
#else
  const std::string calls = absl::StrCat(SYS_ppoll, " 0x[0-9a-f]+ 0x2 0x0");
#endif
  WaitUntil("poll(2) without a timeout", [&file, &calls] {
    return std::regex_search(Contents(file),
                             std::regex(absl::StrCat("^", calls, " ")));
  });
  EXPECT_EQ(run.Finish(), Exited(0));
}

// --- The second run ---

TEST(SecondRunTest, IsRefusedFromEverywhereInTheRepository) {
  const Repository repo;
  const TempDir elsewhere;
  std::filesystem::create_directories(repo.File("a/b"));
  Git(repo.path(), {"worktree", "add", "--quiet", elsewhere.File("linked")});
  Guarded run(repo.path(), {"--feature", "feat-a", "--feature", "feat-b"});
  Values values = ValuesOf(repo, run.pid());
  values["GUARD"] = repo.Guard();
  for (const std::string& directory :
       {repo.path(), repo.File("a/b"), repo.File(".git/info"),
        elsewhere.File("linked")}) {
    SCOPED_TRACE(directory);
    const Result second = Call(O8lock({"--", "make", "feat c"}), In(directory));
    EXPECT_EQ(second.end, Exited(75));
    EXPECT_EQ(second.out, "");
    EXPECT_EQ(Normal(second.err), Golden("held", values));
  }
  // The refused starts did not change the lock file.
  EXPECT_THAT(Contents(repo.LockFile()),
              HasSubstr(absl::StrCat("\"pid\": ", run.pid(), ",")));
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(run.err(), "");
  EXPECT_EQ(Call(O8lock({"--", "true"}), elsewhere.File("linked")).end,
            Exited(0));
}

TEST(SecondRunTest, IsRefusedWhenTheFirstIsInALinkedWorktree) {
  const Repository repo;
  const TempDir elsewhere;
  Git(repo.path(), {"worktree", "add", "--quiet", elsewhere.File("linked")});
  Guarded run(elsewhere.File("linked"));
  EXPECT_TRUE(Exists(repo.LockFile()));
  EXPECT_FALSE(Exists(elsewhere.File("linked/.claude")));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(75));
}

TEST(SecondRunTest, IsRefusedOutsideGit) {
  const TempDir dir;
  Guarded run(dir.path(), {"--feature", "feat-a", "--feature", "feat-b"});
  EXPECT_THAT(Names(dir.File(".claude")),
              ElementsAre(".parallel.lock.guard", "parallel.lock"));
  const Result second = Call(O8lock({"--", "make", "feat c"}), dir.path());
  EXPECT_EQ(second.end, Exited(75));
  EXPECT_EQ(
      Normal(second.err),
      Golden("held", {{"PID", absl::StrCat(run.pid())},
                      {"REPO", dir.path()},
                      {"GUARD", dir.File(".claude/.parallel.lock.guard")}}));
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(Call(O8lock({"--", "true"}), dir.path()).end, Exited(0));
  EXPECT_THAT(Names(dir.File(".claude")), ElementsAre(".parallel.lock.guard"));
}

TEST(SecondRunTest, ExitCodeAndSilenceAreTheCallersChoice) {
  const Repository repo;
  Guarded run(repo.path());
  for (const int code : {0, 9, 255}) {
    EXPECT_EQ(
        Call(O8lock({"-E", absl::StrCat(code), "--", "true"}), repo.path()).end,
        Exited(code));
  }
  const Result quiet = Call(O8lock({"-q", "--", "echo", "ran"}), repo.path());
  EXPECT_EQ(quiet.end, Exited(75));
  EXPECT_EQ(quiet.out + quiet.err, "");
}

TEST(SecondRunTest, AnotherNameIsAnotherLock) {
  const Repository repo;
  Guarded run(repo.path());
  const Result other =
      Call(O8lock({"--name", "deploy", "--", "cat", ".claude/deploy.lock"}),
           repo.path());
  EXPECT_EQ(other.end, Exited(0));
  EXPECT_EQ(other.err, "");
  EXPECT_THAT(other.out, StartsWith("{\n  \"pid\": "));
  EXPECT_THAT(Names(repo.File(".claude")), ElementsAre("parallel.lock"));
  EXPECT_EQ(repo.Changes(), "");
}

// A user can paste the command lines of the refusal.
TEST(SecondRunTest, ItsLinesCanBePasted) {
  const Repository repo;
  const std::vector<std::string> arguments = {
      "a b",   "it's",           "\"q\"",     "line\nbreak", "",
      "$HOME", "back\\slash\\n", "tab\there", "~",           "#x",
      "!1",    "\xff",           "\x1b[31m",  "ö",           "{a,b}",
      "*"};
  Argv command = {"--", "sh", "-c", "printf '%s|' \"$@\" > args", "sh"};
  std::string expected;
  for (const std::string& argument : arguments) {
    command.push_back(argument);
    absl::StrAppend(&expected, argument, "|");
  }
  const std::vector<Argv> selections = {
      {},
      {"--name", "deploy"},
      {"--lock-file", "my 'own' file.lock"},
  };
  for (const Argv& selection : selections) {
    SCOPED_TRACE(absl::StrJoin(selection, " "));
    std::filesystem::remove(repo.File("args"));
    Guarded run(repo.path(), selection);
    Argv second = selection;
    second.insert(second.end(), command.begin(), command.end());
    const Result refused = Call(O8lock(second), repo.path());
    ASSERT_EQ(refused.end, Exited(75));
    EXPECT_FALSE(Exists(repo.File("args")));

    const Result status =
        Call({"bash", "-c", LineAfter(refused.err, "  • Run: ")}, repo.path());
    EXPECT_EQ(status.end, Exited(75));
    EXPECT_THAT(status.out,
                StartsWith(absl::StrCat("held (PID: ", run.pid(), ")\n")));

    const std::string force =
        absl::StrReplaceAll(LineAfter(refused.err, "  • Force override: "),
                            {{" --force -- ", " --force --yes -- "}});
    const Result forced = Call({"bash", "-c", force}, repo.path());
    EXPECT_EQ(forced.end, Exited(0)) << force << forced.err;
    EXPECT_EQ(Contents(repo.File("args")), expected);
  }
}

// Otherwise the overriding run would differ from the requested one.
TEST(SecondRunTest, ForceLineKeepsWhatTheRunIsToBeDescribedBy) {
  const Repository repo;
  Guarded run(repo.path());
  const Result refused =
      Call(O8lock({"--feature", "feat-c", "--max-concurrency", "4", "-E", "9",
                   "--", "cat", ".claude/parallel.lock"}),
           repo.path());
  ASSERT_EQ(refused.end, Exited(9));
  const std::string force =
      absl::StrReplaceAll(LineAfter(refused.err, "  • Force override: "),
                          {{" --force -- ", " --force --yes -- "}});
  const Result forced = Call({"bash", "-c", force}, repo.path());
  EXPECT_EQ(forced.end, Exited(0)) << force << forced.err;
  EXPECT_THAT(forced.out, HasSubstr("\"features\": [\"feat-c\"]")) << force;
  EXPECT_THAT(forced.out, HasSubstr("\"maxConcurrency\": 4")) << force;
}

// A line for another start repeats all options describing the run. A line for
// the status repeats only the options selecting the lock.
TEST(SecondRunTest, ItsLinesRepeatEveryOptionThatWasGiven) {
  enum Kind { kSelects, kDescribes, kNeither };
  struct Given {
    Kind kind;
    Argv arguments;
  };
  const std::vector<Given> table = {
      {kSelects, {"--name", "deploy"}},
      {kSelects, {"--lock-file", "my 'own' file.lock"}},
      {kDescribes, {"--feature", "feat c"}},
      {kDescribes, {"--max-concurrency", "4"}},
      {kDescribes, {"--publish", "auto"}},
      {kDescribes, {"--publish", "always"}},
      {kDescribes, {"--publish", "never"}},
      {kDescribes, {"--leftovers", "release"}},
      {kDescribes, {"--leftovers", "wait"}},
      {kDescribes, {"--leftovers", "kill"}},
      {kDescribes, {"--kill-after", "1m"}},
      {kDescribes, {"--conflict-exit-code", "9"}},
      {kDescribes, {"--verbose"}},
      // These apply to this one start, in case the lock is held.
      {kNeither, {"--wait=0"}},
      {kNeither, {"--yes"}},
  };
  // The arguments of an option as the refusal shows them.
  const auto quoted = [](const Argv& arguments) {
    return absl::StrReplaceAll(
        absl::StrJoin(arguments, " "),
        {{"my 'own' file.lock", "'my '\\''own'\\'' file.lock'"},
         {"feat c", "'feat c'"}});
  };
  std::vector<std::vector<Given>> cases = {{}};
  for (const Given& given : table) cases.push_back({given});
  // All at once: the last of each option counts, and all are shown. Only one
  // option can select the lock, hence not --name.
  cases.emplace_back(table.begin() + 1, table.end());
  for (const std::vector<Given>& all : cases) {
    Argv selection;
    Argv options;
    std::string selects;
    std::string describes;
    for (const Given& given : all) {
      options.insert(options.end(), given.arguments.begin(),
                     given.arguments.end());
      if (given.kind == kSelects) {
        selection.insert(selection.end(), given.arguments.begin(),
                         given.arguments.end());
        absl::StrAppend(&selects, " ", quoted(given.arguments));
      } else if (given.kind == kDescribes) {
        absl::StrAppend(&describes, " ", quoted(given.arguments));
      }
    }
    SCOPED_TRACE(absl::StrJoin(options, " "));
    const bool has_code =
        std::find(options.begin(), options.end(), "9") != options.end();
    const Repository repo;
    Guarded run(repo.path(), selection);
    const std::string start = absl::StrCat(Binary(), selects, describes);
    for (const Argv& command :
         {Argv{"make", "a b"}, Argv{"orchestr8", "parallel", "feat-a"}}) {
      const bool forces_itself = command[0] == "orchestr8";
      const std::string line =
          forces_itself ? "orchestr8 parallel feat-a" : "make 'a b'";
      Argv second = O8lock(options);
      second.emplace_back("--");
      second.insert(second.end(), command.begin(), command.end());
      const Result refused = Call(second, repo.path());
      EXPECT_EQ(refused.end, Exited(has_code ? 9 : 75));
      EXPECT_THAT(
          refused.err,
          HasSubstr(absl::StrCat(
              "\n\nOptions:\n  • Wait for it to complete: ", start,
              " --wait=10m -- ", line, "\n  • Run: ",
              forces_itself ? std::string("orchestr8 parallel status")
                            : absl::StrCat(Binary(), selects, " status"),
              "\n  • Force override: ", start,
              forces_itself ? absl::StrCat(" -- ", line, " --force")
                            : absl::StrCat(" --force -- ", line),
              "\n\n")));
    }
    EXPECT_EQ(run.Finish(), Exited(0));
  }
  // No line repeats these: they do not belong to a run, suppress the refusal,
  // or override the lock.
  std::set<std::string> options = {"--force", "--help", "--json", "--quiet",
                                   "--version"};
  for (const Given& given : table) {
    options.insert(given.arguments[0].substr(0, given.arguments[0].find('=')));
  }
  std::set<std::string> of_help;
  const std::string help = Call(O8lock({"--help"}), "/").out;
  const std::regex option("(?:^|[\n ])(--[a-z-]+)");
  for (std::sregex_iterator it(help.begin(), help.end(), option), end;
       it != end; ++it) {
    if (it->str(1) != "--") of_help.insert(it->str(1));
  }
  EXPECT_EQ(of_help, options);
}

// --- Runs inside runs ---

TEST(ReentrancyTest, InsideTheRunTheSameLockIsNoObstacle) {
  const Repository repo;
  const Result run =
      Call(Locked({},
                  "\"$O8LOCK\" -- sh -c 'echo inner; exit 7'; "
                  "echo $?; test -e .claude/parallel.lock && echo kept"),
           repo.path());
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.out, "inner\n7\nkept\n");
  EXPECT_EQ(run.err, "");
  ExpectNothingLeft(repo);
}

// The lock is free when the last of the runs has ended.
TEST(ReentrancyTest, ARunInsideMayOutliveTheOneItIsIn) {
  const Repository repo;
  ProcessOptions options = In(repo.path());
  options.input = ProcessOptions::Stdin::kPipe;
  Process run(Locked({},
                     "exec 3<&0; \"$O8LOCK\" -- sh -c 'echo ready $$; read x "
                     "<&3' & read x; echo over"),
              options);
  const pid_t inner = ReadyPid(run);
  // Two readers share the input. Stop the inner one, so that the outer one gets
  // the line.
  kill(inner, SIGSTOP);
  WaitForState(inner, 'T');
  run.Write("\n");
  EXPECT_EQ(run.Wait(), Exited(0));
  const Result refused = Call(O8lock({"--", "true"}), repo.path());
  EXPECT_EQ(refused.end, Exited(75));
  EXPECT_THAT(refused.err,
              HasSubstr(absl::StrCat("process ", run.pid(), " has ended, ")));
  EXPECT_THAT(refused.err, HasSubstr(absl::StrCat(" ", inner, "\n")));
  kill(inner, SIGKILL);
  WaitUntil("the lock is free", [&repo] {
    return Call(O8lock({"--", "true"}), repo.path()).end == Exited(0);
  });
  ExpectNothingLeft(repo);
}

TEST(ReentrancyTest, InsideTheRunAnotherLockIsTaken) {
  const Repository repo;
  // The third and the fourth start are inside both runs.
  const Result run =
      Call(Locked({},
                  "\"$O8LOCK\" --name b -- sh -c 'ls .claude; "
                  "\"$O8LOCK\" -- echo a; \"$O8LOCK\" --name b -- echo b'"),
           repo.path());
  EXPECT_EQ(run.end, Exited(0)) << run.err;
  EXPECT_EQ(run.out, "b.lock\nparallel.lock\na\nb\n");
  EXPECT_FALSE(Exists(repo.File(".claude")));

  Guarded other(repo.path(), {"--name", "b"});
  EXPECT_EQ(Call(Locked({}, "\"$O8LOCK\" --name b -- true"), repo.path()).end,
            Exited(75));
}

TEST(ReentrancyTest, AForgedTokenOpensNothing) {
  const Repository repo;
  // The token of an ended run.
  const std::string old =
      Call(Locked({}, "printf %s \"$O8LOCK_RUN\""), repo.path()).out;
  ASSERT_FALSE(old.empty());
  Guarded run(repo.path());
  for (const std::string& token :
       {old, std::string("0123456789abcdef0123456789abcdef"), std::string(":"),
        std::string(""), std::string(100000, 'a')}) {
    SCOPED_TRACE(token.substr(0, 40));
    ProcessOptions options = In(repo.path());
    options.env["O8LOCK_RUN"] = token;
    options.unset_env.clear();
    EXPECT_EQ(Call(O8lock({"--", "true"}), options).end, Exited(75));
  }
}

// --- status ---

TEST(StatusTest, Free) {
  const Repository repo;
  const Result status = Call(O8lock({"status"}), repo.path());
  EXPECT_EQ(status.end, Exited(0));
  EXPECT_EQ(status.out, Golden("status_free", ValuesOf(repo)));
  EXPECT_EQ(status.err, "");
  // status creates nothing.
  EXPECT_FALSE(Exists(repo.File(".claude")));
  EXPECT_FALSE(Exists(repo.File(".git/o8lock")));
}

TEST(StatusTest, Held) {
  const Repository repo;
  Guarded run(repo.path(), {"--feature", "feat-a", "--feature", "feat-b"});
  const Result status = Call(O8lock({"status"}), repo.path());
  EXPECT_EQ(status.end, Exited(75));
  Values values = ValuesOf(repo, run.pid());
  values["COMMAND"] = absl::StrCat(run.command_pid());
  EXPECT_EQ(Normal(status.out), Golden("status_held", values));
  EXPECT_EQ(status.err, "");
  EXPECT_EQ(Call(O8lock({"-E", "9", "status"}), repo.path()).end, Exited(9));
  EXPECT_EQ(Call(O8lock({"--name", "b", "status"}), repo.path()).end,
            Exited(0));
}

TEST(StatusTest, HeldByTheRunThatAsks) {
  const Repository repo;
  Process run(Locked({}, "echo $$; \"$O8LOCK\" status"), In(repo.path()));
  // 75 would mean another run's lock.
  EXPECT_EQ(run.Wait(), Exited(0));
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(run.out(), absl::MaxSplits('\n', 1));
  Values values = ValuesOf(repo, run.pid());
  values["COMMAND"] = parts.first;
  EXPECT_EQ(Normal(parts.second), Golden("status_own", values));
}

TEST(StatusTest, Stale) {
  const Repository repo;
  const pid_t dead = DeadPid();
  const std::string text = ExternalLockFile(dead, "2026-02-25T10:30:00Z");
  repo.MakeLockFile(text);
  const Result status = Call(O8lock({"status"}), repo.path());
  EXPECT_EQ(status.end, Exited(0));
  EXPECT_EQ(Normal(status.out), Golden("status_stale", ValuesOf(repo, dead)));
  EXPECT_EQ(Contents(repo.LockFile()), text);  // status changes nothing
}

TEST(StatusTest, Malformed) {
  const Repository repo;
  repo.MakeLockFile("[]");
  const Result status = Call(O8lock({"status"}), repo.path());
  EXPECT_EQ(status.end, Exited(0));
  EXPECT_EQ(status.out, Golden("status_malformed", ValuesOf(repo)));
  EXPECT_EQ(Contents(repo.LockFile()), "[]");
}

TEST(StatusTest, UnknownIsRefusedAndCanBeForced) {
  const Repository repo;
  const std::string record =
      R"({"pid":1,"startedAt":"2026-02-25T10:30:00Z","features":["feat-a"],)"
      R"("command":["make","all"],"user":"ann","host":"elsewhere",)"
      R"("token":"0123456789abcdef0123456789abcdef"})";
  repo.MakeGuard(record);
  const Result status = Call(O8lock({"status"}), repo.path());
  EXPECT_EQ(status.end, Exited(75));
  EXPECT_EQ(Normal(status.out), Golden("status_unknown", ValuesOf(repo)));

  const Result refused = Call(O8lock({"--", "true"}), repo.path());
  EXPECT_EQ(refused.end, Exited(75));
  EXPECT_EQ(Normal(refused.err), Golden("unknown", ValuesOf(repo)));
  EXPECT_EQ(Contents(repo.Guard()), record);

  const Result forced =
      Call(O8lock({"--force", "--yes", "--", "echo", "ran"}), repo.path());
  EXPECT_EQ(forced.end, Exited(0));
  EXPECT_EQ(forced.out, "ran\n");
  EXPECT_THAT(forced.err,
              HasSubstr("\n\nWarning: Overriding existing lock (PID: 1)\n"));
  ExpectNothingLeft(repo);
}

// --- orchestr8 ---

// An orchestr8 without a lock file of its own.
std::string Orchestr8() {
  static const TempDir& dir = *new TempDir;
  static const std::string& program =
      *new std::string(InstallOrchestr8(dir.path(), "prelock"));
  return program;
}

// o8lock -- orchestr8 WORDS...
Argv LockedOrchestr8(const Argv& arguments) {
  Argv argv = O8lock({"--", Orchestr8()});
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

class Orchestr8Test : public ::testing::Test {
 protected:
  Repository repo_;
};

TEST_F(Orchestr8Test, WorksUnderTheLockAndIsUnaffectedByASecondStart) {
  EXPECT_EQ(repo_.Changes(), "");
  Process run(LockedOrchestr8({"parallel", "feat-a", "feat-b"}),
              AtTheGate(repo_.path()));
  run.WaitForOutput("ready\n");
  EXPECT_EQ(repo_.Changes(), "");
  Values values = ValuesOf(repo_, run.pid());
  values["MAX"] = "3";
  EXPECT_EQ(Normal(Contents(repo_.LockFile())), Golden("lock_file", values));
  EXPECT_THAT(Names(repo_.File(".claude/worktrees")),
              ElementsAre("feat-feat-a", "feat-feat-b"));

  const Result second =
      Call(LockedOrchestr8({"parallel", "feat-c"}), repo_.path());
  EXPECT_EQ(second.end, Exited(75));
  EXPECT_EQ(second.out, "");
  EXPECT_THAT(second.err,
              StartsWith(absl::StrCat("Error: Another parallel execution is in "
                                      "progress (PID: ",
                                      run.pid(), ")\nStarted at: ")));
  EXPECT_THAT(second.err, HasSubstr(absl::StrCat(
                              "  • Run: ", Orchestr8(), " parallel status\n",
                              "  • Force override: ", Binary(), " -- ",
                              Orchestr8(), " parallel feat-c --force\n\n")));

  // A read-only command does not need the lock.
  const Result status =
      Call(LockedOrchestr8({"parallel", "status"}), repo_.path());
  EXPECT_EQ(status.end, Exited(0));
  EXPECT_EQ(status.out, "No parallel pipelines active.\n");
  EXPECT_EQ(status.err, "");

  run.Write("go\n");
  EXPECT_EQ(run.Wait(), Exited(0));
  EXPECT_THAT(run.out(), HasSubstr("--- Parallel Execution Complete ---\n"));
  EXPECT_EQ(run.err(), "");
  EXPECT_EQ(repo_.Changes(), "");
  EXPECT_EQ(Contents(repo_.File("feat-a.txt")), "feat-a\n");
  EXPECT_EQ(Contents(repo_.File("feat-b.txt")), "feat-b\n");
  ExpectNothingLeft(repo_);
}

TEST_F(Orchestr8Test, MaxConcurrencyComesFromItsOptionOrItsConfiguration) {
  struct Case {
    const char* name;
    Argv arguments;      // after `orchestr8 parallel feat-a feat-b`
    const char* config;  // empty: no file
    const char* max;
  };
  const std::vector<Case> cases = {
      {"default", {}, "", "3"},
      {"configured", {}, R"({"maxConcurrency": 5})", "5"},
      {"option", {"--max-concurrency=2"}, R"({"maxConcurrency": 5})", "2"},
      {"no configuration", {}, "nonsense", "3"},
      {"no number", {}, R"({"maxConcurrency": 0})", "3"},
  };
  // The configuration must not make the tree dirty.
  MakeFile(repo_.File(".git/info/exclude"), "/.claude/parallel-config.json\n");
  std::filesystem::create_directories(repo_.File(".claude"));
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    const std::string config = repo_.File(".claude/parallel-config.json");
    std::filesystem::remove(config);
    if (*test.config != '\0') MakeFile(config, test.config);
    Argv arguments = {"parallel", "feat-a", "feat-b"};
    arguments.insert(arguments.end(), test.arguments.begin(),
                     test.arguments.end());
    Process run(LockedOrchestr8(arguments), AtTheGate(repo_.path()));
    run.WaitForOutput("ready\n");
    Values values = ValuesOf(repo_, run.pid());
    values["MAX"] = test.max;
    EXPECT_EQ(Normal(Contents(repo_.LockFile())), Golden("lock_file", values));
    run.Write("go\n");
    EXPECT_EQ(run.Wait(), Exited(0));
    Git(repo_.path(), {"reset", "--quiet", "--hard", "HEAD~2"});
  }
}

TEST_F(Orchestr8Test, AFailureRemovesTheLockFile) {
  MakeFile(repo_.File("dirt"), "");
  const Result run =
      Call(LockedOrchestr8({"parallel", "feat-a"}), repo_.path());
  EXPECT_EQ(run.end, Exited(1));
  EXPECT_EQ(run.err, "Working tree has uncommitted changes\n");
  ExpectNothingLeft(repo_);
}

TEST(OtherCommandTest, HasNoFeaturesAndRunsAlone) {
  const Repository repo;
  const Result run =
      Call(O8lock({"--", "cat", ".claude/parallel.lock"}), repo.path());
  EXPECT_THAT(run.out, HasSubstr("\n  \"features\": [],\n"
                                 "  \"maxConcurrency\": 3\n}\n"));
}

}  // namespace
}  // namespace o8lock
