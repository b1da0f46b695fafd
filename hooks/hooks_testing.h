// SPDX-License-Identifier: Apache-2.0
//
// For the tests of o8lock's hooks beside other hooks.
#ifndef O8LOCK_HOOKS_HOOKS_TESTING_H_
#define O8LOCK_HOOKS_HOOKS_TESTING_H_

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/o8lock_testing.h"

namespace o8lock {

inline constexpr absl::string_view kRefused =
    "git worktree add refused: it would collide with that run.\n";

// Whether the git of PATH has hooks that are settings; older ones are given a
// directory of hooks while the lock is taken.
inline bool GitHasConfigHooks() {
  const std::string version = Git("/", {"version"});
  std::smatch parts;
  return std::regex_search(version, parts, std::regex("([0-9]+)\\.([0-9]+)")) &&
         std::make_pair(std::stoi(parts[1]), std::stoi(parts[2])) >=
             std::make_pair(2, 54);
}

// What is at `path` and below: of each name the mode and the content, or where
// the link leads.
using Tree = std::map<std::string, std::string>;
inline Tree TreeOf(const std::vector<std::string>& paths) {
  Tree tree;
  const auto add = [&tree](const std::filesystem::path& path) {
    struct stat info = {};
    if (lstat(path.c_str(), &info) != 0) return;
    std::string& text = tree[path.string()];
    text = absl::StrCat(absl::Hex(info.st_mode), " ");
    if (S_ISREG(info.st_mode)) absl::StrAppend(&text, Contents(path.string()));
    if (S_ISLNK(info.st_mode)) {
      absl::StrAppend(&text, std::filesystem::read_symlink(path).string());
    }
  };
  for (const std::string& path : paths) {
    add(path);
    std::error_code error;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(path, error)) {
      add(entry.path());
    }
  }
  return tree;
}

// A repository with a linked worktree, a remote and hooks that tell what they
// were called with.
class Project {
 public:
  Project() {
    Git(top_.path(), {"init", "--quiet", "project"});
    Git(top_.path(), {"init", "--quiet", "--bare", "remote.git"});
    Git(path(), {"remote", "add", "origin", "../remote.git"});
    MakeFile(File(".gitignore"), "/.claude/\n/node_modules\n");
    MakeFile(File("hook.sh"), kHook, 0755);
    Commit();
  }
  Project(const Project&) = delete;  // see TempDir
  Project& operator=(const Project&) = delete;

  const std::string& path() const { return path_; }
  std::string File(absl::string_view name) const {
    return absl::StrCat(path_, "/", name);
  }
  // Beside the repository.
  std::string Beside(absl::string_view name) const { return top_.File(name); }
  std::string Linked() const { return Beside("linked"); }

  void Commit() const {
    Git(path(), {"add", "--all"});
    Git(path(), {"-c", "core.hooksPath=/dev/null", "commit", "--quiet",
                 "--allow-empty", "-m", "begin"});
  }
  void AddLinked() const {
    Git(path(), {"-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet",
                 "-b", "linked", Linked()});
  }

  ProcessOptions Options(const std::string& directory = "") const {
    ProcessOptions options = In(directory.empty() ? path() : directory);
    options.env["LOG"] = Beside("log");
    for (const auto& [name, value] : env) options.env[name] = value;
    return options;
  }
  Result Hooks(const Argv& words) const {
    Argv argv = {program, "hooks"};
    argv.insert(argv.end(), words.begin(), words.end());
    return Call(argv, Options());
  }

  // Writes hooks called `names` into the directory `directory`.
  static void MakeHooks(const std::string& directory,
                        const std::vector<std::string>& names) {
    std::filesystem::create_directories(directory);
    for (const std::string& name : names) {
      MakeFile(absl::StrCat(directory, "/", name),
               "#!/bin/sh\n"
               "script=$(cd \"${0%/*}\" && pwd)/${0##*/}\n"
               "exec \"${LOG%/log}/project/hook.sh\" \"$script\" \"$@\"\n",
               0755);
    }
  }

