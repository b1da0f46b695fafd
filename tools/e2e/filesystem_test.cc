// SPDX-License-Identifier: Apache-2.0
//
// The whole program without permission or room to write. The tests act as
// another user and mount file systems. That needs root; without it they are
// skipped.
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

std::string ErrorText(const std::string& problem, const std::string& hint) {
  return absl::StrCat("o8lock: error: ", problem, "\no8lock: hint: ", hint,
                      "\n");
}

// --- Another user's files ---

constexpr uid_t kNobody = 65534;

bool CanBecomeNobody() {
  const pid_t pid = fork();
  if (pid == 0) {
    _exit(setgid(kNobody) == 0 && setuid(kNobody) == 0 ? 0 : 1);
  }
  int status = 0;
  return waitpid(pid, &status, 0) == pid && status == 0;
}

// A command line that runs `arguments` with `umask`.
Argv WithUmask(const std::string& umask, const Argv& arguments) {
  Argv argv = Shell(absl::StrCat("umask ", umask, "; exec \"$0\" \"$@\""));
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

// Another user runs o8lock in root's repository.
class OtherUserTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!CanBecomeNobody()) GTEST_SKIP() << "needs root, to be another user";
    // Not TempDir: other users may lack access to its parents.
    std::string name =
        (std::filesystem::temp_directory_path() / "o8lock.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    ASSERT_EQ(chmod(root_.c_str(), 0755), 0);
    binary_ = root_ + "/o8lock";
    std::filesystem::copy_file(Binary(), binary_);
    repo_ = root_ + "/repo";
    std::filesystem::create_directory(repo_);
    Git(repo_, {"init", "--quiet"});
    if (!(RunToEnd({"test", "-x", binary_}, AsNobody()) == Exited(0))) {
      GTEST_SKIP() << root_ << " is closed to other users";
    }
  }
  void TearDown() override {
    if (!root_.empty()) std::filesystem::remove_all(root_);
  }

  ProcessOptions AsNobody() const {
    ProcessOptions options = In(repo_);
    options.user = kNobody;
    return options;
  }
  Result CallAsNobody(Argv arguments) const {
    arguments.insert(arguments.begin(), binary_);
    return Call(arguments, AsNobody());
  }
  // A command line for sh. It runs `command` as kNobody.
  static std::string Nobody(const std::string& command) {
    return absl::StrCat("setpriv --reuid ", kNobody, " --regid ", kNobody,
                        " --clear-groups ", command);
  }
  void Give(const std::string& name) const {
    ASSERT_EQ(chown(File(name).c_str(), kNobody, kNobody), 0) << name;
  }
  std::string File(const std::string& name) const {
    return absl::StrCat(repo_, "/", name);
  }
  // The message for an `operation` denied to the user, such as "open".
  // `in_the_way` belongs to root, like the whole repository.
  std::string Denied(const std::string& operation, const std::string& name,
                     const std::string& in_the_way) const {
    return ErrorText(
        absl::StrCat("cannot ", operation, " '", File(name),
                     "': Permission denied"),
        absl::StrCat("nothing was run; '", in_the_way,
                     "' belongs to root; if the repository is yours: "
                     "sudo chown -R ",
                     getpwuid(kNobody)->pw_name, " ", repo_));
  }
  // The same error of a verb, which would have run nothing.
  static std::string OfAVerb(const std::string& text) {
    return absl::StrReplaceAll(text, {{"nothing was run; ", ""}});
  }
  // The same as a warning of status: it shows the state all the same.
  static std::string OfStatus(const std::string& text) {
    return absl::StrReplaceAll(
        OfAVerb(text), {{"error: ", "warning: you cannot start a run here: "}});
  }
  // The same if only `in_the_way` belongs to root.
  std::string DeniedPart(const std::string& operation, const std::string& name,
                         const std::string& in_the_way,
                         const std::string& remedy) const {
    return ErrorText(absl::StrCat("cannot ", operation, " '", File(name),
                                  "': Permission denied"),
                     absl::StrCat("nothing was run; '", File(in_the_way),
                                  "' belongs to root; to share it: ", remedy));
  }

  // Kills a run of root together with its command.
  void BeKilledAsRoot(const std::string& umask) const {
    ProcessOptions options = In(repo_);
    options.input = ProcessOptions::Stdin::kPipe;
    Process run(WithUmask(umask, O8lock({"--", "sh", "-c",
                                         "echo ready $$; read line"})),
                options);
    const pid_t command = ReadyPid(run);
    run.Signal(SIGKILL);
    EXPECT_EQ(run.Wait(), Killed(SIGKILL));
    kill(command, SIGKILL);
    WaitForEnd(command);
  }

  std::string root_;
  std::string binary_;
  std::string repo_;
};

