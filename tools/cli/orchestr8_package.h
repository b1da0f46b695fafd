// SPDX-License-Identifier: Apache-2.0
//
// Whether an orchestr8 keeps the lock file itself. The version number does not
// say (two different ones call themselves 2.7.1), so its program text is asked.
#ifndef O8LOCK_TOOLS_CLI_ORCHESTR8_PACKAGE_H_
#define O8LOCK_TOOLS_CLI_ORCHESTR8_PACKAGE_H_

#include <string>

#include "tools/cli/orchestr8.h"

namespace o8lock {

enum class LocksItself {
  kUnknown,  // it starts a program that cannot be told from here: a version
             // manager's shim, a package runner's that is yet to be fetched
  kNo,
  kYes,
};

// The file of `program`, without links; empty if there is no such file. It is
// searched for as execvp(3) does, as node does (a directory, for which its
// package.json stands, a name without its .js) or, for a name that a package
// runner (npx...) is given, in the node_modules of the current directory and
// those above.
std::string FindProgram(const Orchestr8Program& program);

// Reads the files of `program`, found as above. It locks itself if
//   - it belongs to a package orchestr8 or murmur8 (orchestr8_process.h) whose
//     scripts have the name of a lock file, or
//   - it belongs to none, and its text has that name and also asks whether a
//     process lives, as `kill -0` does.
// A script that hands its arguments on to another orchestr8 is what that is.
// Changes nothing. Reads up to 16 MiB of a program.
LocksItself FindOutWhetherItLocks(const Orchestr8Program& program);

// Whether `program`, found as above, belongs to a package orchestr8 or murmur8,
// whatever the names of the program and its directory.
bool BelongsToOrchestr8(const Orchestr8Program& program);

// Whether `program` is known to ask before a run starts: those packages do that
// lock themselves.
bool AsksBeforeARun(const Orchestr8Program& program);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ORCHESTR8_PACKAGE_H_
