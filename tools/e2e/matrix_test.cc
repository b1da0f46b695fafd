// SPDX-License-Identifier: Apache-2.0
//
// Tests each form of `git worktree add`. Under another run's lock the hooks
// refuse it and nothing remains; otherwise they allow it. All other git
// commands behave as without hooks. Uses the first git in PATH.
//
// A few directories are made once. All cases run in copies of these, always at
// the same path, so git's output can be compared exactly.
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/hooked_repository.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// 239 is git 2.39.
int GitVersion() {
  static const int version = [] {
    int major = 0;
    int minor = 0;
    const std::string text = Git("/", {"version"});
    EXPECT_EQ(sscanf(text.c_str(), "git version %d.%d", &major, &minor), 2)
        << text;
    return 100 * major + minor;
  }();
  return version;
}

// A range of git versions, inclusive; empty by default.
struct Versions {
  int first = 1;
  int last = 0;
  bool HaveThisGit() const {
    return first <= GitVersion() && GitVersion() <= last;
  }
};

// --- Forms of the command ---

// A script that adds one worktree. $TOP is the directory with all files, and
// $TOP/r is the repository.
struct Form {
  Form(std::string name, std::string add)
      : name(std::move(name)), add(std::move(add)) {}

  // A script to run in r before the hooks are installed.
  Form After(std::string script) const {
    Form form = *this;
    form.setup = std::move(script);
    return form;
  }
  // The directory in $TOP to run in, instead of r.
  Form In(std::string directory) const {
    Form form = *this;
    form.directory = std::move(directory);
    return form;
  }
  // The path of the worktree in $TOP, instead of wt.
  Form At(std::string new_target) const {
    Form form = *this;
    form.target = std::move(new_target);
    return form;
  }
  // The first git version with this form.
  Form Since(int version) const {
    Form form = *this;
    form.since = version;
    return form;
  }
  // The git versions in which the hooks do not refuse the form: git calls no
  // hook, or the hook does not recognise it as an add.
  Form NotRefusedIn(Versions versions) const {
    Form form = *this;
    form.not_refused = versions;
    return form;
  }
  // The files left by a refused add, in the format of Changes(). o8lock removes
  // them when the lock is free again, except `for_good`.
  Form Leaves(std::string changes, std::string for_good = "") const {
    Form form = *this;
    form.left = std::move(changes);
    form.left_for_good = std::move(for_good);
    return form;
  }

  std::string name;
  std::string add;
  std::string setup;
  std::string directory = "r";
  std::string target = "wt";
  int since = 0;
  Versions not_refused;
  std::string left;
  std::string left_for_good;
};

void PrintTo(const Form& form, std::ostream* out) { *out << form.add; }

// An existing branch, without a checkout: git calls no hook before 2.46.
constexpr Versions kNoCheckout = {229, 245};
// --orphan exists since 2.42, and called no hook in its first two versions.
constexpr Versions kOrphan = {242, 243};
// core.hooksPath on the command line overrides all hooks except config hooks.
constexpr Versions kNoConfigHooks = {229, 253};
// Left by all forms that do not begin by creating a branch: the directory of
// all worktrees, if it did not exist.
constexpr char kWorktrees[] = "+r/.git/worktrees";

constexpr Versions kAllVersions = {229, 999};

