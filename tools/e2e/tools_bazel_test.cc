// SPDX-License-Identifier: Apache-2.0
//
// Tests tools/bazel on machines with a Bazel, machines that can install one,
// and others. Stubs replace every command it calls, and log their arguments.
//
// Environment: WRAPPER  tools/bazel
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
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

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kPackages[] =
    " bazel-bootstrap libabsl-dev libbenchmark-dev libgmock-dev "
    "rapidjson-dev\n";
constexpr char kNeeds[] =
    "tools/bazel: needs Bazel, a C++ compiler and libraries; ";
// The complete output of an installation, and the line after its failure.
constexpr char kInstalling[] =
    "tools/bazel: installing Bazel, a C++ compiler and libraries with apt-get "
    "(once, about 1 GB, 2 to 10 minutes): bazel-bootstrap libabsl-dev "
    "libbenchmark-dev libgmock-dev rapidjson-dev\n";
constexpr char kFailed[] =
    "tools/bazel: apt-get failed; all of its messages: {LOG}\n";

// The log line of apt-get, whatever calls it.
constexpr char kInstall[] =
    "apt-get <-qq> <-o=APT::Status-Fd=3> <-o=Dpkg::Use-Pty=0> <install> <-y> "
    "<--no-install-recommends> <bazel-bootstrap> <libabsl-dev> "
    "<libbenchmark-dev> <libgmock-dev> <rapidjson-dev>\n";
constexpr char kUpdate[] =
    "apt-get <-qq> <-o=APT::Status-Fd=3> <-o=Dpkg::Use-Pty=0> <update>\n";

// A machine with a directory of stubs as its PATH.
class Machine {
 public:
  Machine() {
    std::filesystem::create_directory(Bin());
    // Real programs outside this test's subject.
    for (const std::string name :
         {"cat", "env", "mktemp", "readlink", "rm", "sh", "tail"}) {
      const std::string real(absl::StripSuffix(
          Call(Shell("command -v " + name), ProcessOptions()).out, "\n"));
      std::filesystem::create_symlink(real, Bin() + "/" + name);
    }
    MakeFile(Log(), "");
    std::filesystem::create_directory(Tmp());
  }

  std::string Bin() const { return dir_.File("bin"); }
  std::string File(absl::string_view name) const { return dir_.File(name); }
  std::string Tmp() const { return dir_.File("tmp"); }

  // Makes the command `path`. It logs its call and runs `script`.
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

  // Adds apt-get and a user with this id. The calls of apt-get end as
  // `install`, `update` and, for a second install, `install_again` do. A
  // successful install adds a Bazel, unless `has_bazel` is false.
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
            "! read line || exit 93\necho noise; echo problem $4 >&2\n"
            "echo dlstatus:1:42.5:Fetching >&3\n"
            "echo pmstatus:dpkg:7.75:Running >&3\n"
            "case $4 in\n  update) : >'",
            File("updated"), "'; ", update, " ;;\n  install) if test -e '",
            File("updated"), "'; then ", install_again, "; else ", install,
            "; fi ;;\nesac\n",
            has_bazel ? absl::StrCat("test $4 = update || PATH=/usr/bin:/bin "
                                     "cp '",
                                     File("package/bazel"), "' '", Bin(), "'")
                      : ""));
  }

  // Returns the result of `wrapper WORDS...`, with "input" on standard input.
  Result Run(const Argv& arguments, ProcessOptions options = {}) const {
    Argv argv = {Wrapper()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return RunArgv(argv, std::move(options));
  }
  Result RunArgv(const Argv& argv, ProcessOptions options = {}) const {
    if (options.env.count("PATH") == 0) options.env["PATH"] = Bin();
    options.env["TMPDIR"] = Tmp();
    if (options.env.count("BAZEL_REAL") == 0) {
      options.unset_env.emplace_back("BAZEL_REAL");
    }
    options.input = ProcessOptions::Stdin::kPipe;
    Process process(argv, options);
    process.Write("input\n");
    process.CloseInput();
    const End end = process.Wait();
    return {end, process.out(), WithoutLog(process.err())};
  }
  static std::string Wrapper() { return PathFromEnv("WRAPPER"); }

  // Returns the calls since the previous Called(), in order.
  std::string Called() const {
    std::string called = Contents(Log());
    MakeFile(Log(), "");
    return called;
  }

 private:
  // Returns `text` without the name of the log of a failed installation. The
  // log must exist exactly if `text` names it.
  std::string WithoutLog(const std::string& text) const {
    const std::vector<std::string> logs = Names(Tmp());
    if (!absl::StrContains(text, Tmp() + "/")) {
      EXPECT_THAT(logs, testing::IsEmpty());
      return text;
    }
    EXPECT_THAT(logs, testing::SizeIs(1));
    const std::string log = absl::StrCat(Tmp(), "/", logs.at(0));
    EXPECT_NE(Contents(log), "");
    std::filesystem::remove(log);
    return absl::StrReplaceAll(text, {{log, "{LOG}"}});
  }

  std::string Log() const { return dir_.File("log"); }

  TempDir dir_;
};

