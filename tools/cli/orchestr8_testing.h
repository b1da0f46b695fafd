// SPDX-License-Identifier: Apache-2.0
//
// Installs an orchestr8 for tests.
//
// Environment: ORCHESTR8  its stand-in, testdata/orchestr8
#ifndef O8LOCK_TOOLS_CLI_ORCHESTR8_TESTING_H_
#define O8LOCK_TOOLS_CLI_ORCHESTR8_TESTING_H_

#include <string>

namespace o8lock {

// Installs the stand-in for orchestr8 `version` (prelock, v3, v4) as npm does
// in the prefix `directory`. Creates that directory. Returns the program's
// path.
std::string InstallOrchestr8(const std::string& directory,
                             const std::string& version);

// Creates the directory `package` as the stand-in's package `name`. Its program
// is `script` inside it.
void MakeOrchestr8Package(const std::string& package, const std::string& name,
                          const std::string& version,
                          const std::string& script = "bin/cli.js");

// Installs it as npm does in the directory `project`, as orchestr8 (prelock) or
// murmur8. Returns that name.
std::string AddOrchestr8(const std::string& project,
                         const std::string& version);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ORCHESTR8_TESTING_H_
