// SPDX-License-Identifier: Apache-2.0
#include "hooks/worktrees.h"

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "lock/file.h"
#include "lock/git_directory.h"

namespace o8lock {
namespace {

// What a file of git's says without the end of its line; empty if it cannot be
// read.
std::string Line(const std::string& path) {
  std::string text = ReadGitFile(path).value_or("");
  return std::string(absl::StripSuffix(text, "\n"));
}

}  // namespace

std::string WorktreeOf(const std::string& git_dir) {
  const std::string line = Line(git_dir + "/gitdir");
  if (line.empty()) return "";
  // Git 2.48 and newer can write it relative to the directory.
  const std::string link = JoinPath(git_dir, line);
  return Canonical(std::string(absl::StripSuffix(link, "/.git"))).value_or("");
}

std::vector<Worktree> WorktreesSince(const std::string& common_dir,
                                     int64_t since) {
  const std::string worktrees = common_dir + "/worktrees";
  std::vector<Worktree> found;
  for (const std::string& name : NamesIn(worktrees)) {
    const std::string directory = absl::StrCat(worktrees, "/", name);
    // Written once, when the worktree is made.
    struct stat made;
    if (stat((directory + "/commondir").c_str(), &made) != 0 ||
        made.st_mtime < since) {
      continue;
    }
    Worktree worktree;
    worktree.path = WorktreeOf(directory);
    if (worktree.path.empty()) continue;
    const std::string head = Line(directory + "/HEAD");
    absl::string_view branch = head;
    if (absl::ConsumePrefix(&branch, "ref: refs/heads/")) {
      worktree.branch = std::string(branch);
    }
    found.push_back(std::move(worktree));
  }
  return found;
}

}  // namespace o8lock
