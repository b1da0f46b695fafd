// SPDX-License-Identifier: Apache-2.0
//
// tools/bazel on machines that have a Bazel, get one, or cannot: with stubs for
// every command that it calls, each of which tells what it was called with.
//
// Environment: WRAPPER  tools/bazel
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
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

constexpr char kNoBazel[] =
    "tools/bazel: no bazelisk and no bazel in PATH; o8lock is built with "
    "Bazel\n";
constexpr char kPackages[] =
    " bazel-bootstrap libabsl-dev libbenchmark-dev libgmock-dev "
    "rapidjson-dev\n";
constexpr char kFailed[] = "tools/bazel: apt-get failed; see above\n";

// What apt-get was called with, by whatever calls it.
constexpr char kInstall[] =
    "apt-get <-qq> <-o=Dpkg::Use-Pty=0> <install> <-y> "
    "<--no-install-recommends> <bazel-bootstrap> <libabsl-dev> "
    "<libbenchmark-dev> <libgmock-dev> <rapidjson-dev>\n";
constexpr char kUpdate[] = "apt-get <-qq> <-o=Dpkg::Use-Pty=0> <update>\n";

// A machine whose PATH is a directory of stubs.
class Machine {
 public:
  Machine() {
    std::filesystem::create_directory(Bin());
    // What is no subject here.
    for (const std::string name : {"cat", "env", "readlink"}) {
      const std::string real(absl::StripSuffix(
          Call(Shell("command -v " + name), ProcessOptions()).out, "\n"));
      std::filesystem::create_symlink(real, Bin() + "/" + name);
    }
    MakeFile(Log(), "");
  }

  std::string Bin() const { return dir_.File("bin"); }
  std::string File(absl::string_view name) const { return dir_.File(name); }

  // Makes the command `path`, which tells of its call and runs `script`.
  void Stub(const std::string& path, absl::string_view script) const {
    std::filesystem::create_directories(
        std::filesystem::path(path).parent_path());
    MakeFile(path,
             absl::StrCat("#!/bin/sh\nline=${0##*/}\n"
                          "for i; do line=\"$line <$i>\"; done\n"
                          "printf '%s\\n' \"$line\" >>'",
                          Log(), "'\n", script, "\n"),
             0755);
  }
  void StubInPath(const std::string& name, absl::string_view script) const {
    Stub(absl::StrCat(Bin(), "/", name), script);
  }

  // A user of this id, who has apt-get. Its calls end with what `install`,
  // `update` and, again, `install_again` do; a Bazel comes with an install that
  // succeeds, unless that is not in the package.
  void HasAptGet(int uid, absl::string_view install,
                 absl::string_view update = "exit 90",
                 absl::string_view install_again = "exit 91",
                 bool has_bazel = true) const {
    StubInPath("id", absl::StrCat("echo ", uid));
    Stub(File("package/bazel"), "echo answer; cat; exit 7");
    StubInPath(
        "apt-get",
        absl::StrCat(
            "test \"$DEBIAN_FRONTEND\" = noninteractive || exit 92\n"
            "! read line || exit 93\necho noise; echo problem $3 >&2\n"
            "case $3 in\n  update) : >'",
            File("updated"), "'; ", update, " ;;\n  install) if test -e '",
            File("updated"), "'; then ", install_again, "; else ", install,
            "; fi ;;\nesac\n",
            has_bazel ? absl::StrCat("test $3 = update || PATH=/usr/bin:/bin "
                                     "cp '",
                                     File("package/bazel"), "' '", Bin(), "'")
                      : ""));
  }

  // What `wrapper WORDS...` comes to, with "input" on standard input.
  Result Run(const Argv& words, ProcessOptions options = {}) const {
    Argv argv = {Wrapper()};
    argv.insert(argv.end(), words.begin(), words.end());
    return RunArgv(argv, std::move(options));
  }
  Result RunArgv(const Argv& argv, ProcessOptions options = {}) const {
    if (options.env.count("PATH") == 0) options.env["PATH"] = Bin();
    if (options.env.count("BAZEL_REAL") == 0) {
      options.unset_env.emplace_back("BAZEL_REAL");
    }
    options.input = ProcessOptions::Stdin::kPipe;
    Process process(argv, options);
    process.Write("input\n");
    process.CloseInput();
    const End end = process.Wait();
    return {end, process.out(), process.err()};
  }
  static std::string Wrapper() { return PathFromEnv("WRAPPER"); }

