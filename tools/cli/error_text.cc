// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/error_text.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/cli/caller.h"
#include "tools/cli/text.h"

namespace o8lock {

std::string ErrorText(absl::string_view problem, absl::string_view hint) {
  return absl::StrCat("o8lock: error: ", Printable(problem), "\n",
                      hint.empty() ? "" : HintText(hint));
}

std::string HintText(absl::string_view hint) {
  return absl::StrCat("o8lock: hint: ", Printable(hint), "\n");
}

std::string LockHint(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kUnimplemented:
      return "use one lock file on another file system for every run: "
             "--lock-file FILE";
    case absl::StatusCode::kInvalidArgument:
      return absl::StrCat("see: ", OwnCommand("--help"));
    case absl::StatusCode::kFailedPrecondition:
      return "move it away; o8lock creates its own";
    case absl::StatusCode::kAlreadyExists:
      return "that file was not changed; name another one";
    case absl::StatusCode::kNotFound:
      return "create the directory first";
    case absl::StatusCode::kPermissionDenied:
      return "get permission to read it";
    case absl::StatusCode::kResourceExhausted:
      return "free disk space or close files, as the error says";
    case absl::StatusCode::kDeadlineExceeded:
      return "an o8lock process may be stopped: continue or end it, and try "
             "again";
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kUnavailable:
      return "try again";
    default:
      return "";
  }
}

std::string NothingRunHint(absl::string_view next_step) {
  return absl::StrCat("nothing was run", next_step.empty() ? "" : "; ",
                      next_step);
}

}  // namespace o8lock
