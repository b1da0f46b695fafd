// SPDX-License-Identifier: Apache-2.0
//
// The program run by the hooks.
#ifndef O8LOCK_HOOKS_PROGRAM_H_
#define O8LOCK_HOOKS_PROGRAM_H_

#include <string>

#include "absl/status/statusor.h"
#include "lock/location.h"

namespace o8lock {

// The time of the last change of `path`, for comparison only; "-" if there is
// no such file.
std::string StampOf(const std::string& path);

// Returns a program with a stable path. This is `program` itself, or
// InstallCopy's if `program` may disappear while o8lock stays installed: in a
// build tree, node_modules or npm's cache.
// Errors: from the file system.
absl::StatusOr<std::string> InstallStableCopy(const Location& location,
                                              const std::string& program);

// Copies `program` into the repository (OwnCopy, layout.h). Returns the copy.
// Errors: from the file system.
absl::StatusOr<std::string> InstallCopy(const Location& location,
                                        const std::string& program);

// Whether `program` is an older o8lock than this program. Starts it if it has
// another size.
bool IsOlder(const std::string& program);

// The version of `program`; empty if it cannot be started. Starts the program.
std::string AskVersion(const std::string& program);

// Whether `program` can be started here. Does not start it if it is this
// program. Nor does it if `program` still has the stamp of an earlier start,
// `started`, and is for this kind of machine.
bool Starts(const std::string& program, const std::string& started);

}  // namespace o8lock

#endif  // O8LOCK_HOOKS_PROGRAM_H_
