# SPDX-License-Identifier: Apache-2.0
"""o8lock's rules for `bazel run`.

    load("@o8lock//tools:defs.bzl", "o8lock_hooks", "o8lock_run")

    o8lock_hooks(name = "hooks")

    o8lock_run(
        name = "agents",
        command = ["npx", "orchestr8", "parallel"],
    )

There is no rule for `bazel test`: a test has no repository around it, Bazel caches its result, and many tests run at once.
"""

# `bazel run` starts the script in the directory of its runfiles. The script executes o8lock in its own place, so no shell
# remains. The variable alone does not prove `bazel run`: the command of another target inherits it. But that command is in
# another directory, without this o8lock.
_PROLOGUE = """\
#!/bin/sh
o8lock=$PWD/{o8lock}
if [ -z "${{{variable}-}}" ] || ! [ -x "$o8lock" ]; then
  echo "start this target with: bazel run "{label} >&2
  exit 64
fi
export O8LOCK_BAZEL_PROGRAM={program}
"""

_PROGRAM = """\
cd "$BUILD_WORKING_DIRECTORY" || exit
exec "$o8lock" "$@"
"""

_HOOKS = """\
cd "$BUILD_WORKING_DIRECTORY" || exit
case $# in
  0) exec "$o8lock" hooks install ;;
  1)
    case $1 in
      --check) exec "$o8lock" hooks status ;;
      --uninstall) exec "$o8lock" hooks uninstall ;;
    esac
    ;;
esac
echo "usage: bazel run "{label}" [-- --check | -- --uninstall]" >&2
exit 64
"""

# The path of the binary is relative to the runfiles, so determine it before leaving them.
_BINARY = """\
binary=$PWD/{binary}
export RUNFILES_DIR="${{PWD%/*}}"
"""

_RUN = """\
cd "${variable}" || exit
export O8LOCK_BAZEL_TARGET="$# "{label}
exec "$o8lock" {arguments} "$@"
"""

_DIRECTORIES = {
    "invocation": "BUILD_WORKING_DIRECTORY",
    "workspace": "BUILD_WORKSPACE_DIRECTORY",
}

_DIGITS = "0123456789"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# The same limit as in tools/cli/options.cc.
_MAX_CONCURRENCY = 1000000

_O8LOCK = attr.label(
    cfg = "target",
    default = Label("//tools:o8lock"),
    executable = True,
)

def _quoted(text):
    return "'%s'" % text.replace("'", "'\\''")

def _typed(label):
    """Returns `label` as a user of the main repository types it, quoted. Its form depends on Bazel's version."""
    text = label.to_display_form() if hasattr(label, "to_display_form") else str(label)
    return _quoted(text[text.index("//"):] if text.split("//")[0] in ["@", "@@"] else text)

def _label(ctx):
    alias = getattr(ctx.attr, "alias", "")
    label = _typed(ctx.label)
    return label.replace("//%s:%s" % (ctx.label.package, ctx.label.name), alias) if alias else label

def _launcher(ctx, variable, script, runfiles):
    """Writes a script for `bazel run`. It checks that `variable` is set, and runs `script` with o8lock's path in $o8lock."""
    launcher = ctx.actions.declare_file(ctx.label.name)
    prologue = _PROLOGUE.format(
        label = _label(ctx),
        o8lock = _quoted(ctx.executable._o8lock.short_path),
        program = _typed(Label("//:o8lock")),
        variable = variable,
    )
    ctx.actions.write(launcher, prologue + script, is_executable = True)
    return [DefaultInfo(
        executable = launcher,
        runfiles = runfiles.merge(ctx.runfiles(files = [ctx.executable._o8lock])),
    )]

def _consists_of(text, letters):
    return all([letter in letters for letter in text.elems()])

def _is_number(text):
    whole, point, fraction = text.partition(".")
    return whole != "" and (fraction != "" or not point) and _consists_of(whole + fraction, _DIGITS)