  // What was called, in its order, since this was asked before.
  std::string Called() const {
    std::string called = Contents(Log());
    MakeFile(Log(), "");
    return called;
  }

 private:
  std::string Log() const { return dir_.File("log"); }

  TempDir dir_;
};

const Argv kWords = {"build", "a  b", "it's", "", "$HOME \"*\"", "--", "\\"};
constexpr char kWordsSeen[] =
    " <build> <a  b> <it's> <> <$HOME \"*\"> <--> <\\>\n";

// --- A Bazel is there ---

TEST(BazelTest, IsTheOneOfPathAndGetsEveryWordAsItIs) {
  const Machine machine;
  machine.StubInPath("bazel", "cat; echo warning >&2; exit 7");
  Result result = machine.Run(kWords);
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_EQ(result.out, "input\n");
  EXPECT_EQ(result.err, "warning\n");
  EXPECT_EQ(machine.Called(), absl::StrCat("bazel", kWordsSeen));
  // Rather one that takes the version that is asked for.
  machine.StubInPath("bazelisk", "exit 8");
  result = machine.Run(kWords);
  EXPECT_EQ(result.end, Exited(8));
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(machine.Called(), absl::StrCat("bazelisk", kWordsSeen));
}

// They only look for Bazel themselves.
TEST(BazelTest, IsNoWrapper) {
  const Machine machine;
  machine.Stub(machine.File("other/tools/bazel"), "exit 9");
  std::filesystem::create_directory(machine.File("links"));
  std::filesystem::create_symlink(Machine::Wrapper(),
                                  machine.File("links/bazel"));
  std::filesystem::create_directories(machine.File("directory/bazel"));
  machine.Stub(machine.File("late one/bazel"), "exit 7");
  ProcessOptions options;
  options.env["PATH"] = absl::StrCat(
      machine.File("other/tools"), ":", machine.File("other/tools/"), ":",
      machine.File("links"), ":", machine.File("directory"), ":", machine.Bin(),
      ":", machine.File("late one"));
  const Result result = machine.Run({"info"}, options);
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(machine.Called(), "bazel <info>\n");
}

TEST(BazelTest, IsTheOneThatItsWrapperNames) {
  const Machine machine;
  machine.Stub(machine.File("it's a/bazel-real"), "cat; exit 7");
  ProcessOptions options;
  options.env["BAZEL_REAL"] = machine.File("it's a/bazel-real");
  const Result result = machine.Run(kWords, options);
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_EQ(result.out, "input\n");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(machine.Called(), absl::StrCat("bazel-real", kWordsSeen));

  options.env["BAZEL_REAL"] = Machine::Wrapper();
  const Result itself = machine.Run(kWords, options);
  EXPECT_EQ(itself.end, Exited(1));
  EXPECT_EQ(itself.out, "");
  EXPECT_EQ(itself.err,
            absl::StrCat("tools/bazel: BAZEL_REAL is ", Machine::Wrapper(),
                         ", which is this script; it must name a Bazel\n"));
  EXPECT_EQ(machine.Called(), "");
}

// --- There is none ---

TEST(NoBazelTest, WithoutAptGetItSaysWhatToInstall) {
  const Machine machine;
  const Result result = machine.Run(kWords);
  EXPECT_EQ(result.end, Exited(1));
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err,
            absl::StrCat(kNoBazel,
                         "tools/bazel: install bazelisk (or Bazel 7.6 or "
                         "newer) and a C++17 compiler, then run this again\n"));
  EXPECT_EQ(machine.Called(), "");
}

TEST(NoBazelTest, AUserWithoutSudoIsToldWhatToRunAsRoot) {
  const Machine machine;
  machine.HasAptGet(1000, ":");
  const Result result = machine.Run(kWords);
  EXPECT_EQ(result.end, Exited(1));
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err,
            absl::StrCat(kNoBazel,
                         "tools/bazel: as root, run: apt-get install "
                         "--no-install-recommends",
                         kPackages));
  EXPECT_EQ(machine.Called(), "id <-u>\n");
}

// Standard output and input are Bazel's alone.
TEST(NoBazelTest, RootGetsOneAndItIsRun) {
  const Machine machine;
  machine.HasAptGet(0, ":");
  const Result result = machine.Run(kWords);
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_EQ(result.out, "answer\ninput\n");
  EXPECT_EQ(result.err, absl::StrCat(kNoBazel,
                                     "tools/bazel: running: apt-get install "
                                     "--no-install-recommends",
                                     kPackages, "noise\n"));
  EXPECT_EQ(machine.Called(),
            absl::StrCat("id <-u>\n", kInstall, "bazel", kWordsSeen));
}

