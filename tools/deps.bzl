# SPDX-License-Identifier: Apache-2.0
"""o8lock's dependencies for WORKSPACE users.

    load("@o8lock//tools:deps.bzl", "o8lock_deps")

    o8lock_deps()

Repositories that the WORKSPACE has already declared are kept, so you can choose your own versions. The versions here are old
enough for every Bazel from 6 on that still reads a WORKSPACE. With modules, Bazel reads MODULE.bazel instead of this file.
"""

load("//tools/deps:downloads.bzl", _o8lock_deps = "o8lock_deps")

o8lock_deps = _o8lock_deps
