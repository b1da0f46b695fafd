// SPDX-License-Identifier: Apache-2.0
//
// Finds the orchestr8 in reach of any other command: `npm run x`, make, `sh
// -c`, a script, a shell.
#ifndef O8LOCK_TOOLS_CLI_REACH_H_
#define O8LOCK_TOOLS_CLI_REACH_H_

#include <optional>
#include <string>

#include "absl/types/span.h"

namespace o8lock {

// An orchestr8 with a lock file of its own, as orchestr8_package.h determines
// it.
struct ReachableOrchestr8 {
  // A subject for a sentence, not printable: "/r/node_modules/murmur8" or
  // "murmur8, named in /r/package.json,".
  std::string subject;
  bool is_certain = false;  // otherwise its program cannot be read here
};

// Finds one for `command`, started in the current directory. It may be:
//   - installed in node_modules, or named in package.json as the package, a
//     dependency or in a script. This covers the current directory, the
//     directories named in `command`, and their parents up to `top`, an
//     absolute path without links;
//   - in PATH;
//   - named in `command`, or in a script or makefile named there. In prose
//     (README, a description) a name means nothing.
// Returns nothing for an orchestr8 without a lock file of its own. A name
// without a program (npx has yet to fetch it, a login shell has another PATH)
// is an answer, but not a certain one.
//
// Changes nothing. Reads about 10 files if there is no orchestr8, and at most 8
// scripts besides package.json files and packages.
std::optional<ReachableOrchestr8> FindReachableOrchestr8(
    absl::Span<const std::string> command, const std::string& top);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_REACH_H_
