// SPDX-License-Identifier: Apache-2.0
//
// Bazel's "linkstamp": compiled again at every link, and without any of the
// project's headers.
#ifndef BUILD_SCM_REVISION
#define BUILD_SCM_REVISION "0"  // linted, not linked
#endif

namespace o8lock {

extern const char kCommit[];  // without this a constant has internal linkage
const char kCommit[] = BUILD_SCM_REVISION;

}  // namespace o8lock
