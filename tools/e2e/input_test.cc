// SPDX-License-Identifier: Apache-2.0
//
// The whole program with bad input: wrong command lines, files and
// environments, and hostile texts.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

std::string ErrorText(const std::string& problem, const std::string& hint) {
  return absl::StrCat("o8lock: error: ", problem, "\no8lock: hint: ", hint,
                      "\n");
}

// --- Command lines ---

TEST(CommandLineTest, WhatIsWrongIsSaid) {
  const std::string help = "see: o8lock --help";
  const std::string usage = "usage: o8lock [OPTIONS] -- COMMAND [ARG...]";
  const std::string name =
      ": a name consists of letters, digits, '.', '_' and '-', and does not "
      "begin with a dot";
  struct Case {
    Argv arguments;
    std::string problem;
    std::string hint;
  };
  const std::vector<Case> cases = {
      {{}, "there is no command to run", usage},
      {{"--"}, "there is no command to run", usage},
      {{"--force", "--"}, "there is no command to run", usage},
      {{"--foo", "--", "true"}, "unknown option: '--foo'", help},
      {{"-x", "--", "true"}, "unknown option: '-x'", help},
      {{"-qx", "--", "true"}, "unknown option: '-x'", help},
      {{"--force=1", "--", "true"}, "option takes no value: '--force=1'", help},
      {{"-E"}, "option needs a value: '-E'", help},
      {{"-E", "256", "--", "true"},
       "--conflict-exit-code must be a whole number from 0 to 255, not '256'",
       help},
      {{"-E", "-1", "--", "true"},
       "--conflict-exit-code must be a whole number from 0 to 255, not '-1'",
       help},
      {{"-E", "7x", "--", "true"},
       "--conflict-exit-code must be a whole number from 0 to 255, not '7x'",
       help},
      {{"--max-concurrency", "0", "--", "true"},
       "--max-concurrency must be a whole number from 1 to 1000000, not '0'",
       help},
      {{"--publish", "maybe", "--", "true"},
       "--publish must be 'auto', 'always' or 'never', not 'maybe'",
       help},
      {{"--lock-file", "", "--", "true"},
       "--lock-file needs the path of a file",
       help},
      {{"--lock-file", "a/", "--", "true"},
       "lock file 'a/': this is not the name of a file",
       help},
      {{"--name", "../up", "--", "true"}, "lock name '../up'" + name, help},
      {{"--name", ".x", "--", "true"}, "lock name '.x'" + name, help},
      {{"--name", "", "--", "true"}, "lock name ''" + name, help},
      {{"status", "all"},
       "status takes no arguments: 'all'",
       "see: o8lock status --help"},
      {{"--name", "a", "-n", "b", "--", "true"},
       "a run has one lock, but two are selected: --name a, --name b",
       "remove one of them, or take both locks: o8lock --name a -- o8lock "
       "--name b -- COMMAND"},
      {{"--lock-file", "f\x1b", "-n", "b", "status"},
       "a run has one lock, but two are selected: --lock-file f\\x1b, --name b",
       "remove one of them, or take both locks: o8lock --lock-file $'f\\x1b' "
       "-- "
       "o8lock --name b -- COMMAND"},
      {{"-q", "statsu", "--json"},
       "unknown verb: 'statsu'",
       "did you mean: {O8LOCK} -q status --json"},
      {{"hooks", "instal"},
       "'hooks' needs a verb: install, uninstall or status",
       "did you mean: {O8LOCK} hooks install"},
      // A forgotten "--" gets the corrected line.
      {{"sleep", "3"},
       "'--' is missing before the command 'sleep'",
       "try: {O8LOCK} -- sleep 3"},
      {{"-E", "9", "make", "a b", "--", "it's"},
       "'--' is missing before the command 'make'",
       "try: {O8LOCK} -E 9 -- make 'a b' -- 'it'\\''s'"},
      {{""}, "'--' is missing before the command ''", "try: {O8LOCK} -- ''"},
      // Control characters, which a terminal would interpret.
      {{"sl\nee\x1bp", "3"},
       "'--' is missing before the command 'sl\\x0aee\\x1bp'",
       "try: {O8LOCK} -- $'sl\\x0aee\\x1bp' 3"},
      {{"--fo\no\x1b[31m", "--", "true"},
       "unknown option: '--fo\\x0ao\\x1b[31m'",
       help},
      {{"--name", "a\nb\x1b[31m", "--", "true"},
       "lock name 'a\\x0ab\\x1b[31m'" + name,
       help},
      {{"-E", "1\n", "--", "true"},
       "--conflict-exit-code must be a whole number from 0 to 255, not "
       "'1\\x0a'",
       help},
  };
  const Repository repo;
  for (const Case& test : cases) {
    SCOPED_TRACE(absl::StrJoin(test.arguments, " "));
    const Result run = Call(O8lock(test.arguments), repo.path());
    EXPECT_EQ(run.end, Exited(64));
    EXPECT_EQ(run.out, "");
    EXPECT_EQ(run.err, Fill(ErrorText(test.problem, test.hint), {}));
  }
  EXPECT_FALSE(Exists(repo.File(".git/o8lock")));
}

