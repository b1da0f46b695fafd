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

# The variables testing.h and //tools/cli:orchestr8_testing read.
_ENV = {
    "O8LOCK_BIN": "$(rootpath //tools:o8lock)",
    "O8LOCK_GOLDEN": "testdata/golden",
    "ORCHESTR8": "$(rootpath //testdata:orchestr8)",
}

# A sandbox has only one user, and its own file systems.
_TAGS = ["no-sandbox"]

def e2e_test(name, srcs, size = "medium", data = [], env = {}, tags = [], deps = [], **kwargs):
    """A cc_test that is given the program, the golden texts and the stand-in for orchestr8.

    Args:
      name: the test's.
      srcs: its sources.
      size: as of every test.
      data: files besides those.
      env: variables besides those.
      tags: tags besides no-sandbox.
      deps: libraries besides :testing, //lock:testing, Abseil's strings and GoogleTest.
      **kwargs: such as shard_count.
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
