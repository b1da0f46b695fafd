// SPDX-License-Identifier: Apache-2.0
//
// For tests that need an orchestr8.
//
// Environment: ORCHESTR8  the stand-in for it, testdata/orchestr8
#ifndef O8LOCK_TOOLS_CLI_ORCHESTR8_TESTING_H_
#define O8LOCK_TOOLS_CLI_ORCHESTR8_TESTING_H_

#include <string>

namespace o8lock {

// Installs the stand-in for orchestr8 `version` (prelock, v3, v4) as npm does
// in the prefix `directory`, which it creates. Returns the path of the program.
std::string InstallOrchestr8(const std::string& directory,
                             const std::string& version);

// Makes `package`, a directory that it creates, the stand-in's package `name`,
// whose program is `script` in it.
void MakeOrchestr8Package(const std::string& package, const std::string& name,
                          const std::string& version,
                          const std::string& script = "bin/cli.js");

// Installs it as npm does in the directory `project`: as orchestr8 (prelock) or
// murmur8, whose name this returns.
std::string AddOrchestr8(const std::string& project,
                         const std::string& version);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ORCHESTR8_TESTING_H_