TEST(CommandLineTest, TheCommandsOwnArgumentsReachItAsTheyAre) {
  const Repository repo;
  const Result run =
      Call(O8lock({"--", "sh", "-c", "printf '%s|' \"$@\"", "", "", "--force",
                   "--", "-E", "a b", "x\ny", ""}),
           repo.path());
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.out, "|--force|--|-E|a b|x\ny||");
}

TEST(CommandTest, ThatCannotBeRunLeavesNothing) {
  struct Case {
    std::string command;
    int code;
    std::string problem;
    std::string hint;
  };
  const std::string found = "install it, or add its directory to PATH";
  const std::string path = "check the path";
  const std::string program = "check that it is an executable program";
  const std::vector<Case> cases = {
      {"no-such-command", 127,
       "cannot execute 'no-such-command': No such file or directory", found},
      {"./no/such", 127,
       "cannot execute './no/such': No such file or directory", path},
      {"", 127, "cannot execute '': No such file or directory", found},
      {"no\nsuch\x1b[31m", 127,
       "cannot execute 'no\\x0asuch\\x1b[31m': No such file or directory",
       found},
      {"./text", 126, "cannot execute './text': Permission denied", program},
      {"./script", 127,
       "cannot execute './script': the interpreter or loader named in the file "
       "does "
       "not exist",
       "install that interpreter, or correct the file's first line"},
      {"./text/x", 126, "cannot execute './text/x': Not a directory",
       "nothing was run"},
      {"./", 126, "cannot execute './': Is a directory", program},
  };
  const Repository repo;
  MakeFile(repo.File("text"), "hello\n", 0644);
  MakeFile(repo.File("script"), "#!/no/such/interpreter\n", 0755);
  for (const Case& test : cases) {
    SCOPED_TRACE(test.command);
    const Result run = Call(O8lock({"--", test.command}), repo.path());
    EXPECT_EQ(run.end, Exited(test.code));
    EXPECT_EQ(run.err, ErrorText(test.problem, test.hint));
    ExpectNothingLeft(repo);
  }
  EXPECT_FALSE(Exists(repo.File(".claude")));
}

// --- Files of the wrong kind ---

void MakeSocket(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // The path may be too long for an address, so bind a relative name.
  const std::string directory = path.substr(0, path.rfind('/'));
  const std::string name = path.substr(path.rfind('/') + 1);
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(directory);
  strncpy(address.sun_path, name.c_str(), sizeof(address.sun_path) - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
            0);
  close(fd);
  std::filesystem::current_path(before);
}

struct Kind {
  const char* text;  // in the message
  std::function<void(const std::string& path)> make;
};

