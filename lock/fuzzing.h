// SPDX-License-Identifier: Apache-2.0
//
// For fuzz targets: programs that try whether promises hold for any input.
// libFuzzer makes inputs up (tools/fuzzing/fuzz); replay.cc, in every test run,
// takes those kept in testdata/corpus.
#ifndef O8LOCK_LOCK_FUZZING_H_
#define O8LOCK_LOCK_FUZZING_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"

// What a target defines, by the name libFuzzer looks for. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace o8lock {

// Ends the process unless `holds`, which is how a fuzzer is told of a bug.
// Not assert(): this has to work in an optimised build.
inline void Check(bool holds, absl::string_view promise) {
  if (holds) return;
  std::fprintf(stderr, "this does not hold: %s\n",
               std::string(promise).c_str());
  std::abort();
}

}  // namespace o8lock

#endif  // O8LOCK_LOCK_FUZZING_H_
