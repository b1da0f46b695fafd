// SPDX-License-Identifier: Apache-2.0
//
// For the benchmark: the cost of the library compared with its system calls.
#ifndef O8LOCK_TOOLS_BENCH_BENCHMARK_IN_PROCESS_H_
#define O8LOCK_TOOLS_BENCH_BENCHMARK_IN_PROCESS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace o8lock {

// Compares taking and releasing the free lock of the repository `path` with the
// bare system calls it makes, by Google Benchmark. Returns `pairs` ratios of
// the times: library / system calls.
// Errors: those of Locate(), Lock::Acquire() and Release().
absl::StatusOr<std::vector<double>> CompareInProcess(const std::string& path,
                                                     int pairs);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_BENCH_BENCHMARK_IN_PROCESS_H_
