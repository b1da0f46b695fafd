// SPDX-License-Identifier: Apache-2.0
//
// A minimal wrapper: starts the program named by its arguments, by its path,
// waits for its end and exits as the program does.
#include <sys/wait.h>
#include <unistd.h>

int main(int, char** argv) {
  // NOLINTBEGIN(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
  const pid_t pid = vfork();
  if (pid == 0) {
    execv(argv[1], argv + 1);
    _exit(127);
  }
  // NOLINTEND(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return 126;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
