// SPDX-License-Identifier: Apache-2.0
//
// Reads the command line of orchestr8 (called murmur8 since version 3). o8lock
// was specified for that command. The result says whether it needs the lock,
// and supplies the lock file's details about it.
//
// Pure: prints and starts nothing, and only `belongs_to_orchestr8` may read
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
  std::string name;  // a path or a name, as on the command line
  // Whether npx or a similar runner finds it, not the shell's PATH.
  bool by_package_runner = false;
};

// The request of an orchestr8 command line. Without `needs_lock`, only
// `program` and `status_command` may be set.
struct Orchestr8Command {
  Orchestr8Program program;
  // Whether it starts or removes worktrees. Read-only subcommands (status, a
  // dry run, a usage text) and those that only stop (abort without --cleanup)
  // do not.
  bool needs_lock = false;
  // The features of a run, in the order given. Empty for `abort`, `cleanup` and
  // `rollback`.
  std::vector<std::string> features;
  // --max-concurrency=N, or N as the next argument. nullopt if it is absent or
  // not a number from 1 up; the caller then uses orchestr8's configuration.
  std::optional<int> max_concurrency;
  // --force, if it concerns the lock: `rollback --force` does not.
  bool force = false;
  // --yes or -y.
  bool yes = false;
  // The same program's command to show the progress of a run: "npx orchestr8
  // parallel status".
  std::vector<std::string> status_command;
};

// Reads `command`, a program and its arguments.
//
// Returns nullopt if it is not orchestr8, or not certainly. This is the safe
// side: the caller runs unknown commands under the lock. A command mistaken for
// `orchestr8 status` would run without it.
//
// orchestr8 is a program of that name (or murmur8) in any directory, or
// bin/cli.js in a directory of that name. For a program of another name,
// `belongs_to_orchestr8` decides if `parallel` (or murm, murmuration) follows.
// Without that argument a script of orchestr8's package may be anything, and
// needs the lock. Either may be started through env, node, bun, bunx, npx, npm
// exec, pnpm, pnpx, yarn and shells, with their options and with a version
// (orchestr8@2.7.1). Not followed: a shell's command line (sh -c, npx -c), a
// package.json script, and options of those programs that change the directory.
//
// The arguments have their meaning in orchestr8 2.7.1 to 4.4.0 (bin/cli.js,
// src/commands/murm.js). It is not always the expected one:
//   - A subcommand counts only directly after `parallel` (or murm,
//     murmuration): `parallel --verbose status` runs a feature named status.
//   - Every other argument without a leading dash is a feature, except a number
//     after `--max-concurrency`. The user means the limit there, though
//     orchestr8 reads the limit only after a `=`.
//   - Unknown options are ignored, --help too: `parallel feat-a --help` runs
//     feat-a, `parallel help` runs a feature named help.
// Where versions differ, this follows the newer ones: 2.7.1 without a lock of
// its own has no `abort` and `rollback`, and takes them and -y for features.
std::optional<Orchestr8Command> ReadOrchestr8Command(
    absl::Span<const std::string> command,
    absl::FunctionRef<bool(const Orchestr8Program&)> belongs_to_orchestr8);

// The same, by names alone.
std::optional<Orchestr8Command> ReadOrchestr8Command(
    absl::Span<const std::string> command);

// Returns `command` as one that overrides: with --force, and without any --yes
// after the verb, because that would answer o8lock's question as well. Empty if
// that --force does not concern the lock. By names alone.
std::vector<std::string> ForcedCommand(absl::Span<const std::string> command);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_CLI_ORCHESTR8_H_
