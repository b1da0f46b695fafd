// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/reach.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "lock/file.h"
#include "lock/json.h"
#include "lock/orchestr8_process.h"
#include "tools/cli/find_command.h"
#include "tools/cli/orchestr8.h"
#include "tools/cli/orchestr8_package.h"

namespace o8lock {
namespace {

constexpr const char* kNames[] = {"orchestr8", "murmur8"};
constexpr absl::string_view kMakefiles[] = {"GNUmakefile", "makefile",
                                            "Makefile"};

// Limits on file system accesses: a command line may have thousands of words.
constexpr int kMaxLookups = 64;
constexpr int kMaxCommands = 8;  // searched for in PATH
constexpr int kMaxScripts = 8;

constexpr size_t kMaxSubject = 1000;
// A workspace with thousands of packages has a file of a few MiB.
constexpr size_t kMaxYarnLock = 16 << 20;

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

bool IsDirectory(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// Returns the words of a command line or a script of any language: the pieces
// between blanks, quotes and operators. Skips comment lines and the prefixes of
// make's recipes.
std::vector<std::string> WordsOf(absl::string_view text) {
  std::vector<std::string> words;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const bool is_recipe = absl::StartsWith(line, "\t");
    const absl::string_view prefixes = is_recipe ? " \t@+-" : " \t";
    line.remove_prefix(std::min(line.find_first_not_of(prefixes), line.size()));
    if (absl::StartsWith(line, "#") || absl::StartsWith(line, "//")) continue;
    for (const absl::string_view piece :
         absl::StrSplit(line, absl::ByAnyChar(" \t\r\"'`;&|()<>{}[],=:"),
                        absl::SkipEmpty())) {
      words.emplace_back(piece);
    }
  }
  return words;
}

// Returns whether `word` names orchestr8, or its package as `npm pack` writes
// it: murmur8-4.4.0.tgz.
bool NamesProgramOrPackage(absl::string_view word) {
  if (NamesOrchestr8(word)) return true;
  const absl::string_view name = BaseName(word);
  return absl::EndsWith(name, ".tgz") &&
         NamesOrchestr8(name.substr(0, name.find('-')));
}

bool NamesIt(absl::string_view text) {
  return absl::c_any_of(WordsOf(text), NamesProgramOrPackage);
}

// Returns whether the word after `word` is a working directory or a script.
bool PrecedesPath(absl::string_view word) {
  constexpr absl::string_view kWords[] = {
      ".",    "--cwd", "--dir", "--prefix", "--workspace", "-C",     "-w",
      "bash", "cd",    "dash",  "node",     "sh",          "source", "zsh"};
  return absl::c_linear_search(kWords, word);
}

// Returns whether a file of this name is a program even without a "#!" line.
bool IsScriptName(absl::string_view path) {
  constexpr absl::string_view kEndings[] = {".bash", ".cjs", ".js", ".mjs",
                                            ".mk",   ".py",  ".sh", ".ts"};
  return absl::c_linear_search(kMakefiles, BaseName(path)) ||
         absl::c_any_of(kEndings, [path](absl::string_view ending) {
           return absl::EndsWith(path, ending);
         });
}

// Returns the text of the script `file`. Empty if it is no script, or too long.
std::string ReadScript(const std::string& file) {
  const absl::StatusOr<Fd> fd = OpenRegular(file, O_RDONLY);
  if (!fd.ok()) return "";
  char head[2] = {};
  if (!IsScriptName(file) && (pread(fd->get(), head, sizeof(head), 0) != 2 ||
                              head[0] != '#' || head[1] != '!')) {
    return "";
  }
  return ReadWhole(*fd, file).value_or("");
}

// The source of words.
struct Source {
  std::string name;       // for people
  std::string directory;  // where they are executed
  // Only for a script: its own directory, where it may look for others.
  std::string script_directory;
  bool is_command_line = false;
};

// One search. The functions return whether they found an answer.
class Search {
 public:
  // Searches from `here` up to `top`, both absolute and without links.
  Search(std::string here, std::string top)
      : here_(std::move(here)), top_(std::move(top)) {}

  bool Run(absl::Span<const std::string> command);

  const ReachableOrchestr8& found() const { return found_; }

 private:
  bool Found(std::string subject, LocksItself locks);
  LocksItself Inspect(const Orchestr8Program& program);
  bool Program(const std::string& path, const std::string& subject);

  bool Directories(std::string directory);
  bool Installed(const std::string& directory);
  bool InstalledByYarn(const std::string& directory);
  bool Package(const std::string& directory);
  bool Dependency(const std::string& directory, const std::string& name);
  bool SearchPath();

