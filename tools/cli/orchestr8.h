// SPDX-License-Identifier: Apache-2.0
//
// What a command line asks of orchestr8 (since version 3 named murmur8), the
// command that o8lock was specified for: whether it needs the lock, and what
// the lock file is to say about it.
//
// Pure: nothing is printed or started, and only `belongs_to_orchestr8` may read
// files. Thread-safe.

#ifndef O8LOCK_TOOLS_CLI_ORCHESTR8_H_
#define O8LOCK_TOOLS_CLI_ORCHESTR8_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"

namespace o8lock {

// The orchestr8 of a command line.
struct Orchestr8Program {
  std::string name;  // a path or a name, as it is there
  // Whether npx or the like looks for it, and not the shell's PATH.
  bool by_package_runner = false;
};

// What an orchestr8 command line asks for. Without `needs_lock` the other
// members but `program` are empty.
struct Orchestr8Command {
  Orchestr8Program program;
  // Whether it starts or removes worktrees. Subcommands that look (status, a
  // dry run, a usage text) or only stop (abort without --cleanup) do not.
  bool needs_lock = false;
  // The features of a run, in the order given. Empty for `abort`, `cleanup` and
  // `rollback`.
  std::vector<std::string> features;
  // --max-concurrency=N, or N as the next argument. nullopt when absent or not
  // a number from 1 up; the caller then looks at orchestr8's configuration.
  std::optional<int> max_concurrency;
  // --force, where it is about the lock: `rollback --force` is not.
  bool force = false;
  // --yes or -y.
  bool yes = false;
  // The same program's command that shows how a run is going:
  // "npx orchestr8 parallel status".
  std::vector<std::string> status_command;
};

// Reads `command`, a program and its arguments.
//
// Returns nullopt when that is not orchestr8, or not certainly. Doubt is on
// this side on purpose: the caller runs what it does not know under the lock,
// while a command taken for `orchestr8 status` by mistake would run without it.
//
// orchestr8 is a program of that name (or murmur8) in any directory, or
// bin/cli.js in a directory of that name. `belongs_to_orchestr8` is asked about
// a program of another name, if `parallel` (or murm, murmuration) follows:
// without that word a script of orchestr8's package may be anything, and needs
// the lock. Either may be started through env, node, bun, bunx, npx, npm exec,
// pnpm, pnpx, yarn and shells, with their options and with a version
// (orchestr8@2.7.1). Not followed: a shell's command line (sh -c, npx -c), a
// package.json script, and options of those programs that change the directory.
//
// The arguments mean what they mean to orchestr8 2.7.1 to 4.4.0 (bin/cli.js,
// src/commands/murm.js), which is not always what one would expect:
//   - A subcommand is one only directly after `parallel` (or murm,
//   murmuration): `parallel --verbose status` runs a feature named status.
//   - Every other word without a leading dash is a feature, but for a number
//   after `--max-concurrency`: its user means the limit, though orchestr8 reads
//   that only behind a `=`.
//   - Unknown options are ignored, --help too: `parallel feat-a --help` runs
//   feat-a, `parallel help` runs a feature named help.
// Where versions differ, the newer ones are followed: 2.7.1 without a lock of
// its own has no `abort` and `rollback` and takes them, and -y, for features.
std::optional<Orchestr8Command> ReadOrchestr8Command(
    absl::Span<const std::string> command,
    absl::FunctionRef<bool(const Orchestr8Program&)> belongs_to_orchestr8);

// The same, by names alone.
std::optional<Orchestr8Command> ReadOrchestr8Command(
    absl::Span<const std::string> command);

// `command` as one that overrides: with --force, and without the --yes behind
// the verb, which would answer o8lock's question as well. Empty where that
// --force is not about the lock. By names alone.
std::vector<std::string> ForcedCommand(absl::Span<const std::string> command);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ORCHESTR8_H_
