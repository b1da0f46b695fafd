// SPDX-License-Identifier: Apache-2.0
//
// The operating system's information about processes and about this machine.
// process_linux.cc reads /proc. Another system needs one more such file.
#ifndef O8LOCK_LOCK_PROCESS_H_
#define O8LOCK_LOCK_PROCESS_H_

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "lock/file.h"

namespace o8lock {

// Boot-time clock ticks: hundredths of a second since the machine started,
// including suspension. Changes of the wall clock do not affect them.
using Ticks = int64_t;
inline constexpr Ticks kTicksPerSecond = 100;
Ticks NowTicks();

// Milliseconds from now until `moment`, for poll(2); -1 if `moment` is
// negative.
int MillisecondsUntil(Ticks moment);

inline int64_t Nanoseconds(const struct timespec& time) {
  return int64_t{time.tv_sec} * 1000000000 + time.tv_nsec;
}

// The same clock in nanoseconds, and its conversion to ticks.
int64_t NowNanoseconds();
inline constexpr int64_t kNanosecondsPerTick = 1000000000 / kTicksPerSecond;
inline Ticks TicksOf(int64_t nanoseconds) {
  return nanoseconds / kNanosecondsPerTick;
}

enum class ProcessState {
  kUnknown,  // not queried, or it cannot be determined
  kRunning,  // alive
  kStopped,  // alive, but stopped by a signal or a debugger
  kZombie,   // dead, and not yet collected by its parent
  kGone,     // there is no such process; also for a thread's id
};

struct ProcessInfo {
  ProcessState state = ProcessState::kUnknown;
  Ticks started = -1;  // since boot; -1 if it cannot be read
};

// Whether `process` is known to have ended.
inline bool HasEnded(const ProcessInfo& process) {
  return process.state == ProcessState::kGone ||
         process.state == ProcessState::kZombie;
}

// Queries the process `pid` of this pid namespace.
// A process hidden from this one (other user, hidden /proc) is kRunning without
// a start time: only the kernel's "no such process" makes it kGone.
// REQUIRES: pid > 0 (0 and negative numbers mean process groups to kill(2)).
ProcessInfo GetProcess(int pid);

// The pid here of the process with the pid `pid` in the pid namespace
// `pid_namespace`; 0 if it is not visible here. Reads two files for every
// process on the machine.
int NumberHere(int pid, int64_t pid_namespace);

// Whether the processes of all pid namespaces are visible here.
bool SeesAllNamespaces();

// The name of the file the process `pid` executes, such as "node". If this may
// not be read, as for another user's process, the name the process has given
// itself. Empty if there is no such process.
std::string ProgramOf(int pid);

// The processes of this pid namespace, in the order of their pids.
std::vector<int> Processes();

// Whether the process `pid` has `file` open. False if this is not visible, as
// for another user's process.
bool HasOpen(int pid, const FileId& file);

// Whether the process `pid` has a lock (kernel_lock.h) on `file` beginning at
// `byte`. False if this is not visible.
bool HasLocked(int pid, const FileId& file, int64_t byte);

// The arguments of the command line of the process `pid`. Empty if it has no
// command line, or if this may not be read.
std::vector<std::string> CommandOf(int pid);

// The current directory of the process `pid`; empty if it cannot be read.
std::string DirectoryOf(int pid);

// The present path of the open `fd`. Empty if it cannot be read or no longer
// exists.
std::string PathOf(const Fd& fd);

// The file this process executes, absolute. Empty if it cannot be read or no
// longer exists.
std::string OwnProgram();

// The parent of `pid`: the process that started it, or its later parent. 0 if
// the parent is not in this pid namespace or cannot be read.
int ParentProcess(int pid);

// The direct and indirect parents of `pid`: its parent, the parent's parent,
// and so on, up to the first one begun before `since`.
std::vector<int> AncestorsOf(int pid, Ticks since = -1);

// Whether the process `pid` descends from the process `ancestor`.
bool DescendsFrom(int pid, int ancestor);

// This process's descriptors of `file` inherited at its start. The descriptors
// opened by this process do not count: they are close-on-exec.
std::vector<int> InheritedDescriptors(const FileId& file);

// Whether a process `pid` of this pid namespace may have begun after the living
// process `first`: the kernel assigns pids in order. False if unknown.
bool MayHaveBegunAfter(int pid, int first);

// A process keeping a lock taken, and its command line.
struct DescriptorHolder {
  int pid = 0;
  std::vector<std::string> command;
};

// The processes, except this one, that have a duplicate of a descriptor holding
// a run's lock on `file` (kernel_lock.h), in the order of their pids. Processes
// hidden from this one, such as another user's, are missing.
// Reads a file for every descriptor on the machine: some milliseconds.
std::vector<DescriptorHolder> DescriptorHoldersOf(const FileId& file);

// A process started by another one, or reparented to it.
struct Descendant {
  int pid = 0;
  int session = 0;
  Ticks started = -1;
};

// The living processes below the process `pid`, in the order of their pids.
// Reads a file for every process on the machine.
std::vector<Descendant> DescendantsOf(int pid);

// The processes started with `entry` among the colon-separated entries of the
// environment variable `name`, in the order of their pids. Processes hidden
// from this one, such as another user's, are missing. Reads a file for every
// process on the machine.
std::vector<int> ProcessesWith(const std::string& name,
                               const std::string& entry);

// A descriptor poll(2) finds readable once the process `pid` has ended. Empty
// if there is no such process, or if the kernel has no such descriptors (before
// 5.3).
Fd OpenProcess(int pid);

// The session of the process `pid`; -1 if there is no such process.
int SessionOf(int pid);

// Sends `signal` to the process `pid`, but only if it started at `started`: a
// later process may have the same pid.
void SignalProcess(int pid, Ticks started, int signal);

// This process and its environment, read at the process's first call. Values
// that cannot be read are empty or -1.
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