TEST(NoBazelTest, AUserWithSudoGetsOneToo) {
  const Machine machine;
  machine.HasAptGet(1000, ":");
  machine.StubInPath("sudo", "exec \"$@\"");
  const Result result = machine.Run(kWords);
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_EQ(result.out, "answer\ninput\n");
  EXPECT_EQ(result.err, absl::StrCat(kNoBazel,
                                     "tools/bazel: running: sudo apt-get "
                                     "install --no-install-recommends",
                                     kPackages, "noise\n"));
  EXPECT_EQ(machine.Called(),
            absl::StrCat("id <-u>\nsudo <env> "
                         "<DEBIAN_FRONTEND=noninteractive> <apt-get>",
                         absl::StripPrefix(kInstall, "apt-get"), kInstall,
                         "bazel", kWordsSeen));
}

TEST(NoBazelTest, WithStalePackageListsItIsHadAtTheSecondTry) {
  const Machine machine;
  machine.HasAptGet(0, "exit 100", ":", ":");
  const Result result = machine.Run(kWords);
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_EQ(result.out, "answer\ninput\n");
  EXPECT_EQ(result.err,
            absl::StrCat(kNoBazel,
                         "tools/bazel: running: apt-get install "
                         "--no-install-recommends",
                         kPackages, "noise\nnoise\nproblem update\nnoise\n",
                         "problem install\n"));
  EXPECT_EQ(machine.Called(), absl::StrCat("id <-u>\n", kInstall, kUpdate,
                                           kInstall, "bazel", kWordsSeen));
}

TEST(NoBazelTest, WhereItCannotBeHadNothingIsRunAndThatIsAFailure) {
  const std::string begin = absl::StrCat(
      kNoBazel, "tools/bazel: running: apt-get install --no-install-recommends",
      kPackages);
  {
    SCOPED_TRACE("no update");
    const Machine machine;
    machine.HasAptGet(0, "exit 100", "exit 100");
    const Result result = machine.Run(kWords);
    EXPECT_EQ(result.end, Exited(1));
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err,
              absl::StrCat(begin, "noise\nnoise\nproblem update\n", kFailed));
    EXPECT_EQ(machine.Called(), absl::StrCat("id <-u>\n", kInstall, kUpdate));
  }
  {
    SCOPED_TRACE("no package");
    const Machine machine;
    machine.HasAptGet(0, "exit 100", ":", "exit 100");
    const Result result = machine.Run(kWords);
    EXPECT_EQ(result.end, Exited(1));
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err, absl::StrCat(begin,
                                       "noise\nnoise\nproblem update\nnoise\n"
                                       "problem install\n",
                                       kFailed));
    EXPECT_EQ(machine.Called(),
              absl::StrCat("id <-u>\n", kInstall, kUpdate, kInstall));
  }
  {
    SCOPED_TRACE("no permission");
    const Machine machine;
    machine.HasAptGet(1000, ":");
    machine.StubInPath("sudo", "echo no >&2; exit 1");
    const Result result = machine.Run(kWords);
    EXPECT_EQ(result.end, Exited(1));
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err,
              absl::StrCat(
                  absl::StrReplaceAll(begin, {{"running: ", "running: sudo "}}),
                  "no\n", kFailed));
    EXPECT_THAT(machine.Called(),
                testing::Not(testing::HasSubstr("\napt-get")));
  }
  {
    SCOPED_TRACE("no Bazel in the package");
    const Machine machine;
    machine.HasAptGet(0, ":", ":", ":", /*has_bazel=*/false);
    const Result result = machine.Run(kWords);
    EXPECT_EQ(result.end, Exited(1));
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err,
              absl::StrCat(begin, "noise\n",
                           "tools/bazel: still no bazel in PATH\n"));
    EXPECT_EQ(machine.Called(), absl::StrCat("id <-u>\n", kInstall));
  }
}

// --- Debian's own ---

