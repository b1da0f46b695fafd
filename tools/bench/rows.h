// SPDX-License-Identifier: Apache-2.0
//
// The rows of the benchmark: the measurements.
#ifndef O8LOCK_TOOLS_BENCH_ROWS_H_
#define O8LOCK_TOOLS_BENCH_ROWS_H_

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tools/bench/place.h"

namespace o8lock {

struct Row {
  const char* name;
  const char* peer_name;
  float limit;  // 0: no limit
  int pairs;    // in each round
  // Null: compares the library with its system calls.
  absl::StatusOr<double> (*measure)(const Side& side);
  absl::StatusOr<Side> (*subject)(Place& place);
  absl::StatusOr<Side> (*peer)(Place& place);
  bool held = false;  // both locks are held during the measurement
};

absl::Span<const Row> Rows();

}  // namespace o8lock

#endif  // O8LOCK_TOOLS_BENCH_ROWS_H_
