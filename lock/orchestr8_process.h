// SPDX-License-Identifier: Apache-2.0
//
// Recognizing orchestr8 (named murmur8 since version 3), which keeps lock files
// of its own: its program by name or package, its processes by command line.
//
// Nothing here blocks or changes anything. Thread-safe.
#ifndef O8LOCK_LOCK_ORCHESTR8_PROCESS_H_
#define O8LOCK_LOCK_ORCHESTR8_PROCESS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace o8lock {

// Whether `argument` of a command line names the program: "orchestr8",
// "murmur8@4.4.0", a path that ends so, or bin/cli.js in such a directory.
bool NamesOrchestr8(absl::string_view argument);

// The directory of the package that the file `path`, absolute and without
// links, belongs to, if that is orchestr8: its nearest package.json has the
// name. Empty otherwise.
std::string Orchestr8PackageOf(const std::string& path);

// Whether the process `pid` executes orchestr8, by the name of its program or
// script or by the script's package. False where its command line cannot be
// read.
bool IsOrchestr8Process(int pid);

// Whether the process `pid` executes a script that starts o8lock with the
// script's own arguments, as one that stands in for orchestr8 in PATH does.
bool StartsO8lock(int pid);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_ORCHESTR8_PROCESS_H_