// The lock is free, but one of its files is of `kind`. o8lock must refuse to
// run and must not touch the file.
void ExpectLeftAlone(const Kind& kind) {
  for (const char* place : {".claude/parallel.lock", ".claude/murm.lock",
                            ".git/o8lock/parallel.guard"}) {
    SCOPED_TRACE(absl::StrCat(place, " is ", kind.text));
    const Repository repo;
    std::filesystem::create_directories(repo.File(".claude"));
    std::filesystem::create_directories(repo.File(".git/o8lock"));
    const std::string path = repo.File(place);
    std::filesystem::remove(path);
    kind.make(path);
    struct stat before = {};
    ASSERT_EQ(lstat(path.c_str(), &before), 0);
    for (const Argv& arguments :
         {Argv{"--", "echo", "ran"},
          Argv{"--force", "--yes", "--", "echo", "ran"}}) {
      const Result run = Call(O8lock(arguments), repo.path());
      EXPECT_EQ(run.end, Exited(73));
      EXPECT_EQ(run.out, "");
      EXPECT_EQ(
          run.err,
          ErrorText(absl::StrCat("'", path, "' is ", kind.text,
                                 ", but o8lock needs a regular file "
                                 "there"),
                    "nothing was run; move it away; o8lock creates its own"));
    }
    struct stat after = {};
    ASSERT_EQ(lstat(path.c_str(), &after), 0);
    EXPECT_EQ(after.st_ino, before.st_ino);
    EXPECT_FALSE(Exists(repo.File(".claude/nowhere")));
    EXPECT_FALSE(Exists(repo.File(".git/o8lock/nowhere")));
    // Without the file the run works.
    std::filesystem::remove_all(path);
    const Result run = Call(O8lock({"--", "echo", "ran"}), repo.path());
    EXPECT_EQ(run.end, Exited(0));
    EXPECT_EQ(run.out, "ran\n");
    EXPECT_EQ(run.err, "");
  }
}

TEST(FileKindTest, ALockFileOrGuardThatIsNoRegularFileIsLeftAlone) {
  const std::vector<Kind> kinds = {
      {"a directory",
       [](const std::string& path) {
         std::filesystem::create_directory(path);
       }},
      {"a FIFO",
       [](const std::string& path) {
         EXPECT_EQ(mkfifo(path.c_str(), 0666), 0);
       }},
      {"a socket", MakeSocket},
      {"a symbolic link",
       [](const std::string& path) {
         std::filesystem::create_symlink("nowhere", path);
       }},
      {"a symbolic link",
       [](const std::string& path) {
         // The target is a dead run's lock file.
         MakeFile(path + ".target", "{\"pid\": 2147483647}");
         std::filesystem::create_symlink(path + ".target", path);
       }},
  };
  for (const Kind& kind : kinds) ExpectLeftAlone(kind);
}

