// SPDX-License-Identifier: Apache-2.0
//
// For tests of o8lock's JSON output.
#ifndef O8LOCK_TOOLS_E2E_JSON_SCHEMA_H_
#define O8LOCK_TOOLS_E2E_JSON_SCHEMA_H_

#include <string>

namespace o8lock {

// Why `json` violates the JSON Schema in the file `path`; empty if it is valid.
// Additional members are allowed.
std::string SchemaViolation(const std::string& json, const std::string& path);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_E2E_JSON_SCHEMA_H_
