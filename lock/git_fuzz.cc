// SPDX-License-Identifier: Apache-2.0
//
// The input consists of four files, separated by lines "%%": the .git of a
// linked worktree, and its git directory's commondir, config and
// config.worktree. In these files @ROOT@ stands for the directory of the whole
// tree:
//
//   repo/.git/                       config config.worktree
//   repo/.git/worktrees/linked/      commondir
//   linked/                          .git
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "lock/file.h"
#include "lock/fuzzing.h"
#include "lock/git_config.h"
#include "lock/location.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

using Files = std::array<std::string, 4>;

Files Split(absl::string_view input) {
  constexpr absl::string_view kBorder = "\n%%\n";
  Files files;
  for (std::string& file : files) {
    const size_t size =
        &file == &files.back() ? input.npos : input.find(kBorder);
    // The newline belongs to the file.
    file = std::string(input.substr(0, size == input.npos ? size : size + 1));
    input.remove_prefix(size == input.npos ? input.size()
                                           : size + kBorder.size());
  }
  return files;
}

bool Same(const GitConfig& a, const GitConfig& b) {
  return a.bare == b.bare && a.worktree == b.worktree &&
         a.worktree_config == b.worktree_config;
}

std::string Quoted(absl::string_view value) {
  return absl::StrCat("\"",
                      absl::StrReplaceAll(value, {{"\\", "\\\\"},
                                                  {"\"", "\\\""},
                                                  {"\n", "\\n"},
                                                  {"\t", "\\t"},
                                                  {"\b", "\\b"}}),
                      "\"");
}

void CheckError(const absl::Status& status) {
  Check(absl::IsFailedPrecondition(status),
        "whatever git cannot use is a failed precondition");
}

void CheckConfig(const std::string& text) {
  GitConfig config;
  const absl::Status status = config.Read(text, "config");
  if (!status.ok()) CheckError(status);
  GitConfig again = config;
  Check(again.Read(text, "config") == status, "a text has one result");
  Check(Same(again, config), "the last of a key counts");
  Check(config.worktree.value_or("").size() <= text.size(),
        "a value is of the text");

  Check(again
            .Read("\xef\xbb\xbf; [core] bare = true\n"
                  "[core \"bare\"] bare = true\n",
                  "config")
            .ok(),
        "what is not meant is no error");
  Check(Same(again, config), "what is not meant is passed by");

  // Any text can be a value, including the value just read.
  for (const std::string& value : {text, config.worktree.value_or("")}) {
    Check(again
              .Read(absl::StrCat("[core]\n\tbare\n\tworktree = ", Quoted(value),
                                 "\n[Extensions]\n\tworktreeConfig = no # c\n"),
                    "config")
              .ok(),
          "git's own writing is no error");
    // Git treats a value as a C string.
    Check(again.bare == true &&
              again.worktree == value.substr(0, value.find('\0')) &&
              !again.worktree_config,
          "git's own writing is read back");
  }
}

// The directory of the whole tree, created once.
class Tree {
 public:
  Tree() {
    for (const char* directory :
         {"repo", "repo/.git", "repo/.git/objects", "repo/.git/refs",
          "repo/.git/worktrees", "repo/.git/worktrees/linked", "linked",
          "linked/sub"}) {
      Check(mkdir(temp_.File(directory).c_str(), 0777) == 0, "mkdir works");
    }
    MakeFile(temp_.File("repo/.git/HEAD"), "ref: refs/heads/main\n");
    MakeFile(temp_.File("repo/.git/worktrees/linked/HEAD"),
             "ref: refs/heads/linked\n");
  }

  void Write(const Files& files) {
    for (size_t i = 0; i < files.size(); ++i) {
      const std::string path = temp_.File(kPaths[i]);
      // Not O_TRUNC: ext4 takes milliseconds for it.
      const absl::StatusOr<Fd> file =
          OpenRegular(path, O_WRONLY | O_CREAT, 0666);
      Check(file.ok(), "a file can be opened");
      Check(Overwrite(*file,
                      absl::StrReplaceAll(files[i], {{"@ROOT@", temp_.path()}}),
                      path)
                .ok(),
            "a file can be written");
    }
  }

  absl::StatusOr<Location> LocateFrom(absl::string_view directory) const {
    LocateOptions options;
    options.directory = temp_.File(directory);
    return Locate(options);
  }

 private:
  static constexpr absl::string_view kPaths[] = {
      "linked/.git", "repo/.git/worktrees/linked/commondir", "repo/.git/config",
      "repo/.git/config.worktree"};
  TempDir temp_;
};

bool IsCanonical(const std::string& path) {
  char* resolved = realpath(path.c_str(), nullptr);
  const bool same = resolved != nullptr && path == resolved;
  free(resolved);
  return same;
}

void CheckLocation(const Location& location) {
  Check(IsCanonical(location.common_dir), "the common directory is canonical");
  Check(Exists(location.common_dir + "/objects"),
        "the common directory is git's");
  Check(location.main_worktree.empty() || IsCanonical(location.main_worktree),
        "the main worktree is canonical");
  // "/" is a valid directory too.
  std::string home = location.main_worktree.empty() ? location.common_dir
                                                    : location.main_worktree;
  if (home == "/") home.clear();
  Check(location.lock_file == home + "/.claude/parallel.lock",
        "the lock file is in the main worktree");
  const std::vector<std::string> files = location.LockFiles();
  Check(
      std::count(files.begin(), files.end(), home + "/.claude/murm.lock") == 1,
      "orchestr8's other lock file is beside it");
  Check(location.guard == location.common_dir + "/o8lock/parallel.guard",
        "the guard is in the common directory");
  Check(location.create_directories, "the directories are o8lock's");
}

void CheckSame(const absl::StatusOr<Location>& a,
               const absl::StatusOr<Location>& b) {
  Check(a.status() == b.status(), "a subdirectory has the same error");
  if (!a.ok()) return;
  Check(a->guard == b->guard && a->lock_file == b->lock_file &&
            a->common_dir == b->common_dir &&
            a->main_worktree == b->main_worktree,
        "a subdirectory has the same lock");
}

}  // namespace
}  // namespace o8lock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace o8lock;  // NOLINT(google-build-using-namespace): from outside
  static Tree tree;
  const Files files =
      Split(absl::string_view(reinterpret_cast<const char*>(data), size));
  CheckConfig(files[2]);
  tree.Write(files);
  const absl::StatusOr<Location> linked = tree.LocateFrom("linked");
  CheckSame(tree.LocateFrom("linked/sub"), linked);
  if (linked.ok()) {
    CheckLocation(*linked);
  } else {
    CheckError(linked.status());
  }
  const absl::StatusOr<Location> main = tree.LocateFrom("repo");
  if (main.ok()) {
    CheckLocation(*main);
  } else {
    CheckError(main.status());
  }
  return 0;
}