bool MakeDevice(const std::string& path) {
  return mknod(path.c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0;
}

TEST(FileKindTest, ADeviceIsLeftAlone) {
  const TempDir dir;
  if (!MakeDevice(dir.File("null"))) GTEST_SKIP() << "needs root, for mknod(2)";
  ExpectLeftAlone({"a device", [](const std::string& path) {
                     EXPECT_TRUE(MakeDevice(path));
                   }});
}

TEST(FileKindTest, ADirectoryThatIsNoneIsNamed) {
  const std::vector<Kind> kinds = {
      {"file", [](const std::string& path) { MakeFile(path, "mine\n"); }},
      {"FIFO",
       [](const std::string& path) {
         EXPECT_EQ(mkfifo(path.c_str(), 0666), 0);
       }},
      {"dangling link",
       [](const std::string& path) {
         std::filesystem::create_symlink("nowhere", path);
       }},
  };
  for (const Kind& kind : kinds) {
    for (const char* place : {".claude", ".git/o8lock"}) {
      SCOPED_TRACE(absl::StrCat(place, " is a ", kind.text));
      const Repository repo;
      const std::string path = repo.File(place);
      kind.make(path);
      const Result run = Call(O8lock({"--", "echo", "ran"}), repo.path());
      EXPECT_EQ(run.end, Exited(73));
      EXPECT_EQ(run.out, "");
      // Names the directory itself, not a file in it, with one error and one
      // hint.
      EXPECT_THAT(run.err, AllOf(HasSubstr(absl::StrCat("'", path, "'")),
                                 MatchesRegex("o8lock: error: [^\n]+\n"
                                              "o8lock: hint: [^\n]+\n")));
      std::filesystem::remove(path);
      const Result next = Call(O8lock({"--", "echo", "ran"}), repo.path());
      EXPECT_EQ(next.end, Exited(0));
      EXPECT_EQ(next.err, "");
    }
  }
}

// The run does not depend on the lock file's entry there.
TEST(FileKindTest, AnExcludeFileThatIsNoneIsLeftAloneAndTheRunGoesOn) {
  const std::vector<Kind> kinds = {
      {"directory",
       [](const std::string& path) {
         std::filesystem::create_directory(path);
       }},
      {"FIFO",
       [](const std::string& path) {
         EXPECT_EQ(mkfifo(path.c_str(), 0666), 0);
       }},
      {"socket", MakeSocket},
      {"device", [](const std::string& path) { MakeDevice(path); }},
      {"dangling link",
       [](const std::string& path) {
         std::filesystem::create_symlink("nowhere/exclude", path);
       }},
  };
  for (const Kind& kind : kinds) {
    SCOPED_TRACE(kind.text);
    const Repository repo;
    const std::string path = repo.File(".git/info/exclude");
    std::filesystem::create_directories(repo.File(".git/info"));
    std::filesystem::remove(path);
    kind.make(path);
    struct stat before = {};
    if (lstat(path.c_str(), &before) != 0) continue;  // not root
    const Result run = Call(O8lock({"--", "echo", "ran"}), repo.path());
    EXPECT_EQ(run.end, Exited(0));
    EXPECT_EQ(run.out, "ran\n");
    EXPECT_THAT(
        run.err,
        AllOf(StartsWith("o8lock: warning: git may show the lock file as a "
                         "change: "),
              HasSubstr(absl::StrCat("'", path, "'")),
              EndsWith("\no8lock: hint: add to .gitignore: "
                       "/.claude/parallel.lock\n")));
    EXPECT_EQ(Call(O8lock({"-q", "--", "true"}), repo.path()).err, "");
    struct stat after = {};
    ASSERT_EQ(lstat(path.c_str(), &after), 0);
    EXPECT_EQ(after.st_ino, before.st_ino);
  }
}

TEST(FileKindTest, ALockFileInADirectoryThatIsNotThere) {
  const TempDir dir;
  const Result run = Call(
      O8lock({"--lock-file", "no/my.lock", "--", "echo", "ran"}), dir.path());
  EXPECT_EQ(run.end, Exited(73));
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, ErrorText(absl::StrCat("cannot open '", dir.path(),
                                            "/no/.my.lock.guard': No such file "
                                            "or directory"),
                               "nothing was run; create the directory first"));
  EXPECT_THAT(Names(dir.path()), ElementsAre());
}

// flock(1) locks such files.
TEST(FileKindTest, AnotherFileNamedAsTheLockFileStays) {
  const TempDir dir;
  const std::string path = dir.File("Makefile");
  const Argv start = {"--lock-file", "Makefile", "--", "echo", "ran"};
  for (const std::string& text :
       {std::string("all:\n\ttrue\n"), std::string(2 << 20, 'x'),
        std::string("{\"name\": \"shop\", \"version\": \"1.0.0\"}\n")}) {
    MakeFile(path, text);
    const Result run = Call(O8lock(start), dir.path());
    EXPECT_EQ(run.end, Exited(73));
    EXPECT_EQ(run.out, "");
    EXPECT_EQ(
        run.err,
        ErrorText(absl::StrCat("'", path, "' is not a lock file"),
                  "nothing was run; that file was not changed; name another "
                  "one"));
    EXPECT_TRUE(Contents(path) == text);
  }
  // One that another program has not written to its end.
  MakeFile(path, " {\"pid\": ");
  EXPECT_EQ(Call(O8lock(start), dir.path()).out, "ran\n");
}

TEST(FileKindTest, NobodyIsToldToMoveTheirOwnDirectoryAway) {
  const TempDir dir;
  const std::string path = dir.File("mine");
  std::filesystem::create_directory(path);
  const Result run =
      Call(O8lock({"--lock-file", path, "--", "echo", "ran"}), dir.path());
  EXPECT_EQ(run.end, Exited(73));
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err,
            ErrorText(absl::StrCat("'", path,
                                   "' is a directory, but o8lock needs a "
                                   "regular file there"),
                      "nothing was run; name another file with --lock-file"));
}

