// SPDX-License-Identifier: Apache-2.0
//
// The output of `o8lock doctor` for healthy and for broken repositories.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <regex>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/cli/orchestr8_testing.h"
#include "tools/e2e/hooked_project.h"
#include "tools/e2e/json_schema.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kSick = 71;

// Expects the golden text `name`, filled in with `values`, as the output of
// `doctor`.
void ExpectSaid(const Result& doctor, const std::string& name, Values values,
                int exit_code = 0) {
  const std::string git = Git("/", {"version"});
  values["GIT"] = std::string(
      absl::StripSuffix(absl::StripPrefix(git, "git version "), "\n"));
  values["VERSION"] = absl::StrReplaceAll(Call(O8lock({"--version"}), "/").out,
                                          {{"o8lock ", ""}, {"\n", ""}});
  values["PROGRAM"] = std::filesystem::canonical(Binary());
  EXPECT_EQ(doctor.end, Exited(exit_code));
  EXPECT_EQ(doctor.err, "");
  // The name of a probe depends on the process, the file system on the machine.
  const std::string out =
      std::regex_replace(doctor.out, std::regex("probe\\.[0-9]+"), "probe.{N}");
  EXPECT_EQ(std::regex_replace(
                out, std::regex(" \\([a-z0-9]+\\): (locks|cannot open)"),
                " ({KIND}): $1"),
            Golden(name, values));
}

Result Doctor(const Repository& repo, Argv options = {}) {
  options.emplace_back("doctor");
  return Call(O8lock(options), repo.path());
}

