# SPDX-License-Identifier: Apache-2.0
"""o8lock's rules, for `bazel run`.

    load("@o8lock//tools:defs.bzl", "o8lock_hooks", "o8lock_run")

    o8lock_hooks(name = "hooks")

    o8lock_run(
        name = "agents",
        command = ["npx", "orchestr8", "parallel"],
    )

There is none for `bazel test`: a test has no repository around it, its result is kept, and many run at once.
"""

# `bazel run` starts it among its runfiles, and it makes room for o8lock: no shell stays behind. Who sets the variable without
# being `bazel run`, such as a command that was started by it, stands somewhere else.
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

# What is started is found from the runfiles, so before leaving them.
_BINARY = """\
binary=$PWD/{binary}
export RUNFILES_DIR="${{PWD%/*}}"
"""

_RUN = """\
cd "${variable}" || exit
export O8LOCK_BAZEL_TARGET="$# "{label}
exec "$o8lock" {words} "$@"
"""

_DIRECTORIES = {
    "invocation": "BUILD_WORKING_DIRECTORY",
    "workspace": "BUILD_WORKSPACE_DIRECTORY",
}

_DIGITS = "0123456789"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# As tools/cli/options.cc has them.
_MAX_CONCURRENCY = 1000000
_MAX_NUMBER = 2147483647

_O8LOCK = attr.label(
    cfg = "target",
    default = Label("//tools:o8lock"),
    executable = True,
)

def _quoted(word):
    return "'%s'" % word.replace("'", "'\\''")

def _typed(label):
    """`label` as a user of the main repository can type it, quoted: only Bazel knows, and that depends on the version."""
    text = label.to_display_form() if hasattr(label, "to_display_form") else str(label)
    return _quoted(text[text.index("//"):] if text.split("//")[0] in ["@", "@@"] else text)

def _label(ctx):
    alias = getattr(ctx.attr, "alias", "")
    label = _typed(ctx.label)
    return label.replace("//%s:%s" % (ctx.label.package, ctx.label.name), alias) if alias else label

def _launcher(ctx, variable, script, runfiles):
    """A script to `bazel run`: `script`, which starts among the runfiles and knows o8lock as $o8lock, given `variable`."""
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

def _is_duration(text):
    """Whether o8lock takes `text`, such as 90s or 1h30m, for a time."""
    if text == "0":
        return True
    rest = text
    for unit in ["h", "m", "s"]:
        number, found, behind = rest.partition(unit)
        if found and number and _consists_of(number, _DIGITS):
            if len(number) > 10 or int(number) > _MAX_NUMBER:
                return False
            rest = behind
    return rest == "" and text != ""

def _check(ctx):
    """Fails if an attribute is not as o8lock would have it: before somebody runs it."""
    if bool(ctx.attr.binary) == bool(ctx.attr.command):
        fail("%s: give exactly one of binary and command" % ctx.label)
    name = ctx.attr.lock_name
    if name.startswith(".") or not _consists_of(name, _LETTERS + _DIGITS + "._-"):
        fail("%s: lock_name must consist of letters, digits, '.', '_' and '-' and not begin with '.', not '%s'" % (ctx.label, name))
    if ctx.attr.wait not in ["", "forever"] and not _is_duration(ctx.attr.wait):
        fail("%s: wait must be a time such as 90s, 10m or 1h30m, or forever, not '%s'" % (ctx.label, ctx.attr.wait))
    if ctx.attr.max_concurrency < 0 or ctx.attr.max_concurrency > _MAX_CONCURRENCY:
        fail("%s: max_concurrency must be a number from 1 to %d, not %d" % (ctx.label, _MAX_CONCURRENCY, ctx.attr.max_concurrency))
    for variable in ctx.attr.env:
        if not variable or variable[0] in _DIGITS or not _consists_of(variable, _LETTERS + _DIGITS + "_"):
            fail("%s: env has an invalid variable name: '%s'" % (ctx.label, variable))

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
        command = [_quoted(word) for word in ctx.attr.command]
    for arg in ctx.attr.first_args:
        command += [_quoted(word) for word in ctx.tokenize(_expanded(ctx, "args", arg))]
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
        words = " ".join([_quoted(option) for option in options] + ["--"] + command),
    )
    return _launcher(ctx, variable, script, runfiles)

