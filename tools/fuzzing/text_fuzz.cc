// SPDX-License-Identifier: Apache-2.0
//
// The input is a text, or a list of arguments.
#include <clocale>
#include <cstddef>
#include <cstdint>
#include <cwchar>
#include <cwctype>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "lock/fuzzing.h"
#include "tools/cli/text.h"
#include "tools/fuzzing/fuzzed_arguments.h"

namespace o8lock {
namespace {

// Uses the C library's definitions of UTF-8 and control characters.
void CheckHarmless(absl::string_view printed) {
  static const char* const locale = setlocale(LC_CTYPE, "C.UTF-8");
  Check(locale != nullptr, "there is the locale C.UTF-8");
  while (!printed.empty()) {
    wchar_t character = 0;
    std::mbstate_t state = {};
    const size_t size =
        std::mbrtowc(&character, printed.data(), printed.size(), &state);
    Check(size > 0 && size <= printed.size(), "what is printed is UTF-8");
    Check(std::iswcntrl(static_cast<wint_t>(character)) == 0,
          "no control character is printed");
    printed.remove_prefix(size);
  }
}

void CheckPrintable(absl::string_view text) {
  const std::string printed = Printable(text);
  CheckHarmless(printed);
  Check(Printable(printed) == printed, "what is printable is left alone");
  if (absl::StrContains(text, '\\')) return;  // Backslashes are not escaped.
  std::string read;
  for (absl::string_view rest = printed; !rest.empty();) {
    read += TakeUnescaped(rest);
  }
  Check(read == text, "nothing is lost");
}

void CheckShellQuoted(const std::vector<std::string>& arguments) {
  const std::string line = ShellQuoted(arguments);
  CheckHarmless(line);
  Check(Printable(line) == line, "a line for a shell is printable");
  Check(Unquoted(line) == arguments, "a shell reads the same words");
}

}  // namespace
}  // namespace o8lock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  o8lock::CheckPrintable(text);
  o8lock::CheckShellQuoted(o8lock::FuzzedArguments(text));
  return 0;
}
