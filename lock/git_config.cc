// SPDX-License-Identifier: Apache-2.0
#include "lock/git_config.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace o8lock {
namespace {

// Takes text from the front, up to its end.
class Reader {
 public:
  explicit Reader(absl::string_view text) : text_(text) {}

  bool done() const { return text_.empty(); }
  char Peek() const { return text_[0]; }
  char Take() {
    const char c = text_[0];
    text_.remove_prefix(1);
    return c;
  }
  void SkipBlanks() {
    while (!done() && (Peek() == ' ' || Peek() == '\t' || Peek() == '\r')) {
      Take();
    }
  }
  void SkipLine() {
    while (!done() && Take() != '\n') {
    }
  }

 private:
  absl::string_view text_;
};

// "[core]" -> "core", `[branch "x"]` -> `branch "x"`: a subsection's keys are
// not the section's. The opening bracket has been taken.
std::string TakeSection(Reader& reader) {
  std::string section;
  bool quoted = false;
  while (!reader.done()) {
    char c = reader.Take();
    if (c == '\n' || (c == ']' && !quoted)) break;
    if (c == '"') quoted = !quoted;
    if (c == '\\' && !reader.done()) c = reader.Take();
    section += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  return section;
}

std::string TakeKey(Reader& reader) {
  std::string key;
  while (!reader.done() &&
         (absl::ascii_isalnum(static_cast<unsigned char>(reader.Peek())) ||
          reader.Peek() == '-')) {
    key += absl::ascii_tolower(static_cast<unsigned char>(reader.Take()));
  }
  return key;
}

// The value behind "=", to the end of its line or lines.
std::string TakeValue(Reader& reader) {
  reader.SkipBlanks();
  std::string value;
  size_t kept = 0;  // what is before trailing blanks
  bool quoted = false;
  while (!reader.done()) {
    char c = reader.Take();
    if (c == '\n') break;
    if (!quoted && (c == '#' || c == ';')) {
      reader.SkipLine();
      break;
    }
    if (c == '"') {
      quoted = !quoted;
      kept = value.size();
      continue;
    }
    const bool escaped = c == '\\' && !reader.done();
    if (escaped) {
      c = reader.Take();
      if (c == '\n') continue;
      if (c == 'n') c = '\n';
      if (c == 't') c = '\t';
      if (c == 'b') c = '\b';
    }
    value += c;
    if (quoted || escaped || (c != ' ' && c != '\t' && c != '\r')) {
      kept = value.size();
    }
  }
  value.resize(kept);
  return value;
}

bool IsTrue(absl::string_view value) {
  const std::string word = absl::AsciiStrToLower(value);
  return word == "true" || word == "yes" || word == "on" || word == "1";
}

}  // namespace

void GitConfig::Read(absl::string_view text) {
  absl::ConsumePrefix(&text, "\xef\xbb\xbf");  // some editors' byte order mark
  Reader reader(text);
  std::string section;
  while (true) {
    reader.SkipBlanks();
    if (reader.done()) return;
    if (reader.Peek() == '[') {
      reader.Take();
      section = TakeSection(reader);
      continue;
    }
    const std::string key = TakeKey(reader);
    if (key.empty()) {
      reader.SkipLine();  // empty, a comment, or not understood
      continue;
    }
    reader.SkipBlanks();
    std::string value = "true";  // what a key without "=" means
    if (!reader.done() && reader.Peek() == '=') {
      reader.Take();
      value = TakeValue(reader);
    } else {
      reader.SkipLine();
    }
    if (section == "core" && key == "bare") bare = IsTrue(value);
    if (section == "core" && key == "worktree") worktree = value;
    if (section == "core" && key == "hookspath") hooks_path = value;
    if (section == "o8lock" && key == "publish") publish = value;
    if (section == "extensions" && key == "worktreeconfig") {
      worktree_config = IsTrue(value);
    }
  }
}

}  // namespace o8lock