TEST_F(OtherUserTest, DoctorNamesALockFileThatCannotBeRead) {
  const std::string lock_file = File(".claude/parallel.lock");
  std::filesystem::create_directory(File(".claude"));
  MakeFile(lock_file, "{\"pid\": 1}", 0600);
  const std::string line = absl::StrCat("lock file: ", lock_file, ": ");
  const Result doctor = CallAsNobody({"doctor"});
  EXPECT_EQ(doctor.end, Exited(71));
  EXPECT_THAT(
      doctor.out,
      HasSubstr(absl::StrCat(
          "fail  ", line, "cannot open '", lock_file,
          "': Permission denied\n"
          "      no run starts until this is resolved; see: o8lock status\n")));
  ASSERT_EQ(chmod(lock_file.c_str(), 0644), 0);
  EXPECT_THAT(
      CallAsNobody({"doctor"}).out,
      HasSubstr(absl::StrCat("ok    ", line, "exists; see: o8lock status\n")));
}

TEST_F(OtherUserTest, DoctorNamesTheOwnerOfAGuardThatCannotBeRead) {
  const std::string guard = File(".git/o8lock/parallel.guard");
  std::filesystem::create_directory(File(".git/o8lock"));
  MakeFile(guard, "", 0600);
  const Result doctor = CallAsNobody({"doctor"});
  EXPECT_EQ(doctor.end, Exited(71));
  EXPECT_THAT(doctor.out,
              HasSubstr(absl::StrCat(
                  "fail  guard: cannot open '", guard,
                  "': Permission denied\n      '", guard,
                  "' belongs to root; if the repository is yours: sudo chown "
                  "-R ",
                  getpwuid(kNobody)->pw_name, " ", repo_, "\n")));
}

TEST_F(OtherUserTest, MayNotTakeTheLockOfAnotherUsersRepository) {
  const Result run = CallAsNobody({"--", "echo", "ran"});
  EXPECT_EQ(run.end, Exited(73));
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, Denied("create directory", ".git/o8lock", File(".git")));
  // Outside the repository, with a lock file of their own, the user can run.
  const std::string own_directory = root_ + "/own";
  std::filesystem::create_directory(own_directory);
  ASSERT_EQ(chown(own_directory.c_str(), kNobody, kNobody), 0);
  const Result own = CallAsNobody(
      {"--lock-file", own_directory + "/my.lock", "--", "echo", "ran"});
  EXPECT_EQ(own.end, Exited(0));
  EXPECT_EQ(own.out, "ran\n");
  EXPECT_EQ(own.err, "");
}

TEST_F(OtherUserTest, IsToldWhoHasIt) {
  Guarded run(repo_);
  for (const Argv& arguments : {Argv{"--", "echo", "ran"}, Argv{"status"}}) {
    const Result refused = CallAsNobody(arguments);
    EXPECT_EQ(refused.end, Exited(75));
    EXPECT_THAT(
        refused.out + refused.err,
        AllOf(HasSubstr(absl::StrCat("(PID: ", run.pid(), ")\n")),
              HasSubstr("\nHolder: tester@"), HasSubstr(" is running\n")));
  }
  // An override needs write access too. One error says so.
  const Result forced = CallAsNobody({"-f", "-y", "--", "echo", "ran"});
  EXPECT_EQ(forced.end, Exited(73));
  EXPECT_EQ(forced.out, "");
  EXPECT_EQ(Normal(forced.err),
            absl::StrCat(Golden("force", {{"PID", absl::StrCat(run.pid())},
                                          {"REPO", repo_}}),
                         Denied("open", ".git/o8lock/parallel.guard",
                                File(".git/o8lock/parallel.guard"))));
  EXPECT_EQ(run.Finish(), Exited(0));
  EXPECT_EQ(run.err(), "");
}