// In a mount namespace with a /usr/include and a /usr/bin/bazel-4 of the
// test's.
class DebianTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!Exists(kBazel)) GTEST_SKIP() << "needs Debian's Bazel in " << kBazel;
    if (!(RunToEnd({"unshare", "--mount", "mount", "-t", "tmpfs", "none",
                    "/usr/include"}) == Exited(0))) {
      GTEST_SKIP() << "needs permission for a mount namespace";
    }
    machine_.Stub(machine_.File("bazel-4"), "cat; exit 7");
  }

  // The wrapper with these of the files in /usr/include.
  Result Run(const std::vector<std::string>& headers,
             const Argv& words = kWords) {
    std::string script =
        absl::StrCat("mount -t tmpfs none /usr/include && mount --bind '",
                     machine_.File("bazel-4"), "' ", kBazel, " || exit 99\n");
    for (const std::string& header : headers) {
      absl::StrAppend(&script, "mkdir -p /usr/include/",
                      std::filesystem::path(header).parent_path().string(),
                      " && : >/usr/include/", header, " || exit 99\n");
    }
    absl::StrAppend(&script, "PATH='", machine_.Bin(), "' exec \"$@\"");
    Argv argv = {"unshare", "--mount",         "sh", "-c", script,
                 "sh",      Machine::Wrapper()};
    argv.insert(argv.end(), words.begin(), words.end());
    ProcessOptions options;
    options.env["PATH"] = getenv("PATH");
    options.env["BAZEL_REAL"] = kBazel;
    return machine_.RunArgv(argv, options);
  }

  // Debian's gets what it needs first.
  static std::string BazelCalled() {
    return absl::StrCat(
        "bazel-4 <--bazelrc=",
        std::filesystem::canonical(Machine::Wrapper()).parent_path().string(),
        "/debian.bazelrc>", kWordsSeen);
  }

  static constexpr char kBazel[] = "/usr/bin/bazel-4";
  static constexpr char kMissing[] =
      "tools/bazel: o8lock needs C++ libraries that are not in /usr/include\n"
      "tools/bazel: running: apt-get install --no-install-recommends "
      "libabsl-dev libbenchmark-dev libgmock-dev rapidjson-dev\nnoise\n";
  const std::string install_ =
      absl::StrReplaceAll(kInstall, {{"<bazel-bootstrap> ", ""}});
  const std::vector<std::string> all_ = {
      "absl/status/statusor.h", "benchmark/benchmark.h", "gmock/gmock.h",
      "rapidjson/document.h"};
  const Machine machine_;
};

TEST_F(DebianTest, InstallsNothingWhereTheLibrariesAre) {
  machine_.HasAptGet(0, ":");
  const Result result = Run(all_);
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_EQ(result.out, "input\n");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(machine_.Called(), BazelCalled());
}

TEST_F(DebianTest, WithoutACrossCompilerItSaysWhatToInstall) {
  const Result result =
      Run(all_, {"build", "--config=arm64", "//tools:o8lock"});
  EXPECT_EQ(result.end, Exited(1));
  EXPECT_EQ(result.err,
            "tools/bazel: --config=arm64 needs a cross compiler and a library; "
            "as root, run:\n"
            "tools/bazel: dpkg --add-architecture arm64 && apt-get update && "
            "apt-get install g++-aarch64-linux-gnu libabsl-dev:arm64\n");
  EXPECT_EQ(machine_.Called(), "");
}

TEST_F(DebianTest, InstallsTheLibrariesWhereOneIsMissing) {
  machine_.HasAptGet(0, ":", ":", ":", /*has_bazel=*/false);
  for (const std::string& missing : all_) {
    SCOPED_TRACE(missing);
    std::vector<std::string> headers;
    for (const std::string& header : all_) {
      if (header != missing) headers.push_back(header);
    }
    const Result result = Run(headers);
    EXPECT_EQ(result.end, Exited(7));
    EXPECT_EQ(result.out, "input\n");
    EXPECT_EQ(result.err, kMissing);
    EXPECT_EQ(machine_.Called(),
              absl::StrCat("id <-u>\n", install_, BazelCalled()));
  }
}

TEST_F(DebianTest, WhereTheyCannotBeHadNothingIsRunAndThatIsAFailure) {
  machine_.HasAptGet(0, "exit 100", "exit 100");
  const Result result = Run({});
  EXPECT_EQ(result.end, Exited(1));
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err,
            absl::StrCat(kMissing, "noise\nproblem update\n", kFailed));
  EXPECT_EQ(machine_.Called(), absl::StrCat("id <-u>\n", install_, kUpdate));
}

}  // namespace
}  // namespace o8lock
