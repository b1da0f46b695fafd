// SPDX-License-Identifier: Apache-2.0
//
// o8lock's hooks beside hook managers, with the git of PATH. npm downloads its
// managers, pre-commit comes from PATH, and a script imitates overcommit.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <ostream>
#include <regex>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/hooked_project.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kHooks = {"pre-commit", "commit-msg",
                                         "post-checkout", "pre-push"};

// The text for all hooks, joined by `between`: a copy of the template for each
// hook, with its name for {HOOK}.
std::string ForHooks(const std::string& what, absl::string_view between = "") {
  std::vector<std::string> texts;
  texts.reserve(kHooks.size());
  for (const std::string& hook : kHooks) {
    texts.push_back(Fill(what, {{"HOOK", hook}}));
  }
  return absl::StrJoin(texts, between);
}

struct Manager {
  std::string name;
  std::string program;    // in PATH
  std::string installer;  // a command line for sh, safe to repeat
  std::string file;       // its configuration
};

std::string ConfigOf(const Manager& manager) {
  if (manager.name == "lefthook") {
    return absl::StrCat(
        ForHooks(
            "{HOOK}:\n  jobs:\n    - run: ./hook.sh lefthook/{HOOK} {0}\n"),
        "      use_stdin: true\n");  // of the last one, pre-push
  }
  if (manager.name == "simple-git-hooks") {
    return absl::StrCat(
        R"({"name": "x", "version": "1.0.0", "simple-git-hooks": {)",
        ForHooks(R"("{HOOK}": "./hook.sh simple/{HOOK} \"$@\"")", ", "),
        "}}\n");
  }
  if (manager.name == "copies") {
    return ForHooks(
        "hooks=$(git rev-parse --git-path hooks)\n"
        "mkdir -p \"$hooks/old-hooks\"\n"
        "if [ -e \"$hooks/{HOOK}\" ] && ! grep -q copies "
        "\"$hooks/{HOOK}\"; then\n"
        "  mv \"$hooks/{HOOK}\" \"$hooks/old-hooks\"\n"
        "fi\n"
        "cat >\"$hooks/{HOOK}\" <<'END'\n"
        "#!/bin/sh\n"
        "./hook.sh copies/{HOOK} \"$@\"\n"
        "END\n"
        "chmod +x \"$hooks/{HOOK}\"\n");
  }
  // pre-commit names some stages differently from the hooks. It also consumes
  // the standard input, hence NO_INPUT.
  return absl::StrReplaceAll(
      "repos:\n- repo: local\n  hooks:\n" +
          ForHooks("  - id: x-{HOOK}\n"
                   "    name: x-{HOOK}\n"
                   "    language: system\n"
                   "    entry: sh -c 'NO_INPUT=1 ./hook.sh pre-commit/{HOOK} "
                   "$PRE_COMMIT_FROM_REF $PRE_COMMIT_TO_REF'\n"
                   "    always_run: true\n"
                   "    pass_filenames: false\n"
                   "    stages: [{HOOK}]\n"),
      {{"[pre-commit]", "[commit]"}, {"[pre-push]", "[push]"}});
}

const std::vector<Manager>& Managers() {
  static const auto* managers = new std::vector<Manager>{
      {"husky", "husky", "husky", ".husky"},
      {"lefthook", "lefthook", "lefthook install", "lefthook.yml"},
      {"simple-git-hooks", "simple-git-hooks", "simple-git-hooks",
       "package.json"},
      {"pre-commit", "pre-commit",
       "pre-commit install " + ForHooks("-t {HOOK}", " "),
       ".pre-commit-config.yaml"},
      // It moves existing hooks away and puts its own in their place.
      {"copies", "sh", "sh ./copies", "copies"},
  };
  return *managers;
}
void PrintTo(const Manager& manager, std::ostream* out) {
  *out << manager.name;
}

enum class Order { kBefore, kAfter };  // of the manager, relative to o8lock

