// SPDX-License-Identifier: Apache-2.0
#include "hooks/installation.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "hooks/git.h"
#include "lock/arming.h"
#include "lock/file.h"
#include "lock/inspection.h"
#include "lock/location.h"
#include "lock/lock.h"
#include "lock/status.h"

namespace o8lock {
namespace {

constexpr absl::string_view kInclude = "o8lock/armed.inc";
constexpr absl::string_view kReferenceTransaction = "reference-transaction";
constexpr absl::string_view kPostCheckout = "post-checkout";
// The second line of every script of ours, by which it is known again.
constexpr absl::string_view kScriptHead =
    "#!/bin/sh\n# o8lock: made by `o8lock hooks install`.\n";
// What a hook begins with that is there only for our line.
constexpr absl::string_view kEmptyScript = "#!/bin/sh\n";
// The end of the line of ours in a hook of the user's.
constexpr absl::string_view kLineEnd =
    " # o8lock: until `o8lock hooks uninstall`";
// How a line begins that remembers something in locked.inc.
constexpr absl::string_view kProgramLine = "# program: ";
constexpr absl::string_view kBasisLine = "# basis: ";

// Those of githooks(5). push-to-checkout replaces what git does without it, and
// reference-transaction and post-checkout are ours.
constexpr absl::string_view kHookNames[] = {"applypatch-msg",
                                            "pre-applypatch",
                                            "post-applypatch",
                                            "pre-commit",
                                            "pre-merge-commit",
                                            "prepare-commit-msg",
                                            "commit-msg",
                                            "post-commit",
                                            "pre-rebase",
                                            "post-merge",
                                            "pre-push",
                                            "pre-receive",
                                            "update",
                                            "proc-receive",
                                            "post-receive",
                                            "post-update",
                                            "push-to-checkout",
                                            "pre-auto-gc",
                                            "post-rewrite",
                                            "sendemail-validate",
                                            "post-index-change",
                                            "p4-changelist",
                                            "p4-prepare-changelist",
                                            "p4-post-changelist",
                                            "p4-pre-submit"};

std::string OwnDirectory(const Location& location) {
  return location.common_dir + "/o8lock";
}

std::string OwnHooks(const Location& location) {
  return OwnDirectory(location) + "/hooks";
}

bool IsExecutable(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

// Of a text that is to be one word of sh.
std::string Quoted(absl::string_view word) {
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

// Of a text that is to be one value of a configuration file.
std::string ConfigQuoted(absl::string_view value) {
  return absl::StrCat(
      "\"",
      absl::StrReplaceAll(value,
                          {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}),
      "\"");
}

// The name that `path` has until it is complete: one of this process's, that
// nobody takes for a hook.
constexpr absl::string_view kFresh = ".o8lock-new.";
std::string FreshName(const std::string& path) {
  const size_t name = path.rfind('/') + 1;
  return absl::StrCat(path.substr(0, name), kFresh, getpid(), ".",
                      path.substr(name));
}

// Puts a new file `path` in place, in one step: git may be reading it. One that
// is there already stays.
absl::Status PutFile(const std::string& path, absl::string_view text,
                     mode_t mode) {
  struct stat present;
  if (lstat(path.c_str(), &present) == 0 &&
      present.st_mode == (S_IFREG | mode) &&
      ReadFile(path).value_or("") == text) {
    return absl::OkStatus();
  }
  const std::string fresh = FreshName(path);
  unlink(fresh.c_str());
  O8LOCK_ASSIGN_OR_RETURN(const Fd fd,
                          OpenRegular(fresh, O_RDWR | O_CREAT | O_EXCL, mode));
  absl::Cleanup undo = [&fresh] { unlink(fresh.c_str()); };
  O8LOCK_RETURN_IF_ERROR(Overwrite(fd, text, fresh));
  // A user's umask must not keep others out: git fails where it cannot read
  // what its configuration includes.
  if (fchmod(fd.get(), mode) != 0) {
    return ErrnoStatus(errno, "change the mode of", fresh);
  }
  if (rename(fresh.c_str(), path.c_str()) != 0) {
    return ErrnoStatus(errno, absl::StrCat("rename '", fresh, "' to"), path);
  }
  std::move(undo).Cancel();
  return absl::OkStatus();
}

bool Exists(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0;
}

absl::Status PutLink(const std::string& path, const std::string& target) {
  std::array<char, PATH_MAX> present;
  const ssize_t size = readlink(path.c_str(), present.data(), present.size());
  if (size >= 0 &&
      absl::string_view(present.data(), static_cast<size_t>(size)) == target) {
    return absl::OkStatus();
  }
  const std::string fresh = FreshName(path);
  unlink(fresh.c_str());
  if (symlink(target.c_str(), fresh.c_str()) != 0) {
    return ErrnoStatus(errno, "create link", fresh);
  }
  if (rename(fresh.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(fresh.c_str());
    return ErrnoStatus(error, absl::StrCat("rename '", fresh, "' to"), path);
  }
  return absl::OkStatus();
}

absl::Status Remove(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) {
    return absl::OkStatus();
  }
  return ErrnoStatus(errno, "remove", path);
}

// Makes `path`, which whoever may read the directory it is in may read as well.
absl::Status MakeReadableDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) {
    return ErrnoStatus(errno, "create directory", path);
  }
  struct stat parent;
  struct stat info;
  if (stat((path + "/..").c_str(), &parent) != 0 ||
      stat(path.c_str(), &info) != 0) {
    return ErrnoStatus(errno, "stat", path);
  }
  const mode_t wanted = info.st_mode | (parent.st_mode & 0777);
  // EPERM: it is another's, who has seen to that.
  if (wanted != info.st_mode && chmod(path.c_str(), wanted & 07777) != 0 &&
      errno != EPERM) {
    return ErrnoStatus(errno, "change the mode of", path);
  }
  return absl::OkStatus();
}

absl::Status RemoveDirectory(const std::string& path) {
  for (const std::string& name : NamesIn(path)) {
    O8LOCK_RETURN_IF_ERROR(Remove(absl::StrCat(path, "/", name)));
  }
  if (rmdir(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return ErrnoStatus(errno, "remove", path);
}

// One setting as git has read it.
struct Setting {
  std::string scope;
  std::string origin;
  std::string key;
  std::string value;
};

// Whether it comes from a file of ours.
bool IsOurs(const Setting& setting) {
  return absl::EndsWith(setting.origin, absl::StrCat("/", kInclude)) ||
         setting.origin == absl::StrCat("file:", kInclude);
}

// All settings, in the order in which later ones win.
absl::StatusOr<std::vector<Setting>> ReadSettings(
    const std::string& directory) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string text,
                          AskGit(directory, {"config", "--list", "--show-scope",
                                             "--show-origin", "-z"}));
  const std::vector<absl::string_view> fields = absl::StrSplit(text, '\0');
  std::vector<Setting> settings;
  for (size_t i = 0; i + 2 < fields.size(); i += 3) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(fields[i + 2], absl::MaxSplits('\n', 1));
    settings.push_back({std::string(fields[i]), std::string(fields[i + 1]),
                        std::string(pair.first), std::string(pair.second)});
  }
  return settings;
}

// git's version, major and minor.
struct Version {
  std::string text;
  std::pair<int, int> number;
};
absl::StatusOr<Version> GitVersion(const std::string& directory) {
  O8LOCK_ASSIGN_OR_RETURN(const std::string line,
                          AskGit(directory, {"version"}));
  absl::string_view text = line;
  absl::ConsumePrefix(&text, "git version ");
  Version version{std::string(text), {0, 0}};
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  if (parts.size() < 2 || !absl::SimpleAtoi(parts[0], &version.number.first) ||
      !absl::SimpleAtoi(parts[1], &version.number.second)) {
    return absl::InternalError(
        absl::StrCat("git names a version that is none: '", line, "'"));
  }
  return version;
}

Mechanism MechanismOf(const Version& version) {
  return version.number >= std::make_pair(2, 54) ? Mechanism::kConfig
                                                 : Mechanism::kDirectory;
}

// Where git looks for hooks while the lock is free.
struct HooksPath {
  std::string value;      // core.hooksPath, or the default
  std::string directory;  // absolute: for a relative one the main worktree's
};

HooksPath FindHooksPath(const Location& location,
                        const std::vector<Setting>& settings) {
  HooksPath path{location.common_dir + "/hooks", ""};
  for (const Setting& setting : settings) {
    // What wins over ours while the lock is taken is a bypass. Somebody may
    // have put ours back as what git told while it was.
    if (setting.key == "core.hookspath" && !IsOurs(setting) &&
        setting.value != OwnHooks(location) && setting.scope != "worktree" &&
        setting.scope != "command") {
      path.value = setting.value;
    }
  }
  const char* home = getenv("HOME");
  if (home != nullptr && absl::StartsWith(path.value, "~/")) {
    path.value.replace(0, 1, home);
  }
  path.directory = absl::StartsWith(path.value, "/")
                       ? path.value
                       : absl::StrCat(location.Home(), "/", path.value);
  return path;
}

// What the files of the hooks rest on: if it changes they are made anew.
struct Basis {
  std::string common_dir;
  std::string local_path;  // core.hooksPath of the repository's own file
  std::string directory;   // as in HooksPath
  std::string changed;     // when the directory was, and the one of ours
};

std::string ChangeOf(const std::string& directory) {
  struct stat info;
  if (stat(directory.c_str(), &info) != 0) return "-";
  return absl::StrCat(info.st_mtim.tv_sec, ".", info.st_mtim.tv_nsec);
}

std::string ChangeOf(const Location& location, const std::string& directory) {
  return absl::StrCat(ChangeOf(directory), " ", ChangeOf(OwnHooks(location)));
}

// One line; PutFiles takes no path with a tab or a newline.
std::string BasisText(const Basis& basis) {
  return absl::StrCat(kBasisLine, basis.changed, "\t", basis.common_dir, "\t",
                      basis.local_path, "\t", basis.directory, "\n");
}

Basis BasisOf(const Location& location, Mechanism mechanism,
              const HooksPath& path) {
  if (mechanism == Mechanism::kConfig) return {location.common_dir, "", "", ""};
  return {location.common_dir, location.hooks_path.value_or(""), path.directory,
          ChangeOf(location, path.directory)};
}

// What locked.inc remembers.
struct Remembered {
  std::string program;
  std::optional<Basis> basis;
};
absl::StatusOr<Remembered> ReadLockedFile(const Location& location) {
  Remembered remembered;
  O8LOCK_ASSIGN_OR_RETURN(
      const std::string text,
      ReadFile(absl::StrCat(OwnDirectory(location), "/", kLockedFile)));
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::ConsumePrefix(&line, kProgramLine)) {
      remembered.program = std::string(line);
    } else if (absl::ConsumePrefix(&line, kBasisLine)) {
      const std::vector<std::string> fields = absl::StrSplit(line, '\t');
      if (fields.size() == 4) {
        remembered.basis = Basis{fields[1], fields[2], fields[3], fields[0]};
      }
    }
  }
  return remembered;
}

