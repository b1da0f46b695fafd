// SPDX-License-Identifier: Apache-2.0
//
// o8lock's hooks beside those of Git LFS, with the git and the git-lfs of PATH.
// Git LFS does not overwrite other hooks.
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/hooked_project.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::HasSubstr;

class LfsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!(Call(Shell("command -v git-lfs"), "/").end == Exited(0))) {
      GTEST_SKIP() << "there is no git-lfs in PATH";
    }
    std::filesystem::create_directories(project_.File(".git/hooks"));
    project_.Commit();
  }

  Result RunShell(const std::string& script) const {
    return Call(Shell(script), project_.Options());
  }
  void ExpectRuns(const std::string& script) const {
    const Result result = RunShell(script);
    EXPECT_EQ(result.end, Exited(0)) << script << "\n"
                                     << result.out << result.err;
  }

  // Whether o8lock's hooks are settings. Then Git LFS does not see them.
  static bool IsUnseen() { return GitHasConfigHooks(); }

  Tree HooksNow() const { return TreeOf({project_.File(".git/hooks")}); }

  // Expects LFS's pre-push to upload an object, and its post-checkout to make a
  // lockable file read-only while it is not locked.
  void ExpectLfsWorks(const std::string& content) const {
    ExpectRuns(absl::StrCat(
        "git checkout -q main && git lfs track --lockable '*.bin' && "
        "echo ",
        content,
        " >new.bin && git add . && git commit -q -m x && "
        "git push -q origin main && git checkout -q --detach HEAD~1 && "
        "git checkout -q main"));
    EXPECT_THAT(
        RunShell("find ../remote.git/lfs/objects -type f -exec cat {} +").out,
        HasSubstr(content + "\n"));
    struct stat info;
    ASSERT_EQ(stat(project_.File("new.bin").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0222, 0u);
  }

  Project project_;
};

TEST_F(LfsTest, WasThereBefore) {
  ExpectRuns("git lfs install --local");
  const Tree hooks = HooksNow();
  ExpectInstalls(project_);
  ExpectLfsWorks("free");
  {
    const Guarded run(project_.path());
    ExpectLfsWorks("taken");
    const Result add = RunShell("git worktree add ../new");
    EXPECT_THAT(add.err, HasSubstr(std::string(kRefused)));
  }
  ExpectUninstalls(project_);
  EXPECT_EQ(HooksNow(), hooks);
}

// `git lfs install` explains how to continue, and installs only hooks without a
// conflict.
TEST_F(LfsTest, ComesAfter) {
  ExpectInstalls(project_);
  const Result install = RunShell("git lfs install --local");
  EXPECT_EQ(install.end, Exited(IsUnseen() ? 0 : 2));
  if (!IsUnseen()) {
    EXPECT_THAT(install.out + install.err,
                HasSubstr("Hook already exists: post-checkout"));
    EXPECT_THAT(project_.Hooks({"status"}).out,
                HasSubstr(absl::StrCat("\npost-checkout: ", project_.path(),
                                       "/.git/hooks/post-checkout\n")));
  }
  ExpectRuns("git lfs update --force");
  ExpectInstalls(project_);
  ExpectLfsWorks("free");
  {
    const Guarded run(project_.path());
    ExpectLfsWorks("taken");
  }
  ExpectUninstalls(project_);
  const Tree hooks = HooksNow();
  ExpectRuns("git lfs update");
  EXPECT_EQ(HooksNow(), hooks);
}

TEST_F(LfsTest, ComesDuringARun) {
  ExpectInstalls(project_);
  const Tree hooks = HooksNow();
  {
    Guarded run(project_.path());
    const Result install = RunShell("git lfs install --local");
    EXPECT_EQ(install.end, Exited(IsUnseen() ? 0 : 2));
    if (!IsUnseen()) {
      EXPECT_THAT(install.out + install.err,
                  HasSubstr("Hook already exists: pre-push"));
      EXPECT_EQ(HooksNow(), hooks);
    }
    ExpectRuns("git lfs update --force");
    ExpectLfsWorks("taken");
    run.Finish();
  }
  // Not post-checkout: there are two, and the user must choose.
  for (const char* name : {"pre-push", "post-commit", "post-merge"}) {
    EXPECT_TRUE(Exists(absl::StrCat(project_.File(".git/hooks/"), name)));
  }
  ExpectRuns("git lfs update --force");
  ExpectInstalls(project_);
  ExpectLfsWorks("free");
  ExpectUninstalls(project_);
}

}  // namespace
}  // namespace o8lock