class ManagersTest
    : public ::testing::TestWithParam<std::tuple<Manager, Order>> {
 protected:
  // Downloads the managers of npm once.
  static void SetUpTestSuite() {
    if (downloads_ != nullptr) return;
    downloads_ = std::make_unique<TempDir>();
    MakeFile(downloads_->File("package.json"),
             R"({"name": "x", "version": "1.0.0", "private": true})");
    ProcessOptions options = In(downloads_->path());
    options.env["HOME"] = downloads_->path();
    Process npm(
        {"npm", "install", "--no-audit", "--no-fund", "--ignore-scripts",
         "husky@9", "lefthook@2", "simple-git-hooks@2"},
        options);
    downloaded_ = npm.Wait(std::chrono::minutes(2)) == Exited(0);
    said_ = npm.err();
  }

  void SetUp() override {
    if (manager().name != "pre-commit" && manager().name != "copies" &&
        !downloaded_) {
      GTEST_SKIP() << "npm cannot install it: " << said_;
    }
    const Result found =
        Call(Shell("command -v " + manager().program), Made().Options());
    if (!(found.end == Exited(0))) {
      GTEST_SKIP() << "there is no " << manager().program << " in PATH";
    }
  }

  static const Manager& manager() {
    static Manager manager;
    manager = std::get<0>(GetParam());
    return manager;
  }

  // A project set up for the manager.
  struct Made : Project {
    Made() {
      env["PATH"] = absl::StrCat(Beside("bin"), ":", downloads_->path(),
                                 "/node_modules/.bin:", getenv("PATH"));
      env["HOME"] = Beside("home");
      env["NO_COLOR"] = "1";
      std::filesystem::create_directory(Beside("bin"));
      std::filesystem::create_symlink(Binary(), Beside("bin/o8lock"));
      if (manager().name == "husky") {
        std::filesystem::create_directory(File(".husky"));
        for (const std::string& hook : kHooks) {
          MakeFile(File(".husky/" + hook),
                   absl::StrCat("./hook.sh husky/", hook, " \"$@\"\n"));
        }
      } else {
        MakeFile(File(manager().file), ConfigOf(manager()));
      }
      std::filesystem::create_symlink(downloads_->File("node_modules"),
                                      File("node_modules"));
      Commit();
      AddLinked();
    }
    Result Install() const {
      return Call(Shell(manager().installer), Options());
    }
    void ExpectInstalledManager() const {
      const Result result = Install();
      EXPECT_EQ(result.end, Exited(0)) << result.out << result.err;
    }
    // Everyday() without durations.
    std::string Day() {
      return std::regex_replace(Everyday(), std::regex("[0-9.]+ seconds"), "");
    }
    // The configuration and all hooks, those of husky too, with relative paths.
    Tree All() const {
      Tree tree;
      for (const auto& [path, text] :
           TreeOf({File(".git/config"), File(".git/hooks"), File(".husky")})) {
        tree[absl::StrReplaceAll(path, {{Beside(""), ""}})] =
            absl::StrReplaceAll(text, {{Beside(""), ""}});
      }
      return tree;
    }
  };

  static std::unique_ptr<TempDir> downloads_;
  static bool downloaded_;
  static std::string said_;
};
std::unique_ptr<TempDir> ManagersTest::downloads_;
bool ManagersTest::downloaded_ = false;
std::string ManagersTest::said_;

