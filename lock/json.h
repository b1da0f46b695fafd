// SPDX-License-Identifier: Apache-2.0
//
// Writing JSON for programs to read. json.cc is the one place that knows the
// library.
#ifndef O8LOCK_LOCK_JSON_H_
#define O8LOCK_LOCK_JSON_H_

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace o8lock {

using JsonValue = std::variant<bool, std::string, std::vector<std::string>>;

// The object of these members, in their order, indented by two, with a newline
// at the end. Bytes of a text that are no UTF-8 stay as they are.
std::string JsonObject(
    const std::vector<std::pair<std::string, JsonValue>>& members);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_JSON_H_
