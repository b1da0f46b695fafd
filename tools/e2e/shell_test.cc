// SPDX-License-Identifier: Apache-2.0
//
// Runs the script of `bazel run //tools:install` as Bazel does, and tests its
// installed files with bash, zsh, fish and man.
#include <sys/stat.h>

#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

struct Installed {
  const char* place;  // under the prefix, and beside the script
  mode_t mode;
};
constexpr Installed kInstalled[] = {
    {"bin/o8lock", 0755},
    {"share/man/man1/o8lock.1", 0644},
    {"share/bash-completion/completions/o8lock", 0644},
    {"share/zsh/site-functions/_o8lock", 0644},
    {"share/fish/vendor_completions.d/o8lock.fish", 0644},
    {"share/doc/o8lock/examples/with-etcd", 0755},
};

// Returns a line for every file under `prefix`.
std::string Said(const std::string& done, const std::string& prefix) {
  std::string text;
  for (const Installed& file : kInstalled) {
    absl::StrAppend(&text, done, ": ", prefix, "/", file.place, "\n");
  }
  return text;
}

// Starts it among the runfiles, for a user in `directory`.
Result Install(const Argv& args, const std::string& directory = "/",
               const std::map<std::string, std::string>& env = {}) {
  ProcessOptions options = In(std::string());
  options.env["BUILD_WORKING_DIRECTORY"] = directory;
  for (const auto& [name, value] : env) options.env[name] = value;
  Argv argv = {PathFromEnv("INSTALL")};
  argv.insert(argv.end(), args.begin(), args.end());
  return Call(argv, options);
}

void ExpectInstalled(const std::string& prefix) {
  const std::filesystem::path tree =
      std::filesystem::path(PathFromEnv("INSTALL")).parent_path();
  for (const Installed& file : kInstalled) {
    SCOPED_TRACE(file.place);
    const std::string path = absl::StrCat(prefix, "/", file.place);
    struct stat found = {};
    ASSERT_EQ(lstat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode, S_IFREG | file.mode);
    EXPECT_TRUE(Contents(path) == Contents(tree / file.place));
    // The directory holds only this file: there is no temporary one.
    EXPECT_EQ(Names(std::filesystem::path(path).parent_path()).size(), 1);
  }
}

TEST(InstallTest, PutsEverythingInPlaceAndTakesItAway) {
  const TempDir dir;
  const std::string prefix = dir.File("a prefix");
  const Result installed = Install({"--prefix", prefix});
  EXPECT_EQ(installed.end, Exited(0));
  EXPECT_EQ(installed.out, absl::StrCat(Said("installed", prefix), prefix,
                                        "/bin is not in PATH\n"));
  EXPECT_EQ(installed.err, "");
  ExpectInstalled(prefix);
  EXPECT_EQ(Call({prefix + "/bin/o8lock", "--version"}, dir.path()).out,
            Call(O8lock({"--version"}), dir.path()).out);

  for (const Installed& file : kInstalled) {
    MakeFile(absl::StrCat(prefix, "/", file.place, ".mine"), "mine");
  }
  const Result removed = Install({"--uninstall", "--prefix", prefix});
  EXPECT_EQ(removed.end, Exited(0));
  EXPECT_EQ(removed.out, Said("removed", prefix));
  EXPECT_EQ(removed.err, "");
  for (const Installed& file : kInstalled) {
    const std::filesystem::path path = absl::StrCat(prefix, "/", file.place);
    EXPECT_THAT(Names(path.parent_path()),
                ElementsAre(path.filename().string() + ".mine"));
  }
  const Result again = Install({"--prefix", prefix, "--uninstall"});
  EXPECT_EQ(again.end, Exited(0));
  EXPECT_EQ(again.out, Said("not there", prefix));
}

TEST(InstallTest, KnowsWhatIsInPath) {
  const TempDir dir;
  const std::string path = absl::StrCat(dir.File("bin"), ":", getenv("PATH"));
  EXPECT_EQ(Install({"--prefix", dir.path()}, "/", {{"PATH", path}}).out,
            Said("installed", dir.path()));
}

TEST(InstallTest, PrefixIsTheUsersOwnUnlessSaidOtherwise) {
  const TempDir home;
  const Result installed = Install({}, "/", {{"HOME", home.path()}});
  EXPECT_EQ(installed.end, Exited(0)) << installed.err;
  ExpectInstalled(home.File(".local"));
  const Result removed = Install({"--uninstall"}, "/", {{"HOME", home.path()}});
  EXPECT_EQ(removed.out, Said("removed", home.File(".local")));
}

