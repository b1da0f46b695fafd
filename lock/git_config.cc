// SPDX-License-Identifier: Apache-2.0
#include "lock/git_config.h"

#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "lock/status.h"

namespace o8lock {
namespace {

bool IsKeyCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
}

// Not absl::ascii_isspace: git treats a vertical tab as any other character.
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

char Lower(char c) {
  return static_cast<char>(absl::ascii_tolower(static_cast<unsigned char>(c)));
}

// One setting: "core.bare"; without "=" it has no value.
struct Setting {
  std::string name;
  std::optional<std::string> value;
};

// Parses a file. The end of the file counts as the end of a line.
class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {
    absl::ConsumePrefix(&text_,
                        "\xef\xbb\xbf");  // some editors' byte order mark
  }

  enum class Result { kSetting, kEnd, kError };
  // The next setting.
  Result Next(Setting& setting);

  // The line of the last setting, or of the error.
  int line() const { return line_; }

 private:
  char Take();
  bool TakeSection();
  bool TakeSubsection();
  bool TakeSetting(char first, Setting& setting);
  bool TakeValue(std::string& value);

  absl::string_view text_;
  bool ended_ = false;
  bool line_ended_ = false;  // by the last character
  int line_ = 1;
  std::string section_;  // "core." or "branch.main."
};

char Parser::Take() {
  if (line_ended_) ++line_;
  line_ended_ = true;
  if (text_.empty()) {
    ended_ = true;
    return '\n';
  }
  if (absl::ConsumePrefix(&text_, "\r\n")) return '\n';
  const char c = text_[0];
  text_.remove_prefix(1);
  line_ended_ = c == '\n';
  return c;
}

Parser::Result Parser::Next(Setting& setting) {
  bool comment = false;
  while (true) {
    const char c = Take();
    if (c == '\n') {
      if (ended_) return Result::kEnd;
      comment = false;
    } else if (comment || IsBlank(c)) {
      continue;
    } else if (c == '#' || c == ';') {
      comment = true;
    } else if (c == '[') {
      if (!TakeSection()) return Result::kError;
    } else if (absl::ascii_isalpha(static_cast<unsigned char>(c))) {
      return TakeSetting(c, setting) ? Result::kSetting : Result::kError;
    } else {
      return Result::kError;
    }
  }
}

// REQUIRES: the last character was the opening bracket.
bool Parser::TakeSection() {
  section_.clear();
  while (true) {
    const char c = Take();
    if (ended_) return false;
    if (c == ']') break;
    if (IsBlank(c)) {
      if (c == '\n' || !TakeSubsection()) return false;
      break;
    }
    if (!IsKeyCharacter(c) && c != '.') return false;
    section_ += Lower(c);
  }
  if (section_.empty()) return false;
  section_ += '.';
  return true;
}

// Takes `"NAME"]`, perhaps after more blanks.
bool Parser::TakeSubsection() {
  char c = Take();
  while (c != '\n' && IsBlank(c)) c = Take();
  if (c != '"') return false;
  section_ += '.';
  for (c = Take(); c != '"'; c = Take()) {
    if (c == '\\') c = Take();
    if (c == '\n') return false;
    section_ += c;
  }
  return Take() == ']';
}

bool Parser::TakeSetting(char first, Setting& setting) {
  setting.name = absl::StrCat(section_, std::string(1, Lower(first)));
  setting.value.reset();
  char c = Take();
  for (; IsKeyCharacter(c); c = Take()) setting.name += Lower(c);
  while (c == ' ' || c == '\t') c = Take();
  if (c == '\n') return true;
  if (c != '=') return false;
  std::string value;
  if (!TakeValue(value)) return false;
  // Git treats a value as a C string.
  setting.value = value.substr(0, value.find('\0'));
  return true;
}

// Takes the value after "=", to the end of its line or lines.
bool Parser::TakeValue(std::string& value) {
  std::string blanks;  // kept only if other characters follow
  bool quoted = false;
  bool comment = false;
  while (true) {
    char c = Take();
    if (c == '\n') return !quoted;
    if (comment) continue;
    if (!quoted && IsBlank(c)) {
      if (!value.empty()) blanks += c;
      continue;
    }
    if (!quoted && (c == ';' || c == '#')) {
      comment = true;
      continue;
    }
    value += std::exchange(blanks, "");
    if (c == '"') {
      quoted = !quoted;
      continue;
    }
    if (c == '\\') {
      c = Take();
      if (c == '\n') continue;
      if (c == 'n') {
        c = '\n';
      } else if (c == 't') {
        c = '\t';
      } else if (c == 'b') {
        c = '\b';
      } else if (c != '\\' && c != '"') {
        return false;
      }
    }
    value += c;
  }
}

