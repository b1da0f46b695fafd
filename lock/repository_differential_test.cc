// SPDX-License-Identifier: Apache-2.0
//
// Compares FindRepository with `git rev-parse` on trees generated from a seed.
// To examine one tree, set kOnly to its number.
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "lock/git_config.h"
#include "lock/repository.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

constexpr int kTrees = 400;
constexpr unsigned kSeed = 20260225;
constexpr int kOnly = -1;  // the number of a single tree to examine

// The standard defines this generator's output, but not the distributions'.
class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  size_t Below(size_t sides) { return engine_() % sides; }
  bool OneIn(size_t sides) { return Below(sides) == 0; }
  template <typename List>
  auto Of(const List& list) {
    return *std::next(std::begin(list),
                      static_cast<int>(Below(std::size(list))));
  }

 private:
  std::mt19937 engine_;
};

constexpr char kName[] = "0123456789abcdef0123456789abcdef01234567";

std::string RandomHead(Dice& dice) {
  const std::string heads[] = {"ref:refs/heads/x",
                               "ref: \t\n refs/heads/x\n",
                               "ref: heads/x\n",
                               "REF: refs/heads/x\n",
                               "ref: refs/\n",
                               "ref\n",
                               "",
                               "\n",
                               "hello\n",
                               std::string(kName),
                               absl::StrCat(kName, " and more"),
                               absl::StrCat(" ", kName),
                               std::string(kName).substr(1),
                               absl::StrCat(kName, "0123456789ABCDEF01234567"),
                               "ref:" + std::string(300, ' ') + "refs/x\n"};
  return dice.Of(heads);
}

std::string RandomSettings(Dice& dice) {
  const char* const bare[] = {"bare = true",
                              "bare = false",
                              "bare = yes",
                              "bare = no",
                              "bare = On",
                              "bare = OFF",
                              "bare = 1",
                              "bare = 0",
                              "bare = 2",
                              "bare = -1",
                              "bare = 0x10",
                              "bare = 0k",
                              "bare = 1G",
                              "bare = 2G",
                              "bare = maybe",
                              "bare = tru",
                              "bare =",
                              "bare = \"\"",
                              "bare",
                              "bare # c",
                              "bare = true # c",
                              "bare = tr\\\nue",
                              "bare = \"true",
                              "bare = t\\rue",
                              "BARE = true",
                              "bare true",
                              "bare = true\nbare = false",
                              "bare = \"t\"rue",
                              "bare\t=\ttrue\r",
                              "1bare = true",
                              "b_are = true",
                              "bare = ' true'",
                              "worktree = ..",
                              "worktree = ../..",
                              "worktree",
                              "worktree = gone",
                              "worktree = /gone/far",
                              "worktree = \"..\" ; c",
                              "bare = true\n\tworktree = .."};
  const char* const more[] = {
      "[extensions]\n\tnoop = x",
      "[extensions]\n\tnoop-v1 = x",
      "[extensions]\n\tobjectFormat = sha256",
      "[extensions]\n\tobjectFormat = md5",
      "[extensions]\n\tpreciousObjects = maybe",
      "[extensions]\n\tpreciousObjects",
      "[extensions]\n\tpartialClone",
      "[extensions]\n\tpartialClone = origin",
      "[extensions]\n\tworktreeConfig = true",
      "[extensions]\n\tworktreeConfig = true",
      "[extensions]\n\tworktreeConfig = perhaps",
      "[extensions]\n\tunheardOf = true",
      "[extensions \"x\"]\n\tnoop = true",
      "[include]\n\tpath = bare.inc",
      "[core \"x\"]\n\tbare = true",
      "[core.x]\n\tbare = true",
      "[core",
      "[core x]",
      "[core \"x]\n",
      "[]",
      "=",
      "\xef\xbb",
      "[remote \"o\\\\r\\\"\"]\n\turl = a b  c # d\n\tfetch = \"#\"",
  };
  const char* const versions[] = {"0",  "0", "0", "1",  "1",  "2",
                                  "-1", "x", "",  "1k", "0x1"};
  std::string text = dice.OneIn(10) ? "\xef\xbb\xbf" : "";
  text += "[core]\n";
  if (!dice.OneIn(8)) {
    absl::StrAppend(&text, "\trepositoryFormatVersion = ",
                    dice.OneIn(2) ? "0" : dice.Of(versions), "\n");
  }
  if (!dice.OneIn(3)) absl::StrAppend(&text, "\t", dice.Of(bare), "\n");
  if (dice.OneIn(3)) absl::StrAppend(&text, dice.Of(more), "\n");
  return text;
}

