// SPDX-License-Identifier: Apache-2.0
//
// For tests of a repository with o8lock's hooks. Not thread-safe.
#ifndef O8LOCK_TOOLS_E2E_HOOKED_REPOSITORY_H_
#define O8LOCK_TOOLS_E2E_HOOKED_REPOSITORY_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {

// `git WORDS...`
Argv GitArgv(const Argv& arguments);

// A repository with one commit and a branch `old`, with a directory for
// worktrees beside it.
class HookedRepository : public Repository {
 public:
  HookedRepository();

  // Installs o8lock's hooks. Existing hooks are chained.
  void Install() const;

  // Creates the user's hook `name`, which runs `script`.
  void MakeHook(absl::string_view name, absl::string_view script) const;

  // The future path of the worktree `name`.
  std::string Tree(absl::string_view name) const { return trees_.File(name); }
  const std::string& trees() const { return trees_.path(); }

  bool IsArmed() const;

  // `git worktree add WORDS...`
  static Argv AddArgv(const Argv& arguments);
  Result Add(const Argv& arguments) const;

  // All references, each with its commit.
  std::string Refs() const;
  bool HasBranch(const std::string& name) const;
  // The names of the linked worktrees in git's list.
  std::vector<std::string> Entries() const;
  // Expects a git command that changes a reference to succeed.
  void ExpectGitWorks() const;

 private:
  TempDir trees_;
};

// Continues a process waiting to read a line from the FIFO `path`. Not
// MakeFile: without a reader that blocks indefinitely.
void LetGoOn(const std::string& path);

// `err` without git's own line about a refusing hook. Its text depends on the
// git version.
std::string WithoutGitsWords(const std::string& err);

// Waits until the kernel's times of processes and of files have advanced. Their
// unit is a hundredth of a second.
void WaitForAnotherTick();

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_E2E_HOOKED_REPOSITORY_H_