// A number in git's syntax, for example "1k", in the range of a C int.
std::optional<int64_t> ParseInt(const std::string& value) {
  errno = 0;
  char* end = nullptr;
  const intmax_t number = strtoimax(value.c_str(), &end, 0);
  if (errno != 0 || end == value.c_str()) return std::nullopt;
  const std::string unit = absl::AsciiStrToLower(end);
  int64_t factor = 1;
  if (unit == "k") {
    factor = int64_t{1} << 10;
  } else if (unit == "m") {
    factor = int64_t{1} << 20;
  } else if (unit == "g") {
    factor = int64_t{1} << 30;
  } else if (!unit.empty()) {
    return std::nullopt;
  }
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  if (number > kMost / factor || number < -kMost / factor) return std::nullopt;
  return number * factor;
}

// The place of a setting.
struct Place {
  absl::string_view file;
  int line;
};

absl::Status BadLine(const Place& place) {
  return absl::FailedPreconditionError(
      absl::StrCat("bad config line ", place.line, " in file ", place.file));
}

absl::Status BadValue(absl::string_view kind, const Setting& setting) {
  return absl::FailedPreconditionError(
      absl::StrCat("bad ", kind, " config value '", setting.value.value_or(""),
                   "' for '", setting.name, "'"));
}

// A key without "=" is true.
absl::Status ReadBool(const Setting& setting, bool& into) {
  const std::optional<bool> value =
      setting.value.has_value() ? ParseGitBool(*setting.value) : true;
  if (!value.has_value()) return BadValue("boolean", setting);
  into = *value;
  return absl::OkStatus();
}

absl::Status ReadExtension(const Setting& setting, absl::string_view name,
                           const Place& place, GitConfig& config) {
  bool ignored = false;
  if (name == "noop") return absl::OkStatus();
  if (name == "preciousobjects") return ReadBool(setting, ignored);
  if (name == "worktreeconfig") {
    return ReadBool(setting, config.worktree_config);
  }
  if (name == "partialclone") {
    return setting.value.has_value() ? absl::OkStatus() : BadLine(place);
  }
  if (name == "objectformat") {
    if (setting.value != "sha1" && setting.value != "sha256")
      return BadLine(place);
    config.v1_extensions.emplace_back(name);
  } else if (name == "noop-v1") {
    config.v1_extensions.emplace_back(name);
  } else {
    config.new_extensions.emplace_back(name);
  }
  return absl::OkStatus();
}

absl::Status ReadSetting(const Setting& setting, const Place& place,
                         GitConfig& config) {
  absl::string_view name = setting.name;
  if (name == "core.bare") {
    config.bare.emplace();
    return ReadBool(setting, *config.bare);
  }
  if (name == "core.worktree") {
    if (!setting.value.has_value()) return BadLine(place);
    config.worktree = setting.value;
  } else if (name == "core.repositoryformatversion") {
    const std::optional<int64_t> version = ParseInt(setting.value.value_or(""));
    if (!version.has_value()) return BadValue("numeric", setting);
    config.format_version = *version;
  } else if (name == "core.hookspath") {
    config.hooks_path = setting.value;
  } else if (name == "o8lock.publish") {
    config.publish = setting.value;
  } else if (name == "o8lock.leftovers") {
    config.leftovers = setting.value;
  } else if (absl::ConsumePrefix(&name, "extensions.")) {
    return ReadExtension(setting, name, place, config);
  }
  return absl::OkStatus();
}

}  // namespace

std::optional<bool> ParseGitBool(absl::string_view value) {
  const std::string word = absl::AsciiStrToLower(value);
  if (word == "true" || word == "yes" || word == "on") return true;
  if (word.empty() || word == "false" || word == "no" || word == "off") {
    return false;
  }
  const std::optional<int64_t> number = ParseInt(word);
  if (!number.has_value()) return std::nullopt;
  return *number != 0;
}

std::string GitPatternOf(absl::string_view path) {
  return absl::StrReplaceAll(
      path, {{"\\", "\\\\"}, {"*", "\\*"}, {"?", "\\?"}, {"[", "\\["}});
}

absl::Status GitConfig::Read(absl::string_view text, absl::string_view file) {
  Parser parser(text);
  Setting setting;
  while (true) {
    switch (parser.Next(setting)) {
      case Parser::Result::kEnd:
        return absl::OkStatus();
      case Parser::Result::kError:
        return BadLine({file, parser.line()});
      case Parser::Result::kSetting:
        break;
    }
    O8LOCK_RETURN_IF_ERROR(ReadSetting(setting, {file, parser.line()}, *this));
  }
}

}  // namespace o8lock
