// SPDX-License-Identifier: Apache-2.0
//
// Determines whether an orchestr8 keeps the lock file itself. The version
// number does not tell (two different ones call themselves 2.7.1), so this
// reads the program text.
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

// Returns the file of `program`, without symbolic links. Empty if there is no
// such file. It searches as execvp(3) does, and as node does: package.json
// stands for its directory, and a name may lack its .js. A name given to a
// package runner (npx...) is searched for in the node_modules of the current
// directory and its parents.
std::string FindProgram(const Orchestr8Program& program);

// Reads the files of `program`, found as above. It locks itself in either case:
//   - It belongs to a package orchestr8 or murmur8 (orchestr8_process.h), and
//     the package's scripts contain the name of a lock file.
//   - It belongs to no such package. Its text contains that name and also
//     checks whether a process is alive, as `kill -0` does.
// A script that hands its arguments on to another orchestr8 gets the result of
// that one. Changes nothing. Reads up to 16 MiB of a program.
LocksItself FindOutWhetherItLocks(const Orchestr8Program& program);

// Returns whether `program`, found as above, belongs to a package orchestr8 or
// murmur8, whatever the names of the program and its directory.
bool BelongsToOrchestr8(const Orchestr8Program& program);

// Returns whether `program` is known to ask before a run starts. The packages
// above do so if they lock themselves.
bool AsksBeforeARun(const Orchestr8Program& program);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ORCHESTR8_PACKAGE_H_
