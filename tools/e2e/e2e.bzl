# SPDX-License-Identifier: Apache-2.0
"""Tests that start the program."""

load("@rules_cc//cc:cc_test.bzl", "cc_test")

_DATA = [
    "//testdata:golden",
    "//testdata:orchestr8",
    "//tools:o8lock",
]

_DEPS = [
    ":testing",
    "//lock:testing",
    "@abseil-cpp//absl/strings",
    "@googletest//:gtest_main",
]

# The environment variables that testing.h and //tools/cli:orchestr8_testing read.
_ENV = {
    "O8LOCK_BIN": "$(rootpath //tools:o8lock)",
    "O8LOCK_GOLDEN": "testdata/golden",
    "ORCHESTR8": "$(rootpath //testdata:orchestr8)",
}

# A sandbox has only one user, and its own file systems.
_TAGS = ["no-sandbox"]

def e2e_test(name, srcs, size = "medium", data = [], env = {}, tags = [], deps = [], **kwargs):
    """Defines a cc_test with the program, the golden texts and the stand-in for orchestr8.

    Args:
      name: the name of the test.
      srcs: the sources of the test.
      size: the size, as for every test.
      data: more data files.
      env: more environment variables.
      tags: more tags, besides no-sandbox.
      deps: more libraries, besides :testing, //lock:testing, Abseil's strings and GoogleTest.
      **kwargs: other attributes of cc_test, such as shard_count.
    """
    cc_test(
        name = name,
        size = size,
        srcs = srcs,
        data = _DATA + data,
        env = dict(_ENV, **env),
        tags = _TAGS + tags,
        deps = _DEPS + deps,
        **kwargs
    )
