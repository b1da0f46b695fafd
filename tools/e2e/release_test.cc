// SPDX-License-Identifier: Apache-2.0
//
// The packages of a release: the archive, the .deb and the npm packages.
// tools/packaging/pack makes them for this machine; the tests install and use
// them. npm comes from PATH and has a registry of its own.
#include <signal.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "lock/version.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

bool IsHere(const std::string& program) {
  return RunToEnd(Shell("command -v " + program)) == Exited(0);
}

std::string Architecture() {
  utsname machine;
  EXPECT_EQ(uname(&machine), 0);
  return std::string(machine.machine) == "aarch64" ? "arm64" : "x86_64";
}

// {V}, {ARCH}, {DEB} and {CPU} in a text.
std::string FillIn(const std::string& text) {
  const bool arm64 = Architecture() == "arm64";
  return Fill(text, {{"V", kVersion},
                     {"ARCH", Architecture()},
                     {"DEB", arm64 ? "arm64" : "amd64"},
                     {"CPU", arm64 ? "arm64" : "x64"}});
}

// Makes the packages in `directory`. Do not use those for the other
// architecture: they contain this machine's program too.
void Pack(const std::string& tree, const std::string& directory) {
  ProcessOptions options = In("/");
  options.env["SOURCE_DATE_EPOCH"] = "1700000000";
  for (const char* architecture : {"x86_64", "arm64"}) {
    const Result packed =
        Call({PathFromEnv("PACK"), tree, architecture, kVersion,
              "The tester <tester@example.org>", directory},
             options);
    ASSERT_EQ(packed.end, Exited(0)) << packed.err;
  }
}

class ReleaseTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = std::make_unique<TempDir>();
    EXPECT_EQ(
        RunToEnd({"cp", "-rL",
                  std::filesystem::path(PathFromEnv("INSTALL")).parent_path(),
                  Tree()}),
        Exited(0));
    // --config=release strips the program, too.
    EXPECT_EQ(RunToEnd({"chmod", "u+w", Tree() + "/bin/o8lock"}), Exited(0));
    EXPECT_EQ(RunToEnd({"strip", Tree() + "/bin/o8lock"}), Exited(0));
    Pack(Tree(), Packages());
  }
  static void TearDownTestSuite() { directory_.reset(); }

  static std::string Tree() { return directory_->File("tree"); }
  static std::string Packages() { return directory_->File("packages"); }
  static std::string Package(const std::string& name) {
    return absl::StrCat(Packages(), "/", FillIn(name));
  }

 private:
  static std::unique_ptr<TempDir> directory_;
};
std::unique_ptr<TempDir> ReleaseTest::directory_;

TEST_F(ReleaseTest, HasAPackageForEveryInstaller) {
  std::vector<std::string> names = {"o8lock-{V}-linux-arm64.tar.gz",
                                    "o8lock-{V}-linux-x86_64.tar.gz",
                                    "o8lock-{V}.tgz",
                                    "o8lock-linux-arm64-{V}.tgz",
                                    "o8lock-linux-x64-{V}.tgz",
                                    "o8lock_{V}_amd64.deb",
                                    "o8lock_{V}_arm64.deb"};
  for (std::string& name : names) name = FillIn(name);
  EXPECT_EQ(Names(Packages()), names);
}

TEST_F(ReleaseTest, SameTreeGivesTheSameBytes) {
  // The second tree has other times and consists of links, and the builder has
  // another umask.
  const TempDir dir;
  EXPECT_EQ(RunToEnd({"cp", "-rs", Tree(), dir.File("tree")}), Exited(0));
  const mode_t mask = umask(077);
  Pack(dir.File("tree"), dir.File("again"));
  umask(mask);
  const Result differences =
      Call({"diff", "-r", Packages(), dir.File("again")}, "/");
  EXPECT_EQ(differences.end, Exited(0)) << differences.out;
}

TEST_F(ReleaseTest, ArchiveIsInstalledAndRemovedByItsScript) {
  const TempDir dir;
  EXPECT_EQ(RunToEnd({"tar", "-C", dir.path(), "-xzf",
                      Package("o8lock-{V}-linux-{ARCH}.tar.gz")}),
            Exited(0));
  const std::string archive = dir.File(FillIn("o8lock-{V}-linux-{ARCH}"));
  EXPECT_THAT(Names(archive), ElementsAre("LICENSE", "bin", "copyright",
                                          "install.sh", "share"));
  const Result installed =
      Call({"./install.sh", "--prefix", "../prefix"}, archive);
  EXPECT_EQ(installed.end, Exited(0)) << installed.err;
  EXPECT_THAT(Names(dir.File("prefix")), ElementsAre("bin", "share"));

  const Result version =
      Call({dir.File("prefix/bin/o8lock"), "--version"}, "/");
  EXPECT_THAT(version.out, StartsWith(absl::StrCat("o8lock ", kVersion)));

  const Result removed = Call(
      {archive + "/install.sh", "--prefix", dir.File("prefix"), "--uninstall"},
      "/");
  EXPECT_EQ(removed.end, Exited(0)) << removed.err;
  EXPECT_EQ(Call({"find", dir.File("prefix"), "!", "-type", "d"}, "/").out, "");
}