// A command of sh that runs the hook `name`, unless the program is gone.
std::string Call(const std::string& program, absl::string_view prefix,
                 absl::string_view name) {
  const std::string quoted = Quoted(program);
  return absl::StrCat("! test -x ", quoted, " || ", prefix, quoted,
                      " hooks run ", name);
}

// The end of a call in a script. What cannot be executed has not refused.
constexpr absl::string_view kOrExit =
    " \"$@\" || case $? in 126 | 127) ;; *) exit 1 ;; esac";

// A script that stands for the hook `name`: ours, unless `program` is empty,
// then the one that is `real`, a word of sh, unless that is not there.
std::string ScriptText(const std::string& program, absl::string_view name,
                       const std::string& real) {
  std::string text(kScriptHead);
  if (!program.empty()) {
    absl::StrAppend(&text, Call(program, "", name), kOrExit, "\n");
  }
  absl::StrAppend(&text, "real=", real,
                  "\n! test -x \"$real\" || exec \"$real\" \"$@\"\n");
  return text;
}

// Whether `path` is one of the hooks that are made anew.
bool IsOurHook(const std::string& path) {
  return absl::StartsWith(ReadFile(path).value_or(""), kScriptHead);
}

// Whether the hook `path` has a line of ours.
bool CallsUs(const std::string& path) {
  return absl::StrContains(ReadFile(path).value_or(""),
                           absl::StrCat(kLineEnd, "\n"));
}

