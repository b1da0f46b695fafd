// SPDX-License-Identifier: Apache-2.0
#ifndef O8LOCK_TOOLS_CLI_STAMP_H_
#define O8LOCK_TOOLS_CLI_STAMP_H_

namespace o8lock {

// The commit that this program was built from; "0" unless it was built with
// --stamp and a workspace status command that says BUILD_SCM_REVISION, such as
// tools/status of --config=release. Costs nothing at run time.
extern const char kCommit[];

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_STAMP_H_