TEST(GuardTest, WhatIsNoRecordInAFreeGuardIsNobodys) {
  for (const std::string& text :
       {std::string("garbage"), std::string("{\"pid\": "), std::string("[]"),
        std::string(500000, '['), std::string("\0\0\0", 3),
        std::string(2 << 20, 'x')}) {
    SCOPED_TRACE(text.substr(0, 20));
    const Repository repo;
    repo.MakeGuard(text);
    const Result run = Call(O8lock({"--", "echo", "ran"}), repo.path());
    EXPECT_EQ(run.end, Exited(0));
    EXPECT_EQ(run.out, "ran\n");
    EXPECT_EQ(run.err, "");
    ExpectNothingLeft(repo);
  }
}

// --- Environments ---

TEST(EnvironmentTest, NothingIsNeededFromIt) {
  const Repository repo;
  ProcessOptions options = In(repo.path());
  options.env.clear();
  for (const char* name : {"HOME", "TMPDIR", "PATH", "LOGNAME", "USER", "TERM",
                           "LANG", "XDG_CONFIG_HOME"}) {
    options.unset_env.emplace_back(name);
  }
  const Result run = Call(O8lock({"--", "/bin/sh", "-c",
                                  "test -e .claude/parallel.lock && echo x"}),
                          options);
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.out, "x\n");
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(Call(O8lock({"--", "true"}), options).end, Exited(0));
  ExpectNothingLeft(repo);
}

TEST(EnvironmentTest, ClosedStandardDescriptorsAreNotTheLocks) {
  const Repository repo;
  const std::vector<std::vector<int>> cases = {{0}, {1}, {2}, {0, 1, 2}};
  for (const std::vector<int>& closed : cases) {
    SCOPED_TRACE(absl::StrJoin(closed, ","));
    ProcessOptions options = In(repo.path());
    options.closed = closed;
    EXPECT_EQ(Call(Locked({},
                          "for fd in 0 1 2; do readlink /proc/$$/fd/$fd; "
                          "done >open; cp .git/o8lock/parallel.guard ."),
                   options)
                  .end,
              Exited(0));
    EXPECT_THAT(Contents(repo.File("open")), Not(HasSubstr("guard")));
    EXPECT_THAT(Contents(repo.File("parallel.guard")),
                StartsWith("{\"mark\":"));
    ExpectNothingLeft(repo);
  }
}

TEST(EnvironmentTest, DeletedCurrentDirectory) {
  const TempDir dir;
  const std::string gone = "mkdir gone; cd gone; rmdir ../gone; exec ";
  for (const char* options : {"", "--lock-file my.lock "}) {
    const Result run =
        Call(Shell(absl::StrCat(gone, "$O8LOCK ", options, "-- echo ran")),
             dir.path());
    EXPECT_EQ(run.end, Exited(73));
    EXPECT_EQ(run.out, "");
    EXPECT_EQ(run.err,
              "o8lock: error: cannot get the current directory: No such file "
              "or directory\no8lock: hint: nothing was run; go to a "
              "directory that exists: cd\n");
  }
  // An absolute path needs no current directory.
  const Result run =
      Call(Shell(absl::StrCat(gone, "$O8LOCK --lock-file ", dir.File("my.lock"),
                              " -- echo ran")),
           dir.path());
  EXPECT_EQ(run.end, Exited(0));
  EXPECT_EQ(run.out, "ran\n");
}

// --- Texts that would paint the terminal ---

// Expects no control characters in `text`, neither C0 bytes nor C1 in UTF-8.
void ExpectNoControls(const std::string& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    EXPECT_TRUE((byte >= 0x20 || byte == '\n') && byte != 0x7f)
        << "byte " << int{byte} << " in " << text;
    EXPECT_FALSE(byte == 0xc2 && i + 1 < text.size() &&
                 static_cast<unsigned char>(text[i + 1]) < 0xa0)
        << "C1 in " << text;
  }
}

