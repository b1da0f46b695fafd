# SPDX-License-Identifier: Apache-2.0
"""`bazel run //tools:install`, without a rule set for shell scripts."""

def _install_impl(ctx):
    # The archive of a release contains the same tree, so one script serves both.
    tree = ctx.label.name + ".tree/"
    script = ctx.actions.declare_file(tree + "install.sh")
    ctx.actions.symlink(output = script, target_file = ctx.file.script, is_executable = True)
    outputs = [script]
    for target, place in ctx.attr.files.items():
        output = ctx.actions.declare_file(tree + place)
        ctx.actions.symlink(output = output, target_file = target.files.to_list()[0])
        outputs.append(output)
    return [DefaultInfo(
        executable = script,
        runfiles = ctx.runfiles(files = outputs),
    )]

install = rule(
    implementation = _install_impl,
    attrs = {
        "files": attr.label_keyed_string_dict(
            allow_files = True,
            doc = "The files, each with its path in the tree. `script` installs those in bin/ and share/.",
            mandatory = True,
        ),
        "script": attr.label(
            allow_single_file = True,
            doc = "The shell script to run. Its path in the tree is install.sh.",
            mandatory = True,
        ),
    },
    doc = "Runs `script` beside a tree of `files`.",
    executable = True,
)