def _is_duration(text):
    """Returns whether `text` is a time (tools/cli/duration.h): seconds, or numbers with units d, h, m and s in this order."""
    if _is_number(text):
        return True
    rest = text
    for unit in ["d", "h", "m", "s"]:
        number, found, behind = rest.partition(unit)
        if found and _is_number(number):
            rest = behind
    return rest == "" and text != ""

def _check(ctx):
    """Fails if o8lock would reject an attribute, so the build reports the error."""
    if bool(ctx.attr.binary) == bool(ctx.attr.command):
        fail("%s: give either binary or command" % ctx.label)
    name = ctx.attr.lock_name
    if name.startswith(".") or not _consists_of(name, _LETTERS + _DIGITS + "._-"):
        fail("%s: lock_name must consist of letters, digits, '.', '_' and '-' and must not begin with '.', but is '%s'" % (ctx.label, name))
    if ctx.attr.wait not in ["", "forever"] and not _is_duration(ctx.attr.wait):
        fail("%s: wait must be a time such as 90s, 10m or 1h30m, or forever, but is '%s'" % (ctx.label, ctx.attr.wait))
    if ctx.attr.max_concurrency < 0 or ctx.attr.max_concurrency > _MAX_CONCURRENCY:
        fail("%s: max_concurrency must be from 1 to %d, but is %d" % (ctx.label, _MAX_CONCURRENCY, ctx.attr.max_concurrency))
    for variable in ctx.attr.env:
        if not variable or variable[0] in _DIGITS or not _consists_of(variable, _LETTERS + _DIGITS + "_"):
            fail("%s: env must map names of variables, but has '%s'" % (ctx.label, variable))

def _expanded(ctx, attribute, value):
    return ctx.expand_make_variables(attribute, ctx.expand_location(value, ctx.attr.data), {})

def _o8lock_run_impl(ctx):
    _check(ctx)
    script = ""
    for variable, value in ctx.attr.env.items():
        script += "export %s=%s\n" % (variable, _quoted(_expanded(ctx, "env", value)))
    runfiles = ctx.runfiles(files = ctx.files.data)
    for target in ctx.attr.data:
        runfiles = runfiles.merge(target[DefaultInfo].default_runfiles)
    if ctx.attr.binary:
        script += _BINARY.format(binary = _quoted(ctx.executable.binary.short_path))
        runfiles = runfiles.merge(ctx.attr.binary[DefaultInfo].default_runfiles)
        command = ["\"$binary\""]
    else:
        command = [_quoted(argument) for argument in ctx.attr.command]
    for arg in ctx.attr.first_args:
        command += [_quoted(argument) for argument in ctx.tokenize(_expanded(ctx, "args", arg))]
    options = []
    if ctx.attr.lock_name:
        options.append("--name=" + ctx.attr.lock_name)
    if ctx.attr.wait == "forever":
        options.append("--wait")
    elif ctx.attr.wait:
        options.append("--wait=" + ctx.attr.wait)
    if ctx.attr.max_concurrency:
        options.append("--max-concurrency=%d" % ctx.attr.max_concurrency)
    for feature in ctx.attr.feature_names:
        options.append("--feature=" + feature)
    variable = _DIRECTORIES[ctx.attr.working_directory]
    script += _RUN.format(
        label = _label(ctx),
        variable = variable,
        arguments = " ".join([_quoted(option) for option in options] + ["--"] + command),
    )
    return _launcher(ctx, variable, script, runfiles)

