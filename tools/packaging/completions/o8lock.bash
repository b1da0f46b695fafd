# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# o8lock's completion for bash. It needs no other package. With bash-completion it uses the wrapped command's own completion.

# _o8lock_offer WORD...: offers the words beginning with $cur. compgen -W would execute command substitutions in a word.
_o8lock_offer() {
  local word
  for word; do
    [[ $word != "$cur"* ]] || COMPREPLY+=("$prefix$word")
  done
}

# Offers the names of this repository's locks, including unused ones.
_o8lock_offer_names() {
  local dir guard
  dir=$(git rev-parse --git-common-dir 2>/dev/null) || return
  for guard in "$dir"/o8lock/*.guard; do
    guard=${guard##*/}
    [[ $guard == *[!A-Za-z0-9._-]* ]] || _o8lock_offer "${guard%.guard}"
  done
}

# _o8lock_command INDEX: completes the command beginning at that word as if it stood alone.
_o8lock_command() {
  if declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif ((COMP_CWORD == $1)); then
    mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
  else
    compopt -o default
  fi
}

_o8lock() {
  local line=${COMP_LINE:0:COMP_POINT} rest part i
  local words=("${COMP_WORDS[0]}") starts=(0)
  COMPREPLY=()
  # Readline also splits words at "=" and ":". Join the parts without a blank between them.
  line=${line#*"${COMP_WORDS[0]}"}
  for ((i = 1; i <= COMP_CWORD; i++)); do
    rest=${line#"${line%%[![:space:]]*}"}
    part=${COMP_WORDS[i]}
    ((i < COMP_CWORD)) || part=$rest
    if [[ $rest == "$line" ]]; then
      words[${#words[@]} - 1]+=$part
    else
      words+=("$part")
      starts+=("$i")
    fi
    line=${rest#"$part"}
  done

  local cur=${words[${#words[@]} - 1]} prefix='' option='' verbs=''
  for ((i = 1; i < ${#words[@]} - 1; i++)); do
    if [[ -n $option ]]; then
      option=
      continue
    fi
    case ${words[i]} in
      --)
        _o8lock_command "${starts[i + 1]}"
        return
        ;;
      --conflict-exit-code | --feature | --kill-after | --leftovers | --lock-file | --max-concurrency | --name | --publish)
        option=${words[i]}
        ;;
      -*)
        # Only the last letter can take the next word as its value. The letters after -w, -n or -E would be their value.
        [[ ${words[i]} =~ ^-[fhqvy]*[En]$ ]] && option=-${words[i]: -1}
        ;;
      *) verbs+=" ${words[i]}" ;;
    esac
  done
  if [[ -z $option && $cur == --*=* ]]; then
    option=${cur%%=*}
    cur=${cur#*=}
    [[ $COMP_WORDBREAKS == *=* ]] || prefix=$option=
  fi

  case $option in
    -n | --name) _o8lock_offer_names ;;
    --publish) _o8lock_offer always auto never ;;
    --leftovers) _o8lock_offer keep kill release wait ;;
    --lock-file) compopt -o default ;;
    ?*) ;;
    *)
      case $verbs/$cur in
        */-*)
          _o8lock_offer --conflict-exit-code --feature --force --help --json --kill-after --leftovers --lock-file \
            --max-concurrency --name --publish --quiet --verbose --version --wait --yes
          ;;
        /*) _o8lock_offer -- doctor help hooks status unlock ;;
        ' help/'*) _o8lock_offer doctor hooks status unlock ;;
        ' hooks/'* | ' help hooks/'*) _o8lock_offer install run status uninstall ;;
      esac
      ;;
  esac
}

complete -F _o8lock o8lock
