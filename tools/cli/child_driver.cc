// SPDX-License-Identifier: Apache-2.0
//
// The smallest wrapper: child_driver [OPTION] COMMAND [ARG...] only runs a
// command with tools/cli/child.h.
//   --inherit   the command inherits a descriptor (of /dev/null)
//   --wait      before the command, write "blocked\n" and read a line
//   --alarm     before the command, ask for a SIGALRM soon
//   --restore   destroy the ChildRunner and execute the command in this process
//   --report    write "released\n" once Run() returned
#include <fcntl.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/cli/child.h"

int main(int argc, char** argv) {
  if (!o8lock::EnsureStandardDescriptors().ok()) return 71;
  auto runner = std::make_unique<o8lock::ChildRunner>();
  int inherit_fd = -1;
  bool report = false;
  int i = 1;
  for (; i < argc && argv[i][0] == '-'; ++i) {
    const absl::string_view option = argv[i];
    if (option == "--inherit") {
      inherit_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    } else if (option == "--wait") {
      puts("blocked");
      fflush(stdout);
      while (getchar() != '\n') {
      }
    } else if (option == "--alarm") {
      itimerval soon = {};
      soon.it_value.tv_usec = 20000;
      setitimer(ITIMER_REAL, &soon, nullptr);
    } else if (option == "--restore") {
      runner.reset();
      execvp(argv[i + 1], argv + i + 1);
      return 127;
    } else if (option == "--report") {
      report = true;
    }
  }
  const auto exit = runner->Run(argv + i, inherit_fd, nullptr);
  if (report) {
    puts("released");
    fflush(stdout);
  }
  if (exit.ok()) o8lock::ExitAs(*exit);
  fprintf(stderr, "%s\n", exit.status().ToString().c_str());
  switch (exit.status().code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
      return 127;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnknown:
      return 126;
    default:
      return 71;
  }
}