// Makes the file `path` two hours and a half old. Creates an empty one if there
// is nothing at `path`.
void MakeOld(const std::string& path) {
  if (!Exists(path)) MakeFile(path, "");
  const time_t then = time(nullptr) - 9000;
  const struct timespec times[] = {{then, 0}, {then, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

// A repository with the hooks installed and one run completed.
class ReadyRepository : public Repository {
 public:
  ReadyRepository() {
    std::filesystem::create_directories(File(".claude"));
    EXPECT_EQ(Call(O8lock({"hooks", "install"}), path()).end, Exited(0));
    EXPECT_EQ(Call(O8lock({"--", "true"}), path()).end, Exited(0));
  }
  std::string Program() const { return File(".git/o8lock/bin/o8lock"); }
};

TEST(DoctorTest, BeforeTheFirstRun) {
  const Repository repo;
  ExpectSaid(Doctor(repo), "doctor_fresh", ValuesOf(repo));
  EXPECT_EQ(repo.Changes(), "");
}

TEST(DoctorTest, TheSameFromEverywhereAndWhateverGitsVariablesSay) {
  const ReadyRepository repo;
  ExpectSaid(Doctor(repo), "doctor_ready", ValuesOf(repo));
  const TempDir beside;
  Git(repo.path(), {"worktree", "add", "--quiet", beside.File("linked")});
  std::filesystem::create_directories(repo.File("sub"));
  for (const std::string& directory :
       {repo.File("sub"), beside.File("linked")}) {
    SCOPED_TRACE(directory);
    ExpectSaid(Call(O8lock({"doctor"}), directory), "doctor_ready",
               ValuesOf(repo));
  }
  ExpectSaid(
      Call(O8lock({"--lock-file", repo.LockFile(), "doctor"}), beside.path()),
      "doctor_ready", ValuesOf(repo));
  ProcessOptions options = In(repo.path());
  for (const char* variable : {"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR",
                               "GIT_INDEX_FILE", "GIT_CONFIG"}) {
    options.env[variable] = beside.path();
  }
  options.unset_env.clear();
  ExpectSaid(Call(O8lock({"doctor"}), options), "doctor_ready", ValuesOf(repo));
}

TEST(DoctorTest, ARunHasTheLock) {
  const ReadyRepository repo;
  Guarded run(repo.path());
  ExpectSaid(Doctor(repo), "doctor_held", ValuesOf(repo));
  EXPECT_EQ(run.Finish(), Exited(0));
  ExpectSaid(Doctor(repo), "doctor_ready", ValuesOf(repo));
}

TEST(DoctorTest, SomethingElseIsInAFilesPlace) {
  const Repository repo;
  std::filesystem::create_directories(repo.Guard());
  std::filesystem::create_directories(repo.File(".claude"));
  std::filesystem::create_symlink("elsewhere", repo.LockFile());
  ASSERT_EQ(mkfifo(repo.File(".claude/murm.lock").c_str(), 0666), 0);
  ExpectSaid(Doctor(repo), "doctor_other_kinds", ValuesOf(repo), kSick);
}

TEST(DoctorTest, TheLockFileIsNone) {
  const Repository repo;
  repo.MakeLockFile("no JSON");
  ExpectSaid(Doctor(repo), "doctor_malformed", ValuesOf(repo));
}

TEST(DoctorTest, FilesThatGitTracksOrShows) {
  const Repository repo;
  repo.MakeLockFile("");
  MakeFile(repo.File(".claude/murm.lock"), "");
  MakeFile(repo.File(".claude/implement-queue.json"), "{}");
  Git(repo.path(), {"add", ".claude"});
  ASSERT_EQ(unlink(repo.LockFile().c_str()), 0);
  ASSERT_EQ(unlink(repo.File(".claude/murm.lock").c_str()), 0);
  MakeFile(repo.File(".claude/parallel-queue.json"), "{}");
  MakeFile(repo.File(".claude/murm-queue.json"), "{}");
  MakeFile(repo.File(".claude/pipeline-history.json"), "[]");
  ExpectSaid(Doctor(repo), "doctor_git_files", ValuesOf(repo));
  // Does as the hints say.
  Git(repo.path(), {"rm", "--quiet", "--cached", ".claude/parallel.lock",
                    ".claude/murm.lock", ".claude/implement-queue.json"});
  MakeFile(repo.File(".gitignore"),
           "/.claude/parallel-queue.json\n/.claude/murm-queue.json\n"
           "/.claude/implement-queue.json\n/.claude/pipeline-history.json\n");
  ExpectSaid(Doctor(repo), "doctor_git_files_mended", ValuesOf(repo));
}

TEST(DoctorTest, ALockFileThatIsNotIgnored) {
  const Repository repo;
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo.path()).end, Exited(0));
  MakeFile(repo.File(".gitignore"), "*.lock\n!/.claude/*.lock\n");
  std::filesystem::create_directories(repo.File(".claude"));
  MakeFile(repo.File(".claude/murm.lock"), "{\"pid\": 1}");
  ExpectSaid(Doctor(repo), "doctor_unignored", ValuesOf(repo));
}

TEST(DoctorTest, ALockFileBeyondALink) {
  const Repository repo;
  const TempDir elsewhere;
  std::filesystem::create_directory_symlink(elsewhere.path(),
                                            repo.File(".claude"));
  MakeFile(repo.File(".claude/murm-queue.json"), "{}");
  Values values = ValuesOf(repo);
  values["ELSEWHERE"] = elsewhere.path();
  ExpectSaid(Doctor(repo), "doctor_link", values);
}

TEST(DoctorTest, HooksThatGitPassesBy) {
  const ReadyRepository repo;
  const std::string setting =
      GitHasConfigHooks() ? "hook.o8lock.enabled" : "core.hooksPath";
  Values values = ValuesOf(repo);
  values["SETTING"] = setting;
  Git(repo.path(), {"config", "extensions.worktreeConfig", "true"});
  Git(repo.path(), {"config", "--worktree", setting, "no"});
  ExpectSaid(Doctor(repo), "doctor_hooks_bypassed", values, kSick);
  Git(repo.path(), {"config", "--worktree", "--unset", setting});
  ExpectSaid(Doctor(repo), "doctor_ready", ValuesOf(repo));
}

TEST(DoctorTest, HooksOfAnotherProgramOrOfNone) {
  const ReadyRepository repo;
  MakeFile(repo.Program(), "#!/bin/sh\necho o8lock 0.0.9\n", 0755);
  ExpectSaid(Doctor(repo), "doctor_hooks_version", ValuesOf(repo));
  ASSERT_EQ(unlink(repo.Program().c_str()), 0);
  ExpectSaid(Doctor(repo), "doctor_hooks_gone", ValuesOf(repo), kSick);
  EXPECT_EQ(Call(O8lock({"hooks", "install"}), repo.path()).end, Exited(0));
  ExpectSaid(Doctor(repo), "doctor_ready", ValuesOf(repo));
}

TEST(DoctorTest, HooksWithoutPostCheckout) {
  if (GitHasConfigHooks()) GTEST_SKIP() << "it is a setting with this git";
  const ReadyRepository repo;
  ASSERT_EQ(unlink(repo.File(".git/hooks/post-checkout").c_str()), 0);
  ExpectSaid(Doctor(repo), "doctor_hooks_post-checkout", ValuesOf(repo));
}

TEST(DoctorTest, StaleLocksOfGit) {
  const Repository repo;
  const TempDir beside;
  Git(repo.path(), {"worktree", "add", "--quiet", beside.File("linked")});
  for (const char* name : {"config.lock", "HEAD.lock", "packed-refs.lock",
                           "worktrees/linked/index.lock"}) {
    MakeOld(repo.File(absl::StrCat(".git/", name)));
  }
  MakeFile(repo.File(".git/index.lock"), "");  // too young to be reported
  ExpectSaid(Doctor(repo), "doctor_git_locks", ValuesOf(repo));
}

TEST(DoctorTest, AnOldLockThatIsOpen) {
  const Repository repo;
  MakeOld(repo.File(".git/index.lock"));
  ProcessOptions options = In(repo.path());
  options.input = ProcessOptions::Stdin::kPipe;
  Process process(Shell("exec 9<.git/index.lock; echo ready; read x"), options);
  process.WaitForOutput("ready\n");
  ExpectSaid(Doctor(repo), "doctor_fresh", ValuesOf(repo));
  process.Write("go\n");
  EXPECT_EQ(process.Wait(), Exited(0));
  ExpectSaid(Doctor(repo), "doctor_git_lock", ValuesOf(repo));
}

TEST(DoctorTest, AnOldLockOfACommandThatRuns) {
  const Repository repo;
  MakeFile(repo.File(".gitignore"), "changed\n");
  ProcessOptions options = In(repo.path());
  options.input = ProcessOptions::Stdin::kPipe;
  // The editor's standard streams are git's, and so lead to this test.
  options.env["GIT_EDITOR"] = "echo ready; read x; echo message >";
  Process commit({"git", "commit", "--quiet", "--all"}, options);
  commit.WaitForOutput("ready\n");
  MakeOld(repo.File(".git/index.lock"));
  ExpectSaid(Doctor(repo), "doctor_git_running", ValuesOf(repo, commit.pid()));
  commit.Write("go\n");
  EXPECT_EQ(commit.Wait(), Exited(0)) << commit.err();
  ExpectSaid(Doctor(repo), "doctor_fresh", ValuesOf(repo));
}

TEST(DoctorTest, WithoutGit) {
  const ReadyRepository repo;
  ProcessOptions options = In(repo.path());
  options.env["PATH"] = repo.path();
  ExpectSaid(Call(O8lock({"doctor"}), options), "doctor_no_git",
             ValuesOf(repo));
}

TEST(DoctorTest, ARepositoryThatGitRefuses) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const Repository repo;
  ASSERT_EQ(RunToEnd({"chown", "65534", repo.path(), repo.File(".git")}),
            Exited(0));
  ExpectSaid(Doctor(repo), "doctor_refused", ValuesOf(repo));
}