  // Has git do everyday things in both worktrees, some of which a hook is to
  // keep it from, and tells what git and the hooks said. Object names and this
  // directory's are left out.
  // The first time differs from all others, which find what it has made; it is
  // done twice then.
  std::string Everyday() {
    if (!std::exchange(has_been_used_, true)) Everyday();
    std::string told;
    const auto run = [this, &told](const std::string& directory,
                                   const std::string& command,
                                   const std::string& failing = "") {
      MakeFile(Beside("log"), "");
      ProcessOptions options = Options(directory);
      options.env["FAIL"] = failing;
      options.env["O8LOCK_ALLOW"] = "1";
      const Result result = Call(Shell(command), options);
      absl::StrAppend(&told, "$ ", command, " # ", failing, "\n",
                      result.end.code, "\n", result.out, result.err,
                      Contents(Beside("log")));
    };
    for (const std::string& directory : {path(), Linked()}) {
      const std::string branch = directory == path() ? "main" : "linked";
      run(directory, "git push -q -f origin HEAD~0:refs/heads/" + branch);
      // Some managers skip a commit without files.
      const std::string commit =
          "echo line >>file && git add file && git commit -q -m message";
      run(directory, commit);
      run(directory, commit, "pre-commit");
      run(directory, commit, "commit-msg");
      run(directory, "git push -q origin HEAD", "pre-push");
      run(directory, "git push -q origin HEAD");
      run(directory, "git checkout -q --detach");
      run(directory, "git checkout -q " + branch, "post-checkout");
      run(directory, "git checkout -q " + branch);
      run(directory, "git worktree add -q --detach ../new");
      run(directory, "git worktree remove ../new");
    }
    told = absl::StrReplaceAll(told, {{top_.path(), "TOP"}});
    return std::regex_replace(told, std::regex("[0-9a-f]{40}"), "OBJECT");
  }

  // That nobody outside of the run that has the lock can add a worktree.
  void ExpectRefuses() const {
    for (const std::string& directory : {path(), Linked()}) {
      for (const char* form : {"-b new", "--detach"}) {
        const Result add =
            Call(Shell(absl::StrCat("git worktree add ", form, " ../new")),
                 Options(directory));
        EXPECT_FALSE(add.end == Exited(0)) << directory << " " << form;
        EXPECT_THAT(add.err, ::testing::HasSubstr(std::string(kRefused)));
        EXPECT_FALSE(Exists(Beside("new")));
      }
    }
  }

  std::map<std::string, std::string> env;  // besides GitEnv()
  std::string program = Binary();

 private:
  // Called with the name of a hook and its arguments.
  static constexpr char kHook[] = R"(#!/bin/sh
script=$1
name=${script##*/}
shift
{
  echo "$script in $(pwd): $# $*"
  echo "$GIT_DIR,$GIT_INDEX_FILE,$GIT_PREFIX,$GIT_EXEC_PATH,$GIT_EDITOR"
  case $name in
  pre-push | reference-transaction) [ -n "$NO_INPUT" ] || cat ;;
  esac
} >>"$LOG"
if [ "$FAIL" = "$name" ]; then
  echo "$name says no" >&2
  exit 3
fi
)";
  bool has_been_used_ = false;
  TempDir top_;
  std::string path_ = top_.File("project");
};

inline constexpr char kSelfTest[] =
    "o8lock: self-test: a worktree under a foreign lock was refused: ok\n";

// What o8lock does not touch, or puts back.
inline Tree HooksOf(const Project& project) {
  return TreeOf({project.File(".git/config"), project.File(".git/hooks"),
                 project.File(".git/o8lock/bin"),
                 project.File(".git/o8lock/hooks"), project.File(".githooks")});
}

inline Values ValuesOf(const Project& project) {
  const std::string git = Git(project.path(), {"version"});
  return {{"REPO", project.path()},
          {"GIT", std::string(absl::StripSuffix(
                      absl::StripPrefix(git, "git version "), "\n"))},
          {"VERSION", absl::StrReplaceAll(Call(O8lock({"--version"}), "/").out,
                                          {{"o8lock ", ""}, {"\n", ""}})}};
}

inline void ExpectInstalls(const Project& project) {
  const Result install = project.Hooks({"install"});
  EXPECT_EQ(install.end, Exited(0));
  EXPECT_EQ(install.err, "");
  EXPECT_THAT(install.out, ::testing::EndsWith(kSelfTest));
}

inline void ExpectUninstalls(const Project& project) {
  const Result uninstall = project.Hooks({"uninstall"});
  EXPECT_EQ(uninstall.end, Exited(0));
  EXPECT_EQ(uninstall.err, "");
  EXPECT_EQ(uninstall.out, "o8lock: hooks removed\n");
}

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_HOOKS_TESTING_H_
