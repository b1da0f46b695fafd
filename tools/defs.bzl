# SPDX-License-Identifier: Apache-2.0
"""o8lock's rules.

    load("@o8lock//tools:defs.bzl", "o8lock_hooks")

    o8lock_hooks(name = "hooks")
"""

# `bazel run` starts it among its runfiles.
_SCRIPT = """\
#!/bin/sh
o8lock=$PWD/{o8lock}
cd "${{BUILD_WORKING_DIRECTORY:?start this with: bazel run {label}}}" || exit
case $# in
  0) exec "$o8lock" hooks install ;;
  1)
    case $1 in
      --check) exec "$o8lock" hooks status ;;
      --uninstall) exec "$o8lock" hooks uninstall ;;
    esac
    ;;
esac
echo "usage: bazel run {label} [-- --check | -- --uninstall]" >&2
exit 64
"""

def _o8lock_hooks_impl(ctx):
    script = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(
        script,
        _SCRIPT.format(
            label = "//%s:%s" % (ctx.label.package, ctx.label.name),
            o8lock = ctx.executable._o8lock.short_path,
        ),
        is_executable = True,
    )
    return [DefaultInfo(
        executable = script,
        runfiles = ctx.runfiles(files = [ctx.executable._o8lock]),
    )]

o8lock_hooks = rule(
    implementation = _o8lock_hooks_impl,
    attrs = {
        "_o8lock": attr.label(
            cfg = "target",
            default = Label("//tools:o8lock"),
            executable = True,
        ),
    },
    doc = """Installs o8lock's git hooks: `bazel run //:hooks`.

In the repository of the directory that `bazel run` is called in. `-- --check` tells whether they are installed and git calls
them, by its exit code too (0, or 71 when not); `-- --uninstall` takes them back. The hooks run a copy of o8lock in the git
directory, never one in Bazel's output.""",
    executable = True,
)
