// SPDX-License-Identifier: Apache-2.0
#include "tools/e2e/hooked_repository.h"

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {

Argv GitArgv(const Argv& arguments) {
  Argv argv = {"git"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

HookedRepository::HookedRepository() { Git(path(), {"branch", "old"}); }

void HookedRepository::Install() const {
  const Result install = Call(O8lock({"hooks", "install"}), path());
  EXPECT_EQ(install.end, Exited(0)) << install.out << install.err;
}

void HookedRepository::MakeHook(absl::string_view name,
                                absl::string_view script) const {
  std::filesystem::create_directories(File(".git/hooks"));
  MakeFile(File(absl::StrCat(".git/hooks/", name)),
           absl::StrCat("#!/bin/sh\n", script, "\n"), 0755);
}

bool HookedRepository::IsArmed() const {
  return std::filesystem::read_symlink(File(".git/o8lock/armed.inc")) ==
         "locked.inc";
}

Argv HookedRepository::AddArgv(const Argv& arguments) {
  Argv argv = {"git", "worktree", "add"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

Result HookedRepository::Add(const Argv& arguments) const {
  return Call(AddArgv(arguments), In(path()));
}

std::string HookedRepository::Refs() const {
  return Git(path(), {"for-each-ref", "--format=%(refname) %(objectname)"});
}

bool HookedRepository::HasBranch(const std::string& name) const {
  return Call({"git", "show-ref", "--verify", "-q", "refs/heads/" + name},
              path())
             .end == Exited(0);
}

std::vector<std::string> HookedRepository::Entries() const {
  return Names(File(".git/worktrees"));
}

void HookedRepository::ExpectGitWorks() const {
  const Result git =
      Call({"git", "update-ref", "refs/tests/x", "HEAD"}, path());
  EXPECT_EQ(git.end, Exited(0)) << git.err;
  EXPECT_EQ(git.err, "");
}

void LetGoOn(const std::string& path) {
  EXPECT_EQ(RunToEnd({"sh", "-c", "echo go >\"$1\"", "sh", path}), Exited(0));
}

std::string WithoutGitsWords(const std::string& err) {
  return err.substr(0, err.rfind("fatal: "));
}

void WaitForAnotherTick() {
  const auto now = [](clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return int64_t{time.tv_sec} * 100 + time.tv_nsec / 10000000;
  };
  const int64_t start = now(CLOCK_BOOTTIME);
  const int64_t file = now(CLOCK_REALTIME);
  WaitUntil("another tick", [&] {
    return now(CLOCK_BOOTTIME) > start + 2 &&
           // The kernel uses this clock for files.
           now(CLOCK_REALTIME_COARSE) > file;
  });
}

}  // namespace o8lock