// Read access to the guard is enough to recognise the run from inside.
TEST_F(OtherUserTest, GoesOnInsideTheRun) {
  for (const char* environment : {"", "env -i "}) {
    const Result run = Call(
        Locked({}, Nobody(absl::StrCat(environment, binary_, " -- echo ran"))),
        repo_);
    EXPECT_EQ(run.end, Exited(0));
    EXPECT_EQ(run.out, "ran\n");
    EXPECT_EQ(run.err, "");
  }
  EXPECT_FALSE(Exists(File(".claude/parallel.lock")));
  EXPECT_EQ(Contents(File(".git/o8lock/parallel.guard")), "");
}

TEST_F(OtherUserTest, KeepsTheLockAfterTheRunItIsIn) {
  ProcessOptions options = In(repo_);
  options.input = ProcessOptions::Stdin::kPipe;
  Process run(
      Locked({}, absl::StrCat(
                     "exec 3<&0; ",
                     Nobody(absl::StrCat(
                         binary_, " -- sh -c 'echo ready $$; read x <&3'")),
                     "& read x; echo over")),
      options);
  const pid_t inner = ReadyPid(run);
  // Two readers share the input. Stop the inner one, so that the outer one gets
  // the line.
  kill(inner, SIGSTOP);
  WaitForState(inner, 'T');
  run.Write("\n");
  EXPECT_EQ(run.Wait(), Exited(0));
  EXPECT_EQ(Call(O8lock({"--", "true"}), repo_).end, Exited(75));
  kill(inner, SIGKILL);
  WaitUntil("the lock is free", [this] {
    return Call(O8lock({"--", "true"}), repo_).end == Exited(0);
  });
  EXPECT_EQ(Contents(File(".git/o8lock/parallel.guard")), "");
}

TEST_F(OtherUserTest, UnreadableGuard) {
  std::filesystem::create_directories(File(".git/o8lock"));
  MakeFile(File(".git/o8lock/parallel.guard"), "", 0600);
  const std::string denied = Denied("open", ".git/o8lock/parallel.guard",
                                    File(".git/o8lock/parallel.guard"));
  for (const auto& [arguments, err] : std::vector<std::pair<Argv, std::string>>{
           {{"--", "echo", "ran"}, denied}, {{"status"}, OfAVerb(denied)}}) {
    const Result run = CallAsNobody(arguments);
    EXPECT_EQ(run.end, Exited(73));
    EXPECT_EQ(run.out, "");
    EXPECT_EQ(run.err, err);
  }
}

// The lock file may name a living run.
TEST_F(OtherUserTest, UnreadableLockFileIsUnknown) {
  std::filesystem::create_directories(File(".git/o8lock"));
  Give(".git/o8lock");
  std::filesystem::create_directories(File(".claude"));
  Give(".claude");
  MakeFile(File(".claude/parallel.lock"), "{\"pid\": 2147483647}", 0600);
  const Result run = CallAsNobody({"--", "echo", "ran"});
  EXPECT_EQ(run.end, Exited(75));
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err,
              StartsWith(absl::StrCat(
                  "Error: Another parallel execution may be in progress (PID: "
                  "unknown)\n")));
  EXPECT_THAT(run.err, HasSubstr(absl::StrCat("\nEvidence: cannot open '",
                                              File(".claude/parallel.lock"),
                                              "': Permission denied\n")));
  EXPECT_EQ(Contents(File(".claude/parallel.lock")), "{\"pid\": 2147483647}");
  EXPECT_EQ(CallAsNobody({"status"}).end, Exited(75));
}

// An unreadable lock file is the dead run's own if it was not written since
// that run began: a living external run's would have prevented the start.
TEST_F(OtherUserTest, UnreadableLockFileOfADeadRunIsStale) {
  ASSERT_EQ(RunToEnd(Shell(
                absl::StrCat("chown -R ", kNobody, ":", kNobody, " ", repo_))),
            Exited(0));
  const std::string lock_file = File(".claude/parallel.lock");
  for (const bool is_younger : {false, true}) {
    BeKilledAsRoot("022");
    ASSERT_EQ(chown(lock_file.c_str(), 0, 0), 0);
    ASSERT_EQ(chmod(lock_file.c_str(), 0600), 0);
    if (is_younger) {
      const struct timespec later[] = {{time(nullptr) + 5, 0},
                                       {time(nullptr) + 5, 0}};
      ASSERT_EQ(utimensat(AT_FDCWD, lock_file.c_str(), later, 0), 0);
    }
    const Result run = CallAsNobody({"--", "echo", "ran"});
    EXPECT_EQ(run.end, Exited(is_younger ? 75 : 0)) << run.err;
    EXPECT_EQ(Exists(lock_file), is_younger);
    if (is_younger) {
      EXPECT_THAT(run.err, HasSubstr(absl::StrCat(
                               "o8lock: hint: '", lock_file,
                               "' belongs to root; to "
                               "share it: sudo chown -R --reference=",
                               File(".claude"), " ", lock_file, "\n")));
    }
  }
}

