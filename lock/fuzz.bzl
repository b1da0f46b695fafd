# SPDX-License-Identifier: Apache-2.0
"""Fuzz targets and their tests."""

load("@rules_cc//cc:cc_binary.bzl", "cc_binary")
load("@rules_cc//cc:cc_test.bzl", "cc_test")

def fuzz_target(name, srcs, deps):
    """Defines a fuzzer and a test for one LLVMFuzzerTestOneInput().

    The fuzzer is `name`. It needs clang: `bazel run --config=fuzz //lock:holder_fuzz -- -max_total_time=60`.
    tools/fuzzing/fuzz runs all fuzzers.

    The test is `name`_test. It runs in every `bazel test`, with any compiler. Its inputs are the files in
    testdata/corpus/`name` and mutations of them.

    Args:
      name: the name of the fuzzer and of its corpus.
      srcs: the sources that define LLVMFuzzerTestOneInput().
      deps: the libraries of these sources.
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
