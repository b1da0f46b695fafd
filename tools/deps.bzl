# SPDX-License-Identifier: Apache-2.0
"""o8lock's dependencies for WORKSPACE users.

    load("@o8lock//tools:deps.bzl", "o8lock_deps")

    o8lock_deps()

A repository that the WORKSPACE has declared before is left alone, so bring your own versions if you like. These are old enough
for every Bazel from 6 on that still goes by its WORKSPACE. With modules, MODULE.bazel counts and this file is not used.
"""

load("//tools/deps:downloads.bzl", _o8lock_deps = "o8lock_deps")

o8lock_deps = _o8lock_deps
