// SPDX-License-Identifier: Apache-2.0
//
// What the operating system knows about processes and about this machine.
// process_linux.cc reads /proc; another system is one more such file.
#ifndef O8LOCK_LOCK_PROCESS_H_
#define O8LOCK_LOCK_PROCESS_H_

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "lock/file.h"

namespace o8lock {

// Boot-time clock ticks: hundredths of a second since the machine started,
// suspension included. No change of the wall clock moves them.
using Ticks = int64_t;
inline constexpr Ticks kTicksPerSecond = 100;
Ticks NowTicks();

// Milliseconds from now until `moment`, for poll(2); negative if that is.
int MillisecondsUntil(Ticks moment);

inline int64_t Nanoseconds(const struct timespec& time) {
  return int64_t{time.tv_sec} * 1000000000 + time.tv_nsec;
}

// The same clock, to the nanosecond; what it says in ticks.
int64_t NowNanoseconds();
inline constexpr int64_t kNanosecondsPerTick = 1000000000 / kTicksPerSecond;
inline Ticks TicksOf(int64_t nanoseconds) {
  return nanoseconds / kNanosecondsPerTick;
}

enum class ProcessState {
  kUnknown,  // not looked at, or what is there cannot be told
  kRunning,  // alive
  kStopped,  // alive, but stopped by a signal or a debugger
  kZombie,   // dead, and not yet collected by its parent
  kGone,     // there is no such process; a thread's id is none either
};

struct ProcessInfo {
  ProcessState state = ProcessState::kUnknown;
  Ticks started = -1;  // since boot; -1 if it cannot be read
};

// Whether that is known to have ended.
inline bool HasEnded(const ProcessInfo& process) {
  return process.state == ProcessState::kGone ||
         process.state == ProcessState::kZombie;
}

// Looks at the process `pid` of this pid namespace.
// A process that may not be looked at (other user, hidden /proc) is kRunning
// with no start time: only the kernel's "no such process" makes it kGone.
// REQUIRES: pid > 0 (0 and negative numbers mean process groups to kill(2)).
ProcessInfo GetProcess(int pid);

// The number here of the process that is `pid` in the pid namespace
// `pid_namespace`; 0: it is not seen. Reads two files for every process on the
// machine.
int NumberHere(int pid, int64_t pid_namespace);

// Whether the processes of all pid namespaces are seen here.
bool SeesAllNamespaces();

// The name of the file that the process `pid` executes, such as "node"; where
// that may not be read, as of another user, the name the process has given
// itself; empty if there is no such process.
std::string ProgramOf(int pid);

// The processes of this pid namespace, in the order of their pids.
std::vector<int> Processes();

// Whether the process `pid` has `file` open; false where that cannot be seen,
// as of another user's.
bool HasOpen(int pid, const FileId& file);

// Whether the process `pid` has a lock on `file`, of the kind of kernel_lock.h,
// that begins at `byte`; false where that cannot be seen.
bool HasLocked(int pid, const FileId& file, int64_t byte);

// The words of the command line of the process `pid`; none if it has none, or
// may not be looked into.
std::vector<std::string> CommandOf(int pid);

// The current directory of the process `pid`; empty if it cannot be read.
std::string DirectoryOf(int pid);

// The path by which the open `fd` can be reached now; empty if that cannot be
// read or there is none any more.
std::string PathOf(const Fd& fd);

// The file that this process executes, absolute; empty if that cannot be read
// or is gone.
std::string OwnProgram();

// The process that started `pid`, or has taken its place as the parent; 0 if
// that is not in this pid namespace or cannot be read.
int ParentProcess(int pid);

// The processes that have started `pid`, directly or not: its parent, the
// parent of that, and so on, up to the first that began before `since`.
std::vector<int> AncestorsOf(int pid, Ticks since = -1);

// Whether the process `ancestor` has started `pid`, directly or not.
bool DescendsFrom(int pid, int ancestor);

// The descriptors of this process that are of `file` and that it was started
// with: what is opened here is close-on-exec.
std::vector<int> InheritedDescriptors(const FileId& file);

// Whether a process `pid` of this pid namespace may have begun after the
// process `first`, which is alive: the kernel gives out numbers in order. false
// where that cannot be told.
bool MayHaveBegunAfter(int pid, int first);

// A process that keeps a lock taken, and its command line.
struct DescriptorHolder {
  int pid = 0;
  std::vector<std::string> command;
};

// The processes with a duplicate of a descriptor that has `file` locked for a
// run (kernel_lock.h), this one aside, in the order of their pids. Those that
// may not be looked into, as of another user, are missing.
// Reads a file for every descriptor on the machine: some milliseconds.
std::vector<DescriptorHolder> DescriptorHoldersOf(const FileId& file);

// A process that another one has started, or that has fallen to it.
struct Descendant {
  int pid = 0;
  int session = 0;
  Ticks started = -1;
};

// The processes below the process `pid` that are alive, in the order of their
// pids. Reads a file for every process on the machine.
std::vector<Descendant> DescendantsOf(int pid);

// The processes that were started with `entry` in one of the environment
// variable `name`'s colon-separated entries, in the order of their pids. Those
// that may not be looked into, as of another user, are missing. Reads a file
// for every process on the machine.
std::vector<int> ProcessesWith(const std::string& name,
                               const std::string& entry);

// A descriptor that poll(2) finds readable when the process `pid` has ended;
// none where there is no such process, or a kernel that has no such descriptors
// (before 5.3).
Fd OpenProcess(int pid);

// The session of the process `pid`; -1 if there is no such process.
int SessionOf(int pid);

// Sends `signal` to the process `pid` if it is the one that started at
// `started`, and not another that has its number by now.
void SignalProcess(int pid, Ticks started, int signal);

// This process and where it runs, as of the first call in it; what cannot be
// read is empty or -1.
struct Here {
  int pid = 0;
  std::string host;             // node name of uname(2)
  std::string boot_id;          // of the kernel, new at every boot
  int64_t pid_namespace = -1;   // inode of /proc/self/ns/pid
  int64_t time_namespace = -1;  // of /proc/self/ns/time; Linux 5.6 has it
};
Here ThisProcess();

}  // namespace o8lock

#endif  // O8LOCK_LOCK_PROCESS_H_