// `text` without the line of ours.
std::string WithoutOurLine(absl::string_view text) {
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [](absl::string_view line) {
                               return absl::EndsWith(line, kLineEnd);
                             }),
              lines.end());
  return absl::StrJoin(lines, "\n");
}

// Whether `text` is a script of a shell.
bool IsShellScript(absl::string_view text) {
  const size_t end = text.find('\n');
  if (end == text.npos || !absl::ConsumePrefix(&text, "#!")) return false;
  const std::vector<absl::string_view> words =
      absl::StrSplit(text.substr(0, end - 2), ' ', absl::SkipEmpty());
  for (const absl::string_view word : words) {
    const absl::string_view name = word.substr(word.rfind('/') + 1);
    if (name != "env") {
      return name == "sh" || name == "bash" || name == "dash" ||
             name == "ksh" || name == "zsh";
    }
  }
  return false;
}

// The hook `name` that is effective without o8lock, as a word of sh.
std::string RealHook(const HooksPath& path, absl::string_view name) {
  const std::string hook = Quoted(absl::StrCat(path.value, "/", name));
  // A relative path starts where git is. That is where its hooks are run, but
  // for the post-checkout of a new worktree.
  return absl::StartsWith(path.value, "/") || name != kPostCheckout
             ? hook
             : absl::StrCat("\"$(readlink \"/proc/$PPID/cwd\")\"/", hook);
}

