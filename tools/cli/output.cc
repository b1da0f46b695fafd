// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "lock/status.h"
#include "tools/cli/error_text.h"
#include "tools/cli/exit_code.h"

namespace o8lock {

namespace {

// Why standard output is incomplete; 0: it is complete.
int output_error = 0;

// As Print(). Returns the errno of an error, or 0.
int Write(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t put = write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    text.remove_prefix(static_cast<size_t>(put));
  }
  return 0;
}

}  // namespace

void Print(int fd, absl::string_view text) { Write(fd, text); }

bool IsTerminal(int fd) {
  const char* kind = getenv("TERM");
  return isatty(fd) == 1 &&
         (kind == nullptr || absl::string_view(kind) != "dumb");
}

bool InColor(int fd) {
  const char* no_color = getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && IsTerminal(fd);
}

void PrintOut(absl::string_view text) {
  if (output_error == 0) output_error = Write(STDOUT_FILENO, text);
}
void PrintError(absl::string_view text) { Print(STDERR_FILENO, text); }

int Fail(absl::string_view problem, absl::string_view hint, int exit_code) {
  PrintError(ErrorText(problem, hint));
  return exit_code;
}

int FailIfIncomplete(int exit_code) {
  // EBADF: the caller has closed it, and wants no text.
  if (output_error == 0 || output_error == EBADF) return exit_code;
  return Fail(
      ErrnoStatus(output_error, "write to", "standard output").message(), "",
      kOsError);
}

}  // namespace o8lock
