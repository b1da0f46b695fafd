# SPDX-License-Identifier: Apache-2.0
"""o8lock's dependencies as downloads, for //tools:deps.bzl."""

load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive")
load("@bazel_tools//tools/build_defs/repo:utils.bzl", "maybe")

# Upstream has no BUILD files. The target has the same name as in the registry.
_RAPIDJSON_BUILD = """\
load("@rules_cc//cc:cc_library.bzl", "cc_library")

cc_library(
    name = "rapidjson",
    hdrs = glob(["include/rapidjson/**/*.h"]),
    includes = ["include"],
    visibility = ["//visibility:public"],
)
"""

def o8lock_deps():
    """Declares the repositories o8lock needs, except those already declared."""
    maybe(
        http_archive,
        name = "abseil-cpp",
        repo_mapping = {"@com_google_googletest": "@googletest"},
        sha256 = "ec820b01d9b328ca1f1b9c4e5b305d7a9fa03dc410ef64ba6654b637f9a4c3a8",
        strip_prefix = "abseil-cpp-20240722.2",
        url = "https://github.com/abseil/abseil-cpp/releases/download/20240722.2/abseil-cpp-20240722.2.tar.gz",
    )
    maybe(
        http_archive,
        name = "rapidjson",
        build_file_content = _RAPIDJSON_BUILD,
        # The commit the registry calls 1.1.0.bcr.20250205; upstream's last release is from 2016.
        sha256 = "2d2601a82d2d3b7e143a3c8d43ef616671391034bc46891a9816b79cf2d3e7a8",
        strip_prefix = "rapidjson-24b5e7a8b27f42fa16b96fc70aade9106cf7102f",
        url = "https://github.com/Tencent/rapidjson/archive/24b5e7a8b27f42fa16b96fc70aade9106cf7102f.tar.gz",
    )
    maybe(
        http_archive,
        name = "rules_cc",
        sha256 = "65b67b81c6da378f136cc7e7e14ee08d5b9375973427eceb8c773a4f69fa7e49",
        strip_prefix = "rules_cc-0.0.10",
        url = "https://github.com/bazelbuild/rules_cc/releases/download/0.0.10/rules_cc-0.0.10.tar.gz",
    )

    # For Abseil's BUILD files. o8lock's own BUILD files need platforms, too.
    maybe(
        http_archive,
        name = "bazel_skylib",
        sha256 = "cd55a062e763b9349921f0f5db8c3933288dc8ba4f76dd9416aac68acee3cb94",
        url = "https://github.com/bazelbuild/bazel-skylib/releases/download/1.5.0/bazel-skylib-1.5.0.tar.gz",
    )
    maybe(
        http_archive,
        name = "platforms",
        sha256 = "218efe8ee736d26a3572663b374a253c012b716d8af0c07e842e82f238a0a7ee",
        url = "https://github.com/bazelbuild/platforms/releases/download/0.0.10/platforms-0.0.10.tar.gz",
    )

    # For o8lock's own tests.
    maybe(
        http_archive,
        name = "googletest",
        sha256 = "7b42b4d6ed48810c5362c265a17faebe90dc2373c885e5216439d37927f02926",
        strip_prefix = "googletest-1.15.2",
        url = "https://github.com/google/googletest/releases/download/v1.15.2/googletest-1.15.2.tar.gz",
    )

    # For o8lock's benchmark.
    maybe(
        http_archive,
        name = "google_benchmark",
        sha256 = "6bc180a57d23d4d9515519f92b0c83d61b05b5bab188961f36ac7b06b0d9e9ce",
        strip_prefix = "benchmark-1.8.3",
        url = "https://github.com/google/benchmark/archive/refs/tags/v1.8.3.tar.gz",
    )