// Hooks, and what they use, that an installer has put into `own`, as git told
// it while the lock was taken, go to where it would have put them else; what is
// there stays, and they go beside it.
absl::Status MoveForeignHooks(const std::string& own,
                              const std::string& directory) {
  for (const std::string& name : NamesIn(own)) {
    const std::string mine = absl::StrCat(own, "/", name);
    std::string real = absl::StrCat(directory, "/", name);
    struct stat info;
    if (lstat(mine.c_str(), &info) != 0 || !S_ISREG(info.st_mode) ||
        absl::StartsWith(name, kFresh) || IsOurHook(mine)) {
      continue;
    }
    if (Exists(real)) {
      const absl::StatusOr<std::string> text = ReadFile(mine);
      if (text.ok() && *text == ReadFile(real).value_or("")) {
        O8LOCK_RETURN_IF_ERROR(Remove(mine));
        continue;
      }
      absl::StrAppend(&real, ".from-o8lock");
    }
    if (rename(mine.c_str(), real.c_str()) != 0) {
      return ErrnoStatus(errno, absl::StrCat("rename '", mine, "' to"), real);
    }
  }
  return absl::OkStatus();
}

// Fills `own`, the directory that git uses while the lock is taken.
absl::Status PutHooks(const std::string& own, const std::string& program,
                      const HooksPath& path) {
  O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(own));
  O8LOCK_RETURN_IF_ERROR(MoveForeignHooks(own, path.directory));
  const std::set<absl::string_view> known(std::begin(kHookNames),
                                          std::end(kHookNames));
  std::set<std::string> names(known.begin(), known.end());
  names.insert(std::string(kReferenceTransaction));
  names.insert(std::string(kPostCheckout));
  for (const std::string& name : NamesIn(path.directory)) {
    // With a dot it is no hook, but something that one of them uses.
    if (!absl::StrContains(name, '.') &&
        IsExecutable(absl::StrCat(path.directory, "/", name))) {
      names.insert(name);
    }
  }
  // Every worktree may have others.
  const bool relative = !absl::StartsWith(path.value, "/");
  for (const std::string& name : names) {
    const std::string mine = absl::StrCat(own, "/", name);
    const std::string real = absl::StrCat(path.directory, "/", name);
    const bool guards = name == kReferenceTransaction ||
                        (name == kPostCheckout && !CallsUs(real));
    if (name != "push-to-checkout" &&
        (Exists(real) || name == kPostCheckout || relative)) {
      // A script, and no link: some look at the name they are called by.
      O8LOCK_RETURN_IF_ERROR(PutFile(
          mine, ScriptText(guards ? program : "", name, RealHook(path, name)),
          0755));
    } else {
      // To a hook that is not there, but may come.
      O8LOCK_RETURN_IF_ERROR(PutLink(mine, guards ? program : real));
    }
  }
  // What another's installer has moved out of its way.
  for (const std::string& name : NamesIn(own)) {
    const std::string mine = absl::StrCat(own, "/", name);
    if (names.count(name) == 0 && IsOurHook(mine)) {
      O8LOCK_RETURN_IF_ERROR(Remove(mine));
    }
  }
  return absl::OkStatus();
}

