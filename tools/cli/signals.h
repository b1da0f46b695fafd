// SPDX-License-Identifier: Apache-2.0
//
// The signals of this process, through system calls. The C library hides 32 and
// 33, which it reserves for threads, but other processes can send them.
#ifndef O8LOCK_TOOLS_CLI_SIGNALS_H_
#define O8LOCK_TOOLS_CLI_SIGNALS_H_

#include <csignal>
#include <cstdint>

namespace o8lock {

// Bit n-1 is signal n.
using SignalSet = uint64_t;
inline constexpr SignalSet kAllSignals = ~SignalSet{0};

constexpr SignalSet Only(int signal) { return SignalSet{1} << (signal - 1); }

// The signals that stop a process by default, SIGSTOP aside.
inline constexpr SignalSet kStopSignals =
    Only(SIGTSTP) | Only(SIGTTIN) | Only(SIGTTOU);

// Blocks exactly the signals of `mask`. Returns the previously blocked signals.
SignalSet SetSignalMask(SignalSet mask);

// Returns the blocked signals that have arrived.
SignalSet PendingSignals();

// Lets the pending ones of `signals` have their effect on this process. If that
// stops the process, returns when it is continued. Returns at once if there is
// no effect.
// REQUIRES: they are blocked.
void LetThrough(SignalSet signals);

bool IsIgnored(int signal);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_SIGNALS_H_