TEST_P(ManagersTest, AreUnaffected) {
  Made without;
  without.ExpectInstalledManager();
  const std::string day = without.Day();
  for (const char* refusal : {"pre-commit", "commit-msg", "pre-push"}) {
    EXPECT_THAT(day, HasSubstr(absl::StrCat(refusal, " says no")));
  }
  without.ExpectInstalledManager();
  const Tree all = without.All();

  Made project;
  const bool before = std::get<1>(GetParam()) == Order::kBefore;
  if (before) project.ExpectInstalledManager();
  ExpectInstalls(project);
  if (!before) project.ExpectInstalledManager();
  EXPECT_EQ(project.Day(), day) << "while the lock is free";
  {
    Guarded run(project.path());
    project.ExpectRefuses();
    EXPECT_EQ(project.Day(), day) << "while it is taken";
    // pre-commit refuses to install hooks while core.hooksPath is set.
    EXPECT_EQ(project.Install().end,
              Exited(manager().name == "pre-commit" && !GitHasConfigHooks()));
    project.ExpectRefuses();
    EXPECT_EQ(project.Day(), day) << "when it was installed during a run";
    EXPECT_EQ(run.Finish(), Exited(0));
  }
  project.ExpectInstalledManager();
  EXPECT_EQ(project.Day(), day) << "when it was installed after the run";
  {
    Guarded run(project.path());
    project.ExpectRefuses();
  }
  ExpectUninstalls(project);
  EXPECT_EQ(project.All(), all);
}

// The lines printed for the manager's configuration file.
class PrintedLineTest : public ManagersTest {};

TEST_P(PrintedLineTest, IsRightAndEnough) {
  if (GitHasConfigHooks()) GTEST_SKIP() << "git needs none";
  if (manager().name == "copies") GTEST_SKIP() << "it has no file for users";
  Made project;
  project.ExpectInstalledManager();
  const Result install = project.Hooks({"install"});
  EXPECT_EQ(install.out,
            Golden("hooks_install_" + manager().name, ValuesOf(project)));
  const std::string printed =
      install.out.substr(install.out.find(":\n") + 2,
                         install.out.find("\no8lock: hooks: Program") -
                             install.out.find(":\n") - 1);
  const std::string lines =
      absl::StrReplaceAll(printed.substr(4), {{"\n    ", "\n"}});
  if (manager().name == "husky") {
    MakeFile(project.File(".husky/post-checkout"), lines);
  } else if (manager().name == "simple-git-hooks") {
    MakeFile(project.File("package.json"),
             absl::StrCat("{\"name\": \"x\", ", lines, "}"));
  } else {
    MakeFile(project.File(manager().file),
             manager().name == "lefthook" ? lines : "repos:\n" + lines);
  }
  project.Commit();
  project.ExpectInstalledManager();
  const Result status = project.Hooks({"status"});
  EXPECT_THAT(status.out, HasSubstr(absl::StrCat("\npost-checkout: called by ",
                                                 manager().name, "\n")));
  const Argv add = {"git", "worktree", "add", "-b", "new", "../new"};
  Process holder({"sleep", "1000"});
  std::filesystem::create_directory(project.File(".claude"));
  MakeFile(project.File(".claude/parallel.lock"),
           ExternalLockFile(holder.pid(), TimeText(absl::Now())));
  const Result refused = Call(add, project.Options());
  EXPECT_EQ(refused.end, Exited(1));
  EXPECT_THAT(refused.out + refused.err,
              HasSubstr("Rolled back: " + project.Beside("new") +
                        ", with its new branch new\n"));
  EXPECT_FALSE(Exists(project.Beside("new")));
  // Without o8lock in PATH the lines do no harm.
  std::filesystem::remove(project.File(".claude/parallel.lock"));
  std::filesystem::remove(project.Beside("bin/o8lock"));
  const Result added = Call(add, project.Options());
  EXPECT_EQ(added.end, Exited(0)) << added.out << added.err;
}

std::string NameOf(
    const ::testing::TestParamInfo<ManagersTest::ParamType>& info) {
  return absl::StrCat(
      absl::StrReplaceAll(std::get<0>(info.param).name, {{"-", ""}}),
      std::get<1>(info.param) == Order::kBefore ? "Before" : "After");
}

INSTANTIATE_TEST_SUITE_P(Hooks, ManagersTest,
                         ::testing::Combine(::testing::ValuesIn(Managers()),
                                            ::testing::Values(Order::kBefore,
                                                              Order::kAfter)),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(Hooks, PrintedLineTest,
                         ::testing::Combine(::testing::ValuesIn(Managers()),
                                            ::testing::Values(Order::kBefore)),
                         NameOf);

}  // namespace
}  // namespace o8lock