// COMMAND... as root, if need be of a user namespace.
Argv AsRoot(Argv command) {
  if (getuid() != 0) {
    const Argv unshare = {"unshare", "--user", "--map-root-user"};
    command.insert(command.begin(), unshare.begin(), unshare.end());
  }
  return command;
}

TEST_F(ReleaseTest, DebIsInstalledAndUsedWhereNothingElseIs) {
  const TempDir root;
  if (!IsHere("dpkg") || !IsHere("busybox") ||
      !(RunToEnd(AsRoot({"chroot", "/", "true"})) == Exited(0))) {
    GTEST_SKIP() << "needs dpkg, busybox and chroot";
  }
  std::filesystem::create_directories(root.File("var/lib/dpkg"));
  MakeFile(root.File("var/lib/dpkg/status"), "");
  const Result installed =
      Call(AsRoot({"dpkg", "--root", root.path(), "--install",
                   Package("o8lock_{V}_{DEB}.deb")}),
           "/");
  ASSERT_EQ(installed.end, Exited(0)) << installed.err;
  // Debian's man and shells search these directories.
  for (const char* place :
       {"man/man1/o8lock.1.gz", "bash-completion/completions/o8lock",
        "zsh/vendor-completions/_o8lock",
        "fish/vendor_completions.d/o8lock.fish"}) {
    EXPECT_TRUE(Exists(root.File(absl::StrCat("usr/share/", place)))) << place;
  }

  // Besides o8lock there is only a static shell.
  std::filesystem::create_directory(root.File("bin"));
  EXPECT_EQ(
      RunToEnd(Shell("cp \"$(command -v busybox)\" " + root.File("bin/sh"))),
      Exited(0));
  const Result run = Call(AsRoot({"chroot", root.path(), "/bin/sh", "-c",
                                  "o8lock -- sh -c 'o8lock status; exit 5'"}),
                          "/");
  EXPECT_EQ(run.end, Exited(5)) << run.err;
  EXPECT_THAT(run.out, StartsWith("held (PID: "));

  EXPECT_EQ(
      RunToEnd(AsRoot({"dpkg", "--root", root.path(), "--purge", "o8lock"})),
      Exited(0));
  EXPECT_FALSE(Exists(root.File("usr")));
}

TEST_F(ReleaseTest, DebPleasesLintian) {
  if (!IsHere("lintian")) GTEST_SKIP() << "there is no lintian here";
  const Result lintian =
      Call({"lintian", "--allow-root", "--fail-on=error,warning",
            Package("o8lock_{V}_{DEB}.deb")},
           "/");
  EXPECT_EQ(lintian.end, Exited(0));
  EXPECT_EQ(lintian.out, "");
}

// A registry with the packages, and a user's home directory.
class NpmTest : public ReleaseTest {
 protected:
  void SetUp() override {
    if (!IsHere("npm") || !IsHere("npx")) {
      GTEST_SKIP() << "there is no npm here";
    }
    for (const auto& file : std::filesystem::directory_iterator(Packages())) {
      std::filesystem::copy(file, registry_.path());
    }
    AddPackage("murmur8",
               "echo \"murmur8 $*\"\no8lock status | head -n 1\nexit 5\n");
    server_ = std::make_unique<Process>(
        Argv{"node", PathFromEnv("NPM_REGISTRY"), registry_.path()});
    address_ =
        std::string(absl::StripAsciiWhitespace(server_->WaitForOutput("\n")));
  }

  // Adds a package to the registry. It has one program, of the same name.
  void AddPackage(const std::string& name, const std::string& script) const {
    const TempDir dir;
    std::filesystem::create_directory(dir.File("package"));
    MakeFile(dir.File("package/package.json"),
             absl::StrReplaceAll(
                 R"({"name": "NAME", "version": "1.0.0", "bin": "run"})",
                 {{"NAME", name}}));
    MakeFile(dir.File("package/run"), "#!/bin/sh\n" + script, 0755);
    EXPECT_EQ(RunToEnd({"tar", "-C", dir.path(), "-czf",
                        registry_.File(name + "-1.0.0.tgz"), "package"}),
              Exited(0));
  }

  ProcessOptions Inside(const std::string& directory) const {
    ProcessOptions options = In(directory);
    options.env["HOME"] = home_.path();
    options.env["npm_config_prefix"] = home_.File("global");
    options.env["npm_config_registry"] = address_;
    for (const char* setting : {"audit", "fund", "update_notifier"}) {
      options.env[absl::StrCat("npm_config_", setting)] = "false";
    }
    return options;
  }
  Result Npm(const Argv& argv, const std::string& directory) const {
    return Call(argv, Inside(directory));
  }
  void ExpectDone(const Argv& argv, const std::string& directory) const {
    const Result result = Npm(argv, directory);
    EXPECT_EQ(result.end, Exited(0)) << result.out << result.err;
  }

