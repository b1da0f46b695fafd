// SPDX-License-Identifier: Apache-2.0
//
// Whether the record in a guard is about that very file. Kernel locks do not
// reach from one file system to another that shows the same file (FUSE), nor
// does a copy of a repository mean that its runs are copied.
#ifndef O8LOCK_LOCK_VIEW_H_
#define O8LOCK_LOCK_VIEW_H_

#include "lock/file.h"
#include "lock/holder.h"

namespace o8lock {

enum class View {
  kSame,     // the run has locked this file
  kCopy,     // proved to be another file
  kUnknown,  // it may be either
};

// Compares the file `guard` with the one that the run `record` has locked, of
// which the process `pid` is alive here; 0: none that can be looked at.
// With `may_mark` a mark is written into `guard` (kMarkOffset) if there is no
// other way to tell, and looked for in the run's file. Does not block.
View ViewOf(const Holder& record, const Fd& guard, int pid, bool may_mark);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_VIEW_H_
