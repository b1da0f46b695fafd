// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/confirm.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "lock/file.h"
#include "lock/lock_status.h"
#include "tools/cli/error_text.h"
#include "tools/cli/holder_text.h"
#include "tools/cli/options.h"
#include "tools/cli/output.h"
#include "tools/cli/text.h"

namespace o8lock {
namespace {

// Reads a line from `fd`, or the beginning of a long one. Reads byte by byte
// because the rest of the input belongs to the command. Gives up after
// `milliseconds` without a byte; negative: never.
std::string ReadAnswer(int fd, int milliseconds) {
  constexpr size_t kMostBytes = 100;
  std::string answer;
  char c = '\0';
  while (c != '\n' && answer.size() < kMostBytes) {
    struct pollfd readable = {fd, POLLIN, 0};
    const int ready = poll(&readable, 1, milliseconds);
    const ssize_t got = ready > 0 ? read(fd, &c, 1) : ready;
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    answer += c;
  }
  return answer;
}

bool IsYes(absl::string_view answer) {
  const std::string word =
      absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer));
  return word == "y" || word == "yes";
}

struct Answer {
  bool yes = false;
  bool asked = true;  // a terminal or an input could answer
  bool on_terminal = true;
};

// Asks on standard input, if it is a pipe, a socket or a file.
Answer ConfirmByInput() {
  struct stat info;
  if (fstat(STDIN_FILENO, &info) != 0 ||
      !(S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode) ||
        S_ISREG(info.st_mode))) {
    return {/*yes=*/false, /*asked=*/false};
  }
  PrintError(kPrompt);
  const std::string answer = ReadAnswer(STDIN_FILENO, /*milliseconds=*/1000);
  // As it would look on a terminal.
  PrintError(absl::StrCat(Printable(absl::StripAsciiWhitespace(answer)), "\n"));
  if (answer.empty()) return {/*yes=*/false, /*asked=*/false};
  return {IsYes(answer), /*asked=*/true, /*on_terminal=*/false};
}

// Asks on the terminal, whatever standard input is; without one, on standard
// input.
Answer Confirm(absl::string_view warning) {
  const Fd terminal(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.ok()) return ConfirmByInput();
  // With standard error redirected, the user still has to see the question.
  if (isatty(STDERR_FILENO) == 0) Print(terminal.get(), warning);
  // Earlier keystrokes were meant for something other than this question.
  tcflush(terminal.get(), TCIFLUSH);
  Print(terminal.get(), kPrompt);
  const std::string answer = ReadAnswer(terminal.get(), /*milliseconds=*/-1);
  // The user ended the input without a newline.
  if (!absl::EndsWith(answer, "\n")) Print(terminal.get(), "\n");
  return {IsYes(answer)};
}

}  // namespace

std::optional<int> AskToGoOn(absl::string_view warning, absl::string_view asker,
                             const Options& options) {
  const Answer answer = Confirm(warning);
  if (answer.yes) return std::nullopt;
  constexpr absl::string_view kHint =
      "nothing was changed; add --yes to continue without a question";
  if (!answer.asked) {
    return Fail(absl::StrCat(asker, " needs a terminal for its confirmation"),
                kHint, options.conflict_exit_code);
  }
  PrintError("Aborted.\n");
  if (!answer.on_terminal) PrintError(HintText(kHint));
  return options.conflict_exit_code;
}

bool IsSince(const LockStatus& found, int64_t moment) {
  return (found.origin == Origin::kHere ||
          found.origin == Origin::kOtherNamespace) &&
         found.holder->acquired >= moment;
}

}  // namespace o8lock
