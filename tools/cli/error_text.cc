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
      return "use a lock file on a file system with working locks: --lock-file "
             "FILE";
    case absl::StatusCode::kInvalidArgument:
      return absl::StrCat("see: ", OwnCommand("--help"));
    case absl::StatusCode::kFailedPrecondition:
      return "nothing was run; move that file away, because it does not belong "
             "to o8lock";
    case absl::StatusCode::kNotFound:
      return "nothing was run; create the directory first";
    case absl::StatusCode::kPermissionDenied:
      return "nothing was run; get permission to read it";
    case absl::StatusCode::kResourceExhausted:
      return "nothing was run; free disk space or open files, as the error "
             "says, and try again";
    default:
      return "nothing was run";
  }
}

}  // namespace o8lock
