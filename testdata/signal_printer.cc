// SPDX-License-Identifier: Apache-2.0
//
// A command for tests of signals:
//   signal_printer [NAME]
//       Writes "ready PID", then one line for each signal it receives ("TERM").
//       Exits with 0 on the signal NAME.
//   signal_printer --state FILE
//       Writes its initial state to FILE: a line for each process property,
//       open descriptor and environment variable.
#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
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
#include <vector>

namespace {

// Copies the lines of `file`; of /proc/self/status only the inherited
// properties.
void CopyLines(const std::string& file, std::ostream& state) {
  const bool all = file != "/proc/self/status";
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const std::string name = line.substr(0, line.find(':'));
    if (all || (name.compare(0, 3, "Sig") == 0 && name != "SigQ") ||
        name.compare(0, 3, "Cap") == 0 || name == "Umask" || name == "Uid" ||
        name == "Gid" || name == "Groups" || name == "NoNewPrivs" ||
        name == "Seccomp" || name == "Cpus_allowed") {
      state << line << "\n";
    }
  }
}

// Prints properties from /proc/self/stat: the ids of the process's groups, and
// priorities.
void PrintStat(std::ostream& state) {
  std::ifstream stat("/proc/self/stat");
  std::string text;
  std::getline(stat, text);
  std::istringstream rest(text.substr(text.rfind(')') + 2));
  // Numbered as in proc(5), starting before the command's name.
  std::vector<std::string> fields = {"", "", ""};
  for (std::string field; rest >> field;) fields.push_back(field);
  state << "process group " << fields[5] << "\nsession " << fields[6]
        << "\nterminal " << fields[7] << "\nforeground " << fields[8]
        << "\nnice " << fields[19] << "\npolicy " << fields[41] << "\n";
}

// The open flags of descriptor `fd`, octal.
std::string Flags(int fd) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(fd));
  for (std::string name; info >> name;) {
    if (name == "flags:" && info >> name) return name;
  }
  return "";
}

std::string State() {
  std::ostringstream state;
  CopyLines("/proc/self/status", state);
  CopyLines("/proc/self/limits", state);
  state << "OOM score ";
  CopyLines("/proc/self/oom_score_adj", state);
  PrintStat(state);
  int death_signal = 0;
  prctl(PR_GET_PDEATHSIG, &death_signal);
  char directory_name[PATH_MAX] = "";
  state << "parent death " << death_signal << "\ndirectory "
        << getcwd(directory_name, sizeof(directory_name)) << "\n";
  for (char** entry = environ; *entry != nullptr; ++entry) {
    state << "env " << *entry << "\n";
  }
  // Sorted by number. Omits the descriptor of this directory.
  std::map<int, std::string> descriptors;
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return state.str();
  while (const dirent* entry = readdir(directory)) {
    char target[PATH_MAX] = "";
    if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory) ||
        readlinkat(dirfd(directory), entry->d_name, target,
                   sizeof(target) - 1) < 0) {
      continue;
    }
    const int fd = atoi(entry->d_name);
    descriptors[fd] = Flags(fd) + " " + target;
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
  if (argc == 3 && strcmp(argv[1], "--state") == 0) {
    const std::string state = State();
    std::ofstream(argv[2]) << state;
    return 0;
  }
  PrintSignals(argc > 1 ? argv[1] : nullptr);
  return 0;
}
