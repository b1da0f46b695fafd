// SPDX-License-Identifier: Apache-2.0
//
// Stands for a command that minds its signals:
//   signal_printer [NAME]     writes "ready PID", then one line for each signal
//                             it gets ("TERM"); ends with 0 at the signal NAME
//   signal_printer --state [FILE]
//                             writes to FILE (or stdout) what it was started
//                             with: signals blocked, ignored and caught, and
//                             open descriptors
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

namespace {

std::string State() {
  std::ostringstream state;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, 3, "Sig") == 0 && line.compare(0, 4, "SigQ") != 0) {
      state << line << "\n";
    }
  }
  status.close();
  // By number; the directory's own descriptor is not of interest.
  std::map<int, std::string> descriptors;
  DIR* directory = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(directory)) {
    char target[PATH_MAX] = "";
    if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory) ||
        readlinkat(dirfd(directory), entry->d_name, target,
                   sizeof(target) - 1) < 0) {
      continue;
    }
    descriptors[atoi(entry->d_name)] = target;
  }
  closedir(directory);
  for (const auto& [fd, target] : descriptors) {
    state << "fd " << fd << " " << target << "\n";
  }
  return state.str();
}

void PrintSignals(const char* last) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  std::cout << "ready " << getpid() << std::endl;
  for (;;) {
    const int number = sigwaitinfo(&all, nullptr);
    if (number < 0) continue;
    const char* abbreviation = sigabbrev_np(number);
    const std::string name =
        abbreviation != nullptr ? abbreviation : std::to_string(number);
    std::cout << name << std::endl;
    if (last != nullptr && name == last) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "--state") == 0) {
    const std::string state = State();
    if (argc > 2) {
      std::ofstream(argv[2]) << state;
    } else {
      std::cout << state;
    }
    return 0;
  }
  PrintSignals(argc > 1 ? argv[1] : nullptr);
  return 0;
}
