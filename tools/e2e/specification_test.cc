// SPDX-License-Identifier: Apache-2.0
//
// Tests the specification, sentence by sentence. Each row is a bash script with
// the functions of testdata/specification.bash, in a repository of its own. A
// row passes if its script exits with 0; 77 skips it.
//
// Environment: SPECIFICATION_PRELUDE  the path of testdata/specification.bash,
//              beside the variables of tools/e2e/testing.h
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/testing.h"
#include "tools/e2e/testing.h"

namespace o8lock {
namespace {

using ::testing::HasSubstr;

// The directories of one row: see testdata/specification.bash.
class Place {
 public:
  Place() {
    for (const char* name : {"repo", "bin", "run"}) {
      std::filesystem::create_directory(dir_.File(name));
    }
    std::filesystem::create_symlink(Binary(), dir_.File("bin/o8lock"));
    const std::string repo = dir_.File("repo");
    Git(repo, {"init", "--quiet"});
    Git(repo, {"commit", "--quiet", "--allow-empty", "-m", "begin"});
    Git(repo, {"branch", "old"});
  }

  ProcessOptions Options() const {
    ProcessOptions options = In(dir_.File("repo"));
    const char* path = getenv("PATH");
    options.env["PATH"] =
        absl::StrCat(dir_.File("bin"), ":", path == nullptr ? "" : path);
    options.env["TOP"] = dir_.path();
    options.env["PRELUDE"] = PathFromEnv("SPECIFICATION_PRELUDE");
    for (const char* name : {"BEGUN", "END"}) {
      options.unset_env.emplace_back(name);
    }
    return options;
  }

 private:
  TempDir dir_;
};

// Runs the prelude, then `begin`, then `script`.
Argv Bash(absl::string_view begin, absl::string_view script) {
  return {"bash", "-euo", "pipefail", "-c",
          absl::StrCat(". \"$PRELUDE\"\n", begin, script)};
}

struct Row {
  const char* name;
  const char* script;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

constexpr Row kRows[] = {
    // --- The first run: the lock file is created and removed ---
    {"CreatesTheLockFileOnStart", R"sh(
lock_file_is_gone
start first o8lock -- hold
lock_file_is_there
finish first
)sh"},
    {"CreatesTheLockFileBeforeTheCommandBegins", R"sh(
lock_file_is_gone
runs o8lock -- sh -c 'test -e .claude/parallel.lock && echo there'
prints there
)sh"},
    {"CreatesTheLockFileBeforeTheFirstWorktree", R"sh(
orchestr8_script <<'S'
#!/bin/sh
test -e .claude/parallel.lock && git worktree add -q -b feat-a ../feat-a
S
runs o8lock -- orchestr8 parallel feat-a
is_there ../feat-a
)sh"},
    {"RemovesTheLockFileOnSuccess", R"sh(
start first o8lock -- hold
lock_file_is_there
finish first 0
lock_file_is_gone
)sh"},
    {"RemovesTheLockFileWhenTheCommandFails", R"sh(
start first o8lock -- hold
lock_file_is_there
finish first 1
lock_file_is_gone
)sh"},
    {"RemovesTheLockFileWhenAnOrchestr8Fails", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a
lock_file_is_there
finish first 3
lock_file_is_gone
)sh"},
    {"RemovesTheLockFileWhenTheCommandIsKilled", R"sh(
start first o8lock -- hold
lock_file_is_there
kill -KILL "${commands[first]}"
ends first 137
lock_file_is_gone
)sh"},
    {"RemovesTheLockFileWhenTheCommandIsTerminated", R"sh(
start first o8lock -- hold
lock_file_is_there
kill -TERM "${commands[first]}"
ends first 143
lock_file_is_gone
)sh"},
    {"RemovesTheLockFileWhenTheWrapperIsTerminated", R"sh(
start first o8lock -- hold
lock_file_is_there
kill -TERM "${pids[first]}"
ends first 143
lock_file_is_gone
)sh"},
    {"RemovesTheLockFileWhenTheWrapperIsInterrupted", R"sh(
start first o8lock -- hold
lock_file_is_there
kill -INT "${pids[first]}"
ends first 130
lock_file_is_gone
)sh"},
    {"RemovesTheLockFileWhenTheWrapperIsHungUp", R"sh(
start first o8lock -- hold
lock_file_is_there
kill -HUP "${pids[first]}"
ends first 129
lock_file_is_gone
)sh"},
    {"RemovesTheLockFileWhenTheWholeGroupIsInterrupted", R"sh(
start first o8lock -- hold
lock_file_is_there
kill -INT -- "-${pids[first]}"
ends first 130
lock_file_is_gone
)sh"},
    {"RemovesTheLockFileWhenTheReaderOfTheCommandGoesAway", R"sh(
run sh -c '{ o8lock -- sh -c "test -e .claude/parallel.lock && yes"
  echo "$?" >&2; } | head -n 1'
prints y
says_only 141
lock_file_is_gone
)sh"},
    {"RemovesTheLockFileWhenThereIsNoSuchCommand", R"sh(
exits 127 o8lock -- no-such-command
lock_file_is_gone
runs o8lock -- test -e .claude/parallel.lock
)sh"},
    {"RemovesTheLockFileWhenTheCommandCannotBeExecuted", R"sh(
echo text >text
exits 126 o8lock -- ./text
lock_file_is_gone
runs o8lock -- test -e .claude/parallel.lock
)sh"},
    {"StartsAgainWhenTheFirstRunHasEnded", R"sh(
runs o8lock -- test -e .claude/parallel.lock
lock_file_is_gone
runs o8lock -- test -e .claude/parallel.lock
lock_file_is_gone
)sh"},
    {"StartsAgainWhenTheFirstRunHasFailed", R"sh(
exits 9 o8lock -- sh -c 'ls .claude; exit 9'
prints parallel.lock
runs o8lock -- echo again
prints again
)sh"},
    {"RemovesTheDirectoryThatItHasCreated", R"sh(
is_gone .claude
start first o8lock -- hold
is_there .claude
finish first
is_gone .claude
)sh"},
    {"KeepsADirectoryThatWasThere", R"sh(
mkdir .claude
start first o8lock -- hold
lock_file_is_there
finish first
lock_file_is_gone
is_there .claude
)sh"},
    {"KeepsADirectoryThatTheCommandHasFilled", R"sh(
is_gone .claude
runs o8lock -- sh -c 'echo {} >.claude/settings.json'
lock_file_is_gone
is_there .claude/settings.json
)sh"},
    {"KeepsTheTreeCleanDuringTheRun", R"sh(
start first o8lock -- hold
lock_file_is_there
is '' "$(git status --porcelain)"
finish first
is '' "$(git status --porcelain)"
)sh"},
    {"KeepsTheTreeCleanWhereTheDirectoryHasOtherFiles", R"sh(
mkdir .claude
echo {} >.claude/settings.json
git add .claude
git commit -q -m settings
start first o8lock -- hold
lock_file_is_there
is '' "$(git status --porcelain)"
finish first
is '' "$(git status --porcelain)"
)sh"},
    {"WritesTheLockFileInTheMainWorktreeFromASubdirectory", R"sh(
mkdir -p a/b
cd a/b
start first o8lock -- hold
is_there "$TOP/repo/.claude/parallel.lock"
is_gone .claude
finish first
is_gone "$TOP/repo/.claude/parallel.lock"
)sh"},
    {"WritesTheLockFileInTheMainWorktreeFromALinkedOne", R"sh(
git worktree add -q -b linked ../linked
cd ../linked
start first o8lock -- hold
is_there "$TOP/repo/.claude/parallel.lock"
is_gone .claude
finish first
is_gone "$TOP/repo/.claude/parallel.lock"
)sh"},
    {"WritesTheLockFileInTheCurrentDirectoryOutsideGit", R"sh(
mkdir ../outside
cd ../outside
start first o8lock -- hold
lock_file_is_there
finish first
lock_file_is_gone
)sh"},
    {"WritesTheLockFileInARepositoryWithoutACommit", R"sh(
git init -q ../new
cd ../new
start first o8lock -- hold
lock_file_is_there
refuses o8lock -- true
finish first
lock_file_is_gone
)sh"},

    // --- The specification's own example, with any orchestr8 in PATH ---
    {"WritesTheLockFileForAnOrchestr8ThatIsAScriptForSh", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a feat-b
has features '["feat-a", "feat-b"]'
has maxConcurrency 3
finish first
is 'Starting parallel pipelines...' "$out"
says_nothing
lock_file_is_gone
)sh"},
    {"WritesTheLockFileForAnOrchestr8ThatIsAScriptForBash", R"sh(
orchestr8_script <<'S'
#!/bin/bash
echo $$ >"$BEGUN"
read -r code <"$END"
exit "$code"
S
start first o8lock -- orchestr8 parallel feat-a feat-b
has features '["feat-a", "feat-b"]'
has maxConcurrency 3
finish first
says_nothing
lock_file_is_gone
)sh"},
    {"WritesTheLockFileForAnOrchestr8ThatIsAScriptForNode", R"sh(
needs node
orchestr8_script <<'S'
#!/usr/bin/env node
const fs = require('fs');
fs.writeFileSync(process.env.BEGUN, process.pid + '\n');
const line = Buffer.alloc(100);
const size = fs.readSync(fs.openSync(process.env.END, 'r'), line);
process.exit(Number(line.toString('utf8', 0, size)));
S
start first o8lock -- orchestr8 parallel feat-a feat-b
has features '["feat-a", "feat-b"]'
has maxConcurrency 3
finish first
says_nothing
lock_file_is_gone
)sh"},
    {"WritesTheLockFileForAnOrchestr8ThatIsAScriptForPython", R"sh(
needs python3
orchestr8_script <<'S'
#!/usr/bin/env python3
import os, sys
with open(os.environ["BEGUN"], "w") as begun:
    print(os.getpid(), file=begun)
with open(os.environ["END"]) as end:
    sys.exit(int(end.readline()))
S
start first o8lock -- orchestr8 parallel feat-a feat-b
has features '["feat-a", "feat-b"]'
has maxConcurrency 3
finish first
says_nothing
lock_file_is_gone
)sh"},
    {"WritesTheLockFileForAnOrchestr8ThatShowsIt", R"sh(
orchestr8_script <<'S'
#!/bin/sh
cat .claude/parallel.lock
S
runs o8lock -- orchestr8 parallel feat-a feat-b
shows '"features": ["feat-a", "feat-b"]'
shows '"maxConcurrency": 3'
says_nothing
lock_file_is_gone
)sh"},
    {"WritesTheLockFileForAnOrchestr8ThatSearchesIt", R"sh(
orchestr8_script <<'S'
#!/bin/sh
grep -c '"pid": [0-9]' .claude/parallel.lock
S
runs o8lock -- orchestr8 parallel feat-a feat-b
prints 1
says_nothing
)sh"},
    {"WritesTheLockFileForAnOrchestr8ByItsPath", R"sh(
fake_orchestr8
start first o8lock -- "$TOP/bin/orchestr8" parallel feat-a feat-b
has features '["feat-a", "feat-b"]'
finish first
says_nothing
)sh"},
    {"WritesTheLockFileForAnOrchestr8BehindEnv", R"sh(
fake_orchestr8
start first o8lock -- env A=b orchestr8 parallel feat-a feat-b
has features '["feat-a", "feat-b"]'
finish first
says_nothing
)sh"},
    {"WarnsOfNothingWithoutYesAndWithoutInput", R"sh(
orchestr8_script <<'S'
#!/bin/sh
ls .claude
S
runs o8lock -- orchestr8 parallel feat-a </dev/null
prints parallel.lock
says_nothing
)sh"},
    {"WarnsOfNothingWithYes", R"sh(
orchestr8_script <<'S'
#!/bin/sh
ls .claude
S
runs o8lock -- orchestr8 parallel feat-a --yes
prints parallel.lock
says_nothing
)sh"},
    {"RefusesASecondOrchestr8", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a feat-b
refuses o8lock -- orchestr8 parallel feat-c feat-d
prints ''
finish first
runs o8lock -- orchestr8 parallel feat-c feat-d
prints 'Starting parallel pipelines...'
)sh"},
    {"LeavesTheLockFileToAShellScriptThatTestsThePid", R"sh(
orchestr8_script <<'S'
#!/bin/sh
lock=.claude/parallel.lock
if [ -e "$lock" ]; then
  pid=$(sed -n 's/.*"pid": \([0-9]*\).*/\1/p' "$lock")
  kill -0 "$pid" && exit 1
fi
mkdir -p .claude
printf '{"pid": %s, "startedAt": "2026-02-25T10:30:00Z"}' $$ >"$lock"
echo $$ >"$BEGUN"
read -r code <"$END"
rm "$lock"
exit "$code"
S
start first o8lock -- orchestr8 parallel feat-a
grep -q "\"pid\": ${commands[first]}," .claude/parallel.lock
refuses o8lock -- orchestr8 parallel feat-b
finish first
lock_file_is_gone
)sh"},
    {"LeavesTheLockFileToANodeScriptThatTestsThePid", R"sh(
needs node
orchestr8_script <<'S'
#!/usr/bin/env node
const fs = require('fs');
const lock = '.claude/parallel.lock';
if (fs.existsSync(lock)) {
  process.kill(JSON.parse(fs.readFileSync(lock)).pid, 0);
  process.exit(1);
}
fs.mkdirSync('.claude', {recursive: true});
fs.writeFileSync(lock, JSON.stringify({pid: process.pid}));
fs.writeFileSync(process.env.BEGUN, process.pid + '\n');
const line = Buffer.alloc(100);
const size = fs.readSync(fs.openSync(process.env.END, 'r'), line);
fs.unlinkSync(lock);
process.exit(Number(line.toString('utf8', 0, size)));
S
start first o8lock -- orchestr8 parallel feat-a
grep -q "\"pid\":${commands[first]}" .claude/parallel.lock
refuses o8lock -- orchestr8 parallel feat-b
finish first
lock_file_is_gone
)sh"},
    {"LeavesTheLockFileToAPythonScriptThatTestsThePid", R"sh(
needs python3
orchestr8_script <<'S'
#!/usr/bin/env python3
import json, os, sys
lock = ".claude/parallel.lock"
if os.path.exists(lock):
    os.kill(json.load(open(lock))["pid"], 0)
    sys.exit(1)
os.makedirs(".claude", exist_ok=True)
with open(lock, "w") as file:
    json.dump({"pid": os.getpid()}, file)
with open(os.environ["BEGUN"], "w") as begun:
    print(os.getpid(), file=begun)
with open(os.environ["END"]) as end:
    code = int(end.readline())
os.unlink(lock)
sys.exit(code)
S
start first o8lock -- orchestr8 parallel feat-a
grep -q "\"pid\": ${commands[first]}" .claude/parallel.lock
refuses o8lock -- orchestr8 parallel feat-b
finish first
lock_file_is_gone
)sh"},

