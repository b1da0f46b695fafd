# SPDX-License-Identifier: Apache-2.0
"""Fuzz targets."""

load("@rules_cc//cc:cc_binary.bzl", "cc_binary")
load("@rules_cc//cc:cc_test.bzl", "cc_test")

def fuzz_target(name, srcs, deps):
    """Two programs of one LLVMFuzzerTestOneInput.

    `name` is the fuzzer, which needs clang: bazel run --config=fuzz //lock:holder_fuzz -- -max_total_time=60, or
    tools/fuzzing/fuzz for all of them. `name`_test runs in every `bazel test`, with any compiler: the inputs in
    testdata/corpus/`name`, and mutations of them.

    Args:
      name: the fuzzer's.
      srcs: what defines LLVMFuzzerTestOneInput.
      deps: theirs.
    """
    cc_binary(
        name = name,
        testonly = True,
        srcs = srcs,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        visibility = ["//:__subpackages__"],
        deps = deps,
    )
    cc_test(
        name = name + "_test",
        size = "medium",
        srcs = srcs,
        data = ["//testdata:corpus"],
        env = {"CORPUS": "testdata/corpus/" + name},
        deps = deps + ["//lock:replay"],
    )
