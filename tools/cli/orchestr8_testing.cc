// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/orchestr8_testing.h"

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "lock/testing.h"

namespace o8lock {

void MakeOrchestr8Package(const std::string& package, const std::string& name,
                          const std::string& version,
                          const std::string& script) {
  const std::string program = absl::StrCat(package, "/", script);
  std::filesystem::create_directories(package + "/src");
  std::filesystem::create_directories(
      std::filesystem::path(program).parent_path());
  // A separate file that contains the version: the stand-in itself names all
  // the lock files. A shell reads its second line, node only the third.
  const std::string stand_in = PathFromEnv("ORCHESTR8");
  MakeFile(program,
           absl::StrCat("#!/bin/sh\n':' //; STAND_IN_VERSION=", version,
                        " exec '", stand_in,
                        "' \"$@\"\n"
                        "process.exit(require('child_process').spawnSync('",
                        stand_in,
                        "', process.argv.slice(2), {stdio: 'inherit', env: "
                        "{...process.env, STAND_IN_VERSION: '",
                        version, "'}}).status);\n"),
           0755);
  MakeFile(package + "/package.json",
           absl::StrCat(R"({"name": ")", name, R"(", "bin": {")", name,
                        R"(": ")", script, R"("}})"));
  // The real packages include the specification, even the one without a lock.
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
}

std::string InstallOrchestr8(const std::string& directory,
                             const std::string& version) {
  MakeOrchestr8Package(directory + "/lib/node_modules/orchestr8", "orchestr8",
                       version);
  std::filesystem::create_directories(directory + "/bin");
  std::string program = directory + "/bin/orchestr8";
  std::filesystem::create_symlink("../lib/node_modules/orchestr8/bin/cli.js",
                                  program);
  return program;
}

std::string AddOrchestr8(const std::string& project,
                         const std::string& version) {
  std::string name = version == "prelock" ? "orchestr8" : "murmur8";
  const std::string modules = project + "/node_modules";
  MakeOrchestr8Package(absl::StrCat(modules, "/", name), name, version);
  std::filesystem::create_directories(modules + "/.bin");
  std::filesystem::create_symlink(absl::StrCat("../", name, "/bin/cli.js"),
                                  absl::StrCat(modules, "/.bin/", name));
  return name;
}

}  // namespace o8lock
