# SPDX-License-Identifier: Apache-2.0
#
# o8lock's completion for fish.

# Whether the words before the cursor are $argv, apart from options and their values.
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

# The names of this repository's locks, past ones included.
function __o8lock_names
    set -l dir (git rev-parse --git-common-dir 2>/dev/null); or return
    for guard in $dir/o8lock/*.guard
        string replace -rf '.*/([A-Za-z0-9._-]+)\.guard$' '$1' -- $guard
    end
end

complete -c o8lock -f
complete -c o8lock -a '(__o8lock_command)'

complete -c o8lock -n __o8lock_follows -a -- -d 'Run the command that follows'
complete -c o8lock -n __o8lock_follows -a status -d 'Tell who has the lock'
complete -c o8lock -n __o8lock_follows -a unlock -d 'Take the lock away from its holder'
complete -c o8lock -n __o8lock_follows -a doctor -d 'Try out whether locks work here'
complete -c o8lock -n __o8lock_follows -a hooks -d 'Git\'s hooks that refuse worktrees during a run'
complete -c o8lock -n __o8lock_follows -a help -d 'Tell how a verb is used'
complete -c o8lock -n '__o8lock_follows help' -a 'status unlock doctor hooks'

complete -c o8lock -n '__o8lock_follows hooks; or __o8lock_follows help hooks' -a install -d 'Make git call the hooks'
complete -c o8lock -n '__o8lock_follows hooks; or __o8lock_follows help hooks' -a uninstall -d 'Take them out'
complete -c o8lock -n '__o8lock_follows hooks; or __o8lock_follows help hooks' -a status -d 'Tell whether git calls them'
complete -c o8lock -n '__o8lock_follows hooks; or __o8lock_follows help hooks' -a run -d 'What git calls'

complete -c o8lock -s w -l wait -d 'Wait for a lock that is held'
complete -c o8lock -s f -l force -d 'Override a lock that is held, after asking'
complete -c o8lock -s y -l yes -d 'Do not ask'
complete -c o8lock -s n -l name -x -a '(__o8lock_names)' -d 'Another lock of the same repository'
complete -c o8lock -l lock-file -r -F -d 'This lock file instead of the repository\'s'
complete -c o8lock -l feature -x -d 'Put into the lock file as a feature'
complete -c o8lock -l max-concurrency -x -d 'Put into the lock file'
complete -c o8lock -l publish -x -a 'always auto never' -d 'Whether to write the lock file'
complete -c o8lock -l leftovers -x -a 'keep kill release wait' -d 'Processes that the command leaves'
complete -c o8lock -l kill-after -x -d 'With --leftovers=kill: when to send SIGKILL'
complete -c o8lock -s E -l conflict-exit-code -x -d 'Exit code when the lock is held'
complete -c o8lock -s q -l quiet -d 'No warnings'
complete -c o8lock -s v -l verbose -d 'Tell when the lock is taken and released'
complete -c o8lock -l json -d 'With status, doctor and hooks status'
complete -c o8lock -s h -l help -d 'Tell how it is used'
complete -c o8lock -l version -d 'Tell the version'
