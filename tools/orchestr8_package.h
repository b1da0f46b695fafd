// SPDX-License-Identifier: Apache-2.0
//
// Whether an orchestr8 keeps the lock file itself. The version number does not
// say (two different ones call themselves 2.7.1), so its program text is asked:
// one that keeps a lock file has its name in there.
#ifndef O8LOCK_TOOLS_ORCHESTR8_PACKAGE_H_
#define O8LOCK_TOOLS_ORCHESTR8_PACKAGE_H_

#include "tools/orchestr8.h"

namespace o8lock {

enum class LocksItself {
  kUnknown,  // no package was found: a shim, or one that is yet to be fetched
  kNo,
  kYes,
};

// Looks into the package whose program `program` is; the name is searched for
// as execvp(3) does or, for a package runner (npx...), in the node_modules of
// the current directory and those above.
// Reads the package's files; changes nothing.
LocksItself FindOutWhetherItLocks(const Orchestr8Program& program);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_ORCHESTR8_PACKAGE_H_
