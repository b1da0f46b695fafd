// SPDX-License-Identifier: Apache-2.0
//
// Writing to standard output and standard error.
#ifndef O8LOCK_TOOLS_CLI_OUTPUT_H_
#define O8LOCK_TOOLS_CLI_OUTPUT_H_

#include "absl/strings/string_view.h"

namespace o8lock {

// Writes all of `text` to the descriptor `fd`. Ignores write errors, since
// there is no other place to report them.
void Print(int fd, absl::string_view text);

// The same to standard output and to standard error. FailIfIncomplete() reports
// an error of the former.
void PrintOut(absl::string_view text);
void PrintError(absl::string_view text);

// Returns whether `fd` is a terminal that can overwrite its last line.
bool IsTerminal(int fd);

// Returns whether to print in colour and bold on `fd`: it is such a terminal,
// and the user does not object (https://no-color.org).
bool InColor(int fd);

// Prints ErrorText(problem, hint) and returns `exit_code`.
int Fail(absl::string_view problem, absl::string_view hint, int exit_code);

// Returns `exit_code`. If PrintOut() could not write a text to an open standard
// output, prints the reason and returns kOsError.
int FailIfIncomplete(int exit_code);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_OUTPUT_H_
