// SPDX-License-Identifier: Apache-2.0
//
// The signals of this process, by the kernel's own calls: the C library hides
// 32 and 33, which it keeps for threads, and which can be sent all the same.
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

// Blocks the signals of `mask` and no others. Returns those that were blocked.
SignalSet SetSignalMask(SignalSet mask);

// Those that have come and are blocked.
SignalSet PendingSignals();

// Lets those of `signals` that are pending have their effect on this process.
// Returns if that is to stop it (when it is continued), or nothing.
// REQUIRES: they are blocked.
void LetThrough(SignalSet signals);

bool IsIgnored(int signal);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_SIGNALS_H_