TEST(InstallTest, RelativePrefixIsWhereTheUserIs) {
  const TempDir dir;
  EXPECT_EQ(Install({"--prefix", "sub/x/"}, dir.path()).end, Exited(0));
  ExpectInstalled(dir.File("sub/x"));
}

TEST(InstallTest, ReplacesFilesAndLinksInOneStep) {
  const TempDir dir;
  const std::string prefix = dir.File("prefix");
  std::filesystem::create_directory(dir.File("victims"));
  MakeFile(dir.File("old"), "old");
  MakeFile(dir.File("victim"), "victim");
  int i = 0;
  for (const Installed& file : kInstalled) {
    const std::filesystem::path path = absl::StrCat(prefix, "/", file.place);
    std::filesystem::create_directories(path.parent_path());
    switch (i++ % 3) {
      case 0:  // Processes with the old file open keep it.
        std::filesystem::create_hard_link(dir.File("old"), path);
        break;
      case 1:
        std::filesystem::create_symlink(dir.File("victim"), path);
        break;
      default:
        std::filesystem::create_symlink(dir.File("victims"), path);
    }
  }
  EXPECT_EQ(Install({"--prefix", prefix}).end, Exited(0));
  ExpectInstalled(prefix);
  EXPECT_EQ(Contents(dir.File("old")), "old");
  EXPECT_EQ(Contents(dir.File("victim")), "victim");
  EXPECT_THAT(Names(dir.File("victims")), IsEmpty());
}

TEST(InstallTest, LinkIsTakenAwayAndNotWhatItLeadsTo) {
  const TempDir dir;
  MakeFile(dir.File("victim"), "victim");
  std::filesystem::create_directory(dir.File("bin"));
  std::filesystem::create_symlink("../victim", dir.File("bin/o8lock"));
  EXPECT_EQ(Install({"--prefix", dir.path(), "--uninstall"}).end, Exited(0));
  EXPECT_THAT(Names(dir.File("bin")), IsEmpty());
  EXPECT_EQ(Contents(dir.File("victim")), "victim");
}

TEST(InstallTest, RunGoesOn) {
  const TempDir dir;
  const Repository repo;
  EXPECT_EQ(Install({"--prefix", dir.path()}).end, Exited(0));
  Guarded run({dir.File("bin/o8lock"), "--", "sh", "-c", Guarded::kScript},
              In(repo.path()));
  EXPECT_EQ(Install({"--prefix", dir.path()}).end, Exited(0));
  EXPECT_EQ(Install({"--prefix", dir.path(), "--uninstall"}).end, Exited(0));
  EXPECT_EQ(run.Finish(5), Exited(5));
  EXPECT_EQ(run.err(), "");
  ExpectNothingLeft(repo);
}

TEST(InstallTest, SaysHowItIsUsed) {
  const TempDir dir;
  const std::vector<Argv> wrong = {{"--prefx", "x"},
                                   {"--prefix"},
                                   {"--prefix", ""},
                                   {"--prefix=x"},
                                   {"--prefix", "x", "y"}};
  for (const Argv& args : wrong) {
    SCOPED_TRACE(absl::StrJoin(args, " "));
    const Result result = Install(args, dir.path());
    EXPECT_EQ(result.end, Exited(64));
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err,
              "usage: install.sh [--prefix DIRECTORY] [--uninstall]\n");
    EXPECT_THAT(Names(dir.path()), IsEmpty());
  }
}

TEST(InstallTest, NamesWhatItCannotWriteOrRemove) {
  const TempDir dir;
  // The file itself cannot be written: it is a directory.
  const std::string page = dir.File("share/man/man1/o8lock.1");
  std::filesystem::create_directories(page);
  const Result result = Install({"--prefix", dir.path()});
  EXPECT_EQ(result.end, Exited(73));
  EXPECT_EQ(result.out, absl::StrCat("installed: ", dir.File("bin/o8lock\n")));
  EXPECT_THAT(result.err, EndsWith(absl::StrCat(
                              "\no8lock: error: cannot write ", page, "\n")));
  EXPECT_THAT(Names(dir.File("share/man/man1")), ElementsAre("o8lock.1"));
  const Result removal = Install({"--prefix", dir.path(), "--uninstall"});
  EXPECT_EQ(removal.end, Exited(73));
  EXPECT_EQ(removal.out, absl::StrCat("removed: ", dir.File("bin/o8lock\n")));
  EXPECT_THAT(removal.err, EndsWith(absl::StrCat(
                               "\no8lock: error: cannot remove ", page, "\n")));
  // Its directory cannot be created: it is a file.
  MakeFile(dir.File("file"), "");
  const Result under_a_file = Install({"--prefix", dir.File("file")});
  EXPECT_EQ(under_a_file.end, Exited(73));
  EXPECT_THAT(under_a_file.err,
              EndsWith(absl::StrCat("\no8lock: error: cannot write ",
                                    dir.File("file/bin/o8lock"), "\n")));
}

