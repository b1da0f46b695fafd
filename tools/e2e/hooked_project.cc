// SPDX-License-Identifier: Apache-2.0
#include "tools/e2e/hooked_project.h"

#include <sys/stat.h>

#include <filesystem>
#include <regex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

// Its arguments are the name of a hook and the hook's arguments.
constexpr char kHook[] = R"(#!/bin/sh
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

}  // namespace

bool GitHasConfigHooks() {
  const std::string version = Git("/", {"version"});
  std::smatch parts;
  return std::regex_search(version, parts, std::regex("([0-9]+)\\.([0-9]+)")) &&
         std::make_pair(std::stoi(parts[1]), std::stoi(parts[2])) >=
             std::make_pair(2, 54);
}

Tree TreeOf(const std::vector<std::string>& paths) {
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

Project::Project() {
  Git(top_.path(), {"init", "--quiet", "project"});
  Git(top_.path(), {"init", "--quiet", "--bare", "remote.git"});
  Git(path(), {"remote", "add", "origin", "../remote.git"});
  MakeFile(File(".gitignore"), "/.claude/\n/node_modules\n");
  MakeFile(File("hook.sh"), kHook, 0755);
  Commit();
}

std::string Project::File(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

void Project::Commit() const {
  Git(path(), {"add", "--all"});
  Git(path(), {"-c", "core.hooksPath=/dev/null", "commit", "--quiet",
               "--allow-empty", "-m", "begin"});
}

void Project::AddLinked() const {
  Git(path(), {"-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet",
               "-b", "linked", Linked()});
}

ProcessOptions Project::Options(const std::string& directory) const {
  ProcessOptions options = In(directory.empty() ? path() : directory);
  options.env["LOG"] = Beside("log");
  for (const auto& [name, value] : env) options.env[name] = value;
  return options;
}

Result Project::Hooks(const Argv& arguments) const {
  Argv argv = {program, "hooks"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return Call(argv, Options());
}

void Project::MakeHooks(const std::string& directory,
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

std::string Project::Everyday() {
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
    absl::StrAppend(&told, "$ ", command, " # ", failing, "\n", result.end.code,
                    "\n", result.out, result.err, Contents(Beside("log")));
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

void Project::ExpectRefuses() const {
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

Tree HooksOf(const Project& project) {
  return TreeOf({project.File(".git/config"), project.File(".git/hooks"),
                 project.File(".git/o8lock/bin"),
                 project.File(".git/o8lock/hooks"), project.File(".githooks")});
}

Values ValuesOf(const Project& project) {
  const std::string git = Git(project.path(), {"version"});
  return {{"REPO", project.path()},
          {"GIT", std::string(absl::StripSuffix(
                      absl::StripPrefix(git, "git version "), "\n"))},
          {"VERSION", absl::StrReplaceAll(Call(O8lock({"--version"}), "/").out,
                                          {{"o8lock ", ""}, {"\n", ""}})}};
}

void ExpectInstalls(const Project& project) {
  const Result install = project.Hooks({"install"});
  EXPECT_EQ(install.end, Exited(0));
  EXPECT_EQ(install.err, "");
  EXPECT_THAT(install.out, ::testing::EndsWith(kSelfTest));
}

void ExpectUninstalls(const Project& project) {
  const Result uninstall = project.Hooks({"uninstall"});
  EXPECT_EQ(uninstall.end, Exited(0));
  EXPECT_EQ(uninstall.err, "");
  EXPECT_THAT(uninstall.out, ::testing::StartsWith("o8lock: hooks removed\n"));
}

}  // namespace o8lock