// A generated tree: a/b/c/d with random content.
class Tree {
 public:
  Tree(const std::string& root, Dice& dice) : root_(root), dice_(dice) {
    for (const char* path : {"a", "a/b", "a/b/c", "a/b/c/d"}) {
      directories_.push_back(absl::StrCat(root, "/", path));
    }
    std::filesystem::create_directories(directories_.back());
    border_ = dice.OneIn(4) ? directories_[1 + dice.Below(3)] : "";
    if (!border_.empty() &&
        mount("none", border_.c_str(), "tmpfs", 0, "size=4m") != 0) {
      border_.clear();
    }
    std::filesystem::create_directories(directories_.back());
    MakePool();
    for (const std::string& directory : directories_) FillIn(directory);
    MakeEnvironment();
    start_ = dice.Of(directories_);
    const char* const within[] = {"/.git", "/.git/refs", "/refs",
                                  "/.git/worktrees/w"};
    const std::string inside = start_ + dice.Of(within);
    std::error_code error;
    if (dice.OneIn(4) && std::filesystem::is_directory(inside, error)) {
      start_ = std::filesystem::canonical(inside).string();
    }
  }
  ~Tree() {
    if (!border_.empty()) umount2(border_.c_str(), MNT_DETACH);
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  const std::string& start() const { return start_; }
  const std::map<std::string, std::string>& env() const { return env_; }

 private:
  // Creates git directories for others to lead to.
  void MakePool() {
    for (const char* name : {"pool.git", "pool", "odd.git"}) {
      const std::string path = absl::StrCat(root_, "/", name);
      MakeGitDirectory(path, /*odd=*/name[0] == 'o');
      pool_.push_back(path);
    }
    const std::string linked = root_ + "/pool.git/worktrees/w";
    std::filesystem::create_directories(linked);
    MakeFile(linked + "/HEAD", "ref: refs/heads/w\n");
    const char* const common[] = {"../..\n", "../..", "../../\r\n",
                                  "..",      ".",     "",
                                  "\n",      "gone",  "gone/far"};
    MakeFile(linked + "/commondir",
             dice_.OneIn(3) ? dice_.Of(common) : "../..\n");
    if (dice_.OneIn(4)) {
      MakeFile(linked + "/config.worktree", RandomSettings(dice_));
    }
    pool_.push_back(linked);
    pool_.push_back(linked);
    pool_.push_back(root_ + "/gone");
  }

  // Creates a git directory, or a directory only resembling one.
  void MakeGitDirectory(const std::string& path, bool odd) {
    std::filesystem::create_directories(path);
    for (const char* name : {"objects", "refs"}) {
      MakePart(absl::StrCat(path, "/", name), odd && dice_.OneIn(5));
    }
    const std::string head = path + "/HEAD";
    if (!odd || !dice_.OneIn(3)) {
      MakeFile(head, "ref: refs/heads/main\n");
    } else {
      switch (dice_.Below(5)) {
        case 0:
          std::filesystem::create_directory(head);
          break;
        case 1:
          Link(dice_.OneIn(2) ? "refs/heads/main" : "config", head);
          break;
        case 2:
          break;
        default:
          MakeFile(head, RandomHead(dice_));
      }
    }
    const std::string config = path + "/config";
    MakeFile(path + "/bare.inc", "[core]\n\tbare = true\n");
    switch (odd ? dice_.Below(8) : 2 + dice_.Below(6)) {
      case 0:
        break;
      case 1:
        Link("nowhere", config);
        break;
      case 2:
        MakeFile(path + "/conf", RandomSettings(dice_));
        Link("conf", config);
        break;
      default:
        MakeFile(config, dice_.OneIn(2)
                             ? "[core]\n\trepositoryFormatVersion = 0\n"
                             : RandomSettings(dice_));
    }
    if (dice_.OneIn(3)) {
      MakeFile(path + "/config.worktree", RandomSettings(dice_));
    }
    if (odd && dice_.OneIn(8)) MakeCommonDir(path + "/commondir");
  }

  void MakePart(const std::string& path, bool odd) {
    if (!odd) {
      std::filesystem::create_directory(path);
      return;
    }
    switch (dice_.Below(5)) {
      case 0:
        MakeFile(path, "", 0644);
        break;
      case 1:
        MakeFile(path, "", 0755);
        break;
      case 2:
        Link("nowhere", path);
        break;
      case 3:
        Link(root_, path);
        break;
      default:
        break;
    }
  }

  void MakeCommonDir(const std::string& path) {
    switch (dice_.Below(4)) {
      case 0:
        Link("nowhere", path);
        break;
      case 1:
        std::filesystem::create_directory(path);
        break;
      default:
        MakeFile(path, absl::StrCat(dice_.Of(pool_), "\n"));
    }
  }

  void FillIn(const std::string& directory) {
    const std::string dot_git = directory + "/.git";
    switch (dice_.Below(14)) {
      case 0:
      case 1:
        MakeGitDirectory(dot_git, /*odd=*/true);
        break;
      case 2:
        MakeGitDirectory(dot_git, /*odd=*/false);
        break;
      case 3:
      case 4:
        MakeFile(dot_git, absl::StrCat("gitdir: ", dice_.Of(pool_), "\n"));
        break;
      case 5:
        MakeOddFile(dot_git, directory);
        break;
      case 6:
      case 7:
        MakeLink(dot_git);
        break;
      case 8:
        MakeGitDirectory(directory, /*odd=*/dice_.OneIn(2));
        break;
      case 9:
        MakeGitDirectory(directory + "/.bare", /*odd=*/dice_.OneIn(2));
        MakeFile(dot_git, "gitdir: ./.bare\n");
        break;
      case 10:
        if (dice_.OneIn(2)) {
          std::filesystem::create_directory(dot_git);
        } else {
          EXPECT_EQ(mkfifo(dot_git.c_str(), 0666), 0);
        }
        break;
      default:
        break;
    }
  }

  void MakeOddFile(const std::string& dot_git, const std::string& directory) {
    const std::string target = dice_.Of(pool_);
    MakeFile(directory + "/second", absl::StrCat("gitdir: ", target, "\n"));
    const std::string texts[] = {
        "",
        "\n",
        "gitdir: ",
        "gitdir: \n",
        absl::StrCat("gitdir:", target),
        absl::StrCat("gitdir: ", target),
        absl::StrCat("gitdir: ", target, "\r\n\n"),
        absl::StrCat("gitdir: ", target, " \n"),
        absl::StrCat("gitdir: ", target, "/\n"),
        absl::StrCat("gitdir: ", target, std::string(1, '\0'), "x\n"),
        absl::StrCat("gitdir: ", target, "\nmore\n"),
        "gitdir: second\n",
        "gitdir: .\n",
        "gitdir: .git\n",
        absl::StrCat("gitdir: ", target, std::string(1 << 20, '\n')),
        absl::StrCat("Gitdir: ", target),
    };
    MakeFile(dot_git, dice_.Of(texts));
  }

  void MakeLink(const std::string& dot_git) {
    const std::string file = root_ + "/file";
    MakeFile(file, absl::StrCat("gitdir: ", dice_.Of(pool_), "\n"));
    const std::string targets[] = {dice_.Of(pool_), dice_.Of(pool_), file,
                                   ".git",          "nowhere/.git",  root_};
    Link(dice_.Of(targets), dot_git);
  }

  void MakeEnvironment() {
    const char* const across[] = {"0", "1", "yes", "", "no", "3"};
    if (dice_.OneIn(border_.empty() ? 6 : 2)) {
      env_["GIT_DISCOVERY_ACROSS_FILESYSTEM"] = dice_.Of(across);
    }
    if (!dice_.OneIn(3)) return;
    Link(directories_[0], root_ + "/alias");
    const std::string one = dice_.Of(directories_);
    const std::string ceilings[] = {
        one,
        one,
        absl::StrCat(root_, "/gone:", one),
        absl::StrCat(one, ":", root_),
        root_ + "/alias/b",
        absl::StrCat(":", root_, "/alias/b"),
        absl::StrCat(":", one),
        absl::StrCat("a/b:", one),
        absl::StrCat(one, "/"),
        absl::StrCat(one, "x"),
        "/",
        ":",
        "",
    };
    env_["GIT_CEILING_DIRECTORIES"] = dice_.Of(ceilings);
  }

  static void Link(const std::string& target, const std::string& path) {
    EXPECT_EQ(symlink(target.c_str(), path.c_str()), 0) << path;
  }

  const std::string root_;
  Dice& dice_;
  std::vector<std::string> directories_;
  std::vector<std::string> pool_;
  std::string border_;
  std::map<std::string, std::string> env_;
  std::string start_;
};

enum class Outcome { kNone, kBroken, kFound };

struct Answer {
  Outcome outcome = Outcome::kNone;
  std::string reason;
  std::string common_dir;
  std::string worktree;  // also empty if it was not requested
  bool is_bare = false;
};

std::ostream& operator<<(std::ostream& out, const Answer& answer) {
  constexpr const char* kOutcomes[] = {"none", "broken", "found"};
  return out << kOutcomes[static_cast<int>(answer.outcome)] << " "
             << answer.reason << " common " << answer.common_dir << " worktree "
             << answer.worktree << (answer.is_bare ? " bare" : "");
}

std::string Canonical(const std::string& directory, const std::string& path) {
  std::error_code error;
  return std::filesystem::canonical(std::filesystem::path(directory) / path,
                                    error)
      .string();
}

// Runs git and returns its output. If git fails, returns nothing and sets
// `reason`.
std::optional<std::string> RunGit(const Tree& tree,
                                  const std::vector<std::string>& args,
                                  std::string* reason) {
  std::vector<std::string> argv = {
      "git",      "-c", "safe.directory=*", "-c", "safe.bareRepository=all",
      "rev-parse"};
  argv.insert(argv.end(), args.begin(), args.end());
  ProcessOptions options;
  options.env = GitEnv();
  options.env.insert(tree.env().begin(), tree.env().end());
  for (const char* name :
       {"GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"}) {
    if (tree.env().count(name) == 0) options.unset_env.emplace_back(name);
  }
  options.directory = tree.start();
  Process git(argv, options);
  if (git.Wait() == Exited(0)) return git.out();
  if (reason != nullptr) *reason = git.err();
  return std::nullopt;
}

Answer AskGit(const Tree& tree) {
  Answer answer;
  const std::optional<std::string> out = RunGit(
      tree, {"--git-common-dir", "--is-bare-repository"}, &answer.reason);
  if (!out.has_value()) {
    answer.outcome =
        absl::StrContains(answer.reason, "not a git repository (or any")
            ? Outcome::kNone
            : Outcome::kBroken;
    return answer;
  }
  answer.outcome = Outcome::kFound;
  const std::vector<std::string> lines = absl::StrSplit(*out, '\n');
  answer.common_dir = Canonical(tree.start(), lines[0]);
  answer.is_bare = lines[1] == "true";
  answer.worktree = std::string(absl::StripSuffix(
      RunGit(tree, {"--show-toplevel"}, nullptr).value_or(""), "\n"));
  return answer;
}

Discovery DiscoveryOf(const Tree& tree) {
  Discovery discovery;
  for (const auto& [name, value] : tree.env()) {
    if (name == "GIT_CEILING_DIRECTORIES") {
      discovery.ceiling_directories = value;
    } else if (name == "GIT_DISCOVERY_ACROSS_FILESYSTEM") {
      discovery.across_filesystems = ParseGitBool(value).value_or(false);
    }
  }
  return discovery;
}

Answer AskFindRepository(const Tree& tree, bool is_current) {
  const absl::StatusOr<std::optional<Repository>> found =
      FindRepository(tree.start(), is_current, DiscoveryOf(tree));
  Answer answer;
  if (!found.ok()) {
    answer.outcome = Outcome::kBroken;
    answer.reason = found.status().ToString();
  } else if (found->has_value()) {
    answer.outcome = Outcome::kFound;
    answer.common_dir = (*found)->common_dir;
    answer.worktree = (*found)->worktree;
    answer.is_bare = (*found)->is_bare;
  }
  return answer;
}

// Enters a mount namespace for the boundaries. False if this is not possible.
bool EnterNamespace() {
  if (unshare(CLONE_NEWNS) != 0) return false;
  return mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

TEST(RepositoryDifferentialTest, FindsWhatGitFinds) {
  const bool borders = EnterNamespace();
  if (!borders) std::cerr << "without mounts: not root\n";
  const TempDir temp;
  std::map<Outcome, int> seen;
  for (int i = 0; i < kTrees; ++i) {
    Dice dice(kSeed + static_cast<unsigned>(i));
    if (kOnly >= 0 && i != kOnly) continue;
    const std::string root = temp.File(absl::StrCat("t", i));
    const Tree tree(root, dice);
    const Answer git = AskGit(tree);
    ++seen[git.outcome];
    for (const bool is_current : {false, true}) {
      ASSERT_EQ(chdir(is_current ? tree.start().c_str() : "/"), 0);
      const Answer ours = AskFindRepository(tree, is_current);
      ASSERT_EQ(chdir("/"), 0);
      bool same = ours.outcome == git.outcome;
      if (git.outcome == Outcome::kFound) {
        same = same && ours.common_dir == git.common_dir;
        // Git reports neither from inside its directory, nor with a worktree
        // that no longer exists.
        if (!git.worktree.empty() && Exists(git.worktree)) {
          same = same && ours.worktree == git.worktree;
        }
      }
      std::vector<std::string> env;
      for (const auto& [name, value] : tree.env()) {
        env.push_back(absl::StrCat(name, "=", value));
      }
      EXPECT_TRUE(same) << "tree " << i << " from " << tree.start() << " "
                        << absl::StrJoin(env, " ") << "\ngit:  " << git
                        << "\nours: " << ours;
    }
  }
  if (kOnly >= 0) return;
  // The trees cover all outcomes.
  EXPECT_GT(seen[Outcome::kNone], kTrees / 10);
  EXPECT_GT(seen[Outcome::kBroken], kTrees / 10);
  EXPECT_GT(seen[Outcome::kFound], kTrees / 10);
}

}  // namespace
}  // namespace o8lock