const Argv kArguments = {"build",       "a  b", "it's", "",
                         "$HOME \"*\"", "--",   "\\"};
constexpr char kArgumentsSeen[] =
    " <build> <a  b> <it's> <> <$HOME \"*\"> <--> <\\>\n";

// --- With a Bazel ---

TEST(BazelTest, IsTheOneOfPathAndGetsEveryArgumentAsItIs) {
  const Machine machine;
  machine.StubInPath("bazel", "cat; echo warning >&2; exit 7");
  Result result = machine.Run(kArguments);
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_EQ(result.out, "input\n");
  EXPECT_EQ(result.err, "warning\n");
  EXPECT_EQ(machine.Called(), absl::StrCat("bazel", kArgumentsSeen));
  // bazelisk is better, because it runs the requested version.
  machine.StubInPath("bazelisk", "exit 8");
  result = machine.Run(kArguments);
  EXPECT_EQ(result.end, Exited(8));
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(machine.Called(), absl::StrCat("bazelisk", kArgumentsSeen));
}

// Other wrappers only search for Bazel themselves.
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
  const Result result = machine.Run(kArguments, options);
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_EQ(result.out, "input\n");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(machine.Called(), absl::StrCat("bazel-real", kArgumentsSeen));

  options.env["BAZEL_REAL"] = Machine::Wrapper();
  const Result itself = machine.Run(kArguments, options);
  EXPECT_EQ(itself.end, Exited(1));
  EXPECT_EQ(itself.out, "");
  EXPECT_EQ(itself.err,
            absl::StrCat("tools/bazel: BAZEL_REAL is ", Machine::Wrapper(),
                         ", which is this script; it must name a Bazel\n"));
  EXPECT_EQ(machine.Called(), "");
}

// --- Without a Bazel ---

TEST(NoBazelTest, WithoutAptGetItSaysWhatToInstall) {
  const Machine machine;
  const Result result = machine.Run(kArguments);
  EXPECT_EQ(result.end, Exited(1));
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err,
            absl::StrCat(kNeeds,
                         "install bazelisk (or Bazel 7.6 or newer) and a C++17 "
                         "compiler, then run this again\n"));
  EXPECT_EQ(machine.Called(), "");
}

TEST(NoBazelTest, AUserWithoutSudoIsToldWhatToRunAsRoot) {
  const Machine machine;
  machine.HasAptGet(1000, ":");
  const Result result = machine.Run(kArguments);
  EXPECT_EQ(result.end, Exited(1));
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err,
            absl::StrCat(kNeeds,
                         "as root, run: apt-get update && apt-get install "
                         "--no-install-recommends",
                         kPackages));
  EXPECT_EQ(machine.Called(), "id <-u>\n");
}

// Only Bazel gets standard output and input; apt-get gets neither.
TEST(NoBazelTest, RootGetsOneAndItIsRun) {
  const Machine machine;
  machine.HasAptGet(0, ":");
  const Result result = machine.Run(kArguments);
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_EQ(result.out, "answer\ninput\n");
  EXPECT_EQ(result.err, kInstalling);
  EXPECT_EQ(machine.Called(),
            absl::StrCat("id <-u>\n", kInstall, "bazel", kArgumentsSeen));
}

TEST(NoBazelTest, AUserWithSudoGetsOneToo) {
  const Machine machine;
  machine.HasAptGet(1000, ":");
  // Like the real one, it only passes on the standard descriptors.
  machine.StubInPath("sudo", "exec \"$@\" 3>&-");
  const Result result = machine.Run(kArguments);
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_EQ(result.out, "answer\ninput\n");
  EXPECT_EQ(result.err,
            absl::StrReplaceAll(kInstalling,
                                {{"with apt-get", "with sudo apt-get"}}));
  const std::string called = machine.Called();
  EXPECT_THAT(called, StartsWith("id <-u>\nsudo <env> "
                                 "<DEBIAN_FRONTEND=noninteractive> <sh>"));
  EXPECT_THAT(called,
              EndsWith(absl::StrCat("\n", kInstall, "bazel", kArgumentsSeen)));
}

TEST(NoBazelTest, WithStalePackageListsItIsHadAtTheSecondTry) {
  const Machine machine;
  machine.HasAptGet(0, "exit 100", ":", ":");
  const Result result = machine.Run(kArguments);
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_EQ(result.out, "answer\ninput\n");
  EXPECT_EQ(result.err, kInstalling);
  EXPECT_EQ(machine.Called(), absl::StrCat("id <-u>\n", kInstall, kUpdate,
                                           kInstall, "bazel", kArgumentsSeen));
}

