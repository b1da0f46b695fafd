// SPDX-License-Identifier: Apache-2.0
//
// JSON other than records and lock files: output for programs, and packages'
// own descriptions. Only json.cc uses the JSON library.
#ifndef O8LOCK_LOCK_JSON_H_
#define O8LOCK_LOCK_JSON_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"

namespace o8lock {

class JsonValue;
using JsonMembers = std::vector<std::pair<std::string, JsonValue>>;

// One of: null, true or false, a whole number, a string, an array, an object
// with its members in their order. Invalid UTF-8 in a string becomes U+FFFD.
// Control characters and invisible characters are escaped.
class JsonValue {
 public:
  JsonValue() : value_(nullptr) {}
  // Implicit, so lists of members read as the JSON they build.
  // NOLINTBEGIN(google-explicit-constructor)
  JsonValue(bool value) : value_(value) {}
  JsonValue(int value) : value_(int64_t{value}) {}
  JsonValue(int64_t value) : value_(value) {}
  JsonValue(std::string value) : value_(std::move(value)) {}
  // Without this overload a string literal would become a bool.
  JsonValue(const char* value) : value_(std::string(value)) {}
  JsonValue(std::vector<JsonValue> values) : value_(std::move(values)) {}
  JsonValue(const std::vector<std::string>& texts)
      : value_(std::vector<JsonValue>(texts.begin(), texts.end())) {}
  JsonValue(JsonMembers members) : value_(std::move(members)) {}
  // NOLINTEND(google-explicit-constructor)

  // Indented by two, with a newline at the end.
  std::string Text() const;

 private:
  friend struct JsonVisitor;
  std::variant<std::nullptr_t, bool, int64_t, std::string,
               std::vector<JsonValue>, JsonMembers>
      value_;
};

// A package.json. Members missing in the file are empty.
struct PackageJson {
  std::string name;
  // Names with their versions, for dependencies of all kinds.
  std::vector<std::pair<std::string, std::string>> dependencies;
  // Names with their command lines.
  std::vector<std::pair<std::string, std::string>> scripts;
};

// An orchestr8's configuration. Members missing in the file are empty.
struct ConfigJson {
  std::optional<int> max_concurrency;
  std::string worktree_directory;
};

// Reads the text of a configuration. Any length and depth of `text` is safe.
ConfigJson ParseConfig(absl::string_view text);

// Reads the text of a package.json. Any length and depth of `text` is safe.
PackageJson ParsePackage(absl::string_view text);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_JSON_H_
