# SPDX-License-Identifier: Apache-2.0
"""The distribution's libraries under the names they have in the Bazel Central Registry (--config=system).

With these stand-ins Bazel downloads nothing. They contain no code: the compiler finds the headers in /usr/include, and a
library is an option for the linker. They are made for Debian's and Ubuntu's libabsl-dev, libbenchmark-dev, libgmock-dev and
rapidjson-dev, and for their own Bazel, 4.2.3. This Bazel would also download rules for C++ and Java. The stand-ins for these
are its built-in rules.
"""

load(":downloads.bzl", "o8lock_deps")

_SWITCH = "O8LOCK_SYSTEM_LIBS"

def _system_libs_switch_impl(ctx):
    ctx.file("BUILD.bazel")
    ctx.file("switch.bzl", "SYSTEM_LIBS = %s\n" % (ctx.os.environ.get(_SWITCH) == "1"))

system_libs_switch = repository_rule(
    doc = "Turns the environment variable set by --config=system into a constant to load: SYSTEM_LIBS in switch.bzl.",
    implementation = _system_libs_switch_impl,
    environ = [_SWITCH],
)

def _files_impl(ctx):
    for path, content in ctx.attr.files.items():
        ctx.file(path, content, executable = False)

_files = repository_rule(
    doc = "A repository of the given files.",
    implementation = _files_impl,
    attrs = {"files": attr.string_dict(mandatory = True)},
)

def _library(name, linkopts = [], deps = []):
    return "cc_library(name = %r, linkopts = %r, visibility = [\"//visibility:public\"], deps = %r)\n" % (name, linkopts, deps)

def _native(rules):
    return "".join(["%s = native.%s\n" % (rule, rule) for rule in rules])

# The archives differ between releases of Abseil, so list the existing ones.
_LIST_ARCHIVES = "for f in /usr/lib/libabsl_*.a /usr/lib/*/libabsl_*.a; do [ ! -e \"$f\" ] || echo \"${f##*/}\"; done"

def _abseil_impl(ctx):
    archives = ctx.execute(["sh", "-c", _LIST_ARCHIVES]).stdout.split("\n")[:-1]
    if not archives:
        fail("--config=system: no libabsl_*.a in /usr/lib; install libabsl-dev, libgmock-dev and rapidjson-dev")

    # In a group the order of the archives does not matter. `-l:` selects the archives of libabsl-dev. With its shared
    # libraries every program would start several times slower.
    linkopts = ["-Wl,--start-group"] + ["-l:" + archive for archive in archives] + ["-Wl,--end-group", "-pthread"]
    ctx.file("BUILD.bazel", _library("archives", linkopts = linkopts))
    for package, targets in ctx.attr.packages.items():
        ctx.file(package + "/BUILD.bazel", "".join([_library(target, deps = ["//:archives"]) for target in targets]))

_abseil = repository_rule(
    doc = "Abseil: the given targets of each package.",
    implementation = _abseil_impl,
    attrs = {"packages": attr.string_list_dict(mandatory = True)},
    local = True,  # look again when Bazel starts: libabsl-dev may have been upgraded
)

def system_libs():
    """Declares the stand-ins, for the WORKSPACE of a repository that uses o8lock on such a system."""
    cc_rules = ["cc_binary", "cc_library", "cc_test"]
    rules_cc = {"cc/%s.bzl" % rule: _native([rule]) for rule in cc_rules}
    rules_cc["cc/BUILD.bazel"] = ""

    # @bazel_tools needs defs.bzl, here and for Java.
    rules_cc["cc/defs.bzl"] = _native(cc_rules + ["cc_import", "cc_toolchain", "cc_toolchain_suite"])
    _files(name = "rules_cc", files = rules_cc)
    _files(
        name = "rules_java",
        files = {
            "java/BUILD.bazel": "",
            "java/defs.bzl": _native(["java_binary", "java_import", "java_library", "java_runtime", "java_toolchain"]),
        },
    )

    # Every test depends on these two, but only `bazel coverage` runs them.
    _files(
        name = "remote_coverage_tools",
        files = {"BUILD.bazel": _library("coverage_report_generator") + _library("lcov_merger")},
    )

    # Only the targets named in o8lock's BUILD files.
    _abseil(
        name = "abseil-cpp",
        packages = {
            "absl/algorithm": ["container"],
            "absl/base": ["config", "core_headers"],
            "absl/cleanup": ["cleanup"],
            "absl/container": ["flat_hash_map", "flat_hash_set"],
            "absl/functional": ["any_invocable", "function_ref"],
            "absl/status": ["status", "statusor"],
            "absl/strings": ["cord", "str_format", "string_view", "strings"],
            "absl/time": ["time"],
            "absl/types": ["span"],
        },
    )
    _files(
        name = "googletest",
        files = {
            "BUILD.bazel": _library("gtest", linkopts = ["-lgmock", "-lgtest", "-pthread"]) +
                           _library("gtest_main", linkopts = ["-lgmock_main"], deps = [":gtest"]),
        },
    )
    _files(name = "google_benchmark", files = {"BUILD.bazel": _library("benchmark", linkopts = ["-lbenchmark"])})
    _files(name = "rapidjson", files = {"BUILD.bazel": _library("rapidjson")})

def system_libs_or_deps(use_system_libs):
    """Declares the dependencies of this repository's own WORKSPACE.

    Args:
      use_system_libs: SYSTEM_LIBS of a system_libs_switch. True declares the stand-ins, False the downloads.
    """
    if use_system_libs:
        system_libs()
    else:
        o8lock_deps()
