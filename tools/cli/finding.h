// SPDX-License-Identifier: Apache-2.0
//
// The findings of `o8lock doctor`.
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
  std::string hint;                // the next step; may be empty
  std::vector<std::string> lines;  // of the hint, to copy to a file
};

using Findings = std::vector<Finding>;

// Appends `more` to `findings`.
inline void Append(const Findings& more, Findings& findings) {
  findings.insert(findings.end(), more.begin(), more.end());
}

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_FINDING_H_