  const std::string& home() const { return home_.path(); }
  std::string Global() const { return home_.File("global/bin/o8lock"); }

 private:
  TempDir registry_;
  TempDir home_;
  std::unique_ptr<Process> server_;
  std::string address_;
};

TEST_F(NpmTest, GlobalInstallationLeavesNoProcessInBetween) {
  ExpectDone({"npm", "install", "--global", "o8lock"}, "/");
  const Repository repo;
  Guarded run({Global(), "--", "sh", "-c", Guarded::kScript},
              Inside(repo.path()));
  EXPECT_THAT(
      std::filesystem::read_symlink(absl::StrCat("/proc/", run.pid(), "/exe")),
      EndsWith(FillIn("@o8lock/linux-{CPU}/bin/o8lock")));
  EXPECT_EQ(Npm({Global(), "--", "true"}, repo.path()).end, Exited(75));
  run.process().Signal(SIGTERM);
  EXPECT_EQ(run.process().Wait(), Killed(SIGTERM));
  ExpectNothingLeft(repo);
}

TEST_F(NpmTest, NpxRunsIt) {
  const Repository repo;
  const Result result =
      Npm({"npx", "--yes", "o8lock", "--", "sh", "-c", "exit 5"}, repo.path());
  EXPECT_EQ(result.end, Exited(5)) << result.err;
  ExpectNothingLeft(repo);
}

// A repository with a package.json that needs o8lock and murmur8.
class Consumer : public Repository {
 public:
  Consumer() {
    MakeFile(File("package.json"), absl::StrReplaceAll(R"({
               "private": true,
               "scripts": {"par": "o8lock -- murmur8 murm"},
               "devDependencies": {"murmur8": "1.0.0", "o8lock": "{V}"}
             })",
                                                       {{"{V}", kVersion}}));
  }
};

TEST_F(NpmTest, ScriptOfAProjectRunsUnderTheLock) {
  const Consumer repo;
  ExpectDone({"npm", "install"}, repo.path());
  const Result result =
      Npm({"npm", "run", "--silent", "par", "--", "feat-a"}, repo.path());
  EXPECT_EQ(result.end, Exited(5)) << result.err;
  EXPECT_THAT(result.out, StartsWith("murmur8 murm feat-a\nheld (PID: "));
  ExpectNothingLeft(repo);
}

TEST_F(NpmTest, HooksOutliveTheirNodeModules) {
  const Consumer repo;
  ExpectDone({"npm", "install"}, repo.path());
  ExpectDone({"npx", "o8lock", "hooks", "install"}, repo.path());
  ExpectDone({"npm", "ci"}, repo.path());
  Guarded run({"node_modules/.bin/o8lock", "--", "sh", "-c", Guarded::kScript},
              Inside(repo.path()));
  const Argv add = {"git", "worktree", "add", "--quiet", home() + "/added"};
  // npm ci removes node_modules before it makes a new one.
  std::filesystem::rename(repo.File("node_modules"), repo.File("away"));
  const Result refused = Npm(add, repo.path());
  EXPECT_THAT(refused.err,
              HasSubstr("Another parallel execution is in progress"));
  EXPECT_FALSE(Exists(home() + "/added/.git"));
  EXPECT_EQ(run.Finish(), Exited(0));
  ExpectDone(add, repo.path());
}

TEST_F(NpmTest, MissingPackageIsNamed) {
  ExpectDone({"npm", "install", "--global", "o8lock"}, "/");
  std::filesystem::remove_all(home() +
                              "/global/lib/node_modules/o8lock/node_modules");
  const Result result = Npm({Global(), "--", "touch", home() + "/ran"}, "/");
  EXPECT_EQ(result.end, Exited(71));
  EXPECT_EQ(
      result.err,
      FillIn("o8lock: error: the npm package @o8lock/linux-{CPU} is missing\n"
             "o8lock: hint: install o8lock again, without "
             "--omit=optional\n"));
  EXPECT_FALSE(Exists(home() + "/ran"));
}

TEST_F(NpmTest, OtherSystemIsToldThatItIsNone) {
  ExpectDone({"npm", "install", "--global", "o8lock"}, "/");
  const TempDir bin;
  MakeFile(bin.File("uname"), "#!/bin/sh\necho Darwin arm64\n", 0755);
  ProcessOptions options = Inside("/");
  options.env["PATH"] = absl::StrCat(bin.path(), ":", getenv("PATH"));
  const Result result =
      Call({Global(), "--", "touch", home() + "/ran"}, options);
  EXPECT_EQ(result.end, Exited(71));
  EXPECT_EQ(result.err,
            "o8lock: error: o8lock runs on Linux, on x86-64 and arm64\n");
  EXPECT_FALSE(Exists(home() + "/ran"));
}

}  // namespace
}  // namespace o8lock
