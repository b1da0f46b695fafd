// SPDX-License-Identifier: Apache-2.0
#ifndef O8LOCK_TOOLS_CLI_STAMP_H_
#define O8LOCK_TOOLS_CLI_STAMP_H_

namespace o8lock {

// The commit this program was built from. It is "0" unless the build used
// --stamp and a workspace status command that prints BUILD_SCM_REVISION, such
// as tools/status of --config=release. Costs nothing at run time.
extern const char kCommit[];

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_STAMP_H_
