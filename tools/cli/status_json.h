// SPDX-License-Identifier: Apache-2.0
//
// The output of `o8lock status --json`.
#ifndef O8LOCK_TOOLS_CLI_STATUS_JSON_H_
#define O8LOCK_TOOLS_CLI_STATUS_JSON_H_

#include <string>

#include "tools/cli/holder_text.h"
#include "tools/cli/report.h"

namespace o8lock {

// Returns one JSON object and a newline. Names and values are public: programs
// read them.
std::string StatusJson(const RepositoryReport& report, const Now& now);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_STATUS_JSON_H_
