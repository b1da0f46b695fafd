// SPDX-License-Identifier: Apache-2.0
//
// For the tests of o8lock's hooks beside other hooks. Not thread-safe.
#ifndef O8LOCK_TOOLS_E2E_HOOKED_PROJECT_H_
#define O8LOCK_TOOLS_E2E_HOOKED_PROJECT_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {

// The line of a refusal that tells it from git's other errors.
inline constexpr absl::string_view kRefused =
    "git worktree add refused: it would collide with that run.\n";

// Whether the git of PATH has hooks that are settings; older ones are given a
// directory of hooks while the lock is taken.
bool GitHasConfigHooks();

// What is at `paths` and below: of each name the mode and the content, or where
// the link leads.
using Tree = std::map<std::string, std::string>;
Tree TreeOf(const std::vector<std::string>& paths);

// A repository with a linked worktree, a remote and hooks that tell what they
// were called with.
class Project {
 public:
  Project();
  Project(const Project&) = delete;  // see TempDir
  Project& operator=(const Project&) = delete;

  const std::string& path() const { return path_; }
  std::string File(absl::string_view name) const;
  // Beside the repository.
  std::string Beside(absl::string_view name) const { return top_.File(name); }
  std::string Linked() const { return Beside("linked"); }

  // Commits everything, and adds the linked worktree, without any hook.
  void Commit() const;
  void AddLinked() const;

  // For a process in `directory`, by default the repository's.
  ProcessOptions Options(const std::string& directory = "") const;
  // o8lock hooks WORDS...
  Result Hooks(const Argv& words) const;

  // Writes hooks called `names` into the directory `directory`.
  static void MakeHooks(const std::string& directory,
                        const std::vector<std::string>& names);

  // Has git do everyday things in both worktrees, some of which a hook is to
  // keep it from, and tells what git and the hooks said. Object names and this
  // directory's are left out.
  // The first time differs from all others, which find what it has made; it is
  // done twice then.
  std::string Everyday();

  // That nobody outside of the run that has the lock can add a worktree.
  void ExpectRefuses() const;

  std::map<std::string, std::string> env;  // besides GitEnv()
  std::string program = Binary();

 private:
  bool has_been_used_ = false;
  TempDir top_;
  std::string path_ = top_.File("project");
};

// What `o8lock hooks install` ends with where it has tried the hooks.
inline constexpr char kSelfTest[] =
    "o8lock: self-test: git refused a worktree during another run: ok\n";

// What o8lock does not touch, or puts back.
Tree HooksOf(const Project& project);

// {REPO}, {GIT} and {VERSION}.
Values ValuesOf(const Project& project);

void ExpectInstalls(const Project& project);
void ExpectUninstalls(const Project& project);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_E2E_HOOKED_PROJECT_H_