_o8lock_run = rule(
    implementation = _o8lock_run_impl,
    attrs = {
        "binary": attr.label(
            cfg = "target",
            doc = "The executable target to run. It finds its runfiles through RUNFILES_DIR.",
            executable = True,
        ),
        "command": attr.string_list(
            doc = "The program to run, found in PATH, and its first arguments, passed unchanged.",
        ),
        "data": attr.label_list(
            allow_files = True,
            doc = "The files used by args, env and the program.",
        ),
        "env": attr.string_dict(
            doc = "Environment variables. Bazel expands $(execpath LABEL) and its own variables in the values.",
        ),
        "feature_names": attr.string_list(
            doc = "The features to write into the lock file.",
        ),
        "first_args": attr.string_list(
            doc = "The arguments before those after -- of bazel run.",
        ),
        "lock_name": attr.string(
            doc = "The name of the lock. If empty, parallel.",
        ),
        "max_concurrency": attr.int(
            doc = "The concurrency to write into the lock file. If 0, o8lock's default.",
        ),
        "wait": attr.string(
            doc = "The maximum time to wait for the lock, such as 90s, 10m or 1h30m, or forever. If empty, a held lock is an error at once.",
        ),
        "working_directory": attr.string(
            default = "workspace",
            doc = "The directory to run in: the root of the workspace (workspace), or the directory of the `bazel run` (invocation).",
            values = sorted(_DIRECTORIES),
        ),
        "_o8lock": _O8LOCK,
    },
    doc = "See o8lock_run.",
    executable = True,
)

def o8lock_run(name, args = [], features = [], **kwargs):
    """Runs a command under the lock of the repository: `bazel run //tools:agents -- feat-a feat-b`.

    The command has the user's terminal, standard streams and signals, as if started by hand. `bazel run` returns its exit code,
    or 75 if another run holds the lock. The arguments after `--` become the last arguments of the command, unchanged.

    The lock belongs to the git repository around working_directory. All worktrees of the repository share it. Bazel can be used
    while the command runs. A Bazel server started by the command does not keep the lock.

    The command does not run in its runfiles. In `args` and `env`, use $(execpath LABEL) for a file: this path is valid in the
    root of the workspace.

    Args:
      name: the name of the target.
      args: the arguments before those after `--`, expanded and split as for every rule.
      features: the features to write into the lock file. From an orchestr8 command line o8lock reads them itself.
      **kwargs: the attributes of every rule, such as `tags` and `visibility`, and these:
        `binary`: the executable target to run.
        `command`: the program to run and its first arguments. Give either `binary` or `command`.
        `data`: the files used by `args`, `env` and the program.
        `env`: a dict of environment variables.
        `lock_name`: the name of the lock, by default parallel.
        `max_concurrency`: the concurrency to write into the lock file.
        `wait`: the maximum time to wait for the lock, such as 10m, or forever. Without it, a held lock is an error at once.
        `working_directory`: workspace (its root, the default) or invocation (the directory of the `bazel run`).
    """
    _o8lock_run(
        name = name,
        first_args = args,
        feature_names = features,  # `features` of a rule selects features of its toolchains
        **kwargs
    )

def _o8lock_hooks_impl(ctx):
    return _launcher(ctx, "BUILD_WORKING_DIRECTORY", _HOOKS.format(label = _label(ctx)), ctx.runfiles())

o8lock_hooks = rule(
    implementation = _o8lock_hooks_impl,
    attrs = {
        "alias": attr.string(
            doc = "The label of the alias by which users know this target. The alias is in the same repository.",
        ),
        "_o8lock": _O8LOCK,
    },
    doc = """Installs o8lock's git hooks: `bazel run //:hooks`.

They are installed in the repository around the directory of the `bazel run`. `-- --check` exits with 0 if they are installed
and effective, with 1 if they are not installed, and with 71 if they are installed, but not effective. `-- --uninstall` removes
them. The hooks run a copy of o8lock in the git directory, never the one in Bazel's output.""",
    executable = True,
)

def _o8lock_program_impl(ctx):
    return _launcher(ctx, "BUILD_WORKING_DIRECTORY", _PROGRAM, ctx.runfiles())

# For `bazel run @o8lock//:o8lock`. Bazel would start the program itself in its runfiles, so it would lock
# that directory and run the command there.
o8lock_program = rule(
    implementation = _o8lock_program_impl,
    attrs = {"_o8lock": _O8LOCK},
    doc = "The program o8lock, started in the directory of the `bazel run`.",
    executable = True,
)