// Writes everything under <common dir>/o8lock but the link.
absl::Status PutFiles(const Location& location, Mechanism mechanism,
                      const std::string& program, const HooksPath& path) {
  for (const std::string& text : {location.common_dir, program, path.value}) {
    if (text.find_first_of("\t\n") == text.npos) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "': hooks cannot have a path with a tab or a newline"));
  }
  const std::string own = OwnDirectory(location);
  O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(own));
  const std::string head = absl::StrCat(
      "# Made by `o8lock hooks install`, which makes it anew; included by the "
      "repository's\n# configuration while ");
  std::string free = absl::StrCat(head, "nobody has the lock.\n");
  if (mechanism == Mechanism::kDirectory) {
    O8LOCK_RETURN_IF_ERROR(PutHooks(OwnHooks(location), program, path));
  }
  std::string locked =
      absl::StrCat(head, "a run has the lock.\n", kProgramLine, program, "\n",
                   BasisText(BasisOf(location, mechanism, path)));
  if (mechanism == Mechanism::kConfig) {
    const std::string second = absl::StrCat(
        "[o8lock]\n\thooks = config\n[hook \"o8lock-post-checkout\"]\n"
        "\tcommand = ",
        ConfigQuoted(Call(program, "exec ", kPostCheckout)),
        "\n\tevent = post-checkout\n");
    absl::StrAppend(&free, second);
    // It is called three times for each change; only "preparing" is early
    // enough. What git appends are the arguments of ":".
    absl::StrAppend(
        &locked, second, "[hook \"o8lock\"]\n\tcommand = ",
        ConfigQuoted(absl::StrCat("case $1 in preparing) ",
                                  Call(program, "exec ", kReferenceTransaction),
                                  " preparing;; esac; :")),
        "\n\tevent = reference-transaction\n");
  } else {
    absl::StrAppend(&free, "[o8lock]\n\thooks = directory\n");
    absl::StrAppend(&locked,
                    "[o8lock]\n\thooks = directory\n[core]\n\thooksPath = ",
                    ConfigQuoted(OwnHooks(location)), "\n");
  }
  O8LOCK_RETURN_IF_ERROR(
      PutFile(absl::StrCat(own, "/", kFreeFile), free, 0644));
  return PutFile(absl::StrCat(own, "/", kLockedFile), locked, 0644);
}

// Who owns the post-checkout in `path`, or would own one; empty: nobody. There
// o8lock's would be overwritten, or called in other repositories, or be a file
// that the repository's worktree has too much.
std::string ManagerOf(const Location& location, const HooksPath& path) {
  if (absl::EndsWith(path.value, ".husky/_")) return "husky";
  struct stat info;
  if (!absl::StartsWith(path.directory, location.common_dir + "/") ||
      (lstat(path.directory.c_str(), &info) == 0 && S_ISLNK(info.st_mode))) {
    return path.directory;
  }
  std::string hook = absl::StrCat(path.directory, "/", kPostCheckout);
  const std::string text = WithoutOurLine(ReadFile(hook).value_or(""));
  for (const absl::string_view manager : {"husky", "lefthook", "pre-commit"}) {
    if (absl::StrContains(text, manager)) return std::string(manager);
  }
  // To be called under another name would not do: some look at it.
  if (Exists(hook) && !(IsShellScript(text) && IsExecutable(hook))) return hook;
  // That one removes every hook that it has not made.
  for (const std::string& name : NamesIn(path.directory)) {
    if (absl::StrContains(
            ReadFile(absl::StrCat(path.directory, "/", name)).value_or(""),
            "SIMPLE_GIT_HOOKS")) {
      return "simple-git-hooks";
    }
  }
  return "";
}

// Where the user puts o8lock's line for husky.
std::string HuskyFile(const HooksPath& path) {
  return absl::StrCat(absl::StripSuffix(path.directory, "_"), kPostCheckout);
}

// The file that has the line of the user's for `manager`.
std::string OwnersFile(const Location& location, const HooksPath& path,
                       const std::string& manager) {
  if (manager == "husky") return HuskyFile(path);
  if (manager == "lefthook") return location.main_worktree + "/lefthook.yml";
  if (manager == "pre-commit") {
    return location.main_worktree + "/.pre-commit-config.yaml";
  }
  return absl::StrCat(path.directory, "/", kPostCheckout);
}

// What pre-commit and lefthook call a hook that they have found. The first goes
// on calling it.
constexpr absl::string_view kLegacy = ".legacy";
constexpr absl::string_view kOld = ".old";

SecondLine FindSecondLine(const Location& location, const HooksPath& path,
                          const std::string& manager) {
  const std::string hook = absl::StrCat(path.directory, "/", kPostCheckout);
  if (CallsUs(hook)) {
    return WithoutOurLine(ReadFile(hook).value_or("")) == kEmptyScript
               ? SecondLine::kAlone
               : SecondLine::kChained;
  }
  return (manager == "pre-commit" && CallsUs(absl::StrCat(hook, kLegacy))) ||
                 absl::StrContains(
                     ReadFile(OwnersFile(location, path, manager)).value_or(""),
                     "hooks run post-checkout")
             ? SecondLine::kByOwner
             : SecondLine::kMissing;
}

