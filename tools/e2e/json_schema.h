// SPDX-License-Identifier: Apache-2.0
//
// For tests of what o8lock says to programs.
#ifndef O8LOCK_TOOLS_E2E_JSON_SCHEMA_H_
#define O8LOCK_TOOLS_E2E_JSON_SCHEMA_H_

#include <string>

namespace o8lock {

// Why `json` is not as the JSON Schema in the file `path` has it; empty if it
// is. A member that is only there in `json` is no reason.
std::string SchemaViolation(const std::string& json, const std::string& path);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_E2E_JSON_SCHEMA_H_