bool IsHere(const std::string& program) {
  return RunToEnd(Shell("command -v " + program)) == Exited(0);
}

// Returns the long options in `text`, each after `prefix`.
std::set<std::string> LongOptions(const std::string& text,
                                  const std::string& prefix) {
  std::set<std::string> options;
  const std::regex option(prefix + "([a-z][a-z-]+)");
  for (std::sregex_iterator it(text.begin(), text.end(), option), end;
       it != end; ++it) {
    options.insert("--" + it->str(1));
  }
  return options;
}

std::set<std::string> OptionsOfHelp() {
  return LongOptions(Call(O8lock({"--help"}), "/").out, "--");
}

// Returns all forms of the options that take the next argument.
std::set<std::string> OptionsWithValue() {
  std::set<std::string> options;
  const std::string help = Call(O8lock({"--help"}), "/").out;
  const std::regex option("(?:(-[A-Za-z]), )?(--[a-z-]+) [A-Z]");
  for (std::sregex_iterator it(help.begin(), help.end(), option), end;
       it != end; ++it) {
    options.insert(it->str(2));
    if ((*it)[1].matched) options.insert(it->str(1));
  }
  EXPECT_THAT(options, ::testing::IsSupersetOf({"-n", "--name", "--feature"}));
  return options;
}

class ManPageTest : public testing::Test {
 protected:
  ManPageTest() {
    EXPECT_EQ(Install({"--prefix", prefix_.path()}).end, Exited(0));
  }
  // Runs PROGRAM ARGS... with this page.
  Result Read(const Argv& argv) const {
    ProcessOptions options = In("/");
    options.env["LC_ALL"] = "C.UTF-8";
    options.env["MANPATH"] = prefix_.File("share/man");
    return Call(argv, options);
  }
  std::string page() const { return prefix_.File("share/man/man1/o8lock.1"); }

 private:
  const TempDir prefix_;
};

TEST_F(ManPageTest, HasTheOptionsOfHelp) {
  EXPECT_EQ(LongOptions(Contents(page()), "Fl -"), OptionsOfHelp());
}

TEST_F(ManPageTest, IsFoundAndReadByManWithoutAWarning) {
  if (!IsHere("man")) GTEST_SKIP() << "there is no man here";
  const Result read = Read({"man", "--warnings", "o8lock"});
  EXPECT_EQ(read.end, Exited(0));
  EXPECT_EQ(read.err, "");
  EXPECT_THAT(read.out,
              HasSubstr("run a command under one lock per git repository"));
}

TEST_F(ManPageTest, IsReadByMandocWithoutAWarning) {
  if (!IsHere("mandoc")) GTEST_SKIP() << "there is no mandoc here";
  // Leave out style messages: they depend on the other installed pages.
  const Result read = Read({"mandoc", "-Tlint", "-Wwarning", page()});
  EXPECT_EQ(read.end, Exited(0));
  EXPECT_EQ(read.out, "");
}

constexpr char kBashCompletion[] = "/usr/share/bash-completion/bash_completion";

