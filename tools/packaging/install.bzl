# SPDX-License-Identifier: Apache-2.0
"""`bazel run //tools:install`, without a rule set for shell scripts."""

# `bazel run` starts it among its runfiles.
_LAUNCHER = """\
#!/bin/sh
exec {files} "$@"
"""

def _install_impl(ctx):
    launcher = ctx.actions.declare_file(ctx.label.name)
    files = [ctx.file.script, ctx.executable.program, ctx.file.man_page, ctx.file.bash, ctx.file.zsh, ctx.file.fish]
    ctx.actions.write(
        launcher,
        _LAUNCHER.format(files = " ".join(["\"$PWD/%s\"" % file.short_path for file in files])),
        is_executable = True,
    )
    return [DefaultInfo(
        executable = launcher,
        runfiles = ctx.runfiles(files = files),
    )]

_FILE = attr.label(allow_single_file = True, mandatory = True)

install = rule(
    implementation = _install_impl,
    attrs = {
        "bash": _FILE,
        "fish": _FILE,
        "man_page": _FILE,
        "program": attr.label(
            cfg = "target",
            executable = True,
            mandatory = True,
        ),
        "script": _FILE,
        "zsh": _FILE,
    },
    doc = "Runs `script` with the other files and what the user adds.",
    executable = True,
)