// Puts our post-checkout where it is called all the time, unless a manager has
// that file: a hook of ours, or a line in the user's.
absl::Status PutSecondLine(const Location& location, const HooksPath& path,
                           const std::string& program) {
  std::string hook = absl::StrCat(path.directory, "/", kPostCheckout);
  if (!ManagerOf(location, path).empty()) {
    absl::StrAppend(&hook, kLegacy);
    if (!CallsUs(hook)) return absl::OkStatus();
  }
  struct stat info;
  std::string text(kEmptyScript);
  if (lstat(hook.c_str(), &info) == 0) {
    O8LOCK_ASSIGN_OR_RETURN(text, ReadFile(hook));
    text = WithoutOurLine(text);
  } else {
    O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(path.directory));
    info.st_mode = 0755;
  }
  text.insert(
      text.find('\n') + 1,
      absl::StrCat(Call(program, "", kPostCheckout), kOrExit, kLineEnd, "\n"));
  return PutFile(hook, text, info.st_mode & 07777);
}

// Removes it from where it is effective, and from where it was before somebody
// set core.hooksPath; also where a manager has put it aside.
absl::Status RemoveSecondLine(const Location& location, const HooksPath& path) {
  for (const std::string& directory :
       {path.directory, location.common_dir + "/hooks"}) {
    for (const absl::string_view suffix :
         {absl::string_view(), kLegacy, kOld}) {
      const std::string hook =
          absl::StrCat(directory, "/", kPostCheckout, suffix);
      struct stat info;
      if (lstat(hook.c_str(), &info) != 0 || !CallsUs(hook)) continue;
      O8LOCK_ASSIGN_OR_RETURN(std::string text, ReadFile(hook));
      text = WithoutOurLine(text);
      O8LOCK_RETURN_IF_ERROR(text == kEmptyScript
                                 ? Remove(hook)
                                 : PutFile(hook, text, info.st_mode & 07777));
    }
  }
  return absl::OkStatus();
}

// The program that hooks can rely on: of a build tree's a copy.
absl::StatusOr<std::string> Settle(const Location& location,
                                   const std::string& program) {
  const std::string bin = OwnDirectory(location) + "/bin";
  const std::string copy = bin + "/o8lock";
  if (!absl::StrContains(program, "/bazel-out/") || program == copy) {
    return program;
  }
  O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(OwnDirectory(location)));
  O8LOCK_RETURN_IF_ERROR(MakeReadableDirectory(bin));
  const std::string fresh = FreshName(copy);
  unlink(fresh.c_str());
  O8LOCK_ASSIGN_OR_RETURN(const Fd from, OpenRegular(program, O_RDONLY));
  O8LOCK_ASSIGN_OR_RETURN(
      const Fd to, OpenRegular(fresh, O_WRONLY | O_CREAT | O_EXCL, 0755));
  absl::Cleanup undo = [&fresh] { unlink(fresh.c_str()); };
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t got = read(from.get(), buffer.data(), buffer.size());
    if (got < 0) return ErrnoStatus(errno, "read", program);
    if (got == 0) break;
    const ssize_t put =
        write(to.get(), buffer.data(), static_cast<size_t>(got));
    if (put != got)
      return ErrnoStatus(put < 0 ? errno : ENOSPC, "write", fresh);
  }
  if (fchmod(to.get(), 0755) != 0) {
    return ErrnoStatus(errno, "change the mode of", fresh);
  }
  if (rename(fresh.c_str(), copy.c_str()) != 0) {
    return ErrnoStatus(errno, absl::StrCat("rename '", fresh, "' to"), copy);
  }
  std::move(undo).Cancel();
  return copy;
}

absl::Status RemoveInclude(const Location& location,
                           const std::string& directory) {
  O8LOCK_ASSIGN_OR_RETURN(
      const ProgramResult unset,
      RunGit(directory,
             {"config", "--file", location.common_dir + "/config",
              "--unset-all", "include.path", "^o8lock/armed\\.inc$"}));
  constexpr int kNothingToUnset = 5;
  if (unset.exit_code != 0 && unset.exit_code != kNothingToUnset) {
    return absl::InternalError(
        absl::StrCat("git config --unset-all include.path: ",
                     absl::StripSuffix(unset.err, "\n")));
  }
  return absl::OkStatus();
}