// A failed start must not look like a dead run.
TEST_F(OtherUserTest, DirectoryThatCannotBeCreatedLeavesNoRecord) {
  std::filesystem::create_directories(File(".git/o8lock"));
  Give(".git/o8lock");
  Give(".git/info");
  Give(".git/info/exclude");
  for (int round = 0; round < 2; ++round) {
    const Result run = CallAsNobody({"--", "echo", "ran"});
    EXPECT_EQ(run.end, Exited(73));
    EXPECT_EQ(run.out, "");
    EXPECT_EQ(run.err, Denied("create directory", ".claude", repo_));
    EXPECT_EQ(Contents(File(".git/o8lock/parallel.guard")), "");
  }
  std::filesystem::create_directories(File(".claude"));
  EXPECT_EQ(CallAsNobody({"--", "echo", "ran"}).err,
            Denied("open", ".claude/.parallel.lock.new", File(".claude")));
  EXPECT_EQ(Contents(File(".git/o8lock/parallel.guard")), "");
  Give(".claude");
  const Result run = CallAsNobody({"--", "echo", "ran"});
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.err, "");
}

TEST_F(OtherUserTest, AProcessThatMayNotBeSignaledIsAlive) {
  for (const char* name : {".git/o8lock", ".claude"}) {
    std::filesystem::create_directories(File(name));
    Give(name);
  }
  MakeFile(File(".claude/parallel.lock"),
           ExternalLockFile(getpid(), TimeText(absl::Now())));
  const Result run = CallAsNobody({"--", "echo", "ran"});
  EXPECT_EQ(run.end, Exited(75));
  EXPECT_THAT(run.err,
              HasSubstr(absl::StrCat("process ", getpid(), " is running")));
}

// Root ran o8lock first, as with sudo or in a container.
TEST_F(OtherUserTest, GoesOnInTheirOwnRepositoryAfterRoot) {
  const std::string give =
      absl::StrCat("chown -R ", kNobody, ":", kNobody, " ");
  ASSERT_EQ(RunToEnd(Shell(give + repo_)), Exited(0));
  const auto expect_run = [this] {
    const Result run = CallAsNobody({"-q", "--", "echo", "ran"});
    EXPECT_EQ(run.end, Exited(0));
    EXPECT_EQ(run.out, "ran\n");
    EXPECT_EQ(run.err, "");
  };
  for (const char* const umask : {"022", "077"}) {
    SCOPED_TRACE(umask);
    EXPECT_EQ(Call(WithUmask(umask, O8lock({"--", "true"})), repo_).end,
              Exited(0));
    expect_run();
    std::filesystem::remove_all(File(".git/o8lock"));
    // A killed run of root cannot remove its files.
    BeKilledAsRoot(umask);
    EXPECT_EQ(
        Call(Shell(absl::StrCat("find ", repo_, " ! -user ", kNobody)), repo_)
            .out,
        "");
    expect_run();
    std::filesystem::remove_all(File(".git/o8lock"));
  }
}

// An older o8lock made such files; so does root by hand.
TEST_F(OtherUserTest, IsToldWhoseTheFilesAreAndWhatHelps) {
  const std::string give =
      absl::StrCat("chown -R ", kNobody, ":", kNobody, " ");
  ASSERT_EQ(RunToEnd(Shell(give + repo_)), Exited(0));
  std::filesystem::create_directories(File(".git/o8lock"));
  MakeFile(File(".git/o8lock/parallel.guard"), "");
  const std::string remedy = absl::StrCat("chown -R --reference=", File(".git"),
                                          " ", File(".git/o8lock"));
  EXPECT_EQ(CallAsNobody({"--", "echo", "ran"}).err,
            DeniedPart("open", ".git/o8lock/parallel.guard",
                       ".git/o8lock/parallel.guard", "sudo " + remedy));
  const Result status = CallAsNobody({"status"});
  EXPECT_EQ(status.end, Exited(0));
  EXPECT_THAT(status.out, StartsWith("free\n"));
  EXPECT_EQ(status.err, OfStatus(DeniedPart(
                            "write", ".git/o8lock/parallel.guard",
                            ".git/o8lock/parallel.guard", "sudo " + remedy)));
  EXPECT_EQ(RunToEnd(Shell(remedy)), Exited(0));
  std::filesystem::create_directories(File(".claude"));
  ASSERT_EQ(chmod(repo_.c_str(), 0775), 0);
  const std::string group_remedy =
      absl::StrCat("sudo chown -R --reference=", repo_, " ", File(".claude"),
                   " && sudo chmod -R g+rwX ", File(".claude"));
  EXPECT_EQ(CallAsNobody({"--", "echo", "ran"}).err,
            DeniedPart("open", ".claude/.parallel.lock.new", ".claude",
                       group_remedy));
  EXPECT_EQ(CallAsNobody({"status"}).err,
            OfStatus(DeniedPart("write", ".claude", ".claude", group_remedy)));
  // Without the lock file the run works.
  EXPECT_EQ(CallAsNobody({"--publish=never", "--", "echo", "ran"}).out,
            "ran\n");
}

