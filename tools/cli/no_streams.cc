// SPDX-License-Identifier: Apache-2.0
//
// A program any of whose files includes <iostream>, as Abseil's headers do,
// makes the eight standard streams and all of their locale before main(): a
// fifth of the instructions of a free start. o8lock uses none of them, so its
// linker (--wrap in BUILD.bazel) has these functions called instead of
// std::ios_base::Init's constructor and destructor.

// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
void __wrap__ZNSt8ios_base4InitC1Ev(void* /*init*/) {}
void __wrap__ZNSt8ios_base4InitD1Ev(void* /*init*/) {}
}
// NOLINTEND(bugprone-reserved-identifier)
