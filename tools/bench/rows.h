// SPDX-License-Identifier: Apache-2.0
//
// The rows of the benchmark: the measurements.
#ifndef O8LOCK_TOOLS_BENCH_ROWS_H_
#define O8LOCK_TOOLS_BENCH_ROWS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/bench/place.h"

namespace o8lock {

using MeasureFunction = std::function<absl::StatusOr<double>(const Side& side)>;
using PrepareFunction = std::function<absl::StatusOr<Side>(Place& place)>;

struct Row {
  std::string name;
  std::string peer_name;
  float target;             // 0: without a target
  int pairs;                // in each round
  MeasureFunction measure;  // null: compares the library with its system calls
  PrepareFunction subject;
  PrepareFunction peer;
  bool held = false;  // both locks are held during the measurement
};

const std::vector<Row>& Rows();

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_BENCH_ROWS_H_