bool IsFalse(absl::string_view value) {
  const std::string word = absl::AsciiStrToLower(value);
  return word == "false" || word == "no" || word == "off" || word == "0";
}

// What wins over o8lock's own settings, `ours` of which says which those are.
std::vector<std::string> FindBypasses(const std::vector<Setting>& settings,
                                      const HooksState& state,
                                      Mechanism of_git) {
  std::vector<std::string> bypasses;
  if (state.mechanism == Mechanism::kConfig &&
      of_git == Mechanism::kDirectory) {
    bypasses.push_back(
        absl::StrCat("git ", state.git_version,
                     " does not know hooks that are settings; they were "
                     "installed with a newer one"));
  }
  bool ours = false;
  for (const Setting& setting : settings) {
    if (IsOurs(setting)) {
      ours = true;
    } else if ((ours && state.mechanism == Mechanism::kDirectory &&
                setting.key == "core.hookspath") ||
               (state.mechanism == Mechanism::kConfig &&
                setting.key == "hook.o8lock.enabled" &&
                IsFalse(setting.value))) {
      bypasses.push_back(absl::StrCat(setting.key, " = ", setting.value, " (",
                                      setting.scope, ", ", setting.origin,
                                      ")"));
    }
  }
  return bypasses;
}

std::string AskVersion(const std::string& program) {
  const absl::StatusOr<ProgramResult> result =
      RunProgram({program, "--version"});
  if (!result.ok() || result->exit_code != 0) return "";
  // "o8lock 0.1.0", and maybe which commit.
  const absl::string_view version = absl::StripPrefix(result->out, "o8lock ");
  return std::string(version.substr(0, version.find_first_of(" \n")));
}

absl::Status CheckRepository(const Location& location) {
  if (!location.armed.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this is no git repository, which is what the hooks are for");
}

}  // namespace

bool Guards(const HooksState& state) {
  return state.installed && !state.program_version.empty() &&
         state.bypasses.empty();
}

absl::StatusOr<HooksState> LookAtHooks(const Location& location,
                                       const std::string& directory) {
  O8LOCK_RETURN_IF_ERROR(CheckRepository(location));
  HooksState state;
  O8LOCK_ASSIGN_OR_RETURN(const Version version, GitVersion(directory));
  state.git_version = version.text;
  O8LOCK_ASSIGN_OR_RETURN(const std::vector<Setting> settings,
                          ReadSettings(directory));
  const absl::StatusOr<Remembered> remembered = ReadLockedFile(location);
  for (const Setting& setting : settings) {
    if (!IsOurs(setting) || setting.key != "o8lock.hooks") continue;
    state.installed = remembered.ok();
    state.mechanism =
        setting.value == "config" ? Mechanism::kConfig : Mechanism::kDirectory;
  }
  if (!state.installed) return state;
  state.program = remembered->program;
  state.program_version = AskVersion(state.program);
  state.armed = IsArmed(location);
  state.bypasses = FindBypasses(settings, state, MechanismOf(version));
  if (state.mechanism == Mechanism::kConfig) {
    state.second_line = SecondLine::kConfig;
    return state;
  }
  const HooksPath path = FindHooksPath(location, settings);
  state.hooks_directory = path.directory;
  state.manager = ManagerOf(location, path);
  state.second_line = FindSecondLine(location, path, state.manager);
  return state;
}

