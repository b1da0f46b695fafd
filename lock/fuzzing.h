// SPDX-License-Identifier: Apache-2.0
//
// For fuzz targets: programs checking promises for any input. libFuzzer
// generates inputs (tools/fuzzing/fuzz). In every test run, replay.cc feeds the
// inputs kept in testdata/corpus.
#ifndef O8LOCK_LOCK_FUZZING_H_
#define O8LOCK_LOCK_FUZZING_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"

// The function a target defines. libFuzzer looks for this name. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace o8lock {

// Aborts the process unless `holds`: this reports a bug to the fuzzer. Not
// assert(), since this has to work in an optimised build.
inline void Check(bool holds, absl::string_view promise) {
  if (holds) return;
  std::fprintf(stderr, "this does not hold: %s\n",
               std::string(promise).c_str());
  std::abort();
}

}  // namespace o8lock

#endif  // O8LOCK_LOCK_FUZZING_H_
