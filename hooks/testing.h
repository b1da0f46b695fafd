// SPDX-License-Identifier: Apache-2.0
//
// For the tests with the hooks in a repository. Not thread-safe.
#ifndef O8LOCK_HOOKS_TESTING_H_
#define O8LOCK_HOOKS_TESTING_H_

#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/o8lock_testing.h"

namespace o8lock {

// git WORDS...
inline Argv GitArgv(const Argv& words) {
  Argv argv = {"git"};
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

// A repository with one commit and a branch `old`, and room for worktrees
// beside it.
class HookedRepository : public Repository {
 public:
  HookedRepository() { Git(path(), {"branch", "old"}); }

  // Hooks that are there before are chained.
  void Install() const {
    const Result install = Call(O8lock({"hooks", "install"}), path());
    EXPECT_EQ(install.end, Exited(0)) << install.out << install.err;
  }

  // Makes the user's own hook `name`, which runs `script`.
  void MakeHook(absl::string_view name, absl::string_view script) const {
    std::filesystem::create_directories(File(".git/hooks"));
    MakeFile(File(absl::StrCat(".git/hooks/", name)),
             absl::StrCat("#!/bin/sh\n", script, "\n"), 0755);
  }

  // Where the worktree `name` is to be.
  std::string Tree(absl::string_view name) const { return trees_.File(name); }
  const std::string& trees() const { return trees_.path(); }

  bool IsArmed() const {
    return std::filesystem::read_symlink(File(".git/o8lock/armed.inc")) ==
           "locked.inc";
  }

  Result Add(const Argv& words) const {
    return Call(AddArgv(words), In(path()));
  }
  static Argv AddArgv(const Argv& words) {
    Argv argv = {"git", "worktree", "add"};
    argv.insert(argv.end(), words.begin(), words.end());
    return argv;
  }

  // All references, each with its commit.
  std::string Refs() const {
    return Git(path(), {"for-each-ref", "--format=%(refname) %(objectname)"});
  }
  bool HasBranch(const std::string& name) const {
    return Call({"git", "show-ref", "--verify", "-q", "refs/heads/" + name},
                path())
               .end == Exited(0);
  }
  // What git keeps of its linked worktrees.
  std::vector<std::string> Entries() const {
    return Names(File(".git/worktrees"));
  }
  // Any git command that changes a reference.
  void ExpectGitWorks() const {
    const Result git =
        Call({"git", "update-ref", "refs/tests/x", "HEAD"}, path());
    EXPECT_EQ(git.end, Exited(0)) << git.err;
    EXPECT_EQ(git.err, "");
  }

 private:
  TempDir trees_;
};

// Lets go on what reads a line from the FIFO `path`. Not by MakeFile, which
// waits for ever where nobody does.
inline void LetGoOn(const std::string& path) {
  EXPECT_EQ(RunToEnd({"sh", "-c", "echo go >\"$1\"", "sh", path}), Exited(0));
}

// `err` without what git, which does it in its version's words, says of a hook
// that refuses.
inline std::string WithoutGitsWords(const std::string& err) {
  return err.substr(0, err.rfind("fatal: "));
}

// Waits for the kernel's time of processes and of files, which is in hundredths
// of a second, to be another.
inline void WaitForAnotherTick() {
  const auto now = [](clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return int64_t{time.tv_sec} * 100 + time.tv_nsec / 10000000;
  };
  const int64_t start = now(CLOCK_BOOTTIME);
  const int64_t file = now(CLOCK_REALTIME);
  WaitUntil("another tick", [&] {
    return now(CLOCK_BOOTTIME) > start + 2 &&
           // What the kernel takes for files.
           now(CLOCK_REALTIME_COARSE) > file;
  });
}

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_TESTING_H_