std::vector<Form> Forms() {
  const std::string linked = "git worktree add -q -b linked ../linked";
  const std::string bare =
      "git clone -q --bare ../o.git ../bare.git;"
      "git -C ../bare.git branch old";
  const std::string submodule =
      "git -c protocol.file.allow=always submodule --quiet add $TOP/o.git sub2;"
      "git -C sub2 branch old";
  const std::string separate =
      "git clone -q --separate-git-dir ../sep.git ../o.git ../sep;"
      "git -C ../sep branch old";
  const std::string reftable =
      "git clone -q --ref-format=reftable ../o.git ../table;"
      "git -C ../table branch old";
  const std::string sha256 =
      "git init -q --object-format=sha256 ../sha; cd ../sha;"
      "git commit -q --allow-empty -m one; git branch old";
  const std::string husky =
      "mkdir -p .husky/_; printf '#!/bin/sh\\n' > .husky/_/post-checkout;"
      "chmod +x .husky/_/post-checkout; git config core.hooksPath ";
  const std::string empty = "git init -q ../empty";
  std::vector<Form> forms = {
      // Different commits and branches.
      {"new_branch", "git worktree add -b new ../wt"},
      {"new_branch_of_a_commit", "git worktree add -b new ../wt v1"},
      // Before 2.53 git creates the folder before it calls the hook.
      Form("new_branch_in_a_folder", "git worktree add -b a/b/new ../wt")
          .Leaves(GitVersion() < 253 ? "+r/.git/refs/heads/a" : "",
                  GitVersion() < 253 ? "+r/.git/refs/heads/a" : ""),
      {"new_branch_by_force", "git worktree add -B new ../wt"},
      {"reset_branch", "git worktree add -B old ../wt main"},
      {"implied_branch", "git worktree add ../wt"},
      Form("implied_existing_branch", "git worktree add ../old")
          .At("old")
          .Leaves(kWorktrees),
      Form("existing_branch", "git worktree add ../wt old").Leaves(kWorktrees),
      Form("previous_branch", "git worktree add ../wt -").Leaves(kWorktrees),
      Form("detached", "git worktree add --detach ../wt").Leaves(kWorktrees),
      Form("detached_d", "git worktree add -d ../wt main").Leaves(kWorktrees),
      Form("commit", "git worktree add ../wt HEAD~1").Leaves(kWorktrees),
      Form("tag", "git worktree add ../wt v1").Leaves(kWorktrees),
      Form("annotated_tag", "git worktree add ../wt v2").Leaves(kWorktrees),
      Form("orphan", "git worktree add --orphan ../wt")
          .Since(242)
          .NotRefusedIn(kOrphan)
          .Leaves(kWorktrees),
      Form("orphan_new_branch", "git worktree add --orphan -b new ../wt")
          .Since(242)
          .NotRefusedIn(kOrphan)
          .Leaves(kWorktrees),
      Form("orphan_of_an_empty_repository", "git worktree add ../wt")
          .After(empty)
          .In("empty")
          .Since(242)
          .NotRefusedIn(kOrphan)
          .Leaves("+empty/.git/worktrees"),
      Form("locked", "git worktree add --lock ../wt old").Leaves(kWorktrees),
      Form("locked_with_reason",
           "git worktree add --lock --reason why -b new ../wt")
          .Since(233),
      {"track", "git worktree add --track -b new ../wt origin/feature"},
      {"no_track", "git worktree add --no-track -b new ../wt origin/feature"},
      {"branch_of_the_remote", "git worktree add ../wt feature"},
      Form("guess_remote", "git worktree add --guess-remote ../feature")
          .At("feature"),
      Form("guess_remote_by_configuration",
           "git -c worktree.guessRemote=true worktree add ../feature")
          .At("feature"),
      // Without a checkout.
      {"no_checkout_new_branch", "git worktree add --no-checkout -b new ../wt"},
      {"no_checkout_reset_branch",
       "git worktree add --no-checkout -B old ../wt main"},
      {"no_checkout_implied_branch", "git worktree add --no-checkout ../wt"},
      {"no_checkout_branch_of_the_remote",
       "git worktree add --no-checkout ../wt feature"},
      Form("no_checkout_existing_branch",
           "git worktree add --no-checkout ../wt old")
          .NotRefusedIn(kNoCheckout)
          .Leaves(kWorktrees),
      Form("no_checkout_implied_existing_branch",
           "git worktree add --no-checkout ../old")
          .At("old")
          .NotRefusedIn(kNoCheckout)
          .Leaves(kWorktrees),
      Form("no_checkout_previous_branch",
           "git worktree add --no-checkout ../wt -")
          .NotRefusedIn(kNoCheckout)
          .Leaves(kWorktrees),
      Form("no_checkout_locked",
           "git worktree add --no-checkout --lock ../wt old")
          .NotRefusedIn(kNoCheckout)
          .Leaves(kWorktrees),
      Form("no_checkout_detached",
           "git worktree add --no-checkout --detach ../wt")
          .Leaves(kWorktrees),
      Form("no_checkout_tag", "git worktree add --no-checkout ../wt v1")
          .Leaves(kWorktrees),
      // Forced, quiet, and other options.
      Form("checked_out_elsewhere", "git worktree add -f ../wt main")
          .Leaves(kWorktrees),
      Form("missing_one_replaced", "git worktree add -f ../wt old")
          .After("git worktree add -q ../wt old; rm -rf ../wt")
          .Leaves("-r/.git/worktrees/wt", "-r/.git/worktrees"),
      Form("missing_locked_one_replaced", "git worktree add -f -f ../wt old")
          .After("git worktree add -q --lock ../wt old; rm -rf ../wt")
          .Leaves("-r/.git/worktrees/wt", "-r/.git/worktrees"),
      {"quiet", "git worktree add -q -b new ../wt"},
      {"options_last", "git worktree add ../wt -b new"},
      {"after_dashes", "git worktree add -b new -- ../wt"},
      {"abbreviated_option", "git worktree add --quie -b new ../wt"},
      // Different paths.
      Form("deep", "git worktree add -b new ../deep/er/wt").At("deep/er/wt"),
      Form("deep_existing_branch", "git worktree add ../deep/er/wt old")
          .At("deep/er/wt")
          .Leaves(absl::StrCat("+deep ", kWorktrees)),
      Form("deep_existing_branch_from_a_subdirectory",
           "cd sub; git worktree add ../../deep/er/wt/ old")
          .At("deep/er/wt")
          .Leaves(absl::StrCat("+deep ", kWorktrees)),
      Form("empty_directory", "git worktree add -b new ../wt")
          .After("mkdir ../wt"),
      Form("empty_directory_existing_branch", "git worktree add ../wt old")
          .After("mkdir ../wt")
          .Leaves(absl::StrCat(kWorktrees, " -wt"), "-wt"),
      Form("here", "cd ../wt; git --git-dir=../r/.git worktree add . old")
          .After("mkdir ../wt")
          .Leaves(kWorktrees),
      {"absolute", "git worktree add -b new \"$TOP/wt\""},
      Form("inside", "git worktree add -b new .claude/worktrees/wt")
          .At("r/.claude/worktrees/wt"),
      Form("blanks", "git worktree add -b new \"../a b\"").At("a b"),
      Form("called_add", "git worktree add -b add ../add").At("add"),
      // Options before the command.
      Form("dash_C", "cd ..; git -C r worktree add -b new ../wt"),
      {"dash_c", "git -c a.b=c worktree add -b new ../wt"},
      Form("git_dir",
           "cd ..; git --git-dir=r/.git --work-tree=r worktree add -b new wt"),
      Form("git_dir_existing_branch",
           "cd ..; git --git-dir r/.git --work-tree r worktree add \"$TOP/wt\" "
           "old")
          .Leaves(kWorktrees),
      Form("git_dir_in_environment",
           "cd ..; GIT_DIR=$TOP/r/.git GIT_WORK_TREE=$TOP/r "
           "git worktree add -b new \"$TOP/wt\""),
      Form("git_dir_in_environment_existing_branch",
           "cd /; GIT_DIR=$TOP/r/.git GIT_WORK_TREE=$TOP/r "
           "git worktree add \"$TOP/wt\" old")
          .Leaves(kWorktrees),
      {"git_dir_in_environment_alone",
       "GIT_DIR=.git git worktree add -b new ../wt"},
      Form("git_dir_in_environment_relative",
           "cd ../o.git; GIT_DIR=../r/.git GIT_WORK_TREE=../r "
           "git worktree add -b new ../wt"),
      Form("git_dir_in_environment_relative_existing_branch",
           "GIT_DIR=.git GIT_WORK_TREE=. git worktree add ../wt old")
          .Leaves(kWorktrees),
      {"many_options",
       "git -p --no-pager --no-replace-objects --literal-pathspecs "
       "--no-optional-locks --namespace n --exec-path=\"$(git --exec-path)\" "
       "worktree add -b new ../wt"},
      Form("config_env", "X=y git --config-env a.b=X worktree add -b new ../wt")
          .Since(231),
      Form("attr_source", "git --attr-source HEAD worktree add -b new ../wt")
          .Since(243),
      Form("hooks_path_of_the_command",
           "git -c core.hooksPath=/dev/null worktree add -b new ../wt")
          .NotRefusedIn(kNoConfigHooks),
      // Different names.
      Form("alias", "git wta -b new ../wt")
          .After("git config alias.wta 'worktree add'"),
      Form("alias_existing_branch", "git wta ../wt old")
          .After("git config alias.wta 'worktree add'")
          .Leaves(kWorktrees),
      Form("alias_of_a_word", "git w add -b new ../wt")
          .After("git config alias.w worktree"),
      Form("nested_alias", "git two ../wt")
          .After("git config alias.one 'worktree add -b new';"
                 "git config alias.two 'one -q'"),
      {"alias_of_the_command",
       "git -c alias.zz='worktree add' zz -b new ../wt"},
      Form("shell_alias", "git sh -b new ../wt")
          .After("git config alias.sh '!git worktree add'"),
      Form("shell_function_alias", "git f ../wt old")
          .After("git config alias.f '!f() { git worktree add \"$@\"; }; f'")
          .Leaves(kWorktrees),
      {"corrected", "git -c help.autocorrect=-1 worktre add -b new ../wt"},
      Form("corrected_existing_branch",
           "git -c help.autocorrect=-1 wroktree add ../wt old")
          .Leaves(kWorktrees),
      {"dashed", "\"$(git --exec-path)/git-worktree\" add -b new ../wt"},
      Form("dashed_existing_branch",
           "\"$(git --exec-path)/git-worktree\" add ../wt old")
          .Leaves(kWorktrees),
      Form("symbolic_link", "../g worktree add -b new ../wt")
          .After("ln -s \"$(command -v git)\" ../g"),
      Form("symbolic_link_existing_branch", "../g worktree add ../wt old")
          .After("ln -s \"$(command -v git)\" ../g")
          .Leaves(kWorktrees),
      {"another_argv0", "bash -c 'exec -a mine git worktree add -b new ../wt'"},
      Form("another_argv0_existing_branch",
           "bash -c 'exec -a mine git worktree add ../wt old'")
          .Leaves(kWorktrees),
      // git corrects names that are too different for o8lock to recognise.
      Form("corrected_from_afar",
           "git -c help.autocorrect=-1 wrktr add -b new ../wt")
          .NotRefusedIn(kAllVersions),
      Form("program_of_another_name", "../mine worktree add -b new ../wt")
          .After("cp \"$(command -v git)\" ../mine")
          .NotRefusedIn(kAllVersions),
      // Different callers.
      {"no_environment", "env -i PATH=\"$PATH\" git worktree add -b new ../wt"},
      {"session_of_its_own", "setsid -w git worktree add -b new ../wt"},
      {"run_of_another_lock",
       "cd ..; \"$O8LOCK\" -- git -C r worktree add -b new ../wt"},
      {"timeout", "timeout 20 git worktree add -b new ../wt"},
      {"german",
       "LC_ALL=C.UTF-8 LANG=de_DE.UTF-8 LANGUAGE=de "
       "git worktree add -b new ../wt"},
      Form("german_existing_branch",
           "LC_ALL=C.UTF-8 LANG=de_DE.UTF-8 LANGUAGE=de "
           "git worktree add ../wt old")
          .Leaves(kWorktrees),
      // Different directories.
      Form("subdirectory", "git worktree add -b new ../../wt").In("r/sub"),
      Form("subdirectory_existing_branch", "git worktree add ../../wt old")
          .In("r/sub")
          .Leaves(kWorktrees),
      Form("git_directory", "git worktree add -b new \"$TOP/wt\"").In("r/.git"),
      Form("linked_worktree", "git worktree add -b new ../wt")
          .After(linked)
          .In("linked"),
      Form("linked_worktree_existing_branch", "git worktree add ../wt old")
          .After(linked)
          .In("linked"),
      Form("linked_worktree_detached", "git worktree add -d ../wt")
          .After(linked)
          .In("linked"),
      Form("linked_worktree_no_checkout",
           "git worktree add --no-checkout ../wt old")
          .After(linked)
          .In("linked")
          .NotRefusedIn(kNoCheckout),
      Form("linked_worktree_orphan", "git worktree add --orphan ../wt")
          .After(linked)
          .In("linked")
          .Since(242)
          .NotRefusedIn(kOrphan),
      Form("linked_locked_worktree", "git worktree add ../wt old")
          .After(linked + "; git worktree lock --reason initializing ../linked")
          .In("linked"),
      Form("detached_head", "git worktree add ../wt -b new")
          .After("git checkout -q --detach"),
      // Different repositories.
      Form("bare", "git worktree add -b new ../wt").After(bare).In("bare.git"),
      Form("bare_existing_branch", "git worktree add ../wt old")
          .After(bare)
          .In("bare.git")
          .Leaves("+bare.git/worktrees"),
      Form("bare_detached", "git worktree add -d ../wt")
          .After(bare)
          .In("bare.git")
          .Leaves("+bare.git/worktrees"),
      Form("bare_no_checkout", "git worktree add --no-checkout ../wt old")
          .After(bare)
          .In("bare.git")
          .NotRefusedIn(kNoCheckout)
          .Leaves("+bare.git/worktrees"),
      Form("bare_behind_a_file", "git worktree add -b new wt")
          .After("mkdir ../shop; git clone -q --bare ../o.git ../shop/.bare;"
                 "echo gitdir: ./.bare > ../shop/.git")
          .In("shop")
          .At("shop/wt"),
      Form("bare_behind_a_file_existing_branch", "git worktree add wt feature")
          .After("mkdir ../shop; git clone -q --bare ../o.git ../shop/.bare;"
                 "echo gitdir: ./.bare > ../shop/.git")
          .In("shop")
          .At("shop/wt")
          .Leaves("+shop/.bare/worktrees"),
      Form("submodule", "git worktree add -b new ../../wt")
          .After(submodule)
          .In("r/sub2"),
      Form("submodule_existing_branch", "git worktree add ../../wt old")
          .After(submodule)
          .In("r/sub2")
          .Leaves("+r/.git/modules/sub2/worktrees"),
      Form("separate_git_dir", "git worktree add -b new ../wt")
          .After(separate)
          .In("sep"),
      Form("separate_git_dir_existing_branch", "git worktree add ../wt old")
          .After(separate)
          .In("sep")
          .Leaves("+sep.git/worktrees"),
      Form("reftable", "git worktree add -b new ../wt")
          .After(reftable)
          .In("table")
          .Since(245),
      Form("reftable_existing_branch", "git worktree add ../wt old")
          .After(reftable)
          .In("table")
          .Since(245)
          .Leaves("+table/.git/worktrees"),
      Form("reftable_detached", "git worktree add -d ../wt")
          .After(reftable)
          .In("table")
          .Since(245)
          .Leaves("+table/.git/worktrees"),
      Form("reftable_no_checkout", "git worktree add --no-checkout ../wt old")
          .After(reftable)
          .In("table")
          .Since(245)
          .NotRefusedIn(kNoCheckout)
          .Leaves("+table/.git/worktrees"),
      Form("reftable_orphan", "git worktree add --orphan ../wt")
          .After(reftable)
          .In("table")
          .Since(245)
          .Leaves("+table/.git/worktrees"),
      Form("sha256", "git worktree add -b new ../wt").After(sha256).In("sha"),
      Form("sha256_existing_branch", "git worktree add ../wt old")
          .After(sha256)
          .In("sha")
          .Leaves("+sha/.git/worktrees"),
      Form("worktree_configuration", "git worktree add -b new ../wt")
          .After("git config extensions.worktreeConfig true"),
      Form("worktree_configuration_existing_branch",
           "git worktree add ../wt old")
          .After(linked + "; git config extensions.worktreeConfig true;"
                          "git config --worktree a.b c")
          .In("linked"),
      Form("sparse", "git worktree add -b new ../wt")
          .After(
              "git sparse-checkout init --cone; git sparse-checkout set sub"),
      Form("sparse_existing_branch", "git worktree add ../wt old")
          .After("git sparse-checkout init --cone; git sparse-checkout set sub")
          .Leaves(kWorktrees),
      Form("packed_refs", "git worktree add -b new ../wt")
          .After("git pack-refs --all"),
      Form("packed_refs_existing_branch", "git worktree add ../wt old")
          .After("git pack-refs --all")
          .Leaves(kWorktrees),
      Form("no_reflogs", "git worktree add -b new ../wt")
          .After("git config core.logAllRefUpdates false"),
      Form("no_reflogs_existing_branch", "git worktree add ../wt old")
          .After("git config core.logAllRefUpdates false")
          .Leaves(kWorktrees),
      // The setting for relative paths stays in the configuration.
      Form("relative_paths", "git worktree add --relative-paths -b new ../wt")
          .Since(248),
      Form("relative_paths_existing_branch",
           "git worktree add --relative-paths ../wt old")
          .Since(248)
          .Leaves(absl::StrCat("~r/.git/config ", kWorktrees),
                  "~r/.git/config"),
      Form("relative_paths_by_configuration", "git worktree add -b new ../wt")
          .After("git config worktree.useRelativePaths true")
          .Since(248),
      // Hooks managed by other programs.
      Form("hooks_path", "git worktree add -b new ../wt")
          .After(husky + "\"$TOP/r/.husky/_\""),
      Form("hooks_path_existing_branch", "git worktree add ../wt old")
          .After(husky + "\"$TOP/r/.husky/_\"")
          .Leaves(kWorktrees),
      Form("hooks_path_relative", "git worktree add -b new ../wt")
          .After(husky + ".husky/_"),
      Form("hooks_path_relative_existing_branch", "git worktree add ../wt old")
          .After(husky + ".husky/_")
          .Leaves(kWorktrees),
      Form("hooks_path_relative_detached", "git worktree add -d ../wt")
          .After(husky + ".husky/_")
          .Leaves(kWorktrees),
      Form("hooks_path_relative_linked_worktree",
           "git worktree add -b new ../wt")
          .After(absl::StrCat(husky, ".husky/_;", linked))
          .In("linked"),
      Form("hooks_path_relative_linked_worktree_existing_branch",
           "git worktree add ../wt old")
          .After(absl::StrCat(husky, ".husky/_;", linked))
          .In("linked"),
      // Before 2.54 this overrides o8lock's hooks, and `hooks install` says so.
      Form("hooks_path_of_the_worktree", "git worktree add -b new ../wt")
          .After("git config extensions.worktreeConfig true;"
                 "git config --worktree core.hooksPath .husky/_")
          .Since(254),
  };
  return forms;
}