// A shell with completion, in a repository that has had some locks. o8lock is
// installed in the shell's search path for completions. The shell has a command
// `wrapped`, with the argument alpha or beta.
class CompletionTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!IsHere(shell())) GTEST_SKIP() << "there is no " << shell() << " here";
    if (with_bash_completion() && !Exists(kBashCompletion)) {
      GTEST_SKIP() << "bash-completion is not installed";
    }
    ASSERT_EQ(Install({"--prefix", home_.File(".local")}).end, Exited(0));
    MakeFile(home_.File(".local/bin/wrapped"), "#!/bin/sh\n", 0755);
    repo_.MakeGuard("");
    for (const char* name : {"a.b.guard", "deploy.guard",
                             "deploy.lock.malformed-x", "$(touch ran).guard"}) {
      MakeFile(repo_.File(absl::StrCat(".git/o8lock/", name)), "");
    }
    std::filesystem::create_directory(repo_.File("files"));
    MakeFile(repo_.File("files/one"), "");
    MakeFile(repo_.File("files/two"), "");
    if (shell() != "fish") StartShell();
  }

  bool with_bash_completion() const {
    return GetParam() == std::string("bash_completion");
  }
  std::string shell() const {
    return with_bash_completion() ? "bash" : GetParam();
  }
  const Repository& repo() const { return repo_; }

  // Returns the completions for the last word of `line`. `line` has no quotes.
  std::vector<std::string> Offers(const std::string& line) {
    return shell() == "fish" ? FishOffers(line) : TypedOffers(line);
  }

  std::set<std::string> OfferedOptions() {
    return LongOptions(absl::StrJoin(Offers("o8lock --"), "\n"), "--");
  }

 private:
  static constexpr char kPrompt[] = "ready> ";

  // In readline, and nearly so in zle, Ctrl-T inserts all completions into the
  // line. A function in place of o8lock then prints its arguments.
  static constexpr char kShow[] =
      "o8lock() { printf '%s\\n' BEGIN \"$@\" END; }\n"
      "PS1='ready> '\n";
  static constexpr char kBash[] =
      "bind 'set enable-bracketed-paste off'\n"
      "bind '\"\\C-t\": insert-completions'\n"
      "complete -W 'alpha beta' wrapped\n";
  static constexpr char kZsh[] =
      "fpath=($HOME/.local/share/zsh/site-functions $fpath)\n"
      "autoload -Uz compinit && compinit -D -u\n"
      "zle -C all complete-word _generic\n"
      "bindkey '^T' all\n"
      "zstyle ':completion:all:*' completer _all_matches _complete\n"
      "zstyle ':completion:all:*' insert yes\n"
      "_wrapped() { compadd alpha beta; }\n"
      "compdef _wrapped wrapped\n";

  ProcessOptions Options() const {
    ProcessOptions options = OnTerminal(repo_.path());
    options.env["HOME"] = home_.path();
    options.env["ZDOTDIR"] = home_.path();
    options.env["XDG_DATA_HOME"] = home_.File(".local/share");
    options.env["XDG_CONFIG_HOME"] = home_.File(".config");
    options.env["PATH"] =
        absl::StrCat(home_.File(".local/bin"), ":", getenv("PATH"));
    options.env["TERM"] = "dumb";
    return options;
  }

  void StartShell() {
    const std::string rc = home_.File(".zshrc");
    if (shell() == "zsh") {
      MakeFile(rc, absl::StrCat(kZsh, kShow));
      shell_ = std::make_unique<Process>(Argv{"zsh", "-d", "-i"}, Options());
    } else {
      const std::string file =
          with_bash_completion()
              ? kBashCompletion
              : home_.File(".local/share/bash-completion/completions/o8lock");
      MakeFile(rc, absl::StrCat(". ", file, "\n", kBash, kShow));
      shell_ = std::make_unique<Process>(
          Argv{"bash", "--noprofile", "--rcfile", rc, "-i"}, Options());
    }
    shell_->WaitForOutput(kPrompt);
  }

  std::vector<std::string> TypedOffers(const std::string& line) {
    shell_->Write(line + "\x14\n");
    shell_->WaitForOutput("BEGIN\r\n");
    std::string shown = shell_->WaitForOutput("END\r\n");
    shell_->WaitForOutput(kPrompt);
    shown = absl::StrReplaceAll(shown, {{"\r", ""}});
    std::vector<std::string> words =
        absl::StrSplit(absl::StripSuffix(shown, "END\n"), '\n');
    words.pop_back();
    // Skip o8lock and the words before the completed one.
    const auto before = Count(line, " ") - 1;
    EXPECT_GE(words.size(), before);
    return {words.begin() + before, words.end()};
  }

  std::vector<std::string> FishOffers(const std::string& line) {
    ProcessOptions options = Options();
    options.terminal = false;
    const Result result = Call({"fish", "-c",
                                "complete -c wrapped -xa 'alpha beta'\n"
                                "complete -C $argv[1]",
                                line},
                               options);
    EXPECT_EQ(result.err, "");
    std::vector<std::string> words;
    for (const absl::string_view row :
         absl::StrSplit(result.out, '\n', absl::SkipEmpty())) {
      words.emplace_back(row.substr(0, row.find('\t')));
    }
    return words;
  }

  const Repository repo_;
  const TempDir home_;
  std::unique_ptr<Process> shell_;
};

TEST_P(CompletionTest, OffersTheOptionsOfHelp) {
  EXPECT_EQ(OfferedOptions(), OptionsOfHelp());
}