  bool Words(absl::string_view text, const Source& source);
  bool Word(const std::string& word, const Source& source, bool is_path);
  bool Path(const std::string& path, bool may_lack_ending);
  bool Named(const std::string& word, const Source& source);
  bool Makefiles(const std::string& directory);
  bool Script(const std::string& path);

  const std::string here_;
  const std::string top_;
  ReachableOrchestr8 found_;
  std::set<std::string> visited_;                 // directories and scripts
  std::map<std::string, LocksItself> inspected_;  // packages and other programs
  // Scripts of package.json files, by name, until a word names them.
  std::map<std::string, std::pair<std::string, Source>> scripts_;
  bool makes_ = false;  // the command names make
  int lookups_ = 0;
  int commands_ = 0;
  int scripts_read_ = 0;
};

bool Search::Run(absl::Span<const std::string> command) {
  if (Directories(here_) || SearchPath()) return true;
  const Source source = {"the command line", here_, "",
                         /*is_command_line=*/true};
  return absl::c_any_of(command, [&](const std::string& argument) {
    // First as a whole, like a path with blanks, then as a shell's command
    // line.
    return Word(argument, source, /*is_path=*/false) || Words(argument, source);
  });
}

bool Search::Found(std::string subject, LocksItself locks) {
  if (locks == LocksItself::kNo) return false;
  // A command line may be a program text.
  if (subject.size() > kMaxSubject) subject.resize(kMaxSubject);
  found_ = {std::move(subject), locks == LocksItself::kYes};
  return true;
}

// Reads a package only once, whatever names lead to it.
LocksItself Search::Inspect(const Orchestr8Program& program) {
  const std::string file = FindProgram(program);
  if (file.empty()) return LocksItself::kUnknown;
  const std::string package = Orchestr8PackageOf(file);
  const auto [known, is_new] = inspected_.emplace(
      package.empty() ? file : package, LocksItself::kUnknown);
  if (is_new) known->second = FindOutWhetherItLocks({file, false});
  return known->second;
}

bool Search::Program(const std::string& path, const std::string& subject) {
  return Found(subject, Inspect({path, false}));
}

// --- Directories ---

bool Search::Directories(std::string directory) {
  for (; IsBelow(directory, top_) && visited_.insert(directory).second;
       directory = ParentOf(directory)) {
    if (Installed(directory) || Package(directory)) return true;
  }
  return false;
}

bool Search::Installed(const std::string& directory) {
  if (InstalledByYarn(directory)) return true;
  const std::string modules = directory + "/node_modules";
  if (!Exists(modules)) return false;
  for (const char* name : kNames) {
    const std::string program = absl::StrCat(modules, "/.bin/", name);
    // The stores of pnpm and Bun hold the dependencies of a whole workspace.
    for (const char* store :
         {"", ".pnpm/node_modules/", ".bun/node_modules/"}) {
      const std::string package = absl::StrCat(modules, "/", store, name);
      if (Exists(package + "/package.json") &&
          Program(package + "/package.json", package)) {
        return true;
      }
    }
    if (Exists(program) && Program(program, program)) return true;
  }
  return false;
}

// With Plug'n'Play only this file lists the dependencies of a workspace, and
// the programs are in archives.
bool Search::InstalledByYarn(const std::string& directory) {
  if (!Exists(directory + "/.pnp.cjs")) return false;
  const std::string path = directory + "/yarn.lock";
  const std::string text = ReadFile(path, kMaxYarnLock).value_or("");
  for (const char* name : kNames) {
    if (absl::StrContains(text, name) && NamesIt(text)) {
      return Found(absl::StrCat(name, ", named in ", path, ","),
                   LocksItself::kUnknown);
    }
  }
  return false;
}

bool Search::Package(const std::string& directory) {
  const std::string path = directory + "/package.json";
  if (!Exists(path)) return false;
  const absl::StatusOr<std::string> file = Canonical(path);
  if (!file.ok()) return false;
  const PackageJson package = ParsePackage(ReadFile(*file).value_or(""));
  if (NamesOrchestr8(package.name) && Program(path, directory)) return true;
  for (const auto& [name, version] : package.dependencies) {
    // An alias counts too: "x": "npm:murmur8@4".
    if ((NamesOrchestr8(name) || NamesIt(version)) &&
        Dependency(directory, name)) {
      return true;
    }
  }
  const Source source = {path, directory, directory};
  for (const auto& [name, text] : package.scripts) {
    for (const std::string& word : WordsOf(text)) {
      if (NamesProgramOrPackage(word) && Named(word, source)) return true;
    }
    scripts_.emplace(name, std::make_pair(text, source));
  }
  return false;
}

// Finds the dependency `name` of the package in `directory`. It may be
// installed further up or, with Yarn's Plug'n'Play, in no directory at all.
bool Search::Dependency(const std::string& directory, const std::string& name) {
  for (std::string up = directory; !up.empty(); up = ParentOf(up)) {
    const std::string package = absl::StrCat(up, "/node_modules/", name);
    if (Exists(package + "/package.json")) {
      return Program(package + "/package.json", package);
    }
  }
  return Found(absl::StrCat(name, ", named in ", directory, "/package.json,"),
               LocksItself::kUnknown);
}

bool Search::SearchPath() {
  for (const char* name : kNames) {
    const absl::StatusOr<std::string> program = FindCommand(name);
    if (program.ok() && Program(*program, *program)) return true;
  }
  return false;
}

// --- Words ---

bool Search::Words(absl::string_view text, const Source& source) {
  bool is_path = false;
  for (const std::string& word : WordsOf(text)) {
    if (word != text && Word(word, source, is_path)) return true;
    is_path = PrecedesPath(word);
  }
  return false;
}

// `is_path`: its position requires a directory or a script.
bool Search::Word(const std::string& word, const Source& source, bool is_path) {
  if (NamesProgramOrPackage(word)) return Named(word, source);
  if (const auto called = scripts_.find(word); called != scripts_.end()) {
    const auto [text, package] = std::move(called->second);
    scripts_.erase(called);
    if (Words(text, package)) return true;
  }
  const size_t slash = word.find('/');
  is_path = is_path || slash != word.npos || IsScriptName(word);
  if (word.empty() || word[0] == '-' || !(is_path || source.is_command_line) ||
      ++lookups_ > kMaxLookups) {
    return false;
  }
  if (BaseName(word) == "make") {
    makes_ = true;
    if (Makefiles(source.directory)) return true;
  }
  const std::string path = JoinPath(source.directory, word);
  if (Path(path, is_path)) return true;
  // "$(dirname "$0")/lib/x.sh", or './lib/x' of a module.
  if (!source.script_directory.empty() && slash != word.npos &&
      Path(JoinPath(source.script_directory, word.substr(slash + 1)), true)) {
    return true;
  }
  return source.is_command_line && slash == word.npos && !Exists(path) &&
         ++commands_ <= kMaxCommands && Script(FindCommand(word).value_or(""));
}

// Searches the directory or the script `path`, if it exists. Node accepts a
// script's name without its suffix.
bool Search::Path(const std::string& path, bool may_lack_ending) {
  if (!Exists(path)) return may_lack_ending && Script(path + ".js");
  if (!IsDirectory(path)) return Script(path);
  return (BelongsToOrchestr8({path, false}) && Program(path, path)) ||
         (makes_ && Makefiles(path)) ||
         Directories(Canonical(path).value_or(""));
}

// `word` names orchestr8.
bool Search::Named(const std::string& word, const Source& source) {
  const bool is_path = absl::StrContains(word, '/');
  const std::string program = is_path ? JoinPath(source.directory, word) : word;
  // A directory cannot be started, except as a package.
  if (is_path && IsDirectory(program) && !Exists(program + "/package.json")) {
    return false;
  }
  return Found(absl::StrCat(word, ", named in ", source.name, ","),
               std::max(Inspect({word, true}), Inspect({program, false})));
}

bool Search::Makefiles(const std::string& directory) {
  return absl::c_any_of(kMakefiles, [&](absl::string_view name) {
    return Script(JoinPath(directory, name));
  });
}

// Searches the script `path`, if it exists.
bool Search::Script(const std::string& path) {
  const absl::StatusOr<std::string> file = Canonical(path);
  if (!file.ok() || !visited_.insert(*file).second) return false;
  const std::string text = ReadScript(*file);
  if (text.empty() || ++scripts_read_ > kMaxScripts) return false;
  if (BelongsToOrchestr8({*file, false})) return Program(*file, *file);
  return Words(text, {*file, here_, ParentOf(*file)});
}

}  // namespace

std::optional<ReachableOrchestr8> FindReachableOrchestr8(
    absl::Span<const std::string> command, const std::string& top) {
  Search search(Canonical(".").value_or(""), top);
  if (!search.Run(command)) return std::nullopt;
  return search.found();
}

}  // namespace o8lock