// --- Other commands ---

// A script of git commands that o8lock must not affect.
struct Operation {
  std::string name;
  std::string script;  // run in $TOP/r
  // Whether the short form also tests it with other hooks and a broken o8lock.
  bool typical = false;
  int since = 0;
};

void PrintTo(const Operation& operation, std::ostream* out) {
  *out << operation.script;
}

constexpr bool kTypical = true;

std::vector<Operation> Operations() {
  return {
      {"commit", "echo 3 > a; git add a; git commit -m three", kTypical},
      {"commit_all_amended", "echo 3 > a; git commit -a --amend -m two2"},
      {"commit_words_of_ours",
       "git commit --allow-empty -m 'git worktree add'"},
      {"commit_fixup_squashed",
       "echo 3 > a; git commit -qam three; echo 4 > a;"
       "git commit -qa --fixup HEAD;"
       "GIT_SEQUENCE_EDITOR=: git rebase -i --autosquash HEAD~2"},
      {"branch",
       "git branch x; git branch -c x y; git branch -m x z; git branch -d y;"
       "git branch --list; git branch -f z v1; git branch -D z"},
      {"branch_words_of_ours",
       "git branch add; git branch worktree; git branch worktree-add;"
       "git checkout add && git checkout worktree && git branch -D add"},
      {"branch_upstream",
       "git branch -u origin/main; git branch -vv; git branch "
       "--unset-upstream"},
      {"checkout", "git checkout old; git checkout -; git checkout v1",
       kTypical},
      {"checkout_new",
       "git checkout -b x; git checkout -B x v1; "
       "git checkout --detach; git checkout --orphan y"},
      {"checkout_files",
       "echo 9 > a; git checkout a; git checkout v1 -- a; git checkout "
       "feature"},
      {"switch",
       "git switch old; git switch -; git switch -c x; git switch -d v1;"
       "git switch --orphan y"},
      {"fetch", "git fetch", kTypical},
      {"fetch_many",
       "git fetch --tags --prune origin '+refs/*:refs/copy/*'; git fetch "
       "--all"},
      {"pull", "git branch -q -u origin/main; git pull --ff-only"},
      {"pull_rebase",
       "git branch -q -u origin/main; git commit -q --allow-empty -m e;"
       "echo 3 > b; git add b; git commit -qm b; git pull --rebase"},
      {"rebase", "git rebase main topic", kTypical},
      {"rebase_interactive",
       "git checkout -q topic;"
       "GIT_SEQUENCE_EDITOR='sed -i 2s/pick/squash/' GIT_EDITOR=: "
       "git rebase -i main"},
      {"rebase_onto", "git rebase --onto main topic~1 topic"},
      {"rebase_update_refs",
       "git branch middle topic~1; git rebase --update-refs main topic", false,
       238},
      {"rebase_merges",
       "git checkout -q topic; git merge -q --no-ff -m m old clash;"
       "git rebase --rebase-merges main"},
      {"rebase_aborted",
       "git rebase main clash; git status; git rebase --abort"},
      {"rebase_continued",
       "git rebase main clash; echo both > a; git add a;"
       "GIT_EDITOR=: git rebase --continue"},
      {"rebase_autostash",
       "git checkout -q topic; echo x > .gitignore; git rebase --autostash "
       "main"},
      {"rebase_exec",
       "git rebase --exec 'git worktree list' --exec 'git branch -f x' main "
       "topic"},
      {"merge", "git merge topic -m merge", kTypical},
      {"merge_fast_forward", "git checkout -q old; git merge main"},
      {"merge_octopus",
       "git branch u topic~1; git branch v old; git merge --no-ff -m m u v"},
      {"merge_aborted",
       "git merge clash; git merge --abort; git merge --squash topic"},
      {"cherry_pick", "git cherry-pick topic~2..topic; git cherry-pick topic"},
      {"cherry_pick_aborted", "git cherry-pick clash; git cherry-pick --abort"},
      {"revert", "git revert --no-edit HEAD; git revert --no-edit HEAD"},
      {"stash",
       "echo 9 > a; git stash; git stash list; git stash pop; git stash push "
       "-m add; git stash branch x",
       kTypical},
      {"stash_untracked",
       "echo 9 > n; git stash -u; git stash apply; git stash drop; "
       "git stash clear"},
      {"reset",
       "git reset --soft HEAD~1; git reset; git reset --hard; "
       "git reset --hard topic; git reset --keep main"},
      {"restore",
       "echo 9 > a; git add a; git restore --staged a; git restore a;"
       "git restore -s v1 a; git rm -q sub/b; git mv a c"},
      {"tag", "git tag x; git tag -a -m y y; git tag -f x v1; git tag -d x"},
      {"notes",
       "git notes add -m add; git notes append -m more; git notes show;"
       "git notes copy HEAD v1; git notes remove"},
      {"gc", "git gc -q --prune=now; git repack -adq; git prune; git fsck"},
      {"pack_refs", "git pack-refs --all; git branch x; git branch -D old"},
      {"maintenance", "git maintenance run --task=gc --task=commit-graph",
       false, 230},
      {"reflog",
       "git reflog; git reflog expire --expire=all --all; git reflog delete "
       "HEAD@{0}"},
      // Without `git bisect log`: beside any hook for reference-transaction,
      // git 2.53 writes zeros into it.
      {"bisect",
       "git bisect start topic v1; git bisect run test ! -f t;"
       "git bisect reset"},
      {"submodule",
       "git -c protocol.file.allow=always submodule add $TOP/o.git add;"
       "git commit -qm s; git submodule foreach git branch x;"
       "git submodule deinit -f add;"
       "git -c protocol.file.allow=always submodule update --init;"
       "git -C add checkout -q HEAD~1; git submodule update --recursive"},
      {"clone",
       "git clone . ../c1; git clone -q --bare . ../c2.git;"
       "git clone -q --branch topic --depth 1 \"file://$TOP/r\" ../c3"},
      {"clone_with_submodule",
       "git -c protocol.file.allow=always clone --recurse-submodules . ../c4"},
      {"init", "git init; git init ../i; git init --bare ../i.git"},
      {"push",
       "git push origin topic; git push -f origin v1:topic;"
       "git push origin --delete topic; git push --all origin; git push --tags;"
       "git push origin main",
       kTypical},
      {"push_to_us",
       "git config receive.denyCurrentBranch updateInstead;"
       "git -C ../other push $TOP/r HEAD:main HEAD:x v3;"
       "git -C ../other push $TOP/r :old",
       kTypical},
      {"fetch_from_us", "git -C ../other fetch $TOP/r '+refs/*:refs/r/*'"},
      {"remote",
       "git remote add add ../other; git fetch -q add; git remote rename add "
       "worktree; git remote update --prune; git remote set-head -a origin;"
       "git remote remove worktree"},
      {"am", "git am ../patch; git am ../patch; git am --abort", kTypical},
      {"apply", "git apply --index ../patch; git format-patch -o .. HEAD~1"},
      {"sparse_checkout",
       "git sparse-checkout init --cone; git sparse-checkout set sub;"
       "git checkout -q topic; git sparse-checkout disable"},
      {"fast_import",
       "git fast-export topic | sed s,refs/heads/topic,refs/heads/imported, |"
       "git fast-import --quiet"},
      {"filter_branch",
       "git filter-branch -f --msg-filter 'sed s/^/x/' topic >../log"},
      {"replace",
       "git replace topic main; git log --format=%s topic; git replace -d "
       "$(git rev-parse topic)"},
      {"bundle",
       "git bundle create -q ../bundle --all; git fetch ../bundle "
       "'+refs/heads/*:refs/b/*'"},
      {"update_ref",
       "git update-ref refs/heads/x HEAD; git update-ref refs/heads/x v1 HEAD;"
       "git update-ref refs/heads/x HEAD main; git update-ref -d refs/heads/x;"
       "git update-ref --no-deref HEAD v1"},
      {"update_10000_refs",
       "git -c core.logAllRefUpdates=false update-ref --stdin <../refs"},
      {"symbolic_ref",
       "git symbolic-ref refs/heads/s refs/heads/old; git symbolic-ref HEAD "
       "refs/heads/topic; git symbolic-ref -d refs/heads/s"},
      {"refs_migrated",
       "git worktree remove ../linked; git worktree remove -f "
       "-f ../locked; git refs migrate --ref-format=reftable",
       false, 248},
      {"worktree_list",
       "git worktree list; git worktree list --porcelain; git worktree"},
      {"worktree_lock",
       "git worktree lock ../linked; git worktree unlock ../linked;"
       "git worktree unlock ../locked"},
      {"worktree_move", "git worktree move ../linked ../moved", kTypical},
      {"worktree_remove",
       "git worktree remove ../linked; git branch -D linked;"
       "git worktree remove ../locked; git worktree remove -f -f ../locked",
       kTypical},
      {"worktree_prune", "rm -rf ../linked; git worktree prune -v"},
      {"worktree_repair", "mv ../linked ../moved; git worktree repair ../moved",
       false, 230},
      {"worktree_not_to_be_added",
       "git worktree add; git worktree add ../wt nowhere;"
       "git worktree add ../wt main; git worktree add -b old ../wt"},
      {"worktree_of_another_repository",
       "cd ../other; git worktree add -b new ../wt; git worktree add ../wt2 "
       "more; git -C $TOP/other worktree add -d ../wt3",
       kTypical},
      {"work_in_a_linked_worktree",
       "cd ../linked; echo l > l; git add l; git commit -m l; git checkout -b "
       "x;"
       "git rebase main; git reset --hard HEAD~1; git checkout --detach;"
       "git switch linked; git stash; git merge topic -m m; git branch new",
       kTypical},
      {"work_in_a_locked_worktree",
       "cd ../locked; echo l > l; git add l; git commit -m l; git checkout -b "
       "x;"
       "git rebase main; git reset --hard HEAD~1; git update-ref HEAD v1;"
       "git symbolic-ref HEAD refs/heads/locked; git reset -q; git branch new"},
      {"hook_that_calls_git",
       "hooks=$(git rev-parse --git-path hooks);"
       "printf '#!/bin/sh\\ngit branch -f hooked\\n' > $hooks/post-commit;"
       "chmod +x $hooks/post-commit; git commit --allow-empty -m three"},
      {"alias",
       "git config alias.add2 'branch add'; git add2; git config alias.wt "
       "'!git worktree list; git branch x'; git wt;"
       "git -c alias.worktrees='notes add -m x' worktrees"},
      {"corrected",
       "git -c help.autocorrect=-1 brnach add; git -c help.autocorrect=-1 "
       "worktre list"},
      {"git_dir",
       "cd /; GIT_DIR=$TOP/r/.git GIT_WORK_TREE=$TOP/r git commit -qm x "
       "--allow-empty; git --git-dir $TOP/r/.git branch x;"
       "cd $TOP; GIT_DIR=r/.git git branch y; git -C r/.git branch z"},
      {"arguments_of_ours",
       "git branch 'git' worktree; git log --format=%s --grep 'git worktree "
       "add'; git config a.b 'git worktree add'; git tag -m 'worktree add' "
       "worktree; sh -c 'git branch \"$2\"' worktree add x;"
       "git commit --allow-empty -m worktree -m add -- ; git grep worktree "
       "add"},
  };
}