// The status, a refusal and a forced run: each of them describes the holder.
void ExpectNoControlsFromAnybody(const Repository& repo) {
  for (const Argv& arguments :
       {Argv{"status"}, Argv{"-v", "--", "true"}, Argv{"-f", "--", "true"},
        Argv{"-v", "-f", "-y", "--", "true"}}) {
    const Result run = Call(O8lock(arguments), repo.path());
    EXPECT_NE(run.out + run.err, "");
    ExpectNoControls(run.out);
    ExpectNoControls(run.err);
  }
}

TEST(ControlCharacterTest, OfALockFileAreEscaped) {
  const Repository repo;
  const Process external({"sleep", "1000"});
  repo.MakeLockFile(absl::StrCat(
      "{\"pid\": ", external.pid(), ", \"startedAt\": \"\\u001b[2J",
      TimeText(absl::Now()),
      "\", \"features\": [\"\\u001b]0;owned\\u0007\", \"\\u009b31m\", "
      "\"a\\r\\nError: b\", \"\\u202eabc\", \"\\u007f\\u0000\"]}"));
  const Result run = Call(O8lock({"--", "true"}), repo.path());
  EXPECT_EQ(run.end, Exited(75));
  EXPECT_EQ(Normal(run.err),
            Golden("control_characters", ValuesOf(repo, external.pid())));
  ExpectNoControlsFromAnybody(repo);
}

TEST(ControlCharacterTest, OfARecordAreEscaped) {
  const Repository repo;
  ProcessOptions options = In(repo.path());
  options.env["LOGNAME"] = "\x1b]0;me\x07";
  Guarded holder(O8lock({"--feature", "\x1b[2J", "--feature", "a\nb", "--",
                         "sh", "-c", Guarded::kScript, "\x1b[31m\nError: \\"}),
                 options);
  const Result run = Call(O8lock({"--", "echo", "\x1b[31m"}), repo.path());
  EXPECT_EQ(run.end, Exited(75));
  EXPECT_EQ(Normal(run.err),
            Golden("control_characters_record", ValuesOf(repo, holder.pid())));
  ExpectNoControlsFromAnybody(repo);
  EXPECT_EQ(holder.Finish(), Exited(0));
  // The overridden run prints the name of the overriding user.
  ProcessOptions overriding = options;
  overriding.env["LOGNAME"] = "\x1b[31m\n";
  Guarded last(repo.path());
  EXPECT_EQ(Call(O8lock({"-f", "-y", "--", "true"}), overriding).end,
            Exited(0));
  EXPECT_EQ(last.Finish(), Exited(0));
  EXPECT_THAT(last.err(), HasSubstr(" by \\x1b[31m\\x0a@"));
  ExpectNoControls(last.err());
}

TEST(ControlCharacterTest, OfPathsAreEscaped) {
  const TempDir dir;
  const std::string name = dir.File("a\x1b[31m\nb\xff");
  std::filesystem::create_directory(name);
  Git(name, {"init", "--quiet"});
  std::filesystem::create_directory(name + "/.claude");
  MakeFile(name + "/.claude/parallel.lock", "[]");
  const Result malformed = Call(O8lock({"-v", "--", "true"}), name);
  EXPECT_EQ(malformed.end, Exited(0));
  EXPECT_THAT(
      malformed.err,
      StartsWith(absl::StrCat("o8lock: warning: '", dir.path(),
                              "/a\\x1b[31m\\x0ab\\xff/.claude/"
                              "parallel.lock' was a malformed lock file (")));
  ExpectNoControls(malformed.err);
  EXPECT_EQ(mkfifo((name + "/.claude/parallel.lock").c_str(), 0600), 0);
  const Result fifo = Call(O8lock({"--", "true"}), name);
  EXPECT_EQ(fifo.end, Exited(73));
  ExpectNoControls(fifo.err);
  std::filesystem::remove(name + "/.claude/parallel.lock");
  Guarded holder(name);
  const Result held = Call(O8lock({"--", "true"}), name);
  EXPECT_EQ(held.end, Exited(75));
  ExpectNoControls(held.err);
  ExpectNoControls(Call(O8lock({"status"}), name).out);
}

}  // namespace
}  // namespace o8lock
