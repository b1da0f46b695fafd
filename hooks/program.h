// SPDX-License-Identifier: Apache-2.0
//
// The program that the hooks run.
#ifndef O8LOCK_HOOKS_PROGRAM_H_
#define O8LOCK_HOOKS_PROGRAM_H_

#include <string>

#include "absl/status/statusor.h"
#include "lock/location.h"

namespace o8lock {

// The time of the last change of `path`, for comparison only. "-": there is
// nothing.
std::string StampOf(const std::string& path);

// A program that stays: `program`, or, where that may go without anybody's
// removing o8lock (a build tree, node_modules, npm's cache), the copy (OwnCopy,
// layout.h), which is made.
// Errors: from the file system.
absl::StatusOr<std::string> InstallStableCopy(const Location& location,
                                              const std::string& program);

// The version of `program`, which is started; empty: it cannot be.
std::string AskVersion(const std::string& program);

// Whether `program` can be started here. It is not tried if it is this one, or
// one for this kind of machine that could be started when it had the stamp
// `started`.
bool Starts(const std::string& program, const std::string& started);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_PROGRAM_H_