TEST(DoctorTest, WithoutProc) {
  if (IsSanitized()) {
    GTEST_SKIP() << "the sanitizer itself does not work without /proc";
  }
  if (!(RunToEnd({"unshare", "-m", "true"}) == Exited(0))) {
    GTEST_SKIP() << "needs a mount namespace";
  }
  const Repository repo;
  ExpectSaid(Call({"unshare", "-m", "sh", "-c",
                   "mount -t tmpfs o8lock /proc && exec \"$O8LOCK\" doctor"},
                  repo.path()),
             "doctor_no_proc", ValuesOf(repo));
}

TEST(DoctorTest, OutsideARepository) {
  const TempDir dir;
  ExpectSaid(Call(O8lock({"doctor"}), dir.path()), "doctor_outside",
             {{"DIR", dir.path()}});
}

TEST(DoctorTest, ABareRepository) {
  const TempDir dir;
  Git(dir.path(), {"init", "--quiet", "--bare"});
  MakeOld(dir.File("packed-refs.lock"));
  ExpectSaid(Call(O8lock({"doctor"}), dir.path()), "doctor_bare",
             {{"DIR", dir.path()}});
}

TEST(DoctorTest, ASubmodule) {
  const Repository repo;
  const Repository sub;
  Git(repo.path(), {"-c", "protocol.file.allow=always", "submodule", "--quiet",
                    "add", sub.path(), "sub"});
  MakeOld(repo.File(".git/index.lock"));  // the other repository's
  MakeOld(repo.File(".git/modules/sub/index.lock"));
  ExpectSaid(Call(O8lock({"doctor"}), repo.File("sub")), "doctor_submodule",
             ValuesOf(repo));
}

