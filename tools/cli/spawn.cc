// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/spawn.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <initializer_list>

#include "absl/base/attributes.h"
#include "absl/base/config.h"
#include "tools/cli/signals.h"

// ThreadSanitizer turns vfork() into fork(), and the child's errno would stay
// in a copy of the memory. This is the same function under the C library's own
// name.
#ifdef ABSL_HAVE_THREAD_SANITIZER
extern "C" pid_t __vfork();  // NOLINT(bugprone-reserved-identifier)
#define vfork __vfork
#endif

namespace o8lock {
namespace {

// Scripts use the numbers below themselves.
constexpr int kLowestInheritedFd = 10;

// Handles the stop signals between vfork() and execvp().
void Nothing(int /*signal*/) {}

void SetDisposition(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

}  // namespace

// vfork() because a copy of the page tables would cost more than everything
// after it. The parent sleeps until execvp() or _exit(), so it sees the child's
// writes when it wakes. Not inlined, so that the child does not overwrite
// values the caller needs.
ABSL_ATTRIBUTE_NOINLINE pid_t Spawn(char* const argv[],
                                    const SpawnOptions& options,
                                    int* exec_error) {
  volatile int error = 0;
  int death_signal = 0;
  prctl(PR_GET_PDEATHSIG, &death_signal);
  // NOLINTBEGIN(bugprone-unsafe-functions,clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
  // POSIX allows the child less than Linux does. On Linux it is a process with
  // its own signals and descriptors, and the parent's memory.
  const pid_t pid = vfork();
  if (pid != 0) {
    *exec_error = error;
    return pid;
  }
  for (const int signal : kOwnDispositions) {
    SetDisposition(signal,
                   (options.ignored & Only(signal)) != 0 ? SIG_IGN : SIG_DFL);
  }
  // If the child stopped before execvp(), the parent would stay in vfork(), and
  // the shell would not notice. A handler makes the signal ineffective until
  // execvp() removes it.
  for (const int signal : {SIGTSTP, SIGTTIN, SIGTTOU}) {
    if (!IsIgnored(signal)) SetDisposition(signal, Nothing);
  }
  // The only attribute that execvp() keeps but a child does not inherit.
  if (death_signal != 0) prctl(PR_SET_PDEATHSIG, death_signal);
  if (options.inherit_fd >= 0 &&
      fcntl(options.inherit_fd, F_DUPFD, kLowestInheritedFd) < 0) {
    // The descriptor limit allows no other number, so the child inherits this
    // one.
    fcntl(options.inherit_fd, F_SETFD, 0);
  }
  SetSignalMask(options.mask);
  execvp(argv[0], argv);
  error = errno;
  _exit(127);
  // NOLINTEND(bugprone-unsafe-functions,clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
}

}  // namespace o8lock
