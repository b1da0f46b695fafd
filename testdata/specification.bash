# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The functions for the rows of tools/e2e/specification_test.cc. The test runs
# each row under `bash -euo pipefail` after this file.
#
# Environment: TOP  a directory of the row's own, with
#                repo  the working directory: a git repository with one commit
#                      and a branch `old`
#                bin   the first directory in PATH, with a link to o8lock
#                run   the files of these functions

# The exit code, stdout and stderr of the last command, without final newlines.
code=0
out=
err=
# The rows use the variables below.
# For each name given to `start`: the pid of the process, the pid that its
# command wrote to $BEGUN, and the descriptor of $END.
declare -A pids commands ends_of
# Set by `many`: descriptors.
export begun='' end=''
# Set by the functions of the same names.
export living='' dead=''

fail() {
  printf 'FAILED: %s\n' "$*"
  printf 'exit code: %s\nstdout:\n%s\nstderr:\n%s\n' "$code" "$out" "$err"
  exit 1
} >&2

# needs PROGRAM: skips the row if there is no PROGRAM in PATH.
needs() { command -v "$1" >/dev/null || exit 77; }

# --- Commands run to their end ---

# run COMMAND...: accepts any exit code.
run() {
  code=0
  "$@" >"$TOP/run/out" 2>"$TOP/run/err" || code=$?
  out=$(tr -d '\0' <"$TOP/run/out")
  err=$(tr -d '\0' <"$TOP/run/err")
}

# exits CODE COMMAND...
exits() {
  local expected=$1
  shift
  run "$@"
  [[ $code == "$expected" ]] || fail "exit code $code, not $expected: $*"
}
# fails COMMAND...: expects any exit code but 0.
fails() {
  run "$@"
  ((code != 0)) || fail "exit code 0: $*"
}
runs() { exits 0 "$@"; }
refuses() { exits 75 "$@"; }

# --- The output of the last command ---