_o8lock_run = rule(
    implementation = _o8lock_run_impl,
    attrs = {
        "binary": attr.label(
            cfg = "target",
            doc = "The executable target to run. It finds its runfiles by RUNFILES_DIR.",
            executable = True,
        ),
        "command": attr.string_list(
            doc = "The program to run, searched for in PATH, and its first arguments, unchanged.",
        ),
        "data": attr.label_list(
            allow_files = True,
            doc = "Files that args, env and the program may refer to.",
        ),
        "env": attr.string_dict(
            doc = "Environment variables; $(execpath LABEL) and Bazel's own variables are expanded.",
        ),
        "feature_names": attr.string_list(
            doc = "The features to list in the lock file.",
        ),
        "first_args": attr.string_list(
            doc = "The first arguments of the command, before those behind -- of bazel run.",
        ),
        "lock_name": attr.string(
            doc = "The name of another lock of the repository, instead of parallel.",
        ),
        "max_concurrency": attr.int(
            doc = "The maxConcurrency to write into the lock file; 0: the default.",
        ),
        "wait": attr.string(
            doc = "The time to wait for the lock, such as 90s, 10m or 1h30m, or forever; without it, do not wait.",
        ),
        "working_directory": attr.string(
            default = "workspace",
            doc = "The directory to run in: the root of the workspace, or the directory of `bazel run` (invocation).",
            values = sorted(_DIRECTORIES),
        ),
        "_o8lock": _O8LOCK,
    },
    doc = "See o8lock_run.",
    executable = True,
)

def o8lock_run(name, args = [], features = [], **kwargs):
    """Runs a command under the lock of the repository: `bazel run //tools:agents -- feat-a feat-b`.

    The command has the terminal, the standard streams and the signals as if it had been started by hand, its exit code is that
    of `bazel run`, and what stands behind `--` are its last arguments, to the byte. When the lock is held the exit code is 75.
    Which lock: that of the git repository that working_directory is in, one for all its worktrees. While it runs, Bazel can be
    used; a Bazel server that is started inside does not keep the lock.

    `args` comes before what stands behind `--`. The command does not run among its runfiles, so
    for a file use $(execpath LABEL), which leads there from the root of the workspace.

    Args:
      name: the target's.
      args: as everywhere in Bazel.
      features: what the lock file says of the features. Of an orchestr8 o8lock reads them from its arguments.
      **kwargs: exactly one of `binary`, an executable target, and `command`, a list of a program and its first arguments;
        `data`; `env`, a dict; `lock_name`; `max_concurrency`; `wait`: a time such as 10m, or forever, else a lock that is
        held is a refusal at once; `working_directory`: workspace (the root; the default) or invocation (where `bazel run` was
        called); and what every rule has, such as `tags` and `visibility`.
    """
    _o8lock_run(
        name = name,
        first_args = args,
        feature_names = features,  # every rule has another attribute of that name, for its toolchains
        **kwargs
    )

def _o8lock_hooks_impl(ctx):
    return _launcher(ctx, "BUILD_WORKING_DIRECTORY", _HOOKS.format(label = _label(ctx)), ctx.runfiles())

o8lock_hooks = rule(
    implementation = _o8lock_hooks_impl,
    attrs = {
        "alias": attr.string(
            doc = "The label to show to users, if they know this target by an alias in the same repository.",
        ),
        "_o8lock": _O8LOCK,
    },
    doc = """Installs o8lock's git hooks: `bazel run //:hooks`.

In the repository of the directory that `bazel run` is called in. `-- --check` tells whether they are installed and git calls
them, by its exit code too (0, or 71 when not); `-- --uninstall` takes them back. The hooks run a copy of o8lock in the git
directory, never one in Bazel's output.""",
    executable = True,
)

def _o8lock_program_impl(ctx):
    return _launcher(ctx, "BUILD_WORKING_DIRECTORY", _PROGRAM, ctx.runfiles())

# What `bazel run @o8lock//:o8lock` is: the program itself would start among its runfiles, and lock, or run in, that directory.
o8lock_program = rule(
    implementation = _o8lock_program_impl,
    attrs = {"_o8lock": _O8LOCK},
    doc = "The whole of o8lock, in the directory that `bazel run` is called in.",
    executable = True,
)