// --- The test directories ---

// The files for every form. The tests copy them hundreds of times, so there are
// no sample hooks, and the objects are in packs.
constexpr char kRepository[] = R"(
git init -q --bare -b main o.git
git init -q -b main r
cd r
mkdir sub
echo 1 > a
echo 1 > sub/b
echo /.claude/worktrees/ > .gitignore
git add .
git commit -qm one
git tag v1
git branch old
echo 2 > a
git commit -qam two
git tag -m two v2
git checkout -q old
git checkout -q main
git remote add origin ../o.git
git push -q origin main main:feature
git remote set-head origin main
rm .git/hooks/* ../o.git/hooks/*
git config maintenance.auto false
git -C ../o.git config maintenance.auto false
git repack -adq
git -C ../o.git repack -adq
)";

// Additional files for every operation.
constexpr char kMore[] = R"(
git checkout -q -b topic v1
echo 1 > t
git add t
git commit -qm t1
echo 2 > t
git commit -qam t2
git checkout -q -b clash v1
echo clash > a
git commit -qam clash
git checkout -q main
git format-patch -q -1 --stdout topic~1 > ../patch
git worktree add -q -b linked ../linked v1
git worktree add -q -b locked ../locked
git worktree lock --reason initializing ../locked
head=$(git rev-parse HEAD)
seq -f "create refs/many/%g $head" 10000 > ../refs
git clone -q ../o.git ../other
cd ../other
git config maintenance.auto false
git tag v3
echo o > o
git add o
git commit -qm o
git push -q origin main main:more v3
rm .git/hooks/*
git repack -adq
git -C ../r repack -adq
git -C ../o.git repack -adq
)";

// Creates a script for every hook in the directory $hooks. The scripts log
// their calls.
constexpr char kHooks[] = R"(
mkdir -p $hooks
cat > $hooks/log <<'END'
#!/bin/sh
name=${0##*/}
echo "${name%.before-o8lock} $*, $(cksum), $PWD, GIT_DIR=$GIT_DIR" >> $TOP/hooks.log
END
chmod +x $hooks/log
for hook in applypatch-msg pre-applypatch post-applypatch pre-commit \
    pre-merge-commit prepare-commit-msg commit-msg post-commit pre-rebase \
    post-checkout post-merge pre-push pre-receive update post-receive \
    post-update reference-transaction post-rewrite; do
  cp $hooks/log $hooks/$hook
