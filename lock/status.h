// SPDX-License-Identifier: Apache-2.0
//
// Creating and returning errors in this repository.
#ifndef O8LOCK_LOCK_STATUS_H_
#define O8LOCK_LOCK_STATUS_H_

#include <cerrno>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace o8lock {

// The status of a system call on `path` failed with `error`: "cannot open
// '/r/f': Permission denied". `error` is errno, saved before any other call.
// The code is absl::ErrnoToStatusCode's.
// Not absl::ErrnoToStatus(): its first call builds a table of all error
// messages, a third of the instructions of a start on a free lock. Such a start
// gets ENOENT for several files. ENOENT has its text here, because the C
// library would go through its translations.
inline absl::Status ErrnoStatus(int error, absl::string_view operation,
                                absl::string_view path) {
  const std::string why = error == ENOENT
                              ? "No such file or directory"
                              : std::generic_category().message(error);
  return absl::Status(
      absl::ErrnoToStatusCode(error),
      absl::StrCat("cannot ", operation, " '", path, "': ", why));
}

}  // namespace o8lock

#define O8LOCK_CONCAT_INNER(a, b) a##b
#define O8LOCK_CONCAT(a, b) O8LOCK_CONCAT_INNER(a, b)

// Returns the status of `expression` from this function if it is not OK.
#define O8LOCK_RETURN_IF_ERROR(expression)         \
  do {                                             \
    absl::Status o8lock_status = (expression);     \
    if (!o8lock_status.ok()) return o8lock_status; \
  } while (false)

// Declares `lhs` from the StatusOr `expression`, or returns its status.
#define O8LOCK_ASSIGN_OR_RETURN(lhs, expression)                               \
  O8LOCK_ASSIGN_OR_RETURN_INNER(O8LOCK_CONCAT(o8lock_statusor, __LINE__), lhs, \
                                expression)
#define O8LOCK_ASSIGN_OR_RETURN_INNER(statusor, lhs, expression) \
  auto statusor = (expression);                                  \
  if (!statusor.ok()) return statusor.status();                  \
  lhs = *std::move(statusor)

#endif  // O8LOCK_LOCK_STATUS_H_
