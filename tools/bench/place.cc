// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/place.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "lock/file.h"
#include "lock/status.h"
#include "tools/bench/processes.h"

namespace o8lock {
namespace {

// Runs in an empty directory beside the programs. A .claude directory exists
// wherever orchestr8 is used.
constexpr char kRepository[] = R"(
git init --quiet
mkdir .claude
git commit --quiet --allow-empty -m begin
)";

// Turns off syncing to disk and automatic cleaning: their times are random.
constexpr char kSetUp[] = R"(
cp "$@" "$PROGRAMS"
cat >"$HOME/.gitconfig" <<END
[core]
 fsync = none
[gc]
 auto = 0
[maintenance]
 auto = false
[init]
 defaultBranch = main
[user]
 name = benchmark
 email = benchmark@example.com
END
)";

// Creates a directory in `parent` and returns its path.
absl::StatusOr<std::string> NewDirectory(const std::string& parent) {
  std::string path = parent + "/o8lock_benchmark_XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return ErrnoStatus(errno, "make", path);
  return Canonical(path);
}

}  // namespace

const char kDeep[] = "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d";

const char kFiles[] = R"(
for d in $(seq 200); do
  mkdir d$d
  for f in $(seq 500); do : >d$d/f$f; done
done
git add .
)";

const char kWorktrees[] = R"(
worktrees=$PWD-worktrees
mkdir "$worktrees" .git/worktrees
for d in "$worktrees" .git/worktrees; do
  (cd "$d" && seq -f w%g 2000 | xargs mkdir)
done
for w in $(seq -f w%g 2000); do
  entry=$PWD/.git/worktrees/$w
  echo "gitdir: $entry" >"$worktrees/$w/.git"
  echo ref: refs/heads/main >"$entry/HEAD"
  echo ../.. >"$entry/commondir"
  echo "$worktrees/$w/.git" >"$entry/gitdir"
done
)";

const char kRefs[] = R"(
seq -f 'create refs/heads/b%g HEAD' 10000 | git update-ref --stdin
git pack-refs --all
)";

const char kNames[] = R"(
mkdir -p .git/o8lock
cd .git/o8lock
seq -f name%g.guard 1000 | xargs touch
)";

const char kWork[] = R"(
git tag start
for f in $(seq -f f%g 100); do
  echo text >$f
  git add $f
  git commit --quiet -m $f
done
git tag topic
git reset --quiet --hard start
git commit --quiet --allow-empty -m onto
git clone --quiet --bare . .origin
seq -f 'create refs/heads/b%g HEAD' 1000 | git -C .origin update-ref --stdin
git -C .origin pack-refs --all
)";

const char kSmall[] = R"(
for f in f1 f2 f3 f4; do echo text >$f; done
git add .
git commit --quiet -m files
git checkout --quiet -b topic
echo other >f2
git commit --quiet -a -m topic
git checkout --quiet main
echo other >f3
git commit --quiet -a -m onto
)";

const char kElsewhere[] = "rmdir .claude\n";

const char kHooks[] = "\"$PROGRAMS/o8lock\" hooks install\n";

const char kNoopHook[] = R"(
mkdir .hooks
ln -s "$PROGRAMS/noop" .hooks/reference-transaction
git config core.hooksPath "$PWD/.hooks"
)";

const char kNoopCheckout[] =
    "ln -s \"$PROGRAMS/bare_noop\" .git/hooks/post-checkout\n";

Place::~Place() {
  std::error_code ignored;
  for (const std::string& path : {path_, programs_}) {
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
  }
}

absl::Status Place::SetUp() {
  const char* directory = getenv("TMPDIR");
  O8LOCK_ASSIGN_OR_RETURN(
      path_, NewDirectory(directory == nullptr ? "/tmp" : directory));
  O8LOCK_ASSIGN_OR_RETURN(programs_, NewDirectory("/var/tmp"));
  Argv argv = {"sh", "-ec", kSetUp, "sh"};
  for (const char* name :
       {"O8LOCK_BIN", "NOOP", "BARE_NOOP", "FLOOR", "CONTENDER"}) {
    const char* program = getenv(name);
    if (program == nullptr) {
      return absl::NotFoundError(absl::StrCat(name, " is not set; use bazel"));
    }
    argv.emplace_back(program);
  }
  const char* git = getenv("GIT");
  const std::string path =
      absl::StrCat(git == nullptr ? "" : ParentOf(git) + ":", "/usr/bin:/bin");
  // Excludes the caller's environment: neither git's settings nor a lock count.
  clearenv();
  setenv("PATH", path.c_str(), 1);
  setenv("HOME", path_.c_str(), 1);
  setenv("PROGRAMS", programs_.c_str(), 1);
  // Every terminal has a language; flock(1) reads its files at each start.
  setenv("LANG", kLanguage, 1);
  setenv("LOGNAME", "benchmark", 1);
  setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
  // Makes a work load create the same objects every time.
  setenv("GIT_AUTHOR_DATE", "1790000000 +0000", 1);
  setenv("GIT_COMMITTER_DATE", "1790000000 +0000", 1);
  return Run({argv, "."});
}

absl::StatusOr<std::string> Place::Repository(absl::string_view script) {
  const std::string path = absl::StrCat(path_, "/", ++count_);
  if (mkdir(path.c_str(), 0777) != 0) return ErrnoStatus(errno, "make", path);
  O8LOCK_RETURN_IF_ERROR(Run(Script(absl::StrCat(kRepository, script), path)));
  return path;
}

Side Place::O8lock(const std::string& directory) const {
  const std::string o8lock = programs_ + "/o8lock";
  const std::string stay = programs_ + "/contender";
  const Argv start = {o8lock, "--", programs_ + "/noop"};
  return {{start, directory},
          {start, directory, {75}},
          {start, directory, {0, 75}},
          {{o8lock, "--", stay, "stay"}, directory},
          {{o8lock, "--wait", "--", stay, "stay"}, directory},
          directory + "/.git/o8lock/parallel.guard",
          Bare()};
}

Side Place::Flock() const {
  const std::string file = path_ + "/flock";
  // -n makes no difference to a free start.
  const Argv start = {"flock", "-n", file, programs_ + "/noop"};
  const Command stay = {{"flock", file, programs_ + "/contender", "stay"},
                        path_};
  return {{start, path_},
          {start, path_, {1}},
          {start, path_, {0, 1}},
          stay,
          stay,
          file,
          Bare()};
}

Side Place::Floor() const {
  const std::string program = programs_ + "/floor";
  const std::string file = path_ + "/floor";
  const Argv start = {program, file, programs_ + "/noop"};
  Side side;
  side.start = {start, path_};
  side.refused = {start, path_, {75}};
  side.hold = {{program, file, programs_ + "/contender", "stay"}, path_};
  side.bare = Bare();
  return side;
}

Side Place::Noop() const {
  Side side;
  side.start = Bare();
  return side;
}

}  // namespace o8lock