done
)";

// The owner of the hooks before o8lock's installation.
struct Manager {
  std::string name;
  std::string setup;
};

std::vector<Manager> Managers() {
  return {{"Nobody", ""},
          {"Git", absl::StrCat("hooks=.git/hooks", kHooks)},
          {"Husky", absl::StrCat("hooks=.husky/_", kHooks,
                                 "git config core.hooksPath .husky/_\n"
                                 "echo '*' > .husky/_/.gitignore\n")}};
}

// All names below a directory, each with its kind and content.
using Tree = std::map<std::string, std::string>;

Tree TreeOf(const std::string& directory) {
  namespace fs = std::filesystem;
  Tree tree;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    // Not fs::relative(): it follows symbolic links.
    std::string& what = tree[entry.path().lexically_relative(directory)];
    if (entry.is_symlink()) {
      what = absl::StrCat("link to ", fs::read_symlink(entry).string());
    } else if (entry.is_directory()) {
      what = "directory";
    } else {
      what = absl::StrCat(static_cast<int>(entry.status().permissions()), " ",
                          Contents(entry.path()));
    }
  }
  return tree;
}

// Without o8lock's own files.
Tree GitsTreeOf(const std::string& directory) {
  Tree tree = TreeOf(directory);
  for (auto entry = tree.begin(); entry != tree.end();) {
    const std::string path = absl::StrCat("/", entry->first, "/");
    const bool ours = absl::StrContains(path, "/o8lock/") ||
                      (absl::StrContains(path, "/.claude/") &&
                       !absl::StrContains(path, "/.claude/worktrees/"));
    entry = ours ? tree.erase(entry) : std::next(entry);
  }
  return tree;
}

