# SPDX-License-Identifier: Apache-2.0
#
# o8lock's completion for fish.

# Tests whether the words before the cursor, without options and their values, are $argv.
function __o8lock_follows
    set -l with_value '^(-[fhqvy]*[En]|--(conflict-exit-code|feature|kill-after|leftovers|lock-file|max-concurrency|name|publish))$'
    set -l words
    set -l is_value no
    for word in (commandline -opc)[2..-1]
        if test $is_value = yes
            set is_value no
        else if string match -qr -- $with_value $word
            set is_value yes
        else if not string match -qr -- '^-.' $word; or test $word = --
            set -a words $word
        end
    end
    test "$words" = "$argv"
end

# Completes the command after -- as if it stood alone.
function __o8lock_command
    set -l words (commandline -opc)
    set -l end (contains -i -- -- $words); or return
    set -e words[1..$end]
    set words (string escape -- $words) (commandline -ct)
    complete -C "$words"
end

# Prints the names of this repository's locks, including unused ones.
function __o8lock_names
    set -l dir (git rev-parse --git-common-dir 2>/dev/null); or return
    for guard in $dir/o8lock/*.guard
        string replace -rf '.*/([A-Za-z0-9._-]+)\.guard$' '$1' -- $guard
    end
end

complete -c o8lock -f
complete -c o8lock -a '(__o8lock_command)'

complete -c o8lock -n __o8lock_follows -a -- -d 'Run a command under the lock'
complete -c o8lock -n __o8lock_follows -a status -d 'Show the holder of the lock'
complete -c o8lock -n __o8lock_follows -a unlock -d 'Remove the lock'
complete -c o8lock -n __o8lock_follows -a doctor -d 'Find problems'
complete -c o8lock -n __o8lock_follows -a hooks -d 'Install git hooks that refuse worktrees during another run'
complete -c o8lock -n __o8lock_follows -a help -d 'Show the usage of a verb'
complete -c o8lock -n '__o8lock_follows help' -a 'status unlock doctor hooks'

complete -c o8lock -n '__o8lock_follows hooks; or __o8lock_follows help hooks' -a install -d 'Make git call the hooks'
complete -c o8lock -n '__o8lock_follows hooks; or __o8lock_follows help hooks' -a uninstall -d 'Remove the hooks'
complete -c o8lock -n '__o8lock_follows hooks; or __o8lock_follows help hooks' -a status -d 'Show whether git calls the hooks'
complete -c o8lock -n '__o8lock_follows hooks; or __o8lock_follows help hooks' -a run -d 'Run a hook; only git calls this'

complete -c o8lock -s w -l wait -d 'Wait for the lock'
complete -c o8lock -s f -l force -d 'Override a held lock, after a question'
complete -c o8lock -s y -l yes -d 'Do not ask'
complete -c o8lock -s n -l name -x -a '(__o8lock_names)' -d 'Use another lock of the same repository'
complete -c o8lock -l lock-file -r -F -d 'Use this lock file instead of the repository\'s'
complete -c o8lock -l feature -x -d 'List a feature in the lock file'
complete -c o8lock -l max-concurrency -x -d 'Write a number into the lock file'
complete -c o8lock -l publish -x -a 'always auto never' -d 'Select when to write the lock file'
complete -c o8lock -l leftovers -x -a 'keep kill release wait' -d 'Handle surviving processes'
complete -c o8lock -l kill-after -x -d 'Send SIGKILL after this time, with --leftovers=kill'
complete -c o8lock -s E -l conflict-exit-code -x -d 'Exit with this code instead of 75'
complete -c o8lock -s q -l quiet -d 'Print no warnings and no refusal'
complete -c o8lock -s v -l verbose -d 'Report when the lock is taken and released'
complete -c o8lock -l json -d 'Print JSON, for status, doctor and hooks status'
complete -c o8lock -s h -l help -d 'Print the usage'
complete -c o8lock -l version -d 'Print the version'