TEST(NoBazelTest, ATerminalShowsHowFarItIs) {
  const Machine machine;
  machine.HasAptGet(0, ":");
  ProcessOptions options;
  options.terminal = true;
  options.env["PATH"] = machine.Bin();
  options.env["TMPDIR"] = machine.Tmp();
  options.unset_env.emplace_back("BAZEL_REAL");
  Process process({Machine::Wrapper(), "info"}, options);
  process.WaitForOutput("answer");
  EXPECT_THAT(process.out(),
              HasSubstr("\r\x1b[Kdownloading, 42%\r\x1b[Kinstalling, 7%"
                        "\r\x1b[Kanswer"));
  EXPECT_THAT(process.out(), Not(HasSubstr("noise")));
  process.Write("\x04");
  EXPECT_EQ(process.Wait(), Exited(7));
}

TEST(NoBazelTest, WhereItCannotBeHadNothingIsRunAndThatIsAFailure) {
  {
    SCOPED_TRACE("no update");
    const Machine machine;
    machine.HasAptGet(0, "exit 100", "exit 100");
    const Result result = machine.Run(kArguments);
    EXPECT_EQ(result.end, Exited(1));
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err,
              absl::StrCat(kInstalling, "noise\nproblem update\n", kFailed));
    EXPECT_EQ(machine.Called(), absl::StrCat("id <-u>\n", kInstall, kUpdate));
  }
  {
    SCOPED_TRACE("no package");
    const Machine machine;
    machine.HasAptGet(0, "exit 100", ":", "exit 100");
    const Result result = machine.Run(kArguments);
    EXPECT_EQ(result.end, Exited(1));
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err,
              absl::StrCat(kInstalling, "noise\nproblem install\n", kFailed));
    EXPECT_EQ(machine.Called(),
              absl::StrCat("id <-u>\n", kInstall, kUpdate, kInstall));
  }
  {
    SCOPED_TRACE("no permission");
    const Machine machine;
    machine.HasAptGet(1000, ":");
    machine.StubInPath("sudo", "echo no >&2; exit 1");
    const Result result = machine.Run(kArguments);
    EXPECT_EQ(result.end, Exited(1));
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, EndsWith(absl::StrCat("\nno\n", kFailed)));
    EXPECT_THAT(machine.Called(), Not(HasSubstr("\napt-get")));
  }
  {
    SCOPED_TRACE("no Bazel in the package");
    const Machine machine;
    machine.HasAptGet(0, ":", ":", ":", /*has_bazel=*/false);
    const Result result = machine.Run(kArguments);
    EXPECT_EQ(result.end, Exited(1));
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(
        result.err,
        absl::StrCat(kInstalling, "tools/bazel: still no bazel in PATH\n"));
    EXPECT_EQ(machine.Called(), absl::StrCat("id <-u>\n", kInstall));
  }
}

// --- Debian's Bazel ---

// Runs in a mount namespace with the test's own /usr/include, Bazel and release
// name.
class DebianTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::string& needed :
         {kBazel7, std::string("/usr/share/bazel")}) {
      if (!Exists(needed)) GTEST_SKIP() << "needs Debian's Bazel: " << needed;
    }
    if (!(RunToEnd({"unshare", "--mount", "mount", "-t", "tmpfs", "none",
                    "/usr/include"}) == Exited(0))) {
      GTEST_SKIP() << "needs permission for a mount namespace";
    }
    machine_.Stub(machine_.File("stub"), "cat; exit 7");
  }

  // Runs the wrapper with only `headers` in /usr/include, and with `bazel` of
  // `release`.
  Result Run(const std::vector<std::string>& headers, const std::string& bazel,
             const std::string& release, const Argv& arguments = kArguments) {
    std::string script = absl::StrCat(
        "mount -t tmpfs none /usr/include && mount --bind '",
        machine_.File("stub"), "' ", bazel,
        " && mount -t tmpfs none /usr/share/bazel && echo ", release,
        " >/usr/share/bazel/build-label.txt || exit 99\n");
    for (const std::string& header : headers) {
      absl::StrAppend(&script, "mkdir -p /usr/include/",
                      std::filesystem::path(header).parent_path().string(),
                      " && : >/usr/include/", header, " || exit 99\n");
    }
    absl::StrAppend(&script, "PATH='", machine_.Bin(), "':$PATH exec \"$@\"");
    Argv argv = {"unshare", "--mount",         "sh", "-c", script,
                 "sh",      Machine::Wrapper()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    ProcessOptions options;
    options.env["PATH"] = getenv("PATH");
    options.env["BAZEL_REAL"] = bazel;
    options.env["XDG_CACHE_HOME"] = Cache();
    return machine_.RunArgv(argv, options);
  }
  std::string Cache() const { return machine_.File("it's a cache"); }

  // Returns the log line of the Bazel `name`, called with the flags file
  // `bazelrc`.
  static std::string Called(absl::string_view name, absl::string_view bazelrc) {
    return absl::StrCat(name, " <--bazelrc=", bazelrc, ">", kArgumentsSeen);
  }
  static std::string Bazelrc4() {
    return std::filesystem::canonical(Machine::Wrapper())
               .parent_path()
               .string() +
           "/debian.bazelrc";
  }

  static constexpr char kMissing[] =
      "tools/bazel: installing C++ libraries with apt-get (once, about 50 MB, "
      "a minute): libabsl-dev libbenchmark-dev libgmock-dev rapidjson-dev\n";
  const std::string kBazel4 = "/usr/bin/bazel-4";
  const std::string kBazel7 = "/usr/bin/bazel";
  const std::string install_ =
      absl::StrReplaceAll(kInstall, {{"<bazel-bootstrap> ", ""}});
  const std::vector<std::string> all_ = {
      "absl/status/statusor.h", "benchmark/benchmark.h", "gmock/gmock.h",
      "rapidjson/document.h"};
  const Machine machine_;
};