TEST_P(CompletionTest, OffersTheVerbs) {
  std::vector<std::string> lines = {"o8lock ", "o8lock -q ", "o8lock --wait ",
                                    "o8lock --name=x "};
  for (const std::string& option : OptionsWithValue()) {
    lines.push_back(absl::StrCat("o8lock ", option, " hooks "));
  }
  for (const std::string& line : lines) {
    SCOPED_TRACE(line);
    EXPECT_THAT(Offers(line),
                UnorderedElementsAre("--", "doctor", "help", "hooks", "status",
                                     "unlock"));
  }
  EXPECT_THAT(Offers("o8lock -v s"), ElementsAre("status"));
  EXPECT_THAT(Offers("o8lock help "),
              UnorderedElementsAre("doctor", "hooks", "status", "unlock"));
  for (const char* line : {"o8lock hooks ", "o8lock help hooks "}) {
    SCOPED_TRACE(line);
    EXPECT_THAT(Offers(line),
                UnorderedElementsAre("install", "run", "status", "uninstall"));
  }
  EXPECT_THAT(Offers("o8lock status "), IsEmpty());
  EXPECT_THAT(Offers("o8lock status --js"), ElementsAre("--json"));
}

TEST_P(CompletionTest, OffersTheValuesThatAnOptionHas) {
  EXPECT_THAT(Offers("o8lock --publish "),
              UnorderedElementsAre("always", "auto", "never"));
  EXPECT_THAT(Offers("o8lock -q --publish=n"), ElementsAre("--publish=never"));
  EXPECT_THAT(Offers("o8lock --leftovers "),
              UnorderedElementsAre("keep", "kill", "release", "wait"));
  EXPECT_THAT(Offers("o8lock --lock-file files/"),
              UnorderedElementsAre("files/one", "files/two"));
  EXPECT_THAT(Offers("o8lock --lock-file=files/o"),
              ElementsAre("--lock-file=files/one"));
  for (const char* line : {"o8lock --feature ", "o8lock --max-concurrency ",
                           "o8lock -E ", "o8lock --kill-after "}) {
    SCOPED_TRACE(line);
    EXPECT_THAT(Offers(line), IsEmpty());
  }
}

TEST_P(CompletionTest, OffersValuesThatO8lockTakes) {
  for (const std::string option : {"--publish", "--leftovers"}) {
    for (const std::string& value :
         Offers(absl::StrCat("o8lock ", option, " "))) {
      SCOPED_TRACE(absl::StrCat(option, " ", value));
      EXPECT_EQ(Call(O8lock({option, value, "--", "true"}), repo().path()).end,
                Exited(0));
    }
  }
}

TEST_P(CompletionTest, OffersTheLocksOfTheRepository) {
  for (const char* line : {"o8lock --name ", "o8lock -n ", "o8lock -qn ",
                           "o8lock --feature a:b=c -n "}) {
    SCOPED_TRACE(line);
    EXPECT_THAT(Offers(line),
                UnorderedElementsAre("a.b", "deploy", "parallel"));
  }
  EXPECT_THAT(Offers("o8lock --name=d"), ElementsAre("--name=deploy"));
  EXPECT_FALSE(Exists(repo().File("ran")));
}

TEST_P(CompletionTest, CompletesTheCommandAsIfItStoodAlone) {
  for (const char* before : {"o8lock -- ", "o8lock -fn x --wait=1m -- ",
                             "o8lock --feature=a:b -- "}) {
    SCOPED_TRACE(before);
    EXPECT_THAT(Offers(absl::StrCat(before, "wrapp")), ElementsAre("wrapped"));
    // Without bash-completion bash completes only files.
    if (GetParam() == std::string("bash")) {
      EXPECT_THAT(Offers(absl::StrCat(before, "wrapped files/o")),
                  ElementsAre("files/one"));
    } else {
      EXPECT_THAT(Offers(absl::StrCat(before, "wrapped ")),
                  UnorderedElementsAre("alpha", "beta"));
      EXPECT_THAT(Offers(absl::StrCat(before, "wrapped b")),
                  ElementsAre("beta"));
      EXPECT_THAT(Offers(absl::StrCat(before, "o8lock -q -- wrapped b")),
                  ElementsAre("beta"));
    }
    // It offers nothing of o8lock's own.
    EXPECT_THAT(Offers(absl::StrCat(before, "unloc")), Not(Contains("unlock")));
    EXPECT_THAT(Offers(absl::StrCat(before, "wrapped --publ")),
                Not(Contains("--publish")));
  }
}

INSTANTIATE_TEST_SUITE_P(Shells, CompletionTest,
                         testing::Values("bash", "bash_completion", "zsh",
                                         "fish"),
                         [](const auto& shell) {
                           return std::string(shell.param);
                         });

}  // namespace
}  // namespace o8lock
