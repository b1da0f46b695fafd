// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/text_parts.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hooks/worktrees.h"
#include "lock/file.h"
#include "lock/location.h"
#include "tools/cli/report.h"
#include "tools/cli/text.h"

namespace o8lock {
namespace {

// The maximum size of a list in a text, in bytes. The record holds all of it.
constexpr size_t kMaxShown = 400;

}  // namespace

std::vector<std::string> Truncate(const std::vector<std::string>& arguments) {
  std::vector<std::string> shown;
  size_t size = 0;
  for (const std::string& argument : arguments) {
    size += argument.size() + 1;
    if (!shown.empty() && size > kMaxShown) {
      shown.push_back("...");
      break;
    }
    shown.push_back(size > kMaxShown ? argument.substr(0, kMaxShown) + "..."
                                     : argument);
  }
  return shown;
}

std::string TruncatePrintable(const std::string& text) {
  return Printable(Truncate({text})[0]);
}

std::string Lines(const std::vector<Row>& rows, bool color) {
  std::string text;
  for (const Row& row : rows) {
    absl::StrAppend(&text, color ? "\x1b[1m" : "", row.first, ":",
                    color ? "\x1b[0m " : " ", row.second, "\n");
  }
  return text;
}

std::string CommandLine(std::vector<std::string> arguments,
                        const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return ShellQuoted(arguments);
}

std::string LeadsOutText(const Location& location) {
  return absl::StrCat("'", Printable(ParentOf(location.lock_file)),
                      "' is a symbolic link to '", Printable(location.outside),
                      "', not a directory in the repository");
}

std::string Count(size_t number, absl::string_view one,
                  absl::string_view more) {
  return absl::StrCat(number, " ", number == 1 ? one : more);
}

std::string KillCommand(const std::vector<RunProcess>& processes) {
  std::string text = "kill";
  for (const RunProcess& process : processes) {
    absl::StrAppend(&text, " ", process.pid);
  }
  return text;
}

std::string ProcessLine(const RunProcess& process) {
  std::string text = absl::StrCat("PID ", process.pid);
  if (!process.directory.empty()) {
    absl::StrAppend(&text, " in ", Printable(process.directory));
  }
  if (!process.command.empty()) {
    absl::StrAppend(&text, ": ", ShellQuoted(Truncate(process.command)));
  }
  return text;
}

std::string WorktreeLine(const Worktree& worktree) {
  return absl::StrCat(
      Printable(worktree.path),
      worktree.branch.empty()
          ? " (no branch)"
          : absl::StrCat(" (", Printable(worktree.branch), ")"));
}

}  // namespace o8lock