TEST(DoctorTest, AnotherLockOfTheRepository) {
  const ReadyRepository repo;
  MakeFile(repo.File(".claude/parallel-queue.json"), "{}");
  ExpectSaid(Doctor(repo, {"--name", "deploy"}), "doctor_name", ValuesOf(repo));
}

TEST(DoctorTest, ALockFileOfOnesOwn) {
  const Repository repo;
  MakeOld(repo.File(".git/index.lock"));
  const Argv options = {"--lock-file", "[x].lock"};
  ExpectSaid(Doctor(repo, options), "doctor_lock_file", ValuesOf(repo));
  ASSERT_EQ(unlink(repo.File(".git/index.lock").c_str()), 0);
  MakeFile(repo.File("x.lock"), "");  // matches [x].lock as a pattern
  Git(repo.path(), {"add", "x.lock"});
  ExpectSaid(Doctor(repo, options), "doctor_lock_file", ValuesOf(repo));
  MakeFile(repo.File("[x].lock"), "");
  Git(repo.path(), {"add", "."});
  ASSERT_EQ(unlink(repo.File("[x].lock").c_str()), 0);
  ExpectSaid(Doctor(repo, options), "doctor_lock_file_tracked", ValuesOf(repo));
}

TEST(DoctorTest, NoDirectoryForALockFileOfOnesOwn) {
  const TempDir dir;
  const Argv argv = O8lock({"--lock-file", "sub/x.lock", "doctor"});
  const Values values = {{"DIR", dir.path()}};
  ExpectSaid(Call(argv, dir.path()), "doctor_no_directory", values, kSick);
  std::filesystem::create_directories(dir.File("sub"));
  ExpectSaid(Call(argv, dir.path()), "doctor_directory", values);
}

TEST(DoctorTest, TheOrchestr8OfPath) {
  const std::pair<const char*, const char*> cases[] = {
      {"prelock", "keeps no lock file, so o8lock writes one"},
      {"v3", "keeps its own lock file, so o8lock does not write one"},
      {"v4", "keeps its own lock file, so o8lock does not write one"},
  };
  for (const auto& [version, text] : cases) {
    const Repository repo;
    const TempDir bin;
    InstallOrchestr8(bin.path(), version);
    MakeFile(bin.File("bin/murmur8"),
             "#!/bin/sh\nexec asdf exec murmur8 \"$@\"\n", 0755);
    ProcessOptions options = In(repo.path());
    options.env["PATH"] = absl::StrCat(bin.File("bin"), ":", getenv("PATH"));
    Values values = ValuesOf(repo);
    values["BIN"] = bin.path();
    values["ORCHESTR8"] = text;
    values["REACH"] =
        version == std::string("prelock")
            ? bin.File("bin/murmur8") + " may keep its own lock file"
            : bin.File("bin/orchestr8") + " keeps its own lock file";
    ExpectSaid(Call(O8lock({"doctor"}), options), "doctor_orchestr8", values);
  }
}

TEST(DoctorTest, OfAFirstRunOfOrchestr8NamesAllItsFilesInOneBlock) {
  const Repository repo;
  AddOrchestr8(repo.path(), "v4");
  const std::string said = Doctor(repo).out;
  const std::string block =
      "      add to .gitignore, and commit:\n"
      "      /.claude/parallel-queue.json\n      /.claude/murm-queue.json\n"
      "      /.claude/implement-queue.json\n"
      "      /.claude/pipeline-history.json\n";
  EXPECT_THAT(said, HasSubstr(block));
  MakeFile(repo.File(".gitignore"),
           "/.claude/parallel-queue.json\n/.claude/murm-queue.json\n"
           "/.claude/implement-queue.json\n/.claude/pipeline-history.json\n");
  EXPECT_THAT(Doctor(repo).out, Not(HasSubstr(".gitignore")));
}

