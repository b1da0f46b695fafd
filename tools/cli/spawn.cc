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
// in a copy of the memory. This is the same function by the C library's own
// name.
#ifdef ABSL_HAVE_THREAD_SANITIZER
extern "C" pid_t __vfork();  // NOLINT(bugprone-reserved-identifier)
#define vfork __vfork
#endif

namespace o8lock {
namespace {

// Scripts use the numbers below themselves.
constexpr int kLowestInheritedFd = 10;

// Handler of the stop signals between vfork() and execvp().
void Nothing(int /*signal*/) {}

void SetDisposition(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

}  // namespace

// vfork() because a copy of the page tables would cost more than all the rest.
// The parent sleeps until execvp() or _exit(), so what the child writes is
// there when it wakes. Not inlined, lest the child write over what the caller
// needs.
ABSL_ATTRIBUTE_NOINLINE pid_t Spawn(char* const argv[],
                                    const SpawnOptions& options,
                                    int* exec_error) {
  volatile int error = 0;
  int death_signal = 0;
  prctl(PR_GET_PDEATHSIG, &death_signal);
  // NOLINTBEGIN(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
  // POSIX allows the child less than Linux does: to Linux it is a process with
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
  // A child that were stopped before execvp() would keep the parent in vfork()
  // and the shell in the dark. A handler is gone with execvp(), and until then
  // makes the signal ineffective.
  for (const int signal : {SIGTSTP, SIGTTIN, SIGTTOU}) {
    if (!IsIgnored(signal)) SetDisposition(signal, Nothing);
  }
  // The one thing that execvp() keeps and that no child inherits.
  if (death_signal != 0) prctl(PR_SET_PDEATHSIG, death_signal);
  if (options.inherit_fd >= 0 &&
      fcntl(options.inherit_fd, F_DUPFD, kLowestInheritedFd) < 0) {
    // The limit of descriptors allows no more: then under its own number.
    fcntl(options.inherit_fd, F_SETFD, 0);
  }
  SetSignalMask(options.mask);
  execvp(argv[0], argv);
  error = errno;
  _exit(127);
  // NOLINTEND(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
}

}  // namespace o8lock
