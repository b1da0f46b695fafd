// SPDX-License-Identifier: Apache-2.0
#include "tools/cli/verbs.h"

#include <cstddef>
#include <iterator>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hooks/edit_distance.h"

namespace o8lock {
namespace {

constexpr Verb kVerbs[] = {
    {"status", Action::kStatus,
     R"(Usage: o8lock [OPTIONS] status

Shows whether the lock is held, by which process, since when, and the evidence.
Lists the processes that wait for it, the lock file or the reason for its
absence, surviving processes and orphaned worktrees of earlier runs, and the
other locks of the repository. Changes nothing.

  -n, --name NAME             use another lock of the same repository
      --lock-file FILE        use this lock file instead of the repository's
  -E, --conflict-exit-code N  exit with N instead of 75 if the lock is held
      --json                  print JSON; "man o8lock" describes it

Exit codes: 0 the lock is free or stale, or this process is inside the run; 75
another run holds the lock, or its state is unknown.
)"},
    {"unlock", Action::kUnlock,
     R"(Usage: o8lock [OPTIONS] unlock

Shows the holder of the lock, asks, and removes the lock. The holder's command
keeps running, without the lock. A stale lock is removed without a question.

  -y, --yes                   do not ask
  -n, --name NAME             use another lock of the same repository
      --lock-file FILE        use this lock file instead of the repository's
  -E, --conflict-exit-code N  exit with N instead of 75 if you decline
  -q, --quiet                 with --yes: print nothing

Exit codes: 0 the lock was removed, or was free; 75 you declined, or the holder
changed.
)"},
    {"doctor", Action::kDoctor,
     R"(Usage: o8lock [OPTIONS] doctor

Tests whether locks work in the directories of the lock. Searches for problems:
files with wrong permissions, hooks that git does not call, files of orchestr8
that git does not ignore, stale lock files of git. Reports whether a run writes
the lock file. Takes no lock and leaves no file.

  -n, --name NAME             use another lock of the same repository
      --lock-file FILE        use this lock file instead of the repository's
      --json                  print JSON; "man o8lock" describes it

Exit codes: 0 all is well, or there are warnings only; 71 a check failed.
)"},
    {"hooks", Action::kHelp,
     R"(Usage: o8lock hooks install|uninstall|status

With o8lock's hooks installed, git refuses to add a worktree while another run
holds the lock 'parallel'. Every other git command works as before.

  install    make git call the hooks; once for each clone
  uninstall  remove the hooks, and restore the files as they were before
  status     show whether git calls the hooks

To add a worktree during another run: O8LOCK_ALLOW=1 git worktree add ...
Help for each of these verbs, for example: o8lock hooks install --help
)"},
    {"hooks install", Action::kHooksInstall,
     R"(Usage: o8lock hooks install

Makes git refuse to add a worktree while another run holds the lock 'parallel'.
Run it once for each clone. Your own hooks keep running. Needs git 2.29 or
later. With husky, lefthook, pre-commit or simple-git-hooks it prints the lines
to add to their files.

Exit codes: 0 git calls the hooks; 71 it does not; 73 a file cannot be written.
)"},
    {"hooks uninstall", Action::kHooksUninstall,
     R"(Usage: o8lock hooks uninstall

Removes the hooks that "o8lock hooks install" made, and restores the files as
they were before.
)"},
    {"hooks status", Action::kHooksStatus,
     R"(Usage: o8lock hooks status [--json]

Shows whether git calls the hooks, and if not, the reason.

      --json  print JSON

Exit codes: 0 git calls the hooks; 1 no hooks are installed; 71 git does not
call the installed hooks.
)"},
    {"hooks run", Action::kHooksRun,
     R"(Usage: o8lock hooks run NAME [ARG...]

Runs the git hook NAME. Only git calls this.
)"},
    {"help", Action::kHelp,
     R"(Usage: o8lock help [status | unlock | doctor | hooks [VERB]]

Shows the usage of o8lock or of a verb. "man o8lock" is the full reference.
)"},
};

// Returns whether all of `arguments` from `begin` on are options.
bool AreOptions(const std::vector<std::string>& arguments, size_t begin) {
  for (size_t i = begin; i < arguments.size(); ++i) {
    if (!absl::StartsWith(arguments[i], "-")) return false;
  }
  return true;
}

// Longer words are no typing errors, and not worth the time.
constexpr size_t kLongest = 40;

}  // namespace

const Verb* FindVerb(absl::string_view name) {
  const auto* verb = absl::c_find_if(
      kVerbs, [name](const Verb& candidate) { return candidate.name == name; });
  return verb == std::end(kVerbs) ? nullptr : verb;
}

const Verb* GuessVerb(const std::vector<std::string>& arguments) {
  const Verb* best = nullptr;
  size_t least = 0;
  for (const Verb& verb : kVerbs) {
    const size_t count = 1 + absl::c_count(verb.name, ' ');
    if (arguments.size() < count || !AreOptions(arguments, count)) continue;
    const std::string typed = absl::AsciiStrToLower(
        count == 1 ? arguments[0]
                   : absl::StrCat(arguments[0], " ", arguments[1]));
    if (typed.size() > kLongest) continue;
    const size_t distance = EditDistance(typed, verb.name);
    // One letter of a short word makes another word: stat is not status.
    if (distance > (typed.size() < 6 ? 1 : 2)) continue;
    if (best == nullptr || distance < least) {
      best = &verb;
      least = distance;
    }
  }
  return best;
}

absl::string_view HelpText() {
  return R"(Usage: o8lock [OPTIONS] -- COMMAND [ARG...]
       o8lock [OPTIONS] status|unlock|doctor | hooks install|uninstall|status

Runs COMMAND under one lock per git repository. status shows the holder, unlock
removes its lock, doctor finds problems. Help for a verb: o8lock help VERB.
The status, abort and dry runs of orchestr8 need no lock.

  -w, --wait[=TIME]           wait for the lock; at most TIME, such as 10m
  -f, --force                 override a held lock, after a question
  -y, --yes                   do not ask
  -n, --name NAME             use another lock of the same repository
      --lock-file FILE        use this lock file instead of the repository's
      --feature NAME          list NAME in the lock file; repeatable
      --max-concurrency N     write N into the lock file
      --publish WHEN          write the lock file: auto (default), always, never
      --leftovers ACTION      handle surviving processes: release|wait|kill|keep
      --kill-after TIME       send SIGKILL after TIME, with --leftovers=kill
  -E, --conflict-exit-code N  exit with N instead of 75 if the lock is held
  -q, --quiet                 print no warnings and no refusal
  -v, --verbose               report when the lock is taken and released
  -h, --help, --version; --json for status, doctor and hooks status

Exit codes: COMMAND's; 64 usage, 71 system, 73 file, 75 held, 126/127 cannot run
)";
}

}  // namespace o8lock
