// SPDX-License-Identifier: Apache-2.0
//
// For the benchmark: what the library costs beside the system calls it makes.
#ifndef O8LOCK_TOOLS_BENCH_BENCHMARK_IN_PROCESS_H_
#define O8LOCK_TOOLS_BENCH_BENCHMARK_IN_PROCESS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace o8lock {

// How many times longer taking and releasing the free lock of the repository
// `path` takes than its bare system calls, by Google Benchmark: `pairs` ratios.
// Errors: those of Locate(), Lock::Acquire() and Release().
absl::StatusOr<std::vector<double>> CompareInProcess(const std::string& path,
                                                     int pairs);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_BENCH_BENCHMARK_IN_PROCESS_H_