// Not even where everybody may write beside it.
TEST_F(OtherUserTest, IsNotToldToTakeOverAnotherUsersDirectory) {
  constexpr uid_t kAnn = 12345;
  const std::string shared = root_ + "/shared";
  const std::string home = shared + "/ann";
  std::filesystem::create_directories(home);
  ASSERT_EQ(chown(home.c_str(), kAnn, kAnn), 0);
  for (const mode_t mode : {02777, 01777}) {
    ASSERT_EQ(chmod(shared.c_str(), mode), 0);
    ProcessOptions options = AsNobody();
    options.directory = home;
    for (const Argv& arguments :
         {Argv{binary_, "--", "echo", "ran"},
          Argv{binary_, "--lock-file", "x.lock", "--", "echo", "ran"}}) {
      const Result run = Call(arguments, options);
      EXPECT_EQ(run.end, Exited(73));
      EXPECT_EQ(run.out, "");
      EXPECT_THAT(run.err,
                  EndsWith(absl::StrCat(
                      "': Permission denied\n"
                      "o8lock: hint: nothing was run; '",
                      home, "' belongs to 12345; ask for write permission\n")));
    }
  }
}

// Two members of a group work in one repository. Each has a umask that denies
// the other write access.
TEST_F(OtherUserTest, WhoSharesTheRepositoryMayTakeTheLockInTurn) {
  for (const bool root_first : {true, false}) {
    SCOPED_TRACE(root_first ? "root first" : "root last");
    std::filesystem::remove_all(repo_);
    std::filesystem::create_directory(repo_);
    Git(repo_, {"init", "--quiet", "--shared=group"});
    // git prepared the files for a group. Give them to these users' group.
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             repo_, std::filesystem::directory_options::none)) {
      ASSERT_EQ(chown(entry.path().c_str(), 0, kNobody), 0);
      if (entry.is_directory()) {
        ASSERT_EQ(chmod(entry.path().c_str(), 02775), 0);
      }
    }
    ASSERT_EQ(chown(repo_.c_str(), 0, kNobody), 0);
    ASSERT_EQ(chmod(repo_.c_str(), 02775), 0);
    for (int round = 0; round < 4; ++round) {
      const bool root = (round % 2 == 0) == root_first;
      for (const Argv& options : {Argv{}, Argv{"--name", "deploy"}}) {
        Argv arguments = options;
        arguments.insert(arguments.end(), {"--", "echo", "ran"});
        arguments.insert(arguments.begin(), root ? Binary() : binary_);
        const Result run = Call(WithUmask(round < 2 ? "022" : "077", arguments),
                                root ? In(repo_) : AsNobody());
        EXPECT_EQ(run.end, Exited(0)) << run.err;
        EXPECT_EQ(run.out, "ran\n");
      }
    }
    // The same after an override has replaced the guard.
    Guarded run(repo_);
    const Result forced = CallAsNobody({"-f", "-y", "--", "echo", "ran"});
    EXPECT_EQ(forced.out, "ran\n") << forced.err;
    EXPECT_EQ(Call(O8lock({"--", "true"}), repo_).end, Exited(75));
    EXPECT_EQ(run.Finish(), Exited(0));
    EXPECT_EQ(Call(O8lock({"--", "true"}), repo_).end, Exited(0));
  }
}

