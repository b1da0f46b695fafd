// SPDX-License-Identifier: Apache-2.0
//
// The results of the benchmark, as a table and as a chart.
#ifndef O8LOCK_TOOLS_BENCH_RESULTS_H_
#define O8LOCK_TOOLS_BENCH_RESULTS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tools/bench/rows.h"

namespace o8lock {

struct Result {
  const Row* row;
  double lower;  // quartile
  double median;
  double upper;  // quartile
};

Result Summarize(const Row& row, std::vector<double> ratios);

// Print the table's header, and the lines of rows.
void PrintHead();
void Print(const Result& result);
void PrintMissing(const Row& row, const absl::Status& reason);

// Draws the SVG file `path` with gnuplot(1).
absl::Status Draw(const std::vector<Result>& results, const std::string& path);

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_BENCH_RESULTS_H_
