// SPDX-License-Identifier: Apache-2.0
//
// Whether the record in a guard is about this very file. Two file systems may
// show the same file (FUSE), but kernel locks do not reach from one to the
// other. And a copy of a repository is not a copy of its runs.
#ifndef O8LOCK_LOCK_VIEW_H_
#define O8LOCK_LOCK_VIEW_H_

#include "lock/file.h"
#include "lock/holder.h"

namespace o8lock {

enum class View {
  kSame,     // the run has locked this file
  kCopy,     // this is proved to be another file
  kUnknown,  // it may be either
};

// Compares the file `guard` with the file locked by the run `record`. `pid` is
// a living process of this run; 0: no such process is visible. With `may_mark`,
// if there is no other way, writes a mark into `guard` (kMarkOffset) and
// searches for it in the run's file. Does not block.
View ViewOf(const Holder& record, const Fd& guard, int pid, bool may_mark);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_VIEW_H_
