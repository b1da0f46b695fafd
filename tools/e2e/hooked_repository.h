// SPDX-License-Identifier: Apache-2.0
//
// For the tests with the hooks in a repository. Not thread-safe.
#ifndef O8LOCK_TOOLS_E2E_HOOKED_REPOSITORY_H_
#define O8LOCK_TOOLS_E2E_HOOKED_REPOSITORY_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {

// git WORDS...
Argv GitArgv(const Argv& words);

// A repository with one commit and a branch `old`, and room for worktrees
// beside it.
class HookedRepository : public Repository {
 public:
  HookedRepository();

  // Hooks that are there before are chained.
  void Install() const;

  // Makes the user's own hook `name`, which runs `script`.
  void MakeHook(absl::string_view name, absl::string_view script) const;

  // Where the worktree `name` is to be.
  std::string Tree(absl::string_view name) const { return trees_.File(name); }
  const std::string& trees() const { return trees_.path(); }

  bool IsArmed() const;

  // git worktree add WORDS...
  static Argv AddArgv(const Argv& words);
  Result Add(const Argv& words) const;

  // All references, each with its commit.
  std::string Refs() const;
  bool HasBranch(const std::string& name) const;
  // What git keeps of its linked worktrees.
  std::vector<std::string> Entries() const;
  // Any git command that changes a reference.
  void ExpectGitWorks() const;

 private:
  TempDir trees_;
};

// Lets go on what reads a line from the FIFO `path`. Not by MakeFile, which
// waits for ever where nobody does.
void LetGoOn(const std::string& path);

// `err` without what git, which does it in its version's words, says of a hook
// that refuses.
std::string WithoutGitsWords(const std::string& err);

// Waits for the kernel's time of processes and of files, which is in hundredths
// of a second, to be another.
void WaitForAnotherTick();

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_E2E_HOOKED_REPOSITORY_H_