absl::StatusOr<HooksState> InstallHooks(const Location& location,
                                        const std::string& directory,
                                        const std::string& program) {
  O8LOCK_RETURN_IF_ERROR(CheckRepository(location));
  O8LOCK_ASSIGN_OR_RETURN(const Version version, GitVersion(directory));
  if (version.number < std::make_pair(2, 29)) {
    return absl::UnimplementedError(
        absl::StrCat("git ", version.text,
                     version.number < std::make_pair(2, 28)
                         ? " has no hook that can refuse a worktree"
                         : "'s hook reference-transaction makes other commands "
                           "fail"));
  }
  const Mechanism mechanism = MechanismOf(version);
  O8LOCK_ASSIGN_OR_RETURN(const std::vector<Setting> settings,
                          ReadSettings(directory));
  const HooksPath path = FindHooksPath(location, settings);
  O8LOCK_ASSIGN_OR_RETURN(const std::string settled, Settle(location, program));
  if (mechanism == Mechanism::kDirectory) {
    O8LOCK_RETURN_IF_ERROR(PutSecondLine(location, path, settled));
  } else {
    // Of an older git, when it was installed before.
    O8LOCK_RETURN_IF_ERROR(RemoveSecondLine(location, path));
  }
  O8LOCK_RETURN_IF_ERROR(PutFiles(location, mechanism, settled, path));
  if (!Exists(location.armed)) {
    O8LOCK_RETURN_IF_ERROR(PutLink(location.armed, std::string(kFreeFile)));
  }
  bool included = false;
  for (const Setting& setting : settings) {
    if (setting.key == "include.path" && setting.value == kInclude) {
      included = true;
    } else if (setting.key == "core.hookspath" && setting.scope == "local" &&
               !IsOurs(setting)) {
      included = false;  // as good as: what comes later wins
    }
  }
  if (!included) {
    O8LOCK_RETURN_IF_ERROR(RemoveInclude(location, directory));
    O8LOCK_RETURN_IF_ERROR(
        AskGit(directory, {"config", "--file", location.common_dir + "/config",
                           "--add", "include.path", std::string(kInclude)})
            .status());
  }
  O8LOCK_ASSIGN_OR_RETURN(const Inspection found, Inspect(location, {}));
  O8LOCK_RETURN_IF_ERROR(
      UpdateArming(location, found.verdict > Verdict::kStale));
  return LookAtHooks(location, directory);
}

absl::Status UninstallHooks(const Location& location,
                            const std::string& directory) {
  O8LOCK_RETURN_IF_ERROR(CheckRepository(location));
  O8LOCK_ASSIGN_OR_RETURN(const std::vector<Setting> settings,
                          ReadSettings(directory));
  const HooksPath path = FindHooksPath(location, settings);
  // First git forgets them: what it does not read can go.
  O8LOCK_RETURN_IF_ERROR(RemoveInclude(location, directory));
  O8LOCK_RETURN_IF_ERROR(RemoveSecondLine(location, path));
  const std::string own = OwnDirectory(location);
  O8LOCK_RETURN_IF_ERROR(RemoveArming(location));
  for (const absl::string_view file : {kFreeFile, kLockedFile}) {
    O8LOCK_RETURN_IF_ERROR(Remove(absl::StrCat(own, "/", file)));
  }
  O8LOCK_RETURN_IF_ERROR(MoveForeignHooks(OwnHooks(location), path.directory));
  O8LOCK_RETURN_IF_ERROR(RemoveDirectory(OwnHooks(location)));
  return RemoveDirectory(own + "/bin");
}

absl::Status RefreshHooks(const Location& location) {
  if (location.armed.empty()) return absl::OkStatus();
  const absl::StatusOr<Remembered> remembered = ReadLockedFile(location);
  // Where it is not there nothing is installed.
  if (!remembered.ok() || !remembered->basis.has_value()) {
    return absl::OkStatus();
  }
  const Basis& basis = *remembered->basis;
  const Mechanism mechanism =
      basis.directory.empty() ? Mechanism::kConfig : Mechanism::kDirectory;
  const std::string local_path = location.hooks_path.value_or("");
  if (basis.common_dir == location.common_dir &&
      (mechanism == Mechanism::kConfig ||
       (basis.local_path == local_path &&
        basis.changed == ChangeOf(location, basis.directory)))) {
    return absl::OkStatus();
  }
  // Only the repository's own setting can be told without git. Who has no git
  // has no use for its hooks.
  HooksPath path;
  if (mechanism == Mechanism::kDirectory) {
    const absl::StatusOr<std::vector<Setting>> settings =
        ReadSettings(location.Home());
    if (!settings.ok()) return absl::OkStatus();
    path = FindHooksPath(location, *settings);
  }
  std::string program = remembered->program;
  if (program == basis.common_dir + "/o8lock/bin/o8lock") {
    program = OwnDirectory(location) + "/bin/o8lock";
  }
  if (mechanism == Mechanism::kDirectory) {
    // It may have the path of a program that was moved.
    if (CallsUs(absl::StrCat(path.directory, "/", kPostCheckout))) {
      O8LOCK_RETURN_IF_ERROR(PutSecondLine(location, path, program));
    }
  }
  return PutFiles(location, mechanism, program, path);
}

}  // namespace o8lock