TEST_F(OtherUserTest, DoesNotRunWithPrivilegesThatItsCallerHasNot) {
  if (IsSanitized()) {
    GTEST_SKIP() << "LeakSanitizer does not work in a set-ID program";
  }
  struct statvfs mount;
  ASSERT_EQ(statvfs(root_.c_str(), &mount), 0);
  if ((mount.f_flag & ST_NOSUID) != 0)
    GTEST_SKIP() << root_ << " has no set-ID";
  ASSERT_EQ(chown(binary_.c_str(), kNobody, kNobody), 0);
  ASSERT_EQ(chmod(binary_.c_str(), 04755), 0);
  const Result run = Call({binary_, "--", "echo", "ran"}, repo_);
  EXPECT_EQ(run.end, Exited(71));
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err,
            ErrorText("o8lock must not have more privileges than its caller",
                      "remove the set-user-ID bit, the set-group-ID bit and "
                      "the capabilities from the program file"));
  ASSERT_EQ(chmod(binary_.c_str(), 0755), 0);
  EXPECT_EQ(Call({binary_, "--", "echo", "ran"}, repo_).out, "ran\n");
}

// --- File systems ---

// Each script has its own mount namespace, with a file system of 64 KiB and 64
// inodes on $DIR. It starts in a repository there.
class FileSystemTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!(RunToEnd({"unshare", "-m", "mount", "-t", "tmpfs", "o8lock",
                    dir_.path()}) == Exited(0))) {
      GTEST_SKIP() << "needs root, to mount a file system";
    }
  }
  Result InNamespace(const std::string& script) const {
    ProcessOptions options = In("/");
    options.env["DIR"] = dir_.path();
    return Call({"unshare", "-m", "sh", "-c",
                 absl::StrCat("set -e; mount -t tmpfs -o size=64k,nr_inodes=64 "
                              "o8lock \"$DIR\"; mkdir \"$DIR/r\"; cd "
                              "\"$DIR/r\"; git init -q --template=; set +e; ",
                              script)},
                options);
  }
  std::string File(const std::string& name) const {
    return dir_.File("r/" + name);
  }

  TempDir dir_;
};

TEST_F(FileSystemTest, HasALockFileOnAnotherFileSystemThanItsGuard) {
  const std::string run =
      "\"$O8LOCK\" -- sh -c 'stat -c %h .claude/parallel.lock; "
      "grep -c startedAt .claude/parallel.lock'; ";
  const Result result = InNamespace(
      absl::StrCat("mkdir .claude; ", run, "mount -t tmpfs o8lock .claude; ",
                   run, "ls -A .claude"));
  EXPECT_EQ(result.out, "1\n1\n1\n1\n");
  EXPECT_EQ(result.err, "");
}

TEST_F(FileSystemTest, EndsTheSearchForARepositoryWhereGitDoes) {
  const std::string search =
      "mkdir -p in/deep; cd in/deep; \"$O8LOCK\" status | head -n 2; "
      "git rev-parse --git-dir; cd ../..; ";
  const Result result = InNamespace(absl::StrCat(
      search, "mount -t tmpfs o8lock in; ", search, "umount in; ", search,
      // First `in` is a bind mount of the same file system. Then `in` is
      // another file system, but `in/deep` is the first one again.
      "mkdir x x/deep; mount --bind x in; ", search,
      "umount in; mount -t tmpfs o8lock in; mkdir in/deep; "
      "mount --bind x in/deep; ",
      search));
  const std::string whole =
      absl::StrCat("free\nLock file: ", File(".claude/parallel.lock"), "\n",
                   File(".git"), "\n");
  const std::string beyond = absl::StrCat(
      "free\nLock file: ", File("in/deep/.claude/parallel.lock"), "\n");
  EXPECT_EQ(result.out, absl::StrCat(whole, beyond, whole, whole, beyond))
      << result.err;
}

