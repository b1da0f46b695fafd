// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/orchestr8_testing.h"

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "lock/testing.h"

namespace o8lock {

std::string InstallOrchestr8(const std::string& directory,
                             const std::string& version) {
  const std::string package = directory + "/lib/node_modules/orchestr8";
  for (const std::string& made :
       {directory + "/bin", package + "/bin", package + "/src"}) {
    std::filesystem::create_directories(made);
  }
  // A file of its own, with the version in it: the stand-in itself names all
  // the lock files.
  MakeFile(package + "/bin/cli.js",
           absl::StrCat("#!/bin/sh\nSTAND_IN_VERSION=", version, " exec '",
                        PathFromEnv("ORCHESTR8"), "' \"$@\"\n"),
           0755);
  MakeFile(package + "/package.json",
           R"({"name": "orchestr8", "bin": {"orchestr8": "bin/cli.js"}})");
  // The real ones carry the specification, also the one that has no lock yet.
  MakeFile(package + "/FEATURE_SPEC.md", "Location: `.claude/parallel.lock`\n");
  std::string source = "const QUEUE_FILE = '.claude/parallel-queue.json';\n";
  if (version == "v3") source += "const LOCK_FILE = '.claude/parallel.lock';\n";
  if (version == "v4") {
    source +=
        "const LOCK_FILE = '.claude/murm.lock';\n"
        "const LEGACY_LOCK_FILE = '.claude/parallel.lock';\n";
  }
  MakeFile(package + (version == "v4" ? "/src/murm.js" : "/src/parallel.js"),
           source);
  std::string program = directory + "/bin/orchestr8";
  std::filesystem::create_symlink("../lib/node_modules/orchestr8/bin/cli.js",
                                  program);
  return program;
}

}  // namespace o8lock
