#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs o8lock, its man page and its completions under a prefix, or removes them. The files have the same paths below this
# script's directory, both in an unpacked archive and under `bazel run //tools:install`.

set -eu

usage() {
  echo "usage: install.sh [--prefix DIRECTORY] [--uninstall]" >&2
  exit 64
}

fail() {
  echo "o8lock: error: $1" >&2
  exit 73
}

# put PLACE MODE: installs the file in one step. Running processes keep the old program. Replaces a symbolic link, and does not
# follow it.
put() {
  to=$prefix/$1
  if mkdir -p -- "${to%/*}" && new=$(mktemp -- "${to%/*}/.o8lock.XXXXXX") && cp -- "$here/$1" "$new" && chmod -- "$2" "$new" &&
    mv -fT -- "$new" "$to"; then
    echo "installed: $to"
  else
    fail "cannot write $to"
  fi
}

# take PLACE: removes the file.
take() {
  to=$prefix/$1
  if ! [ -e "$to" ] && ! [ -h "$to" ]; then
    echo "not there: $to"
  elif rm -f -- "$to"; then
    echo "removed: $to"
  else
    fail "cannot remove $to"
  fi
}

here=$(dirname -- "$0")
prefix=${HOME:+$HOME/.local}
do=put
while [ $# -gt 0 ]; do
  case $1 in
    --prefix)
      [ $# -gt 1 ] || usage
      prefix=$2
      shift
      ;;
    --uninstall) do=take ;;
    *) usage ;;
  esac
  shift
done
case $prefix in
  '') usage ;;
  /*) ;;
  *) prefix=${BUILD_WORKING_DIRECTORY:-$PWD}/$prefix ;;
esac
prefix=${prefix%/}

new=
trap 'rm -f -- "$new"' EXIT
trap 'exit 1' HUP INT TERM

$do bin/o8lock 755
$do share/man/man1/o8lock.1 644
$do share/bash-completion/completions/o8lock 644
$do share/zsh/site-functions/_o8lock 644
$do share/fish/vendor_completions.d/o8lock.fish 644
$do share/doc/o8lock/examples/with-etcd 755

[ "$do" = put ] || exit 0
case :$PATH: in
  *:"$prefix/bin":* | *:"$prefix/bin/":*) ;;
  *) echo "$prefix/bin is not in PATH" ;;
esac