    // --- The content of the lock file ---
    {"LaysTheLockFileOutAsTheSpecificationDoes", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a feat-b
sed "s/\"pid\": ${pids[first]},/\"pid\": 12345,/
s/20..-..-..T..:..:..Z/2026-02-25T10:30:00Z/" .claude/parallel.lock >../run/seen
diff ../run/seen - <<'T'
{
  "pid": 12345,
  "startedAt": "2026-02-25T10:30:00Z",
  "features": ["feat-a", "feat-b"],
  "maxConcurrency": 3
}
T
finish first
)sh"},
    {"LaysTheLockFileOutTheSameForAnyCommand", R"sh(
start first o8lock --feature feat-a --feature feat-b --max-concurrency 3 -- hold
sed "s/\"pid\": ${pids[first]},/\"pid\": 12345,/
s/20..-..-..T..:..:..Z/2026-02-25T10:30:00Z/" .claude/parallel.lock >../run/seen
diff ../run/seen - <<'T'
{
  "pid": 12345,
  "startedAt": "2026-02-25T10:30:00Z",
  "features": ["feat-a", "feat-b"],
  "maxConcurrency": 3
}
T
finish first
)sh"},
    {"WritesThePidOfTheWrapper", R"sh(
start first o8lock -- hold
has pid "${pids[first]}"
[[ ${pids[first]} != "${commands[first]}" ]]
finish first
)sh"},
    {"WritesAPidThatIsAlive", R"sh(
start first o8lock -- hold
kill -0 "$(field pid)"
pid=$(field pid)
finish first
if kill -0 "$pid"; then fail 'it lives on'; fi
)sh"},
    {"WritesTheBeginningAsATimeInUtc", R"sh(
start first o8lock -- hold
[[ $(field startedAt) =~ ^\"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-9:]{8}Z\"$ ]]
finish first
)sh"},
    {"WritesABeginningWithinTheLastMinute", R"sh(
start first o8lock -- hold
began=$(date -d "$(field startedAt | tr -d '"')" +%s)
now=$(date +%s)
((began <= now && began > now - 60))
finish first
)sh"},
    {"WritesTheTimeInUtcInWhateverTimeZone", R"sh(
export TZ=Asia/Tokyo
start first o8lock -- hold
began=$(date -d "$(field startedAt | tr -d '"')" +%s)
now=$(date +%s)
((began <= now && began > now - 60))
finish first
)sh"},
    {"WritesTheFeaturesInTheirOrder", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel zeta alpha mid
has features '["zeta", "alpha", "mid"]'
finish first
)sh"},
    {"WritesASingleFeature", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a
has features '["feat-a"]'
finish first
)sh"},
    {"WritesNoFeaturesForAnotherCommand", R"sh(
start first o8lock -- hold
has features '[]'
finish first
)sh"},
    {"WritesTheFeaturesOfItsOwnOptions", R"sh(
start first o8lock --feature feat-a --feature feat-b -- hold
has features '["feat-a", "feat-b"]'
finish first
)sh"},
    {"TakesNoOptionForAFeature", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a --yes --verbose feat-b
has features '["feat-a", "feat-b"]'
finish first
)sh"},
    {"ReadsTheConcurrencyAsANumberAfterTheOption", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a --max-concurrency 5
has features '["feat-a"]'
has maxConcurrency 5
finish first
)sh"},
    {"ReadsTheConcurrencyBeforeTheFeatures", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel --max-concurrency 5 feat-a feat-b
has features '["feat-a", "feat-b"]'
has maxConcurrency 5
finish first
)sh"},
    {"ReadsTheConcurrencyWithAnEqualsSign", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a --max-concurrency=5
has features '["feat-a"]'
has maxConcurrency 5
finish first
)sh"},
    {"WritesAConcurrencyOfThreeForAnyCommand", R"sh(
start first o8lock -- hold
has maxConcurrency 3
finish first
)sh"},
    {"WritesAConcurrencyOfThreeForMake", R"sh(
script make <<'S'
#!/bin/sh
cat .claude/parallel.lock
S
runs o8lock -- make
shows '"maxConcurrency": 3'
)sh"},
    {"WritesTheConcurrencyOfItsOwnOption", R"sh(
start first o8lock --max-concurrency 7 -- hold
has maxConcurrency 7
finish first
)sh"},
    {"WritesTheFeaturesOfAMurmuration", R"sh(
script murmur8 <<'S'
#!/bin/sh
cat .claude/parallel.lock
S
runs o8lock -- murmur8 murm feat-a feat-b
shows '"features": ["feat-a", "feat-b"]'
says_nothing
)sh"},
    {"WritesExactlyTheFourMembers", R"sh(
needs python3
start first o8lock --feature feat-a -- hold
python3 - <<'S'
import json
lock = json.load(open(".claude/parallel.lock"))
assert list(lock) == ["pid", "startedAt", "features", "maxConcurrency"], lock
assert type(lock["pid"]) is int and type(lock["maxConcurrency"]) is int
assert lock["features"] == ["feat-a"]
S
finish first
)sh"},
    {"WritesAFeatureThatNeedsQuotingAsJson", R"sh(
needs python3
feature=$'say "hi"\\ \tand\n\xc3\xa4'
start first o8lock --feature "$feature" -- hold
FEATURE=$feature python3 - <<'S'
import json, os
lock = json.load(open(".claude/parallel.lock", encoding="utf-8"))
assert os.fsencode(lock["features"][0]) == os.environb[b"FEATURE"], lock
S
finish first
)sh"},
    {"EndsTheLockFileWithANewline", R"sh(
start first o8lock -- hold
is 0a "$(tail -c 1 .claude/parallel.lock | od -An -tx1 | tr -d ' ')"
is '}' "$(tail -n 1 .claude/parallel.lock)"
finish first
)sh"},
    {"LetsEverybodyReadTheLockFile", R"sh(
umask 022
start first o8lock -- hold
is 644 "$(stat -c %a .claude/parallel.lock)"
finish first
)sh"},
    {"LeavesTheLockFileAsItIsDuringTheRun", R"sh(
start first o8lock -- hold
remember_lock_file
refuses o8lock -- true
exits 75 o8lock status
lock_file_is_unchanged
finish first
lock_file_is_gone
)sh"},

    // --- The second run ---
    {"RefusesASecondStart", R"sh(
start first o8lock -- hold
refuses o8lock -- echo ran
prints ''
finish first
runs o8lock -- echo ran
prints ran
)sh"},
    {"DoesNotBeginTheCommandThatIsRefused", R"sh(
start first o8lock -- hold
refuses o8lock -- touch ran
is_gone ran
finish first
runs o8lock -- touch ran
is_there ran
)sh"},
    {"RefusesWithTheFirstLineOfTheSpecification", R"sh(
start first o8lock -- hold
refuses o8lock -- true
says_first "Error: Another parallel execution is in progress (PID: ${pids[first]})
"
finish first
runs o8lock -- true
says_nothing
)sh"},
    {"RefusesWithTheSecondLineOfTheSpecification", R"sh(
start first o8lock -- hold
started=$(field startedAt | tr -d '"')
refuses o8lock -- true
is "Started at: $started" "$(sed -n 2p <<<"$err")"
finish first
)sh"},
    {"RefusesAnOrchestr8InTheWordsOfTheSpecification", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a feat-b
started=$(field startedAt | tr -d '"')
refuses o8lock -- orchestr8 parallel feat-c feat-d
says_first "Error: Another parallel execution is in progress (PID: ${pids[first]})
Started at: $started

Options:
  • Wait for it to complete: o8lock --wait=10m -- orchestr8 parallel feat-c feat-d
  • Run: orchestr8 parallel status
  • Force override: o8lock -- orchestr8 parallel feat-c feat-d --force

"
finish first
)sh"},
    {"RefusesAnyCommandInTheWordsOfTheSpecification", R"sh(
start first o8lock -- hold
started=$(field startedAt | tr -d '"')
refuses o8lock -- make all
says_first "Error: Another parallel execution is in progress (PID: ${pids[first]})
Started at: $started

Options:
  • Wait for it to complete: o8lock --wait=10m -- make all
  • Run: o8lock status
  • Force override: o8lock --force -- make all

"
finish first
)sh"},
    {"QuotesTheCommandThatItSuggests", R"sh(
start first o8lock -- hold
refuses o8lock -- echo 'feat c' "it's"
says "o8lock --force -- echo 'feat c' "
eval "$(sed -n 's/.*Force override: o8lock --force -- echo/set --/p' <<<"$err")"
is 'feat c' "$1"
is "it's" "$2"
finish first
)sh"},
    {"TellsTheDetailsAfterTheOptions", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a feat-b
refuses o8lock -- orchestr8 parallel feat-c
says_in_order $'--force\n\n' 'Holder: '
for label in Holder Directory Command Features 'Running for' Evidence Guard; do
  says "
$label: "
done
finish first
)sh"},
    {"TellsWhichDirectoryTheHolderRunsIn", R"sh(
mkdir sub
cd sub
start first o8lock -- hold
cd ..
refuses o8lock -- true
says "Directory: $TOP/repo/sub
"
finish first
)sh"},
    {"TellsTheCommandOfTheHolder", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a feat-b
refuses o8lock -- true
says 'Command: orchestr8 parallel feat-a feat-b'
finish first
)sh"},
    {"TellsTheFeaturesOfTheHolder", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a feat-b
refuses o8lock -- true
says 'Features: feat-a, feat-b'
finish first
)sh"},
    {"TellsTheUserOfTheHolder", R"sh(
start first o8lock -- hold
refuses o8lock -- true
says 'Holder: tester@'
finish first
)sh"},
    {"TellsTheGuardOfTheHolder", R"sh(
start first o8lock -- hold
refuses o8lock -- true
says "Guard: $TOP/repo/.git/o8lock/parallel.guard"
finish first
)sh"},
    {"WritesTheRefusalToStderrOnly", R"sh(
start first o8lock -- hold
refuses o8lock -- true
prints ''
says 'Error: '
finish first
)sh"},
    {"DoesNotDisturbTheFirstRun", R"sh(
start first o8lock -- hold
remember_lock_file
refuses o8lock -- true
lock_file_is_unchanged
finish first 5
is '' "$out"
says_nothing
)sh"},
    {"RefusesAThirdStartAsWell", R"sh(
start first o8lock -- hold
refuses o8lock -- true
refuses o8lock -- true
refuses o8lock -- true
finish first
runs o8lock -- true
)sh"},
    {"RefusesAnyCommandBesideAnOrchestr8", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a
refuses o8lock -- echo ran
prints ''
finish first
runs o8lock -- echo ran
prints ran
)sh"},
    {"RefusesAnOrchestr8BesideAnyCommand", R"sh(
fake_orchestr8
start first o8lock -- hold
refuses o8lock -- orchestr8 parallel feat-a
prints ''
finish first
runs o8lock -- orchestr8 parallel feat-a
prints 'Starting parallel pipelines...'
)sh"},
    {"RefusesASecondStartFromASubdirectory", R"sh(
mkdir -p a/b
start first o8lock -- hold
cd a/b
refuses o8lock -- true
finish first
runs o8lock -- true
)sh"},
    {"RefusesASecondStartFromALinkedWorktree", R"sh(
git worktree add -q -b linked ../linked
start first o8lock -- hold
cd ../linked
refuses o8lock -- true
finish first
runs o8lock -- true
)sh"},
    {"RefusesASecondStartBesideARunInALinkedWorktree", R"sh(
git worktree add -q -b linked ../linked
cd ../linked
start first o8lock -- hold
cd ../repo
refuses o8lock -- true
finish first
runs o8lock -- true
)sh"},
    {"RefusesASecondStartThroughASymbolicLink", R"sh(
ln -s repo ../link
start first o8lock -- hold
cd ../link
refuses o8lock -- true
finish first
runs o8lock -- true
)sh"},
    {"RefusesASecondStartInsideTheGitDirectory", R"sh(
start first o8lock -- hold
cd .git/refs
refuses o8lock -- true
finish first
runs o8lock -- true
)sh"},
    {"RefusesASecondStartOutsideGit", R"sh(
mkdir ../outside
cd ../outside
start first o8lock -- hold
refuses o8lock -- true
says "PID: ${pids[first]})"
finish first
runs o8lock -- true
)sh"},
    {"RefusesASecondStartWhateverGitDirSays", R"sh(
git init -q ../other
start first o8lock -- hold
GIT_DIR=$TOP/other/.git refuses o8lock -- true
finish first
GIT_DIR=$TOP/other/.git runs o8lock -- true
)sh"},
    {"KeepsTwoRepositoriesApart", R"sh(
git init -q ../other
start first o8lock -- hold
refuses o8lock -- true
cd ../other
runs o8lock -- test -e .claude/parallel.lock
cd ../repo
finish first
)sh"},
    {"KeepsTwoDirectoriesOutsideGitApart", R"sh(
mkdir ../outside ../elsewhere
cd ../outside
start first o8lock -- hold
refuses o8lock -- true
cd ../elsewhere
runs o8lock -- true
cd ../outside
finish first
)sh"},
    {"KeepsTwoNamesApart", R"sh(
start first o8lock --name one -- hold
refuses o8lock --name one -- true
runs o8lock --name two -- true
runs o8lock -- true
finish first
runs o8lock --name one -- true
)sh"},
    {"UsesTheGivenLockFile", R"sh(
start first o8lock --lock-file ../my.lock -- hold
is_there ../my.lock
lock_file_is_gone
refuses o8lock --lock-file ../my.lock -- true
runs o8lock -- true
finish first
is_gone ../my.lock
)sh"},
    {"LetsExactlyOneOfTwentyStartsRun", R"sh(
many 20 o8lock -- hold
for number in {1..19}; do
  ended
  is 75 "$code"
done
lock_file_is_there
read -r -t 30 command <&"$begun"
kill -0 "$command"
echo 7 >&"$end"
ended
is 7 "$code"
echo nobody else >&"$begun"
read -r command <&"$begun"
is 'nobody else' "$command"
is 19 "$(cat ../run/*.err | grep -c 'Another parallel execution')"
lock_file_is_gone
)sh"},
    {"LetsExactlyOneOfManyOrchestr8sRun", R"sh(
fake_orchestr8
many 8 o8lock -- orchestr8 parallel feat-a feat-b
for number in {1..7}; do
  ended
  is 75 "$code"
done
read -r -t 30 command <&"$begun"
kill -0 "$command"
echo 0 >&"$end"
ended
is 0 "$code"
is 1 "$(cat ../run/*.out | grep -c 'Starting parallel pipelines')"
)sh"},
    {"RunsTwentyStartsThatWaitOneAfterTheOther", R"sh(
script alone <<'S'
#!/bin/sh
mkdir ../run/inside || exit 1
rmdir ../run/inside
echo ran >>../run/all
S
many 20 o8lock --wait -- alone
for number in {1..20}; do
  ended
  is 0 "$code"
done
is 20 "$(wc -l <../run/all)"
)sh"},
    {"WaitsForTheFirstRunToEnd", R"sh(
start first o8lock -- hold
launch second o8lock --wait -- sh -c 'echo $$ >"$BEGUN"; cat ../run/first_ended'
until_true grep -q "${pids[first]}" ../run/second.err
lock_file_is_there
echo yes >../run/first_ended
finish first
ends second 0
prints yes
)sh"},
    {"WaitsAtMostForTheGivenTime", R"sh(
start first o8lock -- hold
refuses o8lock --wait=1s -- echo ran
prints ''
finish first
runs o8lock --wait=1s -- echo ran
prints ran
)sh"},
    {"DoesNotWaitAtAllForNoTime", R"sh(
start first o8lock -- hold
refuses o8lock --wait=0 -- echo ran
finish first
runs o8lock --wait=0 -- echo ran
prints ran
)sh"},
    {"WaitsForTheProcessOfALockFile", R"sh(
living_pid
lock_file "$living" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
launch second o8lock --wait -- sh -c 'echo $$ >"$BEGUN"; cat ../run/first_ended'
until_true grep -q "$living" ../run/second.err
echo yes >../run/first_ended
kill "$living"
wait "$living" || :
ends second 0
prints yes
)sh"},
    {"RunsInsideItsOwnRun", R"sh(
runs o8lock -- sh -c 'ls .claude; o8lock -- ls .claude; echo outer'
prints $'parallel.lock\nparallel.lock\nouter'
says_nothing
)sh"},
    {"KeepsTheLockWhenARunInsideItEnds", R"sh(
start first o8lock -- sh -c 'o8lock -- true; exec hold'
lock_file_is_there
has pid "${pids[first]}"
refuses o8lock -- true
finish first
lock_file_is_gone
)sh"},
    {"EndsARefusalWithTheGivenExitCode", R"sh(
start first o8lock -- hold
exits 9 o8lock -E 9 -- true
exits 0 o8lock --conflict-exit-code 0 -- false
finish first
exits 1 o8lock -E 9 -- false
)sh"},
    {"RefusesSilentlyWithQuiet", R"sh(
start first o8lock -- hold
refuses o8lock -q -- echo ran
prints ''
says_nothing
finish first
runs o8lock -q -- echo ran
prints ran
)sh"},
    {"RefusesWhileTheCommandOfAKilledWrapperLives", R"sh(
start first o8lock -- hold
kill -KILL "${pids[first]}"
collect first
is 137 "$code"
kill -0 "${commands[first]}"
refuses o8lock -- true
says_first 'Error: Another parallel execution is in progress (PID: '
tell first
until_true o8lock -- true
lock_file_is_gone
)sh"},
    {"StartsAfterARunThatWasKilledWithItsCommand", R"sh(
start first o8lock -- hold
kill -KILL -- "-${pids[first]}"
collect first
lock_file_is_there
until_true o8lock -q -- true
lock_file_is_gone
)sh"},

    // --- Lock files of external runs, written by hand ---
    {"RefusesBesideALockFileWithTheSpecificationsOwnDate", R"sh(
living_pid
lock_file "$living" 2026-02-25T10:30:00Z
remember_lock_file
refuses o8lock -- echo ran
prints ''
says_first "Error: Another parallel execution is in progress (PID: $living)
Started at: 2026-02-25T10:30:00Z
"
lock_file_is_unchanged
kill "$living"
wait "$living" || :
runs o8lock -- echo ran
prints ran
lock_file_is_gone
)sh"},
    {"RefusesBesideALockFileInTheWordsOfTheSpecification", R"sh(
fake_orchestr8
living_pid
lock_file "$living"
refuses o8lock -- orchestr8 parallel feat-c feat-d
says_first "Error: Another parallel execution is in progress (PID: $living)
Started at: 2026-02-25T10:30:00Z

Options:
  • Wait for it to complete: o8lock --wait=10m -- orchestr8 parallel feat-c feat-d
  • Run: orchestr8 parallel status
  • Force override: o8lock -- orchestr8 parallel feat-c feat-d --force

"
)sh"},
    {"TellsTheLockFileOfAnExternalRun", R"sh(
living_pid
lock_file "$living"
refuses o8lock -- true
says "
Lock file: $TOP/repo/.claude/parallel.lock"
says '
Features: feat-a, feat-b'
)sh"},
    {"RefusesBesideALockFileOfThisMoment", R"sh(
living_pid
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
lock_file "$living" "$now"
remember_lock_file
refuses o8lock -- true
says_first "Error: Another parallel execution is in progress (PID: $living)
Started at: $now
"
lock_file_is_unchanged
)sh"},
    {"RefusesBesideALockFileWithMilliseconds", R"sh(
living_pid
lock_file "$living" 2026-02-25T10:30:00.123Z
remember_lock_file
refuses o8lock -- true
says_first "Error: Another parallel execution is in progress (PID: $living)
Started at: 2026-02-25T10:30:00.123Z
"
lock_file_is_unchanged
)sh"},
    {"RefusesBesideALockFileOfTheFuture", R"sh(
living_pid
lock_file "$living" 2099-01-01T00:00:00Z
remember_lock_file
refuses o8lock -- true
says_first "Error: Another parallel execution is in progress (PID: $living)
Started at: 2099-01-01T00:00:00Z
"
lock_file_is_unchanged
)sh"},
    {"RefusesBesideALockFileWithAnInvalidDate", R"sh(
living_pid
lock_file "$living" yesterday
remember_lock_file
refuses o8lock -- true
says_first "Error: Another parallel execution is in progress (PID: $living)
"
lock_file_is_unchanged
)sh"},
    {"RefusesBesideALockFileThatHasOnlyAPid", R"sh(
living_pid
lock_file_text "{\"pid\": $living}"
remember_lock_file
refuses o8lock -- true
says_first "Error: Another parallel execution is in progress (PID: $living)
"
lock_file_is_unchanged
)sh"},
    {"RefusesBesideALockFileWithMoreMembers", R"sh(
living_pid
lock_file_text "{
  \"version\": {\"major\": [1, 2, null]},
  \"pid\": $living,
  \"startedAt\": \"2026-02-25T10:30:00Z\",
  \"features\": [\"feat-a\"],
  \"maxConcurrency\": 3,
  \"host\": \"box\"
}"
remember_lock_file
refuses o8lock -- true
says_first "Error: Another parallel execution is in progress (PID: $living)
Started at: 2026-02-25T10:30:00Z
"
lock_file_is_unchanged
)sh"},
    {"RefusesBesideALockFileInAnotherOrder", R"sh(
living_pid
lock_file_text "{\"maxConcurrency\": 3, \"features\": [\"feat-a\"],
\"startedAt\": \"2026-02-25T10:30:00Z\", \"pid\": $living}"
remember_lock_file
refuses o8lock -- true
says_first "Error: Another parallel execution is in progress (PID: $living)
Started at: 2026-02-25T10:30:00Z
"
lock_file_is_unchanged
)sh"},
    {"RefusesBesideALockFileInOneLine", R"sh(
living_pid
lock_file_text "{\"pid\":$living,\"startedAt\":\"2026-02-25T10:30:00Z\"}"
remember_lock_file
refuses o8lock -- true
says_first "Error: Another parallel execution is in progress (PID: $living)
Started at: 2026-02-25T10:30:00Z
"
lock_file_is_unchanged
)sh"},
    {"RefusesBesideALockFileWithThePidAsAString", R"sh(
living_pid
lock_file "\"$living\""
remember_lock_file
refuses o8lock -- true
says_first "Error: Another parallel execution is in progress (PID: $living)
Started at: 2026-02-25T10:30:00Z
"
lock_file_is_unchanged
)sh"},
    {"RefusesBesideALockFileWithThePidOfTheShellThatAsks", R"sh(
lock_file $$
remember_lock_file
refuses o8lock -- echo ran
prints ''
says_first "Error: Another parallel execution is in progress (PID: $$)
"
lock_file_is_unchanged
dead_pid
lock_file "$dead"
runs o8lock -- echo ran
prints ran
)sh"},
    {"DoesNotWaitForTheShellThatAsks", R"sh(
lock_file $$
refuses timeout 30 o8lock --wait -- echo ran
prints ''
says_first "Error: Another parallel execution is in progress (PID: $$)
"
dead_pid
lock_file "$dead"
runs timeout 30 o8lock --wait -- echo ran
prints ran
)sh"},
    {"RefusesBesideALockFileWithThePidOfInit", R"sh(
lock_file 1
remember_lock_file
refuses o8lock -- true
says_first "Error: Another parallel execution is in progress (PID: 1)
"
lock_file_is_unchanged
)sh"},
    {"RefusesBesideALockFileOutsideGit", R"sh(
mkdir ../outside
cd ../outside
living_pid
lock_file "$living"
remember_lock_file
refuses o8lock -- true
says "(PID: $living)"
lock_file_is_unchanged
)sh"},
    {"RefusesBesideALockFileFromASubdirectory", R"sh(
living_pid
lock_file "$living"
mkdir -p a/b
cd a/b
refuses o8lock -- true
says "(PID: $living)"
cd ../..
dead_pid
lock_file "$dead"
cd a/b
runs o8lock -- true
)sh"},
    {"RefusesBesideALockFileFromALinkedWorktree", R"sh(
git worktree add -q -b linked ../linked
living_pid
lock_file "$living"
remember_lock_file
cd ../linked
refuses o8lock -- true
says "(PID: $living)"
cd ../repo
lock_file_is_unchanged
)sh"},
    {"RefusesWhenOnlyTheDateInTheLockFileIsOlderThanTheProcess", R"sh(
living_pid
lock_file "$living" 2026-02-25T10:30:00Z
refuses o8lock -- true
touch -d '1 hour ago' .claude/parallel.lock
runs o8lock -- true
)sh"},
    {"RefusesWhenOnlyTheTimeOfTheLockFileIsOlderThanTheProcess", R"sh(
living_pid
lock_file "$living" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
touch -d '1 hour ago' .claude/parallel.lock
remember_lock_file
refuses o8lock -- true
lock_file_is_unchanged
)sh"},
    {"StartsWhenANewerProcessHasThePidInTheLockFile", R"sh(
living_pid
lock_file "$living" 2026-02-25T10:30:00Z
touch -d '1 hour ago' .claude/parallel.lock
runs o8lock -- echo ran
prints ran
says_first "Warning: Found stale lock file (PID $living is now another process, started after the lock)
"
says_not 'not running'
kill -0 "$living"
lock_file_is_gone
)sh"},

    // --- Stale lock files ---
    {"RemovesAStaleLockFile", R"sh(
dead_pid
lock_file "$dead"
runs o8lock -- echo ran
prints ran
lock_file_is_gone
)sh"},
    {"WarnsOfAStaleLockFileInTheWordsOfTheSpecification", R"sh(
dead_pid
lock_file "$dead"
runs o8lock -- sh -c 'echo Starting parallel pipelines... >&2'
says_first "Warning: Found stale lock file (PID $dead not running)
Removing stale lock and continuing...

"
says_in_order 'continuing...' 'Starting parallel pipelines...'
)sh"},
    {"WarnsOfAStaleLockFileBeforeAnOrchestr8Starts", R"sh(
fake_orchestr8
dead_pid
lock_file "$dead"
runs o8lock -- orchestr8 parallel feat-a feat-b
prints 'Starting parallel pipelines...'
says_first "Warning: Found stale lock file (PID $dead not running)
Removing stale lock and continuing...
"
lock_file_is_gone
)sh"},
    {"WritesItsOwnLockFileInPlaceOfAStaleOne", R"sh(
dead_pid
lock_file "$dead"
start first o8lock --feature mine -- hold
has pid "${pids[first]}"
has features '["mine"]'
finish first
lock_file_is_gone
)sh"},
    {"KeepsTheDirectoryOfAStaleLockFile", R"sh(
dead_pid
lock_file "$dead"
echo {} >.claude/settings.json
runs o8lock -- true
lock_file_is_gone
is_there .claude/settings.json
)sh"},
    {"RemovesAStaleLockFileFromASubdirectory", R"sh(
dead_pid
lock_file "$dead"
mkdir sub
cd sub
runs o8lock -- true
says "(PID $dead not running)"
cd ..
lock_file_is_gone
)sh"},
    {"RemovesAStaleLockFileOutsideGit", R"sh(
mkdir ../outside
cd ../outside
dead_pid
lock_file "$dead"
runs o8lock -- true
says "(PID $dead not running)"
lock_file_is_gone
)sh"},
    {"RemovesAStaleLockFileThatHasOnlyAPid", R"sh(
dead_pid
lock_file_text "{\"pid\": $dead}"
runs o8lock -- echo ran
prints ran
says_first "Warning: Found stale lock file (PID $dead not running)
Removing stale lock and continuing...
"
lock_file_is_gone
)sh"},
    {"RemovesAStaleLockFileWithThePidAsAString", R"sh(
dead_pid
lock_file "\"$dead\""
runs o8lock -- echo ran
prints ran
says_first "Warning: Found stale lock file (PID $dead not running)
Removing stale lock and continuing...
"
lock_file_is_gone
)sh"},
    {"RemovesAStaleLockFileInOneLine", R"sh(
dead_pid
lock_file_text "{\"startedAt\":\"2026-02-25T10:30:00.000Z\",\"pid\":$dead}"
runs o8lock -- true
says "(PID $dead not running)"
lock_file_is_gone
)sh"},
    {"RemovesAStaleLockFileOfThisMoment", R"sh(
dead_pid
lock_file "$dead" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
runs o8lock -- true
says "(PID $dead not running)"
lock_file_is_gone
)sh"},
    {"RemovesALockFileWithAPidThatNoProcessCanHave", R"sh(
lock_file 2147483647
runs o8lock -- true
says '(PID 2147483647 not running)'
lock_file_is_gone
)sh"},
    {"WarnsOfAStaleLockFileOnce", R"sh(
dead_pid
lock_file "$dead"
runs o8lock -- true
says 'stale'
runs o8lock -- true
says_nothing
)sh"},
    {"AsksNothingBeforeItRemovesAStaleLockFile", R"sh(
dead_pid
lock_file "$dead"
runs o8lock --force -- echo ran
prints ran
says_not 'Continue?'
lock_file_is_gone
)sh"},
    {"RefusesASecondStartAfterAStaleLockFile", R"sh(
dead_pid
lock_file "$dead"
start first o8lock -- hold
refuses o8lock -- true
says "(PID: ${pids[first]})"
finish first
)sh"},
    {"LetsOneOfManyStartsTakeOverAStaleLockFile", R"sh(
dead_pid
lock_file "$dead"
many 8 o8lock -- hold
for number in {1..7}; do
  ended
  is 75 "$code"
done
echo 0 >&"$end"
ended
is 0 "$code"
is 1 "$(cat ../run/*.err | grep -c 'Found stale lock file')"
lock_file_is_gone
)sh"},
    {"RefusesAllOfManyStartsBesideALockFile", R"sh(
living_pid
lock_file "$living"
remember_lock_file
many 8 o8lock -- hold
for number in {1..8}; do
  ended
  is 75 "$code"
done
lock_file_is_unchanged
)sh"},

    // --- Malformed lock files ---
    {"GoesOnDespiteAnEmptyLockFile", R"sh(
lock_file_text ''
runs o8lock -- cat .claude/parallel.lock
shows '"pid": '
says 'warning'
lock_file_is_gone
)sh"},
    {"GoesOnDespiteALockFileThatIsNotJson", R"sh(
lock_file_text 'pid=12345'
runs o8lock -- cat .claude/parallel.lock
shows '"pid": '
says 'warning'
lock_file_is_gone
)sh"},
    {"GoesOnDespiteALockFileThatIsCutShort", R"sh(
lock_file_text '{"pid": 12345, "startedAt": "2026-02'
runs o8lock -- cat .claude/parallel.lock
shows '"pid": '
says 'warning'
lock_file_is_gone
)sh"},
    {"GoesOnDespiteALockFileWithoutAPid", R"sh(
lock_file_text '{"startedAt": "2026-02-25T10:30:00Z"}'
runs o8lock -- cat .claude/parallel.lock
shows '"pid": '
says 'warning'
lock_file_is_gone
)sh"},
    {"GoesOnDespiteALockFileWithAPidOfZero", R"sh(
lock_file 0
runs o8lock -- true
says 'warning'
lock_file_is_gone
)sh"},
    {"GoesOnDespiteALockFileWithANegativePid", R"sh(
lock_file -1
runs o8lock -- true
says 'warning'
lock_file_is_gone
)sh"},
    {"GoesOnDespiteALockFileWithAPidThatIsAWord", R"sh(
lock_file '"me"'
runs o8lock -- true
says 'warning'
lock_file_is_gone
)sh"},
    {"KeepsACopyOfAMalformedLockFile", R"sh(
lock_file_text 'pid=12345'
runs o8lock -- true
kept=$(sed -n "s/.*moved it to '\(.*\)'.*/\1/p" <<<"$err")
is 'pid=12345' "$(<"$kept")"
)sh"},

    // --- --force ---
    {"OverridesOnYesFromAPipe", R"sh(
start first o8lock -- hold
runs o8lock --force -- echo ran < <(echo y)
prints ran
says 'Continue? [y/N] y'
finish first
says 'overridden'
)sh"},
    {"OverridesOnTheWholeWordYes", R"sh(
start first o8lock -- hold
runs o8lock --force -- echo ran < <(echo yes)
prints ran
says 'Continue? [y/N] yes'
finish first
)sh"},
    {"OverridesOnYesFromAFile", R"sh(
start first o8lock -- hold
echo y >../run/answer
runs o8lock --force -- echo ran <../run/answer
prints ran
says 'Continue? [y/N] y'
finish first
)sh"},
    {"DeclinesOnNoFromAPipe", R"sh(
start first o8lock -- hold
remember_lock_file
refuses o8lock --force -- echo ran < <(echo n)
prints ''
says 'Continue? [y/N] n'
says '--yes'
lock_file_is_unchanged
runs o8lock --force -- echo ran < <(echo y)
prints ran
finish first
)sh"},
    {"DeclinesOnAnEmptyPipe", R"sh(
start first o8lock -- hold
remember_lock_file
refuses o8lock --force -- echo ran < <(:)
prints ''
says '--yes'
lock_file_is_unchanged
finish first
says_nothing
)sh"},
    {"DeclinesOnDevNull", R"sh(
start first o8lock -- hold
remember_lock_file
refuses o8lock --force -- echo ran </dev/null
prints ''
says '--yes'
lock_file_is_unchanged
finish first
says_nothing
)sh"},
    {"DeclinesOnAnEmptyLine", R"sh(
start first o8lock -- hold
refuses o8lock --force -- echo ran < <(echo)
prints ''
says '--yes'
finish first
)sh"},
    {"DeclinesOnAnyOtherWord", R"sh(
start first o8lock -- hold
refuses o8lock --force -- echo ran < <(echo yellow)
prints ''
says '--yes'
finish first
)sh"},
    {"LeavesTheCommandTheInputAfterTheAnswer", R"sh(
start first o8lock -- hold
runs o8lock --force -- cat < <(printf 'y\nfirst\nsecond\n')
prints $'first\nsecond'
finish first
)sh"},
    {"LeavesTheCommandTheWholeInputWithYes", R"sh(
start first o8lock -- hold
refuses o8lock -- true
runs o8lock --force --yes -- cat < <(printf 'y\nfirst\n')
prints $'y\nfirst'
finish first
)sh"},
    {"LeavesTheCommandTheWholeInputWhenTheLockIsFree", R"sh(
runs o8lock --force -- cat < <(printf 'y\nfirst\n')
prints $'y\nfirst'
says_nothing
runs o8lock --force -- test -e .claude/parallel.lock
)sh"},
    {"WarnsOfAnOverrideInTheWordsOfTheSpecification", R"sh(
start first o8lock -- hold
runs o8lock --force -- true < <(echo y)
says "
Warning: Overriding existing lock (PID: ${pids[first]})
This may cause conflicts if another execution is still running.

Continue? [y/N] y"
finish first
)sh"},
    {"ShowsTheHolderBeforeItWarns", R"sh(
start first o8lock -- hold
refuses o8lock --force -- true < <(echo n)
says_in_order 'Holder: ' 'Command: hold' \
  $'\n\nWarning: Overriding existing lock'
finish first
)sh"},
    {"AsksNothingWithYes", R"sh(
start first o8lock -- hold
runs o8lock --force --yes -- echo ran
prints ran
says "Warning: Overriding existing lock (PID: ${pids[first]})
This may cause conflicts if another execution is still running."
says_not 'Continue?'
finish first
)sh"},
    {"RefusesWithYesAlone", R"sh(
start first o8lock -- hold
refuses o8lock --yes -- echo ran
prints ''
finish first
runs o8lock --yes -- echo ran
prints ran
)sh"},
    {"StartsWithForceWhenTheLockIsFree", R"sh(
runs o8lock --force -- ls .claude
prints parallel.lock
says_nothing
)sh"},
    {"WritesALockFileOfItsOwnWhenItOverrides", R"sh(
start first o8lock -- hold
has pid "${pids[first]}"
start second o8lock --force --yes --feature mine -- hold
has pid "${pids[second]}"
has features '["mine"]'
finish first
finish second
lock_file_is_gone
)sh"},
    {"KeepsTheNewLockFileWhenTheOverriddenRunEnds", R"sh(
start first o8lock -- hold
start second o8lock --force --yes -- hold
finish first 4
has pid "${pids[second]}"
refuses o8lock -- true
finish second
lock_file_is_gone
)sh"},
    {"TellsTheOverriddenRun", R"sh(
start first o8lock -- hold
start second o8lock --force --yes -- hold
until_true grep -q overridden ../run/first.err
finish second
finish first
)sh"},
    {"DoesNotEndTheOverriddenRun", R"sh(
start first o8lock -- hold
refuses o8lock -- true
runs o8lock --force --yes -- true
kill -0 "${pids[first]}"
kill -0 "${commands[first]}"
finish first 6
)sh"},
    {"OverridesALockFile", R"sh(
living_pid
lock_file "$living"
refuses o8lock -- true
start second o8lock --force --yes -- hold
has pid "${pids[second]}"
kill -0 "$living"
finish second
lock_file_is_gone
)sh"},
    {"OverridesALockFileOnYesFromAPipe", R"sh(
living_pid
lock_file "$living"
runs o8lock --force -- echo ran < <(echo y)
prints ran
says "
Warning: Overriding existing lock (PID: $living)
This may cause conflicts if another execution is still running.

Continue? [y/N] y"
lock_file_is_gone
)sh"},
    {"LeavesALockFileOnNo", R"sh(
living_pid
lock_file "$living"
remember_lock_file
refuses o8lock --force -- echo ran < <(echo n)
says "Overriding existing lock (PID: $living)"
lock_file_is_unchanged
)sh"},
    {"TakesTheForceOfAnOrchestr8ForItsOwn", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a
refuses o8lock -- orchestr8 parallel feat-b --force </dev/null
says "Warning: Overriding existing lock (PID: ${pids[first]})"
runs o8lock -- orchestr8 parallel feat-b --force < <(echo y)
prints 'Starting parallel pipelines...'
finish first
)sh"},
    {"TakesTheYesOfAnOrchestr8ForItsOwn", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a
refuses o8lock -- orchestr8 parallel feat-b --yes
runs o8lock -- orchestr8 parallel feat-b --force --yes
prints 'Starting parallel pipelines...'
says_not 'Continue?'
finish first
)sh"},
    {"LeavesForceToAnyOtherCommand", R"sh(
start first o8lock -- hold
refuses o8lock -- echo --force
prints ''
finish first
runs o8lock -- echo --force
prints --force
)sh"},
    {"OverridesInTheFormThatTheRefusalSuggests", R"sh(
start first o8lock -- hold
refuses o8lock -- echo ran
line=$(sed -n 's/.*Force override: //p' <<<"$err")
is 'o8lock --force -- echo ran' "$line"
runs sh -c "echo y | $line"
prints ran
finish first
)sh"},

    // --- status and unlock ---
    {"TellsThatTheLockIsFree", R"sh(
runs o8lock status
[[ $out == free* ]]
start first o8lock -- hold
exits 75 o8lock status
shows_not 'free'
finish first
)sh"},
    {"TellsWhoHasTheLock", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a feat-b
exits 75 o8lock status
[[ $out == "held (PID: ${pids[first]})"* ]]
shows 'Command: orchestr8 parallel feat-a feat-b'
shows 'Features: feat-a, feat-b'
finish first
runs o8lock status
)sh"},
    {"TellsTheStatusFromALinkedWorktree", R"sh(
git worktree add -q -b linked ../linked
start first o8lock -- hold
cd ../linked
exits 75 o8lock status
shows "(PID: ${pids[first]})"
finish first
runs o8lock status
)sh"},
    {"TellsTheStatusOfALockFile", R"sh(
living_pid
lock_file "$living" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
remember_lock_file
exits 75 o8lock status
shows "held (PID: $living)"
lock_file_is_unchanged
)sh"},
    {"TellsTheStatusOfALockFileWithTheSpecificationsOwnDate", R"sh(
living_pid
lock_file "$living"
remember_lock_file
exits 75 o8lock status
shows "held (PID: $living)"
lock_file_is_unchanged
)sh"},
    {"TellsThatALockFileIsStaleAndLeavesIt", R"sh(
dead_pid
lock_file "$dead"
remember_lock_file
runs o8lock status
shows 'stale'
shows "$dead"
lock_file_is_unchanged
)sh"},
    {"TellsTheStatusAsJson", R"sh(
needs python3
state() {
  run o8lock status --json
  python3 -c 'import json, sys; print(json.load(sys.stdin)["verdict"])' \
    <<<"$out"
}
is free "$(state)"
start first o8lock -- hold
is held "$(state)"
finish first
dead_pid
lock_file "$dead"
is stale "$(state)"
)sh"},
    {"TellsTheHolderAsJson", R"sh(
needs python3
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a feat-b
exits 75 o8lock status --json
PID=${pids[first]} python3 -c 'import json, os, sys
holder = json.load(sys.stdin)["holder"]
assert holder["pid"] == int(os.environ["PID"]), holder
assert holder["features"] == ["feat-a", "feat-b"], holder
assert holder["command"][0] == "orchestr8", holder' <<<"$out"
finish first
)sh"},
    {"WritesNothingForTheStatus", R"sh(
runs o8lock status
is_gone .claude
is '' "$(git status --porcelain)"
start first o8lock -- hold
is_there .claude
finish first
)sh"},
    {"UnlocksALockFile", R"sh(
living_pid
lock_file "$living" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
refuses o8lock -- true
runs o8lock unlock --yes
lock_file_is_gone
kill -0 "$living"
runs o8lock -- echo ran
prints ran
)sh"},
    {"UnlocksARunWithoutEndingIt", R"sh(
start first o8lock -- hold
refuses o8lock -- true
runs o8lock unlock --yes
runs o8lock -- echo ran
prints ran
kill -0 "${commands[first]}"
finish first 3
)sh"},
    {"UnlocksNothingWithoutYes", R"sh(
start first o8lock -- hold
remember_lock_file
refuses o8lock unlock </dev/null
says '--yes'
lock_file_is_unchanged
refuses o8lock -- true
finish first
)sh"},
    {"UnlocksNothingWhenTheLockIsFree", R"sh(
runs o8lock unlock --yes
runs o8lock -- test -e .claude/parallel.lock
)sh"},

    // --- The command runs as it does without o8lock ---
    {"EndsWithEveryExitCodeOfTheCommand", R"sh(
for expected in {0..255}; do
  code=0
  o8lock -- sh -c "exit $expected" || code=$?
  is "$expected" "$code"
done
)sh"},
    {"EndsWithTheRefusalsCodeWhenTheCommandDoes", R"sh(
exits 75 o8lock -- sh -c 'echo ran; exit 75'
prints ran
says_nothing
)sh"},
    {"EndsAsASignalEndsTheCommand", R"sh(
ulimit -c 0
for signal in HUP INT QUIT ABRT KILL USR1 SEGV USR2 PIPE ALRM TERM; do
  exits $((128 + $(kill -l "$signal"))) o8lock -- sh -c "kill -$signal \$\$"
  says_nothing
done
)sh"},
    {"DiesOfTheSignalThatKilledTheCommand", R"sh(
needs python3
runs python3 - <<'S'
import subprocess
def code(*command):
    return subprocess.run(("o8lock", "--") + command).returncode
assert code("sh", "-c", "kill -TERM $$") == -15
assert code("sh", "-c", "kill -KILL $$") == -9
assert code("sh", "-c", "exit 143") == 143
S
)sh"},
    {"EndsWith127WhereThereIsNoSuchCommand", R"sh(
exits 127 o8lock -- no-such-command
says 'no-such-command'
)sh"},
    {"EndsWith127WhereThereIsNoSuchFile", R"sh(
exits 127 o8lock -- ./no-such-file
says 'no-such-file'
)sh"},
    {"EndsWith126ForAFileThatMayNotBeExecuted", R"sh(
echo text >text
exits 126 o8lock -- ./text
says 'text'
chmod +x text
printf '#!/bin/sh\necho ran\n' >text
runs o8lock -- ./text
prints ran
)sh"},
    {"EndsWith126ForADirectory", R"sh(
mkdir directory
exits 126 o8lock -- ./directory
says 'directory'
)sh"},
    {"PassesTheOutputOn", R"sh(
runs o8lock -- sh -c 'echo out; echo err >&2'
prints out
says_only err
)sh"},
    {"PassesBinaryInputAndOutputOn", R"sh(
head -c 300000 /dev/urandom >../run/bytes
cat ../run/bytes | o8lock -- cat | cmp - ../run/bytes
)sh"},
    {"PassesStderrOnToTheByte", R"sh(
head -c 100000 /dev/urandom >../run/bytes
o8lock -- sh -c 'cat ../run/bytes >&2' 2>../run/seen
cmp ../run/seen ../run/bytes
)sh"},
    {"WorksInTheMiddleOfAPipeline", R"sh(
is HI "$(echo hi | o8lock -- cat | tr a-z A-Z)"
)sh"},
    {"ReadsNothingOfTheInputItself", R"sh(
printf 'one\ntwo\n' >../run/lines
{
  o8lock -- true
  read -r line
  is one "$line"
  is two "$(o8lock -- sh -c 'read -r line; echo "$line"')"
} <../run/lines
)sh"},
    {"LeavesTheInputClosedWhereItIsClosed", R"sh(
state() { "$@" sh -c '[ -e /proc/self/fd/0 ] && echo open || echo closed' <&-; }
is closed "$(state)"
is closed "$(state o8lock --)"
)sh"},
    {"LeavesTheOutputClosedWhereItIsClosed", R"sh(
seen='[ -e /proc/self/fd/1 ] && echo open >&2 || echo closed >&2'
run sh -c "o8lock -- sh -c '$seen' >&-"
says_only closed
run sh -c "o8lock -- sh -c '$seen'"
says_only open
)sh"},
    {"PassesOtherDescriptorsOn", R"sh(
echo text >../run/text
exec 5<../run/text
is text "$(o8lock -- sh -c 'cat <&5')"
)sh"},
    {"RunsTheCommandInTheCurrentDirectory", R"sh(
mkdir -p 'a b/c'
cd 'a b/c'
runs o8lock -- pwd
prints "$TOP/repo/a b/c"
)sh"},
    {"RunsTheCommandInALinkedWorktree", R"sh(
git worktree add -q -b linked ../linked
cd ../linked
runs o8lock -- git rev-parse --show-toplevel
prints "$TOP/linked"
)sh"},
    {"LeavesPwdAsItIs", R"sh(
ln -s repo ../link
cd ../link
runs o8lock -- sh -c 'echo "$PWD"'
prints "$TOP/link"
)sh"},
    {"PassesTheArgumentsOnToTheByte", R"sh(
arguments=('' ' ' 'a b' $'line\nbreak' '*' '$HOME' "it's" '"' '\' $'\xff\xfe'
  'ä' '--' '-' '--force' '-c')
printf '%s\0' "${arguments[@]}" >../run/alone
o8lock -- printf '%s\0' "${arguments[@]}" >../run/seen
cmp ../run/alone ../run/seen
)sh"},
    {"TakesNoOptionBehindTheDashes", R"sh(
runs o8lock -- echo --wait --force -h --version
prints '--wait --force -h --version'
runs o8lock -- sh -c 'echo "$@"' sh -- -- x
prints '-- -- x'
)sh"},
    {"PassesTheArgumentsOfAnOrchestr8On", R"sh(
orchestr8_script <<'S'
#!/bin/sh
printf '<%s>' "$@"
S
runs o8lock -- orchestr8 parallel 'feat a' --yes --max-concurrency 5
prints '<parallel><feat a><--yes><--max-concurrency><5>'
)sh"},
    {"PassesAVeryLongArgumentOn", R"sh(
argument=$(head -c 100000 /dev/zero | tr '\0' x)
is 100000 "$(o8lock -- printf %s "$argument" | wc -c)"
)sh"},
    {"PassesTheEnvironmentOn", R"sh(
export PLAIN=value EMPTY='' LINES_OF=$'one\ntwo' BYTES=$'\xff'
env -0 | grep -zv '^_=' | sort -z >../run/alone
o8lock -- env -0 | sort -z >../run/seen
comm -z -23 ../run/alone ../run/seen >../run/lost
is 0 "$(wc -c <../run/lost)"
)sh"},
    {"AddsOnlyItsOwnVariablesToTheEnvironment", R"sh(
env | sed -n 's/=.*//p' | sort >../run/alone
o8lock -- env | sed -n 's/=.*//p' | sort >../run/seen
[[ -s ../run/seen ]]
comm -13 ../run/alone ../run/seen >../run/added
if grep -v '^O8LOCK' ../run/added; then fail 'it has added these'; fi
)sh"},
    {"PassesAnEmptyEnvironmentOn", R"sh(
program=$(command -v o8lock)
runs env -i "$program" -- /usr/bin/env
[[ -z $(grep -v '^O8LOCK' <<<"$out" | grep . || :) ]]
runs env -i A=b "$program" -- /usr/bin/env
shows A=b
)sh"},
    {"LeavesTheUmaskAsItIs", R"sh(
umask 027
runs o8lock -- sh -c umask
is "$(sh -c umask)" "$out"
)sh"},
    {"LeavesTheLimitsAsTheyAre", R"sh(
ulimit -n 123
runs o8lock -- sh -c 'ulimit -n'
prints 123
)sh"},
    {"LeavesTheSignalMasksAsTheyAre", R"sh(
trap '' USR1
masks='grep -E "Sig(Blk|Ign|Cgt)" /proc/self/status'
runs o8lock -- sh -c "$masks"
is "$(sh -c "$masks")" "$out"
)sh"},
    {"RunsTheCommandInTheProcessGroupOfTheCaller", R"sh(
group='cut -d " " -f 5,6 /proc/self/stat'
runs sh -c "$group; o8lock -- $group"
is "$(sed -n 1p <<<"$out")" "$(sed -n 2p <<<"$out")"
)sh"},
    {"FindsTheCommandInPath", R"sh(
script found <<'S'
#!/bin/sh
echo found "$@"
S
runs o8lock -- found here
prints 'found here'
)sh"},
    {"RunsACommandByItsRelativePath", R"sh(
mkdir sub
printf '#!/bin/sh\necho found\n' >sub/script
chmod +x sub/script
runs o8lock -- sub/script
prints found
cd sub
runs o8lock -- ./script
prints found
)sh"},
    {"PassesATermSignalOnOnce", R"sh(
start first o8lock -- bash -c '
  trap "echo TERM; exit 3" TERM
  trap "echo INT" INT
  echo $$ >"$BEGUN"
  while :; do read -r line <"$END"; done'
lock_file_is_there
kill -TERM "${pids[first]}"
ends_by_trap first 3
prints TERM
says_nothing
lock_file_is_gone
)sh"},
    {"PassesEverySignalOn", R"sh(
for signal in HUP INT QUIT USR1 USR2 TERM; do
  start "$signal" env SIGNAL="$signal" o8lock -- bash -c '
    trap "echo $SIGNAL; exit 7" $SIGNAL
    echo $$ >"$BEGUN"
    while :; do read -r line <"$END"; done'
  lock_file_is_there
  kill "-$signal" "${pids[$signal]}"
  ends_by_trap "$signal" 7
  prints "$signal"
  lock_file_is_gone
done
)sh"},
    {"KeepsTheLockWhileTheCommandIgnoresASignal", R"sh(
start first o8lock -- sh -c '
  trap "" TERM INT HUP
  echo $$ >"$BEGUN"
  read -r code <"$END"
  exit "$code"'
kill -TERM "${pids[first]}"
kill -INT "${pids[first]}"
kill -HUP "${pids[first]}"
refuses o8lock -- true
lock_file_is_there
kill -0 "${pids[first]}"
finish first 8
lock_file_is_gone
)sh"},
    {"DoesNotDieBeforeTheCommandCleansUp", R"sh(
start first o8lock -- bash -c '
  trap "echo cleaning; ls .claude; exit 130" INT
  echo $$ >"$BEGUN"
  while :; do read -r line <"$END"; done'
kill -INT "${pids[first]}"
ends_by_trap first 130
prints $'cleaning\nparallel.lock'
lock_file_is_gone
)sh"},
    {"LeavesAnIgnoredSignalIgnored", R"sh(
start first sh -c 'trap "" HUP; exec o8lock -- sh -c "
  echo \$\$ >\"\$BEGUN\"
  read -r code <\"\$END\"
  exit \"\$code\""'
kill -HUP "${pids[first]}"
kill -HUP "${commands[first]}"
refuses o8lock -- true
finish first 4
)sh"},
    {"PrintsNothingWhenAllIsWell", R"sh(
runs o8lock -- true
prints ''
says_nothing
exits 1 o8lock -- false
prints ''
says_nothing
)sh"},
    {"TellsOfTheLockOnlyWithVerbose", R"sh(
runs o8lock -v -- true
says 'lock'
runs o8lock -- true
says_nothing
)sh"},
    {"RunsBehindAnAliasForOrchestr8", R"sh(
orchestr8_script <<'S'
#!/bin/sh
cat .claude/parallel.lock
S
runs bash -c 'shopt -s expand_aliases
alias orchestr8="o8lock -- orchestr8"
eval "orchestr8 parallel feat-a feat-b"'
shows '"features": ["feat-a", "feat-b"]'
says_nothing
)sh"},

    // --- The command line ---
    {"EndsWith64WithoutACommand", R"sh(
exits 64 o8lock
exits 64 o8lock --
exits 64 o8lock --force
lock_file_is_gone
runs o8lock -- true
)sh"},
    {"EndsWith64ForAnUnknownOption", R"sh(
exits 64 o8lock --no-such-option -- touch ran
says 'no-such-option'
is_gone ran
runs o8lock -- touch ran
is_there ran
)sh"},
    {"EndsWith64WithoutTheDashes", R"sh(
exits 64 o8lock touch ran
says 'o8lock -- touch ran'
is_gone ran
)sh"},
    {"EndsWith64ForAnInvalidTime", R"sh(
exits 64 o8lock --wait=soon -- touch ran
says 'soon'
is_gone ran
)sh"},
    {"EndsWith64ForABadExitCode", R"sh(
exits 64 o8lock -E 256 -- touch ran
says '256'
is_gone ran
runs o8lock -E 255 -- true
)sh"},
    {"PrintsItsHelp", R"sh(
runs o8lock --help
shows 'Usage: o8lock '
says_nothing
help=$out
runs o8lock -h
prints "$help"
)sh"},
    {"PrintsItsVersion", R"sh(
runs o8lock --version
[[ $out == *o8lock*[0-9].[0-9]* ]]
says_nothing
)sh"},
    {"PrintsItsHelpForTheWordHelp", R"sh(
runs o8lock help
shows 'Usage: o8lock '
says_nothing
)sh"},
    {"PrintsItsHelpForTheHooks", R"sh(
runs o8lock hooks --help
shows 'Usage: o8lock '
shows 'hooks'
says_nothing
)sh"},
    {"PrintsWhichSubcommandsRunWithoutTheLock", R"sh(
runs o8lock --help
grep -E 'status.*abort|abort.*status' <<<"$out"
)sh"},
    {"RunsTheStatusOfAnOrchestr8WithoutTheLock", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a
refuses o8lock -- orchestr8 parallel feat-b
runs o8lock -- orchestr8 parallel status
prints 'Starting parallel pipelines...'
finish first
)sh"},
    {"RunsTheAbortOfAnOrchestr8WithoutTheLock", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a
refuses o8lock -- orchestr8 parallel feat-b
runs o8lock -- orchestr8 parallel abort
prints 'Starting parallel pipelines...'
finish first
)sh"},
    {"RunsADryRunWithoutTheLock", R"sh(
fake_orchestr8
start first o8lock -- hold
refuses o8lock -- orchestr8 parallel feat-a
runs o8lock -- orchestr8 parallel feat-a --dry-run
prints 'Starting parallel pipelines...'
finish first
)sh"},
    {"SaysWithVerboseThatItRunsWithoutTheLock", R"sh(
fake_orchestr8
start first o8lock -- hold
runs o8lock -v -- orchestr8 parallel status
prints 'Starting parallel pipelines...'
says 'without the lock'
runs o8lock -- orchestr8 parallel status
says_nothing
finish first
)sh"},
    {"WritesNoLockFileForTheStatusOfAnOrchestr8", R"sh(
orchestr8_script <<'S'
#!/bin/sh
test -e .claude/parallel.lock && echo there || echo none
S
runs o8lock -- orchestr8 parallel status
prints none
runs o8lock -- orchestr8 parallel feat-a
prints there
)sh"},
    {"WritesNoLockFileWithPublishNever", R"sh(
start first o8lock --publish never -- hold
lock_file_is_gone
refuses o8lock -- true
finish first
runs o8lock -- test -e .claude/parallel.lock
)sh"},

    // --- The git hooks ---
    {"InstallsTheHooks", R"sh(
run o8lock hooks status
shows 'not installed'
install_hooks
runs o8lock hooks status
shows 'installed'
shows_not 'not installed'
)sh"},
    {"TellsThatNoHooksAreInstalled", R"sh(
exits 1 o8lock hooks status
shows 'not installed'
install_hooks
runs o8lock hooks status
)sh"},
    {"InstallsTheHooksTwice", R"sh(
install_hooks
install_hooks
start first o8lock -- hold
refuses_add -b new ../new
finish first
adds -b new ../new
)sh"},
    {"UninstallsTheHooks", R"sh(
install_hooks
start first o8lock -- hold
refuses_add -b new ../new
finish first
runs o8lock hooks uninstall
run o8lock hooks status
shows 'not installed'
start second o8lock -- hold
adds -b new ../new
finish second
)sh"},
    {"RefusesNoAddWithoutTheHooks", R"sh(
start first o8lock -- hold
refuses o8lock -- true
adds -b new ../new
finish first
)sh"},
    {"RefusesToAddAWorktreeWithANewBranch", R"sh(
install_hooks
start first o8lock -- hold
refuses_add -b new ../new
finish first
adds -b new ../new
)sh"},
    {"RefusesToAddAWorktreeWithAnExistingBranch", R"sh(
install_hooks
start first o8lock -- hold
refuses_add ../new old
finish first
adds ../new old
)sh"},
    {"RefusesToAddADetachedWorktree", R"sh(
install_hooks
start first o8lock -- hold
refuses_add --detach ../new
finish first
adds --detach ../new
)sh"},
    {"RefusesToAddAWorktreeWithAnImpliedBranch", R"sh(
install_hooks
start first o8lock -- hold
refuses_add ../new
finish first
adds ../new
)sh"},
    {"RefusesToAddAWorktreeWithAResetBranch", R"sh(
install_hooks
start first o8lock -- hold
refuses_add -B old ../new
finish first
adds -B old ../new
)sh"},
    {"RefusesToAddAWorktreeWithoutACheckout", R"sh(
install_hooks
start first o8lock -- hold
refuses_add --no-checkout -b new ../new
finish first
adds --no-checkout -b new ../new
)sh"},
    {"RefusesToAddALockedWorktree", R"sh(
install_hooks
start first o8lock -- hold
refuses_add --lock -b new ../new
finish first
adds --lock -b new ../new
)sh"},
    {"RefusesToAddAWorktreeByForce", R"sh(
install_hooks
start first o8lock -- hold
refuses_add --force ../new main
finish first
adds --force ../new main
)sh"},
    {"RefusesToAddAWorktreeFromASubdirectory", R"sh(
install_hooks
mkdir -p a/b
cd a/b
start first o8lock -- hold
refuses_add -b new ../../../new
finish first
adds -b new ../../../new
)sh"},
    {"RefusesToAddAWorktreeFromALinkedOne", R"sh(
git worktree add -q -b linked ../linked
install_hooks
start first o8lock -- hold
cd ../linked
refuses_add -b new ../new
finish first
adds -b new ../new
)sh"},
    {"RefusesToAddAWorktreeFromElsewhere", R"sh(
install_hooks
start first o8lock -- hold
before=$(git_state)
cd /
fails git -C "$TOP/repo" worktree add -b new ../new
is "$before" "$(git_state)"
finish first
runs git -C "$TOP/repo" worktree add -b new ../new
)sh"},
    {"RefusesToAddAWorktreeInsideTheRepository", R"sh(
install_hooks
start first o8lock -- hold
refuses_add -b feat-a .claude/worktrees/feat-a
is_gone .claude/worktrees/feat-a
finish first
adds -b feat-a .claude/worktrees/feat-a
)sh"},
    {"RefusesToAddAWorktreeBesideARunInALinkedOne", R"sh(
git worktree add -q -b linked ../linked
install_hooks
cd ../linked
start first o8lock -- hold
cd ../repo
refuses_add -b new ../new
finish first
adds -b new ../new
)sh"},
    {"RefusesToAddAWorktreeBesideAnOrchestr8", R"sh(
fake_orchestr8
install_hooks
start first o8lock -- orchestr8 parallel feat-a
refuses_add -b feat-b ../feat-b
finish first
adds -b feat-b ../feat-b
)sh"},
    {"RefusesAnAddWithTheFirstLinesOfTheSpecification", R"sh(
install_hooks
start first o8lock -- hold
started=$(field startedAt | tr -d '"')
refuses_add -q -b new ../new
says_first "Error: Another parallel execution is in progress (PID: ${pids[first]})
Started at: $started
git worktree add refused: it would collide with that run.
"
finish first
adds -q -b new ../new
says_nothing
)sh"},
    {"DoesNotDisturbTheRunByARefusedAdd", R"sh(
install_hooks
start first o8lock -- hold
remember_lock_file
refuses_add -b new ../new
lock_file_is_unchanged
finish first
says_nothing
)sh"},
    {"AddsWorktreesWhileTheLockIsFree", R"sh(
install_hooks
adds -b new ../new
adds ../second old
adds --detach ../third
start first o8lock -- hold
refuses_add --detach ../fourth
finish first
)sh"},
    {"AddsWorktreesAfterARunHasFailed", R"sh(
install_hooks
start first o8lock -- hold
refuses_add -b new ../new
finish first 1
adds -b new ../new
)sh"},
    {"AddsWorktreesAfterARunWasKilled", R"sh(
install_hooks
start first o8lock -- hold
refuses_add -b new ../new
kill -KILL -- "-${pids[first]}"
collect first
until_true git worktree add -q -b new ../new
is_there ../new
)sh"},
    {"RefusesToAddAWorktreeWhileTheCommandOfAKilledWrapperLives", R"sh(
install_hooks
start first o8lock -- hold
kill -KILL "${pids[first]}"
collect first
refuses_add -b new ../new
tell first
until_true git worktree add -q -b new ../new
)sh"},
    {"LetsTheRunItselfAddWorktrees", R"sh(
install_hooks
runs o8lock -- git worktree add -b new ../new
is_there ../new
runs o8lock -- git worktree add --detach ../second
is_there ../second
start first o8lock -- hold
refuses_add -b third ../third
finish first
)sh"},
    {"LetsAnOrchestr8UnderTheLockAddItsWorktrees", R"sh(
install_hooks
orchestr8_script <<'S'
#!/bin/sh
shift
for feature; do
  git worktree add -q -b "$feature" "../$feature" || exit 1
done
echo $$ >"$BEGUN"
read -r code <"$END"
for feature; do git worktree remove "../$feature" || exit 1; done
exit "$code"
S
start first o8lock -- orchestr8 parallel feat-a feat-b
is_there ../feat-a
is_there ../feat-b
refuses_add -b feat-c ../feat-c
finish first
is_gone ../feat-a
)sh"},
    {"LetsABackgroundProcessOfTheRunAddWorktrees", R"sh(
install_hooks
runs o8lock -- sh -c 'sh -c "git worktree add -q -b new ../new" & wait $!'
is_there ../new
start first o8lock -- hold
refuses_add -b second ../second
finish first
)sh"},
    {"LetsTheRunAddAWorktreeFromALinkedOne", R"sh(
install_hooks
runs o8lock -- sh -c 'git worktree add -q -b one ../one &&
  cd ../one && git worktree add -q -b two ../two'
is_there ../two
start first o8lock -- hold
cd ../one
refuses_add -b three ../three
finish first
)sh"},
    {"LetsGitCommitBesideARun", R"sh(
install_hooks
start first o8lock -- hold
refuses_add -b new ../new
runs git commit -q --allow-empty -m more
says_nothing
is more "$(git log -1 --format=%s)"
finish first
)sh"},
    {"LetsGitMakeAndDeleteABranchBesideARun", R"sh(
install_hooks
start first o8lock -- hold
refuses_add -b new ../new
runs git branch new
says_nothing
runs git branch -D new
runs git checkout -q -b other
runs git switch -q main
finish first
)sh"},
    {"LetsGitFetchBesideARun", R"sh(
git clone -q . ../source
git -C ../source commit -q --allow-empty -m more
install_hooks
start first o8lock -- hold
refuses_add -b new ../new
runs git fetch -q ../source main:fetched
says_nothing
is more "$(git log -1 --format=%s fetched)"
finish first
)sh"},
    {"LetsGitMergeAndTagBesideARun", R"sh(
git checkout -q old
git commit -q --allow-empty -m more
git checkout -q main
install_hooks
start first o8lock -- hold
refuses_add -b new ../new
runs git merge -q --no-ff -m merge old
runs git tag v1
runs git reset -q --hard old
says_nothing
finish first
)sh"},
    {"LetsGitRebaseAndStashBesideARun", R"sh(
echo one >file
git add file
git commit -q -m one
install_hooks
start first o8lock -- hold
refuses_add -b new ../new
echo two >file
runs git stash -q
runs git rebase -q --onto old HEAD~1 main
runs git stash pop -q
is two "$(<file)"
finish first
)sh"},
    {"LetsGitRemoveAWorktreeBesideARun", R"sh(
git worktree add -q -b linked ../linked
install_hooks
start first o8lock -- hold
refuses_add -b new ../new
runs git worktree list
shows "$TOP/linked"
runs git worktree remove ../linked
is_gone ../linked
runs git worktree prune
finish first
)sh"},
    {"LetsGitCloneBesideARun", R"sh(
install_hooks
start first o8lock -- hold
refuses_add -b new ../new
runs git clone -q . ../copy
is_there ../copy/.git
runs git -C ../copy push -q origin HEAD:pushed
finish first
)sh"},
    {"KeepsTheHooksOfTheUser", R"sh(
mkdir -p .git/hooks
for hook in pre-commit post-checkout; do
  printf '#!/bin/sh\necho %s >>"$TOP/run/called"\n' "$hook" >".git/hooks/$hook"
  chmod +x ".git/hooks/$hook"
done
install_hooks
start first o8lock -- hold
refuses_add -b new ../new
: >../run/called
git commit -q --allow-empty -m more
git checkout -q old
is $'pre-commit\npost-checkout' "$(<../run/called)"
finish first
: >../run/called
git commit -q --allow-empty -m more
git checkout -q main
is $'pre-commit\npost-checkout' "$(<../run/called)"
)sh"},
    {"LetsAHookOfTheUserRefuseACommit", R"sh(
mkdir -p .git/hooks
printf '#!/bin/sh\nexit 1\n' >.git/hooks/pre-commit
chmod +x .git/hooks/pre-commit
install_hooks
exits 1 git commit -q --allow-empty -m more
start first o8lock -- hold
exits 1 git commit -q --allow-empty -m more
runs git commit -q --no-verify --allow-empty -m more
finish first
)sh"},
    {"KeepsTheTreeCleanWithHooks", R"sh(
install_hooks
start first o8lock -- hold
lock_file_is_there
is '' "$(git status --porcelain)"
finish first
is '' "$(git status --porcelain)"
)sh"},
    {"AllowsOneAddOnPurpose", R"sh(
install_hooks
start first o8lock -- hold
refuses_add -b new ../new
O8LOCK_ALLOW=1 adds -b new ../new
finish first
)sh"},

    // --- The hooks beside the lock file of an external run ---
    {"RefusesBesideALockFileToAddAWorktreeWithANewBranch", R"sh(
install_hooks
living_pid
lock_file "$living"
remember_lock_file
refuses_add -b new ../new
is_gone ../new
says "Error: Another parallel execution is in progress (PID: $living)
Started at: 2026-02-25T10:30:00Z
git worktree add refused: it would collide with that run.
"
lock_file_is_unchanged
rm .claude/parallel.lock
adds -b new ../new
)sh"},
    {"RefusesBesideALockFileToAddAWorktreeWithAnImpliedBranch", R"sh(
install_hooks
living_pid
lock_file "$living"
refuses_add ../new
is_gone ../new
is '' "$(git branch --list new)"
rm .claude/parallel.lock
adds ../new
)sh"},
    {"RefusesBesideALockFileToAddAWorktreeWithAnExistingBranch", R"sh(
install_hooks
living_pid
lock_file "$living"
refuses_add ../new old
git rev-parse -q --verify old
rm .claude/parallel.lock
adds ../new old
)sh"},
    {"RefusesBesideALockFileToAddADetachedWorktree", R"sh(
install_hooks
living_pid
lock_file "$living"
refuses_add --detach ../new
rm .claude/parallel.lock
adds --detach ../new
)sh"},
    {"RefusesBesideALockFileToAddAWorktreeFromASubdirectory", R"sh(
install_hooks
living_pid
lock_file "$living"
mkdir sub
cd sub
refuses_add -b new ../../new
rm ../.claude/parallel.lock
adds -b new ../../new
)sh"},
    {"RefusesBesideALockFileToAddAWorktreeFromALinkedOne", R"sh(
git worktree add -q -b linked ../linked
install_hooks
living_pid
lock_file "$living"
cd ../linked
refuses_add -b new ../new
rm ../repo/.claude/parallel.lock
adds -b new ../new
)sh"},
    {"RefusesToAddAWorktreeBesideALockFileOfThisMoment", R"sh(
install_hooks
living_pid
lock_file "$living" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
refuses_add -b new ../new
says "(PID: $living)"
kill "$living"
wait "$living" || :
adds -b new ../new
)sh"},
    {"RefusesToAddAWorktreeBesideALockFileAgainAndAgain", R"sh(
install_hooks
living_pid
lock_file "$living"
refuses_add -b new ../new
refuses_add -b new ../new
refuses_add ../second
rm .claude/parallel.lock
adds -b new ../new
)sh"},
    {"AddsAWorktreeBesideAStaleLockFile", R"sh(
install_hooks
dead_pid
lock_file "$dead"
adds -b new ../new
adds ../second old
living_pid
lock_file "$living" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
refuses_add -b third ../third
)sh"},
    {"RefusesAnAddOfTheShellWhosePidIsInTheLockFile", R"sh(
install_hooks
lock_file $$
refuses_add -b new ../new
says "(PID: $$)"
rm .claude/parallel.lock
adds -b new ../new
)sh"},
    {"LetsAnOrchestr8WithALockFileOfItsOwnAddItsWorktrees", R"sh(
install_hooks
orchestr8_script <<'S'
#!/bin/sh
mkdir -p .claude
printf '{"pid": %s, "startedAt": "2026-02-25T10:30:00Z"}' $$ \
  >.claude/parallel.lock
git worktree add -q -b "$2" "../$2" || exit 1
echo $$ >"$BEGUN"
read -r code <"$END"
rm .claude/parallel.lock
exit "$code"
S
start first orchestr8 parallel feat-a
is_there ../feat-a
refuses_add -b feat-b ../feat-b
refuses o8lock -- orchestr8 parallel feat-b
finish first
adds -b feat-b ../feat-b
)sh"},
    {"RefusesAnAddOfAScriptThatIsNoOrchestr8", R"sh(
install_hooks
script builder <<'S'
#!/bin/sh
mkdir -p .claude
printf '{"pid": %s, "startedAt": "2026-02-25T10:30:00Z"}' $$ \
  >.claude/parallel.lock
git worktree add -q -b "$1" "../$1"
code=$?
rm .claude/parallel.lock
exit "$code"
S
fails builder feat-a
says 'git worktree add refused: it would collide with that run.'
is_gone ../feat-a
adds -b feat-a ../feat-a
)sh"},
    {"LetsGitWorkBesideALockFile", R"sh(
install_hooks
living_pid
lock_file "$living"
refuses_add -b new ../new
runs git commit -q --allow-empty -m more
runs git branch new
runs git checkout -q new
runs git fetch -q . main:fetched
says_nothing
)sh"},
};

class SpecificationTest : public ::testing::TestWithParam<Row> {};

TEST_P(SpecificationTest, Holds) {
  const Place place;
  // The trace has a descriptor of its own, because the rows check stderr.
  Process bash(Bash("exec 9>&2; BASH_XTRACEFD=9; set -x\n", GetParam().script),
               place.Options());
  const End end = bash.Wait();
  if (end == Exited(77)) GTEST_SKIP() << "a program is not installed";
  EXPECT_EQ(end, Exited(0)) << bash.out() << "\n" << bash.err();
}

INSTANTIATE_TEST_SUITE_P(Rows, SpecificationTest, ::testing::ValuesIn(kRows),
                         [](const ::testing::TestParamInfo<Row>& row) {
                           return std::string(row.param.name);
                         });

// A row on a terminal of its own. Its script usually ends with `exec`, so `end`
// is the end of o8lock.
struct TerminalRow {
  const char* name;
  const char* script;
  const char* awaited;  // The test types after the terminal shows this.
  const char* typed;
  End end;
  const char* shown;  // after `awaited`
};

void PrintTo(const TerminalRow& row, std::ostream* out) { *out << row.name; }

constexpr End kRan = {false, 0};
constexpr End kFour = {false, 4};
constexpr End kRefused = {false, 75};
constexpr End kInterrupted = {true, SIGINT};
constexpr End kQuit = {true, SIGQUIT};

constexpr TerminalRow kTerminalRows[] = {
    {"OverridesOnYes", R"sh(
start first o8lock -- hold
exec o8lock --force -- echo ran
)sh",
     "Continue? [y/N] ", "y\n", kRan, "ran\n"},
    {"OverridesOnTheWholeWordYes", R"sh(
start first o8lock -- hold
exec o8lock --force -- echo ran
)sh",
     "Continue? [y/N] ", "yes\n", kRan, "ran\n"},
    {"DeclinesOnNo", R"sh(
start first o8lock -- hold
exec o8lock --force -- echo ran
)sh",
     "Continue? [y/N] ", "n\n", kRefused, "Aborted.\n"},
    {"DeclinesOnAnEmptyLine", R"sh(
start first o8lock -- hold
exec o8lock --force -- echo ran
)sh",
     "Continue? [y/N] ", "\n", kRefused, "Aborted.\n"},
    {"DeclinesOnAnyOtherWord", R"sh(
start first o8lock -- hold
exec o8lock --force -- echo ran
)sh",
     "Continue? [y/N] ", "maybe\n", kRefused, "Aborted.\n"},
    {"DeclinesOnTheEndOfInput", R"sh(
start first o8lock -- hold
exec o8lock --force -- echo ran
)sh",
     "Continue? [y/N] ", "\x04", kRefused, "Aborted.\n"},
    {"EndsTheQuestionOnCtrlC", R"sh(
start first o8lock -- hold
exec o8lock --force -- echo ran
)sh",
     "Continue? [y/N] ", "\x03", kInterrupted, "^C"},
    {"AsksInTheWordsOfTheSpecification", R"sh(
start first o8lock -- hold
exec o8lock --force -- echo ran
)sh",
     "Continue? [y/N] ", "n\n", kRefused,
     ")\nThis may cause conflicts if another execution is still "
     "running.\n\nContinue? [y/N] n\nAborted.\n"},
    {"ShowsTheHolderBeforeItAsks", R"sh(
start first o8lock -- hold
exec o8lock --force -- echo ran
)sh",
     "Continue? [y/N] ", "n\n", kRefused,
     "\n\nWarning: Overriding existing lock (PID: "},
    {"AsksTheSameForTheForceOfAnOrchestr8", R"sh(
fake_orchestr8
start first o8lock -- orchestr8 parallel feat-a
exec o8lock -- orchestr8 parallel feat-b --force
)sh",
     "Continue? [y/N] ", "y\n", kRan, "Starting parallel pipelines...\n"},
    {"AsksBesideALockFile", R"sh(
living_pid
lock_file "$living"
exec o8lock --force -- echo ran
)sh",
     "Continue? [y/N] ", "y\n", kRan, "ran\n"},
    {"AsksOnTheTerminalWhateverTheInputIs", R"sh(
start first o8lock -- hold
exec o8lock --force -- echo ran </dev/null
)sh",
     "Continue? [y/N] ", "n\n", kRefused, "Aborted.\n"},
    {"AsksNothingWhenTheLockIsFree", R"sh(
exec o8lock --force -- sh -c 'echo ready; read -r line; echo ran'
)sh",
     "ready", "\n", kRan, "ran\n"},
    {"AsksNothingWithYes", R"sh(
start first o8lock -- hold
exec o8lock --force --yes -- sh -c 'echo ready; read -r line; echo ran'
)sh",
     "ready", "\n", kRan, "if another execution is still running.\n"},
    {"GivesTheCommandTheTerminal", R"sh(
exec o8lock -- sh -c 'echo ready; read -r line
  test -t 0 && test -t 1 && test -t 2 && echo all three'
)sh",
     "ready", "\n", kRan, "all three\n"},
    {"GivesTheCommandTheForeground", R"sh(
exec o8lock -- sh -c 'echo ready; read -r line </dev/tty; echo "got $line"'
)sh",
     "ready", "hello\n", kRan, "got hello\n"},
    {"GivesTheCommandTheSizeOfTheTerminal", R"sh(
exec o8lock -- sh -c 'echo ready; read -r line; stty size'
)sh",
     "ready", "\n", kRan, "24 80\n"},
    {"RefusesOnATerminal", R"sh(
living_pid
lock_file "$living"
exec o8lock -- echo ran
)sh",
     "Error: Another parallel execution is in progress (PID: ", "", kRefused,
     ")\nStarted at: 2026-02-25T10:30:00Z\n\nOptions:\n  • Wait for it to "
     "complete: o8lock --wait=10m -- echo ran\n  • Run: o8lock status\n  • "
     "Force override: o8lock --force -- echo ran\n\n"},
    {"SaysOnATerminalThatALockFileIsStale", R"sh(
dead_pid
lock_file "$dead"
exec o8lock -- echo ran
)sh",
     "Warning: Found stale lock file (PID ", "", kRan,
     " not running)\nRemoving stale lock and continuing...\n\nran\n"},
    {"EndsWithTheCommandOnCtrlC", R"sh(
exec o8lock -- sh -c 'echo ready; exec sleep 1000'
)sh",
     "ready", "\x03", kInterrupted, "^C"},
    {"EndsTheCommandWithTheQuitKey", R"sh(
ulimit -c 0
exec o8lock -- sh -c 'echo ready; exec sleep 1000'
)sh",
     "ready", "\x1c", kQuit, "^\\"},
    {"LetsCtrlCReachTheCommandOnce", R"sh(
exec o8lock -- bash -c 'count=0
  trap "count=\$((count + 1)); echo once" INT
  echo ready
  until read -r line && [[ $line == end ]]; do :; done
  echo "end $count"; exit 4'
)sh",
     "ready",
     "\x03"
     "end\n",
     kFour, "once\nend 1\n"},
    {"EndsWithTheExitCodeOfTheCommand", R"sh(
exec o8lock -- sh -c 'echo ready; read -r line; echo over; exit 4'
)sh",
     "ready", "\n", kFour, "over\n"},
    {"ShowsTheShellAnInterruptionAs130", R"sh(
trap : INT
code=0
o8lock -- sh -c 'test -e .claude/parallel.lock && echo ready
  exec sleep 1000' || code=$?
lock_file_is_gone
echo "code $code, lock file gone"
)sh",
     "ready", "\x03", kRan, "code 130, lock file gone\n"},
    {"PrintsNothingOfItsOwn", R"sh(
exec o8lock -- sh -c 'echo alone; read -r line; echo over'
)sh",
     "alone", "\n", kRan, "\nover\n"},
};

class TerminalTest : public ::testing::TestWithParam<TerminalRow> {};

TEST_P(TerminalTest, Holds) {
  const TerminalRow& row = GetParam();
  const Place place;
  ProcessOptions options = place.Options();
  options.terminal = true;
  Process bash(Bash("", row.script), options);
  bash.WaitForOutput(row.awaited);
  bash.Write(row.typed);
  EXPECT_EQ(bash.Wait(), row.end);
  EXPECT_THAT(absl::StrReplaceAll(bash.out(), {{"\r\n", "\n"}}),
              HasSubstr(row.shown));
}

INSTANTIATE_TEST_SUITE_P(Rows, TerminalTest, ::testing::ValuesIn(kTerminalRows),
                         [](const ::testing::TestParamInfo<TerminalRow>& row) {
                           return std::string(row.param.name);
                         });

}  // namespace
}  // namespace o8lock
