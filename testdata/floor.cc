// SPDX-License-Identifier: Apache-2.0
//
// A minimal lock: opens and locks the file named by the first argument, starts
// the program named by the others, by its path, waits for its end and exits as
// the program does.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int, char** argv) {
  const int fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  if (fd < 0 || fcntl(fd, F_OFD_SETLK, &whole) != 0) return 75;
  // NOLINTBEGIN(bugprone-unsafe-functions,clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
  const pid_t pid = vfork();
  if (pid == 0) {
    execv(argv[2], argv + 2);
    _exit(127);
  }
  // NOLINTEND(bugprone-unsafe-functions,clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return 126;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