TEST(DoctorTest, SaysWhyTheLockFileIsNotWritten) {
  const Repository repo;
  Git(repo.path(), {"config", "o8lock.publish", "never"});
  EXPECT_THAT(
      Doctor(repo).out,
      EndsWith(
          "ok    lock file: not written: o8lock.publish=never\n"
          "      the lock still works; runs without o8lock do not see it\n"));
  Git(repo.path(), {"config", "o8lock.publish", "nver"});
  const Result doctor = Doctor(repo);
  EXPECT_EQ(doctor.end, Exited(kSick));
  EXPECT_THAT(doctor.out,
              EndsWith("fail  lock file: the setting o8lock.publish must be "
                       "'auto', 'always' or 'never', not 'nver'\n"
                       "      correct it: git config o8lock.publish auto\n"));
}

TEST(DoctorTest, InARepositoryWithALongPathAndAColon) {
  const TempDir temp;
  const std::string repo =
      temp.File(absl::StrCat("colon:", std::string(100, 'x')));
  Git("/", {"init", "--quiet", repo});
  Git(repo, {"commit", "--quiet", "--allow-empty", "-m", "one"});
  Git(repo, {"worktree", "add", "--quiet", temp.File("linked")});
  EXPECT_EQ(Call(O8lock({"doctor"}), temp.File("linked")).end, Exited(0));
  MakeFile(repo + "/.git/info/exclude", "*.lock\n!parallel.lock\n");
  EXPECT_THAT(
      Call(O8lock({"doctor"}), repo).out,
      HasSubstr(absl::StrCat(
          "warn  git: .claude/parallel.lock is shown as a change during runs, "
          "because of ",
          repo, "/.git/info/exclude:2:!parallel.lock\n")));
}

TEST(DoctorTest, SaysTheSameToPrograms) {
  const Repository repo;
  MakeFile(repo.File(".claude"), "");
  MakeFile(repo.File("orchestr8"), "#!/bin/sh\n", 0755);
  ProcessOptions options = In(repo.path());
  options.env["PATH"] = absl::StrCat(repo.path(), ":", getenv("PATH"));
  const Result text = Call(O8lock({"doctor"}), options);
  const Result json = Call(O8lock({"doctor", "--json"}), options);
  EXPECT_EQ(text.end, Exited(kSick));
  EXPECT_EQ(json.end, Exited(kSick));
  EXPECT_EQ(SchemaViolation(json.out, "testdata/doctor.schema.json"), "");
  EXPECT_NE(
      SchemaViolation(absl::StrReplaceAll(json.out, {{"\"fail\"", "\"bad\""}}),
                      "testdata/doctor.schema.json"),
      "");
  for (const char* part :
       {"{\n  \"schemaVersion\": 1,\n  \"findings\": [\n",
        "      \"level\": \"ok\",\n      \"subject\": \"guard\",\n",
        "      \"hint\": null\n",
        "      \"hint\": \"add to .gitignore, and commit:\\n"
        "/.claude/parallel-queue.json\\n"}) {
    EXPECT_THAT(json.out, HasSubstr(part));
  }
}

TEST(DoctorTest, TheOrchestr8OfTheProject) {
  const Repository repo;
  const auto said = [&repo](const Argv& options) {
    Argv argv = O8lock(options);
    argv.emplace_back("doctor");
    const std::string out = Call(argv, repo.path()).out;
    return std::count(out.begin(), out.end(), '\n') == 0
               ? out
               : out.substr(out.rfind('\n', out.size() - 2) + 1);
  };
  const std::string without = said({});
  AddOrchestr8(repo.path(), "prelock");
  EXPECT_EQ(said({}), without);
  AddOrchestr8(repo.path(), "v4");
  EXPECT_EQ(said({}),
            absl::StrCat("ok    lock file: not written for commands that may "
                         "start orchestr8 (npm run, make, a shell): ",
                         repo.File("node_modules/murmur8"),
                         " keeps its own lock file\n"));
  // orchestr8 does not look for a lock with another name.
  EXPECT_EQ(said({"--name", "deploy"}).find("not written"), std::string::npos);
}

}  // namespace
}  // namespace o8lock