// Makes `directory` equal to `model`. Keeps files that are already equal:
// removing and creating thousands of files is slow, and very slow on ext4.
void MakeAs(const std::string& model, const std::string& directory) {
  namespace fs = std::filesystem;
  const Tree wanted = TreeOf(model);
  for (const auto& [name, what] : TreeOf(directory)) {
    const auto found = wanted.find(name);
    if (found == wanted.end() || found->second != what) {
      fs::remove_all(fs::path(directory) / name);
    }
  }
  for (const auto& [name, what] : wanted) {
    const fs::path from = fs::path(model) / name;
    const fs::path to = fs::path(directory) / name;
    if (Exists(to)) continue;
    if (fs::is_symlink(from)) {
      fs::copy_symlink(from, to);
    } else if (fs::is_directory(from)) {
      fs::create_directory(to, from);
    } else {
      fs::copy_file(from, to);
    }
  }
  // o8lock compares these times to detect changed hooks.
  for (const auto& [name, what] : wanted) {
    if (what != "directory") continue;
    fs::last_write_time(fs::path(directory) / name,
                        fs::last_write_time(fs::path(model) / name));
  }
}

// The names that are new (+), missing (-) or changed (~) in `after`. Omits
// names below a directory already listed.
std::string Changes(const Tree& before, const Tree& after) {
  std::map<std::string, char> changes;
  for (const auto& [name, what] : before) {
    const auto found = after.find(name);
    if (found == after.end()) {
      changes[name] = '-';
    } else if (found->second != what) {
      changes[name] = '~';
    }
  }
  for (const auto& [name, what] : after) {
    if (before.count(name) == 0) changes[name] = '+';
  }
  std::vector<std::string> shown;
  for (const auto& [name, sign] : changes) {
    const std::string parent = std::filesystem::path(name).parent_path();
    if (changes.count(parent) == 0) {
      shown.push_back(absl::StrCat(std::string(1, sign), name));
    }
  }
  return absl::StrJoin(shown, " ");
}

class MatrixTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = new TempDir;
    // A program in a build tree would be copied into every repository.
    std::filesystem::copy(Binary(), Program());
  }
  static void TearDownTestSuite() { delete directory_; }

  void SetUp() override {
    if (GitVersion() < 229) {
      GTEST_SKIP() << "o8lock has no hooks for git before 2.29";
    }
  }

  static std::string Program() { return directory_->File("o8lock"); }
  static std::string Top() { return directory_->File("top"); }
  static std::string Path(const std::string& name) {
    return absl::StrCat(Top(), "/", name);
  }

  // Runs `argv` in `directory`, a path in $TOP.
  static Result Run(const Argv& argv, const std::string& directory = "r") {
    ProcessOptions options = In(Path(directory));
    options.env["TOP"] = Top();
    options.env["PROGRAM"] = Program();
    options.env["FILTER_BRANCH_SQUELCH_WARNING"] = "1";
    options.env["GIT_AUTHOR_DATE"] = "1700000000 +0000";
    options.env["GIT_COMMITTER_DATE"] = "1700000001 +0000";
    return Call(argv, options);
  }

  static void Prepare(const std::string& script,
                      const std::string& directory = "r") {
    const Result result = Run(Shell("set -e\n" + script), directory);
    ASSERT_EQ(result.end, Exited(0)) << script << result.out << result.err;
  }

  static void Install(const std::string& directory = "r") {
    const Result result = Run({Program(), "hooks", "install"}, directory);
    ASSERT_EQ(result.end, Exited(0)) << result.out << result.err;
    EXPECT_THAT(
        result.out,
        AnyOf(EndsWith("git refused a worktree during another run: ok\n"),
              EndsWith("skipped, because the repository has no commit yet\n")));
  }

  // Restores $TOP as `make` has created it. Calls `make` only the first time.
  template <typename Make>
  static void Begin(const std::string& name, Make make) {
    const std::string saved = directory_->File("saved_" + name);
    if (!Exists(saved)) {
      std::filesystem::remove_all(Top());
      make();
      std::filesystem::create_directory(saved);
      MakeAs(Top(), saved);
    } else {
      std::filesystem::create_directory(Top());
      MakeAs(saved, Top());
    }
  }

 private:
  inline static TempDir* directory_ = nullptr;
};

class AddTest : public MatrixTest, public testing::WithParamInterface<Form> {
 protected:
  void SetUp() override {
    MatrixTest::SetUp();
    if (IsSkipped()) return;
    if (GitVersion() < form_.since) {
      GTEST_SKIP() << "not in git " << GitVersion() << ", only since "
                   << form_.since;
    }
    const auto repository = [] {
      std::filesystem::create_directory(Top());
      Prepare(kRepository, "");
    };
    if (form_.setup.empty()) {
      Begin("installed", [&] {
        repository();
        Install();
      });
    } else {
      Begin("plain", repository);
      Prepare(form_.setup);
      Install(form_.directory);
    }
  }

