// SPDX-License-Identifier: Apache-2.0
//
// Compiled anew at every link: Bazel's "linkstamp", which includes nothing of
// the project's.
#ifndef BUILD_SCM_REVISION
#define BUILD_SCM_REVISION "0"  // linted, not linked
#endif

namespace o8lock {

extern const char kCommit[];  // else a constant is this file's alone
const char kCommit[] = BUILD_SCM_REVISION;

}  // namespace o8lock