// On each kind of file system: exclusion, a crash, and the output of doctor.
TEST_F(FileSystemTest, LocksOnEveryKindThatIsHere) {
  struct Kind {
    const char* name;
    const char* mount;  // mounts a file system of this kind on $DIR
  };
  int tried = 0;
  for (const Kind& kind :
       {Kind{"tmpfs", "mount -t tmpfs o8lock \"$DIR\""},
        Kind{"ext4",
             "truncate -s 8M \"$DIR/image\" && mkfs.ext4 -q \"$DIR/image\" && "
             "mount -o loop \"$DIR/image\" \"$DIR\""},
        Kind{"overlay",
             "mount -t tmpfs o8lock \"$DIR\" && cd \"$DIR\" && "
             "mkdir -p lower/r/.git/o8lock upper work top && "
             "touch lower/r/.git/o8lock/parallel.guard && "
             "mount -t overlay o8lock -o "
             "lowerdir=lower,upperdir=upper,workdir=work top && "
             "mount --bind top \"$DIR\""}}) {
    SCOPED_TRACE(kind.name);
    ProcessOptions options = In("/");
    options.env["DIR"] = dir_.path();
    const Result run =
        Call({"unshare", "-m", "sh", "-c",
              absl::StrCat(
                  "{ ", kind.mount,
                  "; } >/dev/null 2>&1 || exit 9; mkdir -p \"$DIR/r\"; "
                  "cd \"$DIR/r\"; git init -q --template=; mkfifo ready go; "
                  "export O8LOCK_RUN=; $O8LOCK doctor | grep rename; "
                  "$O8LOCK -- sh -c 'echo >ready; read x <go; echo first' & "
                  "read x <ready; $O8LOCK -q -- echo second; echo $?; "
                  "$O8LOCK status | head -n 1 | tr -d 0-9; echo >go; wait; "
                  "$O8LOCK -- sh -c 'kill -9 $PPID'; "
                  "$O8LOCK -q --wait=10 -- echo third; $O8LOCK status")},
             options);
    if (run.end == Exited(9)) continue;
    ++tried;
    EXPECT_EQ(
        run.out,
        absl::StrCat(
            "ok    guard: ", File(kind.name[0] == 'o' ? ".git/o8lock" : ".git"),
            " (", kind.name, "): locks, renames and links work\n",
            "ok    lock file: ", dir_.File("r"), " (", kind.name,
            "): locks, renames and links work\n",
            "75\nheld (PID: )\nfirst\nthird\nfree\nLock file: ",
            File(".claude/parallel.lock"),
            "\nGuard: ", File(".git/o8lock/parallel.guard"), "\n"))
        << run.err;
  }
  EXPECT_GT(tried, 0);
}

TEST_F(FileSystemTest, DoctorSaysWhatDoesNotWork) {
  const Result run = InNamespace(
      "mkdir .claude; mount -t tmpfs -o ro o8lock .claude; "
      "$O8LOCK doctor >out; status=$?; grep -A1 'tmpfs' out; echo $status; "
      "umount .claude; $O8LOCK doctor >/dev/null; echo $?");
  EXPECT_THAT(
      run.out,
      MatchesRegex(absl::StrCat(
          "ok    guard: ", File(".git"),
          " \\(tmpfs\\): locks, renames and links work\n"
          "fail  lock file: ",
          File(".claude"), " \\(tmpfs\\): cannot open '", File(".claude"),
          "/.o8lock-probe.[0-9]+': Read-only file system\n"
          "      '",
          File(".claude"),
          "' is on a read-only file system; to run without the lock file: "
          "--publish=never\n71\n0\n")));
}

TEST_F(FileSystemTest, ReadOnly) {
  const Result run = InNamespace(
      "mount -o remount,ro \"$DIR\"; $O8LOCK -- echo ran; echo $?; "
      "$O8LOCK status; echo $?");
  EXPECT_THAT(run.out, AllOf(StartsWith("73\nfree\n"), EndsWith("\n0\n")));
  const std::string hint =
      absl::StrCat("'", File(".git"), "' is on a read-only file system");
  EXPECT_EQ(
      run.err,
      absl::StrCat(ErrorText(absl::StrCat("cannot create directory '",
                                          File(".git/o8lock"),
                                          "': Read-only file system"),
                             "nothing was run; " + hint),
                   "o8lock: warning: you cannot start a run here: cannot write "
                   "'",
                   File(".git"), "': Read-only file system\n",
                   "o8lock: hint: ", hint, "\n"));
}

TEST_F(FileSystemTest, ReadOnlyAfterTheFirstRun) {
  const Result run = InNamespace(
      "$O8LOCK -- true; mount -o remount,ro \"$DIR\"; $O8LOCK -- echo ran; "
      "echo $?");
  EXPECT_EQ(run.out, "73\n");
  EXPECT_EQ(
      run.err,
      ErrorText(
          absl::StrCat("cannot open '", File(".git/o8lock/parallel.guard"),
                       "': Read-only file system"),
          absl::StrCat("nothing was run; '", File(".git/o8lock/parallel.guard"),
                       "' is on a read-only file system")));
}