  void ExpectAdded(const Result& result) {
    EXPECT_EQ(result.end, Exited(0)) << result.err;
    EXPECT_THAT(result.err, Not(HasSubstr("refused")));
    EXPECT_TRUE(Exists(Path(form_.target + "/.git")));
  }

  const Form form_ = GetParam();
};

TEST_P(AddTest, IsRefusedUnderAnotherRunsLockAndNotAfterwards) {
  Guarded holder(Path(form_.directory));
  // In the same tick as the acquisition, an add that may have made its branch
  // is not refused but rolled back.
  WaitForAnotherTick();
  const Tree before = GitsTreeOf(Top());
  const Result add = Run(Shell(form_.add), form_.directory);
  if (form_.not_refused.HaveThisGit()) {
    ExpectAdded(add);
    return;
  }
  EXPECT_FALSE(add.end.signaled);
  EXPECT_THAT(add.end.code, AnyOf(1, 128, 255)) << add.err;
  const std::string refusal = absl::StrCat(
      "Error: Another parallel execution is in progress (PID: ", holder.pid(),
      ")\n");
  EXPECT_EQ(Count(add.err, refusal), 1) << add.err;
  EXPECT_EQ(Count(add.err, "\ngit worktree add refused: "), 1) << add.err;
  EXPECT_EQ(Changes(before, GitsTreeOf(Top())), form_.left);

  EXPECT_EQ(holder.Finish(), Exited(0));
  EXPECT_EQ(holder.err(), "");
  EXPECT_EQ(Changes(before, GitsTreeOf(Top())), form_.left_for_good);
  ExpectAdded(Run(Shell(form_.add), form_.directory));
}

TEST_P(AddTest, IsAllowedUnderOnesOwnLock) {
  ExpectAdded(Run(Locked({}, form_.add), form_.directory));
}

INSTANTIATE_TEST_SUITE_P(, AddTest, testing::ValuesIn(Forms()),
                         [](const auto& info) { return info.param.name; });

class OperationTest : public MatrixTest,
                      public testing::WithParamInterface<Operation> {
 protected:
  // The result of an operation.
  struct Outcome {
    Result result;
    std::string state;
  };

  void SetUp() override {
    MatrixTest::SetUp();
    if (IsSkipped()) return;
    if (GitVersion() < operation_.since) {
      GTEST_SKIP() << "not in git " << GitVersion() << ", only since "
                   << operation_.since;
    }
  }

  static void BeginWithoutHooks(const Manager& manager) {
    Begin(manager.name, [&] {
      std::filesystem::create_directory(Top());
      Prepare(absl::StrCat(kRepository, kMore), "");
      Prepare(manager.setup);
    });
  }

  static void BeginWithHooks(const Manager& manager) {
    Begin(manager.name + "_installed", [&] {
      BeginWithoutHooks(manager);
      Install();
      // The installation's self-test calls hooks.
      std::filesystem::remove(Path("hooks.log"));
    });
  }

  Outcome Operate() const {
    const Result result = Run(Shell(operation_.script));
    const Result state = Run(Shell(R"(
        git for-each-ref | grep -v refs/many
        git for-each-ref refs/many | cksum
        git symbolic-ref HEAD
        git rev-parse HEAD
        git worktree list --porcelain
        git -C ../linked status --porcelain --branch
        git status --porcelain --branch
        git stash list
        git reflog --all
        git config --local --list | grep -v o8lock
        git -C ../o.git for-each-ref
        git -C ../other for-each-ref
        cd ..
        ls
        find . -name '*.lock' ! -path '*/.claude/*'
        cat hooks.log)"));
    return {result, state.out + state.err};
  }

  static void ExpectEqual(const Outcome& outcome, const Outcome& expected) {
    EXPECT_EQ(outcome.result.end, expected.result.end);
    EXPECT_EQ(outcome.result.out, expected.result.out);
    EXPECT_EQ(outcome.result.err, expected.result.err);
    EXPECT_EQ(outcome.state, expected.state);
  }

  const Operation operation_ = GetParam();
};

TEST_P(OperationTest, IsAsWithoutOurHooks) {
  for (const Manager& manager : Managers()) {
    if (!manager.setup.empty() && !operation_.typical && !IsLongForm()) {
      continue;
    }
    SCOPED_TRACE("hooks of " + manager.name);
    BeginWithoutHooks(manager);
    const Outcome expected = Operate();
    {
      SCOPED_TRACE("the lock is free");
      BeginWithHooks(manager);
      ExpectEqual(Operate(), expected);
    }
    {
      SCOPED_TRACE("a foreign run has the lock");
      BeginWithHooks(manager);
      Guarded holder(Path("r"));
      ExpectEqual(Operate(), expected);
      EXPECT_EQ(holder.Finish(), Exited(0));
      EXPECT_EQ(holder.err(), "");
    }
  }
}

TEST_P(OperationTest, IsAsWithoutOurHooksThatAreBroken) {
  if (!operation_.typical && !IsLongForm()) {
    GTEST_SKIP() << "only in the long form";
  }
  struct Break {
    std::string name;
    std::string script;
  };
  const std::vector<Break> breaks = {
      {"dangling", "ln -snf nowhere .git/o8lock/armed.inc"},
      {"gone", "rm -r .git/o8lock"},
      {"another guard",
       "cd .git/o8lock; rm parallel.guard; echo garbage > parallel.guard"},
      {"overwritten guard", "echo garbage > .git/o8lock/parallel.guard"},
      {"no guard", "rm .git/o8lock/parallel.guard"},
      {"no program", "mv $PROGRAM $PROGRAM.gone"}};
  for (const Manager& manager : Managers()) {
    if (!manager.setup.empty() && !IsLongForm()) continue;
    BeginWithoutHooks(manager);
    const Outcome expected = Operate();
    for (const Break& a_break : breaks) {
      SCOPED_TRACE(absl::StrCat("hooks of ", manager.name, ", o8lock is ",
                                a_break.name));
      BeginWithHooks(manager);
      const Guarded holder(Path("r"));
      Prepare(a_break.script);
      ExpectEqual(Operate(), expected);
      if (!Exists(Program())) Prepare("mv $PROGRAM.gone $PROGRAM");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, OperationTest, testing::ValuesIn(Operations()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace o8lock
