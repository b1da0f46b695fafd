// SPDX-License-Identifier: Apache-2.0
//
// If any file of a program includes <iostream>, as Abseil's headers do, the
// program initializes the eight standard streams with their locale before
// main(). This takes a fifth of the instructions of a start with a free lock.
// o8lock uses no streams. Its linker (--wrap in BUILD.bazel) therefore replaces
// the constructor and destructor of std::ios_base::Init with these functions.

// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
void __wrap__ZNSt8ios_base4InitC1Ev(void* /*init*/) {}
void __wrap__ZNSt8ios_base4InitD1Ev(void* /*init*/) {}
}
// NOLINTEND(bugprone-reserved-identifier)
