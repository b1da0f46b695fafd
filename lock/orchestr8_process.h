// SPDX-License-Identifier: Apache-2.0
//
// Recognizing orchestr8 (named murmur8 since version 3), a program with lock
// files of its own: its program by name or package, its processes by command
// line.
//
// The functions do not block and change nothing. Thread-safe.
#ifndef O8LOCK_LOCK_ORCHESTR8_PROCESS_H_
#define O8LOCK_LOCK_ORCHESTR8_PROCESS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace o8lock {

// Whether `argument` of a command line names the program: "orchestr8",
// "murmur8@4.4.0", a path ending in such a name, or bin/cli.js in a directory
// with such a name.
bool NamesOrchestr8(absl::string_view argument);

// The directory of the package around the file `path`, if the package is
// orchestr8: the nearest package.json has its name. Empty otherwise.
// REQUIRES: `path` is absolute and without links.
std::string Orchestr8PackageOf(const std::string& path);

// Whether the process `pid` executes orchestr8, by the name of its program or
// script or by the script's package. False if its command line cannot be read.
bool IsOrchestr8Process(int pid);

// Whether the process `pid` executes a script starting o8lock with the script's
// own arguments, such as a stand-in for orchestr8 in PATH.
bool StartsO8lock(int pid);

}  // namespace o8lock

#endif  // O8LOCK_LOCK_ORCHESTR8_PROCESS_H_
