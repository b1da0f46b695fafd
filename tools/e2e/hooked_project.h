// SPDX-License-Identifier: Apache-2.0
//
// For tests of o8lock's hooks beside other hooks. Not thread-safe.
#ifndef O8LOCK_TOOLS_E2E_HOOKED_PROJECT_H_
#define O8LOCK_TOOLS_E2E_HOOKED_PROJECT_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {

// The line of a refusal that distinguishes it from git's other errors.
inline constexpr absl::string_view kRefused =
    "git worktree add refused: it would collide with that run.\n";

// Whether the git in PATH supports hooks as settings. Without this support
// o8lock uses a hooks directory while the lock is taken.
bool GitHasConfigHooks();

// The files at `paths` and below: for each name its mode, and its content or
// its link target.
using Tree = std::map<std::string, std::string>;
Tree TreeOf(const std::vector<std::string>& paths);

// A repository with a linked worktree, a remote, and hooks that log their
// arguments.
class Project {
 public:
  Project();
  Project(const Project&) = delete;  // see TempDir
  Project& operator=(const Project&) = delete;

  const std::string& path() const { return path_; }
  std::string File(absl::string_view name) const;
  // The path of `name` beside the repository.
  std::string Beside(absl::string_view name) const { return top_.File(name); }
  std::string Linked() const { return Beside("linked"); }

  // Commits everything, and adds the linked worktree. Neither calls a hook.
  void Commit() const;
  void AddLinked() const;

  // Options for a process in `directory`; by default in the repository.
  ProcessOptions Options(const std::string& directory = "") const;
  // Runs `o8lock hooks WORDS...`.
  Result Hooks(const Argv& arguments) const;

  // Writes hooks with these `names` into `directory`.
  static void MakeHooks(const std::string& directory,
                        const std::vector<std::string>& names);

  // Runs everyday git commands in both worktrees. A hook must make some of them
  // fail. Returns the output of git and of the hooks, without object names and
  // the path of this directory. The first run differs from all later ones,
  // which find its results, so it runs twice at the first call.
  std::string Everyday();

  // Expects a refusal for each worktree added outside the run that holds the
  // lock.
  void ExpectRefuses() const;

  std::map<std::string, std::string> env;  // in addition to GitEnv()
  std::string program = Binary();

 private:
  bool has_been_used_ = false;
  TempDir top_;
  std::string path_ = top_.File("project");
};

// The last line of `o8lock hooks install` if it has tested the hooks.
inline constexpr char kSelfTest[] =
    "o8lock: self-test: git refused a worktree during another run: ok\n";

// The files o8lock must not change, or must restore.
Tree HooksOf(const Project& project);

// Values for {REPO}, {GIT} and {VERSION}.
Values ValuesOf(const Project& project);

void ExpectInstalls(const Project& project);
void ExpectUninstalls(const Project& project);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_E2E_HOOKED_PROJECT_H_
