// SPDX-License-Identifier: Apache-2.0
#include "hooks/git_settings.h"

#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "lock/location.h"

namespace o8lock {
namespace {

// The result for the value `value` of core.hooksPath.
HooksPath Find(const std::string& value, const std::string& scope = "global") {
  Location location;
  location.main_worktree = "/";
  location.common_dir = "/.git";
  return FindHooksPath(
      location, {{scope, "file:/home/.gitconfig", "core.hookspath", value}});
}

TEST(FindHooksPathTest, IsInTheHomeThatGitHas) {
  setenv("HOME", "/the home", 1);
  EXPECT_EQ(Find("~/hooks").value, "/the home/hooks");
  EXPECT_EQ(Find("~/hooks").directory, "/the home/hooks");
  EXPECT_EQ(Find("/a/~/hooks").directory, "/a/~/hooks");
}

TEST(FindHooksPathTest, IsTakenWordForWordWithoutAHome) {
  unsetenv("HOME");
  EXPECT_EQ(Find("~/hooks").value, "~/hooks");
  EXPECT_EQ(Find("~").value, "~");
}

TEST(FindHooksPathTest, PassesBySettingsOfOneWorktreeOrCommand) {
  EXPECT_EQ(Find("/a", "worktree").directory, "/.git/hooks");
  EXPECT_EQ(Find("/a", "command").directory, "/.git/hooks");
  EXPECT_EQ(Find("/a", "local").directory, "/a");
}

}  // namespace
}  // namespace o8lock