TEST_F(FileSystemTest, OnlyTheLockFilesDirectoryIsReadOnly) {
  const Result run = InNamespace(
      "mkdir .claude; mount -t tmpfs -o ro o8lock .claude; "
      "$O8LOCK -- echo ran; echo $?; cat .git/o8lock/parallel.guard; "
      "umount .claude; $O8LOCK -- echo ran; echo $?");
  EXPECT_EQ(run.out, "73\nran\n0\n");
  EXPECT_EQ(run.err,
            ErrorText(absl::StrCat("cannot open '",
                                   File(".claude/.parallel.lock.new"),
                                   "': Read-only file system"),
                      absl::StrCat("nothing was run; '", File(".claude"),
                                   "' is on a read-only file system; to run "
                                   "without the lock file: --publish=never")));
}

TEST_F(FileSystemTest, NoRoomForWhatIsWritten) {
  struct Case {
    const char* before;  // runs before the file system is full
    const char* options;
    const char* file;  // the write to this file fails
  };
  for (const Case& test :
       {Case{":", "", ".claude/.parallel.lock.new"},
        Case{"$O8LOCK -- true", "", ".claude/.parallel.lock.new"},
        Case{":", "--publish never", ".git/o8lock/parallel.guard"}}) {
    SCOPED_TRACE(test.file);
    const Result run = InNamespace(absl::StrCat(
        test.before, "; cat /dev/zero >fill 2>/dev/null; $O8LOCK ",
        test.options,
        " -- echo ran; echo $?; cat .git/o8lock/parallel.guard; "
        "ls -A .claude 2>/dev/null; rm fill; $O8LOCK -- echo ran; echo $?"));
    EXPECT_EQ(run.out, "73\nran\n0\n");
    EXPECT_EQ(run.err, ErrorText(absl::StrCat("cannot write '", File(test.file),
                                              "': No space left on device"),
                                 "nothing was run; free disk space or close "
                                 "files, as the error says"));
  }
}

TEST_F(FileSystemTest, NoRoomForTheDirectory) {
  const Result run = InNamespace(
      "$O8LOCK -- true; i=0; while (: >f$i) 2>/dev/null; do i=$((i+1)); done; "
      "$O8LOCK -- echo ran; echo $?; cat .git/o8lock/parallel.guard; "
      "rm f*; $O8LOCK -- echo ran; echo $?");
  EXPECT_EQ(run.out, "73\nran\n0\n");
  EXPECT_EQ(run.err,
            ErrorText(absl::StrCat("cannot create directory '", File(".claude"),
                                   "': No space left on device"),
                      "nothing was run; free disk space or close files, as "
                      "the error says"));
}

// A failed override must not affect the run holding the lock.
TEST_F(FileSystemTest, AFailedOverrideLeavesTheHolderItsLock) {
  const Result run = InNamespace(
      "mkdir .claude; mount -t tmpfs o8lock .claude; mkfifo ready go; "
      "$O8LOCK -- sh -c 'echo >ready; read x <go' 2>holder & read x <ready; "
      "mount -o remount,ro .claude; $O8LOCK -q -f -y -- echo ran; echo $?; "
      "mount -o remount,rw .claude; $O8LOCK -q -- echo ran; echo $?; "
      "echo >go; wait; cat holder; $O8LOCK -- echo ran");
  EXPECT_EQ(run.out, "73\n75\nran\n");
  EXPECT_THAT(run.err,
              MatchesRegex("o8lock: error: [^\n]+: Read-only file system\n"
                           "o8lock: hint: [^\n]+\n"));
}

// The copy would belong in the git directory, but that may be on another file
// system.
TEST_F(FileSystemTest, AMalformedLockFileIsKeptWhereItCanBe) {
  const Result run = InNamespace(
      "mkdir .claude; mount -t tmpfs o8lock .claude; "
      "echo mine >.claude/parallel.lock; $O8LOCK -- echo ran; echo $?; "
      "cat .claude/.parallel.lock.malformed-*; ls .claude; "
      "git status --porcelain");
  EXPECT_EQ(run.out, "ran\n0\nmine\n");
  EXPECT_EQ(
      Normal(run.err),
      absl::StrCat("o8lock: warning: '", File(".claude/parallel.lock"),
                   "' was a malformed lock file (not a JSON object); o8lock "
                   "moved it to '",
                   File(".claude/.parallel.lock.malformed-{TIME}"), "'\n"));
}

}  // namespace
}  // namespace o8lock
