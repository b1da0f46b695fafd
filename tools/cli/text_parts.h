// SPDX-License-Identifier: Apache-2.0
//
// Common parts of o8lock's texts. Printable, without a newline at the end
// unless said otherwise.
#ifndef O8LOCK_TOOLS_CLI_TEXT_PARTS_H_
#define O8LOCK_TOOLS_CLI_TEXT_PARTS_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hooks/worktrees.h"
#include "lock/location.h"
#include "tools/cli/report.h"

namespace o8lock {

// A name and its text.
using Row = std::pair<absl::string_view, std::string>;

// Returns "name: text", a line for each of `rows`. With `color` the names are
// bold, for a terminal.
std::string Lines(const std::vector<Row>& rows, bool color = false);

// Returns as many of `arguments` as people can read at once; not printable by
// itself.
std::vector<std::string> Truncate(const std::vector<std::string>& arguments);

// The same for `text`, printable.
std::string TruncatePrintable(const std::string& text);

// Returns `arguments` and `more` as one command line to paste.
std::string CommandLine(std::vector<std::string> arguments,
                        const std::vector<std::string>& more);

// Returns why there is no lock file at `location`. It must have an `outside`.
std::string LeadsOutText(const Location& location);

// Returns "1 process" or "2 processes".
std::string Count(size_t number, absl::string_view one, absl::string_view more);

// Returns "kill 123 124".
std::string KillCommand(const std::vector<RunProcess>& processes);

// Return a list entry for a process or a worktree.
std::string ProcessLine(const RunProcess& process);
std::string WorktreeLine(const Worktree& worktree);

// The maximum number of lines for a long list.
inline constexpr size_t kMaxLines = 20;

// Returns a line for each of `items`, as `line` formats it, and the count of
// the omitted ones.
template <typename Item, typename Line>
std::string ListText(const std::vector<Item>& items, Line line) {
  std::string text;
  for (size_t i = 0; i < items.size() && i < kMaxLines; ++i) {
    absl::StrAppend(&text, "  ", line(items[i]), "\n");
  }
  if (items.size() > kMaxLines) {
    absl::StrAppend(&text, "  and ", items.size() - kMaxLines, " more\n");
  }
  return text;
}

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_TEXT_PARTS_H_
