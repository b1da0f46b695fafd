// SPDX-License-Identifier: Apache-2.0
//
// Parts that o8lock's texts have in common. Printable, without a newline at the
// end unless said otherwise.
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

// "name" and what is to be said about it.
using Row = std::pair<absl::string_view, std::string>;

// "name: text", a line for each of `rows`; `color`: the names in bold, for a
// terminal.
std::string Lines(const std::vector<Row>& rows, bool color = false);

// As many of `words` as can be read at a glance; not printable by itself.
std::vector<std::string> Truncate(const std::vector<std::string>& words);

// As much of `text`, printable.
std::string TruncatePrintable(const std::string& text);

// `words` and `more` as one command line to paste.
std::string CommandLine(std::vector<std::string> words,
                        const std::vector<std::string>& more);

// Why there is no lock file at `location`, which has an `outside`.
std::string LeadsOutText(const Location& location);

// "1 process", "2 processes".
std::string Count(size_t number, absl::string_view one, absl::string_view more);

// "kill 123 124"
std::string KillCommand(const std::vector<RunProcess>& processes);

// A process or a worktree in a list.
std::string ProcessLine(const RunProcess& process);
std::string WorktreeLine(const Worktree& worktree);

// Of long lists this many are shown.
inline constexpr size_t kMaxLines = 20;

// A line for each of `items`, as `line` has it, with what is left out counted.
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
