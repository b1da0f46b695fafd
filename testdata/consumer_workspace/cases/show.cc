// SPDX-License-Identifier: Apache-2.0
//
// Prints its directory, a variable, a runfile, the lock file and its arguments.
// Exits with 7.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

namespace {

std::string Variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

// The concatenated lines of a file.
std::string Lines(const std::string& path) {
  std::ifstream file(path);
  std::string lines;
  for (std::string line; std::getline(file, line);) lines += line;
  return lines;
}

}  // namespace

int main(int argc, char* argv[]) {
  std::cout << "directory: " << std::filesystem::current_path().string()
            << "\ngreeting: " << Variable("GREETING") << "\nrunfile: "
            << Lines(Variable("RUNFILES_DIR") + "/consumer/cases/runfile.txt")
            << "\nlock file: " << Lines("../.claude/words.lock") << "\n";
  for (int i = 1; i < argc; ++i) std::cout << "<" << argv[i] << ">\n";
  return 7;
}
