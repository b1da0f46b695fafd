// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "tools/cli/error_text.h"

namespace o8lock {

void Print(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t put = write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return;
    text.remove_prefix(static_cast<size_t>(put));
  }
}

bool IsTerminal(int fd) {
  const char* kind = getenv("TERM");
  return isatty(fd) == 1 &&
         (kind == nullptr || absl::string_view(kind) != "dumb");
}

bool InColor(int fd) {
  const char* no_color = getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && IsTerminal(fd);
}

void PrintOut(absl::string_view text) { Print(STDOUT_FILENO, text); }
void PrintError(absl::string_view text) { Print(STDERR_FILENO, text); }

int Fail(absl::string_view problem, absl::string_view hint, int exit_code) {
  PrintError(ErrorText(problem, hint));
  return exit_code;
}

}  // namespace o8lock