TEST_F(DebianTest, InstallsNothingWhereTheLibrariesAre) {
  if (!Exists(kBazel4)) GTEST_SKIP() << "needs Debian 12's or 13's Bazel";
  machine_.HasAptGet(0, ":");
  const Result result = Run(all_, kBazel4, "4.2.3");
  EXPECT_EQ(result.end, Exited(7));
  EXPECT_EQ(result.out, "input\n");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(machine_.Called(), Called("bazel-4", Bazelrc4()));
}

// It gets modules for the installed libraries, made once.
TEST_F(DebianTest, SevenGetsModules) {
  machine_.HasAptGet(0, ":");
  std::string made;
  for (int i = 0; i < 2; ++i) {
    const Result result = Run(all_, kBazel7, "7.7.1");
    EXPECT_EQ(result.end, Exited(7));
    EXPECT_EQ(result.out, "input\n");
    EXPECT_EQ(result.err, "");
    const std::vector<std::string> names = Names(Cache() + "/o8lock");
    ASSERT_THAT(names, testing::SizeIs(1));
    made = absl::StrCat(Cache(), "/o8lock/", names[0]);
    EXPECT_EQ(machine_.Called(), Called("bazel", made + "/bazelrc"));
  }
  EXPECT_THAT(Contents(made + "/bazelrc"),
              HasSubstr(absl::StrCat("\ncommon \"--override_module=abseil-cpp=",
                                     made, "/abseil-cpp\"\n")));
  EXPECT_THAT(Contents(made + "/abseil-cpp/BUILD.bazel"),
              HasSubstr("\"-l:libabsl_status.a\""));
  EXPECT_THAT(Contents(made + "/abseil-cpp/absl/strings/BUILD.bazel"),
              HasSubstr("cc_library(name = \"strings\", "));
}

// Debian's Bazel 4 through its own wrapper, which calls this one again, and any
// other Bazel of that name.
TEST_F(DebianTest, AnotherOfThatNameGetsNothing) {
  for (const std::string release : {"4.2.3", ""}) {
    const Result result = Run({}, kBazel7, release);
    EXPECT_EQ(result.end, Exited(7));
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(machine_.Called(), absl::StrCat("bazel", kArgumentsSeen));
  }
}

TEST_F(DebianTest, WithoutACrossCompilerItSaysWhatToInstall) {
  if (!Exists(kBazel4)) GTEST_SKIP() << "needs Debian 12's or 13's Bazel";
  if (Exists("/usr/lib/aarch64-linux-gnu/libabsl_status.a")) {
    GTEST_SKIP() << "needs a machine without a library for arm64";
  }
  const Result result =
      Run(all_, kBazel4, "", {"build", "--config=arm64", "//tools:o8lock"});
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
    const Result result = Run(headers, kBazel7, "7.7.1");
    EXPECT_EQ(result.end, Exited(7));
    EXPECT_EQ(result.out, "input\n");
    EXPECT_EQ(result.err, kMissing);
    EXPECT_THAT(machine_.Called(),
                StartsWith(absl::StrCat("id <-u>\n", install_, "bazel <")));
  }
}

TEST_F(DebianTest, WhereTheyCannotBeHadNothingIsRunAndThatIsAFailure) {
  machine_.HasAptGet(0, "exit 100", "exit 100");
  const Result result = Run({}, kBazel7, "7.7.1");
  EXPECT_EQ(result.end, Exited(1));
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err,
            absl::StrCat(kMissing, "noise\nproblem update\n", kFailed));
  EXPECT_EQ(machine_.Called(), absl::StrCat("id <-u>\n", install_, kUpdate));
}

}  // namespace
}  // namespace o8lock
