// SPDX-License-Identifier: Apache-2.0
//
// What `o8lock doctor` finds.
#ifndef O8LOCK_TOOLS_CLI_FINDING_H_
#define O8LOCK_TOOLS_CLI_FINDING_H_

#include <string>
#include <vector>

namespace o8lock {

struct Finding {
  enum Level { kOk, kWarn, kFail };
  Level level;
  std::string subject;  // "guard", "git"
  std::string text;
  std::string hint;                // what to do; empty: nothing
  std::vector<std::string> lines;  // of the hint, to copy into a file
};

using Findings = std::vector<Finding>;

// Appends `more` to `findings`.
inline void Append(const Findings& more, Findings& findings) {
  findings.insert(findings.end(), more.begin(), more.end());
}

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_FINDING_H_