# stderr: `says` expects the text as one block, anywhere.
says() { [[ $err$'\n' == *"$1"* ]] || fail "stderr lacks: $1"; }
says_not() { [[ $err != *"$1"* ]] || fail "stderr has: $1"; }
says_first() {
  [[ $err$'\n' == "$1"* ]] || fail "stderr does not begin: $1"
}
says_only() { [[ $err == "$1" ]] || fail "stderr is not: $1"; }
says_nothing() { [[ -z $err ]] || fail 'stderr is not empty'; }
# says_in_order TEXT...: finds each text after the previous one.
says_in_order() {
  local text rest=$err$'\n'
  for text in "$@"; do
    [[ $rest == *"$text"* ]] || fail "stderr lacks, in this order: $text"
    rest=${rest#*"$text"}
  done
}

# stdout.
prints() { [[ $out == "$1" ]] || fail "stdout is not: $1"; }
shows() { [[ $out == *"$1"* ]] || fail "stdout lacks: $1"; }
shows_not() { [[ $out != *"$1"* ]] || fail "stdout has: $1"; }

# --- Commands run beside the row ---

# launch NAME COMMAND...: starts the command in a process group of its own,
# without the ignored signals of a background command.
launch() {
  local name=$1 fd
  shift
  mkfifo "$TOP/run/$name.begun" "$TOP/run/$name.end"
  # Open at both ends: opening a FIFO never blocks.
  exec {fd}<>"$TOP/run/$name.end"
  ends_of[$name]=$fd
  exec {fd}<>"$TOP/run/$name.begun"
  commands[$name]=$fd
  set -m
  BEGUN=$TOP/run/$name.begun END=$TOP/run/$name.end "$@" </dev/null \
    >"$TOP/run/$name.out" 2>"$TOP/run/$name.err" &
  pids[$name]=$!
  set +m
}

# begins NAME: waits until the command has written its pid to $BEGUN.
begins() {
  local name=$1 fd=${commands[$1]} line seconds=0
  until read -r -t 1 line <&"$fd"; do
    if ! kill -0 "${pids[$name]}" 2>/dev/null; then
      collect "$name"
      fail "$name has ended before it has begun"
    fi
    ((++seconds < 30)) || fail "$name has not begun"
  done
  commands[$name]=$line
}

# start NAME COMMAND...: launches the command and waits until it has begun.
start() {
  launch "$@"
  begins "$1"
}

# collect NAME: waits for the end of the command and takes its output.
collect() {
  code=0
  wait "${pids[$1]}" || code=$?
  out=$(<"$TOP/run/$1.out")
  err=$(<"$TOP/run/$1.err")
}

# ends NAME CODE: expects that exit code.
ends() {
  collect "$1"
  [[ $code == "$2" ]] || fail "$1 has ended with $code, not $2"
}

# tell NAME [WORD]: writes a line to the command's $END.
tell() { printf '%s\n' "${2-0}" >&"${ends_of[$1]}"; }

# ends_by_trap NAME CODE: like `ends`, for a bash that reads $END indefinitely.
# If the signal comes just before `read`, bash runs the trap only after `read`,
# so this function writes lines to it.
ends_by_trap() {
  local deadline=$((SECONDS + 30))
  while kill -0 "${pids[$1]}" 2>/dev/null; do
    ((SECONDS < deadline)) || fail "$1 has not ended"
    tell "$1"
    sleep 0.1
  done
  ends "$1" "$2"
}

# finish NAME [CODE]: tells the command to exit with that code, and expects it.
finish() {
  tell "$1" "${2-0}"
  ends "$1" "${2-0}"
}

# many COUNT COMMAND...: starts COUNT processes at once. They share one $BEGUN
# and one $END. `ended` waits for the end of one more, and sets $code.
many() {
  local count=$1 number
  shift
  mkfifo "$TOP/run/begun" "$TOP/run/end" "$TOP/run/codes"
  exec {begun}<>"$TOP/run/begun" {end}<>"$TOP/run/end" {codes}<>"$TOP/run/codes"
  for ((number = 1; number <= count; ++number)); do
    {
      code=0
      BEGUN=$TOP/run/begun END=$TOP/run/end "$@" >"$TOP/run/$number.out" \
        2>"$TOP/run/$number.err" || code=$?
      echo "$code" >"$TOP/run/codes"
    } &
  done
}
ended() { read -r -t 30 code <&"$codes" || fail 'no process has ended'; }

# until_true COMMAND...: waits until the command succeeds, for events without a
# handshake.
until_true() {
  local deadline=$((SECONDS + 30))
  until "$@" 2>/dev/null; do
    ((SECONDS < deadline)) || fail "not in time: $*"
  done
}

# script NAME: installs stdin as the program NAME.
script() {
  cat >"$TOP/bin/$1"
  chmod +x "$TOP/bin/$1"
}
orchestr8_script() { script orchestr8; }

# Installs an orchestr8 that exits at once. Under `start` it waits to be told.
fake_orchestr8() {
  orchestr8_script <<'S'
#!/bin/sh
echo "Starting parallel pipelines..."
[ -n "${BEGUN-}" ] || exit 0
echo $$ >"$BEGUN"
read -r code <"$END"
exit "$code"
S
}

# A command for `start` and `many`.
script hold <<'S'
#!/bin/sh
echo $$ >"$BEGUN"
read -r code <"$END"
exit "$code"
S

# --- Processes and the lock file ---

# Sets $living, the pid of a living process.
living_pid() {
  sleep 1000 >/dev/null 2>&1 &
  living=$!
}

# Sets $dead, the pid of a process that has ended.
dead_pid() {
  true &
  dead=$!
  wait "$dead"
}

# lock_file PID [STARTED_AT]: writes the lock file of the specification.
lock_file() {
  mkdir -p .claude
  cat >.claude/parallel.lock <<EOT
{
  "pid": $1,
  "startedAt": "${2-2026-02-25T10:30:00Z}",
  "features": ["feat-a", "feat-b"],
  "maxConcurrency": 3
}
EOT
}

# lock_file_text TEXT: writes any other text as the lock file.
lock_file_text() {
  mkdir -p .claude
  printf '%s' "$1" >.claude/parallel.lock
}

is_there() { [[ -e $1 ]] || fail "is not there: $1"; }
is_gone() { [[ ! -e $1 && ! -L $1 ]] || fail "is there: $1"; }
lock_file_is_there() { is_there .claude/parallel.lock; }
lock_file_is_gone() { is_gone .claude/parallel.lock; }

remember_lock_file() { cp .claude/parallel.lock "$TOP/run/lock"; }
lock_file_is_unchanged() {
  cmp "$TOP/run/lock" .claude/parallel.lock || fail 'the lock file has changed'
}

# field NAME: prints a member of the lock file, as JSON.
field() {
  sed -n "s/^ *\"$1\": \\(.*[^,]\\),\\{0,1\\}\$/\\1/p" .claude/parallel.lock
}
# has NAME JSON: expects the member to have that value.
has() {
  lock_file_is_there
  [[ $(field "$1") == "$2" ]] || fail "$1 is $(field "$1"), not $2"
}

# is EXPECTED TEXT
is() { [[ $2 == "$1" ]] || fail "'$2' is not '$1'"; }

# --- git ---

install_hooks() { runs o8lock hooks install; }

# Prints all state that `git worktree add` would change.
git_state() {
  git -C "$TOP/repo" for-each-ref
  git -C "$TOP/repo" worktree list --porcelain
  ls -A "$TOP"
}

# refuses_add ARGUMENT...: expects git to fail and to change nothing.
refuses_add() {
  local before
  before=$(git_state)
  fails git worktree add "$@"
  [[ $(git_state) == "$before" ]] || fail "something is left: $(git_state)"
}

# adds ARGUMENT...: expects git to add one worktree.
adds() {
  local before
  before=$(git worktree list | wc -l)
  runs git worktree add "$@"
  is $((before + 1)) "$(git worktree list | wc -l)"
}
